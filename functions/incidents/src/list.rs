//! The list of incidents (§8.2).

use domain::error::{Error, Reason};
use operations::{IncidentFilter, MAX_INCIDENTS_PER_PAGE, list_incidents};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{Cursor, IncidentClass, IncidentId, IncidentKind, Instant, PageLimit, Rows, Severity};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::incident::Incident;

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[Reason::ParameterMalformed, Reason::CursorMismatch];

type Limit = PageLimit<MAX_INCIDENTS_PER_PAGE>;

/// 所查异常的状态 / the state of the incidents that are searched for
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SearchedState {
    Open,
    Closed,
    All,
}

/// Conditions of a search.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 未关闭、已关闭或全部，默认全部 / open ones, settled ones or all; by default all
    #[param(inline)]
    state: Option<SearchedState>,
    /// 异常种类 / of this kind
    kind: Option<IncidentKind>,
    /// 异常类别 / of this class
    class: Option<IncidentClass>,
    /// 严重程度 / of this severity
    severity: Option<Severity>,
    /// 登记时间起（含） / opened from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 登记时间止（不含） / opened before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<IncidentId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

impl From<Search> for IncidentFilter {
    fn from(search: Search) -> Self {
        Self {
            open: match search.state {
                Some(SearchedState::Open) => Some(true),
                Some(SearchedState::Closed) => Some(false),
                Some(SearchedState::All) | None => None,
            },
            kind: search.kind.map(IncidentKind::get),
            class: search.class.map(IncidentClass::get),
            severity: search.severity.map(Severity::get),
            from: search.from.map(Instant::get),
            to: search.to.map(Instant::get),
            cursor: search.cursor.map(IncidentId::get),
            limit: Rows::of(search.limit),
        }
    }
}

/// 一页异常 / a page of incidents
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentPage {
    /// 异常，最新在前 / the incidents, the latest first
    incidents: Vec<Incident>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// Finds incidents, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/incidents",
    summary = "查询异常 / Find incidents (§8.2)",
    params(Search),
    responses((status = 200, body = Success<IncidentPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::IncidentsList>,
    Query(search): Query<Search>,
) -> Answer<IncidentPage> {
    let page = list_incidents(&call.context(), &search.into()).await?;
    let incidents = page.incidents.into_iter();
    Ok(Success::new(IncidentPage {
        incidents: incidents.map(|incident| Incident::new(&call, incident)).collect(),
        next: call.next(page.next.map(|id| id.text())),
    }))
}

/// An export of the list.
struct IncidentExport(IncidentFilter);

impl ExportSource for IncidentExport {
    const NAME: &'static str = "incidents";
    const COLUMNS: &'static [&'static str] = &[
        "class",
        "closed_at",
        "eid",
        "final_report",
        "final_report_at",
        "final_report_by",
        "handle_by",
        "id",
        "kind",
        "note",
        "opened_at",
        "opened_by",
        "report",
        "report_by",
        "reported_at",
        "settled_by",
        "settlement",
        "severe_at",
        "severity",
        "since",
        "subject",
        "symptom",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = list_incidents(&call.context(), &self.0).await?;
            self.0.cursor = page.next;
            let rows = page.incidents.into_iter();
            let rows = rows.map(|incident| Incident::new(call, incident));
            ExportPage::new(rows, page.next.map(|id| id.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/incidents:export",
    summary = "导出异常 / Export incidents (§8.2)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::IncidentsExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, IncidentExport(search.into())).await
}
