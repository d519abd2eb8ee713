//! `/internal/upkeep`: the periodic jobs that need only the database (`operations::run_job`). `dispatcher` calls it at
//! every tick; a timer may call it too.
//!
//! Requires `cron_secret`. Each job does a bounded amount; the rest stays due, and `more` reports it. A job that fails
//! does not stop the others: the answer names it, and the operator's log has the cause. This component sends no
//! requests.

#![forbid(unsafe_code)]

use operations::{Job, read_job_log, run_job, watch_clock};
use web::extract::{AnyBody, Call, Timer};
use web::jobs::{JobRuns, finish_job};
use web::{Answer, Routes, Success, routes};

/// What is named in the operator's log when the clock cannot be watched.
const CLOCK: &str = "clock";

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(work as "maintenance", work_by_post as "maintenance"))
}

/// Runs the jobs that are due.
#[utoipa::path(
    get,
    path = "/internal/upkeep",
    summary = "执行仅需数据库的定期任务 / Run the periodic jobs that need only the database",
    responses((status = 200, body = Success<JobRuns>))
)]
async fn work(call: Call, _: Timer, _: AnyBody) -> Answer<JobRuns> {
    let context = call.context();
    // A failure to read or write the job log does not stop the jobs.
    let job_log = read_job_log(&context).await.unwrap_or_default();
    let mut maintenance = call.settings().maintenance;
    let watched = watch_clock(&context, maintenance.clock_trusted).await;
    if let Err(problem) = &watched {
        call.log_failed_job(CLOCK, problem);
    }
    // Where the clock cannot be watched, nothing is destroyed either.
    maintenance.clock_held = watched.unwrap_or(true);
    let mut runs = JobRuns::default();
    for job in Job::ALL {
        if !job_log.is_due(job, context.now) {
            continue;
        }
        let outcome = run_job(&context, job, &maintenance).await;
        runs.more |= outcome.as_ref().is_ok_and(|done| done.more);
        let run = finish_job(&call, &job_log, job.code(), &outcome).await;
        runs.jobs.insert(job.code().to_owned(), run);
    }
    Ok(Success::new(runs))
}

/// The same by POST; a body is not looked at.
#[utoipa::path(
    post,
    path = "/internal/upkeep",
    summary = "执行仅需数据库的定期任务 / Run the periodic jobs that need only the database",
    responses((status = 200, body = Success<JobRuns>))
)]
async fn work_by_post(call: Call, timer: Timer, body: AnyBody) -> Answer<JobRuns> {
    work(call, timer, body).await
}
