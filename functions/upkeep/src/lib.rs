//! `/internal/upkeep`: the periodic work that needs nothing but the database, the jobs of `shared::operations::jobs`.
//! `cron` calls it at every tick; a timer may as well.
//!
//! Opened by `cron_secret`. Each job does a bounded amount; what it does not get done stays due, and `more` says so. A
//! job that fails does not stop the others: the answer says which failed, and the operator's log why. Sends nothing.

use serde_json::{Value, json};
use shared::operations::{Job, note_job, open_diary, run_job};
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
    spin::serve(&interface::UPKEEP, NEEDS, request, work).await
}

async fn work(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    // What cannot be read or noted is no reason to leave the work undone.
    let diary = open_diary(call.cx).await.unwrap_or_default();
    let mut jobs = serde_json::Map::new();
    let mut more = false;
    for job in Job::ALL {
        if !diary.is_due(job, call.cx.now) {
            continue;
        }
        let outcome = run_job(call.cx, job, &call.settings.upkeep).await;
        if let Err(error) = note_job(call.cx, &diary, job.code(), &outcome).await {
            eprintln!("{}", call.failed_job(job.code(), &error));
        }
        let told = match outcome {
            Ok(done) => {
                more |= done.more;
                json!({"done": done.count, "more": done.more})
            }
            Err(error) => {
                eprintln!("{}", call.failed_job(job.code(), &error));
                json!({"failed": error.reason().code()})
            }
        };
        jobs.insert(job.code().to_owned(), told);
    }
    Ok(Reply::ok().with("jobs", Value::Object(jobs)).with("more", more))
}
