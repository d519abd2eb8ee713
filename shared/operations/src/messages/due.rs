//! §7.3: finding, claiming and signing the messages that are due.

use super::super::Context;
use super::super::receivers::live_keys;
use super::body::signed_body;
use super::record::{dead_letter, refuse};
use super::schedule::{MAX_ATTEMPTS, next_attempt};
use super::sign::{Key, standard_webhook_signatures};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{MINUTE_MS, MessageId, Receiver};
use store::{
    Database, Tx, lock,
    message::{self, ClaimedRow, DueRow, QueueQuery, ReceiverQueue},
    message_attempt, receiver,
};

/// Most messages that one call claims.
pub const MAX_MESSAGES_PER_CALL: u32 = 128;
/// Most messages in flight to one receiver, so that a slow receiver delays no other.
pub const MAX_IN_FLIGHT: u32 = 10;
/// The same for a receiver whose latest attempts failed: each attempt may last until its timeout.
pub const MAX_IN_FLIGHT_FAILING: u32 = 2;
/// Most receiver queues that one call examines.
const MAX_QUEUES: u32 = 256;
/// Most rounds of claims in one call.
const MAX_ROUNDS: u32 = 16;
/// Most unreported messages to one receiver that one call marks as dead.
const MAX_EXPIRED: u32 = 50;
/// Most messages of a failing receiver that one call puts off.
const MAX_POSTPONED: u32 = 1_000;
/// Duration of a claim, in milliseconds. A message may be sent twice after it; receivers recognise repetitions by
/// `webhook-id`.
pub const LEASE_MS: i64 = 2 * MINUTE_MS;

/// A message ready to be sent.
pub struct DueMessage {
    /// Its identifier: `webhook-id`.
    pub id: MessageId,
    /// Number of the attempt, from 1; returned with the result.
    pub attempt: u32,
    /// Where it goes.
    pub url: String,
    /// The signed JSON body (`sign`).
    pub body: Vec<u8>,
    /// Headers to send: content type and the three of Standard Webhooks.
    pub headers: Vec<(&'static str, String)>,
}

/// How many messages a caller can send, and to whom.
#[derive(Clone, Copy, Debug)]
pub struct DueRequest {
    /// Most messages; at most [`MAX_MESSAGES_PER_CALL`].
    pub limit: u32,
    /// Whether receivers whose latest attempts failed are included; their messages may take long.
    pub failing_too: bool,
}

impl DueRequest {
    /// As many as one call returns, to every receiver.
    pub const ALL: Self = Self {
        limit: MAX_MESSAGES_PER_CALL,
        failing_too: true,
    };
}

/// Claims due messages: of each receiver at most [`MAX_IN_FLIGHT`] less those in flight, and of each chip only the
/// earliest. A claim counts as an attempt and lasts [`LEASE_MS`], so that several callers share the work.
///
/// A message whose attempt is never reported is retried as after a failure; after the last attempt it is marked as
/// dead. An attempt whose message cannot be opened or signed counts as failed. Messages to a stopped address wait until
/// an address is entered.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn due_messages<D: Database>(
    cx: &Context<'_, D>,
    request: DueRequest,
) -> Result<Vec<DueMessage>, Error> {
    // What cannot be signed leaves room for others, which are claimed in another round.
    for _ in 0..MAX_ROUNDS {
        let claimed = claim_round(cx, request).await?;
        if claimed.is_empty() {
            break;
        }
        // Opened and signed after the claims have committed, so that nobody waits for the write lock meanwhile.
        let mut due = Vec::new();
        for queue in claimed {
            due.extend(sign_queue(cx, queue).await);
        }
        if !due.is_empty() {
            return Ok(due);
        }
    }
    Ok(Vec::new())
}

/// Whether a message is due to any receiver.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn is_message_due<D: Database>(cx: &Context<'_, D>) -> Result<bool, Error> {
    Ok(!queues(cx, true).await?.is_empty())
}

/// The receivers with due messages, those that have waited longest first.
async fn queues<D: Database>(cx: &Context<'_, D>, failing_too: bool) -> Result<Vec<ReceiverQueue>, Error> {
    let query = QueueQuery {
        failing_too,
        most_failing: MAX_IN_FLIGHT_FAILING,
        most: MAX_IN_FLIGHT,
        limit: MAX_QUEUES,
    };
    Ok(message::receiver_queues(cx.db, query, cx.now).await?)
}

/// Claims due messages of the receivers that have waited longest; none when nothing is due.
async fn claim_round<D: Database>(
    cx: &Context<'_, D>,
    request: DueRequest,
) -> Result<Vec<ClaimedQueue>, Error> {
    let limit = request.limit.min(MAX_MESSAGES_PER_CALL);
    // Read before anything is locked: mostly there is nothing to do.
    let queues = queues(cx, request.failing_too).await?;
    if queues.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    transaction(cx, async |tx| {
        let mut claimed = Vec::new();
        let mut room = limit;
        for queue in &queues {
            if room == 0 {
                break;
            }
            let queue = claim_queue(cx, tx, queue, room).await?;
            if !queue.rows.is_empty() {
                room = room.saturating_sub(u32::try_from(queue.rows.len()).unwrap_or(room));
                claimed.push(queue);
            }
        }
        Ok(claimed)
    })
    .await
}

