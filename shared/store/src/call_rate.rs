//! Table `call_rate`: buckets of permits of clients. A bucket is stored as the time at which it is full again (see
//! `domain::Bucket`); a missing row is a full bucket.

use super::{Database, DbError, Row, Run as _, first};
use domain::{Bucket, ClientId, Timestamp, micros};

// The time moves only if enough permits are left. A stored time that is too late for any bucket comes from a clock
// that was set back since; it counts as a full bucket.
const TAKE: &str = "INSERT INTO call_rate AS b (client_id, interface, full_at) VALUES ($1, $2, CAST($3 AS BIGINT) + $4) \
    ON CONFLICT (client_id, interface) DO UPDATE SET full_at = $4 + CASE WHEN b.full_at > $3 AND b.full_at <= $5 \
    THEN b.full_at ELSE $3 END WHERE $4 + CASE WHEN b.full_at > $3 AND b.full_at <= $5 THEN b.full_at ELSE $3 END <= $6 \
    RETURNING full_at";
const FULL_AT: &str = "SELECT full_at FROM call_rate WHERE client_id = $1 AND interface = $2";

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

fn moment(row: &Row) -> Result<i64, DbError> {
    row.integer(0)
}
