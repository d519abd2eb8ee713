//! §7.3: records the results of attempts, and plans retries.

use super::super::Context;
use super::super::alerts::{NewAlert, raise};
use super::super::incidents::{close_incident, open_incident};
use super::schedule::next_attempt;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    AlertKind, DAY_MS, HOUR_MS, IncidentKind, MessageId, MessageState, Receiver, SECOND_MS, StopCause,
    Timestamp,
};
use store::{
    Database, Subject, Tx, clock,
    message::{self, ClaimedRow, MessageDelivery},
    message_attempt, receiver,
};
use vault::random_bytes;

/// Longest time by which a receiver's `Retry-After` delays an attempt, in milliseconds. It never makes an attempt
/// earlier.
pub const MAX_PUT_OFF_MS: i64 = 12 * HOUR_MS;
/// Messages to an address stop when every attempt has failed for this long, in milliseconds.
pub const MAX_FAILING_MS: i64 = 5 * DAY_MS;
/// 410 Gone: the receiver accepts no more messages.
const GONE: u16 = 410;
/// Longest description of a failed delivery that is kept, in characters.
const MAX_ERROR_CHARS: usize = 256;

/// The result of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The receiver confirmed that it has the message.
    Accepted {
        /// HTTP status.
        status: u16,
    },
    /// The receiver did not confirm it.
    Refused {
        /// HTTP status, if there was an answer.
        status: Option<u16>,
        /// For the operator; no identifiers.
        error: String,
        /// Seconds for which the receiver asks not to be called.
        retry_after_secs: Option<u32>,
    },
}

impl AttemptResult {
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

/// The state of a message after an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// The receiver has accepted it.
    Delivered,
    /// The next attempt is due at this time.
    RetryAt(Timestamp),
    /// All attempts are used up; it can be sent again by hand.
    Dead,
}

/// Records the result of attempt `attempt`. An acceptance counts whenever it arrives. After a refusal the next attempt
/// is planned by `RETRY_AFTER_MS`, or later if the receiver asks for it. After the last attempt the message is dead,
/// and an incident is opened. A refusal that is recorded already, or of an attempt that another has followed, changes
/// nothing.
///
/// An address is stopped when it answers 410 or when every attempt has failed for [`MAX_FAILING_MS`]. Its messages
/// wait until an address is entered, and an incident is opened.
///
/// # Errors
/// [`Reason::UnknownCallback`] when there is no such message or attempt.
pub async fn record_attempt<D: Database>(
    cx: &Context<'_, D>,
    id: MessageId,
    attempt: u32,
    result: &AttemptResult,
) -> Result<DeliveryState, Error> {
    transaction(cx, async |tx| {
        let delivery = message::delivery(tx, id).await?.ok_or(Reason::UnknownCallback)?;
        if attempt == 0 || attempt > delivery.attempts {
            return Err(Reason::UnknownCallback.into());
        }
        let (accepted, status, error) = match result {
            AttemptResult::Accepted { status } => (true, Some(*status), None),
            AttemptResult::Refused { status, error, .. } => (false, *status, Some(error.as_str())),
        };
        let error: Option<String> = error.map(|text| text.chars().take(MAX_ERROR_CHARS).collect());
        let begun =
            message_attempt::finish(tx, id, attempt, accepted, status, error.as_deref(), cx.now).await?;
        let Some(begun) = begun else {
            return Ok(delivery_state(&delivery));
        };
        if accepted {
            message::set_delivered(tx, id, cx.now).await?;
            if attempt > 1 {
                // Others are put off only with a message that is tried again.
                message::release(tx, id, cx.now).await?;
            }
            record_success(cx, tx, &delivery.receiver, begun).await?;
        } else {
            let is_repetition = attempt > delivery.attempts_from + 1;
            record_failure(cx, tx, &delivery.receiver, (begun, is_repetition), status).await?;
            if delivery.state == MessageState::Pending {
                plan_next(cx, tx, id, &delivery, attempt, result.put_off_ms()).await?;
            }
        }
        let delivery = message::delivery(tx, id).await?.ok_or(Reason::UnknownCallback)?;
        Ok(delivery_state(&delivery))
    })
    .await
}

