//! Batches through their routes, carried out by the periodic work.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;
use std::rc::Rc;

use domain::Timestamp;
use native_host::NativeHost;
use serde_json::{Value, json};
use test_support::chained_host::ChainedHost;
use test_support::http::{TestRequest, refusal};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, number_csv};
use test_support::random::SeededRandom;
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::{NOW, SECRET, variables};
use web::{Routes, Settings, WORKBOOK};

/// Numbers as LibreOffice saves them, and the rows that they are from.
const WORKBOOK_FILE: &[u8] = include_bytes!("../../imports/tests/tables/libreoffice/numbers.xlsx");
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
const UNKNOWN: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";
/// Chips of the client, and numbers of province 37.
const CHIPS: u32 = 4;
const FREE: u32 = 2;

struct Platform {
    router: TestRouter,
    clock: Rc<Cell<Timestamp>>,
    client: String,
}

fn routes() -> Routes {
    batches_router::router()
        .merge(clients_router::router())
        .merge(imports_router::router())
        .merge(maintenance_router::router())
        .merge(records_router::router())
}

impl Platform {
    async fn new() -> Self {
        let database = TestDatabase::new().await;
        let clock = Rc::new(Cell::new(NOW));
        let (file, time) = (database.file(), Rc::clone(&clock));
        let settings = Settings::from_variables(&variables()).unwrap();
        let host = NativeHost::new(file, settings, move || time.get(), SeededRandom::new(1));
        let router = TestRouter::on(database, routes(), host);
        let client = json!({
            "name": "甲", "phone": "13800000000", "ips": ["203.0.113.0/24"], "permissions": ["write.apply"],
        });
        let made = router.post("/admin/v1/clients", &client).await;
        let client = made["client_id"].as_str().unwrap().to_owned();
        let platform = Self {
            router,
            clock,
            client,
        };
        let chips: Vec<_> = (0..CHIPS).map(ChipCsv::new).collect();
        let path = format!("/admin/v1/chips:import?client_id={}", platform.client);
        platform.imported(&path, &chip_csv(&chips)).await;
        let numbers: Vec<_> = (0..FREE).map(NumberCsv::new).collect();
        platform
            .imported("/admin/v1/numbers:import", &number_csv(&numbers))
            .await;
        platform
    }

    async fn imported(&self, path: &str, csv: &str) {
        let answer = self.router.import(path, csv).await;
        assert_eq!(answer["rejected"], 0, "{answer}");
    }

    async fn make(&self, query: &str, csv: &str) -> Value {
        let path = format!("/admin/v1/batches?{query}");
        self.router.import(&path, csv).await
    }

    /// Applications for all chips of the client.
    async fn apply(&self, query: &str) -> Value {
        let query = format!("kind=apply&client_id={}&{query}", self.client);
        self.make(&query, &applications()).await
    }

    /// Lets some time pass, and the periodic work begin.
    async fn tick(&self) {
        self.clock.set(self.clock.get().plus(10_000));
        let ticked = self.router.get("/internal/upkeep").await;
        assert_eq!(ticked["code"], 200, "{ticked}");
    }

    async fn batch(&self, id: &Value) -> Value {
        let path = format!("/admin/v1/batches?batch_id={}", id.as_str().unwrap());
        self.router.get(&path).await["batches"][0].clone()
    }
}

fn applications() -> String {
    let rows = (0..CHIPS).map(|n| ChipCsv::new(n).eid + ",37\n");
    format!("eid,province_code\n{}1,37\n", rows.collect::<String>())
}

// R507
#[tokio::test]
async fn a_batch_waits_for_numbers_and_its_rows_say_what_became_of_them() {
    let platform = Platform::new().await;
    let made = platform.apply("key=k1").await;
    assert_eq!(
        (&made["created"], &made["preview"]),
        (&json!(true), &Value::Null),
        "{made}"
    );
    let id = &made["batch"]["batch_id"];
    assert_eq!(
        json!([
            made["batch"]["state"],
            made["batch"]["rows"],
            made["batch"]["open"]
        ]),
        json!(["running", 5, 4])
    );
    platform.tick().await;
    let paused = platform.batch(id).await;
    assert_eq!(
        json!([
            paused["state"],
            paused["reason"],
            paused["province_codes"],
            paused["done"],
            paused["open"]
        ]),
        json!(["paused", "province_without_number", ["37"], 2, 2]),
        "{paused}"
    );
    assert_eq!(paused["who"], "admin_secret");
    let more: Vec<_> = (FREE..CHIPS).map(NumberCsv::new).collect();
    platform
        .imported("/admin/v1/numbers:import", &number_csv(&more))
        .await;
    platform.tick().await;
    let done = platform.batch(id).await;
    assert_eq!(
        json!([
            done["state"],
            done["reason"],
            done["done"],
            done["refused"],
            done["open"]
        ]),
        json!(["done", null, 4, 1, 0]),
        "{done}"
    );
    rows_of(&platform, id.as_str().unwrap()).await;
}

