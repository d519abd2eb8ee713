//! Table `chip_destruction`: chips that a person recorded as destroyed. What they held can go to other chips.

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::Timestamp;
use vault::{BlindIndex, Column};

/// Sealed column: the person who recorded it.
pub const PERSON: Column = Column("chip_destruction.person");
/// Sealed column: the reference of the record.
pub const REFERENCE: Column = Column("chip_destruction.reference");

const INSERT: &str = "INSERT INTO chip_destruction (eid_index, destroyed_on, person_sealed, reference_sealed, \
    recorded_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT destroyed_on, recorded_at FROM chip_destruction WHERE eid_index = $1";

/// A record as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestructionRow {
    /// Day of the destruction, `YYYY-MM-DD`.
    pub destroyed_on: String,
    /// When it was recorded.
    pub recorded_at: Timestamp,
}

/// The values of a new record.
pub struct NewDestructionRow<'a> {
    /// Blind index of the chip's EID.
    pub eid_index: &'a BlindIndex,
    /// Day of the destruction, `YYYY-MM-DD`.
    pub destroyed_on: String,
    /// Who recorded it, sealed.
    pub person_sealed: Vec<u8>,
    /// The reference of the record, sealed.
    pub reference_sealed: Vec<u8>,
}

/// Adds a record. One that is there stays as it is.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: NewDestructionRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        new.eid_index.into(),
        new.destroyed_on.as_str().into(),
        new.person_sealed.into(),
        new.reference_sealed.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// The record of a chip.
pub async fn find<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<DestructionRow>, DbError> {
    first(&db.run(FIND, &[eid_index.into()]).await?, |row: &Row| {
        Ok(DestructionRow {
            destroyed_on: row.text(0)?.to_owned(),
            recorded_at: row.time(1)?,
        })
    })
}
