//! Tables `audit`, `audit_detail` and `audit_object`: what staff did and read in bulk, in one chain; `audit_head` and
//! `audit_cut`: what is known of the chain elsewhere, and where it begins.
//!
//! Rows are added and, at the end of their retention, destroyed; nothing here updates one.

mod chain;

use chain::Verifier;
pub use chain::{AuditHead, Fault, HASH_BYTES, Hash, LEAST_AUDIT_DAYS, hash, restored};

use super::{Database, DbError, Row, Run as _, Statement, Tx, Value, first};
use domain::{MAX_CLOCK_SKEW_MS, Timestamp, codes};
use vault::{BlindIndex, Column};

/// Sealed column: the details of a row.
pub const DETAIL: Column = Column("audit_detail.detail");

/// Most rows of one page when the whole trail is read.
const PAGE_ROWS: u32 = 1_000;
/// Most rows that one page of a search looks at.
const MAX_LOOKED_AT: u64 = 10_000;

// One writer after the other: each goes on from the hash of the last one. Held until the commit.
const LOCK: Statement =
    Statement::of_postgres("SELECT CAST(pg_advisory_xact_lock(8246734127) AS TEXT) AS locked");
const LAST: &str = "SELECT seq, at, hash FROM audit ORDER BY seq DESC LIMIT 1";
const CUT: &str = "SELECT seq, at, hash FROM audit_cut WHERE id = 1";
const INSERT: &str = "INSERT INTO audit (seq, at, kind, who, what, outcome, reason, address, request_id, object, \
    detail_digest, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
const INSERT_DETAIL: &str = "INSERT INTO audit_detail (id, detail_sealed) VALUES ($1, $2)";
const INSERT_OBJECTS: &str = "INSERT INTO audit_object (seq, object_index, object) \
    SELECT CAST($1 AS BIGINT), unhex(value ->> 0), value ->> 1 FROM json_each($2)";

macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT a.seq, a.at, a.kind, a.who, a.what, a.outcome, a.reason, a.address, a.request_id, a.object, \
             a.detail_digest, a.hash",
            $rest
        )
    };
}
const AFTER: &str = columns!(" FROM audit a WHERE a.seq > $1 ORDER BY a.seq LIMIT $2");
/// A search by a condition; parameters: the numbers and the times between which the rows lie, who, what, outcome, what the
/// condition names, most rows.
macro_rules! search {
    ($table:literal, $condition:literal, $limit:literal) => {
        concat!(
            columns!(", d.detail_sealed FROM "),
            $table,
            " LEFT JOIN audit_detail d ON d.id = lower(hex(a.detail_digest)) WHERE a.seq < $1 AND a.seq >= $2 \
             AND a.at >= $3 AND a.at < $4 AND (a.who = $5 OR $5 IS NULL) AND (a.what = $6 OR $6 IS NULL) \
             AND (a.outcome = $7 OR $7 IS NULL)",
            $condition,
            " ORDER BY a.seq DESC LIMIT ",
            $limit
        )
    };
}
const SEARCH: &str = search!("audit a", "", "$8");
const SEARCH_INDEX: &str = search!(
    "audit a",
    " AND a.seq IN (SELECT o.seq FROM audit_object o WHERE o.object_index = $8)",
    "$9"
);
const SEARCH_TEXT: &str = search!(
    "audit a",
    " AND a.seq IN (SELECT o.seq FROM audit_object o WHERE o.object = $8)",
    "$9"
);
// Clocks of nodes differ a little, so numbers and times have not quite one order: a search tries the time of each row, too.
const FIRST_FROM: &str = "SELECT seq FROM audit WHERE at >= $1 ORDER BY at, seq LIMIT 1";
const LAST_BEFORE: &str = "SELECT seq FROM audit WHERE at < $1 ORDER BY at DESC, seq DESC LIMIT 1";
const HEADS: &str = "SELECT seq, at, hash FROM audit_head ORDER BY seq";
const LAST_HEAD: &str = "SELECT seq, at, hash FROM audit_head ORDER BY seq DESC LIMIT 1";
const ADD_HEAD: &str = "INSERT INTO audit_head (seq, at, hash) VALUES ($1, $2, $3)";
const ONE: &str = "SELECT seq, at, hash FROM audit WHERE seq = $1";
const DELETE: &str = "DELETE FROM audit WHERE seq <= $1 RETURNING lower(hex(detail_digest)) AS id";
const DELETE_DETAILS: &str = "DELETE FROM audit_detail WHERE id IN (SELECT value FROM json_each($1))";
const DELETE_OBJECTS: &str = "DELETE FROM audit_object WHERE seq <= $1";
const DELETE_HEADS: &str = "DELETE FROM audit_head WHERE seq < $1";
const PUT_CUT: &str = "INSERT INTO audit_cut (id, seq, at, hash) VALUES (1, $1, $2, $3) \
    ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, at = excluded.at, hash = excluded.hash";

