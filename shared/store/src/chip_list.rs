//! Chips as people search them: table `chip` with their written numbers and sessions. Reads only.

use super::list::{Asked, ListedBy, Order, find_page, in_order, listed_by, names, take};
use super::{Database, DbError, ListKey, Row, Run as _, Value};
use domain::{CardStatus, ClientId, ImportId, Timestamp};
use vault::BlindIndex;

// The engine numbers parameters as they first occur. Few conditions have the time of the last session: it is looked up
// last.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "c.imported_at, c.eid_index" and "",
            "chip c" "", by $by and "",
            "(c.imported_at, c.eid_index)" from "($2, $3)" to "($4, $5)",
            "(c.client_id = $6 OR $6 IS NULL) AND (c.chip_model = $7 OR $7 IS NULL) AND (c.status = $8 OR $8 IS NULL) \
             AND (c.import_id = $9 OR $9 IS NULL) AND (CAST($10 AS BIGINT) IS NULL OR (SELECT MAX(s.opened_at) FROM device_session s \
             WHERE s.eid_index = c.eid_index) >= CAST($10 AS BIGINT)) \
             AND (CAST($11 AS BIGINT) IS NULL OR (SELECT COALESCE(MAX(s.opened_at), 0) FROM device_session s \
             WHERE s.eid_index = c.eid_index) < CAST($11 AS BIGINT))",
            "c.imported_at DESC, c.eid_index DESC" or "c.imported_at, c.eid_index",
            "$6",
            "$12"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_CLIENT: ListedBy = listed!("c.client_id = $1");
const OF_MODEL: ListedBy = listed!("c.chip_model = $1");
const OF_IMPORT: ListedBy = listed!("c.import_id = $1");
const OF_EID: ListedBy = listed!("c.eid_index = $1");
const OF_MSISDN: ListedBy = listed!(
    "c.eid_index IN (SELECT t.eid_index FROM chip t WHERE t.temp_msisdn_index = $1 \
     UNION ALL SELECT n.eid_index FROM number n WHERE n.msisdn_index = $1 AND n.eid_index IS NOT NULL)"
);
const OF_ICCID: ListedBy = listed!(
    "c.eid_index IN (SELECT t.eid_index FROM chip t WHERE t.temp_iccid_index = $1 \
     UNION ALL SELECT n.eid_index FROM number n WHERE n.iccid_index = $1 AND n.eid_index IS NOT NULL)"
);
const OF_IMSI: ListedBy = listed!(
    "c.eid_index IN (SELECT t.eid_index FROM chip t WHERE t.temp_imsi_index = $1 \
     UNION ALL SELECT n.eid_index FROM number n WHERE n.imsi_index = $1 AND n.eid_index IS NOT NULL)"
);

/// The list of a state that few chips have.
fn of_status(status: CardStatus) -> Option<ListedBy> {
    match status {
        CardStatus::Writing => Some(listed!("c.status = 3 AND c.status = $1")),
        CardStatus::Failed => Some(listed!("c.status = 5 AND c.status = $1")),
        CardStatus::ApplicationFailed => Some(listed!("c.status = 6 AND c.status = $1")),
        _ => None,
    }
}

pub(super) const ROWS: &str = "SELECT c.eid_index, c.eid_sealed, c.client_id, c.chip_model, c.profile, c.status, c.faulty, c.blocked, \
    c.temp_msisdn_sealed, c.temp_expires_at, c.allowance_bytes, c.used_bytes, c.imported_at, \
    (SELECT MAX(s.opened_at) FROM device_session s WHERE s.eid_index = c.eid_index) AS seen_at, \
    n.iccid_index, n.iccid_sealed, n.msisdn_sealed, n.province FROM chip c LEFT JOIN number n \
    ON n.eid_index = c.eid_index AND n.written_at IS NOT NULL \
    WHERE c.eid_index IN (SELECT unhex(value) FROM json_each($1)) ORDER BY c.imported_at DESC, c.eid_index DESC";

/// An identifier that a chip or a number has, by its blind index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedId {
    /// EID of the chip.
    Eid(BlindIndex),
    /// MSISDN; of a chip also the temporary number.
    Msisdn(BlindIndex),
    /// ICCID; of a chip also that of the temporary number.
    Iccid(BlindIndex),
    /// IMSI; of a chip also that of the temporary number.
    Imsi(BlindIndex),
}

impl ListedId {
    /// The blind index.
    pub(super) fn index(self) -> BlindIndex {
        let (Self::Eid(index) | Self::Msisdn(index) | Self::Iccid(index) | Self::Imsi(index)) = self;
        index
    }
}

