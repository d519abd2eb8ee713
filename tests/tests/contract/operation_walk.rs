//! Every operation of the document, those of administrators, operators, gateways and timers too, is what the document
//! says: its parameters and its body are known and no others, its callers are let in and no others, its methods are
//! allowed and no others.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use api_document::{Operation, document, reasons};
use domain::Permission;
use domain::error::Reason;
use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;
use web::{Access, Content};

use crate::authorisation::secret_of;
use crate::endpoints::every_operation;

/// The minute of the limits, in milliseconds.
const MINUTE_MS: i64 = 60_000;
/// A name that no operation documents.
const UNKNOWN: &str = "colour";

/// Name and value, both as text.
type Pairs<'a> = Vec<(&'a str, String)>;

/// `name=value&…`
fn encoded(pairs: &Pairs<'_>) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        let separator = if text.is_empty() { "" } else { "&" };
        write!(text, "{separator}{name}=").unwrap();
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                text.push(byte.into());
            } else {
                write!(text, "%{byte:02X}").unwrap();
            }
        }
    }
    text
}

/// The query of the example request.
fn example_query(operation: &Operation) -> Pairs<'_> {
    let pairs = operation.example_query.iter();
    pairs
        .map(|(name, value)| (name.as_str(), value.clone()))
        .collect()
}

/// A request with this query and with a body of this media type.
fn request(operation: &Operation, query: &Pairs<'_>, body: Option<(&str, &Value)>) -> TestRequest {
    let target = format!("{}?{}", operation.example_path(), encoded(query));
    let Some((media_type, value)) = body else {
        return TestRequest::get(target).method(operation.method);
    };
    let text = match (media_type, value) {
        ("application/x-www-form-urlencoded", Value::Object(fields)) => {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            encoded(
                &fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), text(value)))
                    .collect(),
            )
        }
        (_, Value::String(file)) => file.clone(),
        (_, document) => document.to_string(),
    };
    TestRequest::post(target, media_type, text)
}

/// A request with this query for each media type that the operation takes.
fn requests(operation: &Operation, query: &Pairs<'_>) -> Vec<TestRequest> {
    let Some(example) = &operation.example_body else {
        return vec![request(operation, query, None)];
    };
    let media_types = operation.content.unwrap().media_types().iter();
    media_types
        .map(|media_type| request(operation, query, Some((media_type, &example.value))))
        .collect()
}

/// The same request of a caller who may call the operation.
fn admitted(platform: &TestPlatform, operation: &Operation, request: TestRequest) -> TestRequest {
    match operation.access {
        Access::Anyone | Access::SignIn => request,
        Access::Client(_) => request.bearer(&platform.owner.token),
        Access::Staff(_) | Access::Secret(_) => request.bearer(&platform.secret(secret_of(&operation.path))),
    }
}

/// Fields and reasons of every problem in an answer, those of single records too.
fn problems(reply: &Reply) -> BTreeSet<(&str, &str)> {
    match reply.body["errors"].as_array() {
        Some(several) => several.iter().map(field_and_reason).collect(),
        None if reply.status == 200 => BTreeSet::new(),
        None => BTreeSet::from([field_and_reason(&reply.body)]),
    }
}

fn field_and_reason(problem: &Value) -> (&str, &str) {
    let text = |name: &str| problem[name].as_str().unwrap_or_default();
    (text("field"), text("reason"))
}

