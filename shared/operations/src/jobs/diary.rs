//! When each job last ran, and how it fares: what the health of the platform shows.

use super::{CALLBACKS_JOB, Done, Job};
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::transaction;
use domain::error::Error;
use domain::{AlertKind, MINUTE_MS, Timestamp, mask_identifiers};
use store::{
    Database, Subject,
    job::{self, JobRow},
};

/// Failures in a row with which the operator is told, once.
const TOLD_AT_FAILURES: u32 = 3;
/// How often it is noted that a job ran and found nothing to do, in milliseconds.
const NOTED_EVERY_MS: i64 = MINUTE_MS;
/// A job that has not succeeded for this long after it was to run is not well, in milliseconds: whoever ticks has
/// stopped.
pub const STALE_AFTER_MS: i64 = 10 * MINUTE_MS;
/// Longest description of a failure that is kept, in characters.
const MAX_ERROR_CHARS: usize = 200;

/// What is known about the jobs at the beginning of a tick.
#[derive(Clone, Debug, Default)]
pub struct Diary(Vec<JobRow>);

impl Diary {
    fn row(&self, name: &str) -> Option<&JobRow> {
        self.0.iter().find(|row| row.name == name)
    }

    /// Whether a job is to run now.
    #[must_use]
    pub fn is_due(&self, job: Job, now: Timestamp) -> bool {
        let ran = self.row(job.code()).and_then(|row| row.ran_at);
        // A moment that lies ahead comes from a clock that was set back since.
        ran.is_none_or(|at| at > now || now >= at.plus(job.interval_ms()))
    }
}

/// Reads what is known about the jobs.
///
/// # Errors
/// Those of the database.
pub async fn open_diary<D: Database>(cx: &Context<'_, D>) -> Result<Diary, Error> {
    Ok(Diary(job::all(cx.journal).await?))
}

/// Notes what came of a run. That there was nothing to do is noted now and then; that a job keeps failing is told.
///
/// # Errors
/// Those of the database.
pub async fn note_job<D: Database>(
    cx: &Context<'_, D>,
    diary: &Diary,
    name: &str,
    outcome: &Result<Done, Error>,
) -> Result<(), Error> {
    let known = diary.row(name);
    match outcome {
        Ok(done) => {
            let fresh = known
                .filter(|row| row.failing_since.is_none())
                .and_then(|row| row.succeeded_at)
                .is_some_and(|at| at <= cx.now && cx.now < at.plus(NOTED_EVERY_MS));
            if fresh {
                return Ok(());
            }
            // Need not survive a power failure: the next run is recorded anyway.
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
                if failures == TOLD_AT_FAILURES {
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

/// How a job fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// Stable name.
    pub name: &'static str,
    /// Whether it succeeds, and lately did.
    pub well: bool,
    /// When it last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Since when every run has failed.
    pub failing_since: Option<Timestamp>,
    /// How many runs that are.
    pub failures: u32,
    /// Why the last one failed.
    pub error: Option<String>,
}

/// How every job fares.
///
/// # Errors
/// Those of the database.
pub async fn job_views<D: Database>(cx: &Context<'_, D>) -> Result<Vec<JobView>, Error> {
    let diary = Diary(job::all(cx.db).await?);
    let jobs = Job::ALL.into_iter().map(|job| (job.code(), job.interval_ms()));
    Ok(jobs
        .chain([(CALLBACKS_JOB, 0)])
        .map(|(name, interval)| {
            let row = diary.row(name);
            let succeeded_at = row.and_then(|row| row.succeeded_at);
            let is_fresh = succeeded_at.is_some_and(|at| cx.now < at.plus(interval + STALE_AFTER_MS));
            let failing_since = row.and_then(|row| row.failing_since);
            JobView {
                name,
                well: is_fresh && failing_since.is_none(),
                succeeded_at,
                failing_since,
                failures: row.map_or(0, |row| row.failures),
                error: row.and_then(|row| row.error.clone()),
            }
        })
        .collect())
}