/// Conditions of a search for chips.
#[derive(Clone, Debug, Default)]
pub struct ChipQuery<'a> {
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// The order of times of import.
    pub order: Order,
    /// Imported from this time on.
    pub from: Option<Timestamp>,
    /// Imported before this time.
    pub to: Option<Timestamp>,
    /// The chip that has this identifier.
    pub id: Option<ListedId>,
    /// Of this import.
    pub import_id: Option<ImportId>,
    /// Of this client.
    pub client_id: Option<&'a ClientId>,
    /// Of this model.
    pub model: Option<&'a str>,
    /// State of the card.
    pub status: Option<CardStatus>,
    /// Its last session was opened from this time on.
    pub seen_from: Option<Timestamp>,
    /// No session was opened from this time on.
    pub seen_before: Option<Timestamp>,
    /// Most rows.
    pub limit: u32,
}

/// A chip with what shows where it stands.
#[derive(Clone, Debug)]
pub struct ListedChip {
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
    /// State of the card.
    pub status: CardStatus,
    /// True when it is registered as faulty.
    pub faulty: bool,
    /// True while an incident is open that its EID is in use twice.
    pub blocked: bool,
    /// Sealed temporary number.
    pub temp_msisdn_sealed: Vec<u8>,
    /// When its temporary number expires.
    pub temp_expires_at: Timestamp,
    /// Test allowance it was given, in bytes.
    pub allowance_bytes: u64,
    /// Bytes of it that are used.
    pub used_bytes: u64,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// When its last session was opened, of those that are kept.
    pub seen_at: Option<Timestamp>,
    /// The number that it holds: blind index of its ICCID, sealed ICCID and MSISDN, province.
    pub number: Option<(BlindIndex, [Vec<u8>; 2], String)>,
}

/// The list that looks at the fewest rows, with the position of its condition among the others.
fn list_of(query: &ChipQuery<'_>) -> (ListedBy, Option<usize>) {
    match query.id {
        Some(ListedId::Eid(_)) => return (OF_EID, None),
        Some(ListedId::Msisdn(_)) => return (OF_MSISDN, None),
        Some(ListedId::Iccid(_)) => return (OF_ICCID, None),
        Some(ListedId::Imsi(_)) => return (OF_IMSI, None),
        None => (),
    }
    if query.import_id.is_some() {
        (OF_IMPORT, Some(3))
    } else if let Some(list) = query.status.and_then(of_status) {
        (list, Some(2))
    } else if query.client_id.is_some() {
        (OF_CLIENT, Some(0))
    } else if query.model.is_some() {
        (OF_MODEL, Some(1))
    } else {
        (ALL, None)
    }
}

/// A page of chips in the order of their import, and where the next one begins.
pub async fn page<D: Database>(
    db: &D,
    query: &ChipQuery<'_>,
) -> Result<(Vec<ListedChip>, Option<ListKey>), DbError> {
    let (list, at) = list_of(query);
    let mut others: Vec<Value> = vec![
        query.client_id.into(),
        query.model.into(),
        query.status.map(CardStatus::code).into(),
        query.import_id.map(|id| id.text()).into(),
        query.seen_from.into(),
        query.seen_before.into(),
    ];
    let by = match query.id {
        Some(id) => id.index().into(),
        None => take(&mut others, at),
    };
    let range = (query.from, query.to);
    let asked = Asked {
        by,
        span: ListKey::span(query.order, query.cursor.as_ref(), range, ListKey::pair),
        order: query.order,
        others,
        limit: query.limit,
    };
    let (found, next) = find_page(db, list, asked).await?;
    let rows = db.run(ROWS, &[names(&found, 1)?]).await?;
    let chips = in_order(query.order, rows.iter().map(read))?;
    Ok((chips, next.as_ref().map(ListKey::read_pair).transpose()?))
}

pub(super) fn read(row: &Row) -> Result<ListedChip, DbError> {
    let number = match row.optional(14, Row::index)? {
        None => None,
        Some(index) => Some((
            index,
            [row.blob(15)?.to_owned(), row.blob(16)?.to_owned()],
            row.text(17)?.to_owned(),
        )),
    };
    Ok(ListedChip {
        eid_index: row.index(0)?,
        eid_sealed: row.blob(1)?.to_owned(),
        client_id: row.client_id(2)?,
        chip_model: row.text(3)?.to_owned(),
        profile: row.text(4)?.to_owned(),
        status: row.number_code(5, CardStatus::from_code)?,
        faulty: row.flag(6)?,
        blocked: row.flag(7)?,
        temp_msisdn_sealed: row.blob(8)?.to_owned(),
        temp_expires_at: row.time(9)?,
        allowance_bytes: row.unsigned(10)?,
        used_bytes: row.unsigned(11)?,
        imported_at: row.time(12)?,
        seen_at: row.optional(13, Row::time)?,
        number,
    })
}
