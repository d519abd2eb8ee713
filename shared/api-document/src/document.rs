//! The whole OpenAPI document: what the routers document, and what follows from it.

use serde_json::{Map, Value, json};

use super::example::{Fields, example};
use super::operation::{Operation, listed};
use super::reasons::reasons;
use super::refusals;
use super::routers::merged;
use domain::error::Reason;
use operations::TOKENS_PER_MINUTE;
use web::{Access, BEARER, Role, STAFF, TOKEN};

/// The scheme of a timer's secret as a parameter.
const TIMER_KEY: &str = "timer_key";

/// A group of operations by who calls them: its name, and what it is.
const TAGS: [(&str, &str); 4] = [
    (
        "business",
        "业务需求方的接口（第 7.2 节） / operations for business systems of clients (clause 7.2)",
    ),
    (
        STAFF,
        "管理接口，凭据为会话凭据或 API 密钥 / operations for staff, who have a session or an API key",
    ),
    (
        "operator",
        "运营方上报码号数据的接口，凭据为 ingest_secret / operations by which operators report on their numbers; they have \
         ingest_secret",
    ),
    (
        "gateway",
        "OTA 网关与定时任务的接口，凭据为 gateway_secret、cron_secret / operations for OTA gateways and timers, which have \
         gateway_secret and cron_secret",
    ),
];

const DESCRIPTION: &str = "物联网 eSIM 空中写卡平台的接口；业务接口见 T/CIAD 物联网 eSIM 空中写卡技术应用服务规范 §7。UTF-8，JSON；code 等于 HTTP \
    状态码。未列出的参数会被拒绝，常见的附加参数除外（变量 ignored_parameters，其值不读取）；没有值的参数等同于未提交。请求头 Accept-Language: en 时信息为英文。每个接口可能的拒绝原因见其 x-reasons。\n\nThe operations of the \
    over-the-air writing platform for IoT eSIM chips; those for business systems are of clause 7 of the group standard. \
    UTF-8, JSON; code equals the HTTP status. Parameters that are not listed are refused, but for the usual extra ones of the variable ignored_parameters, which are \
    not read; a parameter without a value counts as absent. Messages are Chinese, or English \
    with Accept-Language: en. The reasons for which an operation may refuse a call are its x-reasons.";

/// The OpenAPI document.
///
/// # Panics
/// When the routers do not make a document; a test runs it.
#[must_use]
pub fn document() -> Value {
    let mut document = merged();
    let operations = listed(&document);
    let schemas = document["components"]["schemas"].clone();
    let mut all_reasons = Vec::new();
    for operation in &operations {
        let reasons = reasons(operation);
        let documented = &mut document["paths"][&operation.path][operation.method.to_lowercase()];
        complete(documented, operation, &reasons, &schemas);
        all_reasons.extend(reasons);
    }
    let more = refusals::components(&all_reasons);
    for (kind, more) in more.as_object().into_iter().flatten() {
        let known = &mut document["components"][kind];
        let mut both = known.as_object().cloned().unwrap_or_default();
        both.extend(more.as_object().cloned().unwrap_or_default());
        *known = Value::Object(both);
    }
    document["components"]["securitySchemes"] = security_schemes();
    json!({
        "openapi": "3.1.0",
        "info": info(),
        "servers": [{"url": "/", "description": "本平台 / this platform"}],
        "tags": TAGS.map(|(name, description)| json!({"name": name, "description": description})),
        "paths": document["paths"],
        "webhooks": document["webhooks"],
        "components": document["components"],
    })
}

/// The document as text that people can read, what concerns all of it first.
///
/// # Panics
/// Those of [`document`].
#[must_use]
pub fn document_text() -> String {
    let document = document();
    let keys = [
        "openapi",
        "info",
        "servers",
        "tags",
        "paths",
        "webhooks",
        "components",
    ];
    let parts = keys.map(|key| {
        let part = serde_json::to_string_pretty(&document[key]).unwrap_or_default();
        format!("  \"{key}\": {}", part.replace('\n', "\n  "))
    });
    format!("{{\n{}\n}}\n", parts.join(",\n"))
}

fn info() -> Value {
    json!({
        // Generated clients make the name of their package from it.
        "title": "xieka",
        "summary": "物联网 eSIM 空中写卡平台 / over-the-air writing platform for IoT eSIM chips",
        "description": DESCRIPTION,
        "version": env!("CARGO_PKG_VERSION"),
        "license": {"name": "Apache License 2.0", "identifier": env!("CARGO_PKG_LICENSE")},
    })
}

