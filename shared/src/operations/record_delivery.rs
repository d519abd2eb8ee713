//! §7.3: what came of sending a callback, and when it is tried again.

use super::Context;
use crate::domain::{CallbackId, HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};
use crate::error::{Error, Reason};
use crate::store::Database;

/// Waiting time after attempt 1, 2, … before the next, in milliseconds: 8 attempts over at least 27 h.
pub const RETRY_AFTER_MS: [i64; 7] =
    [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS];

/// What came of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver answered that it has taken it.
    Accepted {
        /// HTTP status.
        status: u16,
    },
    /// It did not.
    Refused {
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// For the operator; bounded here.
        error: String,
    },
}

/// What becomes of a callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// The receiver has it.
    Delivered,
    /// It is tried again at that time.
    RetryAt(Timestamp),
    /// All attempts are used up; kept for sending by hand.
    Dead,
}

/// Records the result of attempt `attempt`.
///
/// # Errors
/// [`Reason::UnknownCallback`].
pub async fn record_delivery<D: Database>(
    cx: &Context<'_, D>,
    id: CallbackId,
    attempt: u32,
    delivery: &Delivery,
) -> Result<DeliveryState, Error> {
    let _ = (cx, id, attempt, delivery);
    Err(Reason::Unavailable.into())
}
