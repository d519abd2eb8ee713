//! Imports of chips and operator numbers from CSV files (§5.3.1.1). A bad row is reported; the other rows are
//! imported.

use domain::ClientId;
use domain::error::Lang;
use operations::{ImportReport, RowError, import_chips, import_numbers};
use spin_host::Connection;
use web::{Call, Param, Refusal, Reply};

/// Imports chips. Rows without `client_id` belong to the client in the query.
pub(crate) async fn chip_file(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let default_client = call.params.optional(Param::ClientId, ClientId::parse)?;
    let report = import_chips(call.cx, call.body, default_client.as_ref()).await?;
    Ok(reply(&report, call.lang))
}

/// Imports operator numbers. Rows with `client_id` are allotted to that client (划拨).
pub(crate) async fn number_file(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let report = import_numbers(call.cx, call.body).await?;
    Ok(reply(&report, call.lang))
}

fn reply(report: &ImportReport, lang: Lang) -> Reply {
    Reply::ok()
        .with("rows", report.rows)
        .with("imported", report.imported)
        .with("unchanged", report.unchanged)
        .with("rejected", report.rejected)
        .with(
            "errors",
            report
                .errors
                .iter()
                .map(|error| entry(error, lang))
                .collect::<Vec<_>>(),
        )
}

fn entry(error: &RowError, lang: Lang) -> serde_json::Value {
    let detail = match lang {
        Lang::Zh => &error.zh,
        Lang::En => &error.en,
    };
    serde_json::json!({
        "line": error.line,
        "column": error.column,
        "reason": error.reason.code(),
        "message": error.reason.message(lang),
        "detail": detail,
        "remedy": error.reason.remedy(lang),
    })
}
