//! Table `job`: when each periodic job last ran and succeeded, and since when it fails.

use super::{Database, DbError, Row, Run as _, Tx};
use domain::Timestamp;

const ALL: &str = "SELECT name, ran_at, succeeded_at, failing_since, failures, error FROM job ORDER BY name";
const SUCCEEDED: &str = "INSERT INTO job (name, ran_at, succeeded_at, failures) VALUES ($1, $2, $2, 0) \
    ON CONFLICT (name) DO UPDATE SET ran_at = excluded.ran_at, succeeded_at = excluded.succeeded_at, \
    failing_since = NULL, failures = 0, error = NULL";
// The job runs again at once, so the time of its last run stays as it is.
const GOES_ON: &str = "INSERT INTO job (name, succeeded_at, failures) VALUES ($1, $2, 0) \
    ON CONFLICT (name) DO UPDATE SET succeeded_at = excluded.succeeded_at, failing_since = NULL, failures = 0, \
    error = NULL";
const FAILED: &str = "INSERT INTO job (name, ran_at, failing_since, failures, error) VALUES ($1, $2, $2, 1, $3) \
    ON CONFLICT (name) DO UPDATE SET ran_at = excluded.ran_at, \
    failing_since = COALESCE(job.failing_since, excluded.failing_since), failures = job.failures + 1, \
    error = excluded.error RETURNING failures";

/// A job as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Stable name.
    pub name: String,
    /// When it last ran.
    pub ran_at: Option<Timestamp>,
    /// When it last succeeded.
    pub succeeded_at: Option<Timestamp>,
    /// Since when every run has failed.
    pub failing_since: Option<Timestamp>,
    /// How many runs have failed since then.
    pub failures: u32,
    /// Why the last run failed.
    pub error: Option<String>,
}

/// Every job that ever ran, by name.
pub async fn all<D: Database>(db: &D) -> Result<Vec<JobRow>, DbError> {
    db.run(ALL, &[]).await?.iter().map(read).collect()
}

/// Records that a job finished its work.
pub async fn succeeded<D: Database>(tx: &Tx<'_, D>, name: &str, now: Timestamp) -> Result<(), DbError> {
    tx.run(SUCCEEDED, &[name.into(), now.into()]).await.map(drop)
}

/// Records that a job did part of its work and has more to do.
pub async fn goes_on<D: Database>(tx: &Tx<'_, D>, name: &str, now: Timestamp) -> Result<(), DbError> {
    tx.run(GOES_ON, &[name.into(), now.into()]).await.map(drop)
}

/// Records that a job failed; returns how often in a row.
pub async fn failed<D: Database>(
    tx: &Tx<'_, D>,
    name: &str,
    error: &str,
    now: Timestamp,
) -> Result<u32, DbError> {
    let rows = tx.run(FAILED, &[name.into(), now.into(), error.into()]).await?;
    Ok(super::first(&rows, |row| row.count(0))?.unwrap_or(0))
}

fn read(row: &Row) -> Result<JobRow, DbError> {
    Ok(JobRow {
        name: row.text(0)?.to_owned(),
        ran_at: row.optional(1, Row::time)?,
        succeeded_at: row.optional(2, Row::time)?,
        failing_since: row.optional(3, Row::time)?,
        failures: row.count(4)?,
        error: row.optional(5, Row::text)?.map(str::to_owned),
    })
}
