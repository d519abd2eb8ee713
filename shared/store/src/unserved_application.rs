//! Table `unserved_application`: how many applications asked for provinces that are not served, by month (§8.3.2).

use super::{Database, DbError, Run as _, Tx, first};
use domain::{Month, Province};

const ADD: &str = "INSERT INTO unserved_application AS u (month, province, applications) VALUES ($1, $2, 1) \
    ON CONFLICT (month, province) DO UPDATE SET applications = u.applications + 1";
const COUNT: &str =
    "SELECT CAST(COALESCE(SUM(applications), 0) AS BIGINT) AS n FROM unserved_application WHERE month = $1";

/// Counts one application.
pub async fn add<D: Database>(tx: &Tx<'_, D>, month: Month, province: Province) -> Result<(), DbError> {
    let params = [month.to_string().into(), province.code().into()];
    tx.run(ADD, &params).await.map(drop)
}

/// How many there were in a month.
pub async fn count<D: Database>(db: &D, month: Month) -> Result<i64, DbError> {
    let rows = db.run(COUNT, &[month.to_string().into()]).await?;
    Ok(first(&rows, |row| row.integer(0))?.unwrap_or_default())
}
