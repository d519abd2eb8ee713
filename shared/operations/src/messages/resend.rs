//! §8.2.3: finding messages, sending them again, and testing an address.

use std::collections::BTreeMap;

use super::super::Context;
use super::super::receivers::live_keys;
use super::due::signed;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{DAY_MS, Eid, MessageId, MessageState, Receiver, TaskId, Timestamp};
use store::{
    Database, Order, Tx,
    message::{self, MessageQuery, MessageRow, Resend},
    receiver,
};
use vault::random_bytes;

/// Most messages of one page.
pub const MAX_MESSAGES_PER_PAGE: u32 = 200;
/// Most messages that one call sends again.
const MAX_RESENT: u32 = 10_000;
/// How far back a search goes that names neither a receiver nor a beginning, in days.
const SIFTED_DAYS: i64 = 7;
/// Topic of a message that tests an address.
const PROBE_TOPIC: &str = "probe";

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct MessageFilter {
    /// To this receiver.
    pub receiver: Option<Receiver>,
    /// In this state.
    pub state: Option<MessageState>,
    /// Created from this time on.
    pub from: Option<Timestamp>,
    /// Created before this time.
    pub to: Option<Timestamp>,
    /// This message.
    pub id: Option<MessageId>,
    /// About this task.
    pub task_id: Option<TaskId>,
    /// About a change of state of this chip.
    pub eid: Option<Eid>,
    /// The order of their creation.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<MessageId>,
    /// Most rows; at most [`MAX_MESSAGES_PER_PAGE`].
    pub limit: u32,
}

/// Finds messages in the order of their creation, and where the next page begins, if there may be one. Without receiver, identifier or `from` only those of the seven days
/// before `to`. A page with a state may have fewer messages than its limit although another one follows.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn find_messages<D: Database>(
    cx: &Context<'_, D>,
    filter: &MessageFilter,
) -> Result<(Vec<MessageRow>, Option<MessageId>), Error> {
    let is_selective =
        filter.receiver.is_some() || filter.id.is_some() || filter.task_id.is_some() || filter.eid.is_some();
    let from = match filter.from {
        Some(from) => from,
        None if is_selective => Timestamp(0),
        None => filter.to.unwrap_or(cx.now).plus(-SIFTED_DAYS * DAY_MS),
    };
    let (above, below) = match filter.order {
        Order::Descending => (None, filter.cursor),
        Order::Ascending => (filter.cursor.map(MessageId::next), None),
    };
    let first = [Some(MessageId::first(from)), filter.id, above];
    let end = [
        filter.to.map(MessageId::first),
        filter.id.map(MessageId::next),
        below,
    ];
    let query = MessageQuery {
        from: first.into_iter().flatten().max(),
        below: end.into_iter().flatten().min(),
        state: filter.state,
        receiver: filter.receiver.as_ref(),
        task_id: filter.task_id,
        eid_index: filter.eid.as_ref().map(|eid| cx.eid_index(eid)),
        order: filter.order,
        limit: filter.limit.clamp(1, MAX_MESSAGES_PER_PAGE),
    };
    Ok(message::search(cx.db, &query).await?)
}

/// Which messages to send again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WhichMessages {
    /// This message, also if it was delivered, or still waits for its next attempt.
    One(MessageId),
    /// The messages to a receiver that were created in a span of time and are dead, without an address, or wait for
    /// their next attempt; with `delivered_too` also the delivered ones.
    Span {
        /// The receiver.
        receiver: Receiver,
        /// Created from this time on.
        from: Timestamp,
        /// Created before this time; `None` for no end.
        to: Option<Timestamp>,
        /// Includes delivered messages.
        delivered_too: bool,
        /// The `next` of the call before.
        cursor: Option<MessageId>,
    },
    /// The messages that became dead from a time on, of one receiver or of all.
    Failed {
        /// The receiver, or all.
        receiver: Option<Receiver>,
        /// Dead from this time on.
        since: Timestamp,
    },
}

