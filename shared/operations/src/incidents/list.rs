//! Incidents as administrators see them: with the chip's EID, the opened texts and the deadlines.

use serde::Deserialize;

use super::super::Context;
use super::super::unreadable::RowOpener;
use domain::error::Error;
use domain::{IncidentClass, IncidentId, IncidentKind, IncidentState, Severity, Timestamp};
use store::{
    Database, chip,
    incident::{self, By, IncidentQuery, IncidentRow},
};
use vault::BlindIndex;

/// Most incidents of one page.
pub const MAX_INCIDENTS_PER_PAGE: u32 = 200;

/// Conditions of a search.
#[derive(Clone, Debug, Default)]
pub struct IncidentFilter {
    /// Open ones only, settled ones only, or all.
    pub open: Option<bool>,
    /// Of this kind.
    pub kind: Option<IncidentKind>,
    /// Of this class.
    pub class: Option<IncidentClass>,
    /// Of this severity.
    pub severity: Option<Severity>,
    /// Opened from this time on.
    pub from: Option<Timestamp>,
    /// Opened before this time.
    pub to: Option<Timestamp>,
    /// The `next` of the page before.
    pub cursor: Option<IncidentId>,
    /// Most rows; at most [`MAX_INCIDENTS_PER_PAGE`].
    pub limit: u32,
}

/// The final report of a severe incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct FinalReport<T> {
    /// 处理过程.
    pub course: T,
    /// 根本原因.
    pub root_cause: T,
    /// 改进措施.
    pub measures: T,
}

/// An incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentView {
    /// Identifier.
    pub id: IncidentId,
    /// What it is about.
    pub subject: String,
    /// The chip it is about.
    pub eid: Option<String>,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// Its state, and with it the deadlines.
    pub state: IncidentState,
    /// Who opened it.
    pub opened_by: By,
    /// Who settled it.
    pub settled_by: Option<By>,
    /// The note written when it was opened.
    pub note: Option<String>,
    /// The note written when it was settled.
    pub settlement: Option<String>,
    /// Its report.
    pub report: Option<String>,
    /// Its final report.
    pub final_report: Option<FinalReport<String>>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// A page of incidents, the latest first.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentPage {
    /// The incidents.
    pub incidents: Vec<IncidentView>,
    /// Where the next page begins, if there may be one.
    pub next: Option<IncidentId>,
}

/// Finds incidents, the latest first. A value that cannot be opened is named in its incident and hides no other.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_incidents<D: Database>(
    cx: &Context<'_, D>,
    filter: &IncidentFilter,
) -> Result<IncidentPage, Error> {
    let kinds: Vec<IncidentKind> = IncidentKind::all()
        .filter(|kind| filter.kind.is_none_or(|expected| expected == *kind))
        .filter(|kind| filter.class.is_none_or(|expected| expected == kind.row().class))
        .collect();
    let below = filter.to.map_or_else(IncidentId::last, IncidentId::first);
    let limit = filter.limit.clamp(1, MAX_INCIDENTS_PER_PAGE);
    let query = IncidentQuery {
        from: IncidentId::first(filter.from.unwrap_or(Timestamp(0))),
        below: filter.cursor.map_or(below, |cursor| cursor.min(below)),
        open: filter.open,
        severity: filter.severity,
        kinds: (filter.kind.is_some() || filter.class.is_some()).then_some(&kinds),
        limit,
    };
    let rows = incident::list(cx.db, &query).await?;
    let next = rows.last().map(|row| row.id);
    let next = next.filter(|_| rows.len() == limit as usize);
    Ok(IncidentPage {
        incidents: views(cx, cx.db, rows).await?,
        next,
    })
}

/// An incident with its sealed values opened.
pub(super) async fn view<D, R: Database>(
    cx: &Context<'_, D>,
    db: &R,
    row: IncidentRow,
) -> Result<IncidentView, Error> {
    let mut views = views(cx, db, vec![row]).await?;
    views
        .pop()
        .ok_or_else(|| Error::internal("an incident has no view"))
}

async fn views<D, R: Database>(
    cx: &Context<'_, D>,
    db: &R,
    rows: Vec<IncidentRow>,
) -> Result<Vec<IncidentView>, Error> {
    let eids = sealed_eids(db, &rows).await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            let chip = row.subject.as_chip();
            opened(cx, &row, eids.iter().find(|(index, _)| chip == Some(*index)))
        })
        .collect())
}

/// The chips that the incidents are about, with their sealed EIDs.
pub(super) async fn sealed_eids<D: Database>(
    db: &D,
    rows: &[IncidentRow],
) -> Result<Vec<(BlindIndex, Vec<u8>)>, Error> {
    let chips: Vec<_> = rows
        .iter()
        .filter_map(|row| Some(row.subject.as_chip()?.hex()))
        .collect();
    if chips.is_empty() {
        return Ok(Vec::new());
    }
    let chips = serde_json::to_string(&chips).map_err(Error::internal)?;
    Ok(chip::eids(db, chips).await?)
}

fn opened<D>(cx: &Context<'_, D>, row: &IncidentRow, chip: Option<&(BlindIndex, Vec<u8>)>) -> IncidentView {
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let mut view = IncidentView {
        id: row.id,
        subject: row.subject.text().to_owned(),
        eid: None,
        opened_at: row.opened_at,
        state: row.state,
        opened_by: row.opened_by,
        settled_by: row.settled_by,
        note: opener.text("note", incident::NOTE, row.note_sealed.as_deref()),
        settlement: opener.text(
            "settlement",
            incident::SETTLEMENT,
            row.settlement_sealed.as_deref(),
        ),
        report: opener.text("report", incident::REPORT, row.report_sealed.as_deref()),
        final_report: opener.document(
            "final_report",
            incident::FINAL_REPORT,
            row.final_report_sealed.as_deref(),
        ),
        unreadable: opener.unreadable,
    };
    if let Some((index, sealed)) = chip {
        let mut opener = RowOpener::new(cx, index.as_bytes());
        view.eid = opener.identifier("eid", chip::EID, Some(sealed));
        view.unreadable.extend(opener.unreadable);
    }
    view
}
