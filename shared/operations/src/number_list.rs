//! §5.3.1.1: operator numbers with what shows where they are. Reads only, a bounded number of rows. Never shows keys.

use super::Context;
use super::chip_list::SearchedId;
use super::list_page::ListPage;
use super::unreadable::RowOpener;
use domain::error::Error;
use domain::{ClientId, ImportId, NumberStatus, Province, TaskId, Timestamp};
use store::number_list::{self, ListedNumber, NumberQuery};
use store::{Database, ListKey, Order, chip, number};

/// Most numbers of one page.
pub const MAX_NUMBERS_PER_PAGE: u32 = 200;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct NumberFilter {
    /// The number that has this identifier, or those of the chip.
    pub id: Option<SearchedId>,
    /// Of this import.
    pub import_id: Option<ImportId>,
    /// Allotted to this client.
    pub client_id: Option<ClientId>,
    /// Of this province.
    pub province: Option<Province>,
    /// In this state.
    pub status: Option<NumberStatus>,
    /// Imported from this time on.
    pub from: Option<Timestamp>,
    /// Imported before this time.
    pub to: Option<Timestamp>,
    /// The order of times of import.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// Most rows; at most [`MAX_NUMBERS_PER_PAGE`].
    pub limit: u32,
}

/// A number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberListing {
    /// Its ICCID; none if it cannot be opened.
    pub iccid: Option<String>,
    /// Its MSISDN; none if it cannot be opened.
    pub msisdn: Option<String>,
    /// Its IMSI; none if it cannot be opened.
    pub imsi: Option<String>,
    /// Code of its province.
    pub province: String,
    /// State of the number.
    pub status: NumberStatus,
    /// True when it is quarantined since a backup was restored.
    pub is_quarantined: bool,
    /// The client it is allotted to.
    pub client_id: Option<ClientId>,
    /// EID of the chip it is reserved for or written to.
    pub eid: Option<String>,
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
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Finds numbers in the order of their import. A value that cannot be opened is named in its number and hides no other. A
/// page with several conditions may have fewer numbers than its limit although another one follows.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_numbers<D: Database>(
    cx: &Context<'_, D>,
    filter: NumberFilter,
) -> Result<ListPage<NumberListing>, Error> {
    let query = NumberQuery {
        cursor: filter.cursor,
        order: filter.order,
        from: filter.from,
        to: filter.to,
        id: filter.id.as_ref().map(|id| id.index(cx)),
        import_id: filter.import_id,
        client_id: filter.client_id.as_ref(),
        province: filter.province,
        status: filter.status,
        limit: filter.limit.clamp(1, MAX_NUMBERS_PER_PAGE),
    };
    let (numbers, next) = number_list::page(cx.db, &query).await?;
    let rows = numbers.into_iter().map(|number| listing(cx, number)).collect();
    Ok(ListPage { rows, next })
}

fn listing<D>(cx: &Context<'_, D>, number: ListedNumber) -> NumberListing {
    let mut opener = RowOpener::new(cx, number.iccid_index.as_bytes());
    let [iccid, msisdn, imsi] = &number.sealed;
    let iccid = opener.identifier("iccid", number::ICCID, Some(iccid));
    let msisdn = opener.identifier("msisdn", number::MSISDN, Some(msisdn));
    let imsi = opener.identifier("imsi", number::IMSI, Some(imsi));
    let mut unreadable = opener.unreadable;
    let eid = number.chip.and_then(|(index, sealed)| {
        let mut opener = RowOpener::new(cx, index.as_bytes());
        let eid = opener.identifier("eid", chip::EID, Some(&sealed));
        unreadable.extend(opener.unreadable);
        eid
    });
    NumberListing {
        iccid,
        msisdn,
        imsi,
        province: number.province,
        status: number.status,
        is_quarantined: number.is_quarantined,
        client_id: number.client_id,
        eid,
        task_id: number.task_id,
        written_at: number.written_at,
        open_time: number.open_time,
        imported_at: number.imported_at,
        changed_at: number.changed_at,
        unreadable,
    }
}
