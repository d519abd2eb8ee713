//! Operator numbers, for administrators. Never shows their keys.

use domain::error::{Error, Reason};
use operations::{MAX_NUMBERS_PER_PAGE, NumberFilter, NumberListing, list_numbers};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{
    ClientId, Cursor, Eid, Iccid, ImportId, Imsi, Instant, ListOrder, Msisdn, NumberCode, PageLimit,
    ProvinceCode, RowCursor, Rows, TaskId, Time,
};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::values::{SearchedNumberState, searched};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::ImsiMalformed,
    Reason::ProvinceMalformed,
];

type Limit = PageLimit<MAX_NUMBERS_PER_PAGE>;

/// Conditions of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 预占或写入该码号的芯片 EID；与 iccid、msisdn、imsi 至多取一 / EID of the chip it is reserved for or written to; at most one of
    /// this, iccid, msisdn and imsi
    #[param(inline)]
    eid: Option<Eid>,
    /// ICCID / ICCID
    #[param(inline)]
    iccid: Option<Iccid>,
    /// 13 位物联网号码 / 13-digit IoT number
    #[param(inline)]
    msisdn: Option<Msisdn>,
    /// IMSI / IMSI
    #[param(inline)]
    imsi: Option<Imsi>,
    /// 该次导入 / of this import
    #[param(inline)]
    import_id: Option<ImportId>,
    /// 已划拨的业务需求方 / the client it is allotted to
    #[param(inline)]
    client_id: Option<ClientId>,
    /// 码号所属省份 / province of the number
    #[param(inline)]
    province_code: Option<ProvinceCode>,
    /// 码号在本平台的状态 / state of the number in this platform
    #[param(inline)]
    status: Option<SearchedNumberState>,
    /// 导入时间起（含） / imported from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 导入时间止（不含） / imported before this time
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

impl Search {
    fn filter(self) -> Result<NumberFilter, Refusal> {
        Ok(NumberFilter {
            id: searched(self.eid, self.iccid, self.msisdn, self.imsi)?,
            import_id: self.import_id.map(ImportId::get),
            client_id: self.client_id.map(ClientId::get),
            province: self.province_code.map(ProvinceCode::get),
            status: self.status.map(|status| status.get().0),
            from: self.from.map(Instant::get),
            to: self.to.map(Instant::get),
            order: self.order.map(ListOrder::get).unwrap_or_default(),
            cursor: self.cursor.map(RowCursor::get),
            limit: Rows::of(self.limit),
        })
    }
}

/// 一页码号 / a page of numbers
#[derive(Serialize, ToSchema)]
pub(crate) struct NumberPage {
    /// 码号，默认最近导入的在前；有多个条件时，一页可少于 limit 而仍有下一页 / the numbers, by default those imported last first; with several
    /// conditions a page may have fewer than limit although another one follows
    numbers: Vec<ListedNumber>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 码号 / a number
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedNumber {
    /// ICCID；无法解密时为 null / ICCID; null if it cannot be opened
    #[schema(required, value_type = Option<Iccid>)]
    iccid: Option<String>,
    /// 码号；无法解密时为 null / the number; null if it cannot be opened
    #[schema(required, value_type = Option<Msisdn>)]
    msisdn: Option<String>,
    /// IMSI；无法解密时为 null / IMSI; null if it cannot be opened
    #[schema(required, value_type = Option<Imsi>)]
    imsi: Option<String>,
    /// 码号所属省份 / province of the number
    #[schema(value_type = ProvinceCode)]
    province_code: String,
    /// 码号在本平台的状态 / state of the number in this platform
    status: NumberCode,
    /// 是否因恢复备份而隔离 / whether it is quarantined since a backup was restored
    quarantined: bool,
    /// 已划拨的业务需求方 / the client it is allotted to
    #[schema(required, value_type = Option<ClientId>)]
    client_id: Option<String>,
    /// 预占或写入该码号的芯片 / the chip it is reserved for or written to
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 预占或写入该码号的任务 / the task that reserved it or wrote it
    #[schema(required, value_type = Option<TaskId>)]
    task_id: Option<String>,
    /// 证实已写入芯片的时间 / when its chip was proven to hold it
    #[schema(required)]
    written_at: Option<Time>,
    /// 运营商开户时间 / when the operator opened it
    #[schema(required)]
    open_time: Option<Time>,
    /// 导入时间 / when it was imported
    imported_at: Time,
    /// 最近变化的时间 / when it last changed
    changed_at: Time,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl ListedNumber {
    fn new(call: &Call, number: NumberListing) -> Self {
        Self {
            iccid: number.iccid,
            msisdn: number.msisdn,
            imsi: number.imsi,
            province_code: number.province,
            status: NumberCode(number.status.code()),
            quarantined: number.is_quarantined,
            client_id: number.client_id.map(|id| id.as_str().to_owned()),
            eid: number.eid,
            task_id: number.task_id.map(|id| id.text()),
            written_at: number.written_at.map(|at| call.time(at)),
            open_time: number.open_time.map(|at| call.time(at)),
            imported_at: call.time(number.imported_at),
            changed_at: call.time(number.changed_at),
            unreadable: number.unreadable,
        }
    }
}

/// Finds operator numbers, those imported last first.
#[utoipa::path(
    get,
    path = "/admin/v1/numbers",
    summary = "查询码号 / Find operator numbers (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<NumberPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::NumbersList>,
    Query(search): Query<Search>,
) -> Answer<NumberPage> {
    let page = list_numbers(&call.context(), search.filter()?).await?;
    let numbers = page.rows.into_iter();
    Ok(Success::new(NumberPage {
        numbers: numbers.map(|number| ListedNumber::new(&call, number)).collect(),
        next: call.next(page.next.map(|key| key.text())),
    }))
}

/// An export of the list.
struct NumberExport(NumberFilter);

impl ExportSource for NumberExport {
    const NAME: &'static str = "numbers";
    const COLUMNS: &'static [&'static str] = &[
        "iccid",
        "msisdn",
        "imsi",
        "province_code",
        "status",
        "quarantined",
        "client_id",
        "eid",
        "task_id",
        "written_at",
        "open_time",
        "imported_at",
        "changed_at",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = list_numbers(&call.context(), self.0.clone()).await?;
            self.0.cursor.clone_from(&page.next);
            let rows = page.rows.into_iter().map(|row| ListedNumber::new(call, row));
            ExportPage::new(rows, page.next.map(|key| key.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/numbers:export",
    summary = "导出码号 / Export operator numbers (§5.3.1.1)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::NumbersExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, NumberExport(search.filter()?)).await
}
