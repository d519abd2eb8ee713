//! Table `batch`: acts on many cards or numbers, and how far each has come. Their rows are in [`super::batch_row`].

use super::destruction::purge as purge_rows;
use super::{Database, DbError, Row, Run as _, Statement, Tx, Value, first};
use domain::{BatchId, BatchKind, BatchState, ClientId, Timestamp};
use vault::Column;

/// Sealed column: SHA-256 of what was sent.
pub const CONTENT: Column = Column("batch.content");
/// Sealed column: the person who acts.
pub const PERSON: Column = Column("batch.person");
/// Sealed column: why that person does.
pub const NOTE: Column = Column("batch.note");

/// Separates provinces.
const SEPARATOR: char = ',';

const INSERT: &str = "INSERT INTO batch (id, key, content_sealed, kind, client_id, fail_when_exhausted, who, address, \
    request_id, person_sealed, note_sealed, state, row_count, refused_count, created_at, changed_at, ended_at, next_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17)";

macro_rules! select {
    ($where:literal) => {
        concat!(
            "SELECT id, content_sealed, kind, client_id, fail_when_exhausted, who, address, request_id, person_sealed, \
             note_sealed, state, reason, provinces, row_count, done_count, unchanged_count, refused_count, \
             created_at, changed_at, ended_at, key FROM batch WHERE ",
            $where
        )
    };
}
const BY_ID: &str = select!("id = $1");
// Where there are several writers, one carries out the rows of a batch at a time.
const TO_CHANGE: Statement = Statement::new(BY_ID, select!("id = $1 FOR NO KEY UPDATE"));
const BY_KEY: &str = select!("key = $1");
const LATEST: &str = select!("id < $1 ORDER BY id DESC LIMIT $2");
const DUE: &str = "SELECT id FROM batch WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2";
const ADVANCE: &str = "UPDATE batch SET done_count = done_count + $1, unchanged_count = unchanged_count + $2, \
    refused_count = refused_count + $3, changed_at = $4, next_at = $4 WHERE id = $5 AND state IN ('running', 'paused') RETURNING id";
const SET_STATE: &str = "UPDATE batch SET state = $1, reason = $2, provinces = $3, changed_at = $4, ended_at = $5, \
    next_at = $6 WHERE id = $7 AND state = $8 RETURNING id";
const STOP_ALL: &str = "UPDATE batch SET state = 'stopped', reason = NULL, provinces = '', changed_at = $1, \
    ended_at = $1, next_at = NULL WHERE state IN ('running', 'paused')";
const PURGE: &str = "DELETE FROM batch WHERE id IN (SELECT b.id FROM batch b WHERE b.ended_at < $1 \
    AND NOT EXISTS (SELECT 1 FROM batch_row r WHERE r.batch_id = b.id) ORDER BY b.ended_at LIMIT $2) RETURNING id";

/// How many rows of a batch have which result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchCounts {
    /// Carried out.
    pub done: u64,
    /// So already.
    pub unchanged: u64,
    /// Refused.
    pub refused: u64,
}

/// A batch that is made.
pub struct NewBatchRow<'a> {
    /// Identifier.
    pub id: BatchId,
    /// By which a repeated request is recognised.
    pub key: &'a str,
    /// SHA-256 of what was sent, sealed.
    pub content_sealed: Vec<u8>,
    /// What it does.
    pub kind: BatchKind,
    /// For which client.
    pub client_id: Option<&'a ClientId>,
    /// Whether a row without a number is refused instead of waiting for one.
    pub fail_when_exhausted: bool,
    /// Who made it.
    pub who: &'a str,
    /// From where.
    pub address: &'a str,
    /// With which request.
    pub request_id: &'a str,
    /// By whom and why, both sealed.
    pub sealed_note: Option<[Vec<u8>; 2]>,
    /// What it does first.
    pub state: BatchState,
    /// Its rows.
    pub rows: u64,
    /// Those that were refused at once.
    pub refused: u64,
}

/// A batch as stored.
#[derive(Clone, Debug)]
pub struct BatchRow {
    /// Identifier.
    pub id: BatchId,
    /// By which a repeated request is recognised.
    pub key: String,
    /// SHA-256 of what was sent, sealed.
    pub content_sealed: Vec<u8>,
    /// What it does.
    pub kind: BatchKind,
    /// For which client.
    pub client_id: Option<ClientId>,
    /// Whether a row without a number is refused instead of waiting for one.
    pub fail_when_exhausted: bool,
    /// Who made it.
    pub who: String,
    /// From where.
    pub address: String,
    /// With which request.
    pub request_id: String,
    /// By whom and why, both sealed.
    pub sealed_note: Option<[Vec<u8>; 2]>,
    /// What it does now.
    pub state: BatchState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// The provinces without a number that it waits for.
    pub provinces: Vec<String>,
    /// Its rows.
    pub rows: u64,
    /// How many have which result.
    pub counts: BatchCounts,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last worked on, or changed.
    pub changed_at: Timestamp,
    /// When it was done or stopped.
    pub ended_at: Option<Timestamp>,
}

/// What a batch is to do from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextState {
    /// The state.
    pub state: BatchState,
    /// Why it is paused.
    pub reason: Option<&'static str>,
    /// The provinces without a number that it waits for.
    pub provinces: Vec<String>,
    /// When it is worked on next, unless it has ended.
    pub next_at: Option<Timestamp>,
}