/// The result of sending again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resent {
    /// How many messages are sent again.
    pub count: usize,
    /// True when there may be more.
    pub more: bool,
    /// Where the next call for a span begins, if there may be more.
    pub next: Option<MessageId>,
}

/// Sends messages again, under the same identifier and from the beginning of the schedule, at most `MAX_RESENT`. One
/// that waits for its next attempt is due at once. One that had no address is sent once there is one. One that is in
/// flight stays as it is, and is not counted.
///
/// # Errors
/// [`Reason::UnknownCallback`] and [`Reason::UnknownReceiver`].
pub async fn resend<D: Database>(cx: &Context<'_, D>, which: &WhichMessages) -> Result<Resent, Error> {
    transaction(cx, async |tx| {
        let (receiver, from, below, delivered_too) = match which {
            WhichMessages::One(id) => {
                let delivery = message::delivery(tx, *id).await?.ok_or(Reason::UnknownCallback)?;
                (delivery.receiver, *id, id.next(), true)
            }
            WhichMessages::Span {
                receiver: to,
                from,
                to: end,
                delivered_too,
                cursor,
            } => {
                known(tx, to).await?;
                let below = end.map_or_else(MessageId::last, MessageId::first);
                let from = cursor.map_or_else(|| MessageId::first(*from), MessageId::next);
                (to.clone(), from, below, *delivered_too)
            }
            WhichMessages::Failed { receiver, since } => {
                if let Some(to) = receiver {
                    known(tx, to).await?;
                }
                let count = message::resend_failed(tx, receiver.as_ref(), *since, MAX_RESENT, cx.now).await?;
                return Ok(resent(count, None));
            }
        };
        let which = Resend {
            receiver: &receiver,
            from,
            below,
            delivered_too,
            limit: MAX_RESENT,
        };
        let ids = message::resend(tx, &which, cx.now).await?;
        Ok(resent(ids.len(), ids.iter().max().copied()))
    })
    .await
}

fn resent(count: usize, last: Option<MessageId>) -> Resent {
    let more = count == MAX_RESENT as usize;
    Resent {
        count,
        more,
        next: last.filter(|_| more),
    }
}

async fn known<D: Database>(tx: &Tx<'_, D>, to: &Receiver) -> Result<(), Error> {
    receiver::find(tx, to).await?.ok_or(Reason::UnknownReceiver)?;
    Ok(())
}

/// A message that tests an address. It is not stored.
pub struct Probe {
    /// Where it goes.
    pub url: String,
    /// The JSON body, signed.
    pub body: Vec<u8>,
    /// Headers to send.
    pub headers: Vec<(&'static str, String)>,
}

/// Makes a message that tests a receiver's address, signed like every other.
///
/// # Errors
/// [`Reason::UnknownReceiver`]; [`Reason::ClientFrozen`]; [`Reason::NoAddress`] when none is entered.
pub async fn probe<D: Database>(cx: &Context<'_, D>, to: &Receiver) -> Result<Probe, Error> {
    let row = receiver::find(cx.db, to).await?.ok_or(Reason::UnknownReceiver)?;
    if row.held_at.is_some() {
        return Err(Reason::ClientFrozen.into());
    }
    let url = row.url.ok_or(Reason::NoAddress)?;
    let fields = BTreeMap::from([
        ("type", PROBE_TOPIC.to_owned()),
        ("at", cx.now.to_rfc3339(cx.zone)),
        ("description", "回调地址测试".to_owned()),
    ]);
    let fields = serde_json::to_vec(&fields).map_err(Error::internal)?;
    let id = MessageId::at_home(cx.now, random_bytes(cx.random), 0).text();
    let (body, headers) = signed(cx, &id, &fields, &live_keys(cx, to).await?)?;
    Ok(Probe { url, body, headers })
}
