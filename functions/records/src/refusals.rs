//! Refused applications (申请失败, §6.3 Table 2), for administrators.

use domain::error::{Error, Reason};
use operations::{MAX_REFUSALS_PER_PAGE, RefusalFilter, RefusedApplication, refused_applications};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{ClientId, Cursor, Eid, Instant, ListOrder, PageLimit, RowCursor, Rows, Time};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::values::SearchedReason;

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::EidMalformed,
];

type Limit = PageLimit<MAX_REFUSALS_PER_PAGE>;

/// Conditions of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 芯片 EID / EID of the chip
    #[param(inline)]
    eid: Option<Eid>,
    /// 业务需求方标识 / identifier of the client
    #[param(inline)]
    client_id: Option<ClientId>,
    /// 拒绝原因代码 / stable name of the reason
    #[param(inline)]
    reason: Option<SearchedReason>,
    /// 拒绝时间起（含） / refused from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 拒绝时间止（不含） / refused before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 次序 / the order
    #[param(inline)]
    order: Option<ListOrder>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<RowCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

impl From<Search> for RefusalFilter {
    fn from(search: Search) -> Self {
        Self {
            eid: search.eid.map(Eid::get),
            client_id: search.client_id.map(ClientId::get),
            reason: search.reason.map(|reason| reason.get().0),
            from: search.from.map(Instant::get),
            to: search.to.map(Instant::get),
            order: search.order.map(ListOrder::get).unwrap_or_default(),
            cursor: search.cursor.map(RowCursor::get),
            limit: Rows::of(search.limit),
        }
    }
}

/// 一页被拒绝的申请 / a page of refused applications
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedApplicationPage {
    /// 被拒绝的申请，默认最近的在前；有多个条件时，一页可少于 limit 而仍有下一页 / the applications, by default the latest first; with several
    /// conditions a page may have fewer than limit although another one follows
    applications: Vec<RefusedApplicationRow>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 被拒绝的申请 / a refused application
#[derive(Serialize, ToSchema)]
pub(crate) struct RefusedApplicationRow {
    /// 结果，总是 refused / what became of it: always refused
    #[schema(example = "refused")]
    outcome: &'static str,
    /// 芯片 EID；无法解密时为 null / EID of the chip; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 芯片型号 / model of the chip
    chip_model: String,
    /// 申请的业务需求方 / the client that applied
    #[schema(required, value_type = Option<ClientId>)]
    client_id: Option<String>,
    /// 拒绝原因代码 / stable name of the reason
    #[schema(required, example = "province_without_number")]
    reason: Option<&'static str>,
    /// 拒绝原因 / why it was refused
    #[schema(required)]
    description: Option<&'static str>,
    /// 处理办法 / what to do
    #[schema(required)]
    remedy: Option<&'static str>,
    /// 拒绝时间；同一原因的重复申请只记第一次 / when it was refused; of repetitions for the same reason the first
    refused_at: Time,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl RefusedApplicationRow {
    fn new(call: &Call, row: RefusedApplication) -> Self {
        Self {
            outcome: "refused",
            eid: row.eid,
            chip_model: row.chip_model,
            client_id: row.client_id.map(|id| id.as_str().to_owned()),
            reason: row.reason.map(Reason::code),
            description: row.reason.map(|reason| reason.message(call.lang)),
            remedy: row.reason.map(|reason| reason.remedy(call.lang)),
            refused_at: call.time(row.at),
            unreadable: row.unreadable,
        }
    }
}

/// Finds applications that were refused, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/applications/refused",
    summary = "查询申请失败的记录 / Find refused applications (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<RefusedApplicationPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::ApplicationsRefused>,
    Query(search): Query<Search>,
) -> Answer<RefusedApplicationPage> {
    let page = refused_applications(&call.context(), search.into()).await?;
    let rows = page.rows.into_iter();
    Ok(Success::new(RefusedApplicationPage {
        applications: rows.map(|row| RefusedApplicationRow::new(&call, row)).collect(),
        next: call.next(page.next.map(|key| key.text())),
    }))
}

/// An export of the list.
struct RefusalExport(RefusalFilter);

impl ExportSource for RefusalExport {
    const NAME: &'static str = "refused-applications";
    const COLUMNS: &'static [&'static str] = &[
        "outcome",
        "eid",
        "chip_model",
        "client_id",
        "reason",
        "description",
        "remedy",
        "refused_at",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = refused_applications(&call.context(), self.0.clone()).await?;
            self.0.cursor.clone_from(&page.next);
            let rows = page
                .rows
                .into_iter()
                .map(|row| RefusedApplicationRow::new(call, row));
            ExportPage::new(rows, page.next.map(|key| key.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/applications/refused:export",
    summary = "导出申请失败的记录 / Export refused applications (§5.3.1.1)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::ApplicationsRefusedExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, RefusalExport(search.into())).await
}
