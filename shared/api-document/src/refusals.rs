//! Refusals in the document: one response for each status, with an example of each reason.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::schemas::reference;
use domain::error::{Lang, Reason};

/// The reasons of refusals by status.
type ByStatus = BTreeMap<u16, Vec<Reason>>;

/// The name of the response for a status.
fn name(status: u16) -> String {
    format!("Refusal{status}")
}

/// References to the responses for these reasons, by status.
pub(super) fn responses(reasons: &[Reason]) -> Map<String, Value> {
    let statuses: BTreeSet<_> = reasons.iter().map(|reason| reason.status()).collect();
    let reference = |status: u16| json!({"$ref": format!("#/components/responses/{}", name(status))});
    statuses
        .into_iter()
        .map(|status| (status.to_string(), reference(status)))
        .collect()
}

/// What operations refer to: responses, examples, headers and schemas of refusals for these reasons.
pub(super) fn components(reasons: &[Reason]) -> Value {
    let mut by_status = ByStatus::new();
    for reason in Reason::ALL.iter().filter(|reason| reasons.contains(reason)) {
        by_status.entry(reason.status()).or_default().push(*reason);
    }
    let responses: Map<_, _> = by_status
        .iter()
        .map(|(status, reasons)| (name(*status), response(*status, reasons)))
        .collect();
    let examples: Map<_, _> = by_status
        .values()
        .flatten()
        .map(|reason| (reason.code().to_owned(), example(*reason)))
        .collect();
    json!({"responses": responses, "examples": examples, "headers": headers(), "schemas": schemas()})
}

fn response(status: u16, reasons: &[Reason]) -> Value {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code()).collect();
    let examples: Map<_, _> = codes
        .iter()
        .map(|code| {
            let reference = json!({"$ref": format!("#/components/examples/{code}")});
            ((*code).to_owned(), reference)
        })
        .collect();
    let mut headers = headers_of_every_answer();
    let also = match status {
        401 => Some(("WWW-Authenticate", "WwwAuthenticate")),
        405 => Some(("Allow", "Allow")),
        429 | 503 => Some(("Retry-After", "RetryAfter")),
        _ => None,
    };
    if let Some((header, component)) = also {
        headers[header] = header_reference(component);
    }
    json!({
        "description": codes.join(", "),
        "headers": headers,
        "content": {"application/json": {"schema": reference("Refusal"), "examples": examples}},
    })
}

/// The headers of any answer; those of the rate limit where the caller is a client.
pub(super) fn headers_of_every_answer() -> Value {
    json!({
        "RateLimit": header_reference("RateLimit"),
        "RateLimit-Policy": header_reference("RateLimitPolicy"),
        "X-Request-Id": header_reference("XRequestId"),
    })
}

/// A reference to a header.
pub(super) fn header_reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

fn headers() -> Value {
    let text = |zh_en: &str, example: &str| json!({"description": zh_en, "schema": {"type": "string"}, "example": example});
    json!({
        "Allow": text("该路径支持的请求方式 / the methods of the path", "GET, POST"),
        "RateLimit": text("剩余次数与恢复秒数 / calls left, and seconds until all are back", "\"write.status\";r=2999;t=1"),
        "RateLimitPolicy": text("每分钟次数 / calls a minute", "\"write.status\";q=3000;w=60"),
        "RetryAfter": {"description": "等待秒数 / seconds to wait", "schema": {"type": "integer", "minimum": 0}, "example": 2},
        "WwwAuthenticate": text("认证方式 / how to authenticate", "Bearer"),
        "XRequestId": text("请求标识 / identifier of the request", "9c1f0c0e6e0f4f0b8c1d2e3f4a5b6c7d"),
    })
}

fn schemas() -> Value {
    json!({
        "Problem": {
            "type": "object",
            "description": "一个问题 / one problem of a call",
            "required": ["field", "message", "reason"],
            "additionalProperties": false,
            "properties": {
                "field": {"type": ["string", "null"], "description": "有误的参数 / the parameter concerned"},
                "message": {"type": "string", "description": "失败原因 / what is wrong"},
                "reason": {"type": "string", "description": "原因代码 / name of the reason", "pattern": "^[a-z0-9_]+$"},
            },
        },
        "Refusal": {
            "type": "object",
            "description": "调用失败 / the refusal of a call",
            "required": ["code", "message", "reason", "remedy", "request_id"],
            "additionalProperties": false,
            "properties": {
                "code": {"type": "integer", "minimum": 400, "maximum": 599,
                    "description": "等于 HTTP 状态码 / equal to the HTTP status"},
                "message": {"type": "string", "description": "失败原因 / what is wrong"},
                "reason": {"type": "string", "pattern": "^[a-z0-9_]+$",
                    "description": "稳定的原因代码 / stable name of the reason"},
                "remedy": {"type": "string", "description": "处理办法 / what to do"},
                "field": {"type": "string", "description": "有误的参数 / the parameter concerned"},
                "errors": {"type": "array", "items": reference("Problem"),
                    "description": "全部问题，多于一个时 / every problem, when there are several"},
                "request_id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$",
                    "description": "请求标识 / identifier of the request"},
            },
        },
    })
}

fn example(reason: Reason) -> Value {
    json!({
        "summary": format!("{} / {}", reason.message(Lang::Zh), reason.message(Lang::En)),
        "value": {
            "code": reason.status(),
            "message": reason.message(Lang::Zh),
            "reason": reason.code(),
            "remedy": reason.remedy(Lang::Zh),
            "request_id": "9c1f0c0e6e0f4f0b8c1d2e3f4a5b6c7d",
        },
    })
}
