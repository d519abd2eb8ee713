//! The trail as people search it. Reads only; identifiers stay masked.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::Context;
use crate::unreadable::RowOpener;
use domain::error::Error;
use domain::{Eid, Iccid, Imsi, Msisdn, Right, Timestamp};
use store::Database;
use store::audit::{self, AuditKind, AuditObject, AuditOutcome, AuditQuery, Listed, detail_id};
use vault::IndexKind;

/// Most rows of one page.
pub const MAX_AUDIT_ROWS_PER_PAGE: u32 = 200;

/// What a row is about, as a search names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditObjectRef {
    /// A chip.
    Eid(Eid),
    /// A number, by its card.
    Iccid(Iccid),
    /// A number.
    Msisdn(Msisdn),
    /// A number, by its subscriber identity.
    Imsi(Imsi),
    /// Something whose identifier is not sealed: a client, a task, an import, an incident, a receiver.
    Named(String),
}

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter<'a> {
    /// Of this one.
    pub who: Option<&'a str>,
    /// Of this right.
    pub right: Option<Right>,
    /// With this outcome.
    pub outcome: Option<AuditOutcome>,
    /// About this.
    pub object: Option<AuditObjectRef>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub to: Option<Timestamp>,
    /// The `next` of the page before.
    pub cursor: Option<u64>,
    /// Most rows; at most [`MAX_AUDIT_ROWS_PER_PAGE`].
    pub limit: u32,
}

/// A row of the trail.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditView {
    /// Its number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// What it is about.
    pub kind: AuditKind,
    /// Who.
    pub who: String,
    /// What, by the name of its right.
    pub what: String,
    /// What became of it.
    pub outcome: AuditOutcome,
    /// Why it was refused, or failed.
    pub reason: Option<String>,
    /// From where.
    pub address: String,
    /// Of which request.
    pub request_id: String,
    /// On what, masked.
    pub object: String,
    /// The details; none if they cannot be opened.
    pub detail: AuditDetail,
    /// Its hash in the chain, in hexadecimal.
    pub hash: String,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// The details of a row, identifiers masked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct AuditDetail {
    /// What was asked for, with person and reason.
    pub request: Map<String, Value>,
    /// What was so before.
    pub before: Map<String, Value>,
    /// What is so afterwards.
    pub after: Map<String, Value>,
    /// Of what was read: how many rows.
    pub rows: Option<u64>,
    /// Of what was read: the SHA-256 of the answer, in hexadecimal.
    pub sha256: Option<String>,
}

/// Finds rows of the trail, the latest first, and the number before which the next page begins, if there may be one. A page
/// may have fewer rows than its limit although another one follows.
/// Details that cannot be opened hide no row.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_audit<D: Database>(
    cx: &Context<'_, D>,
    filter: AuditFilter<'_>,
) -> Result<(Vec<AuditView>, Option<u64>), Error> {
    let index = |kind, text: &str| AuditObject::Index(cx.vault.blind_index(kind, text.as_bytes()));
    let object = filter.object.map(|object| match object {
        AuditObjectRef::Eid(eid) => index(IndexKind::Eid, eid.as_str()),
        AuditObjectRef::Iccid(iccid) => index(IndexKind::Iccid, iccid.as_str()),
        AuditObjectRef::Msisdn(msisdn) => index(IndexKind::Msisdn, msisdn.as_str()),
        AuditObjectRef::Imsi(imsi) => index(IndexKind::Imsi, imsi.as_str()),
        AuditObjectRef::Named(name) => AuditObject::Text(name),
    });
    let query = AuditQuery {
        below: filter.cursor,
        from: filter.from,
        to: filter.to,
        who: filter.who,
        what: filter.right.map(Right::code),
        outcome: filter.outcome,
        object,
        limit: filter.limit.clamp(1, MAX_AUDIT_ROWS_PER_PAGE),
    };
    let (rows, next) = audit::search(cx.db, query).await?;
    let rows = rows.into_iter().map(|row| view(cx, row)).collect();
    Ok((rows, next))
}

fn view<D>(cx: &Context<'_, D>, (row, sealed): Listed) -> AuditView {
    let id = row.detail_digest.as_ref().map(detail_id).unwrap_or_default();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let detail = opener.document("detail", audit::DETAIL, sealed.as_deref());
    AuditView {
        seq: row.seq,
        at: row.at,
        kind: row.kind,
        who: row.who,
        what: row.what,
        outcome: row.outcome,
        reason: row.reason,
        address: row.address,
        request_id: row.request_id,
        object: row.object,
        detail: detail.unwrap_or_default(),
        hash: hex::encode(row.hash),
        unreadable: opener.unreadable,
    }
}