codes!(
    /// What a row is about.
    AuditKind {
        /// An act that changes something.
        Change = "change",
        /// Rows were read in bulk, or identifiers in full.
        Read = "read",
        /// The database was restored from a backup: a branch begins.
        Restore = "restore",
        /// Rows of the trail were destroyed at the end of their retention.
        Destruction = "destruction",
    }
);

codes!(
    /// What became of it.
    AuditOutcome {
        /// It was done.
        Done = "done",
        /// It was refused, and changed nothing.
        Refused = "refused",
        /// The platform failed.
        Failed = "failed",
    }
);

/// A row that is to be added.
#[derive(Clone, Debug)]
pub struct NewAuditRow<'a> {
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: AuditKind,
    /// Who.
    pub who: &'a str,
    /// What, by the name of its right.
    pub what: &'a str,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// Why it was refused, or failed.
    pub reason: Option<&'a str>,
    /// From where.
    pub address: &'a str,
    /// Of which request.
    pub request_id: &'a str,
    /// On what, masked.
    pub object: &'a str,
    /// The details: their digest, and sealed for [`detail_id`].
    pub detail: Option<(Hash, Vec<u8>)>,
    /// What it can be searched for by.
    pub objects: &'a [AuditObject],
}

/// What a row is about, to be searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditObject {
    /// An identifier that is stored sealed.
    Index(BlindIndex),
    /// An identifier that is not.
    Text(String),
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its number, without gaps.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: AuditKind,
    /// Who.
    pub who: String,
    /// What, by the name of its right.
    pub what: String,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// Why it was refused, or failed.
    pub reason: Option<String>,
    /// From where.
    pub address: String,
    /// Of which request.
    pub request_id: String,
    /// On what, masked.
    pub object: String,
    /// Digest of the details.
    pub detail_digest: Option<Hash>,
    /// Its hash in the chain.
    pub hash: Hash,
}

impl AuditRow {
    /// The row as an export has it: what its hash is made of, by the names of the columns, and the hash.
    #[must_use]
    pub fn exported(&self) -> serde_json::Value {
        serde_json::json!({
            "seq": self.seq,
            "at": self.at.millis(),
            "kind": self.kind.code(),
            "who": self.who,
            "what": self.what,
            "outcome": self.outcome.code(),
            "reason": self.reason,
            "address": self.address,
            "request_id": self.request_id,
            "object": self.object,
            "detail_digest": self.detail_digest.map(hex::encode),
            "hash": hex::encode(self.hash),
        })
    }
}

/// The row of table `audit_detail` whose text has this digest.
#[must_use]
pub fn detail_id(digest: &Hash) -> String {
    hex::encode(digest)
}

/// The end of the chain.
pub async fn last<D: Database>(db: &D) -> Result<AuditHead, DbError> {
    for sql in [LAST, CUT] {
        if let Some(head) = first(&db.run(sql, &[]).await?, read_head)? {
            return Ok(head);
        }
    }
    Ok(AuditHead::NONE)
}

/// Adds a row to the chain, and returns its number. From then on until the end of the transaction nobody else adds one.
pub async fn append<D: Database>(tx: &Tx<'_, D>, new: NewAuditRow<'_>) -> Result<u64, DbError> {
    tx.run(LOCK, &[]).await?;
    let last = last(tx).await?;
    let mut row = AuditRow {
        seq: last.seq + 1,
        at: new.at,
        kind: new.kind,
        who: new.who.to_owned(),
        what: new.what.to_owned(),
        outcome: new.outcome,
        reason: new.reason.map(str::to_owned),
        address: new.address.to_owned(),
        request_id: new.request_id.to_owned(),
        object: new.object.to_owned(),
        detail_digest: new.detail.as_ref().map(|(digest, _)| *digest),
        hash: [0; HASH_BYTES],
    };
    row.hash = hash(&last.hash, &row);
    let seq = row.seq;
    tx.run(INSERT, &params(row)).await?;
    if let Some((digest, sealed)) = new.detail {
        tx.run(INSERT_DETAIL, &[detail_id(&digest).into(), sealed.into()])
            .await?;
    }
    if !new.objects.is_empty() {
        let objects = new.objects.iter().map(|object| match object {
            AuditObject::Index(index) => [Some(index.hex()), None],
            AuditObject::Text(text) => [None, Some(text.clone())],
        });
        let list = serde_json::to_string(&objects.collect::<Vec<_>>())
            .map_err(|_| DbError::Shape("a list of objects".to_owned()))?;
        tx.run(INSERT_OBJECTS, &[number(seq), list.into()]).await?;
    }
    Ok(seq)
}

