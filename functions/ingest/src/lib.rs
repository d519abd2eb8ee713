//! `/ingest/v1/…`: reports of operators on their numbers, as lines of JSON; the source of §7.2.3.2 to §7.2.3.5.
//!
//! Requires `ingest_secret`. Never shows the content of a record: errors name lines and fields.

#![forbid(unsafe_code)]

mod records;

use domain::error::Lang;
use operations::{RecordError, Topic, ingest};
use records::{LocationRecord, OpenTimeRecord, StatusRecord, UsageRecord};
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Call, Ndjson, Operator};
use web::{Answer, Routes, Success, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(usage as "ingest.usage"))
        .routes(routes!(location as "ingest.location"))
        .routes(routes!(number_status as "ingest.number_status"))
        .routes(routes!(open_time as "ingest.open_time"))
}

/// What became of the records.
#[derive(Serialize, ToSchema)]
struct Ingested {
    /// 非空行数 / lines that are not empty
    rows: usize,
    /// 已保存的记录数 / records that were stored
    accepted: usize,
    /// 与已保存内容相同的记录数 / records that were stored before with the same values
    unchanged: usize,
    /// 早于已保存内容的记录数 / records older than the stored ones
    stale: usize,
    /// 被拒绝的记录数 / records that were refused
    rejected: usize,
    /// 拒绝原因，前一千条 / why records were refused, the first 1,000
    errors: Vec<RefusedRecord>,
}

/// Why a record was refused.
#[derive(Serialize, ToSchema)]
struct RefusedRecord {
    /// 出错的字段，若有 / the field, if one field is wrong
    #[schema(required)]
    field: Option<&'static str>,
    /// 行号，从 1 起 / line in the body, from 1
    line: usize,
    /// 说明 / what is wrong
    message: String,
    /// 原因代码 / reason
    reason: &'static str,
    /// 处理办法 / what to do
    remedy: &'static str,
}

impl RefusedRecord {
    fn new(refused: &RecordError, lang: Lang) -> Self {
        let reason = refused.error.reason();
        Self {
            field: refused.field,
            line: refused.line,
            message: refused.error.message(lang),
            reason: reason.code(),
            remedy: reason.remedy(lang),
        }
    }
}

/// Takes the data that numbers used this month.
#[utoipa::path(
    post,
    path = "/ingest/v1/usage",
    summary = "上报码号本月流量 / Data used by numbers",
    request_body(
        content((UsageRecord = "application/x-ndjson"), (UsageRecord = "application/jsonl")),
        description = "每行一条记录 / one record a line"
    ),
    responses((status = 200, body = Success<Ingested>))
)]
async fn usage(call: Call, _: Operator, Ndjson(records): Ndjson) -> Answer<Ingested> {
    take(&call, Topic::Usage, &records).await
}

/// Takes the cities in which numbers are online.
#[utoipa::path(
    post,
    path = "/ingest/v1/location",
    summary = "上报码号实时上网城市 / Cities in which numbers are online",
    request_body(
        content((LocationRecord = "application/x-ndjson"), (LocationRecord = "application/jsonl")),
        description = "每行一条记录 / one record a line"
    ),
    responses((status = 200, body = Success<Ingested>))
)]
async fn location(call: Call, _: Operator, Ndjson(records): Ndjson) -> Answer<Ingested> {
    take(&call, Topic::Location, &records).await
}

/// Takes the states of numbers.
#[utoipa::path(
    post,
    path = "/ingest/v1/number-status",
    summary = "上报码号状态 / States of numbers",
    request_body(
        content((StatusRecord = "application/x-ndjson"), (StatusRecord = "application/jsonl")),
        description = "每行一条记录 / one record a line"
    ),
    responses((status = 200, body = Success<Ingested>))
)]
async fn number_status(call: Call, _: Operator, Ndjson(records): Ndjson) -> Answer<Ingested> {
    take(&call, Topic::Status, &records).await
}

/// Takes the opening times of numbers.
#[utoipa::path(
    post,
    path = "/ingest/v1/open-time",
    summary = "上报码号开卡时间 / Opening times of numbers",
    request_body(
        content((OpenTimeRecord = "application/x-ndjson"), (OpenTimeRecord = "application/jsonl")),
        description = "每行一条记录 / one record a line"
    ),
    responses((status = 200, body = Success<Ingested>))
)]
async fn open_time(call: Call, _: Operator, Ndjson(records): Ndjson) -> Answer<Ingested> {
    take(&call, Topic::OpenTime, &records).await
}

async fn take(call: &Call, topic: Topic, records: &[u8]) -> Answer<Ingested> {
    let report = ingest(&call.context(), topic, records).await?;
    let refused = report.errors.iter();
    Ok(Success::new(Ingested {
        rows: report.rows,
        accepted: report.accepted,
        unchanged: report.unchanged,
        stale: report.stale,
        rejected: report.rejected,
        errors: refused
            .map(|refused| RefusedRecord::new(refused, call.lang))
            .collect(),
    }))
}
