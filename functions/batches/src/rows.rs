//! The rows of a batch, with the result of each.

use domain::error::{Error, Reason};
use operations::{BatchRowView, MAX_BATCH_ROWS_PER_PAGE, batch_rows};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{
    BatchId, BatchResult, Cursor, Eid, Iccid, Msisdn, PageLimit, ProvinceCode, Rows, TaskId, Time,
};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::values::{Line, LineOfFile};

const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::UnknownBatch,
];

type Limit = PageLimit<MAX_BATCH_ROWS_PER_PAGE>;

/// Which rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 批量任务标识 / identifier of the batch
    #[param(inline)]
    batch_id: BatchId,
    /// 仅查询该结果的行 / the rows with this result alone
    #[param(inline)]
    result: Option<BatchResult>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<Line>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 批量任务的一页行 / a page of the rows of a batch
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchRowList {
    /// 按文件行号排列 / the rows, by their lines
    rows: Vec<BatchRow>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 批量任务的一行 / a row of a batch
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchRow {
    /// 文件中的行号，表头为第 1 行 / line in the file, the header being line 1
    line: u64,
    /// 芯片 EID；该行没有或无法解密时为 null / EID of the chip; null if the row has none, or it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 码号的 ICCID / ICCID of the number
    #[schema(required, value_type = Option<Iccid>)]
    iccid: Option<String>,
    /// 号码 / the number
    #[schema(required, value_type = Option<Msisdn>)]
    msisdn: Option<String>,
    /// 省份编码 / code of the province
    #[schema(required, value_type = Option<ProvinceCode>)]
    province_code: Option<String>,
    /// 结果；尚未执行时为 null / what became of it; null while it is to be carried out
    #[schema(required)]
    result: Option<BatchResult>,
    /// 拒绝原因代码 / code of the reason why it was refused
    #[schema(required, example = "unknown_chip")]
    reason: Option<&'static str>,
    /// 拒绝原因 / why it was refused
    #[schema(required)]
    description: Option<&'static str>,
    /// 处理办法 / what to do
    #[schema(required)]
    remedy: Option<&'static str>,
    /// 写卡任务 ID / identifier of the task
    #[schema(required, value_type = Option<TaskId>)]
    task_id: Option<String>,
    /// 执行或拒绝的时间 / when it was carried out or refused
    #[schema(required)]
    done_at: Option<Time>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl BatchRow {
    fn new(call: &Call, row: BatchRowView) -> Self {
        let [eid, iccid, msisdn] = row.identifiers;
        Self {
            line: row.line,
            eid,
            iccid,
            msisdn,
            province_code: row.province,
            result: row.result.map(Into::into),
            reason: row.reason.map(Reason::code),
            description: row.reason.map(|reason| reason.message(call.lang)),
            remedy: row.reason.map(|reason| reason.remedy(call.lang)),
            task_id: row.task.map(|task| task.text()),
            done_at: row.done_at.map(|at| call.time(at)),
            unreadable: row.unreadable,
        }
    }
}

/// Lists the rows of a batch by their lines, with the result of each.
#[utoipa::path(
    get,
    path = "/admin/v1/batches/rows",
    summary = "查询批量任务各行的结果 / List the rows of a batch (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<BatchRowList>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::BatchesRows>,
    Query(search): Query<Search>,
) -> Answer<BatchRowList> {
    let limit = Rows::of(search.limit.clone());
    let search = RowsOfBatch::from(search);
    let (rows, next) = batch_rows(&call.context(), search.id, search.result, search.after, limit).await?;
    let rows = rows.into_iter();
    Ok(Success::new(BatchRowList {
        rows: rows.map(|row| BatchRow::new(&call, row)).collect(),
        next: call.next(next.map(|line| line.to_string())),
    }))
}

/// The rows that are asked for.
struct RowsOfBatch {
    id: domain::BatchId,
    result: Option<domain::BatchResult>,
    after: Option<u64>,
}

impl From<Search> for RowsOfBatch {
    fn from(search: Search) -> Self {
        Self {
            id: search.batch_id.get(),
            result: search.result.map(BatchResult::get),
            after: search.cursor.map(Line::get).map(|LineOfFile(line)| line),
        }
    }
}

impl ExportSource for RowsOfBatch {
    const NAME: &'static str = "batch-rows";
    const COLUMNS: &'static [&'static str] = &[
        "line",
        "eid",
        "iccid",
        "msisdn",
        "province_code",
        "result",
        "reason",
        "description",
        "remedy",
        "task_id",
        "done_at",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let (rows, next) = batch_rows(
                &call.context(),
                self.id,
                self.result,
                self.after,
                MAX_BATCH_ROWS_PER_PAGE,
            )
            .await?;
            self.after = next;
            let rows = rows.into_iter().map(|row| BatchRow::new(call, row));
            ExportPage::new(rows, next.map(|line| line.to_string()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/batches/rows:export",
    summary = "导出批量任务各行的结果 / Export the rows of a batch (§5.3.1.1)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::BatchesRowsExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, RowsOfBatch::from(search)).await
}
