//! The imports as a list, and withdrawing one.

use domain::error::Reason;
use operations::{ImportView, MAX_IMPORTS_PER_PAGE, Withdrawn, list_imports, withdraw_import};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{Cursor, ImportId, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

const LIST_REASONS: &[Reason] = &[Reason::ParameterMalformed, Reason::CursorMismatch];
const WITHDRAW_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownImport,
];

type Limit = PageLimit<MAX_IMPORTS_PER_PAGE>;

/// A page of imports.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<ImportId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 一页导入记录 / a page of imports
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportPage {
    /// 导入记录，最新在前 / the imports, the latest first
    imports: Vec<ImportSummary>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 一次导入 / an import
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportSummary {
    /// 导入标识 / identifier of the import
    #[schema(value_type = ImportId)]
    import_id: String,
    /// 导入的内容：`chip`（芯片）或 `number`（码号） / what was imported: `chip` or `number`
    kind: &'static str,
    /// 文件行数 / rows of the file
    rows: u64,
    /// 新导入的行数 / rows that were new
    imported: u64,
    /// 内容未变的行数 / rows that were there already
    unchanged: u64,
    /// 已更正的行数 / rows that were corrected
    corrected: u64,
    /// 未导入的行数 / rows that were not imported
    rejected: u64,
    /// 已撤回的行数 / rows that were withdrawn
    removed: u64,
    /// 更正人，仅限更正 / the person who corrected, if it was a correction
    #[schema(required)]
    person: Option<String>,
    /// 更正原因，仅限更正 / why, if it was a correction
    #[schema(required)]
    note: Option<String>,
    /// 导入时间 / when it was made
    at: Time,
    /// 最近一次撤回的时间 / when it was last withdrawn
    #[schema(required)]
    withdrawn_at: Option<Time>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// Lists the imports, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/imports",
    summary = "查询导入记录 / List the imports (§5.3.1.1)",
    params(Page),
    responses((status = 200, body = Success<ImportPage>)),
    extensions(("x-reasons" = json!(codes(LIST_REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::ImportsList>,
    Query(page): Query<Page>,
) -> Answer<ImportPage> {
    let cursor = page.cursor.map(ImportId::get);
    let (imports, next) = list_imports(&call.context(), cursor, Rows::of(page.limit)).await?;
    let summary = |import: ImportView| {
        let [rows, imported, unchanged, corrected, rejected] = import.counts;
        ImportSummary {
            import_id: import.id.text(),
            kind: import.kind,
            rows,
            imported,
            unchanged,
            corrected,
            rejected,
            removed: import.removed,
            person: import.person,
            note: import.note,
            at: call.time(import.at),
            withdrawn_at: import.withdrawn_at.map(|at| call.time(at)),
            unreadable: import.unreadable,
        }
    };
    Ok(Success::new(ImportPage {
        imports: imports.into_iter().map(summary).collect(),
        next: call.next(next.map(|id| id.text())),
    }))
}

/// The import that is withdrawn.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportWithdrawal {
    /// 导入标识 / identifier of the import
    import_id: ImportId,
    /// true：应答相同，不删除任何内容 / true: the same answer, and nothing is removed
    preview: Option<bool>,
}

/// What becomes of the rows of an import that is withdrawn.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportWithdrawn {
    /// 导入的内容：`chip`（芯片）或 `number`（码号） / what was imported: `chip` or `number`
    kind: &'static str,
    /// 已删除的行数，含其密钥 / rows that are removed, with their keys
    removed: usize,
    /// 已使用、因而保留的行数 / rows that stay, because they are in use
    in_use: usize,
    /// 其中至多 100 个 EID 或 ICCID，部分隐藏 / EIDs or ICCIDs of those, masked, 100 at most
    in_use_ids: Vec<String>,
}

impl From<Withdrawn> for ImportWithdrawn {
    fn from(withdrawn: Withdrawn) -> Self {
        Self {
            kind: withdrawn.kind,
            removed: withdrawn.removed,
            in_use: withdrawn.in_use,
            in_use_ids: withdrawn.named,
        }
    }
}

/// Withdraws an import: removes the chips that were never applied for and never opened a session, or the numbers that
/// are free and were never reserved, with their keys.
#[utoipa::path(
    post,
    path = "/admin/v1/imports:withdraw",
    summary = "撤回一次导入 / Withdraw an import (§5.3.1.1)",
    request_body = ImportWithdrawal,
    responses((status = 200, body = Success<ImportWithdrawn>)),
    extensions(("x-reasons" = json!(codes(WITHDRAW_REASONS))))
)]
pub(crate) async fn withdraw(
    call: Call,
    _: Staff<rights::ImportsWithdraw>,
    Json(entry): Json<ImportWithdrawal>,
) -> Answer<ImportWithdrawn> {
    let preview = entry.preview.unwrap_or_default();
    let withdrawn = withdraw_import(&call.context(), *entry.import_id, preview).await?;
    Ok(Success::new(withdrawn.into()))
}
