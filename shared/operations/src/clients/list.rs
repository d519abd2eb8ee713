//! The accounts as administrators see them: without secrets, and with the telephone number masked.

use std::collections::BTreeMap;

use super::super::Context;
use super::super::unreadable::RowOpener;
use domain::error::Error;
use domain::{ClientId, StopCause, Timestamp, masked};
use store::{
    Database,
    client::{self, ListedClientRow},
    client_secret,
};

/// Most accounts of one page.
pub const MAX_CLIENTS_PER_PAGE: u32 = 100;

/// An account.
#[derive(Clone, Debug)]
pub struct ClientView {
    /// Its identifier.
    pub id: ClientId,
    /// Name of the business system or its company.
    pub name: String,
    /// Telephone number, masked; none if it cannot be opened.
    pub phone: Option<String>,
    /// Networks it may call from.
    pub ips: Vec<String>,
    /// Names of the interfaces it may call.
    pub permissions: Vec<String>,
    /// Where callbacks go.
    pub callback_url: Option<String>,
    /// Since when every callback to it has failed.
    pub callback_failing_since: Option<Timestamp>,
    /// Since when callbacks to it are stopped, and why.
    pub callback_stopped: Option<(Timestamp, StopCause)>,
    /// Since when it is frozen.
    pub frozen_at: Option<Timestamp>,
    /// Since when it is closed.
    pub closed_at: Option<Timestamp>,
    /// Calls a minute that differ from the defaults.
    pub limits: BTreeMap<String, u32>,
    /// False when it is disabled.
    pub active: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
    /// Its latest secrets, the newest first.
    pub secrets: Vec<SecretView>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A secret, without its value.
#[derive(Clone, Debug)]
pub struct SecretView {
    /// Number among the client's secrets, from 1.
    pub generation: i64,
    /// Whether it is valid.
    pub live: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// End of its overlap with its successor.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// A page of accounts.
#[derive(Clone, Debug)]
pub struct ClientPage {
    /// The accounts, by identifier.
    pub clients: Vec<ClientView>,
    /// Where the next page begins, if there may be one.
    pub next: Option<ClientId>,
}

/// Returns the account `only`, or up to `limit` accounts that follow `after`. A telephone number that cannot be opened
/// hides no account.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_clients<D: Database>(
    cx: &Context<'_, D>,
    only: Option<&ClientId>,
    after: Option<&ClientId>,
    limit: u32,
) -> Result<ClientPage, Error> {
    let limit = limit.clamp(1, MAX_CLIENTS_PER_PAGE);
    let rows = client::list(cx.db, only, after, limit).await?;
    let is_full = rows.len() == limit as usize;
    let next = rows
        .last()
        .map(|row| row.id.clone())
        .filter(|_| is_full && only.is_none());
    let mut clients = Vec::new();
    for row in rows {
        clients.push(view(cx, row).await?);
    }
    Ok(ClientPage { clients, next })
}

async fn view<D: Database>(cx: &Context<'_, D>, row: ListedClientRow) -> Result<ClientView, Error> {
    let mut opener = RowOpener::new(cx, row.id.as_str().as_bytes());
    let phone = opener.text("phone", client::PHONE, Some(&row.phone_sealed));
    let unreadable = opener.unreadable;
    let secrets = client_secret::of_client(cx.db, &row.id).await?;
    let secrets = secrets.iter().map(|secret| SecretView {
        generation: secret.generation,
        live: secret.is_live(cx.now),
        created_at: secret.created_at,
        expires_at: secret.expires_at,
        revoked_at: secret.revoked_at,
    });
    Ok(ClientView {
        name: row.name,
        phone: phone.as_deref().map(masked),
        ips: serde_json::from_str(&row.ips).map_err(Error::internal)?,
        permissions: serde_json::from_str(&row.permissions).map_err(Error::internal)?,
        callback_url: row.callback_url,
        callback_failing_since: row.callback_failing_since,
        callback_stopped: row.callback_stopped,
        frozen_at: row.frozen_at,
        closed_at: row.closed_at,
        limits: serde_json::from_str(&row.limits).map_err(Error::internal)?,
        active: row.active,
        created_at: row.created_at,
        changed_at: row.changed_at,
        secrets: secrets.collect(),
        unreadable,
        id: row.id,
    })
}
