//! The columns of table `chip` that a file of chips fills: adding a row, reading it back to compare it, correcting it.

use std::collections::BTreeSet;

use super::import::add_rows;
use super::{Database, DbError, Row, Run as _, Statement, Tx, Value, first};
use domain::{CardStatus, ClientId, ImportId, Timestamp};
use vault::BlindIndex;

// Rows `[[…], …]`; bytes are in hexadecimal.
macro_rules! insert {
    ($rows:literal) => {
        concat!(
            "INSERT INTO chip (eid_index, eid_sealed, client_id, chip_model, profile, network, \
             temp_msisdn_index, temp_msisdn_sealed, temp_iccid_index, temp_iccid_sealed, temp_imsi_index, \
             temp_imsi_sealed, temp_opened_on, temp_expires_at, allowance_bytes, imei_sealed, \
             psk_identity_index, psk_identity_sealed, key_version, psk_sealed, dek_sealed, status, \
             imported_digest, temp_next_at, used_bytes, faulty, imported_at, changed_at, import_id) SELECT \
             unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4, value ->> 5, \
             unhex(value ->> 6), unhex(value ->> 7), unhex(value ->> 8), unhex(value ->> 9), unhex(value ->> \
             10), unhex(value ->> 11), value ->> 12, CAST(value ->> 13 AS BIGINT), CAST(value ->> 14 AS \
             BIGINT), unhex(value ->> 15), unhex(value ->> 16), unhex(value ->> 17), CAST(value ->> 18 AS \
             BIGINT), unhex(value ->> 19), unhex(value ->> 20), CAST(value ->> 21 AS BIGINT), unhex(value \
             ->> 22), CAST(value ->> 23 AS BIGINT), 0, 0, $1, $1, $2 FROM ",
            $rows,
            " ON CONFLICT DO NOTHING RETURNING eid_index"
        )
    };
}
const INSERT: Statement = Statement::new(
    insert!("json_each($3) WHERE 1 = 1"),
    insert!("jsonb_array_elements(CAST(CAST($3 AS TEXT) AS jsonb))"),
);
const FIND: &str = "SELECT eid_index, client_id, chip_model, profile, network, temp_msisdn_sealed, \
    temp_iccid_sealed, temp_imsi_sealed, temp_opened_on, allowance_bytes, imei_sealed, psk_identity_index, \
    psk_identity_sealed, key_version, psk_sealed, dek_sealed FROM chip WHERE eid_index = $1";
const CORRECT: &str = "UPDATE chip SET client_id = $1, chip_model = $2, profile = $3, imei_sealed = $4, \
    psk_identity_index = $5, psk_identity_sealed = $6, key_version = $7, psk_sealed = $8, dek_sealed = $9, \
    changed_at = $10 WHERE eid_index = $11 RETURNING eid_index";

/// What a file says of a chip, sealed.
#[derive(Clone, Debug)]
pub struct ChipContent {
    /// Blind index of the EID.
    pub eid_index: BlindIndex,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// Model of the chip.
    pub chip_model: String,
    /// Name of its card profile.
    pub profile: String,
    /// Network of the temporary number.
    pub network: String,
    /// Sealed temporary number.
    pub temp_msisdn_sealed: Vec<u8>,
    /// Sealed ICCID of the temporary number.
    pub temp_iccid_sealed: Vec<u8>,
    /// Sealed IMSI of the temporary number.
    pub temp_imsi_sealed: Vec<u8>,
    /// Day it was opened, `YYYY-MM-DD`.
    pub temp_opened_on: String,
    /// Test allowance, in bytes.
    pub allowance_bytes: u64,
    /// Sealed IMEI.
    pub imei_sealed: Option<Vec<u8>>,
    /// Blind index and sealed value of the registered PSK identity.
    pub psk_identity: Option<(BlindIndex, Vec<u8>)>,
    /// Key version number (KVN).
    pub key_version: i64,
    /// Sealed PSK.
    pub psk_sealed: Option<Vec<u8>>,
    /// Sealed DEK.
    pub dek_sealed: Option<Vec<u8>>,
}

