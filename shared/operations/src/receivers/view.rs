//! A receiver as administrators see it, without the values of its secrets.

use super::super::Context;
use domain::error::{Error, Reason};
use domain::{CardChange, Receiver, StopCause, Timestamp};
use store::{
    Database, message, receiver,
    receiver_secret::{self, ReceiverSecretRow},
};

/// A receiver.
#[derive(Clone, Debug)]
pub struct ReceiverView {
    /// Where messages go.
    pub url: Option<String>,
    /// When the address was entered.
    pub entered_at: Timestamp,
    /// Since when every message to it has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when messages to it are stopped, and why.
    pub stopped: Option<(Timestamp, StopCause)>,
    /// Since when nothing is sent to it, because its client is frozen.
    pub held_at: Option<Timestamp>,
    /// Whether its address may be plain http.
    pub allow_http: bool,
    /// The changes of state that it gets, if it is a client.
    pub changes: Vec<CardChange>,
    /// How many messages are in flight.
    pub in_flight: u32,
    /// Its latest secrets, the newest first.
    pub secrets: Vec<ReceiverSecretView>,
}

/// A secret, without its value.
#[derive(Clone, Debug)]
pub struct ReceiverSecretView {
    /// Number among the receiver's secrets, from 1.
    pub generation: i64,
    /// Whether messages are signed with it.
    pub live: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// End of its overlap with its successor.
    pub expires_at: Option<Timestamp>,
}

/// Returns a receiver.
///
/// # Errors
/// [`Reason::UnknownReceiver`].
pub async fn receiver_view<D: Database>(cx: &Context<'_, D>, to: &Receiver) -> Result<ReceiverView, Error> {
    let row = receiver::find(cx.db, to).await?.ok_or(Reason::UnknownReceiver)?;
    let secrets = receiver_secret::latest(cx.db, to).await?;
    let secrets = secrets.iter().map(|secret| secret_view(secret, cx.now));
    Ok(ReceiverView {
        url: row.url,
        entered_at: row.entered_at,
        failing_since: row.failing_since,
        stopped: row.stopped,
        held_at: row.held_at,
        allow_http: row.allow_http,
        changes: match to {
            Receiver::Client(_) => row.selection.selected(),
            Receiver::Operator => Vec::new(),
        },
        in_flight: message::in_flight(cx.db, to, cx.now).await?,
        secrets: secrets.collect(),
    })
}

fn secret_view(secret: &ReceiverSecretRow, now: Timestamp) -> ReceiverSecretView {
    ReceiverSecretView {
        generation: secret.generation,
        live: secret.is_live(now),
        created_at: secret.created_at,
        expires_at: secret.expires_at,
    }
}
