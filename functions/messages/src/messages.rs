//! Finding messages, sending them again, and testing an address.

use std::time::Instant;

use domain::error::Reason;
use domain::{MessageId, MessageState, Receiver, Timestamp};
use operations::{
    AttemptResult, MAX_MESSAGES_PER_PAGE, MessageFilter, Probe, WhichMessages, find_messages, probe, resend,
};
use serde::Deserialize;
use serde_json::{Value, json};
use spin_host::{Connection, Posted, post};
use web::{Call, Param, Refusal, Reply, field};

use crate::receivers::receiver;

/// Most characters of a receiver's answer that are shown.
const SHOWN_CHARS: usize = 2_000;

/// The messages of a receiver, or of all, the latest first, without their content.
pub(crate) async fn find(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let params = &call.params;
    let limit = params.limit(MAX_MESSAGES_PER_PAGE)?;
    let state = params.text(Param::State).map(|text| {
        MessageState::from_code(text).ok_or_else(|| Refusal::of_field("state", Reason::ParameterMalformed))
    });
    let filter = MessageFilter {
        receiver: params.optional(Param::Receiver, Receiver::parse)?,
        state: state.transpose()?,
        from: params.time(Param::From)?,
        to: params.time(Param::To)?,
        cursor: params.optional(Param::Cursor, MessageId::parse)?,
        limit,
    };
    let rows = find_messages(call.cx, &filter).await?;
    let next = rows.last().filter(|_| rows.len() == limit as usize);
    let next = next.map(|row| row.id.text());
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id.text(),
                "receiver": row.receiver.code(),
                "topic": row.topic,
                "task_id": row.task_id.map(|id| id.text()),
                "state": row.state.code(),
                "attempts": row.attempts,
                "next_at": call.text_of(row.next_at),
                "created_at": call.text_of(row.created_at),
                "finished_at": row.finished_at.map(|at| call.text_of(at)),
                "http_status": row.http_status,
                "error": row.error,
            })
        })
        .collect();
    Ok(Reply::ok().with("callbacks", rows).with("next", next))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ResendRequest {
    id: Option<String>,
    failed_since: Option<String>,
    receiver: Option<String>,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    delivered_too: bool,
    cursor: Option<String>,
}

impl ResendRequest {
    fn read(&self) -> Result<WhichMessages, Refusal> {
        let time = |name: &str, text: &Option<String>| {
            let at = text.as_deref().map(Timestamp::parse_rfc3339).transpose();
            field(name, at)
        };
        let to = self.receiver.as_deref().map(receiver).transpose()?;
        match (&self.id, time("failed_since", &self.failed_since)?, to) {
            (Some(id), None, None) => Ok(WhichMessages::One(field("id", MessageId::parse(id))?)),
            (None, Some(since), receiver) => Ok(WhichMessages::Failed { receiver, since }),
            (None, None, Some(receiver)) => Ok(WhichMessages::Span {
                receiver,
                from: time("from", &self.from)?
                    .ok_or_else(|| Refusal::of_field("from", Reason::ParameterMissing))?,
                to: time("to", &self.to)?,
                delivered_too: self.delivered_too,
                cursor: field("cursor", self.cursor.as_deref().map(MessageId::parse).transpose())?,
            }),
            (None, None, None) => Err(Refusal::of_field("receiver", Reason::ParameterMissing)),
            (Some(_), _, _) => Err(Refusal::of_field("id", Reason::ParameterNotApplicable)),
        }
    }
}

/// Sends again: one message, those of a span of time, or those that became dead from a time on.
pub(crate) async fn send_again(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: ResendRequest = call.json()?;
    let resent = resend(call.cx, &request.read()?).await?;
    Ok(Reply::ok()
        .with("resent", resent.count)
        .with("more", resent.more)
        .with("next", resent.next.map(|id| id.text())))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProbeRequest {
    receiver: String,
}

/// Sends a signed test message to an address, and shows the answer.
pub(crate) async fn try_out(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: ProbeRequest = call.json()?;
    let Probe { url, body, headers } = probe(call.cx, &receiver(&request.receiver)?).await?;
    let started = Instant::now();
    let posted = post(&url, &headers, body).await;
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(reply(url, posted, duration_ms))
}

fn reply(url: String, posted: Posted, duration_ms: u64) -> Reply {
    let (accepted, status, error) = match posted.result {
        AttemptResult::Accepted { status } => (true, Some(status), None),
        AttemptResult::Refused { status, error, .. } => (false, status, Some(error)),
    };
    let answer: String = String::from_utf8_lossy(&posted.answer)
        .chars()
        .take(SHOWN_CHARS)
        .collect();
    Reply::ok()
        .with("url", url)
        .with("accepted", accepted)
        .with("http_status", status)
        .with("error", error)
        .with("duration_ms", duration_ms)
        .with("answer", answer)
}
