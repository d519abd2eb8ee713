//! The alerts to the operator.

use domain::AlertId;
use operations::{MAX_ALERTS_PER_PAGE, list_alerts, note_alerts};
use serde::Deserialize;
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply, field};

/// The alerts that are not acknowledged, the latest first; with `state=all` every alert.
pub(crate) async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let cursor = call.params.optional(Param::Cursor, AlertId::parse)?;
    let limit = call.params.limit(MAX_ALERTS_PER_PAGE)?;
    let noted_too = call.params.one_of(Param::State, &["open", "all"])? == Some("all");
    let alerts = list_alerts(call.cx, noted_too, cursor, limit).await?;
    let next = alerts.last().filter(|_| alerts.len() == limit as usize);
    let next = next.map(|alert| alert.id.text());
    let alerts: Vec<Value> = alerts
        .into_iter()
        .map(|alert| {
            json!({
                "id": alert.id.text(),
                "kind": alert.kind,
                "subject": alert.subject,
                "at": call.text_of(alert.at),
                "noted_at": alert.noted_at.map(|at| call.text_of(at)),
                "body": alert.body,
            })
        })
        .collect();
    Ok(Reply::ok().with("alerts", alerts).with("next", next))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoteRequest {
    ids: Vec<String>,
}

/// Acknowledges alerts, which then leave the list.
pub(crate) async fn note(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: NoteRequest = call.json()?;
    let ids: Result<Vec<_>, _> = request.ids.iter().map(|id| AlertId::parse(id)).collect();
    let ids = field("ids", ids)?;
    Ok(Reply::ok().with("noted", note_alerts(call.cx, &ids).await?))
}
