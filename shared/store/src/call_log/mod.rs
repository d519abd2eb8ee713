//! Tables `call_log_<day>`: every call, in the order of time (§9.2.2). They are a database of their own, so that a row
//! neither waits for the state nor delays it.
//!
//! The key of a row begins with its time, so time needs no index of its own and rows are added at the end of the
//! table. The database of the state has the calls from before: in tables like these, and in `call_log` those from before
//! there was a table for each day.

mod days;
mod summary;

pub use days::{drop_day, oldest_day, prepare, set_up};

pub use summary::{MAX_SUMMED_ADDRESSES, RefusedCaller, RefusedCalls, Sums, minute_of, sum_up};

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};

use days::{create, day_of, on};

use crate::{Database, DbError, MAX_SIFTED, Row, Run as _, Tx, Value, first};
use domain::{ClientId, IncidentKind, Timestamp};
use vault::BlindIndex;

/// Bits of the key below the milliseconds.
const KEY_BITS: u32 = 22;

// A list of rows, each a list of its values in the order of the columns. WHERE keeps ON from being read as that of a
// join.
const INSERT: &str = "INSERT INTO call_log_0 (id, client_id, interface, code, reason, address, duration_us, request_id, \
    eid_index, task_id, subject, secret_generation) SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, \
    CAST(value ->> 3 AS BIGINT), value ->> 4, value ->> 5, CAST(value ->> 6 AS BIGINT), value ->> 7, \
    unhex(value ->> 8), value ->> 9, value ->> 10, CAST(value ->> 11 AS BIGINT) FROM json_each($1) WHERE true ON CONFLICT DO NOTHING RETURNING id";
const PURGE: &str = "DELETE FROM call_log WHERE id IN (SELECT id FROM call_log WHERE id < $1 ORDER BY id LIMIT $2) \
    RETURNING id";

// Only refusals of clients that proved who they are: what is found before the token is checked is not among them. The
// reasons come first in the index.
const REFUSALS: &str = "SELECT client_id, kind, COUNT(*) FROM (SELECT client_id, CASE \
    WHEN reason = 'ip_not_allowed' THEN 'call_timeout' WHEN interface <> 'write.apply' THEN NULL \
    WHEN reason = 'already_written' THEN 'already_written' ELSE 'application_invalid' END AS kind FROM call_log_0 \
    WHERE id >= $1 AND client_id IS NOT NULL AND reason IN ('ip_not_allowed', 'already_written', 'parameter_missing', \
    'parameter_malformed', 'parameter_not_applicable', 'eid_malformed', 'iccid_malformed', 'msisdn_malformed', \
    'province_malformed', 'unknown_chip', 'unknown_number', 'number_mismatch')) AS refused \
    WHERE kind IS NOT NULL GROUP BY client_id, kind ORDER BY COUNT(*) DESC, client_id, kind LIMIT $2";

// One statement for each index, so that the engine's choice is fixed; the other conditions only filter. The first looks
// for rows among those that the second has found to be few enough.
macro_rules! search {
    ($by:literal and $others:literal) => {
        Search {
            find: concat!(
                "SELECT id, client_id, interface, code, reason, address, duration_us, request_id, task_id, subject, \
                 secret_generation, calls, first_at, last_at, gap_ms, reasons \
                 FROM call_log_0 WHERE id >= $1 AND id < $2 AND ",
                $by,
                " AND (interface = $4 OR $4 IS NULL) AND \
                 (reason = $5 OR $5 IS NULL OR ',' || reasons || ',' LIKE '%,' || $5 || ',%') AND \
                 (request_id = $6 OR $6 IS NULL)",
                $others,
                " AND (secret_generation = $9 OR $9 IS NULL) ORDER BY id DESC LIMIT $10"
            ),
            looked_at: concat!(
                "SELECT COUNT(*) AS n, MIN(id) AS least FROM (SELECT id FROM call_log_0 WHERE id >= $1 AND id < $2 AND ",
                $by,
                " ORDER BY id DESC LIMIT $4) AS looked_at"
            ),
        }
    };
}
const BY_EID: Search =
    search!("eid_index = $3" and " AND (client_id = $7 OR $7 IS NULL) AND (task_id = $8 OR $8 IS NULL)");
const BY_TASK: Search =
    search!("task_id = $3" and " AND (client_id = $7 OR $7 IS NULL) AND (CAST($8 AS TEXT) IS NULL)");
const BY_CLIENT: Search =
    search!("client_id = $3" and " AND (CAST($7 AS TEXT) IS NULL) AND (CAST($8 AS TEXT) IS NULL)");