fn number(seq: u64) -> Value {
    i64::try_from(seq).unwrap_or(i64::MAX).into()
}

fn params(row: AuditRow) -> [Value; 12] {
    [
        number(row.seq),
        row.at.into(),
        row.kind.code().into(),
        row.who.into(),
        row.what.into(),
        row.outcome.code().into(),
        row.reason.into(),
        row.address.into(),
        row.request_id.into(),
        row.object.into(),
        row.detail_digest.map(|digest| digest.to_vec()).into(),
        row.hash.to_vec().into(),
    ]
}

/// Rows after `seq`, in the order of the chain; at most a page.
pub async fn after<D: Database>(db: &D, seq: u64) -> Result<Vec<AuditRow>, DbError> {
    let params = [number(seq), i64::from(PAGE_ROWS).into()];
    db.run(AFTER, &params).await?.iter().map(read).collect()
}

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery<'a> {
    /// Rows before this one.
    pub below: Option<u64>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// Of this one.
    pub who: Option<&'a str>,
    /// Of this right.
    pub what: Option<&'a str>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// About this.
    pub object: Option<AuditObject>,
    /// Most rows.
    pub limit: u32,
}

/// How often a chain is read anew of which rows are destroyed meanwhile: they are once a day.
const MAX_READS: u32 = 3;

/// A row with its sealed details.
pub type Listed = (AuditRow, Option<Vec<u8>>);

/// A page of rows, the latest first, and the number before which the next one begins, if there may be one. A page looks at
/// a bounded number of rows, unless the search names an object.
pub async fn search<D: Database>(
    db: &D,
    query: AuditQuery<'_>,
) -> Result<(Vec<Listed>, Option<u64>), DbError> {
    let mut below = query.below.unwrap_or(u64::MAX);
    if let Some(to) = query.to {
        let end = bound(db, LAST_BEFORE, to.plus(MAX_CLOCK_SKEW_MS)).await?;
        below = below.min(end.map_or(0, |last| last + 1));
    }
    let floor = match query.from {
        Some(from) => {
            let first = bound(db, FIRST_FROM, from.plus(-MAX_CLOCK_SKEW_MS)).await?;
            first.unwrap_or(u64::MAX)
        }
        None => cut(db).await?.map_or(0, |cut| cut.seq + 1),
    };
    let mut least = floor;
    if query.object.is_none() {
        below = below.min(last(db).await?.seq + 1);
        least = floor.max(below.saturating_sub(MAX_LOOKED_AT));
    }
    let mut params = vec![
        number(below),
        number(least),
        query.from.unwrap_or(Timestamp(0)).into(),
        query.to.unwrap_or(Timestamp(i64::MAX)).into(),
        query.who.into(),
        query.what.into(),
        query.outcome.map(AuditOutcome::code).into(),
    ];
    let sql = match query.object {
        None => SEARCH,
        Some(AuditObject::Index(index)) => {
            params.push(index.into());
            SEARCH_INDEX
        }
        Some(AuditObject::Text(text)) => {
            params.push(text.into());
            SEARCH_TEXT
        }
    };
    params.push(i64::from(query.limit).into());
    let rows = db.run(sql, &params).await?;
    let is_full = rows.len() == query.limit as usize;
    let rows = rows
        .iter()
        .map(|row| Ok((read(row)?, row.optional(12, Row::blob)?.map(<[u8]>::to_vec))))
        .collect::<Result<Vec<_>, DbError>>()?;
    let next = match rows.last() {
        Some((row, _)) if is_full => Some(row.seq),
        _ if least > floor.max(1) => Some(least),
        _ => None,
    };
    Ok((rows, next))
}

async fn bound<D: Database>(db: &D, sql: &'static str, at: Timestamp) -> Result<Option<u64>, DbError> {
    let rows = db.run(sql, &[at.into()]).await?;
    first(&rows, |row| row.unsigned(0))
}

/// The last head that was sent.
pub async fn last_head<D: Database>(db: &D) -> Result<Option<AuditHead>, DbError> {
    first(&db.run(LAST_HEAD, &[]).await?, read_head)
}

