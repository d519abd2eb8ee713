//! §7.3: sends the messages that are due, many at a time, including those that become due meanwhile.
//!
//! A receiver that does not answer delays only its own messages. Each receiver has only a few in flight, a failing one
//! even fewer. Near the end of a tick no messages to failing receivers are begun.

use std::time::{Duration, Instant};

use domain::MessageId;
use domain::error::Error;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use operations::{
    AttemptResult, DeliveryState, DueRequest, MAX_MESSAGES_PER_CALL, due_messages, is_message_due,
    record_attempt,
};
use web::extract::Call;
use web::outbound::{Guard, POST_SECS, post};
use web::within;

/// How long a tick begins attempts, in seconds.
const SENDING_SECS: u64 = 20;
/// How long a tick begins attempts to failing receivers, in seconds: they have timed out when sending ends.
const SENDING_TO_FAILING_SECS: u64 = SENDING_SECS - POST_SECS;
/// Interval between two searches for due messages while others are in flight, in milliseconds.
const LOOK_MS: u64 = 200;

/// Counts of the attempts of a tick, by result.
#[derive(Default)]
pub(crate) struct DeliveryCounts {
    pub(crate) delivered: usize,
    pub(crate) retrying: usize,
    pub(crate) dead: usize,
    /// True when the tick ended with messages due.
    pub(crate) more: bool,
}

/// A finished attempt.
type Ended = (MessageId, u32, AttemptResult);

/// Sends messages until none is due or time is up.
pub(crate) async fn send_due(call: &Call) -> Result<DeliveryCounts, Error> {
    let (context, host) = (call.context(), call.host());
    if !is_message_due(&context).await? {
        return Ok(DeliveryCounts::default());
    }
    // Before anything is claimed, because a claim counts as an attempt.
    let guard = Guard::of(call).await?;
    let started = Instant::now();
    let mut sent = DeliveryCounts::default();
    let mut in_flight = FuturesUnordered::new();
    let mut failure = None;
    loop {
        let room = MAX_MESSAGES_PER_CALL.saturating_sub(u32::try_from(in_flight.len()).unwrap_or(u32::MAX));
        let time = started.elapsed();
        let may_begin = failure.is_none() && time < Duration::from_secs(SENDING_SECS);
        if may_begin && room > 0 {
            let request = DueRequest {
                limit: room,
                failing_too: time < Duration::from_secs(SENDING_TO_FAILING_SECS),
            };
            match due_messages(&context.at(host.now()), request).await {
                Ok(due) => in_flight.extend(due.into_iter().map(|message| async move {
                    let posted = post(host, guard, &message.url, &message.headers, message.body).await;
                    (message.id, message.attempt, posted.result)
                })),
                // Attempts in flight are recorded before the failure is reported.
                Err(error) => failure = Some(error),
            }
        }
        if in_flight.is_empty() {
            sent.more = !may_begin;
            break;
        }
        if let Some(Some(ended)) = within(host, Duration::from_millis(LOOK_MS), in_flight.next()).await
            && let Err(error) = record(call, &mut sent, ended).await
        {
            failure = Some(error);
        }
    }
    failure.map_or(Ok(sent), Err)
}

/// Records one result. Results are recorded one after the other, because the call has one connection.
async fn record(call: &Call, sent: &mut DeliveryCounts, ended: Ended) -> Result<(), Error> {
    let (id, attempt, result) = ended;
    let context = call.context().at(call.host().now());
    match record_attempt(&context, id, attempt, &result).await? {
        DeliveryState::Delivered => sent.delivered += 1,
        DeliveryState::RetryAt(_) => sent.retrying += 1,
        DeliveryState::Dead => sent.dead += 1,
    }
    Ok(())
}