/// Records a success of the receiver's address: its failures end, unless another address was entered since or it is
/// stopped.
async fn record_success<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    begun: Timestamp,
) -> Result<(), Error> {
    receiver::succeeded(tx, to, begun).await?;
    let row = receiver::find(tx, to).await?;
    if row.is_some_and(|row| row.stopped.is_none() && begun >= row.entered_at) {
        let subject = Subject::receiver(to);
        close_incident(cx, tx, IncidentKind::CallbackUndeliverable, &subject).await?;
    }
    Ok(())
}

/// Records a failure of the receiver's address, and stops it after too many. The first failure of a message never
/// stops an address, and neither does a gap of the clock: a receiver that gets few messages may have worked for weeks
/// in between.
async fn record_failure<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    (begun, is_repetition): (Timestamp, bool),
    status: Option<u16>,
) -> Result<(), Error> {
    let Some(since) = receiver::failed(tx, to, begun).await? else {
        // Another address was entered since.
        return Ok(());
    };
    let cause = if status == Some(GONE) {
        StopCause::Gone
    } else if is_repetition
        && cx.now >= since.plus(MAX_FAILING_MS)
        && clock::find(tx).await?.seen(cx.now).held_at.is_none()
    {
        StopCause::Failing
    } else {
        return Ok(());
    };
    if receiver::stop(tx, to, cause, cx.now).await? {
        let subject = Subject::receiver(to);
        open_incident(cx, tx, IncidentKind::CallbackUndeliverable, &subject).await?;
        let fields = vec![
            ("cause", cause.code().to_owned()),
            ("failing_since", since.to_rfc3339(cx.zone)),
        ];
        let alert = NewAlert {
            kind: AlertKind::AddressStopped,
            subject: &subject,
            fields,
        };
        raise(cx, tx, alert).await?;
    }
    Ok(())
}

async fn plan_next<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    id: MessageId,
    delivery: &MessageDelivery,
    attempt: u32,
    put_off: i64,
) -> Result<(), Error> {
    let made = attempt.saturating_sub(delivery.attempts_from);
    if made == 0 {
        // It has been sent again by hand since.
        return Ok(());
    }
    match next_attempt(made, cx.now, put_off, random_bytes(cx.random)) {
        Some(at) => {
            message::set_retry(tx, id, attempt, at).await?;
        }
        None => {
            if message::set_dead(tx, id, attempt, cx.now).await? {
                message::release(tx, id, cx.now).await?;
                dead_letter(cx, tx, &delivery.receiver).await?;
            }
        }
    }
    Ok(())
}

/// Records in the open transaction that an attempt could not be made; it counts as failed.
pub(super) async fn refuse<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    row: &ClaimedRow,
    why: &str,
) -> Result<(), Error> {
    message_attempt::finish(tx, row.id, row.attempt, false, None, Some(why), cx.now).await?;
    match message::delivery(tx, row.id).await? {
        Some(delivery) => plan_next(cx, tx, row.id, &delivery, row.attempt, 0).await,
        None => Ok(()),
    }
}

/// Handles a dead message to `to`: the first since the receiver last accepted one opens an incident and raises an
/// alert.
pub(super) async fn dead_letter<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
) -> Result<(), Error> {
    let subject = Subject::receiver(to);
    if open_incident(cx, tx, IncidentKind::CallbackUndeliverable, &subject).await? {
        let alert = NewAlert {
            kind: AlertKind::MessagesUndeliverable,
            subject: &subject,
            fields: Vec::new(),
        };
        raise(cx, tx, alert).await?;
    }
    Ok(())
}

fn delivery_state(delivery: &MessageDelivery) -> DeliveryState {
    match delivery.state {
        MessageState::Delivered => DeliveryState::Delivered,
        MessageState::Dead | MessageState::Unaddressed => DeliveryState::Dead,
        MessageState::Pending => DeliveryState::RetryAt(delivery.next_at),
    }
}
