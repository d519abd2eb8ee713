//! `/internal/upkeep`: the periodic jobs that need only the database (`operations::run_job`). `dispatcher` calls it at
//! every tick; a timer may call it too.
//!
//! Requires `cron_secret`. Each job does a bounded amount; the rest stays due, and `more` reports it. A job that fails
//! does not stop the others: the answer names it, and the operator's log has the cause. This component sends no
//! requests.

use operations::{Job, read_job_log, run_job};
use serde_json::Value;
use spin_host::{self, Connection, RequiredVariables, finish_job};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Refusal, Reply, interface};

const REQUIRED_VARIABLES: RequiredVariables = RequiredVariables {
    sealing_keys: true,
    maintenance: true,
    pool_low_water: true,
    secret: Some("cron_secret"),
    ..RequiredVariables::NONE
};

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::MAINTENANCE, REQUIRED_VARIABLES, request, work).await
}

async fn work(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    // A failure to read or write the job log does not stop the jobs.
    let job_log = read_job_log(call.cx).await.unwrap_or_default();
    let mut jobs = serde_json::Map::new();
    let mut more = false;
    for job in Job::ALL {
        if !job_log.is_due(job, call.cx.now) {
            continue;
        }
        let outcome = run_job(call.cx, job, &call.settings.maintenance).await;
        more |= outcome.as_ref().is_ok_and(|done| done.more);
        let answer = finish_job(call, &job_log, job.code(), &outcome).await;
        jobs.insert(job.code().to_owned(), answer);
    }
    Ok(Reply::ok().with("jobs", Value::Object(jobs)).with("more", more))
}
