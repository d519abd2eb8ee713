//! Accounts and receivers, through the router and on a database, as administrators call them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use std::cell::Cell;
use std::future::Future;

use axum::Router;
use axum::body::Body;
use domain::Timestamp;
use http::{Method, Request};
use http_body_util::BodyExt as _;
use native_host::NativeHost;
use serde_json::{Value, json};
use store::{Sqlite, migrate};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};
use tower_service::Service as _;
use vault::{Random, Zeroizing};
use web::{App, Settings, Variables};

const SECRET: &str = "an-administrator-in-a-test-000001";
/// 2026-07-01T08:00:00+08:00.
const NOW: Timestamp = Timestamp(1_782_864_000_000);

/// Numbers in a row.
struct Counting(Cell<u8>);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        for byte in bytes {
            self.0.set(self.0.get().wrapping_add(1));
            *byte = self.0.get();
        }
    }
}

/// The routers on a database of their own.
struct World {
    runtime: Runtime,
    router: Router,
    _folder: TempDir,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.db");
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let db = Sqlite::open(&file).unwrap();
        runtime.block_on(migrate(&db, NOW)).unwrap();
        let key = Zeroizing::new("11".repeat(32));
        let variables = Variables {
            sealing_keys: Some(Zeroizing::new(format!("1:{}", *key))),
            index_key: key,
            time_zone: Some("Asia/Shanghai".to_owned()),
            secret: Some(Zeroizing::new(SECRET.to_owned())),
            ..Variables::default()
        };
        let settings = Settings::from_variables(&variables).unwrap();
        let host = NativeHost::new(file, settings, || NOW, Counting(Cell::new(0)));
        let router = clients_router::router().merge(messages_router::router());
        Self {
            runtime,
            router: web::service(router, App::new(host)),
            _folder: folder,
        }
    }

    fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The text of an answer, in English.
    fn text(&self, method: Method, path: &str, document: Option<&Value>) -> String {
        let body = document.map(Value::to_string).unwrap_or_default();
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", format!("Bearer {SECRET}"))
            .header("accept-language", "en")
            .header("spin-client-addr", "127.0.0.1:1");
        if document.is_some() {
            request = request.header("content-type", "application/json");
        }
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.run(self.router.clone().call(request)).unwrap();
        let bytes = self.run(answer.into_body().collect()).unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn get(&self, path: &str) -> Value {
        serde_json::from_str(&self.text(Method::GET, path, None)).unwrap()
    }

    fn post(&self, path: &str, document: &Value) -> Value {
        serde_json::from_str(&self.text(Method::POST, path, Some(document))).unwrap()
    }

    /// Creates a client and returns its identifier.
    fn client(&self) -> String {
        let created = self.post("/admin/v1/clients", &new_client());
        created["client_id"].as_str().unwrap().to_owned()
    }
}

fn new_client() -> Value {
    json!({
        "name": "Meters",
        "phone": "+8613800138000",
        "ips": ["192.0.2.7"],
        "permissions": ["write.apply", "write.status"],
    })
}

/// Fields and reasons of a refusal.
fn problems(answer: &Value) -> Vec<(&str, &str)> {
    match answer["errors"].as_array() {
        Some(errors) => errors.iter().map(named).collect(),
        None => vec![named(answer)],
    }
}

fn named(problem: &Value) -> (&str, &str) {
    let text = |name| problem[name].as_str().unwrap_or_default();
    (text("field"), text("reason"))
}

#[test]
fn every_problem_of_a_document_is_reported_with_its_field() {
    let world = World::new();
    let document = json!({"name": 5, "phone": "1", "permissions": ["everything"], "colour": "red"});
    let answer = world.post("/admin/v1/clients", &document);
    let mut found = problems(&answer);
    found.sort_unstable();
    assert_eq!(
        found,
        [
            ("colour", "parameter_unknown"),
            ("ips", "parameter_missing"),
            ("name", "parameter_malformed"),
            ("permissions[0]", "parameter_malformed"),
        ]
    );
    assert_eq!(world.get("/admin/v1/clients")["clients"], json!([]));
}

