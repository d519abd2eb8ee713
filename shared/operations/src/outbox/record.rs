//! §7.3: what came of sending a message, and when it is tried again.

use super::super::Context;
use super::super::alerts::{NewAlert, raise};
use super::super::transition::{close_incident, open_incident};
use domain::error::{Error, Reason};
use domain::{
    AlertKind, CallbackId, DAY_MS, HOUR_MS, IncidentKind, MINUTE_MS, Receiver, SECOND_MS, StopCause,
    Timestamp,
};
use store::{
    Database, Subject,
    outbox::{self, ClaimedRow, OutboxState, Standing},
    outbox_attempt, receiver, transaction,
};
use vault::random_bytes;

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
/// Longest a receiver's `Retry-After` may put an attempt off, in milliseconds. It never brings one forward.
pub const MAX_PUT_OFF_MS: i64 = 12 * HOUR_MS;
/// An address to which every callback failed for this long is not called any more, in milliseconds.
pub const MAX_FAILING_MS: i64 = 5 * DAY_MS;
/// 410 Gone: the receiver wants no more.
const GONE: u16 = 410;
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
        /// How many seconds the receiver asks to be left alone.
        retry_after_secs: Option<u32>,
    },
}

impl Delivery {
    fn put_off_ms(&self) -> i64 {
        match self {
            Self::Refused {
                retry_after_secs: Some(secs),
                ..
            } => (i64::from(*secs) * SECOND_MS).min(MAX_PUT_OFF_MS),
            _ => 0,
        }
    }
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
/// next attempt by [`RETRY_AFTER_MS`] or as much later as the receiver asks, or gives up after the last with an
/// incident; a refusal of an attempt that another has followed, or that is recorded already, changes nothing.
///
/// An address that answers 410, or that has failed for [`MAX_FAILING_MS`] without a success between, is not called
/// any more until one is entered; its callbacks wait for that, and an incident tells of it.
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
            Delivery::Refused { status, error, .. } => (false, *status, Some(error.as_str())),
        };
        let error: Option<String> = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect());
        let begun =
            outbox_attempt::finish(db, id, attempt, accepted, status, error.as_deref(), cx.now).await?;
        let Some(begun) = begun else {
            return Ok(told(&standing));
        };
        if accepted {
            outbox::set_delivered(db, id, cx.now).await?;
            credit_address(cx, &standing.receiver, begun).await?;
        } else {
            let is_repetition = attempt > standing.attempts_from + 1;
            judge_address(cx, &standing.receiver, (begun, is_repetition), status).await?;
            if standing.state == OutboxState::Pending {
                plan_next(cx, id, &standing, attempt, delivery.put_off_ms()).await?;
            }
        }
        let standing = outbox::standing(db, id).await?.ok_or(Reason::UnknownCallback)?;
        Ok(told(&standing))
    })
    .await
}

/// Holds a success in favour of the address it came from: it is well again, unless another was entered since, or it is
/// not called any more.
async fn credit_address<D: Database>(
    cx: &Context<'_, D>,
    to: &Receiver,
    begun: Timestamp,
) -> Result<(), Error> {
    receiver::succeeded(cx.db, to, begun).await?;
    let row = receiver::find(cx.db, to).await?;
    if row.is_some_and(|row| row.stopped.is_none() && begun >= row.entered_at) {
        let subject = Subject::receiver(to);
        close_incident(cx, IncidentKind::CallbackUndeliverable, &subject).await?;
    }
    Ok(())
}

/// Holds a failure against the address it came from, and stops calling it when that is enough. The first failure of a
/// message is never enough: a receiver that is hardly ever called may have been well for weeks between.
async fn judge_address<D: Database>(
    cx: &Context<'_, D>,
    to: &Receiver,
    (begun, is_repetition): (Timestamp, bool),
    status: Option<u16>,
) -> Result<(), Error> {
    let Some(since) = receiver::failed(cx.db, to, begun).await? else {
        // Another address was entered since.
        return Ok(());
    };
    let cause = if status == Some(GONE) {
        StopCause::Gone
    } else if is_repetition && cx.now >= since.plus(MAX_FAILING_MS) {
        StopCause::Failing
    } else {
        return Ok(());
    };
    if receiver::stop(cx.db, to, cause, cx.now).await? {
        let subject = Subject::receiver(to);
        open_incident(cx, IncidentKind::CallbackUndeliverable, &subject).await?;
        let fields = vec![
            ("cause", cause.code().to_owned()),
            ("failing_since", since.to_rfc3339(cx.zone)),
        ];
        let alert = NewAlert {
            kind: AlertKind::AddressStopped,
            subject: &subject,
            fields,
        };
        raise(cx, alert).await?;
    }
    Ok(())
}

async fn plan_next<D: Database>(
    cx: &Context<'_, D>,
    id: CallbackId,
    standing: &Standing,
    attempt: u32,
    put_off: i64,
) -> Result<(), Error> {
    let made = attempt.saturating_sub(standing.attempts_from);
    if made == 0 {
        // It has been sent again by hand since.
        return Ok(());
    }
    let wait = usize::try_from(made)
        .ok()
        .and_then(|made| RETRY_AFTER_MS.get(made - 1));
    match wait {
        Some(wait) => {
            let wait = put_off.max(*wait);
            let at = cx.now.plus(wait + jitter(wait, random_bytes(cx.random)));
            outbox::set_retry(cx.db, id, attempt, at).await?;
        }
        None => {
            if outbox::set_dead(cx.db, id, attempt, cx.now).await? {
                give_up(cx, &standing.receiver).await?;
            }
        }
    }
    Ok(())
}

/// An attempt that could not be made has failed, in the transaction under way.
pub(super) async fn refuse<D: Database>(
    cx: &Context<'_, D>,
    row: &ClaimedRow,
    why: &str,
) -> Result<(), Error> {
    outbox_attempt::finish(cx.db, row.id, row.attempt, false, None, Some(why), cx.now).await?;
    match outbox::standing(cx.db, row.id).await? {
        Some(standing) => plan_next(cx, row.id, &standing, row.attempt, 0).await,
        None => Ok(()),
    }
}

/// A message to `to` was given up: the first since the receiver last took one opens an incident and is told of.
pub(super) async fn give_up<D: Database>(cx: &Context<'_, D>, to: &Receiver) -> Result<(), Error> {
    let subject = Subject::receiver(to);
    if open_incident(cx, IncidentKind::CallbackUndeliverable, &subject).await? {
        let alert = NewAlert {
            kind: AlertKind::MessagesUndeliverable,
            subject: &subject,
            fields: Vec::new(),
        };
        raise(cx, alert).await?;
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
