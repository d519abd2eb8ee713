//! The steps of a card (§6.3).

use domain::Eid;
use operations::card_history;
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply};

/// The latest steps of the chip with this `eid`.
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