const BY_TIME: Search =
    search!("CAST($3 AS TEXT) IS NULL" and " AND (CAST($7 AS TEXT) IS NULL) AND (CAST($8 AS TEXT) IS NULL)");

/// The statements of a search by one index.
#[derive(Clone, Copy)]
struct Search {
    find: &'static str,
    looked_at: &'static str,
}

/// A row to be added.
#[derive(Clone, Debug)]
pub struct NewCallRow {
    /// When the call came.
    pub at: Timestamp,
    /// The client, if it is known or was named.
    pub client_id: Option<ClientId>,
    /// The generation of the secret that the client presented, or with which it took its token.
    pub secret_generation: Option<i64>,
    /// Name of the interface.
    pub interface: String,
    /// HTTP status.
    pub code: u16,
    /// Reason of a refusal.
    pub reason: Option<&'static str>,
    /// True address of the caller.
    pub address: Option<IpAddr>,
    /// How long the answer took.
    pub duration: Duration,
    /// Identifier of the request.
    pub request_id: Arc<str>,
    /// Blind index of the EID the call was about.
    pub eid_index: Option<BlindIndex>,
    /// The task the call was about.
    pub task_id: Option<String>,
    /// What the call was about, masked.
    pub subject: Option<String>,
}

/// A row as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRow {
    /// Key: the time of the call and a salt.
    pub id: i64,
    /// The client, if it is known or was named.
    pub client_id: Option<String>,
    /// The generation of the secret that the client presented, or with which it took its token.
    pub secret_generation: Option<i64>,
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
    /// The calls that the row stands for, if it is not one call.
    pub summary: Option<RefusedCalls>,
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
    /// Identifier of the request.
    pub request_id: Option<&'a str>,
    /// The EID the call was about.
    pub eid_index: Option<BlindIndex>,
    /// The client.
    pub client_id: Option<&'a ClientId>,
    /// The task the call was about.
    pub task_id: Option<&'a str>,
    /// The generation of the secret that the client presented, or with which it took its token.
    pub secret_generation: Option<i64>,
    /// Most rows.
    pub limit: u32,
}

/// The first key of a point in time.
#[must_use]
pub fn first_id(at: Timestamp) -> i64 {
    at.millis().clamp(0, i64::MAX >> KEY_BITS) << KEY_BITS
}

/// The key of a row. The salt distinguishes the keys of one millisecond.
#[must_use]
pub fn key(at: Timestamp, salt: u32) -> i64 {
    first_id(at) | (i64::from(salt) & ((1 << KEY_BITS) - 1))
}

/// Adds rows under their keys, those of a day in one statement. Returns the keys of those that were added: another row
/// may have the key of one, and the caller tries another key then.
pub async fn insert<D: Database>(db: &D, rows: &[(i64, &NewCallRow)]) -> Result<Vec<i64>, DbError> {
    let mut added = Vec::new();
    let mut left = rows.to_vec();
    while let Some((_, row)) = left.first() {
        let day = day_of(row.at);
        let (of_day, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|(_, row)| day_of(row.at) == day);
        left = others;
        let list: Vec<_> = of_day.iter().map(|(key, row)| values(*key, row)).collect();
        let params = [Json::from(list).to_string().into()];
        let text = on(Some(day), INSERT);
        let inserted = match db.run(text, &params).await {
            // The first call of a day whose table was not made ahead.
            Err(DbError::Failed(_)) => {
                create(db, day).await?;
                db.run(text, &params).await?
            }
            inserted => inserted?,
        };
        for row in inserted {
            added.push(row.integer(0)?);
        }
    }
    Ok(added)
}

fn values(key: i64, row: &NewCallRow) -> Json {
    let address = row.address.map(|address| address.to_canonical().to_string());
    let duration_us = i64::try_from(row.duration.as_micros()).unwrap_or(i64::MAX);
    let eid_index = row.eid_index.map(|index| hex::encode(index.as_bytes()));
    json!([
        key,
        row.client_id.as_ref().map(ClientId::as_str),
        row.interface,
        row.code,
        row.reason,
        address,
        duration_us,
        &*row.request_id,
        eid_index,
        row.task_id,
        row.subject,
        row.secret_generation,
    ])
}

/// Rows that match, the newest first, and the key down to which all were found, if older ones were not looked at.
#[derive(Clone, Debug, Default)]
pub struct FoundCalls {
    /// The rows.
    pub rows: Vec<CallRow>,
    /// The least key that was looked at, if there may be older ones.
    pub floor: Option<i64>,
}

