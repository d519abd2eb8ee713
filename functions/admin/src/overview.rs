//! A view of the flow: the steps of a card (§6.3), the callbacks (§7.3), the incidents (§8).

use serde_json::{Value, json};
use shared::domain::Eid;
use shared::operations::{callbacks, card_history, incidents};
use shared::spin::Connection;
use shared::web::{Call, Param, Refusal, Reply};

/// The latest steps of the chip named by `eid`.
pub(crate) async fn history(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let eid = call.params.required(Param::Eid, Eid::parse)?;
    let steps = card_history(call.cx, &eid).await?;
    let steps: Vec<Value> = steps
        .iter()
        .map(|step| {
            json!({
                "seq": step.seq,
                "from_status": step.from.map(|status| status.zh()),
                "to_status": step.to.zh(),
                "actor": step.actor,
                "reason": step.reason,
                "task_id": step.task_id.map(|id| id.text()),
                "at": call.text_of(step.at),
            })
        })
        .collect();
    Ok(Reply::ok().with("steps", steps))
}

/// The latest callbacks, without their content.
pub(crate) async fn outbox(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let rows = callbacks(call.cx).await?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id.text(),
                "client_id": row.client_id.as_str(),
                "task_id": row.task_id.text(),
                "state": row.standing.state.code(),
                "attempts": row.standing.attempts,
                "next_at": call.text_of(row.standing.next_at),
                "created_at": call.text_of(row.created_at),
                "finished_at": row.finished_at.map(|at| call.text_of(at)),
                "http_status": row.http_status,
                "error": row.error,
            })
        })
        .collect();
    Ok(Reply::ok().with("callbacks", rows))
}

/// The latest incidents, open and settled.
pub(crate) async fn open_and_settled(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let rows = incidents(call.cx).await?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.id,
                "kind": row.kind,
                "subject": row.subject,
                "opened_at": call.text_of(row.opened_at),
                "closed_at": row.closed_at.map(|at| call.text_of(at)),
            })
        })
        .collect();
    Ok(Reply::ok().with("incidents", rows))
}
