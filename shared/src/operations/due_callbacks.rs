//! §7.3: which callbacks are to be sent now.

use super::Context;
use crate::domain::{CallbackId, MINUTE_MS};
use crate::error::{Error, Reason};
use crate::store::Database;

/// Most callbacks one call claims.
pub const MAX_CALLBACKS_PER_CALL: usize = 50;
/// How long a claim keeps others away, in milliseconds. Receivers tell repetitions by `webhook-id`,
/// so nothing depends on it.
pub const LEASE_MS: i64 = 2 * MINUTE_MS;

/// A callback ready to be sent.
pub struct DueCallback {
    /// Its identifier: `webhook-id`.
    pub id: CallbackId,
    /// Which attempt this is, from 1; goes back with the result.
    pub attempt: u32,
    /// Where it goes.
    pub url: String,
    /// The JSON body, signed (`sign`).
    pub body: Vec<u8>,
    /// Headers to send: content type and the three of Standard Webhooks.
    pub headers: Vec<(&'static str, String)>,
}

/// Claims up to `limit` due callbacks.
///
/// # Errors
/// Those of database and vault.
pub async fn due_callbacks<D: Database>(cx: &Context<'_, D>, limit: usize) -> Result<Vec<DueCallback>, Error> {
    let _ = (cx, limit);
    Err(Reason::Unavailable.into())
}
