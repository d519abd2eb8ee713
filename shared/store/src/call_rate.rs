//! Tables `call_rate` and `ip_throttle`: buckets of permits of clients, and of addresses that present wrong
//! credentials. A bucket is stored as the time at which it is full again (see `domain::Bucket`); a missing row is a
//! full bucket.

use super::{Database, DbError, Row, Run as _, first};
use domain::{Bucket, ClientId, Timestamp, micros};

// The time moves only if enough permits are left. A stored time that is too late for any bucket comes from a clock
// that was set back since; it counts as a full bucket.
macro_rules! take {
    ($table:literal, $keys:literal, $values:literal, $now:literal, $cost:literal, $credible:literal, $empty:literal) => {
        concat!(
            "INSERT INTO ",
            $table,
            " AS b (",
            $keys,
            ", full_at) VALUES (",
            $values,
            ", CAST(",
            $now,
            " AS BIGINT) + ",
            $cost,
            ") ON CONFLICT (",
            $keys,
            ") DO UPDATE SET full_at = ",
            $cost,
            " + CASE WHEN b.full_at > ",
            $now,
            " AND b.full_at <= ",
            $credible,
            " THEN b.full_at ELSE ",
            $now,
            " END WHERE ",
            $cost,
            " + CASE WHEN b.full_at > ",
            $now,
            " AND b.full_at <= ",
            $credible,
            " THEN b.full_at ELSE ",
            $now,
            " END <= ",
            $empty,
            " RETURNING full_at"
        )
    };
}

const TAKE: &str = take!(
    "call_rate",
    "client_id, interface",
    "$1, $2",
    "$3",
    "$4",
    "$5",
    "$6"
);
const FULL_AT: &str = "SELECT full_at FROM call_rate WHERE client_id = $1 AND interface = $2";
const COUNT_FAILURE: &str = take!("ip_throttle", "address", "$1", "$2", "$3", "$4", "$5");
const IP_THROTTLE_FULL_AT: &str = "SELECT full_at FROM ip_throttle WHERE address = $1";
const FORGET: &str = "DELETE FROM ip_throttle WHERE address IN \
    (SELECT address FROM ip_throttle WHERE full_at <= $1 ORDER BY full_at LIMIT $2)";

/// Takes `permits` out of a client's bucket for an interface. Returns when it is full again, in microseconds since
/// 1970; `None` when too few permits are left.
pub async fn take<D: Database>(
    db: &D,
    client: &ClientId,
    interface: &str,
    bucket: Bucket,
    permits: u32,
    now: Timestamp,
) -> Result<Option<i64>, DbError> {
    let params = [
        client.into(),
        interface.into(),
        micros(now).into(),
        bucket.cost_us(permits).into(),
        bucket.latest_credible_us(now).into(),
        bucket.empty_us(now).into(),
    ];
    first(&db.run(TAKE, &params).await?, moment)
}

/// When a client's bucket is full again, in microseconds since 1970.
pub async fn full_at<D: Database>(
    db: &D,
    client: &ClientId,
    interface: &str,
) -> Result<Option<i64>, DbError> {
    first(
        &db.run(FULL_AT, &[client.into(), interface.into()]).await?,
        moment,
    )
}

/// Takes one permit out of an address's bucket. Returns when it is full again, in microseconds since 1970; `None` when
/// it is empty.
pub async fn count_failure<D: Database>(
    db: &D,
    address: &str,
    bucket: Bucket,
    now: Timestamp,
) -> Result<Option<i64>, DbError> {
    let params = [
        address.into(),
        micros(now).into(),
        bucket.cost_us(1).into(),
        bucket.latest_credible_us(now).into(),
        bucket.empty_us(now).into(),
    ];
    first(&db.run(COUNT_FAILURE, &params).await?, moment)
}

/// When an address's bucket is full again, in microseconds since 1970.
pub async fn ip_throttle_full_at<D: Database>(db: &D, address: &str) -> Result<Option<i64>, DbError> {
    first(&db.run(IP_THROTTLE_FULL_AT, &[address.into()]).await?, moment)
}

/// Deletes up to `most` addresses whose buckets are full again.
pub async fn forget<D: Database>(db: &D, most: u32, now: Timestamp) -> Result<(), DbError> {
    db.run(FORGET, &[micros(now).into(), i64::from(most).into()])
        .await
        .map(drop)
}

fn moment(row: &Row) -> Result<i64, DbError> {
    row.integer(0)
}
