//! Table `monthly_review`: the figures of each month that is over (§8.3.2).

use super::{Database, DbError, Row, first};
use crate::domain::{Month, Timestamp};

const INSERT: &str = "INSERT INTO monthly_review (month, body, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING \
    RETURNING month";
const FIND: &str = "SELECT body, made_at FROM monthly_review WHERE month = $1";

/// A review as stored: its figures as JSON, and when they were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// The figures.
    pub body: String,
    /// When they were counted.
    pub made_at: Timestamp,
}

/// Stores a review. False when the month has one.
///
/// # Errors
/// Those of the database.
pub async fn insert<D: Database>(
    db: &D,
    month: Month,
    body: String,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [month.to_string().into(), body.into(), now.into()];
    Ok(!db.run(INSERT, &params).await?.is_empty())
}

/// The review of a month.
///
/// # Errors
/// Those of the database.
pub async fn find<D: Database>(db: &D, month: Month) -> Result<Option<ReviewRow>, DbError> {
    let rows = db.run(FIND, &[month.to_string().into()]).await?;
    first(&rows, |row: &Row| {
        Ok(ReviewRow {
            body: row.text(0)?.to_owned(),
            made_at: row.time(1)?,
        })
    })
}
