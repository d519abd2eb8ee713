//! One interface as operations of OpenAPI: parameters, bodies, the success and every refusal.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, PathItem, PathItemBuilder,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder, Schema};

use super::answers;
use super::fields::{self, Field};
use domain::error::{Lang, Reason};
use web::interface::{Access, Interface, Methods, documented_reasons};

/// Names of the security schemes.
pub(super) const BEARER: &str = "bearer";
pub(super) const IN_QUERY: &str = "token";

pub(super) fn schema(value: Value) -> Schema {
    let kind = value.to_string();
    serde_json::from_value(value).unwrap_or_else(|problem| panic!("no JSON schema: {problem}: {kind}"))
}

/// The JSON object schema of the fields.
pub(super) fn object(fields: &[Field]) -> Value {
    let properties: serde_json::Map<String, Value> = fields
        .iter()
        .map(|field| {
            let mut schema = field.schema.clone();
            schema["description"] = json!(format!("{} / {}", field.zh, field.en));
            (field.name.to_owned(), schema)
        })
        .collect();
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    json!({"type": "object", "required": names, "properties": properties, "additionalProperties": false})
}

pub(super) fn example(fields: &[Field]) -> Value {
    let pairs = fields
        .iter()
        .map(|field| (field.name.to_owned(), field.example.clone()));
    Value::Object(pairs.collect())
}

fn success_fields(interface: &Interface) -> Vec<Field> {
    let mut all = vec![
        Field {
            name: "code",
            zh: "响应码，200 表示成功",
            en: "200 for success",
            schema: json!({"type": "integer", "enum": [200]}),
            example: json!(200),
        },
        Field {
            name: "message",
            zh: "响应信息",
            en: "message",
            schema: json!({"type": "string"}),
            example: json!("成功"),
        },
    ];
    all.extend(answers::answer(interface.name));
    all
}

/// The path of an interface with its operations.
pub(super) fn path_item(interface: &Interface) -> PathItem {
    let get = operation(interface, "").parameters(Some(parameters(interface)));
    if interface.methods != Methods::GetOrPost {
        return PathItem::new(HttpMethod::Get, get);
    }
    let post = operation(interface, ".post").request_body(Some(body(interface)));
    PathItemBuilder::new()
        .operation(HttpMethod::Get, get)
        .operation(HttpMethod::Post, post)
        .build()
}

fn operation(interface: &Interface, suffix: &str) -> OperationBuilder {
    let (clause, zh, en) = fields::purpose(interface.name);
    let limit = interface.calls_per_minute;
    let mut operation = OperationBuilder::new()
        .operation_id(Some(format!("{}{suffix}", interface.name)))
        .summary(Some(format!("{zh} {clause}")))
        .description(Some(format!(
            "{zh}。默认每分钟 {limit} 次。未在此列出的参数会被拒绝。\n\n{en}. {limit} calls a minute by default. Parameters that \
             are not listed are refused."
        )))
        .tag(if interface.path.starts_with("/v1/write") { "写卡 / writing" } else if interface.name == "token" { "认证 / access" } else { "查询 / queries" })
        .response("200", success(interface));
    for (status, response) in refusals(interface) {
        operation = operation.response(status.to_string(), response);
    }
    if matches!(interface.access, Access::Client(_)) {
        let none: [&str; 0] = [];
        operation = operation
            .security(SecurityRequirement::new(BEARER, none))
            .security(SecurityRequirement::new(IN_QUERY, none));
    }
    operation
}

fn parameters(interface: &Interface) -> Vec<Parameter> {
    let (needed, _) = fields::needed(interface.name);
    let of = |param: &web::Param| {
        let field = fields::parameter(*param);
        let required = if needed.contains(param) {
            Required::True
        } else {
            Required::False
        };
        ParameterBuilder::new()
            .name(field.name)
            .parameter_in(ParameterIn::Query)
            .required(required)
            .description(Some(format!(
                "{} / {}{}",
                field.zh,
                field.en,
                one_of(interface, *param)
            )))
            .schema(Some(schema(field.schema)))
            .example(Some(field.example))
            .build()
    };
    interface.params.iter().map(of).collect()
}

