//! Refused applications as people search them: the steps of table `card_history` to 申请失败, with their chips. Reads only.

use super::list::{Asked, ListedBy, Order, find_page, listed_by, take};
use super::{Database, DbError, ListKey, Row, Value};
use domain::{ClientId, Timestamp};
use vault::BlindIndex;

// The engine numbers parameters as they first occur. 6: 申请失败, to which only a refused application leads.
macro_rules! listed {
    ($by:literal) => {
        listed_by!(
            "h.at, h.eid_index, h.seq" and ", h.actor, h.reason, c.eid_sealed, c.chip_model",
            "card_history h" " JOIN chip c ON c.eid_index = h.eid_index", by $by
                and "h.to_status = 6 AND ",
            "(h.at, h.eid_index, h.seq)" from "($2, $3, $4)" to "($5, $6, $7)",
            "(h.actor = $8 OR $8 IS NULL) AND (h.reason = $9 OR $9 IS NULL)",
            "h.at DESC, h.eid_index DESC, h.seq DESC" or "h.at, h.eid_index, h.seq",
            "$8",
            "$10"
        )
    };
}
const ALL: ListedBy = listed!("CAST($1 AS TEXT) IS NULL");
const OF_CLIENT: ListedBy = listed!("h.actor = $1");
const OF_CHIP: ListedBy = listed!("h.eid_index = $1");

/// Conditions of a search for refused applications.
#[derive(Clone, Debug, Default)]
pub struct RefusalQuery<'a> {
    /// The `next` of the page before.
    pub cursor: Option<ListKey>,
    /// The order of times.
    pub order: Order,
    /// Refused from this time on.
    pub from: Option<Timestamp>,
    /// Refused before this time.
    pub to: Option<Timestamp>,
    /// For this chip.
    pub eid_index: Option<BlindIndex>,
    /// Of this client, as the history names it.
    pub actor: Option<String>,
    /// For this reason.
    pub reason: Option<&'a str>,
    /// Most rows.
    pub limit: u32,
}

/// A refused application.
#[derive(Clone, Debug)]
pub struct RefusalRow {
    /// When it was refused.
    pub at: Timestamp,
    /// Blind index of the chip's EID.
    pub eid_index: BlindIndex,
    /// Sealed EID of the chip.
    pub eid_sealed: Vec<u8>,
    /// Model of the chip.
    pub chip_model: String,
    /// Who applied; none if it was no client.
    pub client_id: Option<ClientId>,
    /// Stable name of the reason.
    pub reason: String,
}

/// A page of refused applications in the order of time, and where the next one begins.
pub async fn page<D: Database>(
    db: &D,
    query: RefusalQuery<'_>,
) -> Result<(Vec<RefusalRow>, Option<ListKey>), DbError> {
    let range = (query.from, query.to);
    let span = ListKey::span(query.order, query.cursor.as_ref(), range, ListKey::triple);
    let (list, at) = match (query.eid_index, &query.actor) {
        (Some(_), _) => (OF_CHIP, None),
        (None, Some(_)) => (OF_CLIENT, Some(0)),
        (None, None) => (ALL, None),
    };
    let mut others: Vec<Value> = vec![query.actor.into(), query.reason.into()];
    let by = match query.eid_index {
        Some(index) => index.into(),
        None => take(&mut others, at),
    };
    let asked = Asked {
        by,
        span,
        order: query.order,
        others,
        limit: query.limit,
    };
    let (rows, next) = find_page(db, list, asked).await?;
    let refusals = rows.iter().map(read).collect::<Result<_, _>>()?;
    Ok((refusals, next.as_ref().map(ListKey::read_triple).transpose()?))
}

fn read(row: &Row) -> Result<RefusalRow, DbError> {
    let actor = row.text(3)?.strip_prefix("client:");
    Ok(RefusalRow {
        at: row.time(0)?,
        eid_index: row.index(1)?,
        client_id: actor.and_then(|id| ClientId::parse(id).ok()),
        reason: row.text(4)?.to_owned(),
        eid_sealed: row.blob(5)?.to_owned(),
        chip_model: row.text(6)?.to_owned(),
    })
}
