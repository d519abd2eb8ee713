//! The columns of table `number` that a file of numbers fills: adding a row, reading it back to compare it, correcting
//! its keys.

use std::collections::BTreeSet;

use super::import::add_rows;
use super::number::NumberRow;
use super::{Database, DbError, Held, Row, Run as _, Statement, Tx, Value, first};
use domain::{ClientId, ImportId, NumberStatus, Timestamp};
use vault::BlindIndex;

// Rows `[[…], …]`; bytes are in hexadecimal.
macro_rules! insert {
    ($rows:literal) => {
        concat!(
            "INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, \
             imsi_sealed, province, smsc, services, client_id, k_sealed, opc_sealed, status, \
             imported_digest, replaces_index, exposed, imported_at, changed_at, import_id, quarantined) \
             SELECT unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), unhex(value ->> 3), \
             unhex(value ->> 4), unhex(value ->> 5), value ->> 6, value ->> 7, value ->> 8, value ->> 9, \
             unhex(value ->> 10), unhex(value ->> 11), value ->> 12, unhex(value ->> 13), unhex(value ->> \
             14), 0, $1, $1, $2, CASE WHEN EXISTS (SELECT 1 FROM backup_record WHERE kind = 'restore' AND \
             imports_free_at IS NULL) THEN 1 ELSE 0 END FROM ",
            $rows,
            " ON CONFLICT DO NOTHING RETURNING iccid_index"
        )
    };
}
const INSERT: Statement = Statement::new(
    insert!("json_each($3) WHERE 1 = 1"),
    insert!("jsonb_array_elements(CAST(CAST($3 AS TEXT) AS jsonb))"),
);
const FIND: &str = "SELECT iccid_index, msisdn_sealed, imsi_sealed, province, smsc, services, client_id, k_sealed, \
    opc_sealed FROM number WHERE iccid_index = $1";
// A retired number keeps its MSISDN for the data card that is to take it over.
const HELD: &str = "SELECT msisdn_index, iccid_index, iccid_sealed FROM number \
    WHERE (msisdn_index = $1 OR imsi_index = $2) AND (status <> 'retired' OR EXISTS (SELECT 1 FROM number r \
    WHERE r.replaces_index = number.iccid_index AND r.status <> 'retired')) LIMIT 1";
const REPLACEMENT: &str = "SELECT r.iccid_index, r.msisdn_index FROM number n JOIN number r \
    ON r.replaces_index = n.iccid_index WHERE n.eid_index = $1 AND n.written_at IS NOT NULL AND r.written_at IS NULL \
    AND r.status <> 'retired' ORDER BY r.imported_at DESC, r.iccid_index LIMIT 1";
const IS_REPLACED: &str =
    "SELECT iccid_index FROM number WHERE replaces_index = $1 AND status <> 'retired' LIMIT 1";
const RETIRE: &str = "UPDATE number SET status = 'retired', msisdn_index = iccid_index, changed_at = $1 \
    WHERE iccid_index = $2";
const TAKE_MSISDN: &str = "UPDATE number SET msisdn_index = $1 WHERE iccid_index = $2";
// The columns are unique, so a number that gives a value up gets the index of its ICCID in its place: no value has
// that.
const RELEASE: &str = "UPDATE number SET msisdn_index = CASE msisdn_index WHEN $1 THEN iccid_index \
    ELSE msisdn_index END, imsi_index = CASE imsi_index WHEN $2 THEN iccid_index ELSE imsi_index END \
    WHERE (msisdn_index = $1 OR imsi_index = $2) AND status = 'retired'";
const CORRECT: &str = "UPDATE number SET k_sealed = $1, opc_sealed = $2, keys_destroyed_at = NULL, changed_at = $3 WHERE iccid_index = $4 \
    AND written_at IS NULL RETURNING iccid_index";

/// What a file says of a number, sealed.
#[derive(Clone, Debug)]
pub struct NumberContent {
    /// Blind index of the ICCID.
    pub iccid_index: BlindIndex,
    /// Sealed MSISDN.
    pub msisdn_sealed: Vec<u8>,
    /// Sealed IMSI.
    pub imsi_sealed: Vec<u8>,
    /// Code of the province it belongs to.
    pub province: String,
    /// Address of the short message service centre.
    pub smsc: Option<String>,
    /// Services it is opened for.
    pub services: String,
    /// The client it is allotted to.
    pub client_id: Option<ClientId>,
    /// Sealed K.
    pub k_sealed: Vec<u8>,
    /// Sealed OPc.
    pub opc_sealed: Vec<u8>,
}

/// The values of a new row.
pub struct NewNumberRow {
    /// What the file says.
    pub content: NumberContent,
    /// Sealed ICCID.
    pub iccid_sealed: Vec<u8>,
    /// Blind index of the MSISDN.
    pub msisdn_index: BlindIndex,
    /// The number whose MSISDN it takes over.
    pub replaces: Option<BlindIndex>,
    /// Blind index of the IMSI.
    pub imsi_index: BlindIndex,
    /// Digest of the imported row.
    pub imported_digest: BlindIndex,
}

