//! Numbers as people search them: table `number` with the chips that hold them. Reads only.

use super::chip_list::ListedId;
use super::list::{Asked, ListedBy, Order, find_page, in_order, listed_by, names, take};
use super::{Database, DbError, ListKey, Row, Run as _, Value};
use domain::{ClientId, ImportId, NumberStatus, Province, TaskId, Timestamp};
use vault::BlindIndex;

// The engine numbers parameters as they first occur.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "n.imported_at, n.iccid_index" and "",
            "number n" "", by $by and "",
            "(n.imported_at, n.iccid_index)" from "($2, $3)" to "($4, $5)",
            "(n.client_id = $6 OR $6 IS NULL) AND (n.province = $7 OR $7 IS NULL) AND (n.status = $8 OR $8 IS NULL) \
             AND (n.import_id = $9 OR $9 IS NULL)",
            "n.imported_at DESC, n.iccid_index DESC" or "n.imported_at, n.iccid_index",
            "$6",
            "$10"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_CLIENT: ListedBy = listed!("n.client_id = $1");
const OF_PROVINCE: ListedBy = listed!("n.province = $1");
const OF_IMPORT: ListedBy = listed!("n.import_id = $1");
const OF_CHIP: ListedBy = listed!("n.eid_index = $1");
const OF_MSISDN: ListedBy = listed!("n.msisdn_index = $1");
const OF_ICCID: ListedBy = listed!("n.iccid_index = $1");
const OF_IMSI: ListedBy = listed!("n.imsi_index = $1");

/// The list of a state that few numbers have.
fn of_status(status: NumberStatus) -> Option<ListedBy> {
    match status {
        NumberStatus::Allotted => Some(listed!("n.status = 'allotted' AND n.status = $1")),
        NumberStatus::Suspended => Some(listed!("n.status = 'suspended' AND n.status = $1")),
        NumberStatus::Retired => Some(listed!("n.status = 'retired' AND n.status = $1")),
        NumberStatus::Available | NumberStatus::Reserved | NumberStatus::Written => None,
    }
}

const ROWS: &str = "SELECT n.iccid_index, n.iccid_sealed, n.msisdn_sealed, n.imsi_sealed, n.province, n.status, \
    n.quarantined, n.client_id, n.task_id, n.written_at, n.open_time, n.imported_at, n.changed_at, c.eid_index, \
    c.eid_sealed FROM number n LEFT JOIN chip c ON c.eid_index = n.eid_index \
    WHERE n.iccid_index IN (SELECT unhex(value) FROM json_each($1)) ORDER BY n.imported_at DESC, n.iccid_index DESC";

/// Conditions of a search for numbers.
#[derive(Clone, Debug, Default)]
pub struct NumberQuery<'a> {
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// The order of times of import.
    pub order: Order,
    /// Imported from this time on.
    pub from: Option<Timestamp>,
    /// Imported before this time.
    pub to: Option<Timestamp>,
    /// The number that has this identifier, or those of this chip.
    pub id: Option<ListedId>,
    /// Of this import.
    pub import_id: Option<ImportId>,
    /// Allotted to this client.
    pub client_id: Option<&'a ClientId>,
    /// Of this province.
    pub province: Option<Province>,
    /// State of the number.
    pub status: Option<NumberStatus>,
    /// Most rows.
    pub limit: u32,
}

/// A number without its keys.
#[derive(Clone, Debug)]
pub struct ListedNumber {
    /// Blind index of the ICCID.
    pub iccid_index: BlindIndex,
    /// Sealed ICCID, MSISDN and IMSI.
    pub sealed: [Vec<u8>; 3],
    /// Code of its province.
    pub province: String,
    /// State of the number.
    pub status: NumberStatus,
    /// True when it may be on a card of which this database knows nothing, since a backup was restored.
    pub is_quarantined: bool,
    /// The client it is allotted to.
    pub client_id: Option<ClientId>,
    /// The task that reserved it or wrote it.
    pub task_id: Option<TaskId>,
    /// When a chip was proven to hold it.
    pub written_at: Option<Timestamp>,
    /// When the operator opened it.
    pub open_time: Option<Timestamp>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Blind index and sealed EID of the chip it is reserved for or written to.
    pub chip: Option<(BlindIndex, Vec<u8>)>,
}

/// The list that looks at the fewest rows, with the position of its condition among the others.
fn list_of(query: &NumberQuery<'_>) -> (ListedBy, Option<usize>) {
    match query.id {
        Some(ListedId::Eid(_)) => return (OF_CHIP, None),
        Some(ListedId::Msisdn(_)) => return (OF_MSISDN, None),
        Some(ListedId::Iccid(_)) => return (OF_ICCID, None),
        Some(ListedId::Imsi(_)) => return (OF_IMSI, None),
        None => (),
    }
    match query.status.and_then(of_status) {
        _ if query.import_id.is_some() => (OF_IMPORT, Some(3)),
        Some(list) => (list, Some(2)),
        None if query.client_id.is_some() => (OF_CLIENT, Some(0)),
        None if query.province.is_some() => (OF_PROVINCE, Some(1)),
        None => (ALL, None),
    }
}

/// A page of numbers in the order of their import, and where the next one begins.
pub async fn page<D: Database>(
    db: &D,
    query: &NumberQuery<'_>,
) -> Result<(Vec<ListedNumber>, Option<ListKey>), DbError> {
    let (list, at) = list_of(query);
    let mut others: Vec<Value> = vec![
        query.client_id.into(),
        query.province.map(Province::code).into(),
        query.status.map(NumberStatus::code).into(),
        query.import_id.map(|id| id.text()).into(),
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
    let numbers = in_order(query.order, rows.iter().map(read))?;
    Ok((numbers, next.as_ref().map(ListKey::read_pair).transpose()?))
}

fn read(row: &Row) -> Result<ListedNumber, DbError> {
    let chip = match row.optional(13, Row::index)? {
        None => None,
        Some(index) => Some((index, row.blob(14)?.to_owned())),
    };
    Ok(ListedNumber {
        iccid_index: row.index(0)?,
        sealed: [
            row.blob(1)?.to_owned(),
            row.blob(2)?.to_owned(),
            row.blob(3)?.to_owned(),
        ],
        province: row.text(4)?.to_owned(),
        status: row.code(5, NumberStatus::from_code)?,
        is_quarantined: row.flag(6)?,
        client_id: row.optional(7, Row::client_id)?,
        task_id: row.optional(8, Row::task_id)?,
        written_at: row.optional(9, Row::time)?,
        open_time: row.optional(10, Row::time)?,
        imported_at: row.time(11)?,
        changed_at: row.time(12)?,
        chip,
    })
}
