//! `/internal/spreadsheets`: makes CSV of what programs save that is no UTF-8 text, for the imports: workbooks (.xlsx) and
//! CSV in GBK.
//!
//! A component of its own, because reading them takes as much code as everything else that imports do. It is reached
//! from other components alone (`private` in `spin.toml`). No database, no variables, no secrets, and nothing is kept.

#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use axum::routing::post;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode, Uri};
use percent_encoding::percent_decode_str;
use serde::Serialize;
use spreadsheet::{Limits, UnreadWorkbook, csv, gbk, is_archive};

/// Where a table is posted to. The query `sheet=…`, percent-encoded, names the sheet of a workbook.
const PATH: &str = "/internal/spreadsheets";
/// Largest file, in bytes, and largest CSV made of one: as much as one import takes.
pub const MAX_TABLE_BYTES: usize = 4 * 1024 * 1024;
/// A workbook of 5,000 rows unpacks to some 5 MB.
const LIMITS: Limits = Limits {
    unpacked_bytes: 64 * 1024 * 1024,
    csv_bytes: MAX_TABLE_BYTES,
};
/// What is said of a file of another kind.
const NO_TABLE: [&str; 2] = [
    "文件既不是工作簿，也不是 GBK 文本",
    "the file is neither a workbook nor text in GBK",
];

/// Why a table could not be read, in both languages.
#[derive(Serialize)]
struct Unread {
    zh: String,
    en: String,
}

/// The routes of this component.
pub fn router() -> Router {
    Router::new()
        .route(PATH, post(converted))
        .layer(DefaultBodyLimit::max(MAX_TABLE_BYTES))
}

/// The CSV of a table; 422 when it cannot be read, 413 when it is too large.
async fn converted(uri: Uri, file: Result<Bytes, BytesRejection>) -> Response {
    let Ok(file) = file else { return too_large() };
    if !is_archive(&file) {
        return match gbk(&file) {
            Some(text) => csv_file(text),
            None => unread(StatusCode::UNPROCESSABLE_ENTITY, NO_TABLE.map(str::to_owned)),
        };
    }
    let sheet = uri.query().and_then(|query| query.strip_prefix("sheet="));
    let sheet = sheet.map(|sheet| percent_decode_str(sheet).decode_utf8_lossy());
    match csv(&file, sheet.as_deref(), LIMITS) {
        Ok(text) => csv_file(text),
        Err(UnreadWorkbook::TooLarge) => too_large(),
        Err(other) => unread(StatusCode::UNPROCESSABLE_ENTITY, other.message()),
    }
}

fn csv_file(text: String) -> Response {
    answer(StatusCode::OK, "text/csv; charset=utf-8", text.into_bytes())
}

/// The answer to a table that is larger than the limits.
pub fn too_large() -> Response {
    unread(StatusCode::PAYLOAD_TOO_LARGE, UnreadWorkbook::TooLarge.message())
}

fn unread(status: StatusCode, [zh, en]: [String; 2]) -> Response {
    // Two texts are always JSON.
    let body = serde_json::to_vec(&Unread { zh, en }).unwrap_or_default();
    answer(status, "application/json; charset=utf-8", body)
}

fn answer(status: StatusCode, media_type: &'static str, body: Vec<u8>) -> Response {
    let length = HeaderValue::from(body.len());
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_LENGTH, length);
    response
}
