//! Table `incident`: incidents and how they were settled (§8). At most one is open per kind and subject.

use super::destruction::purge as purge_rows;
use super::{Database, DbError, Row, Run as _, Statement, Subject, Tx, Value, first};
use domain::{IncidentId, IncidentKind, IncidentState, Severity, Timestamp};
use vault::Column;

/// Sealed column: the note written when the incident was opened.
pub const NOTE: Column = Column("incident.note");
/// Sealed column: the note written when the incident was settled.
pub const SETTLEMENT: Column = Column("incident.settlement");
/// Sealed column: the report of a severe incident.
pub const REPORT: Column = Column("incident.report");
/// Sealed column: its final report, a JSON document.
pub const FINAL_REPORT: Column = Column("incident.final_report");

// No incident of a chip is open, whose blind index is in this column.
macro_rules! no_open_incident {
    ($column:literal) => {
        concat!(
            "('chip:' || lower(hex(",
            $column,
            "))) NOT IN (SELECT subject FROM incident WHERE closed_at IS NULL)"
        )
    };
}
pub(super) use no_open_incident;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, kind, subject, severity, since, opened_at, severe_at, closed_at, reported_at, \
             final_report_at, notices, COALESCE(reporter, opened_by), settled_by, note_sealed, settlement_sealed, report_sealed, \
             final_report_sealed FROM incident WHERE ",
            $rest
        )
    };
}

const OPEN: &str = "INSERT INTO incident (id, kind, subject, severity, since, opened_at, severe_at, handle_by, \
    notices, next_check_at, opened_by, note_sealed, reporter) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, \
    $12, $13) \
    ON CONFLICT (kind, subject) WHERE closed_at IS NULL DO NOTHING RETURNING id";
// Sets only what the clock and administrators change; the incident must be in the state in which it was read.
const CHANGE: &str = "UPDATE incident SET severity = $1, severe_at = $2, handle_by = $3, closed_at = $4, \
    reported_at = $5, final_report_at = $6, notices = $7, next_check_at = $8 WHERE id = $9 AND severity = $10 \
    AND notices = $11 AND COALESCE(closed_at, 0) = $12 RETURNING id";
const SETTLED: &str = "UPDATE incident SET settled_by = $1, settlement_sealed = $2 WHERE id = $3 \
    AND closed_at IS NOT NULL AND settled_by IS NULL RETURNING id";
const REPORTED: &str =
    "UPDATE incident SET report_sealed = $1 WHERE id = $2 AND severity = 'severe' RETURNING id";
const CONCLUDED: &str = "UPDATE incident SET final_report_sealed = $1 WHERE id = $2 AND severity = 'severe' \
    AND closed_at IS NOT NULL RETURNING id";
// What is changed by what it was read as: where there are several writers, it is kept while it is read.
macro_rules! select_to_change {
    ($rest:literal) => {
        Statement::new(select!($rest), concat!(select!($rest), " FOR NO KEY UPDATE"))
    };
}
const BY_ID: Statement = select_to_change!("id = $1");
const OPEN_OF: Statement =
    select_to_change!("kind IN (SELECT value FROM json_each($1)) AND subject = $2 AND closed_at IS NULL");
const OPENED_BY_PLATFORM: &str = select!(
    "kind = $1 AND closed_at IS NULL AND opened_by = 'platform' AND reporter IS NULL ORDER BY subject"
);
const OPEN_SUBJECTS: &str =
    "SELECT subject, opened_by FROM incident WHERE kind = $1 AND closed_at IS NULL ORDER BY subject";
// One whose final report is missing still has a clock.
const PURGE: &str = "DELETE FROM incident WHERE id IN (SELECT id FROM incident WHERE closed_at IS NOT NULL \
    AND closed_at < $1 AND next_check_at IS NULL ORDER BY closed_at LIMIT $2) RETURNING id";
const DUE: Statement = select_to_change!("next_check_at <= $1 ORDER BY next_check_at, id LIMIT $2");

// Identifiers begin with the time, so a range of identifiers is a range of time.
const LIST: &str = select!(
    "id >= $1 AND id < $2 AND (CAST($3 AS BIGINT) = 0 OR closed_at IS NOT NULL) AND (severity = $4 OR $4 IS NULL) AND \
     (kind IN (SELECT value FROM json_each($5)) OR $5 IS NULL) ORDER BY id DESC LIMIT $6"
);
const LIST_OPEN: &str = select!(
    "closed_at IS NULL AND id >= $1 AND id < $2 AND (severity = $3 OR $3 IS NULL) AND \
     (kind IN (SELECT value FROM json_each($4)) OR $4 IS NULL) ORDER BY id DESC LIMIT $5"
);

