//! Table `pool_level`: the watched pools of operator numbers, one for each province (§5.3.1.1).
//!
//! A level is counted up to a bound, so that counting costs the same however many numbers there are.

use super::{Database, DbError, Row, Run as _, Statement, Tx, Value, first};
use domain::{IncidentKind, PoolState, Province, Timestamp};

const ADD: &str = "INSERT INTO pool_level (province, state, level, changed_at) VALUES ($1, 'ok', 0, $2) \
    ON CONFLICT (province) DO NOTHING";
const ADD_OF: &str = "INSERT INTO pool_level (province, state, level, changed_at) SELECT DISTINCT province, 'ok', 0, \
    CAST($1 AS BIGINT) FROM number WHERE iccid_index IN (SELECT unhex(value) FROM json_each($2)) \
    ON CONFLICT (province) DO NOTHING";
macro_rules! all {
    () => {
        "SELECT province, low_water, state, level, changed_at, EXISTS (SELECT 1 FROM incident \
    WHERE kind = $1 AND subject = 'province:' || pool_level.province AND closed_at IS NULL) AS is_incident_open \
    FROM pool_level ORDER BY province"
    };
}
// Where there are several writers, the levels are kept while they are compared with what is counted.
const ALL: Statement = Statement::new(all!(), concat!(all!(), " FOR NO KEY UPDATE"));
const PROVINCES: &str = "SELECT province FROM pool_level ORDER BY province";
const COUNT: &str = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM number WHERE status = 'available' \
    AND quarantined = 0 AND province = $1 LIMIT $2) AS counted";
const NOTE: &str = "UPDATE pool_level SET changed_at = CASE WHEN state = $1 THEN changed_at ELSE $2 END, state = $1, \
    level = $3 WHERE province = $4 AND state = $5 AND level = $6 RETURNING province";
const FILLED: &str =
    "UPDATE pool_level SET state = 'low', changed_at = $1 WHERE province = $2 AND state = 'empty'";
const SET_LOW_WATER: &str = "UPDATE pool_level SET low_water = $1 WHERE province = $2 RETURNING province";

/// A pool as it was last recorded.
#[derive(Clone, Debug)]
pub struct PoolRow {
    /// The province.
    pub province: Province,
    /// The province's own low-water mark.
    pub low_water: Option<u32>,
    /// State of the pool.
    pub state: PoolState,
    /// Free numbers when last counted, up to the bound of the count.
    pub level: u32,
    /// Since when it is in this state.
    pub changed_at: Timestamp,
    /// Whether an incident that reports it empty is open.
    pub is_incident_open: bool,
}

/// Starts watching the pool of a province.
pub async fn add<D: Database>(tx: &Tx<'_, D>, province: &str, now: Timestamp) -> Result<(), DbError> {
    tx.run(ADD, &[province.into(), now.into()]).await.map(drop)
}

/// Starts watching the pools of the provinces of these numbers, a JSON list of hexadecimal indexes of ICCIDs.
pub async fn add_of<D: Database>(tx: &Tx<'_, D>, numbers: String, now: Timestamp) -> Result<(), DbError> {
    tx.run(ADD_OF, &[now.into(), numbers.into()]).await.map(drop)
}

/// The provinces that ever had numbers in their pool, by code.
pub async fn provinces<D: Database>(db: &D) -> Result<Vec<Province>, DbError> {
    let rows = db.run(PROVINCES, &[]).await?;
    let read = |row: &Row| row.code(0, |code| Province::parse(code).ok());
    rows.iter().map(read).collect()
}

/// Every watched pool, by the code of its province.
pub async fn all<D: Database>(db: &D) -> Result<Vec<PoolRow>, DbError> {
    let kind = IncidentKind::ProvinceWithoutNumber.code();
    db.run(ALL, &[kind.into()]).await?.iter().map(read).collect()
}

/// Records that an empty pool has numbers again; the next count finds how many.
pub async fn filled<D: Database>(tx: &Tx<'_, D>, province: &str, now: Timestamp) -> Result<(), DbError> {
    let params = [now.into(), province.into()];
    tx.run(FILLED, &params).await.map(drop)
}

/// Free numbers in the pool of a province, counted up to `bound`. Numbers allotted to clients do not count.
pub async fn count<D: Database>(db: &D, province: Province, bound: u32) -> Result<u32, DbError> {
    let rows = db
        .run(COUNT, &[province.code().into(), i64::from(bound).into()])
        .await?;
    Ok(first(&rows, |row| row.count(0))?.unwrap_or(0))
}

/// Records the state of a pool. False when the row is not as `seen` any more.
pub async fn note<D: Database>(
    tx: &Tx<'_, D>,
    seen: &PoolRow,
    state: PoolState,
    level: u32,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params: [Value; 6] = [
        state.code().into(),
        now.into(),
        i64::from(level).into(),
        seen.province.code().into(),
        seen.state.code().into(),
        i64::from(seen.level).into(),
    ];
    Ok(!tx.run(NOTE, &params).await?.is_empty())
}

/// Sets the low-water mark of a province; with none, the platform's mark applies. False when the pool is not watched.
pub async fn set_low_water<D: Database>(
    tx: &Tx<'_, D>,
    province: Province,
    low_water: Option<u32>,
) -> Result<bool, DbError> {
    let params = [low_water.map(i64::from).into(), province.code().into()];
    Ok(!tx.run(SET_LOW_WATER, &params).await?.is_empty())
}

fn read(row: &Row) -> Result<PoolRow, DbError> {
    Ok(PoolRow {
        province: row.code(0, |code| Province::parse(code).ok())?,
        low_water: row.optional(1, Row::count)?,
        state: row.code(2, PoolState::from_code)?,
        level: row.count(3)?,
        changed_at: row.time(4)?,
        is_incident_open: row.flag(5)?,
    })
}
