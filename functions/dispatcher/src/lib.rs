//! `/internal/cron`: the periodic work. Sends the messages that are due (§7.3), and calls `maintenance` for the jobs
//! that need only the database.
//!
//! Requires `cron_secret`. Timers, gateways and several nodes may tick it at once. A tick does a bounded amount; the
//! rest stays due, and `more` reports it. A failure does not stop the rest.

#![forbid(unsafe_code)]

mod messages;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::error::Error;
use gateway_protocol::TICK_PATH;
use messages::DeliveryCounts;
use operations::{Done, MESSAGES_JOB, read_job_log};
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{AnyBody, Call, Timer};
use web::jobs::{JobRun, JobRuns, finish_job};
use web::outbound::call_component;
use web::{Answer, Routes, Success, routes};

/// The component that runs the jobs.
const MAINTENANCE: &str = "maintenance";
/// Its path.
const MAINTENANCE_PATH: &str = "/internal/upkeep";

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(tick as "cron", tick_by_post as "cron"))
}

/// What a tick did.
#[derive(Serialize, ToSchema)]
struct Ticked {
    /// 送达的消息数 / messages that were delivered
    delivered: usize,
    /// 稍后重试的消息数 / messages that are tried again later
    retrying: usize,
    /// 不再重试的消息数 / messages that are not tried again
    dead: usize,
    /// 各任务的结果，以任务名为键 / the run of each job that was due, by its name
    jobs: BTreeMap<String, JobRun>,
    /// 是否应立即再次调用 / whether there is more to do now
    more: bool,
}

/// Does the periodic work that is due.
#[utoipa::path(
    get,
    path = TICK_PATH,
    summary = "发送到期的消息并执行定期任务 / Send the messages that are due, and run the periodic jobs (§7.3)",
    responses((status = 200, body = Success<Ticked>))
)]
async fn tick(call: Call, _: Timer, _: AnyBody) -> Answer<Ticked> {
    // Both at once, so that neither waits for the other.
    let secret = call.settings().own_secret();
    let maintenance = call_component::<JobRuns>(call.host(), MAINTENANCE, MAINTENANCE_PATH, secret);
    let (maintenance, sent) = futures::join!(maintenance, messages::send_due(&call));
    let JobRuns { mut jobs, more } = maintenance.unwrap_or_else(|problem| {
        call.log_failed_job(MAINTENANCE, &problem);
        let failed = JobRun::new(&Err(problem));
        JobRuns {
            jobs: BTreeMap::from([(MAINTENANCE.to_owned(), failed)]),
            more: false,
        }
    });
    // The jobs may have added messages that are due now.
    let did_something = jobs.values().any(|run| run.done.unwrap_or_default() > 0);
    let (sent, run) = finish(&call, sent).await;
    jobs.insert(MESSAGES_JOB.to_owned(), run);
    Ok(Success::new(Ticked {
        delivered: sent.delivered,
        retrying: sent.retrying,
        dead: sent.dead,
        jobs,
        more: more || did_something || sent.more,
    }))
}

/// The same by POST; a body is not looked at.
#[utoipa::path(
    post,
    path = TICK_PATH,
    summary = "发送到期的消息并执行定期任务 / Send the messages that are due, and run the periodic jobs (§7.3)",
    responses((status = 200, body = Success<Ticked>))
)]
async fn tick_by_post(call: Call, timer: Timer, body: AnyBody) -> Answer<Ticked> {
    tick(call, timer, body).await
}

/// Records the run of the messages job and returns it as it is shown.
async fn finish(call: &Call, sent: Result<DeliveryCounts, Error>) -> (DeliveryCounts, JobRun) {
    let (sent, outcome) = match sent {
        Ok(sent) => {
            let (count, more) = (sent.delivered + sent.retrying + sent.dead, false);
            (sent, Ok(Done { count, more }))
        }
        Err(error) => (DeliveryCounts::default(), Err(error)),
    };
    // A failure to read or write the job log does not undo what was sent.
    let job_log = read_job_log(&call.context()).await.unwrap_or_default();
    let mut run = finish_job(call, &job_log, MESSAGES_JOB, &outcome).await;
    if outcome.is_ok() {
        // Running out of time is no failure, but the caller should tick again.
        run.more = Some(sent.more);
    }
    (sent, run)
}