const FIGURES: &str = "SELECT kind, COUNT(*), SUM(CASE WHEN severity = 'severe' THEN 1 ELSE 0 END), \
    SUM(CASE WHEN closed_at <= handle_by THEN 1 ELSE 0 END), \
    SUM(CASE WHEN handle_by < COALESCE(closed_at, $1) THEN 1 ELSE 0 END) \
    FROM incident WHERE opened_at >= $2 AND opened_at < $3 GROUP BY kind ORDER BY kind";

/// Who opened or settled an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The platform by itself.
    Platform,
    /// An administrator.
    Admin,
    /// The client of the chip that it is about.
    Client,
}

impl By {
    /// Stable name, also stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Admin => "admin",
            Self::Client => "client",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Platform, Self::Admin, Self::Client]
            .into_iter()
            .find(|by| by.code() == code)
    }
}

/// An incident as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentRow {
    /// Identifier.
    pub id: IncidentId,
    /// What it is about.
    pub subject: Subject,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Its state.
    pub state: IncidentState,
    /// Who opened it.
    pub opened_by: By,
    /// Who settled it.
    pub settled_by: Option<By>,
    /// The note written when it was opened.
    pub note_sealed: Option<Vec<u8>>,
    /// The note written when it was settled.
    pub settlement_sealed: Option<Vec<u8>>,
    /// Its report.
    pub report_sealed: Option<Vec<u8>>,
    /// Its final report.
    pub final_report_sealed: Option<Vec<u8>>,
}

/// The values of a new row.
pub struct NewIncidentRow<'a> {
    /// Identifier.
    pub id: IncidentId,
    /// What it is about.
    pub subject: &'a Subject,
    /// Its state.
    pub state: &'a IncidentState,
    /// Who opens it.
    pub opened_by: By,
    /// The note.
    pub note_sealed: Option<Vec<u8>>,
}

/// Opens an incident. False when one of this kind and subject is open.
pub async fn open<D: Database>(
    tx: &Tx<'_, D>,
    new: NewIncidentRow<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let state = new.state;
    // The column of who opened it knows platform and administrator alone.
    let is_client = new.opened_by == By::Client;
    let params = [
        new.id.text().into(),
        state.kind.code().into(),
        new.subject.text().into(),
        state.severity.code().into(),
        state.since.into(),
        now.into(),
        state.severe_at.into(),
        state.handle_by().into(),
        state.notices.into(),
        state.next_deadline().into(),
        if is_client { By::Platform } else { new.opened_by }.code().into(),
        new.note_sealed.into(),
        is_client.then_some(By::Client.code()).into(),
    ];
    changed(tx, OPEN, &params).await
}

/// Stores the new state of an incident that was in the state of `before`. False when it has changed since.
pub async fn change<D: Database>(
    tx: &Tx<'_, D>,
    before: &IncidentRow,
    now: &IncidentState,
) -> Result<bool, DbError> {
    let was = &before.state;
    let params = [
        now.severity.code().into(),
        now.severe_at.into(),
        now.handle_by().into(),
        now.closed_at.into(),
        now.reported_at.into(),
        now.final_report_at.into(),
        now.notices.into(),
        now.next_deadline().into(),
        before.id.text().into(),
        was.severity.code().into(),
        was.notices.into(),
        was.closed_at.map_or(0, Timestamp::millis).into(),
    ];
    changed(tx, CHANGE, &params).await
}

/// Records who settled an incident and the note. False when that is recorded already.
pub async fn settled<D: Database>(
    tx: &Tx<'_, D>,
    id: IncidentId,
    by: By,
    sealed: Option<Vec<u8>>,
) -> Result<bool, DbError> {
    changed(tx, SETTLED, &[by.code().into(), sealed.into(), id.text().into()]).await
}

/// Stores the report of a severe incident. False when the incident is not severe.
pub async fn reported<D: Database>(tx: &Tx<'_, D>, id: IncidentId, sealed: Vec<u8>) -> Result<bool, DbError> {
    changed(tx, REPORTED, &[sealed.into(), id.text().into()]).await
}

/// Stores the final report of a severe incident that is settled. False when it is not severe or not settled.
pub async fn concluded<D: Database>(
    tx: &Tx<'_, D>,
    id: IncidentId,
    sealed: Vec<u8>,
) -> Result<bool, DbError> {
    changed(tx, CONCLUDED, &[sealed.into(), id.text().into()]).await
}

/// Finds an incident.
pub async fn by_id<D: Database>(db: &D, id: IncidentId) -> Result<Option<IncidentRow>, DbError> {
    first(&db.run(BY_ID, &[id.text().into()]).await?, read)
}

/// The open incidents of these kinds about `subject`.
pub async fn open_of<D: Database>(
    db: &D,
    kinds: &[IncidentKind],
    subject: &Subject,
) -> Result<Vec<IncidentRow>, DbError> {
    let params = [codes(kinds).into(), subject.text().into()];
    db.run(OPEN_OF, &params).await?.iter().map(read).collect()
}