/// Two pages of the rows, and those that were refused.
async fn rows_of(platform: &Platform, id: &str) {
    let path = format!("/admin/v1/batches/rows?batch_id={}&limit=3", id);
    let first = platform.router.get(&path).await;
    let next = first["next"].as_str().unwrap();
    let rest = platform.router.get(&format!("{path}&cursor={next}")).await;
    assert_eq!(
        (first["rows"].as_array().unwrap().len(), &rest["next"]),
        (3, &Value::Null)
    );
    let row = &first["rows"][0];
    assert_eq!(
        json!([
            row["line"],
            row["eid"],
            row["province_code"],
            row["result"],
            row["reason"]
        ]),
        json!([2, ChipCsv::new(0).eid, "37", "done", null])
    );
    let task = row["task_id"].as_str().unwrap();
    let tasks = platform.router.get("/admin/v1/tasks").await;
    assert!(tasks.to_string().contains(task), "{tasks}");
    let wrong = &rest["rows"][1];
    assert_eq!(
        json!([wrong["line"], wrong["eid"], wrong["result"], wrong["reason"]]),
        json!([6, null, "refused", "eid_malformed"])
    );
    assert!(!wrong["remedy"].as_str().unwrap().is_empty());
    let refused = format!("/admin/v1/batches/rows?batch_id={}&result=refused", id);
    assert_eq!(
        platform.router.get(&refused).await["rows"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_export_of_the_rows_masks_their_identifiers() {
    let platform = Platform::new().await;
    let made = platform.apply("key=k1").await;
    platform.tick().await;
    let id = made["batch"]["batch_id"].as_str().unwrap();
    let path = format!("/admin/v1/batches/rows:export?format=ndjson&batch_id={id}");
    let reply = platform.router.send(TestRequest::get(&path).bearer(SECRET)).await;
    let lines: Vec<Value> = reply
        .text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 6, "{}", reply.text);
    assert_eq!(lines[5]["end"]["complete"], true);
    let eid = ChipCsv::new(0).eid;
    assert!(!reply.text.contains(&eid), "{}", reply.text);
    let masked = lines[0]["eid"].as_str().unwrap();
    assert!(
        masked.contains("****") && masked.starts_with(&eid[..6]),
        "{masked}"
    );
}

#[tokio::test]
async fn the_same_key_is_the_same_batch_and_a_stopped_one_goes_on() {
    let platform = Platform::new().await;
    let made = platform.apply("key=k1").await;
    let again = platform.apply("key=k1").await;
    assert_eq!(
        (&again["created"], &again["batch"]),
        (&json!(false), &made["batch"])
    );
    let other = platform.apply("key=k1&fail_when_exhausted=true").await;
    assert_eq!(refusal(&other), (409, "batch_key_taken", Some("key")));
    let which = json!({"batch_id": made["batch"]["batch_id"]});
    let stopped = platform.router.post("/admin/v1/batches:stop", &which).await;
    assert_eq!(
        (&stopped["state"], &stopped["done"]),
        (&json!("stopped"), &json!(0)),
        "{stopped}"
    );
    platform.tick().await;
    assert_eq!(platform.batch(&which["batch_id"]).await["state"], "stopped");
    let resumed = platform.router.post("/admin/v1/batches:resume", &which).await;
    assert_eq!(
        (&resumed["state"], &resumed["ended_at"]),
        (&json!("running"), &Value::Null)
    );
    platform.tick().await;
    assert_eq!(platform.batch(&which["batch_id"]).await["done"], 2);
    let list = platform.router.get("/admin/v1/batches").await;
    assert_eq!(list["batches"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_preview_compares_demand_with_stock_and_changes_nothing() {
    let platform = Platform::new().await;
    let previewed = platform.apply("preview=true").await;
    assert_eq!(
        (&previewed["created"], &previewed["batch"]),
        (&json!(false), &Value::Null),
        "{previewed}"
    );
    let preview = &previewed["preview"];
    assert_eq!(json!([preview["rows"], preview["refused"]]), json!([5, 1]));
    let error = &preview["errors"][0];
    assert_eq!(
        json!([error["line"], error["column"], error["reason"]]),
        json!([6, "eid", "eid_malformed"])
    );
    assert_eq!(
        preview["provinces"],
        json!([{"province_code": "37", "province": "山东", "demand": 4, "available": 2, "missing": 2}])
    );
    let list = platform.router.get("/admin/v1/batches").await;
    assert_eq!(list["batches"], json!([]));
}

#[tokio::test]
async fn a_workbook_is_read_as_imports_read_it() {
    let database = TestDatabase::new().await;
    let spreadsheets = vec![("spreadsheets", spreadsheets_router::router())];
    let host = ChainedHost::new(database.host(), spreadsheets);
    let router = TestRouter::on(database, routes(), host);
    let imported = router.import("/admin/v1/numbers:import", NUMBERS).await;
    assert_eq!(imported["rejected"], 0, "{imported}");
    let send = async |query: &str| {
        let path = format!("/admin/v1/batches?kind=suspend&{query}");
        let request = TestRequest::post(&path, WORKBOOK, WORKBOOK_FILE.to_vec()).bearer(SECRET);
        router.send(request).await.body
    };
    let made = send("key=k1").await;
    // The workbook has three of them.
    let rows = 3;
    assert_eq!(
        json!([made["batch"]["rows"], made["batch"]["refused"]]),
        json!([rows, 0]),
        "{made}"
    );
    router.get("/internal/upkeep").await;
    let list = router.get("/admin/v1/batches").await;
    assert_eq!(list["batches"][0]["done"], rows, "{list}");
    let refused = send("key=k2&sheet=none").await;
    assert_eq!(refusal(&refused).1, "bad_csv", "{refused}");
}

#[tokio::test]
async fn what_is_no_batch_is_refused_and_changes_nothing() {
    let platform = Platform::new().await;
    let client = format!("client_id={}", platform.client);
    let apply = applications();
    for (query, file, expected) in [
        (
            "key=k".to_owned(),
            apply.as_str(),
            (400, "parameter_missing", Some("kind")),
        ),
        (
            format!("kind=apply&{client}"),
            &apply,
            (400, "parameter_missing", Some("key")),
        ),
        (
            "kind=apply&key=k".to_owned(),
            &apply,
            (400, "parameter_missing", Some("client_id")),
        ),
        (
            "kind=destroy&key=k".to_owned(),
            &apply,
            (400, "parameter_malformed", Some("kind")),
        ),
        (
            format!("kind=apply&key=a%20b&{client}"),
            &apply,
            (400, "parameter_malformed", Some("key")),
        ),
        (
            format!("kind=end&key=k&person=a&{client}"),
            &apply,
            (400, "parameter_missing", Some("reason")),
        ),
        (
            "kind=end&key=k".to_owned(),
            &apply,
            (400, "parameter_missing", Some("person")),
        ),
        (
            format!("kind=retire&key=k&{client}"),
            "iccid\n1\n",
            (400, "parameter_not_applicable", Some("client_id")),
        ),
        (
            "kind=retire&key=k&fail_when_exhausted=true".to_owned(),
            "iccid\n1\n",
            (400, "parameter_not_applicable", Some("fail_when_exhausted")),
        ),
        ("kind=retire&key=k".to_owned(), "eid\n1\n", (400, "bad_csv", None)),
        ("kind=retire&key=k".to_owned(), "", (400, "bad_csv", None)),
        (
            "kind=apply&key=k&client_id=cl_0123456789abcdef0123".to_owned(),
            &apply,
            (404, "unknown_client", None),
        ),
        (
            "kind=retire&key=k&sheet=a".to_owned(),
            "iccid\n1\n",
            (400, "parameter_malformed", Some("sheet")),
        ),
    ] {
        let answer = platform.make(&query, file).await;
        assert_eq!(refusal(&answer), expected, "{query}: {answer}");
    }
    let list = platform.router.get("/admin/v1/batches").await;
    assert_eq!(list["batches"], json!([]));
}

#[tokio::test]
async fn a_batch_that_is_not_there_is_neither_shown_nor_changed() {
    let platform = Platform::new().await;
    for path in ["batches:stop", "batches:resume"] {
        let path = format!("/admin/v1/{path}");
        let answer = platform.router.post(&path, &json!({"batch_id": UNKNOWN})).await;
        assert_eq!(refusal(&answer), (404, "unknown_batch", None), "{answer}");
        let answer = platform.router.post(&path, &json!({"batch_id": "1"})).await;
        assert_eq!(refusal(&answer), (400, "parameter_malformed", Some("batch_id")));
        let answer = platform.router.post(&path, &json!({})).await;
        assert_eq!(refusal(&answer), (400, "parameter_missing", Some("batch_id")));
    }
    for (path, expected) in [
        (
            format!("batches?batch_id={UNKNOWN}"),
            (404, "unknown_batch", None),
        ),
        (
            "batches?cursor=1".to_owned(),
            (400, "parameter_malformed", Some("cursor")),
        ),
        (
            format!("batches/rows?batch_id={UNKNOWN}"),
            (404, "unknown_batch", None),
        ),
        (
            "batches/rows".to_owned(),
            (400, "parameter_missing", Some("batch_id")),
        ),
        (
            format!("batches/rows?batch_id={UNKNOWN}&result=open"),
            (400, "parameter_malformed", Some("result")),
        ),
        (
            format!("batches/rows:export?batch_id={UNKNOWN}&format=csv"),
            (404, "unknown_batch", None),
        ),
    ] {
        let answer = platform.router.get(&format!("/admin/v1/{path}")).await;
        assert_eq!(refusal(&answer), expected, "{path}: {answer}");
    }
}
