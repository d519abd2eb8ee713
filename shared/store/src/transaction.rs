//! All or nothing.

use super::{Database, DbError};

// IMMEDIATE: a transaction that starts as a reader and then writes fails at once when another wrote
// in between; taking the write lock first waits instead.
const BEGIN: &str = "BEGIN IMMEDIATE";
const COMMIT: &str = "COMMIT";
const ROLLBACK: &str = "ROLLBACK";

/// Runs `body` in one transaction: committed when it succeeds, rolled back when it fails or when the
/// commit does. No transaction is left open.
///
/// # Errors
/// Those of `body`, and those of beginning and committing.
pub async fn transaction<D, T, E>(db: &D, body: impl AsyncFnOnce(&D) -> Result<T, E>) -> Result<T, E>
where
    D: Database,
    E: From<DbError>,
{
    db.run(BEGIN, &[]).await?;
    let result = match body(db).await {
        Ok(value) => db.run(COMMIT, &[]).await.map(|_| value).map_err(E::from),
        Err(error) => Err(error),
    };
    if result.is_err() {
        // The first error is the one worth telling. A rollback fails only when the engine has
        // rolled back already or the connection is lost, and then nothing is open either.
        let _ = db.run(ROLLBACK, &[]).await;
    }
    result
}
