//! Table `chip`: one row per eUICC, keyed by the blind index of its EID (§5.2.1.2).

use super::destruction::purge_all;
use super::incident::no_open_incident;
use super::{Database, DbError, Row, Run as _, Statement, Tx, first};
use domain::error::Error;
use domain::{CardStatus, ClientId, Eid, Timestamp};
use vault::{BlindIndex, Column, Vault};

/// Sealed column: EID.
pub const EID: Column = Column("chip.eid");
/// Sealed column: temporary number.
pub const TEMP_MSISDN: Column = Column("chip.temp_msisdn");
/// Sealed column: ICCID of the temporary number.
pub const TEMP_ICCID: Column = Column("chip.temp_iccid");
/// Sealed column: IMSI of the temporary number.
pub const TEMP_IMSI: Column = Column("chip.temp_imsi");
/// Sealed column: IMEI of the module.
pub const IMEI: Column = Column("chip.imei");
/// Sealed column: registered PSK identity.
pub const PSK_IDENTITY: Column = Column("chip.psk_identity");
/// Sealed column: PSK.
pub const PSK: Column = Column("chip.psk");
/// Sealed column: DEK.
pub const DEK: Column = Column("chip.dek");

macro_rules! columns {
    () => {
        "chip.eid_index, chip.eid_sealed, chip.client_id, chip.chip_model, chip.profile, chip.temp_expires_at, \
         chip.allowance_bytes, chip.used_bytes, chip.psk_identity_index, chip.key_version, chip.psk_sealed, \
         chip.dek_sealed, chip.status, chip.faulty, chip.imported_digest, chip.reopened, chip.blocked"
    };
}
pub(super) use columns as chip_columns;

const BY_EID: &str = concat!("SELECT ", columns!(), " FROM chip WHERE eid_index = $1");
const BY_EIDS: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM chip WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))"
);
const BY_PSK_IDENTITY: &str = concat!("SELECT ", columns!(), " FROM chip WHERE psk_identity_index = $1");
// A card that is written (4) has an operator number; no alert reports the end of its temporary one.
const SET_STATUS: Statement = Statement::new(
    "UPDATE chip SET status = $1, \
    temp_next_at = CASE WHEN CAST($1 AS BIGINT) = 4 THEN NULL ELSE temp_next_at END, changed_at = $2 \
    WHERE eid_index = $3 AND status = $4 RETURNING eid_index",
    "SELECT chip_set_status($1, $2, $3, $4)",
);
const ADD_USED: Statement = Statement::new(
    "UPDATE chip SET used_bytes = used_bytes + $1, changed_at = $2 WHERE eid_index = $3",
    "SELECT chip_add_used($1, $2, $3)",
);
const SET_HALF_USED: &str = "UPDATE chip SET half_used_at = $1 WHERE eid_index = $2 AND half_used_at IS NULL \
    AND used_bytes >= allowance_bytes - used_bytes RETURNING eid_index";
const SET_REOPENED: &str =
    "UPDATE chip SET reopened = $1, changed_at = $2 WHERE eid_index = $3 AND reopened <> $1";
const SET_BLOCKED: &str =
    "UPDATE chip SET blocked = $1, changed_at = $2 WHERE eid_index = $3 AND blocked <> $1";
const SET_REPLACED: &str = "UPDATE chip SET replaced = 1 WHERE eid_index = $1";
const MARK_FAULTY: &str = "UPDATE chip SET faulty = $1, \
    faulty_at = CASE WHEN CAST($1 AS BIGINT) = 0 THEN NULL WHEN faulty = 1 THEN faulty_at ELSE $2 END, changed_at = $2 \
    WHERE eid_index = $3 RETURNING eid_index";

