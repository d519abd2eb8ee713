//! Column `quarantined` of table `number`, and table `quarantine_release`: who released which numbers.
//!
//! A restore turns back the time. A number that is free in the backup may have been written to a card since, and one
//! that is reserved for a chip may have gone to another: so every number is quarantined, whatever its state, until a
//! person proves it unused.

use super::{Database, DbError, Run as _, Tx, Value, first};
use domain::{ImportId, Timestamp};
use vault::Column;

/// Sealed column: the person who released numbers.
pub const PERSON: Column = Column("quarantine_release.person");
/// Sealed column: the evidence that they are unused.
pub const REFERENCE: Column = Column("quarantine_release.reference");

const BEGIN: &str = "UPDATE number SET quarantined = 1 WHERE status <> 'retired'";
const COUNT: &str = "SELECT COUNT(*) AS n FROM number WHERE quarantined = 1";
const END: &str = "UPDATE number SET quarantined = 0, changed_at = $1 WHERE quarantined = 1 \
    AND iccid_index IN (SELECT unhex(value) FROM json_each($2)) RETURNING iccid_index";
const END_OF_IMPORT: &str = "UPDATE number SET quarantined = 0, changed_at = $1 WHERE quarantined = 1 \
    AND import_id = $2 RETURNING iccid_index";
const RECORD: &str = "INSERT INTO quarantine_release (id, released, import_id, person_sealed, reference_sealed, \
    released_at) VALUES ($1, $2, $3, $4, $5, $6)";
const POOL: &str = "SELECT COUNT(*) AS n FROM (SELECT 1 FROM number WHERE status = 'available' AND quarantined = 1 \
    AND province = $1 LIMIT $2) AS counted";

/// Quarantines every number that is not retired. Returns how many are.
pub async fn begin<D: Database>(tx: &Tx<'_, D>) -> Result<u64, DbError> {
    tx.run(BEGIN, &[]).await?;
    Ok(first(&tx.run(COUNT, &[]).await?, |row| row.unsigned(0))?.unwrap_or(0))
}

/// Releases numbers. Returns how many were quarantined. `iccids` is a JSON list of blind indexes in hexadecimal.
pub async fn end<D: Database>(tx: &Tx<'_, D>, iccids: String, now: Timestamp) -> Result<usize, DbError> {
    Ok(tx.run(END, &[now.into(), iccids.into()]).await?.len())
}

/// Releases the numbers of an import. Returns how many were quarantined.
pub async fn end_of_import<D: Database>(
    tx: &Tx<'_, D>,
    import: ImportId,
    now: Timestamp,
) -> Result<usize, DbError> {
    let params = [now.into(), import.text().into()];
    Ok(tx.run(END_OF_IMPORT, &params).await?.len())
}

/// Records a release: its identifier, how many numbers, of which import, and person and reference, both sealed.
pub async fn record<D: Database>(
    tx: &Tx<'_, D>,
    id: &str,
    (released, import): (usize, Option<ImportId>),
    [person, reference]: [Vec<u8>; 2],
    now: Timestamp,
) -> Result<(), DbError> {
    let params: [Value; 6] = [
        id.into(),
        i64::try_from(released).unwrap_or(i64::MAX).into(),
        import.map(|import| import.text()).into(),
        person.into(),
        reference.into(),
        now.into(),
    ];
    tx.run(RECORD, &params).await.map(drop)
}

/// Quarantined numbers that else would be in the pool of a province, counted up to `bound`.
pub async fn count<D: Database>(db: &D, province: domain::Province, bound: u32) -> Result<u32, DbError> {
    let params = [province.code().into(), i64::from(bound).into()];
    Ok(first(&db.run(POOL, &params).await?, |row| row.count(0))?.unwrap_or(0))
}
