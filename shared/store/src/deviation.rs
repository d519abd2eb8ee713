//! Table `deviation`: what happened otherwise than the standard demands (§10.2). Table `supervision`: how far the
//! comparison has come.

use super::destruction::purge as purge_rows;
use super::{Database, DbError, ListKey, Row, Run as _, Subject, Tx, Value, first};
use domain::{CardStatus, Deviation, TaskState, Timestamp};
use vault::BlindIndex;

// One that was set right and is there again is a new one.
const SEEN: &str = "INSERT INTO deviation (kind, subject, found_at, seen_at) \
    SELECT $1, value, CAST($2 AS BIGINT), CAST($2 AS BIGINT) FROM json_each($3) WHERE true \
    ON CONFLICT (kind, subject) DO UPDATE SET seen_at = excluded.seen_at, ended_at = NULL, \
    found_at = CASE WHEN deviation.ended_at IS NULL THEN deviation.found_at ELSE excluded.found_at END \
    RETURNING CASE WHEN found_at = seen_at THEN 1 ELSE 0 END AS is_new";
const ENDED: &str = "UPDATE deviation SET ended_at = $1 WHERE kind = $2 AND ended_at IS NULL AND seen_at < $3 \
    RETURNING subject";
macro_rules! list {
    ($which:literal) => {
        concat!(
            "SELECT kind, subject, found_at, seen_at, ended_at FROM deviation WHERE found_at <= $1 \
             AND (found_at < $1 OR kind || ' ' || subject < $2) AND (kind = $3 OR $3 IS NULL)",
            $which,
            " ORDER BY found_at DESC, kind || ' ' || subject DESC LIMIT $4"
        )
    };
}
const ALL: &str = list!("");
const OPEN: &str = list!(" AND ended_at IS NULL");
const PURGE: &str = "DELETE FROM deviation WHERE (kind, subject) IN (SELECT kind, subject FROM deviation \
    WHERE ended_at IS NOT NULL AND ended_at < $1 ORDER BY ended_at LIMIT $2) RETURNING kind";

const PROGRESS: &str = "SELECT began_at, reached FROM supervision WHERE part = $1";
const SET_PROGRESS: &str = "INSERT INTO supervision (part, began_at, reached) VALUES ($1, $2, $3) \
    ON CONFLICT (part) DO UPDATE SET began_at = excluded.began_at, reached = excluded.reached";

const CARDS: &str = "SELECT c.eid_index, c.status, c.imported_at, \
    (SELECT h.to_status FROM card_history h WHERE h.eid_index = c.eid_index ORDER BY h.seq DESC LIMIT 1) AS led_to, \
    (SELECT MAX(h.seq) - MIN(h.seq) + 1 - COUNT(*) FROM card_history h WHERE h.eid_index = c.eid_index) AS missing, \
    (SELECT t.state FROM task t WHERE t.eid_index = c.eid_index AND t.state IN ('waiting', 'writing')) AS task \
    FROM chip c WHERE c.eid_index > $1 ORDER BY c.eid_index LIMIT $2";
// From receiver to receiver by the index of dead messages, so that many messages of one cost no more.
const UNDELIVERED: &str = "WITH RECURSIVE receivers (id) AS (SELECT min(receiver_id) FROM message WHERE state = 'dead' \
    UNION ALL SELECT (SELECT min(receiver_id) FROM message WHERE state = 'dead' AND receiver_id > receivers.id) \
    FROM receivers WHERE receivers.id IS NOT NULL) SELECT id FROM receivers WHERE id IS NOT NULL LIMIT $1";
const UNSETTLED: &str =
    "SELECT id FROM incident WHERE closed_at IS NULL AND handle_by < $1 ORDER BY id LIMIT $2";
const UNREPORTED: &str = "SELECT id FROM incident WHERE severe_at IS NOT NULL AND reported_at IS NULL \
    AND final_report_at IS NULL AND severe_at < $1 ORDER BY severe_at LIMIT $2";
const UNCONCLUDED: &str = "SELECT id FROM incident WHERE severe_at IS NOT NULL AND closed_at IS NOT NULL \
    AND final_report_at IS NULL AND closed_at < $1 ORDER BY closed_at LIMIT $2";

/// A deviation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviationRow {
    /// What deviates.
    pub kind: Deviation,
    /// In what.
    pub subject: Subject,
    /// Since when it is known.
    pub found_at: Timestamp,
    /// When it was last seen.
    pub seen_at: Timestamp,
    /// When it was found set right.
    pub ended_at: Option<Timestamp>,
}

impl DeviationRow {
    /// Its key in the list.
    #[must_use]
    pub fn key(&self) -> ListKey {
        ListKey {
            at: self.found_at,
            index: format!("{} {}", self.kind.code(), self.subject.text()).into_bytes(),
            seq: 0,
        }
    }
}

/// A card, its latest recorded step and its open task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardFound {
    /// The chip.
    pub chip: BlindIndex,
    /// Its state.
    pub status: CardStatus,
    /// When the chip was imported.
    pub imported_at: Timestamp,
    /// The state to which the latest recorded step led; `None` without steps.
    pub led_to: Option<CardStatus>,
    /// How many steps are missing between the first and the last one.
    pub missing: i64,
    /// The state of the open task.
    pub task: Option<TaskState>,
}