/// The schema that the document gives a body.
fn body_schema<'a>(document: &'a Value, operation: &Operation) -> &'a Value {
    let body = &document["paths"][&operation.path]["post"]["requestBody"];
    let media_type = operation.content.unwrap().media_types()[0];
    let schema = &body["content"][media_type]["schema"];
    match schema["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
        None => schema,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_parameter_and_body_is_known_and_every_refusal_documented() {
    let platform = TestPlatform::start().await;
    for operation in every_operation() {
        let example = example_query(operation);
        let mut sent = requests(operation, &example);
        for parameter in operation
            .parameters
            .iter()
            .filter(|parameter| !parameter.is_in_path)
        {
            let mut query = example.clone();
            query.retain(|(name, _)| *name != parameter.name);
            query.push((&parameter.name, parameter.example.clone()));
            sent.extend(requests(operation, &query));
        }
        let documented: Vec<_> = reasons(operation).iter().map(|reason| reason.code()).collect();
        for request in sent {
            let case = format!("{} {}", operation.id, request.target);
            let reply = platform.send(admitted(&platform, operation, request)).await;
            assert!(reply.status < 500, "{case}: {}", reply.text);
            for (_, reason) in problems(&reply) {
                let is_known = reply.status == 200 || documented.contains(&reason);
                assert!(
                    is_known && reason != "parameter_unknown",
                    "{case}: {}",
                    reply.text
                );
            }
        }
        platform.advance_clock(MINUTE_MS);
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_documented_field_of_a_body_is_known_and_no_other() {
    let platform = TestPlatform::start().await;
    let document = document();
    for operation in every_operation() {
        if !matches!(operation.content, Some(Content::Parameters | Content::Json)) {
            continue;
        }
        let schema = body_schema(&document, operation);
        let documented = schema["properties"].as_object().unwrap().keys();
        let names = documented.map(String::as_str).chain([UNKNOWN]);
        // No operation has only fields that take this, so nothing is done.
        let body = names.map(|name| (name.to_owned(), json!("?"))).collect();
        // A gateway may be newer than the platform and send fields that it does not know yet.
        let is_open = operation.path.starts_with("/internal/gateway/");
        assert_eq!(
            schema["additionalProperties"] == false,
            !is_open,
            "{}",
            operation.id
        );
        let expected = if is_open { vec![] } else { vec![UNKNOWN] };
        for media_type in operation.content.unwrap().media_types() {
            let request = request(operation, &Vec::new(), Some((media_type, &body)));
            let reply = platform.send(admitted(&platform, operation, request)).await;
            let unknown: Vec<_> = problems(&reply)
                .into_iter()
                .filter(|(_, reason)| *reason == "parameter_unknown")
                .map(|(field, _)| field)
                .collect();
            assert_eq!(unknown, expected, "{} {media_type}: {}", operation.id, reply.text);
        }
        platform.advance_clock(MINUTE_MS);
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_that_is_not_documented_is_unknown_to_every_operation() {
    let platform = TestPlatform::start().await;
    for operation in every_operation() {
        let documented = reasons(operation);
        assert!(documented.contains(&Reason::ParameterUnknown), "{}", operation.id);
        let mut query = example_query(operation);
        query.push((UNKNOWN, "red".to_owned()));
        for request in requests(operation, &query) {
            let reply = platform.send(admitted(&platform, operation, request)).await;
            let first = field_and_reason(&reply.body);
            assert_eq!(
                first,
                (UNKNOWN, "parameter_unknown"),
                "{}: {}",
                operation.id,
                reply.text
            );
            assert_eq!(reply.status, 400, "{}", operation.id);
        }
        platform.advance_clock(MINUTE_MS);
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_operation_is_done_without_its_credential_or_its_permission() {
    let platform = TestPlatform::start().await;
    let account = platform.create_account("127.0.0.1/32").await;
    for operation in every_operation() {
        let expected = match operation.access {
            Access::Anyone | Access::SignIn => continue,
            Access::Client(_) => (401, "token_missing"),
            Access::Staff(_) | Access::Secret(_) => (401, "credential_wrong"),
        };
        for request in requests(operation, &example_query(operation)) {
            let reply = platform.send(request.clone()).await;
            assert_eq!(
                (reply.status, reply.reason()),
                expected,
                "{}: {}",
                operation.id,
                reply.text
            );
            assert_eq!(reply.header("www-authenticate"), "Bearer", "{}", operation.id);
            let Access::Client(permission) = operation.access else {
                continue;
            };
            leave_only(&platform, &account.id, |other| other != permission).await;
            let reply = platform.send(request.bearer(&account.token)).await;
            let expected = (403, "permission_missing");
            assert_eq!(
                (reply.status, reply.reason()),
                expected,
                "{}: {}",
                operation.id,
                reply.text
            );
        }
        platform.advance_clock(MINUTE_MS);
    }
    platform.shutdown().await;
}

/// Takes a client's permissions but some.
async fn leave_only(platform: &TestPlatform, client: &str, is_left: impl Fn(Permission) -> bool) {
    let left = Permission::ALL.iter().filter(|permission| is_left(**permission));
    let codes: Vec<_> = left.map(|permission| permission.code()).collect();
    let change = json!({"client_id": client, "permissions": codes});
    platform.admin_post("/admin/v1/clients:update", change).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_other_method_is_refused_with_those_that_are_allowed() {
    let platform = TestPlatform::start().await;
    let mut allowed: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for operation in every_operation() {
        let methods = allowed.entry(operation.example_path()).or_default();
        methods.push(operation.method);
    }
    for (path, methods) in allowed {
        let others = ["GET", "POST"]
            .into_iter()
            .filter(|method| !methods.contains(method));
        for method in others.chain(["HEAD", "OPTIONS", "PUT"]) {
            let reply = platform
                .send(TestRequest::get(path.as_str()).method(method))
                .await;
            assert_eq!(reply.status, 405, "{method} {path}: {}", reply.text);
            assert_eq!(reply.header("allow"), methods.join(", "), "{method} {path}");
        }
        platform.advance_clock(MINUTE_MS);
    }
    platform.shutdown().await;
}

/// A request with several mistakes: the name of its operation, and field and reason of each mistake.
type Mistaken = (&'static str, TestRequest, Vec<(&'static str, &'static str)>);

fn by_get(id: &'static str, target: &str, mistakes: Vec<(&'static str, &'static str)>) -> Mistaken {
    (id, TestRequest::get(target), mistakes)
}

fn by_post(
    id: &'static str,
    path: &str,
    body: &Value,
    mistakes: Vec<(&'static str, &'static str)>,
) -> Mistaken {
    let request = TestRequest::post(path, "application/json", body.to_string());
    (id, request, mistakes)
}

/// Requests of clients with several mistakes.
fn mistakes_of_clients() -> Vec<Mistaken> {
    let application = vec![
        ("eid", "eid_malformed"),
        ("write_type", "write_type_malformed"),
        ("province_code", "province_malformed"),
        ("iccid", "iccid_malformed"),
        ("msisdn", "msisdn_malformed"),
    ];
    vec![
        by_get(
            "token",
            "/v1/token?colour=red",
            vec![
                (UNKNOWN, "parameter_unknown"),
                ("client_id", "parameter_missing"),
                ("client_secret", "parameter_missing"),
            ],
        ),
        by_get(
            "write.apply",
            "/v1/write/apply?eid=1&write_type=9&province_code=99&iccid=1&msisdn=1",
            application.clone(),
        ),
        by_get(
            "write.apply",
            "/v1/write/apply?eid=1&colour=red",
            vec![
                (UNKNOWN, "parameter_unknown"),
                ("eid", "eid_malformed"),
                ("write_type", "parameter_missing"),
            ],
        ),
        by_post(
            "write.apply.post",
            "/v1/write/apply",
            &json!({"eid": 1, "write_type": 9, "province_code": 99, "iccid": 1, "msisdn": 1}),
            application,
        ),
        by_get(
            "write.status",
            "/v1/write/status?eid=1&task_id=1&colour=red",
            vec![
                (UNKNOWN, "parameter_unknown"),
                ("eid", "eid_malformed"),
                ("task_id", "parameter_malformed"),
            ],
        ),
        by_get(
            "number.read",
            "/v1/number?msisdn=1&iccid=1",
            vec![("msisdn", "msisdn_malformed"), ("iccid", "iccid_malformed")],
        ),
    ]
}

/// Requests of administrators and gateways with several mistakes.
fn mistakes_of_others() -> Vec<Mistaken> {
    vec![
        by_get(
            "admin.calls",
            "/admin/v1/calls?eid=1&limit=x&from=yesterday",
            vec![
                ("eid", "eid_malformed"),
                ("limit", "parameter_malformed"),
                ("from", "parameter_malformed"),
            ],
        ),
        by_get(
            "admin.tasks.list",
            "/admin/v1/tasks?eid=1&status=lost&province_code=99&cursor=1&colour=red",
            vec![
                ("eid", "eid_malformed"),
                ("status", "parameter_malformed"),
                ("province_code", "province_malformed"),
                ("cursor", "parameter_malformed"),
                (UNKNOWN, "parameter_unknown"),
            ],
        ),
        by_post(
            "admin.chips.fault",
            "/admin/v1/chips:fault",
            &json!({"eid": "1", "faulty": "no", "colour": "red"}),
            vec![
                ("eid", "eid_malformed"),
                ("faulty", "parameter_malformed"),
                (UNKNOWN, "parameter_unknown"),
            ],
        ),
        by_post(
            "gateway.sessions",
            "/internal/gateway/sessions",
            &json!({"session_id": "7", "eid": "1", "peer": "x", "agent": null, "resumed": false}),
            vec![("session_id", "parameter_malformed"), ("eid", "eid_malformed")],
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_a_request_is_listed_with_its_field_in_both_languages() {
    let platform = TestPlatform::start().await;
    for (id, request, mistakes) in mistakes_of_clients().into_iter().chain(mistakes_of_others()) {
        let operation = every_operation().find(|operation| operation.id == id).unwrap();
        let request = admitted(&platform, operation, request);
        let zh = platform.send(request.clone()).await;
        let en = platform.send(request.with("accept-language", "en")).await;
        let expected: BTreeSet<_> = mistakes.into_iter().collect();
        assert_eq!(problems(&zh), expected, "{id}: {}", zh.text);
        assert_eq!(problems(&en), expected, "{id}: {}", en.text);
        let messages = |reply: &Reply| -> Vec<String> {
            let errors = reply.body["errors"].as_array().unwrap().iter();
            errors
                .map(|error| error["message"].as_str().unwrap().to_owned())
                .collect()
        };
        for (zh, en) in messages(&zh).into_iter().zip(messages(&en)) {
            assert!(en.is_ascii() && !zh.is_ascii(), "{id}: {zh} / {en}");
        }
    }
    platform.shutdown().await;
}