/// The open incidents of a kind that the platform opened by itself; for kinds that have few.
pub async fn opened_by_platform<D: Database>(
    db: &D,
    kind: IncidentKind,
) -> Result<Vec<IncidentRow>, DbError> {
    let rows = db.run(OPENED_BY_PLATFORM, &[kind.code().into()]).await?;
    rows.iter().map(read).collect()
}

/// The subjects of the open incidents of a kind, and who opened them; for kinds that have few.
pub async fn open_subjects<D: Database>(db: &D, kind: IncidentKind) -> Result<Vec<(Subject, By)>, DbError> {
    let rows = db.run(OPEN_SUBJECTS, &[kind.code().into()]).await?;
    let read = |row: &Row| Ok((Subject::stored(row.text(0)?), row.code(1, By::from_code)?));
    rows.iter().map(read).collect()
}

/// Up to `limit` incidents whose clock has to run by `now`, the longest due first.
pub async fn due<D: Database>(db: &D, now: Timestamp, limit: u32) -> Result<Vec<IncidentRow>, DbError> {
    let params = [now.into(), i64::from(limit).into()];
    db.run(DUE, &params).await?.iter().map(read).collect()
}

/// Conditions of a search.
#[derive(Clone, Debug)]
pub struct IncidentQuery<'a> {
    /// Identifiers from here on.
    pub from: IncidentId,
    /// Identifiers below this.
    pub below: IncidentId,
    /// Open ones only, settled ones only, or all.
    pub open: Option<bool>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Of these kinds.
    pub kinds: Option<&'a [IncidentKind]>,
    /// Most rows.
    pub limit: u32,
}

/// Finds incidents, the latest first.
pub async fn list<D: Database>(db: &D, query: &IncidentQuery<'_>) -> Result<Vec<IncidentRow>, DbError> {
    let mut params: Vec<Value> = vec![query.from.text().into(), query.below.text().into()];
    if query.open != Some(true) {
        params.push((query.open == Some(false)).into());
    }
    params.extend([
        query.severity.map(Severity::code).into(),
        query.kinds.map(codes).into(),
        i64::from(query.limit).into(),
    ]);
    let sql = if query.open == Some(true) { LIST_OPEN } else { LIST };
    db.run(sql, &params).await?.iter().map(read).collect()
}

/// Counts of the incidents of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindFigures {
    /// The kind.
    pub kind: IncidentKind,
    /// How many were opened.
    pub count: i64,
    /// How many of them are severe.
    pub severe: i64,
    /// How many were settled within their time limit.
    pub in_time: i64,
    /// How many were settled late, or are open and past the limit.
    pub late: i64,
}

/// Counts the incidents opened from `from` until before `to`, by kind, in their state at `now`.
pub async fn figures<D: Database>(
    db: &D,
    from: Timestamp,
    to: Timestamp,
    now: Timestamp,
) -> Result<Vec<KindFigures>, DbError> {
    let rows = db.run(FIGURES, &[now.into(), from.into(), to.into()]).await?;
    let read = |row: &Row| {
        Ok(KindFigures {
            kind: row.code(0, IncidentKind::from_code)?,
            count: row.integer(1)?,
            severe: row.integer(2)?,
            in_time: row.integer(3)?,
            late: row.integer(4)?,
        })
    };
    rows.iter().map(read).collect()
}

fn codes(kinds: &[IncidentKind]) -> String {
    let codes: serde_json::Value = kinds.iter().map(|kind| kind.code()).collect();
    codes.to_string()
}

async fn changed<D: Database>(tx: &Tx<'_, D>, sql: &'static str, params: &[Value]) -> Result<bool, DbError> {
    Ok(!tx.run(sql, params).await?.is_empty())
}

fn read(row: &Row) -> Result<IncidentRow, DbError> {
    let bytes = |at| Ok::<_, DbError>(row.optional(at, Row::blob)?.map(<[u8]>::to_owned));
    Ok(IncidentRow {
        id: row.code(0, |text| IncidentId::parse(text).ok())?,
        subject: Subject::stored(row.text(2)?),
        opened_at: row.time(5)?,
        state: IncidentState {
            kind: row.code(1, IncidentKind::from_code)?,
            severity: row.code(3, Severity::from_code)?,
            since: row.time(4)?,
            severe_at: row.optional(6, Row::time)?,
            closed_at: row.optional(7, Row::time)?,
            reported_at: row.optional(8, Row::time)?,
            final_report_at: row.optional(9, Row::time)?,
            notices: row.integer(10)?,
        },
        opened_by: row.code(11, By::from_code)?,
        settled_by: row.optional(12, |row, at| row.code(at, By::from_code))?,
        note_sealed: bytes(13)?,
        settlement_sealed: bytes(14)?,
        report_sealed: bytes(15)?,
        final_report_sealed: bytes(16)?,
    })
}

/// Deletes up to `limit` incidents that were settled, and need no further report, before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}