/// The newest rows that match, in the database of the call log: a statement for each day, from the latest on, until there
/// are enough, or until [`MAX_SIFTED`] rows were looked at.
pub async fn search<D: Database>(db: &D, query: &CallQuery<'_>) -> Result<FoundCalls, DbError> {
    let tables = days_of(db, query).await?;
    search_in(db, query, tables.map(Some)).await
}

/// The same in the database of the state, which has the calls from before the log was a database of its own.
pub async fn search_former<D: Database>(db: &D, query: &CallQuery<'_>) -> Result<FoundCalls, DbError> {
    let tables = days_of(db, query).await?;
    search_in(db, query, tables.map(Some).chain([None])).await
}

async fn days_of<D: Database>(
    db: &D,
    query: &CallQuery<'_>,
) -> Result<impl Iterator<Item = i64> + use<D>, DbError> {
    let (first, last) = (query.from_id >> KEY_BITS, query.below_id >> KEY_BITS);
    let days = days::between(db, day_of(Timestamp(first)), day_of(Timestamp(last))).await?;
    Ok(days.into_iter())
}

/// The search by the most selective condition, and its parameters: the value of that condition, and the others.
fn search_of(query: &CallQuery<'_>) -> (Search, Value, Vec<Value>) {
    let (search, by, client, task): (_, Value, _, _) = if let Some(eid) = query.eid_index {
        (BY_EID, eid.into(), query.client_id, query.task_id)
    } else if let Some(task) = query.task_id {
        (BY_TASK, task.into(), query.client_id, None)
    } else if query.client_id.is_some() {
        (BY_CLIENT, query.client_id.into(), None, None)
    } else {
        (BY_TIME, Value::Null, None, None)
    };
    let others = vec![
        query.interface.into(),
        query.reason.into(),
        query.request_id.into(),
        client.into(),
        task.into(),
        query.secret_generation.into(),
    ];
    (search, by, others)
}

async fn search_in<D: Database>(
    db: &D,
    query: &CallQuery<'_>,
    tables: impl Iterator<Item = Option<i64>>,
) -> Result<FoundCalls, DbError> {
    let (search, by, others) = search_of(query);
    let is_sifted = others.iter().any(|value| *value != Value::Null);
    let (mut found, mut left) = (FoundCalls::default(), i64::from(MAX_SIFTED));
    for table in tables {
        let room = usize::try_from(query.limit).unwrap_or(usize::MAX) - found.rows.len();
        if room == 0 || found.floor.is_some() {
            break;
        }
        let mut from_id = query.from_id;
        if is_sifted {
            let params = [from_id.into(), query.below_id.into(), by.clone(), left.into()];
            let rows = db.run(on(table, search.looked_at), &params).await?;
            let looked_at = first(&rows, |row| row.integer(0))?.unwrap_or_default();
            left -= looked_at;
            if left <= 0 {
                from_id = first(&rows, |row| row.integer(1))?.unwrap_or(from_id);
                found.floor = Some(from_id);
            }
        }
        let mut params = vec![from_id.into(), query.below_id.into(), by.clone()];
        params.extend_from_slice(&others);
        params.push(i64::try_from(room).unwrap_or(i64::MAX).into());
        for row in &db.run(on(table, search.find), &params).await? {
            found.rows.push(read(row)?);
        }
    }
    Ok(found)
}

/// Refused calls of a client that are an incident of a kind if there are many.
#[derive(Clone, Debug)]
pub struct RefusalRow {
    /// The client.
    pub client_id: ClientId,
    /// The kind.
    pub kind: IncidentKind,
    /// How many there are.
    pub count: i64,
}

/// How often calls of clients were refused since `from`, by client and kind of incident; the `limit` largest counts.
pub async fn refusals<D: Database>(db: &D, from: Timestamp, limit: u32) -> Result<Vec<RefusalRow>, DbError> {
    let params = [first_id(from).into(), i64::from(limit).into()];
    let mut found: Vec<RefusalRow> = Vec::new();
    for day in days::between(db, day_of(from), i64::MAX).await? {
        for row in &db.run(on(Some(day), REFUSALS), &params).await? {
            let (client_id, kind) = (row.client_id(0)?, row.code(1, IncidentKind::from_code)?);
            let count = row.integer(2)?;
            let known = found
                .iter_mut()
                .find(|known| known.client_id == client_id && known.kind == kind);
            match known {
                Some(known) => known.count += count,
                None => found.push(RefusalRow {
                    client_id,
                    kind,
                    count,
                }),
            }
        }
    }
    found.sort_by_key(|row| std::cmp::Reverse(row.count));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// Deletes up to `most` rows older than `before` from the table that had every day; returns how many.
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
        secret_generation: row.optional(10, Row::integer)?,
        summary: summary::read(row, 11)?,
    })
}
