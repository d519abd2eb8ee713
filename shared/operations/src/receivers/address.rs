//! Changing receivers: their addresses, and the changes of state that they get.

use super::super::Context;
use super::super::clients::checked_url;
use super::super::incidents::close_incident;
use super::secrets::add_secret;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{CardChange, IncidentKind, Receiver, UrlRules};
use store::{Database, Subject, Tx, lock, message, receiver};
use vault::Zeroizing;

/// What changes about a receiver; what is none stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReceiverChange<'a> {
    /// Its address; `Some(None)` removes it.
    pub url: Option<Option<&'a str>>,
    /// Whether its address may be plain http.
    pub allow_http: Option<bool>,
    /// Whether every address may be plain http and in special-purpose networks; for tests on one machine.
    pub callback_allow_http: bool,
    /// The changes of state that a client gets, each once.
    pub changes: Option<&'a [CardChange]>,
}

/// Changes a receiver. The operator's first address comes with a secret, which is shown only in this answer; a client
/// has its secret since it was created. What is sent about changes that happened before stays as it is.
///
/// # Errors
/// [`Reason::UnknownReceiver`] for an unknown client; [`Reason::ParameterMalformed`] for an address that the receiver
/// may not have, see `CallbackUrl`, also for its present one when plain http is no longer allowed;
/// [`Reason::ParameterEmpty`] for an empty list of changes; [`Reason::ParameterNotApplicable`] for a list of the
/// operator, who gets no callbacks about cards.
pub async fn change_receiver<D: Database>(
    cx: &Context<'_, D>,
    to: &Receiver,
    change: &ReceiverChange<'_>,
) -> Result<Option<Zeroizing<String>>, Error> {
    let changes = change.changes.map(|changes| checked(to, changes)).transpose()?;
    transaction(cx, async |tx| {
        lock::receiver(tx, to).await?;
        let present = receiver::find(tx, to).await?;
        let allow_http = change
            .allow_http
            .unwrap_or_else(|| present.as_ref().is_some_and(|row| row.allow_http));
        let kept = present.as_ref().and_then(|row| row.url.as_deref());
        if let Some(url) = change.url.unwrap_or(kept) {
            checked_url("url", url, UrlRules::new(change.callback_allow_http, allow_http))?;
        }
        let mut secret = None;
        if *to == Receiver::Operator && present.is_none() {
            secret = Some(add_receiver(cx, tx, to, change.url.flatten()).await?);
        } else if let Some(url) = change.url {
            enter_address(cx, tx, to, url).await?;
        }
        if change.allow_http.is_some() && !receiver::set_allow_http(tx, to, allow_http, cx.now).await? {
            return Err(Reason::UnknownReceiver.into());
        }
        if let Some(changes) = &changes
            && !receiver::select_changes(tx, to, changes, cx.now).await?
        {
            return Err(Reason::UnknownReceiver.into());
        }
        Ok(secret)
    })
    .await
}

/// The changes in their order, each once.
fn checked(to: &Receiver, changes: &[CardChange]) -> Result<Vec<CardChange>, Error> {
    let refuse = |reason| Err(Error::new(reason).with_field("changes"));
    if *to == Receiver::Operator {
        return refuse(Reason::ParameterNotApplicable);
    }
    if changes.is_empty() {
        return refuse(Reason::ParameterEmpty);
    }
    let all = CardChange::ALL.into_iter();
    Ok(all.filter(|change| changes.contains(change)).collect())
}

/// Adds a receiver with its first secret in the open transaction; returns the secret.
pub(crate) async fn add_receiver<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    url: Option<&str>,
) -> Result<Zeroizing<String>, Error> {
    receiver::insert(tx, to, url, cx.now).await?;
    add_secret(cx, tx, to, 1).await
}

/// Sets or removes an address in the open transaction. Entering the same address again resets its failures too:
/// waiting messages are sent from the beginning of the schedule. Without an address they wait until somebody asks for
/// them.
pub(crate) async fn enter_address<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    url: Option<&str>,
) -> Result<(), Error> {
    if cx.act.is_some() {
        let before = receiver::find(tx, to).await?.and_then(|row| row.url);
        cx.note_change("url", before, url);
    }
    if !receiver::enter(tx, to, url, cx.now).await? {
        return Err(Reason::UnknownReceiver.into());
    }
    match url {
        Some(_) => message::restart(tx, to, cx.now).await?,
        None => message::set_unaddressed(tx, to, cx.now).await?,
    }
    close_incident(
        cx,
        tx,
        IncidentKind::CallbackUndeliverable,
        &Subject::receiver(to),
    )
    .await
}
