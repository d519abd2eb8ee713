//! Table `chip_fault`: the register of faulty chips (§8.2.2). An entry stays when its chip is taken out.

use super::{Database, DbError, ListKey, Row, Run as _, Tx, chip};
use domain::{ClientId, Timestamp};
use vault::BlindIndex;

// A chip that is in the register gets no second entry.
const ENTER: &str = "INSERT INTO chip_fault (eid_index, seq, fault, status_word, chip_model, firmware, entered_at) \
    SELECT eid_index, (SELECT COALESCE(MAX(seq), 0) + 1 FROM chip_fault WHERE eid_index = $1), $2, $3, chip_model, $4, \
    $5 FROM chip WHERE eid_index = $1 ON CONFLICT (eid_index) WHERE removed_at IS NULL DO NOTHING";
const REMOVE: &str = "UPDATE chip_fault SET removed_at = $1 WHERE eid_index = $2 AND removed_at IS NULL";
const PAGE: &str = "SELECT f.eid_index, c.eid_sealed, c.client_id, f.chip_model, f.entered_at, f.seq, f.fault, \
    f.status_word, f.firmware, f.removed_at FROM chip_fault f JOIN chip c ON c.eid_index = f.eid_index \
    WHERE f.entered_at <= $1 AND (f.entered_at < $1 OR (f.eid_index, f.seq) < ($2, $3)) \
    AND (CAST($4 AS BIGINT) = 1 OR f.removed_at IS NULL) ORDER BY f.entered_at DESC, f.eid_index DESC, f.seq DESC LIMIT $5";

/// What is wrong with a chip.
#[derive(Clone, Copy, Debug)]
pub struct Fault<'a> {
    /// Stable name of the fault, or of why the chip was entered.
    pub code: &'a str,
    /// Status word with which the chip failed, four hexadecimal digits.
    pub status_word: Option<&'a str>,
    /// Firmware of the chip.
    pub firmware: Option<&'a str>,
}

impl<'a> Fault<'a> {
    /// A fault of which only the name is known.
    #[must_use]
    pub fn named(code: &'a str) -> Self {
        Self {
            code,
            status_word: None,
            firmware: None,
        }
    }
}

/// Enters a chip in the register, with its model; one that is there stays as it is. False when there is no such chip.
pub async fn enter<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    fault: Fault<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        eid_index.into(),
        fault.code.into(),
        fault.status_word.into(),
        fault.firmware.into(),
        now.into(),
    ];
    tx.run(ENTER, &params).await?;
    chip::mark_faulty(tx, eid_index, true, now).await
}

/// Takes a chip out of the register; its entry stays with the date. False when there is no such chip.
pub async fn remove<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    now: Timestamp,
) -> Result<bool, DbError> {
    tx.run(REMOVE, &[now.into(), eid_index.into()]).await?;
    chip::mark_faulty(tx, eid_index, false, now).await
}

/// An entry of the register.
#[derive(Clone, Debug)]
pub struct FaultRow {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// Its EID, sealed.
    pub eid_sealed: Vec<u8>,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// Model of the chip when it was entered.
    pub chip_model: String,
    /// When it was entered.
    pub entered_at: Timestamp,
    /// Number of the entry among those of the chip, from 1.
    pub seq: i64,
    /// Stable name of the fault.
    pub fault: String,
    /// Status word with which the chip failed.
    pub status_word: Option<String>,
    /// Firmware of the chip when it was entered.
    pub firmware: Option<String>,
    /// When it was taken out.
    pub removed_at: Option<Timestamp>,
}

/// Up to `limit` entries, the latest first, before the one with the key `below`. Those of chips that were taken out only if `removed_too`.
pub async fn page<D: Database>(
    db: &D,
    below: ListKey,
    removed_too: bool,
    limit: u32,
) -> Result<Vec<FaultRow>, DbError> {
    let params = [
        below.at.into(),
        below.index.into(),
        below.seq.into(),
        removed_too.into(),
        i64::from(limit).into(),
    ];
    let text = |row: &Row, at| Ok::<_, DbError>(row.optional(at, Row::text)?.map(str::to_owned));
    let read = |row: &Row| {
        Ok(FaultRow {
            eid_index: row.index(0)?,
            eid_sealed: row.blob(1)?.to_owned(),
            client_id: row.client_id(2)?,
            chip_model: row.text(3)?.to_owned(),
            entered_at: row.time(4)?,
            seq: row.integer(5)?,
            fault: row.text(6)?.to_owned(),
            status_word: text(row, 7)?,
            firmware: text(row, 8)?,
            removed_at: row.optional(9, Row::time)?,
        })
    };
    db.run(PAGE, &params).await?.iter().map(read).collect()
}
