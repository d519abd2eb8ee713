//! §5.3.1.1: chips with what shows where they stand. Reads only, a bounded number of rows.

use super::Context;
use super::list_page::ListPage;
use super::unreadable::RowOpener;
use domain::error::{Error, Reason};
use domain::{CardStatus, ClientId, Eid, Iccid, ImportId, Imsi, Msisdn, Timestamp, Volume};
use store::chip_list::{self, ChipQuery, ListedChip, ListedId};
use store::chip_seen_list;
use store::{Database, ListKey, Order, chip, number};
use vault::IndexKind;

/// Most chips of one page.
pub const MAX_CHIPS_PER_PAGE: u32 = 200;

/// An identifier that is searched for exactly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchedId {
    /// EID of a chip.
    Eid(Eid),
    /// MSISDN of a number; of a chip also the temporary number.
    Msisdn(Msisdn),
    /// ICCID of a number; of a chip also that of the temporary number.
    Iccid(Iccid),
    /// IMSI of a number; of a chip also that of the temporary number.
    Imsi(Imsi),
}

impl SearchedId {
    /// The identifier by its blind index.
    pub(super) fn index<D>(&self, cx: &Context<'_, D>) -> ListedId {
        let index = |kind, text: &str| cx.vault.blind_index(kind, text.as_bytes());
        match self {
            Self::Eid(eid) => ListedId::Eid(cx.eid_index(eid)),
            Self::Msisdn(msisdn) => ListedId::Msisdn(index(IndexKind::Msisdn, msisdn.as_str())),
            Self::Iccid(iccid) => ListedId::Iccid(index(IndexKind::Iccid, iccid.as_str())),
            Self::Imsi(imsi) => ListedId::Imsi(index(IndexKind::Imsi, imsi.as_str())),
        }
    }
}

/// By what a list of chips is sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChipSort {
    /// The time of the import.
    #[default]
    Imported,
    /// The time of the last session; chips without one that is kept are left out.
    Seen,
}

impl ChipSort {
    /// Every sort.
    pub const ALL: [Self; 2] = [Self::Imported, Self::Seen];

    /// Stable name.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Seen => "seen",
        }
    }
}

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct ChipFilter {
    /// The chip that has this identifier, or holds the number that has it.
    pub id: Option<SearchedId>,
    /// Of this import.
    pub import_id: Option<ImportId>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// Of this model.
    pub model: Option<String>,
    /// In this state.
    pub status: Option<CardStatus>,
    /// Imported from this time on.
    pub from: Option<Timestamp>,
    /// Imported before this time.
    pub to: Option<Timestamp>,
    /// With a session that was opened from this time on.
    pub seen_from: Option<Timestamp>,
    /// Without one that was opened from this time on.
    pub seen_before: Option<Timestamp>,
    /// By what they are sorted.
    pub sort: ChipSort,
    /// The order of that.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// Most rows; at most [`MAX_CHIPS_PER_PAGE`].
    pub limit: u32,
}

/// A chip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChipListing {
    /// Its EID; none if it cannot be opened.
    pub eid: Option<String>,
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
    /// Its temporary number; none if it cannot be opened.
    pub temp_msisdn: Option<String>,
    /// When the temporary number expires.
    pub temp_expires_at: Timestamp,
    /// What is left of its test allowance.
    pub remaining: Volume,
    /// ICCID of the number it was written with.
    pub iccid: Option<String>,
    /// MSISDN of the number it was written with.
    pub msisdn: Option<String>,
    /// Code of the province of that number.
    pub province: Option<String>,
    /// When it was imported.
    pub imported_at: Timestamp,
    /// When its last session was opened, of those that are kept.
    pub seen_at: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Finds chips in the order of their import, or of their last session. A value that cannot be opened is named in its chip and hides no other. A page
/// with several conditions may have fewer chips than its limit although another one follows.
///
/// # Errors
/// [`Reason::ParameterNotApplicable`] for an identifier in a list by last session; [`Reason::Unavailable`] when the
/// database is busy.
pub async fn list_chips<D: Database>(
    cx: &Context<'_, D>,
    filter: ChipFilter,
) -> Result<ListPage<ChipListing>, Error> {
    let query = ChipQuery {
        cursor: filter.cursor,
        order: filter.order,
        from: filter.from,
        to: filter.to,
        id: filter.id.as_ref().map(|id| id.index(cx)),
        import_id: filter.import_id,
        client_id: filter.client_id.as_ref(),
        model: filter.model.as_deref(),
        status: filter.status,
        seen_from: filter.seen_from,
        seen_before: filter.seen_before,
        limit: filter.limit.clamp(1, MAX_CHIPS_PER_PAGE),
    };
    let (chips, next) = match filter.sort {
        ChipSort::Imported => chip_list::page(cx.db, &query).await?,
        ChipSort::Seen if query.id.is_some() => {
            return Err(Error::new(Reason::ParameterNotApplicable).with_detail("sort", "sort"));
        }
        ChipSort::Seen => chip_seen_list::page(cx.db, &query).await?,
    };
    let rows = chips.into_iter().map(|chip| listing(cx, chip)).collect();
    Ok(ListPage { rows, next })
}

fn listing<D>(cx: &Context<'_, D>, chip: ListedChip) -> ChipListing {
    let mut opener = RowOpener::new(cx, chip.eid_index.as_bytes());
    let eid = opener.identifier("eid", chip::EID, Some(&chip.eid_sealed));
    let temp_msisdn = opener.identifier("temp_msisdn", chip::TEMP_MSISDN, Some(&chip.temp_msisdn_sealed));
    let mut unreadable = opener.unreadable;
    let (mut iccid, mut msisdn, mut province) = (None, None, None);
    if let Some((index, [iccid_sealed, msisdn_sealed], code)) = chip.number {
        let mut opener = RowOpener::new(cx, index.as_bytes());
        iccid = opener.identifier("iccid", number::ICCID, Some(&iccid_sealed));
        msisdn = opener.identifier("msisdn", number::MSISDN, Some(&msisdn_sealed));
        province = Some(code);
        unreadable.extend(opener.unreadable);
    }
    ChipListing {
        eid,
        client_id: chip.client_id,
        chip_model: chip.chip_model,
        profile: chip.profile,
        status: chip.status,
        faulty: chip.faulty,
        blocked: chip.blocked,
        temp_msisdn,
        temp_expires_at: chip.temp_expires_at,
        remaining: Volume::from_bytes(chip.allowance_bytes.saturating_sub(chip.used_bytes)),
        iccid,
        msisdn,
        province,
        imported_at: chip.imported_at,
        seen_at: chip.seen_at,
        unreadable,
    }
}
