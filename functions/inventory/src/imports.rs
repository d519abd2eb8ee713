//! Imports of chips and operator numbers from CSV files (§5.3.1.1). A bad row is reported; the other rows are
//! imported.

use domain::error::{Lang, Reason};
use operations::{ImportReport, RowError, import_chips, import_numbers};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Administrator, Call, Csv, Query};
use web::values::ClientId;
use web::{Answer, Success, codes};

/// Why chips are refused as a whole, besides the reasons that every operation has.
const CHIPS_REASONS: &[Reason] = &[Reason::ParameterMalformed, Reason::BadCsv, Reason::BodyTooLarge];

/// Why numbers are refused as a whole.
const NUMBERS_REASONS: &[Reason] = &[Reason::BadCsv, Reason::BodyTooLarge];

/// To whom chips belong.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefaultClient {
    /// 未填写 client_id 的行所属的业务需求方 / the client that rows without client_id belong to
    #[param(inline)]
    client_id: Option<ClientId>,
}

/// What became of the rows of a file.
#[derive(Serialize, ToSchema)]
pub(crate) struct Imported {
    /// 文件行数，不含表头 / rows of the file, without its header
    rows: usize,
    /// 新导入的行数 / rows that are new
    imported: usize,
    /// 此前已以相同内容导入的行数 / rows that were imported before with the same values
    unchanged: usize,
    /// 未导入的行数 / rows that were not imported
    rejected: usize,
    /// 未导入的原因，只列出最前面的若干条 / why rows were not imported: the first ones
    errors: Vec<RejectedRow>,
}

/// Why a row was not imported.
#[derive(Serialize, ToSchema)]
pub(crate) struct RejectedRow {
    /// 文件中的行号，表头为第 1 行 / line in the file, the header being line 1
    line: u64,
    /// 出错的列；不限于某一列时为 null / the wrong column; null when it is not just one
    #[schema(required)]
    column: Option<&'static str>,
    /// 原因代码 / code of the reason
    #[schema(example = "eid_malformed")]
    reason: &'static str,
    /// 原因 / the reason
    message: &'static str,
    /// 违反的规则 / the broken rule
    detail: String,
    /// 处理办法 / what to do
    remedy: &'static str,
}

impl Imported {
    fn new(report: ImportReport, lang: Lang) -> Self {
        let rejected_row = |error: RowError| RejectedRow {
            line: error.line,
            column: error.column,
            reason: error.reason.code(),
            message: error.reason.message(lang),
            detail: match lang {
                Lang::Zh => error.zh,
                Lang::En => error.en,
            },
            remedy: error.reason.remedy(lang),
        };
        Self {
            rows: report.rows,
            imported: report.imported,
            unchanged: report.unchanged,
            rejected: report.rejected,
            errors: report.errors.into_iter().map(rejected_row).collect(),
        }
    }
}

/// Imports chips. Rows without `client_id` belong to the client in the query.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:import",
    summary = "导入芯片 / Import chips (§5.3.1.1)",
    params(DefaultClient),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Success<Imported>)),
    extensions(("x-reasons" = json!(codes(CHIPS_REASONS))))
)]
pub(crate) async fn chips(
    call: Call,
    _: Administrator,
    Query(default): Query<DefaultClient>,
    Csv(file): Csv,
) -> Answer<Imported> {
    let report = import_chips(&call.context(), &file, default.client_id.as_deref()).await?;
    Ok(Success::new(Imported::new(report, call.lang)))
}

/// Imports operator numbers. Rows with `client_id` are allotted to that client (划拨).
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:import",
    summary = "导入运营商码号 / Import operator numbers (§5.3.1.1)",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = Success<Imported>)),
    extensions(("x-reasons" = json!(codes(NUMBERS_REASONS))))
)]
pub(crate) async fn numbers(call: Call, _: Administrator, Csv(file): Csv) -> Answer<Imported> {
    let report = import_numbers(&call.context(), &file).await?;
    Ok(Success::new(Imported::new(report, call.lang)))
}