fn security_schemes() -> Value {
    let bearer = |zh_en: &str| json!({"type": "http", "scheme": "bearer", "description": zh_en});
    let parameter = |name: &str, zh_en: &str| json!({"type": "apiKey", "in": "query", "name": name, "description": zh_en});
    json!({
        BEARER: bearer("认证令牌，由 /v1/token 获取 / access token, from /v1/token"),
        TOKEN: parameter("token", "认证令牌，置于参数 / access token as a parameter"),
        STAFF: bearer("会话凭据（由 /admin/v1/sign-in 获取）或 API 密钥；首名系统管理员登录之前为 admin_secret / the credential of a session, from \
            /admin/v1/sign-in, or an API key; admin_secret before the first system administrator has signed in"),
        Role::Operator.code(): bearer("ingest_secret"),
        Role::Gateway.code(): bearer("gateway_secret"),
        Role::Timer.code(): bearer("cron_secret"),
        TIMER_KEY: parameter("key", "cron_secret，置于参数 / cron_secret as a parameter"),
    })
}

/// Whose operation it is.
fn tag(access: Access) -> &'static str {
    match access {
        Access::Anyone | Access::Client(_) => "business",
        Access::Staff(_) | Access::SignIn => STAFF,
        Access::Secret(Role::Timer) => Role::Gateway.code(),
        Access::Secret(role) => role.code(),
    }
}

/// How many calls a minute are allowed unless a client has a limit of its own.
pub(super) fn calls_per_minute(access: Access) -> Option<u32> {
    match access {
        Access::Anyone => Some(TOKENS_PER_MINUTE),
        Access::Client(permission) => Some(permission.calls_per_minute()),
        Access::Staff(_) | Access::SignIn | Access::Secret(_) => None,
    }
}

/// Adds to an operation what follows from its access, its reasons and its schemas.
fn complete(documented: &mut Value, operation: &Operation, reasons: &[Reason], schemas: &Value) {
    documented["tags"] = json!([tag(operation.access)]);
    match operation.access {
        Access::Anyone | Access::SignIn => documented["security"] = json!([]),
        Access::Secret(Role::Timer) => {
            documented["security"] = json!([{Role::Timer.code(): []}, {TIMER_KEY: []}]);
        }
        Access::Client(_) | Access::Staff(_) | Access::Secret(_) => {}
    }
    if let Some(limit) = calls_per_minute(operation.access) {
        let text = documented["description"].as_str().unwrap_or_default().trim_end();
        documented["description"] = json!(
            format!("{text}\n\n默认每分钟 {limit} 次。 / {limit} calls a minute by default.").trim_start()
        );
    }
    let parameters = documented.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        // Without a value it counts as absent.
        if parameter["in"] == "query" && parameter["required"] != true {
            parameter["allowEmptyValue"] = json!(true);
        }
    }
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code()).collect();
    documented["x-reasons"] = json!(codes);
    let Some(answers) = documented["responses"].as_object_mut() else {
        return;
    };
    for answer in answers.values_mut() {
        complete_success(answer, operation.access, schemas);
    }
    answers.extend(refusals::responses(reasons));
    for content in documented.get_mut("requestBody").into_iter().flat_map(contents) {
        add_example(content, schemas, Fields::Required);
    }
}

fn complete_success(answer: &mut Value, access: Access, schemas: &Value) {
    if answer["description"].as_str().unwrap_or_default().is_empty() {
        answer["description"] = json!("成功 / success");
    }
    let mut headers = refusals::headers_of_every_answer();
    if let (Access::Staff(_) | Access::SignIn | Access::Secret(_), Some(headers)) =
        (access, headers.as_object_mut())
    {
        headers.retain(|name, _| !name.starts_with("RateLimit"));
    }
    answer["headers"] = headers;
    for content in contents(answer) {
        add_example(content, schemas, Fields::All);
    }
}

fn contents(of: &mut Value) -> impl Iterator<Item = &mut Value> {
    let contents = of.get_mut("content").and_then(Value::as_object_mut);
    contents.into_iter().flat_map(Map::values_mut)
}

fn add_example(content: &mut Value, schemas: &Value, fields: Fields) {
    let made = example(&content["schema"], schemas, fields);
    if let (Some(content), false) = (content.as_object_mut(), made.is_null()) {
        let is_given = content.contains_key("example") || content.contains_key("examples");
        if !is_given {
            content.insert("example".to_owned(), made);
        }
    }
}
