//! What operators report on their numbers: data used, city, state, opening time. One statement takes up to a thousand
//! records through `json_each`, because each statement is a call from the component into the host.
//!
//! A batch is a JSON array of records `[kind, key, …]`. `kind` is `i` or `m`; `key` is the blind index of ICCID or
//! MSISDN in hexadecimal.

use super::{Database, DbError, Row, Run as _, Tx};
use domain::Timestamp;
use vault::BlindIndex;

/// What a record reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Data of the month.
    Usage,
    /// The city a number is online in.
    Location,
    /// The number's state at its operator.
    Status,
    /// When the number was opened.
    OpenTime,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 4] = [Self::Usage, Self::Location, Self::Status, Self::OpenTime];

    /// Stable name, in the database and in the configuration.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Location => "location",
            Self::Status => "status",
            Self::OpenTime => "open_time",
        }
    }
}

// The number of each record, and the latest report on it: its time, and its content as text.
macro_rules! known {
    ($as_of:literal, $content:literal, $join:literal) => {
        concat!(
            "SELECT n.iccid_index, ",
            $as_of,
            ", ",
            $content,
            ", n.status FROM json_each($1) j LEFT JOIN number n \
             ON n.iccid_index = CASE (j.value ->> 0) WHEN 'i' THEN unhex((j.value ->> 1)) \
             ELSE (SELECT iccid_index FROM number WHERE msisdn_index = unhex((j.value ->> 1))) END ",
            $join,
            " ORDER BY j.key"
        )
    };
}
const KNOWN_USAGE: &str = known!(
    "t.as_of",
    "t.total_bytes || '/' || t.used_bytes",
    "LEFT JOIN number_usage t ON t.iccid_index = n.iccid_index"
);
const KNOWN_LOCATION: &str = known!(
    "t.as_of",
    "t.city",
    "LEFT JOIN number_location t ON t.iccid_index = n.iccid_index"
);
const KNOWN_STATUS: &str = known!(
    "n.status_as_of",
    "CASE n.status WHEN 'suspended' THEN 'suspended' WHEN 'retired' THEN 'retired' ELSE 'active' END",
    ""
);
const KNOWN_OPEN_TIME: &str = known!("n.open_time_as_of", "CAST(n.open_time AS TEXT)", "");

// A stored report that lies ten minutes ahead comes from a clock that was set back since.
const STORE_USAGE: &str = "INSERT INTO number_usage (iccid_index, total_bytes, used_bytes, as_of, received_at) \
    SELECT unhex((value ->> 0)), CAST(value ->> 2 AS BIGINT), CAST(value ->> 3 AS BIGINT), \
    CAST(value ->> 1 AS BIGINT), CAST($1 AS BIGINT) FROM json_each($2) WHERE true ON CONFLICT (iccid_index) DO UPDATE SET \
    total_bytes = excluded.total_bytes, used_bytes = excluded.used_bytes, as_of = excluded.as_of, \
    received_at = excluded.received_at WHERE excluded.as_of > number_usage.as_of \
    OR number_usage.as_of > CAST($1 AS BIGINT) + 600000";
const STORE_LOCATION: &str = "INSERT INTO number_location (iccid_index, city, as_of, received_at) \
    SELECT unhex((value ->> 0)), (value ->> 2), CAST(value ->> 1 AS BIGINT), CAST($1 AS BIGINT) \
    FROM json_each($2) WHERE true ON CONFLICT (iccid_index) DO UPDATE SET city = excluded.city, \
    as_of = excluded.as_of, received_at = excluded.received_at WHERE excluded.as_of > number_location.as_of \
    OR number_location.as_of > CAST($1 AS BIGINT) + 600000";
// A number that is active again returns to the state before it was suspended, unless its card was written with another
// one.
const STORE_STATUS: &str = "UPDATE number SET status = CASE j.reported WHEN 'active' THEN CASE \
    WHEN number.status <> 'suspended' OR number.replaced = 1 THEN number.status WHEN written_at IS NOT NULL THEN 'written' \
    WHEN eid_index IS NOT NULL THEN 'reserved' WHEN client_id IS NOT NULL THEN 'allotted' ELSE 'available' END \
    ELSE j.reported END, status_as_of = j.as_of, changed_at = $1 FROM (SELECT unhex((value ->> 0)) AS iccid, \
    CAST(value ->> 1 AS BIGINT) AS as_of, (value ->> 2) AS reported FROM json_each($2)) AS j \
    WHERE number.iccid_index = j.iccid AND number.status <> 'retired'";
const STORE_OPEN_TIME: &str = "UPDATE number SET open_time = j.opened, open_time_as_of = j.as_of, changed_at = $1 \
    FROM (SELECT unhex((value ->> 0)) AS iccid, CAST(value ->> 1 AS BIGINT) AS as_of, \
    CAST(value ->> 2 AS BIGINT) AS opened FROM json_each($2)) AS j WHERE number.iccid_index = j.iccid";

/// The stored report on the number of a record.
#[derive(Clone, Debug)]
pub struct Known {
    /// The number.
    pub iccid_index: BlindIndex,
    /// The latest report: its time, and its content as text.
    pub reported: Option<(Timestamp, String)>,
    /// True when the number is retired.
    pub is_retired: bool,
}

/// Finds the numbers of a batch `[[kind, key], …]`, in its order; `None` for unknown numbers.
pub async fn known<D: Database>(db: &D, topic: Topic, batch: String) -> Result<Vec<Option<Known>>, DbError> {
    let sql = match topic {
        Topic::Usage => KNOWN_USAGE,
        Topic::Location => KNOWN_LOCATION,
        Topic::Status => KNOWN_STATUS,
        Topic::OpenTime => KNOWN_OPEN_TIME,
    };
    db.run(sql, &[batch.into()]).await?.iter().map(read).collect()
}

/// Stores a batch `[[ICCID index, as-of, …], …]`, at most one record for a number.
pub async fn store<D: Database>(
    tx: &Tx<'_, D>,
    topic: Topic,
    batch: String,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = match topic {
        Topic::Usage => STORE_USAGE,
        Topic::Location => STORE_LOCATION,
        Topic::Status => STORE_STATUS,
        Topic::OpenTime => STORE_OPEN_TIME,
    };
    tx.run(sql, &[now.into(), batch.into()]).await.map(drop)
}

fn read(row: &Row) -> Result<Option<Known>, DbError> {
    let Some(iccid_index) = row.optional(0, Row::index)? else {
        return Ok(None);
    };
    let reported = match (row.optional(1, Row::time)?, row.optional(2, Row::text)?) {
        (Some(as_of), Some(content)) => Some((as_of, content.to_owned())),
        _ => None,
    };
    Ok(Some(Known {
        iccid_index,
        reported,
        is_retired: row.text(3)? == "retired",
    }))
}
