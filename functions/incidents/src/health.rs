//! The health of the periodic jobs, and how much was deleted at the end of its retention.

use operations::{JobView, destructions, job_views};
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Refusal, Reply};

/// Most records of deleted data that are shown.
const SHOWN_DESTRUCTIONS: u32 = 50;

/// Every job: whether it is healthy, when it last succeeded, and why it has failed since.
pub(crate) async fn show(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let views = job_views(call.cx).await?;
    let healthy = views.iter().all(|view| view.healthy);
    let jobs: Vec<Value> = views.iter().map(|job| document(call, job)).collect();
    let destroyed = destructions(call.cx, SHOWN_DESTRUCTIONS).await?;
    let destroyed: Vec<Value> = destroyed
        .iter()
        .map(|row| json!({"day": row.day, "kind": row.kind, "count": row.count}))
        .collect();
    Ok(Reply::ok()
        .with("healthy", healthy)
        .with("jobs", jobs)
        .with("destroyed", destroyed))
}

fn document(call: &Call<'_, Connection>, job: &JobView) -> Value {
    json!({
        "name": job.name,
        "healthy": job.healthy,
        "succeeded_at": job.succeeded_at.map(|at| call.text_of(at)),
        "failing_since": job.failing_since.map(|at| call.text_of(at)),
        "failures": job.failures,
        "error": job.error,
    })
}