/// Messages claimed for one receiver.
struct ClaimedQueue {
    receiver: Receiver,
    url: String,
    rows: Vec<ClaimedRow>,
}

fn most(queue: &ReceiverQueue) -> u32 {
    if queue.is_failing {
        MAX_IN_FLIGHT_FAILING
    } else {
        MAX_IN_FLIGHT
    }
}

/// Claims at most `room` messages of one receiver.
async fn claim_queue<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    queue: &ReceiverQueue,
    room: u32,
) -> Result<ClaimedQueue, Error> {
    let to = &queue.receiver;
    let mut claimed = ClaimedQueue {
        receiver: to.clone(),
        url: String::new(),
        rows: Vec::new(),
    };
    lock::receiver(tx, to).await?;
    if message::expire_unreported(tx, to, MAX_EXPIRED, MAX_ATTEMPTS, cx.now).await? > 0 {
        dead_letter(cx, tx, to).await?;
    }
    let in_flight = message::in_flight(tx, to, cx.now).await?;
    let room = room.min(most(queue).saturating_sub(in_flight));
    // The address may have been changed, or the client frozen, since the queues were read.
    let row = receiver::find(tx, to).await?.filter(|row| row.held_at.is_none());
    let url = row.and_then(|row| row.url);
    let Some(url) = url.filter(|_| room > 0) else {
        return Ok(claimed);
    };
    claimed.url = url;
    if queue.is_failing {
        message::postpone(tx, to, MAX_POSTPONED, cx.now).await?;
    }
    for due in message::due(tx, to, MAX_ATTEMPTS, room, cx.now).await? {
        claimed.rows.extend(claim_message(cx, tx, &due).await?);
    }
    Ok(claimed)
}

/// Claims one message and adds its attempt; none when the message is not due any more.
async fn claim_message<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    due: &DueRow,
) -> Result<Option<ClaimedRow>, Error> {
    let lease_until = cx.now.plus(LEASE_MS);
    // A message whose attempt is never reported is due again as after a failure, but not before the lease ends.
    let attempt = due.attempts.saturating_sub(due.attempts_from) + 1;
    let next_at = next_attempt(attempt, cx.now, 0, [0; 4]).map_or(lease_until, |at| at.max(lease_until));
    let claimed = message::claim(tx, due, lease_until, next_at).await?;
    if let Some(row) = &claimed {
        message_attempt::insert(tx, row.id, row.attempt, cx.now).await?;
    }
    Ok(claimed)
}

/// Opens and signs the messages claimed for one receiver. A fault in one receiver's secret or in one message must not
/// stop the others: that attempt counts as failed.
async fn sign_queue<D: Database>(cx: &Context<'_, D>, queue: ClaimedQueue) -> Vec<DueMessage> {
    if queue.rows.is_empty() {
        return Vec::new();
    }
    let keys = live_keys(cx, &queue.receiver).await;
    if matches!(&keys, Err(error) if error.reason() == Reason::Unavailable) {
        // The secrets could not be read now. The claims end with their leases.
        return Vec::new();
    }
    let mut signed = Vec::new();
    let mut failed = Vec::new();
    for row in &queue.rows {
        match keys.as_ref().map(|keys| prepare(cx, row, &queue.url, keys)) {
            Ok(Ok(message)) => signed.push(message),
            Ok(Err(_)) => failed.push((row, "the message cannot be opened or signed")),
            Err(_) => failed.push((row, "the receiver's secret cannot be opened")),
        }
    }
    if !failed.is_empty() {
        let recorded = transaction(cx, async |tx| {
            for (row, why) in &failed {
                refuse(cx, tx, row, why).await?;
            }
            Ok(())
        });
        // An attempt that could not be recorded counts as unreported when its lease ends. The others are sent anyway.
        let _ = recorded.await;
    }
    signed
}

fn prepare<D>(cx: &Context<'_, D>, row: &ClaimedRow, url: &str, keys: &[Key]) -> Result<DueMessage, Error> {
    let id = row.id.text();
    let stored = cx.vault.open(message::BODY, id.as_bytes(), &row.body_sealed)?;
    let (body, headers) = signed(cx, &id, &stored, keys)?;
    Ok(DueMessage {
        id: row.id,
        attempt: row.attempt,
        url: url.to_owned(),
        body,
        headers,
    })
}

/// A body and its headers.
pub(super) type SignedMessage = (Vec<u8>, Vec<(&'static str, String)>);

/// Signs the fields of a message at the present time.
pub(super) fn signed<D>(
    cx: &Context<'_, D>,
    id: &str,
    fields: &[u8],
    keys: &[Key],
) -> Result<SignedMessage, Error> {
    let seconds = cx.now.seconds();
    let body = signed_body(fields, keys, seconds)?;
    let signatures = standard_webhook_signatures(keys, id, seconds, &body);
    let headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signatures),
    ];
    Ok((body, headers))
}
