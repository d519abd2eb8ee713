//! `/admin/v1/chips:import` and `/admin/v1/numbers:import`, §5.3.1.1: chips and operator numbers from tables. A bad row is
//! reported; the other rows are imported, or corrected. The inventory lists the imports and withdraws them.
//!
//! Never shows key material.

#![forbid(unsafe_code)]

use domain::error::{Error, Lang, Reason};
use operations::{
    ActNote, ImportChoices, ImportReport, ImportWarning, RowError, import_chips, import_numbers,
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, Table, rights};
use web::outbound::table_as_csv;
use web::values::{ActReason, ClientId, ImportId, Person, Sheet};
use web::{Answer, Routes, Success, codes, routes};

/// Why chips are refused as a whole, besides the reasons that every operation has.
const CHIPS_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::BadCsv,
    Reason::BodyTooLarge,
];

/// Why numbers are refused as a whole.
const NUMBERS_REASONS: &[Reason] = CHIPS_REASONS;

/// To whom chips belong, and how they are imported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ChipChoices {
    /// 未填写 client_id 的行所属的业务需求方 / the client that rows without client_id belong to
    #[param(inline)]
    client_id: Option<ClientId>,
    /// true：应答相同，不写入任何内容 / true: the same answer, and nothing is changed
    preview: Option<bool>,
    /// 工作簿（.xlsx）中的工作表；未填写时取唯一有内容的 / the sheet of a workbook (.xlsx); without it the only one that has rows
    #[param(inline)]
    sheet: Option<Sheet>,
    /// true：接受以五个以上的零结尾且校验位不符的 ICCID / true: take ICCIDs that end in five or more zeros and have a wrong
    /// check digit
    accept_zeros: Option<bool>,
    /// true：更正已导入的行，不新增；须填写 person 与 reason / true: correct what was imported instead of adding rows; needs
    /// person and reason
    correct: Option<bool>,
    /// 更正人 / the person who corrects
    #[param(inline)]
    person: Option<Person>,
    /// 更正原因 / why it is corrected
    #[param(inline)]
    reason: Option<ActReason>,
}

/// How numbers are imported.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct NumberChoices {
    /// true：应答相同，不写入任何内容 / true: the same answer, and nothing is changed
    preview: Option<bool>,
    /// 工作簿（.xlsx）中的工作表；未填写时取唯一有内容的 / the sheet of a workbook (.xlsx); without it the only one that has rows
    #[param(inline)]
    sheet: Option<Sheet>,
    /// true：接受以五个以上的零结尾且校验位不符的 ICCID / true: take ICCIDs that end in five or more zeros and have a wrong
    /// check digit
    accept_zeros: Option<bool>,
    /// true：更正已导入的行，不新增；须填写 person 与 reason / true: correct what was imported instead of adding rows; needs
    /// person and reason
    correct: Option<bool>,
    /// 更正人 / the person who corrects
    #[param(inline)]
    person: Option<Person>,
    /// 更正原因 / why it is corrected
    #[param(inline)]
    reason: Option<ActReason>,
}

/// Who corrects and why, if a file corrects.
fn correction<'a>(
    correct: Option<bool>,
    person: Option<&'a Person>,
    reason: Option<&'a ActReason>,
) -> Result<Option<ActNote<'a>>, Error> {
    if correct != Some(true) {
        return Ok(None);
    }
    let missing = |field| Error::from(Reason::ParameterMissing).with_field(field);
    Ok(Some(ActNote {
        person: &person.ok_or_else(|| missing("person"))?.0,
        text: &reason.ok_or_else(|| missing("reason"))?.0,
    }))
}

fn choices<'a>(
    call: &Call,
    preview: Option<bool>,
    accept_zeros: Option<bool>,
    correct: Option<ActNote<'a>>,
) -> ImportChoices<'a> {
    ImportChoices {
        ranges: call.settings().number_ranges.clone(),
        unchecked_eids: call.settings().unchecked_eids,
        accept_zeros: accept_zeros.unwrap_or_default(),
        preview: preview.unwrap_or_default(),
        correct,
    }
}

/// 工作簿（.xlsx） / a workbook (.xlsx)
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "stands in the document alone")]
struct Workbook(Vec<u8>);

