//! Table `call_log`: every call, in the order of time (§9.2.2).
//!
//! The key of a row begins with its time, so time needs no index of its own and rows are added at the end of the
//! table.

use super::{Database, DbError, Row, Run as _, Tx, Value};
use domain::{ClientId, Timestamp};
use vault::BlindIndex;

/// Bits of the key below the milliseconds.
const KEY_BITS: u32 = 22;

const INSERT: &str = "INSERT INTO call_log (id, client_id, interface, code, reason, address, duration_us, request_id, \
    eid_index, task_id, subject) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING \
    RETURNING id";
const PURGE: &str = "DELETE FROM call_log WHERE id IN (SELECT id FROM call_log WHERE id < $1 ORDER BY id LIMIT $2) \
    RETURNING id";

// One statement for each index, so that the engine's choice is fixed; the other conditions only filter.
macro_rules! search {
    ($by:literal) => {
        concat!(
            "SELECT id, client_id, interface, code, reason, address, duration_us, request_id, task_id, subject \
             FROM call_log WHERE id >= $1 AND id < $2 AND ($3 IS NULL OR interface = $3) AND \
             ($4 IS NULL OR reason = $4) AND ",
            $by,
            " ORDER BY id DESC LIMIT $8"
        )
    };
}
const BY_EID: &str =
    search!("eid_index = $5 AND ($6 IS NULL OR client_id = $6) AND ($7 IS NULL OR task_id = $7)");
const BY_TASK: &str =
    search!("($5 IS NULL OR eid_index = $5) AND ($6 IS NULL OR client_id = $6) AND task_id = $7");
const BY_CLIENT: &str =
    search!("($5 IS NULL OR eid_index = $5) AND client_id = $6 AND ($7 IS NULL OR task_id = $7)");
const BY_TIME: &str = search!(
    "($5 IS NULL OR eid_index = $5) AND ($6 IS NULL OR client_id = $6) AND ($7 IS NULL OR task_id = $7)"
);

/// A row to be added.
pub struct NewCallRow<'a> {
    /// When the call came.
    pub at: Timestamp,
    /// Distinguishes the keys of one millisecond.
    pub salt: u32,
    /// The client, if it is known or was named.
    pub client_id: Option<&'a ClientId>,
    /// Name of the interface.
    pub interface: &'a str,
    /// HTTP status.
    pub code: u16,
    /// Reason of a refusal.
    pub reason: Option<&'a str>,
    /// True address of the caller.
    pub address: Option<String>,
    /// How long the answer took, in microseconds.
    pub duration_us: i64,
    /// Identifier of the request.
    pub request_id: &'a str,
    /// Blind index of the EID the call was about.
    pub eid_index: Option<BlindIndex>,
    /// The task the call was about.
    pub task_id: Option<&'a str>,
    /// What the call was about, masked.
    pub subject: Option<&'a str>,
}

/// A row as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Key: the time of the call and a salt.
    pub id: i64,
    /// The client, if it is known or was named.
    pub client_id: Option<String>,
    /// Name of the interface.
    pub interface: String,
    /// HTTP status.
    pub code: i64,
    /// Reason of a refusal.
    pub reason: Option<String>,
    /// True address of the caller.
    pub address: Option<String>,
    /// How long the answer took, in microseconds.
    pub duration_us: i64,
    /// Identifier of the request.
    pub request_id: String,
    /// The task the call was about.
    pub task_id: Option<String>,
    /// What the call was about, masked.
    pub subject: Option<String>,
}

impl CallRow {
    /// When the call came.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        Timestamp(self.id >> KEY_BITS)
    }
}

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct CallQuery<'a> {
    /// Keys from here on.
    pub from_id: i64,
    /// Keys below this.
    pub below_id: i64,
    /// Name of the interface.
    pub interface: Option<&'a str>,
    /// Reason of the refusal.
    pub reason: Option<&'a str>,
    /// The EID the call was about.
    pub eid_index: Option<BlindIndex>,
    /// The client.
    pub client_id: Option<&'a ClientId>,
    /// The task the call was about.
    pub task_id: Option<&'a str>,
    /// Most rows.
    pub limit: u32,
}

/// The first key of a point in time.
#[must_use]
pub fn first_id(at: Timestamp) -> i64 {
    at.millis().clamp(0, i64::MAX >> KEY_BITS) << KEY_BITS
}

/// Adds a row. False when its key is taken; the caller tries another salt.
pub async fn insert<D: Database>(db: &D, new: &NewCallRow<'_>) -> Result<bool, DbError> {
    let salt = i64::from(new.salt) & ((1 << KEY_BITS) - 1);
    let params = [
        (first_id(new.at) | salt).into(),
        new.client_id.into(),
        new.interface.into(),
        i64::from(new.code).into(),
        new.reason.into(),
        new.address.clone().into(),
        new.duration_us.into(),
        new.request_id.into(),
        new.eid_index.into(),
        new.task_id.into(),
        new.subject.into(),
    ];
    Ok(!db.run(INSERT, &params).await?.is_empty())
}

/// The newest rows that match.
pub async fn search<D: Database>(db: &D, query: &CallQuery<'_>) -> Result<Vec<CallRow>, DbError> {
    let sql = if query.eid_index.is_some() {
        BY_EID
    } else if query.task_id.is_some() {
        BY_TASK
    } else if query.client_id.is_some() {
        BY_CLIENT
    } else {
        BY_TIME
    };
    let params: [Value; 8] = [
        query.from_id.into(),
        query.below_id.into(),
        query.interface.into(),
        query.reason.into(),
        query.eid_index.into(),
        query.client_id.into(),
        query.task_id.into(),
        i64::from(query.limit).into(),
    ];
    db.run(sql, &params).await?.iter().map(read).collect()
}

/// Deletes up to `most` rows older than `before`; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, most: u32) -> Result<usize, DbError> {
    let rows = tx
        .run(PURGE, &[first_id(before).into(), i64::from(most).into()])
        .await?;
    Ok(rows.len())
}

fn read(row: &Row) -> Result<CallRow, DbError> {
    let text = |at| Ok::<_, DbError>(row.optional(at, Row::text)?.map(str::to_owned));
    Ok(CallRow {
        id: row.integer(0)?,
        client_id: text(1)?,
        interface: row.text(2)?.to_owned(),
        code: row.integer(3)?,
        reason: text(4)?,
        address: text(5)?,
        duration_us: row.integer(6)?,
        request_id: row.text(7)?.to_owned(),
        task_id: text(8)?,
        subject: text(9)?,
    })
}