/// The values of a new row.
pub struct NewChipRow {
    /// What the file says.
    pub content: ChipContent,
    /// Sealed EID.
    pub eid_sealed: Vec<u8>,
    /// Blind index of the temporary number.
    pub temp_msisdn_index: BlindIndex,
    /// Blind index of its ICCID.
    pub temp_iccid_index: BlindIndex,
    /// Blind index of its IMSI.
    pub temp_imsi_index: BlindIndex,
    /// When the temporary number expires.
    pub temp_expires_at: Timestamp,
    /// When the operator is warned of the expiry.
    pub temp_next_at: Timestamp,
    /// State it starts in.
    pub status: CardStatus,
    /// Digest of the imported row.
    pub imported_digest: BlindIndex,
}

/// Adds chips. Returns the keys of those that are added: the others, or one of their unique values, are there already.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &[&NewChipRow],
    import: ImportId,
    now: Timestamp,
) -> Result<BTreeSet<BlindIndex>, DbError> {
    add_rows(tx, INSERT, new.iter().map(|new| values(new)), import, now).await
}

/// The values of a row, in the order in which [`INSERT`] reads them.
fn values(new: &NewChipRow) -> Vec<Value> {
    let content = &new.content;
    let (identity_index, identity_sealed) = content.psk_identity.clone().unzip();
    vec![
        content.eid_index.into(),
        new.eid_sealed.clone().into(),
        (&content.client_id).into(),
        content.chip_model.as_str().into(),
        content.profile.as_str().into(),
        content.network.as_str().into(),
        new.temp_msisdn_index.into(),
        content.temp_msisdn_sealed.clone().into(),
        new.temp_iccid_index.into(),
        content.temp_iccid_sealed.clone().into(),
        new.temp_imsi_index.into(),
        content.temp_imsi_sealed.clone().into(),
        content.temp_opened_on.as_str().into(),
        new.temp_expires_at.into(),
        i64::try_from(content.allowance_bytes).unwrap_or(i64::MAX).into(),
        content.imei_sealed.clone().into(),
        identity_index.into(),
        identity_sealed.into(),
        content.key_version.into(),
        content.psk_sealed.clone().into(),
        content.dek_sealed.clone().into(),
        new.status.code().into(),
        new.imported_digest.into(),
        new.temp_next_at.into(),
    ]
}

/// What is stored of a chip of what a file says.
pub async fn find<D: Database>(db: &D, eid_index: &BlindIndex) -> Result<Option<ChipContent>, DbError> {
    first(&db.run(FIND, &[eid_index.into()]).await?, read)
}

/// Changes the columns that can be corrected: owner, model, profile, IMEI, PSK identity, key version, PSK and DEK.
pub async fn correct<D: Database>(
    tx: &Tx<'_, D>,
    content: &ChipContent,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (identity_index, identity_sealed) = content.psk_identity.clone().unzip();
    let params: [Value; 11] = [
        (&content.client_id).into(),
        content.chip_model.as_str().into(),
        content.profile.as_str().into(),
        content.imei_sealed.clone().into(),
        identity_index.into(),
        identity_sealed.into(),
        content.key_version.into(),
        content.psk_sealed.clone().into(),
        content.dek_sealed.clone().into(),
        now.into(),
        content.eid_index.into(),
    ];
    Ok(!tx.run(CORRECT, &params).await?.is_empty())
}

fn read(row: &Row) -> Result<ChipContent, DbError> {
    let bytes = |at| {
        row.optional(at, Row::blob)
            .map(|found| found.map(<[u8]>::to_owned))
    };
    Ok(ChipContent {
        eid_index: row.index(0)?,
        client_id: row.client_id(1)?,
        chip_model: row.text(2)?.to_owned(),
        profile: row.text(3)?.to_owned(),
        network: row.text(4)?.to_owned(),
        temp_msisdn_sealed: row.blob(5)?.to_owned(),
        temp_iccid_sealed: row.blob(6)?.to_owned(),
        temp_imsi_sealed: row.blob(7)?.to_owned(),
        temp_opened_on: row.text(8)?.to_owned(),
        allowance_bytes: row.unsigned(9)?,
        imei_sealed: bytes(10)?,
        psk_identity: row.optional(11, Row::index)?.zip(bytes(12)?),
        key_version: row.integer(13)?,
        psk_sealed: bytes(14)?,
        dek_sealed: bytes(15)?,
    })
}
