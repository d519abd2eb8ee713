//! Table `monthly_review`: the figures of each past month (§8.3.2).

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::{Month, Timestamp};

const INSERT: &str = "INSERT INTO monthly_review (month, body, made_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING \
    RETURNING month";
const SPAN: &str = "SELECT (SELECT month FROM monthly_review WHERE month > '' ORDER BY month DESC LIMIT 1) AS latest, \
    (SELECT created_at FROM task WHERE id > '' ORDER BY id LIMIT 1) AS task_at, \
    (SELECT opened_at FROM incident WHERE opened_at > 0 ORDER BY opened_at LIMIT 1) AS incident_at";
const FIND: &str = "SELECT body, made_at FROM monthly_review WHERE month = $1";

/// A review as stored: its figures as JSON, and when they were counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewRow {
    /// The figures.
    pub body: String,
    /// When they were counted.
    pub made_at: Timestamp,
}

/// From which month on reviews are missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// The latest month with a review.
    pub latest: Option<Month>,
    /// When the first application was accepted or the first incident opened.
    pub began: Option<Timestamp>,
}

/// The latest review, and when there was first something to review.
pub async fn span<D: Database>(db: &D) -> Result<Span, DbError> {
    let read = |row: &Row| {
        let latest = row.optional(0, |row, at| row.code(at, |text| Month::parse(text).ok()))?;
        let (task, incident) = (row.optional(1, Row::time)?, row.optional(2, Row::time)?);
        let began = task.into_iter().chain(incident).min();
        Ok(Span { latest, began })
    };
    Ok(first(&db.run(SPAN, &[]).await?, read)?.unwrap_or_default())
}

/// Stores a review. False when the month has one already.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    month: Month,
    body: String,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [month.to_string().into(), body.into(), now.into()];
    Ok(!tx.run(INSERT, &params).await?.is_empty())
}

/// The review of a month.
pub async fn find<D: Database>(db: &D, month: Month) -> Result<Option<ReviewRow>, DbError> {
    let rows = db.run(FIND, &[month.to_string().into()]).await?;
    first(&rows, |row: &Row| {
        Ok(ReviewRow {
            body: row.text(0)?.to_owned(),
            made_at: row.time(1)?,
        })
    })
}
