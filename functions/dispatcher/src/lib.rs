//! `/internal/cron`: the periodic work. Sends the messages that are due (§7.3), and calls `maintenance` for the jobs
//! that need only the database.
//!
//! Requires `cron_secret`. Timers, gateways and several nodes may tick it at once. A tick does a bounded amount; the
//! rest stays due, and `more` reports it. A failure does not stop the rest.

mod messages;

use domain::error::Error;
use messages::DeliveryCounts;
use operations::{Done, MESSAGES_JOB, read_job_log};
use serde_json::{Value, json};
use spin_host::{self, Connection, RequiredVariables, call_component, finish_job};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    secret: Some("cron_secret"),
    ..RequiredVariables::NONE
};

/// The component that runs the jobs.
const MAINTENANCE: &str = "maintenance";

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::CRON, REQUIRED_VARIABLES, request, tick).await
}

async fn tick(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    // Both at once, so that neither waits for the other.
    let maintenance = call_component(
        MAINTENANCE,
        interface::MAINTENANCE.path,
        call.settings.own_secret(),
    );
    let (maintenance, sent) = futures::join!(maintenance, messages::send_due(call.cx));
    let maintenance = maintenance.unwrap_or_else(|problem| {
        eprintln!("{}", call.failed_job(MAINTENANCE, &problem));
        json!({"jobs": {MAINTENANCE: {"failed": problem.reason().code()}}})
    });
    let mut jobs = maintenance["jobs"].as_object().cloned().unwrap_or_default();
    // The jobs may have added messages that are due now.
    let did_something = jobs
        .values()
        .any(|job| job["done"].as_u64().unwrap_or_default() > 0);
    let (sent, answer) = finish(call, sent).await;
    jobs.insert(MESSAGES_JOB.to_owned(), answer);
    Ok(Reply::ok()
        .with("delivered", sent.delivered)
        .with("retrying", sent.retrying)
        .with("dead", sent.dead)
        .with("jobs", Value::Object(jobs))
        .with("more", maintenance["more"] == true || did_something || sent.more))
}

/// Records the run of the messages job and makes its part of the answer.
async fn finish(call: &Call<'_, Connection>, sent: Result<DeliveryCounts, Error>) -> (DeliveryCounts, Value) {
    let (sent, outcome) = match sent {
        Ok(sent) => {
            let (count, more) = (sent.delivered + sent.retrying + sent.dead, false);
            (sent, Ok(Done { count, more }))
        }
        Err(error) => (DeliveryCounts::default(), Err(error)),
    };
    // A failure to read or write the job log does not undo what was sent.
    let job_log = read_job_log(call.cx).await.unwrap_or_default();
    let mut answer = finish_job(call, &job_log, MESSAGES_JOB, &outcome).await;
    if outcome.is_ok() {
        // Running out of time is no failure, but the caller should tick again.
        answer["more"] = sent.more.into();
    }
    (sent, answer)
}