impl NewNumberRow {
    /// What its column of the MSISDN gets: as long as another number has the MSISDN, the index of its own ICCID.
    fn stored_msisdn(&self) -> BlindIndex {
        match self.replaces {
            Some(_) => self.content.iccid_index,
            None => self.msisdn_index,
        }
    }
}

/// Adds numbers. In a database that was restored they are quarantined like those that were there: they may have been
/// imported before, and written since. Returns the keys of those that are added: the others, or one of their unique
/// values, are there already.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &[&NewNumberRow],
    import: ImportId,
    now: Timestamp,
) -> Result<BTreeSet<BlindIndex>, DbError> {
    add_rows(tx, INSERT, new.iter().map(|new| values(new)), import, now).await
}

/// The values of a row, in the order in which [`INSERT`] reads them.
fn values(new: &NewNumberRow) -> Vec<Value> {
    let content = &new.content;
    let status = if content.client_id.is_some() {
        NumberStatus::Allotted
    } else {
        NumberStatus::Available
    };
    vec![
        content.iccid_index.into(),
        new.iccid_sealed.clone().into(),
        new.stored_msisdn().into(),
        content.msisdn_sealed.clone().into(),
        new.imsi_index.into(),
        content.imsi_sealed.clone().into(),
        content.province.as_str().into(),
        content.smsc.as_deref().into(),
        content.services.as_str().into(),
        content.client_id.as_ref().into(),
        content.k_sealed.clone().into(),
        content.opc_sealed.clone().into(),
        status.code().into(),
        new.imported_digest.into(),
        new.replaces.into(),
    ]
}

/// What is stored of a number of what a file says.
pub async fn find<D: Database>(db: &D, iccid_index: &BlindIndex) -> Result<Option<NumberContent>, DbError> {
    first(&db.run(FIND, &[iccid_index.into()]).await?, read)
}

/// Which of the values of `new` another number has. Those of a retired number do not count.
pub async fn held<D: Database>(db: &D, new: &NewNumberRow) -> Result<Option<Held>, DbError> {
    let params = [new.stored_msisdn().into(), new.imsi_index.into()];
    first(&db.run(HELD, &params).await?, |row| {
        let column = if row.index(0)? == new.stored_msisdn() {
            "msisdn"
        } else {
            "imsi"
        };
        Ok((column, row.index(1)?, row.blob(2)?.to_owned()))
    })
}

/// Takes MSISDN and IMSI away from retired numbers, so that `new` can have them.
pub async fn release<D: Database>(tx: &Tx<'_, D>, new: &NewNumberRow) -> Result<(), DbError> {
    let params = [new.stored_msisdn().into(), new.imsi_index.into()];
    tx.run(RELEASE, &params).await.map(drop)
}

/// The data card that is to take over the MSISDN of the number that was written to a chip: blind indexes of its ICCID and
/// MSISDN.
pub async fn replacement<D: Database>(
    db: &D,
    eid_index: &BlindIndex,
) -> Result<Option<(BlindIndex, BlindIndex)>, DbError> {
    first(&db.run(REPLACEMENT, &[eid_index.into()]).await?, |row| {
        Ok((row.index(0)?, row.index(1)?))
    })
}

/// Whether a data card that is not retired takes over the MSISDN of a number.
pub async fn is_replaced<D: Database>(db: &D, iccid_index: &BlindIndex) -> Result<bool, DbError> {
    Ok(!db.run(IS_REPLACED, &[iccid_index.into()]).await?.is_empty())
}

/// Retires a number and gives its MSISDN to another.
pub async fn pass_on<D: Database>(
    tx: &Tx<'_, D>,
    from: &NumberRow,
    to: &BlindIndex,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(RETIRE, &[now.into(), from.iccid_index.into()]).await?;
    tx.run(TAKE_MSISDN, &[from.msisdn_index.into(), to.into()])
        .await
        .map(drop)
}

/// Gives a number that no chip was written with another K and OPc. False when one was.
pub async fn correct<D: Database>(
    tx: &Tx<'_, D>,
    content: &NumberContent,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        content.k_sealed.clone().into(),
        content.opc_sealed.clone().into(),
        now.into(),
        content.iccid_index.into(),
    ];
    Ok(!tx.run(CORRECT, &params).await?.is_empty())
}

fn read(row: &Row) -> Result<NumberContent, DbError> {
    Ok(NumberContent {
        iccid_index: row.index(0)?,
        msisdn_sealed: row.blob(1)?.to_owned(),
        imsi_sealed: row.blob(2)?.to_owned(),
        province: row.text(3)?.to_owned(),
        smsc: row.optional(4, Row::text)?.map(str::to_owned),
        services: row.text(5)?.to_owned(),
        client_id: row.optional(6, Row::client_id)?,
        k_sealed: row.blob(7)?.to_owned(),
        opc_sealed: row.blob(8)?.to_owned(),
    })
}
