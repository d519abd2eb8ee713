//! §9.2.1: a client whose secret may have leaked is frozen: it can do nothing, and nothing is sent to it, until somebody has
//! looked into it.
//!
//! Its cards go on: a task that waits stays, and is written when its card powers up. Who wants to end it does so with
//! `end_task`.

use super::super::Context;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ClientId, Receiver};
use store::client::{self, ClientChangeRow};
use store::client_work::{self, ClientWork};
use store::{Database, Tx, client_secret, lock, receiver};

/// Bound of each count of what a client has under way.
const MAX_COUNTED: u32 = 100_000;

/// A client that is frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrozenClient {
    /// How many secrets ended.
    pub ended_secrets: usize,
    /// What it has under way.
    pub work: ClientWork,
}

/// Freezes a client: it is disabled, its secrets and the tokens taken with them end for good, and messages to it wait. What it
/// has applied for stays as it is. Repeating the call ends secrets that were made since.
///
/// # Errors
/// [`Reason::UnknownClient`].
pub async fn freeze_client<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
) -> Result<FrozenClient, Error> {
    let to = Receiver::Client(client.clone());
    transaction(cx, async |tx| {
        lock::client(tx, client).await?;
        // Nobody claims messages to it from here on.
        lock::receiver(tx, &to).await?;
        let row = client::by_id(tx, client).await?.ok_or(Reason::UnknownClient)?;
        set_active(cx, tx, client, false).await?;
        let ended = client_secret::revoke_all(tx, client, cx.now).await?;
        let is_new = receiver::hold(tx, &to, cx.now).await?;
        cx.note_change("active", row.active, false);
        cx.note_change("frozen", !is_new, true);
        cx.note_result("ended_secrets", ended as u64);
        Ok(FrozenClient {
            ended_secrets: ended,
            work: under_way(cx, tx, client).await?,
        })
    })
    .await
}

/// Ends the freezing of a client: it is enabled unless it is closed, and the messages that waited are sent. Its secrets have
/// ended; it needs a new one.
///
/// # Errors
/// [`Reason::UnknownClient`], [`Reason::ClientNotFrozen`].
pub async fn unfreeze_client<D: Database>(cx: &Context<'_, D>, client: &ClientId) -> Result<(), Error> {
    let to = Receiver::Client(client.clone());
    transaction(cx, async |tx| {
        lock::client(tx, client).await?;
        lock::receiver(tx, &to).await?;
        let row = client::by_id(tx, client).await?.ok_or(Reason::UnknownClient)?;
        if !receiver::release(tx, &to, cx.now).await? {
            return Err(Reason::ClientNotFrozen.into());
        }
        cx.note_change("frozen", true, false);
        if client::is_closed(tx, client).await? == Some(false) {
            set_active(cx, tx, client, true).await?;
            cx.note_change("active", row.active, true);
        }
        Ok(())
    })
    .await
}

/// A frozen client is enabled only by [`unfreeze_client`].
///
/// # Errors
/// [`Reason::ClientFrozen`].
pub(super) async fn not_frozen<D: Database>(tx: &Tx<'_, D>, client: &ClientId) -> Result<(), Error> {
    lock::client(tx, client).await?;
    let row = receiver::find(tx, &Receiver::Client(client.clone())).await?;
    match row.and_then(|row| row.held_at) {
        Some(_) => Err(Reason::ClientFrozen.into()),
        None => Ok(()),
    }
}

/// Nothing new comes to a client that is not there, or is closed: neither cards and numbers, nor a secret.
///
/// # Errors
/// [`Reason::UnknownClient`], [`Reason::ClientClosed`].
pub(crate) async fn receives<D: Database>(db: &D, client: &ClientId) -> Result<(), Error> {
    match client::is_closed(db, client).await? {
        None => Err(Reason::UnknownClient.into()),
        Some(true) => Err(Reason::ClientClosed.into()),
        Some(false) => Ok(()),
    }
}

/// Counts what a client has under way, in the transaction that disables it.
pub(super) async fn under_way<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    client: &ClientId,
) -> Result<ClientWork, Error> {
    let work = client_work::under_way(tx, client, MAX_COUNTED).await?;
    for (name, count) in [
        ("cards_waiting", work.cards_waiting),
        ("cards_writing", work.cards_writing),
        ("messages_pending", work.messages_pending),
    ] {
        cx.note_result(name, count);
    }
    Ok(work)
}

pub(super) async fn set_active<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    client: &ClientId,
    active: bool,
) -> Result<(), Error> {
    let change = ClientChangeRow {
        name: None,
        ips: None,
        permissions: None,
        limits: None,
        active: Some(active),
    };
    client::change(tx, client, &change, cx.now).await?;
    Ok(())
}
