//! §7.3: what came of sending a callback, and when it is tried again.

use super::Context;
use super::transition::open_incident;
use crate::domain::{CallbackId, HOUR_MS, IncidentKind, MINUTE_MS, SECOND_MS, Timestamp};
use crate::error::{Error, Reason};
use crate::store::{
    Database,
    incident::{self, Subject},
    outbox::{self, OutboxState, Standing},
    outbox_attempt, transaction,
};
use crate::vault::random_bytes;

/// Waiting time after attempt 1, 2, … before the next, in milliseconds: 8 attempts over at least 27 h.
pub const RETRY_AFTER_MS: [i64; 7] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    10 * HOUR_MS,
];

/// Attempts a callback gets.
pub const MAX_ATTEMPTS: u32 = RETRY_AFTER_MS.len() as u32 + 1;

/// A waiting time grows by at most one part in this many, so that receivers that failed together are not
/// called together again.
const JITTER_PARTS: i64 = 10;
/// Longest description of a failed delivery that is kept, in characters.
const MAX_ERROR_CHARS: usize = 256;

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
        /// For the operator; no identifiers.
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

/// Records the result of attempt `attempt`. An acceptance counts whenever it arrives. A refusal plans the
/// next attempt by [`RETRY_AFTER_MS`], or gives up after the last with an incident; a refusal of an
/// attempt that another has followed, or that is recorded already, changes nothing.
///
/// # Errors
/// [`Reason::UnknownCallback`] when there is no such callback or attempt.
pub async fn record_delivery<D: Database>(
    cx: &Context<'_, D>,
    id: CallbackId,
    attempt: u32,
    delivery: &Delivery,
) -> Result<DeliveryState, Error> {
    transaction(cx.db, async |db| {
        let standing = outbox::standing(db, id).await?.ok_or(Reason::UnknownCallback)?;
        if attempt == 0 || attempt > standing.attempts {
            return Err(Reason::UnknownCallback.into());
        }
        let (accepted, status, error) = match delivery {
            Delivery::Accepted { status } => (true, Some(*status), None),
            Delivery::Refused { status, error } => (false, *status, Some(error.as_str())),
        };
        let error: Option<String> = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect());
        let fresh =
            outbox_attempt::finish(db, id, attempt, accepted, status, error.as_deref(), cx.now).await?;
        if fresh && accepted {
            outbox::set_delivered(db, id, cx.now).await?;
            incident::close(
                db,
                IncidentKind::CallbackUndeliverable,
                &Subject::callback(id),
                cx.now,
            )
            .await?;
        } else if fresh && standing.state == OutboxState::Pending {
            plan_next(cx, id, attempt).await?;
        }
        let standing = outbox::standing(db, id).await?.ok_or(Reason::UnknownCallback)?;
        Ok(told(&standing))
    })
    .await
}

async fn plan_next<D: Database>(cx: &Context<'_, D>, id: CallbackId, attempt: u32) -> Result<(), Error> {
    let wait = usize::try_from(attempt)
        .ok()
        .and_then(|attempt| RETRY_AFTER_MS.get(attempt - 1));
    match wait {
        Some(wait) => {
            let at = cx.now.plus(wait + jitter(*wait, random_bytes(cx.random)));
            outbox::set_retry(cx.db, id, attempt, at).await?;
        }
        None => {
            if outbox::set_dead(cx.db, id, attempt, cx.now).await? {
                open_incident(cx, IncidentKind::CallbackUndeliverable, &Subject::callback(id)).await?;
            }
        }
    }
    Ok(())
}

/// Up to a tenth of `wait`, never less than nothing.
fn jitter(wait: i64, random: [u8; 4]) -> i64 {
    let most = wait / JITTER_PARTS;
    i64::from(u32::from_be_bytes(random)) % (most + 1)
}

fn told(standing: &Standing) -> DeliveryState {
    match standing.state {
        OutboxState::Delivered => DeliveryState::Delivered,
        OutboxState::Dead => DeliveryState::Dead,
        OutboxState::Pending => DeliveryState::RetryAt(standing.next_at),
    }
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, MAX_ATTEMPTS, RETRY_AFTER_MS, jitter};

    #[test]
    fn eight_attempts_are_spread_over_more_than_a_day() {
        assert_eq!(MAX_ATTEMPTS, 8);
        assert!(RETRY_AFTER_MS.iter().sum::<i64>() >= 24 * HOUR_MS);
    }

    #[test]
    fn jitter_only_adds_and_at_most_a_tenth() {
        for wait in RETRY_AFTER_MS {
            for random in [[0; 4], [0xff; 4], [0x12, 0x34, 0x56, 0x78]] {
                assert!((0..=wait / 10).contains(&jitter(wait, random)));
            }
        }
    }
}