/// Adds a batch.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewBatchRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let [person, note] = new.sealed_note.map_or([None, None], |both| both.map(Some));
    let is_running = new.state == BatchState::Running;
    let params: [Value; 17] = [
        new.id.text().into(),
        new.key.into(),
        new.content_sealed.into(),
        new.kind.code().into(),
        new.client_id.into(),
        new.fail_when_exhausted.into(),
        new.who.into(),
        new.address.into(),
        new.request_id.into(),
        person.into(),
        note.into(),
        new.state.code().into(),
        whole(new.rows),
        whole(new.refused),
        now.into(),
        (!is_running).then_some(now).into(),
        is_running.then_some(now).into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

fn whole(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}

/// Finds a batch.
pub async fn by_id<D: Database>(db: &D, id: BatchId) -> Result<Option<BatchRow>, DbError> {
    first(&db.run(BY_ID, &[id.text().into()]).await?, read)
}

/// Finds a batch, which nobody else changes until the end of the transaction.
pub async fn to_change<D: Database>(tx: &Tx<'_, D>, id: BatchId) -> Result<Option<BatchRow>, DbError> {
    first(&tx.run(TO_CHANGE, &[id.text().into()]).await?, read)
}

/// Finds the batch of a key.
pub async fn by_key<D: Database>(db: &D, key: &str) -> Result<Option<BatchRow>, DbError> {
    first(&db.run(BY_KEY, &[key.into()]).await?, read)
}

/// Up to `limit` batches before `before`, the latest first.
pub async fn latest<D: Database>(db: &D, before: BatchId, limit: u32) -> Result<Vec<BatchRow>, DbError> {
    let params = [before.text().into(), i64::from(limit).into()];
    db.run(LATEST, &params).await?.iter().map(read).collect()
}

/// Up to `limit` batches that are to be worked on, the one first that waits longest.
pub async fn due<D: Database>(db: &D, now: Timestamp, limit: u32) -> Result<Vec<BatchId>, DbError> {
    let rows = db.run(DUE, &[now.into(), i64::from(limit).into()]).await?;
    let read = |row: &Row| row.code(0, |text| BatchId::parse(text).ok());
    rows.iter().map(read).collect()
}

/// Adds to the counts of a batch. False when it has ended.
pub async fn advance<D: Database>(
    tx: &Tx<'_, D>,
    id: BatchId,
    more: BatchCounts,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        whole(more.done),
        whole(more.unchanged),
        whole(more.refused),
        now.into(),
        id.text().into(),
    ];
    Ok(!tx.run(ADVANCE, &params).await?.is_empty())
}

/// Changes what a batch does. False when it does not do `from` any more.
pub async fn set_state<D: Database>(
    tx: &Tx<'_, D>,
    id: BatchId,
    from: BatchState,
    next: NextState,
    now: Timestamp,
) -> Result<bool, DbError> {
    let has_ended = matches!(next.state, BatchState::Done | BatchState::Stopped);
    let params = [
        next.state.code().into(),
        next.reason.into(),
        next.provinces.join(&SEPARATOR.to_string()).into(),
        now.into(),
        has_ended.then_some(now).into(),
        next.next_at.into(),
        id.text().into(),
        from.code().into(),
    ];
    Ok(!tx.run(SET_STATE, &params).await?.is_empty())
}

/// Stops every batch.
pub async fn stop_all<D: Database>(tx: &Tx<'_, D>, now: Timestamp) -> Result<(), DbError> {
    tx.run(STOP_ALL, &[now.into()]).await.map(drop)
}

/// Deletes up to `limit` batches that ended before `before` and have no rows any more; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_rows(tx, PURGE, before, limit).await
}

fn read(row: &Row) -> Result<BatchRow, DbError> {
    let bytes = |at| row.optional(at, Row::blob);
    let sealed_note = bytes(8)?.zip(bytes(9)?);
    let provinces = row.text(12)?.split(SEPARATOR).filter(|code| !code.is_empty());
    Ok(BatchRow {
        id: row.code(0, |text| BatchId::parse(text).ok())?,
        content_sealed: row.blob(1)?.to_owned(),
        kind: row.code(2, BatchKind::from_code)?,
        client_id: row.optional(3, Row::client_id)?,
        fail_when_exhausted: row.flag(4)?,
        who: row.text(5)?.to_owned(),
        address: row.text(6)?.to_owned(),
        request_id: row.text(7)?.to_owned(),
        sealed_note: sealed_note.map(|(person, note)| [person.to_owned(), note.to_owned()]),
        state: row.code(10, BatchState::from_code)?,
        reason: row.optional(11, Row::text)?.map(str::to_owned),
        provinces: provinces.map(str::to_owned).collect(),
        rows: row.unsigned(13)?,
        counts: BatchCounts {
            done: row.unsigned(14)?,
            unchanged: row.unsigned(15)?,
            refused: row.unsigned(16)?,
        },
        created_at: row.time(17)?,
        changed_at: row.time(18)?,
        ended_at: row.optional(19, Row::time)?,
        key: row.text(20)?.to_owned(),
    })
}
