//! §6.3 Table 2, 申请失败: applications that were refused, from the steps of their cards. Reads only, a bounded number of
//! rows.
//!
//! A refusal that Table 2 gives no step (of a card that is written or being applied for, or of an unknown chip) is only in
//! the call log, and repetitions for the same reason are one step.

use super::Context;
use super::list_page::ListPage;
use super::unreadable::RowOpener;
use domain::error::{Error, Reason};
use domain::{Actor, ClientId, Eid, Timestamp};
use store::refusal_list::{self, RefusalQuery, RefusalRow};
use store::{Database, ListKey, Order, chip};

/// Most refused applications of one page.
pub const MAX_REFUSALS_PER_PAGE: u32 = 200;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct RefusalFilter {
    /// For this chip.
    pub eid: Option<Eid>,
    /// Of this client.
    pub client_id: Option<ClientId>,
    /// For this reason.
    pub reason: Option<Reason>,
    /// Refused from this time on.
    pub from: Option<Timestamp>,
    /// Refused before this time.
    pub to: Option<Timestamp>,
    /// The order of time.
    pub order: Order,
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// Most rows; at most [`MAX_REFUSALS_PER_PAGE`].
    pub limit: u32,
}

/// A refused application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedApplication {
    /// EID of the chip; none if it cannot be opened.
    pub eid: Option<String>,
    /// Model of the chip.
    pub chip_model: String,
    /// Who applied.
    pub client_id: Option<ClientId>,
    /// Why it was refused; none for a reason that this program does not know.
    pub reason: Option<Reason>,
    /// When it was refused.
    pub at: Timestamp,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// Finds refused applications in the order of time. An EID that cannot be opened hides no other row. A page with several
/// conditions may have fewer rows than its limit although another one follows.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn refused_applications<D: Database>(
    cx: &Context<'_, D>,
    filter: RefusalFilter,
) -> Result<ListPage<RefusedApplication>, Error> {
    let query = RefusalQuery {
        cursor: filter.cursor,
        order: filter.order,
        from: filter.from,
        to: filter.to,
        eid_index: filter.eid.as_ref().map(|eid| cx.eid_index(eid)),
        actor: filter.client_id.map(|id| Actor::Client(id).code()),
        reason: filter.reason.map(Reason::code),
        limit: filter.limit.clamp(1, MAX_REFUSALS_PER_PAGE),
    };
    let (rows, next) = refusal_list::page(cx.db, query).await?;
    let rows = rows.into_iter().map(|row| listing(cx, row)).collect();
    Ok(ListPage { rows, next })
}

fn listing<D>(cx: &Context<'_, D>, row: RefusalRow) -> RefusedApplication {
    let mut opener = RowOpener::new(cx, row.eid_index.as_bytes());
    RefusedApplication {
        eid: opener.identifier("eid", chip::EID, Some(&row.eid_sealed)),
        chip_model: row.chip_model,
        client_id: row.client_id,
        reason: Reason::from_code(&row.reason),
        at: row.at,
        unreadable: opener.unreadable,
    }
}
