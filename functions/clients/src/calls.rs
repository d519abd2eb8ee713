//! The call log (§9.2.2).

use domain::{ClientId, Eid, TaskId};
use operations::{CallFilter, MAX_CALLS_PER_PAGE, search_calls};
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Params, Refusal, Reply};

/// Finds calls by client, chip, task, interface, reason and time, the latest first. Without client, chip, task or
/// `from` only the seven days before `to` are searched.
pub(crate) async fn search(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let page = search_calls(call.cx, &filter(&call.params)?).await?;
    let calls: Vec<Value> = page
        .calls
        .iter()
        .map(|row| {
            json!({
                "at": call.text_of(row.at()),
                "client_id": row.client_id,
                "interface": row.interface,
                "code": row.code,
                "reason": row.reason,
                "address": row.address,
                "duration_us": row.duration_us,
                "request_id": row.request_id,
                "task_id": row.task_id,
                "subject": row.subject,
            })
        })
        .collect();
    Ok(Reply::ok()
        .with("calls", calls)
        .with("next", page.next.map(|id| id.to_string())))
}

fn filter(params: &Params) -> Result<CallFilter<'_>, Refusal> {
    Ok(CallFilter {
        client_id: params.optional(Param::ClientId, ClientId::parse)?,
        eid: params.optional(Param::Eid, Eid::parse)?,
        task_id: params.optional(Param::TaskId, TaskId::parse)?,
        interface: params.text(Param::Interface),
        reason: params.text(Param::Reason),
        from: params.time(Param::From)?,
        to: params.time(Param::To)?,
        cursor: params.whole(Param::Cursor)?,
        limit: params.limit(MAX_CALLS_PER_PAGE)?,
    })
}