// A chip that was replaced or destroyed, and that nothing refers to any more but what ends with it.
const PURGED: &str = concat!(
    "SELECT c.eid_index FROM chip c WHERE c.eid_index IN (SELECT eid_index FROM chip WHERE replaced = 1 \
     AND changed_at < $1 UNION ALL SELECT eid_index FROM chip_destruction WHERE recorded_at < $1) \
     AND NOT EXISTS (SELECT 1 FROM number n WHERE n.eid_index = c.eid_index) \
     AND NOT EXISTS (SELECT 1 FROM device_session s WHERE s.eid_index = c.eid_index) \
     AND NOT EXISTS (SELECT 1 FROM message m WHERE m.eid_index = c.eid_index) \
     AND NOT EXISTS (SELECT 1 FROM task t WHERE t.eid_index = c.eid_index AND (t.finished_at IS NULL \
     OR EXISTS (SELECT 1 FROM number n WHERE n.task_id = t.id) \
     OR EXISTS (SELECT 1 FROM device_session s WHERE s.task_id = t.id) \
     OR EXISTS (SELECT 1 FROM message m WHERE m.task_id = t.id))) AND ",
    no_open_incident!("c.eid_index"),
    " ORDER BY c.eid_index LIMIT $2"
);
const PURGE: [&str; 6] = [
    "DELETE FROM task WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM card_history WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM temporary_number_history WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM chip_fault WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM chip_destruction WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
    "DELETE FROM chip WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))",
];
const FAILED_HANDSHAKES: &str = "SELECT failed_handshakes, handshake_failed_at, handshake_failure, key_version \
    FROM chip WHERE eid_index = $1";
const ADD_FAILED_HANDSHAKES: &str = "UPDATE chip SET failed_handshakes = failed_handshakes + $1, \
    handshake_failed_at = $2, handshake_failure = $3 WHERE eid_index = $4";
const EIDS: &str =
    "SELECT eid_index, eid_sealed FROM chip WHERE eid_index IN (SELECT unhex(value) FROM json_each($1))";

/// A chip as stored.
#[derive(Clone, Debug)]
pub struct ChipRow {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// Model of the chip.
    pub chip_model: String,
    /// Name of its card profile.
    pub profile: String,
    /// When its temporary number expires.
    pub temp_expires_at: Timestamp,
    /// Test allowance it was given, in bytes.
    pub allowance_bytes: u64,
    /// Bytes of it that are used.
    pub used_bytes: u64,
    /// True when it was registered with an explicit PSK identity.
    pub has_psk_identity: bool,
    /// Key version number (KVN).
    pub key_version: i64,
    /// Sealed PSK; none when it is diversified.
    pub psk_sealed: Option<Vec<u8>>,
    /// Sealed DEK; none when it is diversified.
    pub dek_sealed: Option<Vec<u8>>,
    /// State of the card.
    pub status: CardStatus,
    /// True when it is registered as faulty.
    pub faulty: bool,
    /// Digest of the row it was imported from.
    pub imported_digest: BlindIndex,
    /// True from when it was reopened until it is written with another number. Its sessions go over its operator
    /// number.
    pub reopened: bool,
    /// True while an incident is open that its EID is in use twice.
    pub blocked: bool,
}

impl ChipRow {
    /// Test allowance left, in bytes.
    #[must_use]
    pub fn remaining_bytes(&self) -> u64 {
        self.allowance_bytes.saturating_sub(self.used_bytes)
    }

    /// Opens the EID.
    ///
    /// # Errors
    /// `Reason::Internal` when the EID cannot be opened.
    pub fn eid(&self, vault: &Vault) -> Result<Eid, Error> {
        let text = vault.open_text(EID, self.eid_index.as_bytes(), &self.eid_sealed)?;
        Eid::parse(&text).map_err(Error::internal)
    }
}

/// Finds a chip by its EID.
pub async fn by_eid<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<ChipRow>, DbError> {
    first(&db.run(BY_EID, &[eid_index.into()]).await?, read)
}

/// Finds chips by their EIDs, in no order. `eids` is a JSON list of blind indexes in hexadecimal.
pub async fn by_eids<D: Database>(db: &D, eids: String) -> Result<Vec<ChipRow>, DbError> {
    db.run(BY_EIDS, &[eids.into()]).await?.iter().map(read).collect()
}

/// Finds a chip by the PSK identity it was registered with.
pub async fn by_psk_identity<D: Database>(db: &D, index: &BlindIndex) -> Result<Option<ChipRow>, DbError> {
    first(&db.run(BY_PSK_IDENTITY, &[index.into()]).await?, read)
}

/// Moves the card from `from` to `to`; [`DbError::Missed`] when it is not in `from`.
pub async fn set_status<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    from: CardStatus,
    to: CardStatus,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![to.code().into(), now.into(), eid_index.into(), from.code().into()];
    tx.later_guarded("chip", SET_STATUS, params).await
}

/// Marks the card as reopened, or as written again.
pub async fn set_reopened<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    reopened: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [reopened.into(), now.into(), eid_index.into()];
    tx.run(SET_REOPENED, &params).await.map(drop)
}

/// Blocks the chip, or unblocks it.
pub async fn set_blocked<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    blocked: bool,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [blocked.into(), now.into(), eid_index.into()];
    tx.run(SET_BLOCKED, &params).await.map(drop)
}

