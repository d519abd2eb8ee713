//! Table `approval`: acts of staff that need a second person (§10.1).

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::{ApprovalId, Timestamp};

const INSERT: &str = "INSERT INTO approval (id, what, who, object, digest, state, created_at, begins_at, ends_at) \
    VALUES ($1, $2, $3, $4, $5, 'open', $6, $7, $8)";
const FIND: &str =
    "SELECT id, what, who, object, digest, state, created_at, begins_at, ends_at FROM approval WHERE id = $1";
const SAME: &str = "SELECT id FROM approval WHERE who = $1 AND what = $2 AND digest = $3 AND state = 'open' AND ends_at > $4";
const COUNT: &str = "SELECT COUNT(*) AS n FROM approval WHERE who = $1 AND state = 'open' AND ends_at > $2";
const OPEN: &str = "SELECT id, what, who, object, digest, state, created_at, begins_at, ends_at FROM approval \
    WHERE state = 'open' AND ends_at > $1 AND (id > $2 OR $2 IS NULL) ORDER BY id LIMIT $3";
const DECIDE: &str = "UPDATE approval SET state = $1, decided_by = $2, decided_at = $3 WHERE id = $4 AND state = 'open' \
    AND ends_at > $3 RETURNING id";
const REFUSE_OF: &str =
    "UPDATE approval SET state = 'refused', decided_at = $1 WHERE who = $2 AND state = 'open' RETURNING id";
const FORGET: &str =
    "DELETE FROM approval WHERE id IN (SELECT id FROM approval WHERE ends_at < $1 ORDER BY ends_at LIMIT $2)";

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ApprovalRow {
    /// Identifier.
    pub id: ApprovalId,
    /// The right of the operation.
    pub what: String,
    /// Who asks.
    pub who: String,
    /// On what, masked.
    pub object: String,
    /// Digest of the call.
    pub digest: Vec<u8>,
    /// Whether nobody has decided yet.
    pub is_open: bool,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// From when on a second person can carry it out.
    pub begins_at: Timestamp,
    /// Until when.
    pub ends_at: Timestamp,
}

/// How somebody has decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is carried out.
    Done,
    /// It is not.
    Refused,
}

impl Decision {
    const fn code(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }
}

/// Adds what is asked for.
pub async fn insert<D: Database>(tx: &Tx<'_, D>, row: &ApprovalRow) -> Result<(), DbError> {
    let params = [
        row.id.text().into(),
        row.what.as_str().into(),
        row.who.as_str().into(),
        row.object.as_str().into(),
        row.digest.as_slice().into(),
        row.created_at.into(),
        row.begins_at.into(),
        row.ends_at.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds what is asked for.
pub async fn find<D: Database>(db: &D, id: ApprovalId) -> Result<Option<ApprovalRow>, DbError> {
    first(&db.run(FIND, &[id.text().into()]).await?, read)
}

/// What `who` asks for already by the same call.
pub async fn same<D: Database>(
    db: &D,
    (who, what): (&str, &str),
    digest: &[u8],
    now: Timestamp,
) -> Result<Option<ApprovalId>, DbError> {
    let params = [who.into(), what.into(), digest.into(), now.into()];
    first(&db.run(SAME, &params).await?, id)
}

/// How much `who` asks for that nobody has decided.
pub async fn count<D: Database>(db: &D, who: &str, now: Timestamp) -> Result<u64, DbError> {
    let rows = db.run(COUNT, &[who.into(), now.into()]).await?;
    Ok(first(&rows, |row| row.unsigned(0))?.unwrap_or_default())
}

/// What is asked for and nobody has decided, the oldest first.
pub async fn open<D: Database>(
    db: &D,
    now: Timestamp,
    after: Option<ApprovalId>,
    limit: u32,
) -> Result<Vec<ApprovalRow>, DbError> {
    let after = after.map(|id| id.text());
    let params = [now.into(), after.into(), i64::from(limit).into()];
    db.run(OPEN, &params).await?.iter().map(read).collect()
}

/// Decides, unless somebody has decided already or its time is over. False then.
pub async fn decide<D: Database>(
    tx: &Tx<'_, D>,
    id: ApprovalId,
    decision: Decision,
    who: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [decision.code().into(), who.into(), now.into(), id.text().into()];
    Ok(!tx.run(DECIDE, &params).await?.is_empty())
}

/// Refuses all that `who` asks for.
pub async fn refuse_of<D: Database>(tx: &Tx<'_, D>, who: &str, now: Timestamp) -> Result<(), DbError> {
    tx.run(REFUSE_OF, &[now.into(), who.into()]).await.map(drop)
}

/// Deletes up to `limit` rows whose time was over before `before`.
pub async fn forget<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<(), DbError> {
    tx.run(FORGET, &[before.into(), i64::from(limit).into()])
        .await
        .map(drop)
}

fn id(row: &Row) -> Result<ApprovalId, DbError> {
    row.code(0, |text| ApprovalId::parse(text).ok())
}

fn read(row: &Row) -> Result<ApprovalRow, DbError> {
    let text = |at| row.text(at).map(str::to_owned);
    Ok(ApprovalRow {
        id: id(row)?,
        what: text(1)?,
        who: text(2)?,
        object: text(3)?,
        digest: row.blob(4)?.to_owned(),
        is_open: row.text(5)? == "open",
        created_at: row.time(6)?,
        begins_at: row.time(7)?,
        ends_at: row.time(8)?,
    })
}
