//! `/internal/cron`: the periodic work. Sends the messages that are due (§7.3), and does the jobs of
//! `shared::operations::jobs`.
//!
//! Whoever holds `cron_secret` may tick it: a timer, a gateway, several nodes at once. Each job does a bounded amount;
//! what it does not get done stays due, and `more` says so. A job that fails does not stop the others: the answer says
//! which failed, and the operator's log why.

mod callbacks;

use callbacks::Sent;
use serde_json::{Value, json};
use shared::error::Error;
use shared::operations::{CALLBACKS_JOB, Diary, Done, Job, note_job, open_diary, run_job};
use shared::spin::{self, Connection, Needs};
use shared::web::{Call, Refusal, Reply, interface};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const NEEDS: Needs = Needs {
    sealing_keys: true,
    upkeep: true,
    pool_low_water: true,
    secret: Some("cron_secret"),
    ..Needs::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(&interface::CRON, NEEDS, request, tick).await
}

async fn tick(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let diary = open_diary(call.cx).await?;
    let mut jobs = serde_json::Map::new();
    let mut more = false;
    for job in Job::ALL {
        if diary.is_due(job, call.cx.now) {
            let outcome = run_job(call.cx, job, &call.settings.upkeep).await;
            more |= outcome.as_ref().is_ok_and(|done| done.more);
            let told = conclude(call, &diary, job.code(), outcome).await?;
            jobs.insert(job.code().to_owned(), told);
        }
    }
    let (sent, outcome) = match callbacks::send_due(call.cx).await {
        Ok(sent) => {
            let (count, more) = (sent.delivered + sent.retrying + sent.dead, false);
            (sent, Ok(Done { count, more }))
        }
        Err(error) => (Sent::default(), Err(error)),
    };
    let told = conclude(call, &diary, CALLBACKS_JOB, outcome).await?;
    jobs.insert(CALLBACKS_JOB.to_owned(), told);
    Ok(Reply::ok()
        .with("delivered", sent.delivered)
        .with("retrying", sent.retrying)
        .with("dead", sent.dead)
        .with("jobs", Value::Object(jobs))
        .with("more", more || sent.more))
}

/// Notes what came of a job, and says it.
async fn conclude(
    call: &Call<'_, Connection>,
    diary: &Diary,
    name: &str,
    outcome: Result<Done, Error>,
) -> Result<Value, Refusal> {
    note_job(call.cx, diary, name, &outcome).await?;
    Ok(match outcome {
        Ok(done) => json!({"done": done.count, "more": done.more}),
        Err(error) => {
            eprintln!("{}", call.failed_job(name, &error));
            json!({"failed": error.reason().code()})
        }
    })
}
