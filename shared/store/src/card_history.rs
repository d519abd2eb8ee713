//! Table `card_history`: every step of every card (§6.3), numbered per card without gaps. Rows are only added, and
//! deleted at the end of their retention.

use super::destruction::purge as purge_rows;
use super::import::json_rows;
use super::incident::no_open_incident;
use super::{Database, DbError, Row, Run as _, Statement, Tx};
use domain::{Actor, CardStatus, TaskId, Timestamp};
use vault::{BlindIndex, Column};

/// Sealed column: the person who caused a step.
pub const PERSON: Column = Column("card_history.person");
/// Sealed column: why that person did.
pub const NOTE: Column = Column("card_history.note");

const INSERT: Statement = Statement::new(
    "INSERT INTO card_history (eid_index, seq, from_status, to_status, actor, reason, task_id, at, \
    person_sealed, note_sealed) VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM card_history \
    WHERE eid_index = $1), $2, $3, $4, $5, $6, $7, $8, $9) RETURNING eid_index, seq",
    "SELECT card_history_insert($1, $2, $3, $4, $5, $6, $7, $8, $9)",
);

// Rows `[[key, state], …]`.
const INSERT_FIRST: &str = "INSERT INTO card_history (eid_index, seq, to_status, actor, reason, at) \
    SELECT unhex(value ->> 0), 1, CAST(value ->> 1 AS BIGINT), $1, $2, $3 FROM json_each($4)";
const LATEST: &str = "SELECT seq, from_status, to_status, actor, reason, task_id, at, person_sealed, note_sealed \
    FROM card_history WHERE eid_index = $1 ORDER BY seq DESC LIMIT $2";

const PURGE: &str = concat!(
    "DELETE FROM card_history WHERE (eid_index, seq) IN (SELECT h.eid_index, h.seq FROM card_history h \
     WHERE h.at < $1 AND NOT EXISTS (SELECT 1 FROM task t WHERE t.eid_index = h.eid_index \
     AND t.state IN ('waiting', 'writing')) AND ",
    no_open_incident!("h.eid_index"),
    " ORDER BY h.at, h.seq LIMIT $2) RETURNING seq"
);

/// One step of one card.
pub struct Step<'a> {
    /// Blind index of the card's EID.
    pub eid_index: &'a BlindIndex,
    /// State it left; none for a new card.
    pub from: Option<CardStatus>,
    /// State it entered.
    pub to: CardStatus,
    /// Who caused it.
    pub actor: &'a Actor,
    /// Stable name of the cause.
    pub reason: &'a str,
    /// The task it belongs to.
    pub task: Option<TaskId>,
    /// The person who caused it and why, both sealed; only of acts of administrators.
    pub sealed_note: Option<[Vec<u8>; 2]>,
}

/// Adds a step. A message about it is added after it.
pub async fn insert<D: Database>(tx: &Tx<'_, D>, step: &Step<'_>, now: Timestamp) -> Result<(), DbError> {
    let [person, note] = step
        .sealed_note
        .clone()
        .map_or([None, None], |both| both.map(Some));
    let params = vec![
        step.eid_index.into(),
        step.from.map(CardStatus::code).into(),
        step.to.code().into(),
        step.actor.code().into(),
        step.reason.into(),
        step.task.into(),
        now.into(),
        person.into(),
        note.into(),
    ];
    tx.later("card_history", INSERT, params).await
}

/// Adds the first steps of new cards, each into its state.
pub async fn insert_first<D: Database>(
    tx: &Tx<'_, D>,
    cards: &[(BlindIndex, CardStatus)],
    actor: &Actor,
    reason: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let rows = cards
        .iter()
        .map(|(index, to)| vec![index.into(), to.code().into()]);
    let params = [
        actor.code().into(),
        reason.into(),
        now.into(),
        json_rows(rows).into(),
    ];
    tx.run(INSERT_FIRST, &params).await.map(drop)
}

/// A step as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepRow {
    /// Number of the step in the card's life, from 1.
    pub seq: u64,
    /// State it left; none for a new card.
    pub from: Option<CardStatus>,
    /// State it entered.
    pub to: CardStatus,
    /// Who caused it: `client:<id>`, `gateway`, `operator`, `admin` or `platform`.
    pub actor: String,
    /// Stable name of the cause.
    pub reason: String,
    /// The task it belongs to.
    pub task_id: Option<TaskId>,
    /// When the step was made.
    pub at: Timestamp,
    /// Sealed name of the person who caused it.
    pub person_sealed: Option<Vec<u8>>,
    /// Sealed note why.
    pub note_sealed: Option<Vec<u8>>,
}

/// The latest `limit` steps of a card, the latest first.
pub async fn latest<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
    limit: i64,
) -> Result<Vec<StepRow>, DbError> {
    db.run(LATEST, &[eid_index.into(), limit.into()])
        .await?
        .iter()
        .map(read)
        .collect()
}

fn read(row: &Row) -> Result<StepRow, DbError> {
    Ok(StepRow {
        seq: row.unsigned(0)?,
        from: row.optional(1, |row, at| row.number_code(at, CardStatus::from_code))?,
        to: row.number_code(2, CardStatus::from_code)?,
        actor: row.text(3)?.to_owned(),
        reason: row.text(4)?.to_owned(),
        task_id: row.optional(5, Row::task_id)?,
        at: row.time(6)?,
        person_sealed: row.optional(7, Row::blob)?.map(<[u8]>::to_owned),
        note_sealed: row.optional(8, Row::blob)?.map(<[u8]>::to_owned),
    })
}

/// Deletes up to `limit` steps of cards that have neither an open task nor an open incident, from before `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}