/// What became of the rows of a file.
#[derive(Serialize, ToSchema)]
struct Imported {
    /// 导入标识，用于撤回；preview 时为 null / identifier of the import, by which it is withdrawn; null for a preview
    #[schema(required, value_type = Option<ImportId>)]
    import_id: Option<String>,
    /// 文件行数，不含表头 / rows of the file, without its header
    rows: usize,
    /// 新导入的行数 / rows that are new
    imported: usize,
    /// 此前已以相同内容导入，或在文件中重复的行数 / rows that were imported before with the same values, or are repeated in the
    /// file
    unchanged: usize,
    /// 已更正的行数 / rows that were corrected
    corrected: usize,
    /// 未导入的行数 / rows that were not imported
    rejected: usize,
    /// 未导入的原因：列出全部 import_conflict，其余最多 1,000 条 / why rows were not imported: every import_conflict, and the
    /// first 1,000 others
    errors: Vec<RejectedRow>,
    /// 不影响导入的提示 / what is not as usual, and kept no row from being imported
    warnings: Vec<Warned>,
}

/// What is not as usual in a file.
#[derive(Serialize, ToSchema)]
struct Warned {
    /// 所涉及的第一行 / first line that it concerns
    line: u64,
    /// 所涉及的行数 / how many lines it concerns
    lines: usize,
    /// 所涉及的列；不限于某一列时为 null / the column; null when it is not just one
    #[schema(required)]
    column: Option<String>,
    /// 提示代码 / code of the warning
    #[schema(example = "check_digit_wrong")]
    warning: &'static str,
    /// 说明 / what it means
    message: &'static str,
    /// 具有该值的网关（known_to_some_gateways） / the gateways that have the value (known_to_some_gateways)
    gateways: Vec<String>,
}

/// Why a row was not imported.
#[derive(Serialize, ToSchema)]
struct RejectedRow {
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
        let warned = |warning: ImportWarning| Warned {
            line: warning.line,
            lines: warning.lines,
            column: warning.column,
            warning: warning.kind.code(),
            message: warning.kind.message(lang),
            gateways: warning.gateways,
        };
        Self {
            import_id: report.id.map(|id| id.text()),
            rows: report.rows,
            imported: report.imported,
            unchanged: report.unchanged,
            corrected: report.corrected,
            rejected: report.rejected,
            errors: report.errors.into_iter().map(rejected_row).collect(),
            warnings: report.warnings.into_iter().map(warned).collect(),
        }
    }
}

/// Imports chips. Rows without `client_id` belong to the client in the query. With `correct` the rows are corrected:
/// owner (while no task is open), model, profile, IMEI, PSK identity, key version, PSK and DEK, while no session of the
/// chip runs.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:import",
    summary = "导入芯片 / Import chips (§5.3.1.1)",
    params(ChipChoices),
    request_body(content((String = "text/csv"), (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 200, body = Success<Imported>)),
    extensions(("x-reasons" = json!(codes(CHIPS_REASONS))))
)]
async fn chips(
    call: Call,
    _: Staff<rights::ChipsImport>,
    Query(chosen): Query<ChipChoices>,
    Table(file): Table,
) -> Answer<Imported> {
    let correct = correction(chosen.correct, chosen.person.as_ref(), chosen.reason.as_ref())?;
    let file = table_as_csv(&call, file, chosen.sheet.as_deref()).await?;
    let choices = choices(&call, chosen.preview, chosen.accept_zeros, correct);
    let report = import_chips(&call.context(), &file, chosen.client_id.as_deref(), &choices).await?;
    Ok(Success::new(Imported::new(report, call.lang)))
}

/// Imports operator numbers. Rows with `client_id` are allotted to that client (划拨). With `correct` K and OPc of the
/// rows are corrected, if no chip was written with them, while no session of their chip runs. A number that its chip
/// holds without a task is free then.
#[utoipa::path(
    post,
    path = "/admin/v1/numbers:import",
    summary = "导入运营商码号 / Import operator numbers (§5.3.1.1)",
    params(NumberChoices),
    request_body(content((String = "text/csv"), (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 200, body = Success<Imported>)),
    extensions(("x-reasons" = json!(codes(NUMBERS_REASONS))))
)]
async fn numbers(
    call: Call,
    _: Staff<rights::NumbersImport>,
    Query(chosen): Query<NumberChoices>,
    Table(file): Table,
) -> Answer<Imported> {
    let correct = correction(chosen.correct, chosen.person.as_ref(), chosen.reason.as_ref())?;
    let file = table_as_csv(&call, file, chosen.sheet.as_deref()).await?;
    let choices = choices(&call, chosen.preview, chosen.accept_zeros, correct);
    let report = import_numbers(&call.context(), &file, &choices).await?;
    Ok(Success::new(Imported::new(report, call.lang)))
}

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(chips as "admin.chips.import"))
        .routes(routes!(numbers as "admin.numbers.import"))
}

#[cfg(test)]
mod tests {
    use super::router;

    #[test]
    fn every_operation_is_documented() {
        let document = router().into_openapi();
        let paths: Vec<&str> = document.paths.paths.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/admin/v1/chips:import", "/admin/v1/numbers:import"]);
    }
}
