//! Changing an account. Fields that are not given stay as they are.

use std::collections::BTreeMap;

use super::super::Context;
use super::super::receivers::enter_address;
use super::checks::{checked_limits, checked_name, checked_networks, checked_permissions, checked_url};
use super::freeze::{not_frozen, receives, under_way};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ClientId, Receiver, UrlRules};
use store::{
    Database, Tx,
    client::{self, ClientChangeRow},
    client_work::ClientWork,
    receiver,
};

/// What to change.
#[derive(Clone, Debug, Default)]
pub struct ClientChange<'a> {
    /// A new name.
    pub name: Option<&'a str>,
    /// New addresses or networks (CIDR) to call from; at least one.
    pub ips: Option<&'a [String]>,
    /// New names of the interfaces it may call; at least one.
    pub permissions: Option<&'a [String]>,
    /// A new address for callbacks, or none.
    pub callback_url: Option<Option<&'a str>>,
    /// New limits in calls a minute by interface; they replace all present ones. An interface that is not named has
    /// its default.
    pub limits: Option<&'a BTreeMap<String, u32>>,
    /// Whether it may call at all. Its tokens stop, or are valid again, at once.
    pub active: Option<bool>,
    /// Whether callbacks may use plain HTTP and special-purpose networks; for tests on one machine.
    pub allow_http_callback: bool,
}

/// Changes an account. Changes of access hold from the next call on, limits within a second. Returns what a client that is
/// disabled has under way: that goes on.
///
/// # Errors
/// [`Reason::UnknownClient`], [`Reason::ClientFrozen`], [`Reason::ClientClosed`], [`Reason::ParameterMissing`], [`Reason::ParameterTooLong`],
/// [`Reason::ParameterMalformed`], naming the field.
pub async fn change_client<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    change: &ClientChange<'_>,
) -> Result<Option<ClientWork>, Error> {
    let json = |list: Vec<&str>| serde_json::to_string(&list).map_err(Error::internal);
    let ips = change.ips.map(checked_networks).transpose()?;
    let permissions = change.permissions.map(checked_permissions).transpose()?;
    let row = ClientChangeRow {
        name: change.name.map(checked_name).transpose()?,
        ips: ips
            .map(|ips| serde_json::to_string(&ips).map_err(Error::internal))
            .transpose()?,
        permissions: permissions.map(json).transpose()?,
        limits: change.limits.map(checked_limits).transpose()?,
        active: change.active,
    };
    transaction(cx, async |tx| {
        if change.active == Some(true) {
            not_frozen(tx, client).await?;
            receives(tx, client).await?;
        }
        note(cx, tx, client, &row).await?;
        if !client::change(tx, client, &row, cx.now).await? {
            return Err(Reason::UnknownClient.into());
        }
        if let Some(url) = change.callback_url {
            let to = Receiver::Client(client.clone());
            let row = receiver::find(tx, &to).await?.ok_or(Reason::UnknownReceiver)?;
            let rules = UrlRules::new(change.allow_http_callback, row.allow_http);
            let url = url
                .map(|url| checked_url("callback_url", url, rules))
                .transpose()?;
            enter_address(cx, tx, &to, url).await?;
        }
        match change.active {
            Some(false) => under_way(cx, tx, client).await.map(Some),
            _ => Ok(None),
        }
    })
    .await
}

/// Notes for the audit trail what changes of an account.
async fn note<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    client: &ClientId,
    new: &ClientChangeRow<'_>,
) -> Result<(), Error> {
    if cx.act.is_none() {
        return Ok(());
    }
    let Some(before) = client::list(tx, Some(client), None, 1).await?.pop() else {
        return Ok(());
    };
    for (name, before, after) in [
        ("name", before.name, new.name.map(str::to_owned)),
        ("ips", before.ips, new.ips.clone()),
        ("permissions", before.permissions, new.permissions.clone()),
        ("limits", before.limits, new.limits.clone()),
    ] {
        if let Some(after) = after {
            cx.note_change(name, before, after);
        }
    }
    if let Some(active) = new.active {
        cx.note_change("active", before.active, active);
    }
    Ok(())
}
