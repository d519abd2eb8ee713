//! What went wrong, and what became of it.

use serde_json::{Value, json};
use shared::operations::incidents;
use shared::spin::Connection;
use shared::web::{Call, Refusal, Reply};

/// The latest incidents, open and settled.
pub(crate) async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
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
