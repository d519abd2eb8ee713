//! Table `card_history`: every step of every card (§6.3), numbered per card without gaps. Rows are only added.

use super::{Database, DbError, Row, Run as _, Tx};
use domain::{Actor, CardStatus, TaskId, Timestamp};
use vault::BlindIndex;

const INSERT: &str = "INSERT INTO card_history (eid_index, seq, from_status, to_status, actor, reason, task_id, at) \
    VALUES ($1, (SELECT COALESCE(MAX(seq), 0) + 1 FROM card_history WHERE eid_index = $1), $2, $3, $4, $5, $6, $7)";

const LATEST: &str = "SELECT seq, from_status, to_status, actor, reason, task_id, at FROM card_history \
    WHERE eid_index = $1 ORDER BY seq DESC LIMIT $2";

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
}

/// Adds a step.
pub async fn insert<D: Database>(tx: &Tx<'_, D>, step: &Step<'_>, now: Timestamp) -> Result<(), DbError> {
    let params = [
        step.eid_index.into(),
        step.from.map(CardStatus::code).into(),
        step.to.code().into(),
        step.actor.code().into(),
        step.reason.into(),
        step.task.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
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
    /// Who caused it: `client:<id>`, `gateway` or `admin`.
    pub actor: String,
    /// Stable name of the cause.
    pub reason: String,
    /// The task it belongs to.
    pub task_id: Option<TaskId>,
    /// When the step was made.
    pub at: Timestamp,
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
    })
}