#[test]
fn what_only_the_operation_can_judge_is_reported_with_its_field_too() {
    let world = World::new();
    for (field, value, reason) in [
        ("name", json!(" "), "parameter_missing"),
        ("phone", json!("138-0013"), "parameter_malformed"),
        ("ips", json!(["192.0.2.300"]), "parameter_malformed"),
        ("permissions", json!([]), "parameter_missing"),
        ("callback_url", json!("http://192.0.2.1/"), "parameter_malformed"),
    ] {
        let mut document = new_client();
        document[field] = value;
        let answer = world.post("/admin/v1/clients", &document);
        assert_eq!(problems(&answer), [(field, reason)], "{answer}");
    }
}

#[test]
fn an_account_is_created_changed_and_listed() {
    let world = World::new();
    let id = world.client();
    let change =
        json!({"client_id": id, "callback_url": "https://example.com/c", "limits": {"write.status": 9}});
    assert_eq!(world.post("/admin/v1/clients:update", &change)["client_id"], id);
    let removed = json!({"client_id": id, "callback_url": null, "active": false});
    let listed = world.get(&format!("/admin/v1/clients?client_id={id}"));
    assert_eq!(listed["clients"][0]["callback_url"], "https://example.com/c");
    assert_eq!(listed["clients"][0]["limits"], json!({"write.status": 9}));
    assert_eq!(world.post("/admin/v1/clients:update", &removed)["code"], 200);
    let listed = world.get("/admin/v1/clients?limit=1");
    assert_eq!(listed["clients"][0]["callback_url"], Value::Null);
    assert_eq!(listed["clients"][0]["active"], false);
    assert_eq!(listed["next"], id);
    let after = world.get(&format!("/admin/v1/clients?cursor={id}"));
    assert_eq!((&after["clients"], &after["next"]), (&json!([]), &Value::Null));
}

#[test]
fn secrets_are_rotated_and_revoked() {
    let world = World::new();
    let id = world.client();
    let rotation = json!({"client_id": id});
    let rotated = world.post("/admin/v1/clients:rotate-secret", &rotation);
    assert_eq!(rotated["generation"], 2);
    assert_eq!(rotated["previous_expires_at"], "2026-07-02T08:00:00+08:00");
    let refused = world.post("/admin/v1/clients:rotate-secret", &rotation);
    assert_eq!(refused["reason"], "secrets_in_rotation");
    let revocation = json!({"client_id": id, "generation": 1});
    let revoked = world.text(Method::POST, "/admin/v1/clients:revoke-secret", Some(&revocation));
    assert_eq!(revoked, r#"{"code":200,"message":"success"}"#);
    let tokens = world.post("/admin/v1/clients:revoke-tokens", &rotation);
    assert_eq!(tokens["code"], 200);
}

#[test]
fn a_page_of_the_call_log_has_the_rows_that_were_asked_for() {
    let world = World::new();
    world.client();
    world.get("/admin/v1/clients");
    let page = world.get("/admin/v1/calls?interface=admin.clients&limit=1");
    assert_eq!(page["calls"].as_array().unwrap().len(), 1);
    assert_eq!(page["calls"][0]["interface"], "admin.clients");
    let answer = world.get("/admin/v1/calls?limit=201&cursor=x&eid=1&from=today&colour=red");
    assert_eq!(
        problems(&answer),
        [
            ("colour", "parameter_unknown"),
            ("limit", "parameter_malformed"),
            ("cursor", "parameter_malformed"),
            ("eid", "eid_malformed"),
            ("from", "parameter_malformed"),
        ]
    );
}

#[test]
fn the_address_of_a_receiver_is_removed_only_by_null() {
    let world = World::new();
    let update = |document: Value| world.post("/admin/v1/receivers:update", &document);
    let absent = update(json!({"receiver": "operator"}));
    assert_eq!(problems(&absent), [("url", "parameter_missing")]);
    let first = update(json!({"receiver": "operator", "url": "https://example.com/o"}));
    assert!(
        first["secret"]
            .as_str()
            .is_some_and(|secret| secret.starts_with("whsec_"))
    );
    let removed = json!({"receiver": "operator", "url": null});
    let removed = world.text(Method::POST, "/admin/v1/receivers:update", Some(&removed));
    assert_eq!(
        removed,
        r#"{"code":200,"message":"success","receiver":"operator"}"#
    );
    let shown = world.get("/admin/v1/receivers?receiver=operator");
    assert_eq!((&shown["url"], &shown["in_flight"]), (&Value::Null, &json!(0)));
    let probed = world.post("/admin/v1/callbacks:probe", &json!({"receiver": "operator"}));
    assert_eq!(probed["reason"], "no_address");
}