/// Every head that was sent and of which the chain still has the row.
pub async fn heads<D: Database>(db: &D) -> Result<Vec<AuditHead>, DbError> {
    db.run(HEADS, &[]).await?.iter().map(read_head).collect()
}

/// Records that a head is sent.
pub async fn add_head<D: Database>(tx: &Tx<'_, D>, head: &AuditHead) -> Result<(), DbError> {
    let params = [number(head.seq), head.at.into(), head.hash.to_vec().into()];
    tx.run(ADD_HEAD, &params).await.map(drop)
}

/// The row after which the chain begins, if rows were destroyed.
pub async fn cut<D: Database>(db: &D) -> Result<Option<AuditHead>, DbError> {
    first(&db.run(CUT, &[]).await?, read_head)
}

/// The last row that may be destroyed, of at most `limit`: it and those before it were added before `before`. The last row
/// of the chain stays.
pub async fn due<D: Database>(db: &D, before: Timestamp, limit: u32) -> Result<Option<AuditHead>, DbError> {
    let begin = cut(db).await?.map_or(0, |cut| cut.seq);
    let last = last(db).await?.seq;
    let kept = bound(db, FIRST_FROM, before).await?.unwrap_or(last);
    let end = kept.min(last).saturating_sub(1).min(begin + u64::from(limit));
    if end <= begin {
        return Ok(None);
    }
    let end = first(&db.run(ONE, &[number(end)]).await?, read_head)?;
    Ok(end.filter(|end| end.at < before))
}

/// Destroys the rows up to `end`, after which the chain begins from then on; returns how many.
pub async fn destroy<D: Database>(tx: &Tx<'_, D>, end: &AuditHead) -> Result<usize, DbError> {
    let params = [number(end.seq), end.at.into(), end.hash.to_vec().into()];
    tx.run(PUT_CUT, &params).await?;
    let deleted = tx.run(DELETE, &[number(end.seq)]).await?;
    let ids: Vec<_> = deleted.iter().filter_map(|row| row.text(0).ok()).collect();
    let ids = serde_json::to_string(&ids).map_err(|_| DbError::Shape("a list of digests".to_owned()))?;
    tx.run(DELETE_DETAILS, &[ids.into()]).await?;
    tx.run(DELETE_OBJECTS, &[number(end.seq)]).await?;
    tx.run(DELETE_HEADS, &[number(end.seq)]).await?;
    Ok(deleted.len())
}

/// Reads the whole chain, and compares it with the heads that the database has and with `others`. Returns how many rows there
/// are, the end, how many heads were of branches that a restore has ended, and what is wrong.
pub async fn verified<D: Database>(
    db: &D,
    others: &[AuditHead],
    restored: &[String],
) -> Result<(u64, AuditHead, usize, Vec<Fault>), DbError> {
    let mut tries = 0;
    loop {
        let begin = cut(db).await?;
        let heads = heads(db).await?.into_iter().chain(others.iter().copied());
        let mut verifier = Verifier::new(begin, heads, restored);
        let mut seq = 0;
        loop {
            let rows = after(db, seq).await?;
            let Some(last) = rows.last() else { break };
            seq = last.seq;
            rows.iter().for_each(|row| verifier.read(row));
        }
        tries += 1;
        // Otherwise rows were destroyed meanwhile, and what was read of the beginning is not that of the rest.
        if tries == MAX_READS || cut(db).await? == begin {
            let rows = verifier.rows;
            let (end, excused, faults) = verifier.end();
            return Ok((rows, end, excused, faults));
        }
    }
}

fn hash_at(row: &Row, at: usize) -> Result<Hash, DbError> {
    let bytes = row.blob(at)?.try_into();
    bytes.map_err(|_| DbError::Shape(format!("column {at} is no hash")))
}

fn read_head(row: &Row) -> Result<AuditHead, DbError> {
    Ok(AuditHead {
        seq: row.unsigned(0)?,
        at: row.time(1)?,
        hash: hash_at(row, 2)?,
    })
}

fn read(row: &Row) -> Result<AuditRow, DbError> {
    let text = |at| row.text(at).map(str::to_owned);
    Ok(AuditRow {
        seq: row.unsigned(0)?,
        at: row.time(1)?,
        kind: row.code(2, AuditKind::from_code)?,
        who: text(3)?,
        what: text(4)?,
        outcome: row.code(5, AuditOutcome::from_code)?,
        reason: row.optional(6, Row::text)?.map(str::to_owned),
        address: text(7)?,
        request_id: text(8)?,
        object: text(9)?,
        detail_digest: row.optional(10, hash_at)?,
        hash: hash_at(row, 11)?,
    })
}
