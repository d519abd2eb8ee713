//! The alerts to the operator.

use std::collections::BTreeMap;

use domain::error::Reason;
use operations::{MAX_ALERTS_PER_PAGE, MAX_NOTED_ALERTS, list_alerts, note_alerts};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Json, Query, Staff, rights};
use web::values::{AlertId, AlertKind, Cursor, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

use crate::values::OpenOrAll;

type Limit = PageLimit<MAX_ALERTS_PER_PAGE>;

// The schema of `NoteAlerts` needs this number as a literal.
const _: () = assert!(MAX_NOTED_ALERTS == 1_000);

/// Why alerts are not acknowledged.
const NOTE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::BodyTooLarge,
];

/// Conditions of a search.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 未确认或全部，默认未确认 / those that are not acknowledged, or all; by default those that are not
    #[param(inline)]
    state: Option<OpenOrAll>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<AlertId>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 一页告警 / a page of alerts
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertPage {
    /// 告警，最新在前 / the alerts, the latest first
    alerts: Vec<Alert>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 告警 / an alert
#[derive(Serialize, ToSchema)]
struct Alert {
    /// 产生时间 / when it was raised
    at: Time,
    /// 发给运营人员的消息：type、at、subject、description、description_en，以及该种告警的其他内容 / the message to the
    /// operator: type, at, subject, description, description_en, and what else belongs to this kind of alert
    body: BTreeMap<String, String>,
    /// 告警标识 / its identifier
    #[schema(value_type = AlertId)]
    id: String,
    /// 告警种类 / its kind
    #[schema(value_type = AlertKind)]
    kind: String,
    /// 确认时间 / when it was acknowledged
    #[schema(required)]
    noted_at: Option<Time>,
    /// 所涉对象，不含芯片与号码的标识 / what it is about, without identifiers of chips and numbers
    subject: String,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// The alerts that are not acknowledged, or all, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/alerts",
    summary = "查询告警 / Find alerts (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<AlertPage>)),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed, Reason::CursorMismatch]))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::AlertsList>,
    Query(search): Query<Search>,
) -> Answer<AlertPage> {
    let limit = Rows::of(search.limit);
    let cursor = search.cursor.map(AlertId::get);
    let noted_too = search.state == Some(OpenOrAll::All);
    let alerts = list_alerts(&call.context(), noted_too, cursor, limit).await?;
    let next = alerts.last().filter(|_| alerts.len() == limit as usize);
    let next = next.map(|alert| alert.id.text());
    let alerts = alerts.into_iter().map(|alert| Alert {
        at: call.time(alert.at),
        body: alert.body,
        id: alert.id.text(),
        kind: alert.kind,
        noted_at: alert.noted_at.map(|at| call.time(at)),
        subject: alert.subject,
        unreadable: alert.unreadable,
    });
    Ok(Success::new(AlertPage {
        alerts: alerts.collect(),
        next: call.next(next),
    }))
}

/// 待确认的告警 / alerts to be acknowledged
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteAlerts {
    /// 告警标识 / their identifiers
    #[schema(max_items = 1000)]
    ids: Vec<AlertId>,
}

/// 确认结果 / how many alerts were acknowledged
#[derive(Serialize, ToSchema)]
pub(crate) struct AlertsNoted {
    /// 此前未确认的条数 / how many of them were not acknowledged before
    noted: usize,
}

/// Acknowledges alerts, which then leave the list.
#[utoipa::path(
    post,
    path = "/admin/v1/alerts:note",
    summary = "确认告警 / Acknowledge alerts (§5.3.1.1)",
    request_body = NoteAlerts,
    responses((status = 200, body = Success<AlertsNoted>)),
    extensions(("x-reasons" = json!(codes(NOTE_REASONS))))
)]
pub(crate) async fn note(
    call: Call,
    _: Staff<rights::AlertsNote>,
    Json(document): Json<NoteAlerts>,
) -> Answer<AlertsNoted> {
    let ids: Vec<_> = document.ids.into_iter().map(AlertId::get).collect();
    let noted = note_alerts(&call.context(), &ids).await?;
    Ok(Success::new(AlertsNoted { noted }))
}