/// Records that another chip took its place.
pub async fn set_replaced<D: Database>(tx: &Tx<'_, D>, eid_index: &BlindIndex) -> Result<(), DbError> {
    tx.run(SET_REPLACED, &[eid_index.into()]).await.map(drop)
}

/// Deducts `bytes` from the test allowance.
pub async fn deduct<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    bytes: i64,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = vec![bytes.into(), now.into(), eid_index.into()];
    tx.later("chip", ADD_USED, params).await
}

/// Notes that half the test allowance of a chip is used. False when it is not, or that is noted already.
pub async fn set_half_used<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), eid_index.into()];
    Ok(!tx.run(SET_HALF_USED, &params).await?.is_empty())
}

/// Marks the chip as faulty or as sound. False when there is no such chip.
pub(super) async fn mark_faulty<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    faulty: bool,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [faulty.into(), now.into(), eid_index.into()];
    Ok(!tx.run(MARK_FAULTY, &params).await?.is_empty())
}

/// Handshakes that failed with the identity of a chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedHandshakes {
    /// How many.
    pub count: u64,
    /// When the last one was reported.
    pub at: Option<Timestamp>,
    /// Why the last one failed, as a stable word.
    pub failure: Option<String>,
    /// Key version number (KVN) of the chip.
    pub key_version: i64,
}

/// The failed handshakes of a chip; none when there is no such chip.
pub async fn failed_handshakes<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
) -> Result<Option<FailedHandshakes>, DbError> {
    first(&db.run(FAILED_HANDSHAKES, &[eid_index.into()]).await?, |row| {
        Ok(FailedHandshakes {
            count: row.unsigned(0)?,
            at: row.optional(1, Row::time)?,
            failure: row.optional(2, Row::text)?.map(str::to_owned),
            key_version: row.integer(3)?,
        })
    })
}

/// Counts failed handshakes of a chip; `failure` is why the last one failed.
pub async fn add_failed_handshakes<D: Database>(
    tx: &Tx<'_, D>,
    eid_index: &BlindIndex,
    count: u32,
    failure: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        i64::from(count).into(),
        now.into(),
        failure.into(),
        eid_index.into(),
    ];
    tx.run(ADD_FAILED_HANDSHAKES, &params).await.map(drop)
}

/// The sealed EIDs of chips; `indexes` is a JSON list of their keys in hexadecimal.
pub async fn eids<D: Database>(db: &D, indexes: String) -> Result<Vec<(BlindIndex, Vec<u8>)>, DbError> {
    let rows = db.run(EIDS, &[indexes.into()]).await?;
    let read = |row: &Row| Ok((row.index(0)?, row.blob(1)?.to_owned()));
    rows.iter().map(read).collect()
}

/// How many columns [`read`] reads.
pub(super) const COLUMNS: usize = 17;

/// Reads the columns of [`chip_columns`].
pub(super) fn read(row: &Row) -> Result<ChipRow, DbError> {
    let bytes = |at| {
        row.optional(at, Row::blob)
            .map(|found| found.map(<[u8]>::to_owned))
    };
    Ok(ChipRow {
        eid_index: row.index(0)?,
        eid_sealed: row.blob(1)?.to_owned(),
        client_id: row.client_id(2)?,
        chip_model: row.text(3)?.to_owned(),
        profile: row.text(4)?.to_owned(),
        temp_expires_at: row.time(5)?,
        allowance_bytes: row.unsigned(6)?,
        used_bytes: row.unsigned(7)?,
        has_psk_identity: row.optional(8, Row::blob)?.is_some(),
        key_version: row.integer(9)?,
        psk_sealed: bytes(10)?,
        dek_sealed: bytes(11)?,
        status: row.number_code(12, CardStatus::from_code)?,
        faulty: row.flag(13)?,
        imported_digest: row.index(14)?,
        reopened: row.flag(15)?,
        blocked: row.flag(16)?,
    })
}

/// Deletes up to `limit` chips that were replaced or destroyed before `before` and that nothing refers to, with their tasks,
/// steps, temporary numbers and faults; returns how many.
pub async fn purge<D: Database>(tx: &Tx<'_, D>, before: Timestamp, limit: u32) -> Result<usize, DbError> {
    purge_all(
        tx,
        (PURGED, |row| row.index(0).map(|index| index.hex())),
        &PURGE,
        before,
        limit,
    )
    .await
}