/// The note on a parameter that can be given instead of another.
fn one_of(interface: &Interface, param: web::Param) -> String {
    match fields::needed(interface.name).1 {
        Some([one, other]) if param == one || param == other => {
            format!(
                "（{one} 与 {other} 二选一 / one of the two）",
                one = one.name(),
                other = other.name()
            )
        }
        _ => String::new(),
    }
}

fn body(interface: &Interface) -> RequestBody {
    let fields: Vec<_> = interface
        .params
        .iter()
        .map(|param| fields::parameter(*param))
        .collect();
    let mut schema_of_all = object(&fields);
    let (needed, pair) = fields::needed(interface.name);
    let names: Vec<_> = needed.iter().map(|param| param.name()).collect();
    schema_of_all["required"] = json!(names);
    let shown = match pair {
        Some([one, _]) => fields
            .iter()
            .filter(|field| field.name == one.name())
            .map(|field| (field.name, field.example.clone()))
            .collect::<BTreeMap<_, _>>(),
        None => fields
            .iter()
            .filter(|field| field.name != "iccid" && field.name != "msisdn")
            .map(|field| (field.name, field.example.clone()))
            .collect(),
    };
    let content = || {
        ContentBuilder::new()
            .schema(Some(schema(schema_of_all.clone())))
            .example(Some(json!(shown)))
            .build()
    };
    RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content())
        .content("application/json", content())
        .build()
}

fn success(interface: &Interface) -> Response {
    let fields = success_fields(interface);
    let content = ContentBuilder::new()
        .schema(Some(schema(object(&fields))))
        .example(Some(example(&fields)))
        .build();
    headers(
        ResponseBuilder::new()
            .description("成功 / success")
            .content("application/json", content),
    )
    .build()
}

fn headers(response: ResponseBuilder) -> ResponseBuilder {
    let text = |zh: &str| {
        HeaderBuilder::new()
            .schema(Some(schema(json!({"type": "string"}))))
            .description(Some(zh.to_owned()))
            .build()
    };
    response
        .header("X-Request-Id", text("请求标识 / identifier of the request"))
        .header(
            "RateLimit-Policy",
            text("每分钟次数 / calls a minute: \"name\";q=1200;w=60"),
        )
        .header("RateLimit", text("剩余次数 / calls left: \"name\";r=1199;t=1"))
}

/// The example of a refusal.
pub(super) fn refused(reason: Reason) -> Example {
    let value = json!({
        "code": reason.status(),
        "message": reason.message(Lang::Zh),
        "reason": reason.code(),
        "remedy": reason.remedy(Lang::Zh),
        "request_id": "9c1f0c0e6e0f4f0b8c1d2e3f4a5b6c7d",
    });
    let summary = format!("{} / {}", reason.message(Lang::Zh), reason.message(Lang::En));
    ExampleBuilder::new().summary(summary).value(Some(value)).build()
}

/// The refusals by status, with an example for each reason.
fn refusals(interface: &Interface) -> BTreeMap<u16, Response> {
    let mut by_status: BTreeMap<u16, Vec<Reason>> = BTreeMap::new();
    for reason in documented_reasons(interface) {
        by_status.entry(reason.status()).or_default().push(reason);
    }
    by_status
        .into_iter()
        .map(|(status, reasons)| (status, refusal(status, &reasons)))
        .collect()
}

fn refusal(status: u16, reasons: &[Reason]) -> Response {
    let codes: Vec<_> = reasons.iter().map(|reason| reason.code()).collect();
    let examples = reasons.iter().map(|reason| {
        let reference = Ref::new(format!("#/components/examples/{}", reason.code()));
        (reason.code(), RefOr::<Example>::Ref(reference))
    });
    let content = ContentBuilder::new()
        .schema(Some(RefOr::<Schema>::Ref(Ref::from_schema_name("Refusal"))))
        .examples_from_iter(examples)
        .build();
    let description = codes.join(", ");
    let response = headers(
        ResponseBuilder::new()
            .description(description)
            .content("application/json", content),
    );
    let wait = |secs: &str| {
        HeaderBuilder::new()
            .schema(Some(schema(json!({"type": "string"}))))
            .description(Some(secs.to_owned()))
            .build()
    };
    match status {
        429 | 503 => response.header("Retry-After", wait("等待秒数 / seconds to wait")),
        401 => response.header("WWW-Authenticate", wait("Bearer")),
        405 => response.header("Allow", wait("GET, POST")),
        _ => response,
    }
    .build()
}
