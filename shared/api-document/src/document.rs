//! The whole OpenAPI document.

use std::collections::BTreeSet;

use serde_json::json;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, PathItem, PathsBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    Components, ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApiBuilder, Required, ResponseBuilder,
    Server,
};

use super::answers;
use super::operation::{BEARER, IN_QUERY, example, object, path_item, refused, schema};
use domain::error::Reason;
use web::interface::{BUSINESS, documented_reasons};

/// The OpenAPI document, as text that ends with a line feed.
///
/// # Panics
/// When the tables of this crate do not make a document; a test runs it.
#[must_use]
pub fn document() -> String {
    let mut paths = PathsBuilder::new();
    for interface in BUSINESS {
        paths = paths.path(interface.path, path_item(interface));
    }
    let info = InfoBuilder::new().title("xieka 写卡").version(env!("CARGO_PKG_VERSION")).description(Some(
        "物联网 eSIM 空中写卡平台的业务接口（T/CIAD 物联网 eSIM 空中写卡技术应用服务规范 §7）。\n\n\
         The interfaces for business systems of the over-the-air writing platform for IoT eSIM chips (clause 7 of the \
         group standard). Messages are Chinese, or English with `Accept-Language: en`.",
    ));
    let document = OpenApiBuilder::new()
        .info(info)
        .paths(paths)
        .servers(Some([Server::new("/")]))
        .webhooks(Some(PathsBuilder::new().path("callback", callback())))
        .components(Some(components()))
        .build();
    let mut text = document.to_pretty_json().expect("plain data");
    text.push('\n');
    text
}

fn components() -> Components {
    let problem = json!({"type": "object", "required": ["message", "reason"], "additionalProperties": false, "properties": {
        "field": {"type": ["string", "null"]}, "message": {"type": "string"}, "reason": {"type": "string"}}});
    let refusal = json!({
        "type": "object",
        "required": ["code", "message", "reason", "remedy", "request_id"],
        "additionalProperties": false,
        "properties": {
            "code": {"type": "integer", "minimum": 400, "maximum": 599, "description": "等于 HTTP 状态码 / equal to the HTTP status"},
            "message": {"type": "string", "description": "失败原因 / what is wrong"},
            "reason": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "稳定的原因代码 / stable name of the reason"},
            "remedy": {"type": "string", "description": "处理办法 / what to do"},
            "field": {"type": "string", "description": "有误的参数 / the parameter concerned"},
            "errors": {"type": "array", "items": problem, "description": "全部问题 / every problem, when there are several"},
            "request_id": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$", "description": "请求标识 / identifier of the request"},
        },
    });
    let reasons: BTreeSet<_> = BUSINESS
        .iter()
        .flat_map(|interface| documented_reasons(interface))
        .map(Reason::code)
        .collect();
    let examples = reasons.into_iter().filter_map(Reason::from_code);
    examples
        .fold(ComponentsBuilder::new(), |components, reason| {
            components.example(reason.code(), refused(reason))
        })
        .schema("Refusal", schema(refusal))
        .security_scheme(BEARER, SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
        .security_scheme(
            IN_QUERY,
            SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::new("token"))),
        )
        .build()
}

/// Clause 7.3: what the platform sends to a client's address.
fn callback() -> PathItem {
    let fields = answers::callback();
    let mut body = object(&fields);
    // Fields that are present only sometimes, and room for fields of later versions; they are signed like the others.
    let at_times = object(&answers::callback_at_times())["properties"].take();
    if let (Some(properties), serde_json::Value::Object(at_times)) =
        (body["properties"].as_object_mut(), at_times)
    {
        properties.extend(at_times);
    }
    body["additionalProperties"] = json!({"type": "string"});
    let content = ContentBuilder::new()
        .schema(Some(schema(body)))
        .example(Some(example(&fields)))
        .build();
    let receipt = json!({"type": "object", "required": ["code"], "properties": {
        "code": {"type": "integer", "enum": [200]}, "message": {"type": "string"}}});
    let accepted = ContentBuilder::new()
        .schema(Some(schema(receipt)))
        .example(Some(json!({"code": 200, "message": "接收成功"})))
        .build();
    let operation = OperationBuilder::new()
        .operation_id(Some("callback"))
        .summary(Some("空写回调 §7.3"))
        .description(Some(
            "写卡结束后推送至业务需求方的回调地址；签名见接入指南。\n\nSent to the client's callback address when writing has \
             ended; the integration guide explains its signatures.",
        ))
        .request_body(Some(
            RequestBodyBuilder::new()
                .required(Some(Required::True))
                .content("application/json", content)
                .build(),
        ))
        .response("200", ResponseBuilder::new().description("接收成功 / received").content("application/json", accepted));
    PathItem::new(HttpMethod::Post, operation)
}