/// How far a comparison has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// When it last began.
    pub began_at: Timestamp,
    /// The last chip that it looked at; `None` when it has ended.
    pub reached: Option<Vec<u8>>,
}

/// Incidents that were not dealt with in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Late {
    /// Open beyond their time limit.
    Unsettled,
    /// Severe before a time, and not reported.
    Unreported,
    /// Severe and settled before a time, and without final report.
    Unconcluded,
}

/// Stores the subjects that deviate; returns how many of them are new.
pub async fn seen<D: Database>(
    tx: &Tx<'_, D>,
    kind: Deviation,
    subjects: &[Subject],
    now: Timestamp,
) -> Result<usize, DbError> {
    if subjects.is_empty() {
        return Ok(0);
    }
    let texts: Vec<&str> = subjects.iter().map(Subject::text).collect();
    let texts = serde_json::Value::from(texts).to_string();
    let rows = tx
        .run(SEEN, &[kind.code().into(), now.into(), texts.into()])
        .await?;
    let mut new = 0;
    for row in &rows {
        new += usize::from(row.flag(0)?);
    }
    Ok(new)
}

/// Ends the deviations of a kind that were not seen since `since`; returns how many.
pub async fn ended<D: Database>(
    tx: &Tx<'_, D>,
    kind: Deviation,
    since: Timestamp,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [now.into(), kind.code().into(), since.into()];
    Ok(tx.run(ENDED, &params).await?.len())
}

/// Up to `limit` deviations, the latest first, those set right only with `ended_too`.
pub async fn list<D: Database>(
    db: &D,
    kind: Option<Deviation>,
    ended_too: bool,
    below: Option<&ListKey>,
    limit: u32,
) -> Result<Vec<DeviationRow>, DbError> {
    let params = [
        below.map_or(Timestamp(i64::MAX), |key| key.at).into(),
        below.map(ListKey::index_text).unwrap_or_default().into(),
        kind.map(Deviation::code).into(),
        i64::from(limit).into(),
    ];
    let rows = db.run(if ended_too { ALL } else { OPEN }, &params).await?;
    let read = |row: &Row| {
        Ok(DeviationRow {
            kind: row.code(0, Deviation::from_code)?,
            subject: Subject::stored(row.text(1)?),
            found_at: row.time(2)?,
            seen_at: row.time(3)?,
            ended_at: row.optional(4, Row::time)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Deletes up to `limit` deviations that were set right before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}

/// How far a comparison has come, if it ever began.
pub async fn progress<D: Database>(db: &D, part: &str) -> Result<Option<Progress>, DbError> {
    let rows = db.run(PROGRESS, &[part.into()]).await?;
    first(&rows, |row: &Row| {
        Ok(Progress {
            began_at: row.time(0)?,
            reached: row.optional(1, Row::blob)?.map(<[u8]>::to_vec),
        })
    })
}

/// Stores how far a comparison has come.
pub async fn set_progress<D: Database>(
    tx: &Tx<'_, D>,
    part: &str,
    progress: &Progress,
) -> Result<(), DbError> {
    let reached = progress.reached.clone().map_or(Value::Null, Value::from);
    let params = [part.into(), progress.began_at.into(), reached];
    tx.run(SET_PROGRESS, &params).await.map(drop)
}

/// Up to `limit` cards after the one of this key, in the order of their keys.
pub async fn cards<D: Database>(db: &D, after: &[u8], limit: u32) -> Result<Vec<CardFound>, DbError> {
    let rows = db
        .run(CARDS, &[after.to_vec().into(), i64::from(limit).into()])
        .await?;
    let read = |row: &Row| {
        Ok(CardFound {
            chip: row.index(0)?,
            status: row.number_code(1, CardStatus::from_code)?,
            imported_at: row.time(2)?,
            led_to: row.optional(3, |row, at| row.number_code(at, CardStatus::from_code))?,
            missing: row.optional(4, Row::integer)?.unwrap_or(0),
            task: row.optional(5, |row, at| row.code(at, TaskState::from_code))?,
        })
    };
    rows.iter().map(read).collect()
}

/// Up to `limit` receivers, as `receiver:…`, whom messages did not reach.
pub async fn undelivered<D: Database>(db: &D, limit: u32) -> Result<Vec<Subject>, DbError> {
    subjects(
        &db.run(UNDELIVERED, &[i64::from(limit).into()]).await?,
        "receiver",
    )
}

/// Up to `limit` incidents, as `incident:…`, that were late at a time.
pub async fn late<D: Database>(
    db: &D,
    late: Late,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<Subject>, DbError> {
    let sql = match late {
        Late::Unsettled => UNSETTLED,
        Late::Unreported => UNREPORTED,
        Late::Unconcluded => UNCONCLUDED,
    };
    let params = [before.into(), i64::from(limit).into()];
    subjects(&db.run(sql, &params).await?, "incident")
}

fn subjects(rows: &[Row], what: &str) -> Result<Vec<Subject>, DbError> {
    let read = |row: &Row| Ok(Subject::stored(&format!("{what}:{}", row.text(0)?)));
    rows.iter().map(read).collect()
}
