//! Rows of the call log that stand for many refused calls: one for each minute and caller.

use serde_json::json;

use super::days::{day_of, ensure, on};
use super::{KEY_BITS, first_id};
use crate::{Database, DbError, Row, Run as _, Tx};
use domain::{ClientId, MINUTE_MS, Timestamp};

/// Most addresses of one minute that have a row of their own; the others share one.
pub const MAX_SUMMED_ADDRESSES: usize = 100;
/// The interface of such rows.
const INTERFACE: &str = "summary";

// Their keys begin with the first millisecond of their minute. An ordinary row of that millisecond keeps its key.
const OF_MINUTE: &str = "SELECT id, client_id, address, code, calls, first_at, last_at, gap_ms, reasons FROM call_log_0 \
    WHERE id >= $1 AND id < $2";
const PUT: &str = "INSERT INTO call_log_0 (id, client_id, interface, code, address, duration_us, request_id, calls, \
    first_at, last_at, gap_ms, reasons) SELECT CAST(value ->> 0 AS BIGINT), value ->> 1, value ->> 2, \
    CAST(value ->> 3 AS BIGINT), value ->> 4, 0, '', CAST(value ->> 5 AS BIGINT), CAST(value ->> 6 AS BIGINT), \
    CAST(value ->> 7 AS BIGINT), CAST(value ->> 8 AS BIGINT), value ->> 9 FROM json_each($1) WHERE true \
    ON CONFLICT (id) DO UPDATE SET code = excluded.code, calls = excluded.calls, first_at = excluded.first_at, \
    last_at = excluded.last_at, gap_ms = excluded.gap_ms, reasons = excluded.reasons";

/// Whom refused calls are counted against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefusedCaller {
    /// An unauthenticated caller, by its address.
    Address(String),
    /// A client, by its identifier.
    Client(String),
    /// Unauthenticated callers whose address is not known, or for which there is no row left.
    Others,
}

impl RefusedCaller {
    /// A client.
    #[must_use]
    pub fn client(id: &ClientId) -> Self {
        Self::Client(id.as_str().to_owned())
    }

    /// Its text among others of its kind.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Address(text) | Self::Client(text) => text,
            Self::Others => "",
        }
    }
}

/// Refused calls of one caller, together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedCalls {
    /// How many.
    pub calls: i64,
    /// When the first came.
    pub first: Timestamp,
    /// When the last came.
    pub last: Timestamp,
    /// The shortest time between two of them, in milliseconds.
    pub gap_ms: Option<i64>,
    /// Why they were refused.
    pub reasons: Vec<String>,
    /// HTTP status of the last.
    pub code: u16,
}

impl RefusedCalls {
    /// One call.
    #[must_use]
    pub fn one(at: Timestamp, code: u16, reason: &str) -> Self {
        Self {
            calls: 1,
            first: at,
            last: at,
            gap_ms: None,
            reasons: vec![reason.to_owned()],
            code,
        }
    }

    /// Adds others of the same caller. Where they came at the same time as these, the gaps between both are not known.
    pub fn add(&mut self, other: Self) {
        let between = if other.first >= self.last {
            Some(other.first.millis() - self.last.millis())
        } else if self.first >= other.last {
            Some(self.first.millis() - other.last.millis())
        } else {
            None
        };
        self.gap_ms = [self.gap_ms, other.gap_ms, between].into_iter().flatten().min();
        if other.last >= self.last {
            self.code = other.code;
        }
        self.calls = self.calls.saturating_add(other.calls);
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for reason in other.reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
    }
}

/// The first millisecond of a minute.
#[must_use]
pub fn minute_of(at: Timestamp) -> Timestamp {
    Timestamp(at.millis() - at.millis().rem_euclid(MINUTE_MS))
}

/// Refused calls of a minute, by their caller.
pub type Sums = Vec<(RefusedCaller, RefusedCalls)>;

/// Adds refused calls to the rows of their minute. In the transaction nobody else changes them.
pub async fn sum_up<D: Database>(tx: &Tx<'_, D>, minute: Timestamp, refused: &Sums) -> Result<(), DbError> {
    let (first, day) = (first_id(minute), day_of(minute));
    ensure(tx, day).await?;
    let span = [first.into(), (first + (1 << KEY_BITS)).into()];
    let mut used = Vec::new();
    let mut there: Vec<(i64, RefusedCaller, RefusedCalls)> = Vec::new();
    for row in &tx.run(on(Some(day), OF_MINUTE), &span).await? {
        let id = row.integer(0)?;
        used.push(id);
        if let Some(calls) = read(row, 4)? {
            there.push((id, caller_of(row)?, calls));
        }
    }
    let mut free = (first..).filter(|id| !used.contains(id));
    let mut changed = Vec::new();
    for (caller, calls) in refused {
        let addresses = there.iter().filter(|(_, caller, _)| is_address(caller)).count();
        let is_known = there.iter().any(|(_, known, _)| known == caller);
        let caller = if is_address(caller) && !is_known && addresses >= MAX_SUMMED_ADDRESSES {
            &RefusedCaller::Others
        } else {
            caller
        };
        if let Some((id, _, sum)) = there.iter_mut().find(|(_, known, _)| known == caller) {
            sum.add(calls.clone());
            changed.push(*id);
        } else if let Some(id) = free.next() {
            there.push((id, caller.clone(), calls.clone()));
            changed.push(id);
        }
    }
    let there = there.iter().filter(|(id, ..)| changed.contains(id));
    let list: Vec<_> = there
        .map(|(id, caller, calls)| values(*id, caller, calls))
        .collect();
    let list = serde_json::Value::from(list).to_string();
    tx.run(on(Some(day), PUT), &[list.into()]).await.map(drop)
}

fn is_address(caller: &RefusedCaller) -> bool {
    matches!(caller, RefusedCaller::Address(_))
}

fn caller_of(row: &Row) -> Result<RefusedCaller, DbError> {
    Ok(match (row.optional(1, Row::text)?, row.optional(2, Row::text)?) {
        (Some(client), _) => RefusedCaller::Client(client.to_owned()),
        (None, Some(address)) => RefusedCaller::Address(address.to_owned()),
        (None, None) => RefusedCaller::Others,
    })
}

/// The calls of a row from column `at` on, before which its status is; `None` of a row of one call.
pub(super) fn read(row: &Row, at: usize) -> Result<Option<RefusedCalls>, DbError> {
    let Some(calls) = row.optional(at, Row::integer)? else {
        return Ok(None);
    };
    Ok(Some(RefusedCalls {
        calls,
        first: row.time(at + 1)?,
        last: row.time(at + 2)?,
        gap_ms: row.optional(at + 3, Row::integer)?,
        reasons: row.text(at + 4)?.split(',').map(str::to_owned).collect(),
        code: row.number_code(3, |code| u16::try_from(code).ok())?,
    }))
}

fn values(id: i64, caller: &RefusedCaller, calls: &RefusedCalls) -> serde_json::Value {
    let text = Some(caller.text());
    let (client, address) = match caller {
        RefusedCaller::Client(_) => (text, None),
        RefusedCaller::Address(_) => (None, text),
        RefusedCaller::Others => (None, None),
    };
    json!([
        id,
        client,
        INTERFACE,
        calls.code,
        address,
        calls.calls,
        calls.first.millis(),
        calls.last.millis(),
        calls.gap_ms,
        calls.reasons.join(","),
    ])
}
