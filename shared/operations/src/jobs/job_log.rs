//! The job log: when each job last ran and succeeded, for the health of the platform.

use super::{Job, MESSAGES_JOB};
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::job_run::Done;
use crate::transaction;
use domain::error::Error;
use domain::{AlertKind, MINUTE_MS, Timestamp, mask_identifiers};
use store::{
    Database, Subject,
    job::{self, JobRow},
};

/// Failures in a row at which the operator is alerted, once.
const ALERT_AT_FAILURES: u32 = 3;
/// How often an idle run is recorded, in milliseconds.
const RECORDED_EVERY_MS: i64 = MINUTE_MS;
/// A job that has not succeeded for this long after it was due is not healthy, in milliseconds: there are no ticks.
pub const STALE_AFTER_MS: i64 = 10 * MINUTE_MS;
/// Longest description of a failure that is kept, in characters.
const MAX_ERROR_CHARS: usize = 200;

/// The stored jobs at the beginning of a tick.
#[derive(Clone, Debug, Default)]
pub struct JobLog(Vec<JobRow>);

impl JobLog {
    fn row(&self, name: &str) -> Option<&JobRow> {
        self.0.iter().find(|row| row.name == name)
    }

    /// Whether a job has to run now.
    #[must_use]
    pub fn is_due(&self, job: Job, now: Timestamp) -> bool {
        let ran = self.row(job.code()).and_then(|row| row.ran_at);
        // A time in the future comes from a clock that was set back since.
        ran.is_none_or(|at| at > now || now >= at.plus(job.interval_ms()))
    }
}

/// Reads the job log.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn read_job_log<D: Database>(cx: &Context<'_, D>) -> Result<JobLog, Error> {
    Ok(JobLog(job::all(cx.journal).await?))
}

/// Records the result of a run. Idle runs are recorded only from time to time; a job that keeps failing raises an
/// alert.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn record_run<D: Database>(
    cx: &Context<'_, D>,
    job_log: &JobLog,
    name: &str,
    outcome: &Result<Done, Error>,
) -> Result<(), Error> {
    let known = job_log.row(name);
    match outcome {
        Ok(done) => {
            let fresh = known
                .filter(|row| row.failing_since.is_none())
                .and_then(|row| row.succeeded_at)
                .is_some_and(|at| at <= cx.now && cx.now < at.plus(RECORDED_EVERY_MS));
            if fresh {
                return Ok(());
            }
            // The record may be lost in a power failure: the next run is recorded anyway.
            store::transaction(cx.journal, async |tx| {
                if done.more {
                    job::goes_on(tx, name, cx.now).await
                } else {
                    job::succeeded(tx, name, cx.now).await
                }
            })
            .await?;
            Ok(())
        }
        Err(error) => {
            let text: String = mask_identifiers(&error.to_string())
                .chars()
                .take(MAX_ERROR_CHARS)
                .collect();
            transaction(cx, async |tx| {
                let failures = job::failed(tx, name, &text, cx.now).await?;
                if failures == ALERT_AT_FAILURES {
                    let subject = Subject::job(name);
                    let alert = NewAlert {
                        kind: AlertKind::JobFailing,
                        subject: &subject,
                        fields: vec![("error", text.clone())],
                    };
                    raise(cx, tx, alert).await?;
                }
                Ok(())
            })
            .await
        }
    }
}

/// A job and its health.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// Stable name.
    pub name: &'static str,
    /// True when its latest run succeeded and was not too long ago.
    pub healthy: bool,
    /// When it last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Since when every run has failed.
    pub failing_since: Option<Timestamp>,
    /// How many runs have failed since then.
    pub failures: u32,
    /// Why the last run failed.
    pub error: Option<String>,
}

/// Every job with its health.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn job_views<D: Database>(cx: &Context<'_, D>) -> Result<Vec<JobView>, Error> {
    let job_log = JobLog(job::all(cx.db).await?);
    let jobs = Job::ALL.into_iter().map(|job| (job.code(), job.interval_ms()));
    Ok(jobs
        .chain([(MESSAGES_JOB, 0)])
        .map(|(name, interval)| {
            let row = job_log.row(name);
            let succeeded_at = row.and_then(|row| row.succeeded_at);
            let is_fresh = succeeded_at.is_some_and(|at| cx.now < at.plus(interval + STALE_AFTER_MS));
            let failing_since = row.and_then(|row| row.failing_since);
            JobView {
                name,
                healthy: is_fresh && failing_since.is_none(),
                succeeded_at,
                failing_since,
                failures: row.map_or(0, |row| row.failures),
                error: row.and_then(|row| row.error.clone()),
            }
        })
        .collect())
}
