//! §7.3: which messages are to be sent now.

use super::super::Context;
use super::super::receivers::live_keys;
use super::body::signed_body;
use super::record::{give_up, refuse};
use super::schedule::{MAX_ATTEMPTS, next_attempt};
use super::sign::{Key, standard_webhook_signatures};
use crate::transaction;
use domain::error::Error;
use domain::{CallbackId, MINUTE_MS, Receiver};
use store::{
    Database, Tx,
    outbox::{self, ClaimedRow, Lane, LaneQuery},
    outbox_attempt, receiver,
};

/// Most messages one call claims.
pub const MAX_CALLBACKS_PER_CALL: u32 = 128;
/// Most messages to one receiver on their way at the same time, so that a slow receiver delays nobody else.
pub const MAX_ON_THEIR_WAY: u32 = 10;
/// The same while the receiver's last attempts failed: one that does not answer holds each up for as long as it is
/// waited for.
pub const MAX_ON_THEIR_WAY_FAILING: u32 = 2;
/// Most receivers that one call looks at.
const MAX_LANES: u32 = 256;
/// Most messages to one receiver given up by one call.
const MAX_BURIED: u32 = 50;
/// How long a claim keeps others away, in milliseconds. Receivers tell repetitions by `webhook-id`,
/// so nothing depends on it.
pub const LEASE_MS: i64 = 2 * MINUTE_MS;

/// A message ready to be sent.
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

/// What a caller can take.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Most messages; at most [`MAX_CALLBACKS_PER_CALL`].
    pub limit: u32,
    /// Whether messages to receivers whose last attempts failed are wanted too: they may take long.
    pub failing_too: bool,
}

impl Wanted {
    /// As many as one call gives, to everybody.
    pub const ALL: Self = Self {
        limit: MAX_CALLBACKS_PER_CALL,
        failing_too: true,
    };
}

/// Claims due messages, of each receiver no more than [`MAX_ON_THEIR_WAY`] less those already on their way, and of each
/// task only the earliest. Claiming counts as an attempt and keeps others away for [`LEASE_MS`], so that several
/// callers share the work; a message whose outcome is never reported is tried again as after a failure. Messages whose last
/// attempt was never reported are given up. An attempt at one that cannot be opened or signed has failed. Those of a
/// receiver without an address, or whose address is not called any more, wait until one is entered.
///
/// # Errors
/// Those of the database.
pub async fn due_callbacks<D: Database>(
    cx: &Context<'_, D>,
    wanted: Wanted,
) -> Result<Vec<DueCallback>, Error> {
    let limit = wanted.limit.min(MAX_CALLBACKS_PER_CALL);
    let query = LaneQuery {
        failing_too: wanted.failing_too,
        most_failing: MAX_ON_THEIR_WAY_FAILING,
        most: MAX_ON_THEIR_WAY,
        limit: MAX_LANES,
    };
    // Looked at before anything is locked: mostly there is nothing to do.
    let lanes = outbox::lanes(cx.db, query, cx.now).await?;
    if lanes.is_empty() || limit == 0 {
        return Ok(Vec::new());
    }
    let claimed = transaction(cx, async |tx| {
        let mut claimed = Vec::new();
        let mut room = limit;
        for lane in &lanes {
            if room == 0 {
                break;
            }
            let lane = claim_lane(cx, tx, lane, room).await?;
            room = room.saturating_sub(u32::try_from(lane.rows.len()).unwrap_or(room));
            claimed.push(lane);
        }
        Ok(claimed)
    })
    .await?;
    // Opened and signed once the claim is committed: nobody waits for the write lock meanwhile.
    let mut due = Vec::new();
    for lane in claimed {
        due.extend(sign_lane(cx, lane).await?);
    }
    Ok(due)
}

/// Messages claimed for one receiver.
struct ClaimedLane {
    receiver: Receiver,
    url: String,
    rows: Vec<ClaimedRow>,
}

fn most(lane: &Lane) -> u32 {
    if lane.is_failing {
        MAX_ON_THEIR_WAY_FAILING
    } else {
        MAX_ON_THEIR_WAY
    }
}

/// Claims what one receiver may have sent now, at most `room`.
async fn claim_lane<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    lane: &Lane,
    room: u32,
) -> Result<ClaimedLane, Error> {
    let to = &lane.receiver;
    let mut claimed = ClaimedLane {
        receiver: to.clone(),
        url: String::new(),
        rows: Vec::new(),
    };
    if outbox::bury(tx, to, MAX_BURIED, MAX_ATTEMPTS, cx.now).await? > 0 {
        give_up(cx, tx, to).await?;
    }
    let on_their_way = outbox::on_their_way(tx, to, cx.now).await?;
    let room = room.min(most(lane).saturating_sub(on_their_way));
    // The address may have been changed since the lanes were looked at.
    let url = receiver::find(tx, to).await?.and_then(|row| row.url);
    let Some(url) = url.filter(|_| room > 0) else {
        return Ok(claimed);
    };
    claimed.url = url;
    let lease_until = cx.now.plus(LEASE_MS);
    for due in outbox::due(tx, to, MAX_ATTEMPTS, room, cx.now).await? {
        // One whose outcome is never reported is due again when it would be after a failure, and not before the lease
        // ends.
        let attempt = due.attempts - due.attempts_from + 1;
        let next_at = next_attempt(attempt, cx.now, 0, [0; 4]).map_or(lease_until, |at| at.max(lease_until));
        if let Some(row) = outbox::claim(tx, &due, lease_until, next_at).await? {
            outbox_attempt::insert(tx, row.id, row.attempt, cx.now).await?;
            claimed.rows.push(row);
        }
    }
    Ok(claimed)
}

/// Opens and signs the messages claimed for one receiver. What is wrong with one receiver's secret, or with one
/// message, is no reason to hold up the others: that attempt has failed.
async fn sign_lane<D: Database>(cx: &Context<'_, D>, lane: ClaimedLane) -> Result<Vec<DueCallback>, Error> {
    if lane.rows.is_empty() {
        return Ok(Vec::new());
    }
    let keys = live_keys(cx, &lane.receiver).await;
    let mut signed = Vec::new();
    let mut failed = Vec::new();
    for row in &lane.rows {
        match keys.as_ref().map(|keys| prepare(cx, row, &lane.url, keys)) {
            Ok(Ok(callback)) => signed.push(callback),
            Ok(Err(_)) => failed.push((row, "the message cannot be opened or signed")),
            Err(_) => failed.push((row, "the receiver's secret cannot be opened")),
        }
    }
    if !failed.is_empty() {
        transaction(cx, async |tx| {
            for (row, why) in &failed {
                refuse(cx, tx, row, why).await?;
            }
            Ok(())
        })
        .await?;
    }
    Ok(signed)
}

fn prepare<D>(cx: &Context<'_, D>, row: &ClaimedRow, url: &str, keys: &[Key]) -> Result<DueCallback, Error> {
    let id = row.id.text();
    let stored = cx.vault.open(outbox::BODY, id.as_bytes(), &row.body_sealed)?;
    let (body, headers) = signed(cx, &id, &stored, keys)?;
    Ok(DueCallback {
        id: row.id,
        attempt: row.attempt,
        url: url.to_owned(),
        body,
        headers,
    })
}

/// A body and the headers that go with it.
pub(super) type SignedMessage = (Vec<u8>, Vec<(&'static str, String)>);

/// Signs the fields of a message now.
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
