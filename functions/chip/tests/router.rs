//! A chip through the routes of its client, of gateways, of the timer and of administrators: its faults, the times at
//! which it asks to be written, its test allowance and its incidents.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use domain::Timestamp;
use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest, refusal};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::START;

const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
const EID: &str = "89086030202200000000000000000123";
const UNKNOWN: &str = "89086030202200000022000000000090";
const MINUTE: i64 = 60_000;

/// A platform with the chips and numbers of the sample, of one client that holds a token.
struct Platform {
    router: TestRouter,
    now: Arc<AtomicI64>,
    sessions: AtomicU32,
    client: Value,
    token: String,
}

impl Platform {
    async fn new() -> Self {
        let now = Arc::new(AtomicI64::new(START));
        let routers = chip_router::router()
            .merge(cards_router::router())
            .merge(clients_router::router())
            .merge(gateway_router::router())
            .merge(imports_router::router())
            .merge(incidents_router::router())
            .merge(inventory_router::router())
            .merge(maintenance_router::router())
            .merge(messages_router::router())
            .merge(token_router::router())
            .merge(write_apply_router::router());
        let database = TestDatabase::new().await;
        let clock = Arc::clone(&now);
        let host = database.host_at(move || Timestamp(clock.load(Ordering::SeqCst)));
        let router = TestRouter::on(database, routers, host);
        let mut platform = Self {
            router,
            now,
            sessions: AtomicU32::new(0),
            client: Value::Null,
            token: String::new(),
        };
        (platform.client, platform.token) = platform.client().await;
        let id = platform.client["client_id"].as_str().unwrap().to_owned();
        for (path, csv) in [
            (format!("/admin/v1/chips:import?client_id={id}"), CHIPS),
            ("/admin/v1/numbers:import".to_owned(), NUMBERS),
        ] {
            let report = platform.router.import(&path, csv).await;
            assert_eq!(report["rejected"], 0, "{report}");
        }
        platform
    }

    /// A client and a token of it.
    async fn client(&self) -> (Value, String) {
        let document = json!({
            "name": "甲", "phone": "13800000000", "ips": ["203.0.113.0/24"],
            "permissions": ["write.apply", "chip.read", "chip.fault"],
        });
        let client = self.post("/admin/v1/clients", document).await;
        let text = |name: &str| client[name].as_str().unwrap().to_owned();
        let path = format!(
            "/v1/token?client_id={}&client_secret={}",
            text("client_id"),
            text("client_secret")
        );
        let reply = self.router.send(TestRequest::get(path)).await;
        (client, reply.body["token"].as_str().unwrap().to_owned())
    }

    fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    async fn post(&self, path: &str, document: Value) -> Value {
        let answer = self.router.post(path, &document).await;
        assert_eq!(answer["code"], 200, "{path}: {answer}");
        answer
    }

    /// What the client is answered.
    async fn ask(&self, token: &str, path: &str) -> Reply {
        self.router.send(TestRequest::get(path).bearer(token)).await
    }

    async fn apply(&self) {
        let path = format!("/v1/write/apply?eid={EID}&write_type=1&province_code=37");
        let reply = self.ask(&self.token, &path).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// Opens a session of the chip and returns its identifier and its work.
    async fn open(&self) -> (String, Value) {
        let number = self.sessions.fetch_add(1, Ordering::SeqCst);
        let id = format!("019f1a2b-3c4d-7e5f-8a6b-7c8d{number:08}");
        let document = json!({
            "session_id": id, "eid": EID, "peer": "192.0.2.1:1", "agent": null, "resumed": false, "gateway": "gd-1",
        });
        let answer = self.post("/internal/gateway/sessions", document).await;
        (id, answer["work"].clone())
    }

    async fn report(&self, session: &str, seq: u32, event: Value, bytes: u64) {
        let document = json!({
            "session_id": session, "seq": seq, "event": event, "bytes_up": bytes, "bytes_down": 0,
        });
        self.post("/internal/gateway/report", document).await;
    }

    /// Does the periodic work.
    async fn work(&self) {
        self.router.get("/internal/upkeep").await;
    }

    /// The kinds of the alerts, without that of the small pool of the sample.
    async fn alerts(&self) -> Vec<String> {
        let page = self.router.get("/admin/v1/alerts").await;
        let kinds = page["alerts"].as_array().unwrap().iter();
        kinds
            .map(|alert| alert["kind"].as_str().unwrap().to_owned())
            .filter(|kind| kind != "pool_low")
            .collect()
    }

    async fn incidents(&self, state: &str) -> Vec<Value> {
        let page = self
            .router
            .get(&format!("/admin/v1/incidents?state={state}"))
            .await;
        page["incidents"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn tasks_and_messages_of_a_chip_end_in_the_byte_that_gateways_are_given_for_its_sessions() {
    let platform = Platform::new().await;
    let asked = json!({"psk_identity": "41", "eid": EID});
    let home = platform.post("/internal/gateway/keys", asked).await["home"].clone();
    let home = format!("{:02x}", home.as_u64().unwrap());
    let receiver = platform.client["client_id"].as_str().unwrap();
    for _ in 0..2 {
        let path = format!("/v1/write/apply?eid={EID}&write_type=1&province_code=37");
        let task = platform.ask(&platform.token, &path).await.body["task_id"].clone();
        let by = json!({"eid": EID, "person": "王芳", "reason": "设备已报废"});
        assert_eq!(platform.post("/admin/v1/tasks:end", by).await["task_id"], task);
        assert!(task.as_str().unwrap().ends_with(&home), "{task}");
    }
    let path = format!("/admin/v1/callbacks?receiver={receiver}");
    let page = platform.router.get(&path).await;
    let messages = page["callbacks"].as_array().unwrap();
    assert_eq!(messages.len(), 2, "{page}");
    for message in messages {
        assert!(message["id"].as_str().unwrap().ends_with(&home), "{message}");
    }
}

// §8.2: 上报故障
#[tokio::test]
async fn a_client_reports_a_fault_of_its_chip_and_the_chip_is_not_blocked() {
    let platform = Platform::new().await;
    let path = format!("/v1/chip/fault?eid={EID}&fault=module_incompatible&description=BIP");
    let reported = platform.ask(&platform.token, &path).await;
    assert_eq!((reported.status, &reported.body["opened"]), (200, &json!(true)));
    assert_eq!(reported.body["report_time"], "2026-07-01T08:00:00+08:00");
    let form = TestRequest::post(
        "/v1/chip/fault",
        "application/x-www-form-urlencoded",
        format!("eid={EID}&fault=module_incompatible"),
    );
    let again = platform.router.send(form.bearer(&platform.token)).await.body;
    assert_eq!(
        (&again["opened"], &again["incident_id"]),
        (&json!(false), &reported.body["incident_id"])
    );
    let incident = platform.incidents("open").await.remove(0);
    assert_eq!(
        (
            &incident["id"],
            &incident["kind"],
            &incident["opened_by"],
            &incident["note"]
        ),
        (
            &reported.body["incident_id"],
            &json!("module_incompatible"),
            &json!("client"),
            &json!("BIP")
        )
    );
    platform.apply().await;
}

#[tokio::test]
async fn a_fault_of_another_clients_chip_is_not_reported() {
    let platform = Platform::new().await;
    let (_, other) = platform.client().await;
    for (token, eid) in [(&other, EID), (&platform.token, UNKNOWN)] {
        let path = format!("/v1/chip/fault?eid={eid}&fault=chip_fault");
        let reply = platform.ask(token, &path).await;
        assert_eq!(refusal(&reply.body), (404, "unknown_chip", None));
    }
    assert!(platform.incidents("all").await.is_empty());
}

#[tokio::test]
async fn a_report_of_a_fault_is_read_strictly() {
    let platform = Platform::new().await;
    for (query, expected) in [
        (
            "fault=chip_fault".to_owned(),
            (400, "parameter_missing", Some("eid")),
        ),
        (format!("eid={EID}"), (400, "parameter_missing", Some("fault"))),
        (
            format!("eid={EID}&fault=stuck_writing"),
            (400, "parameter_malformed", Some("fault")),
        ),
        (
            "eid=1&fault=chip_fault".to_owned(),
            (400, "eid_malformed", Some("eid")),
        ),
        (
            format!("eid={EID}&fault=chip_fault&description={}", "a".repeat(501)),
            (400, "parameter_too_long", Some("description")),
        ),
    ] {
        let reply = platform
            .ask(&platform.token, &format!("/v1/chip/fault?{query}"))
            .await;
        assert_eq!(refusal(&reply.body), expected, "{query}");
    }
}

// §8.2.2 Table 4
#[tokio::test]
async fn the_register_of_faulty_chips_shows_what_was_wrong_also_after_the_chip_left_it() {
    let platform = Platform::new().await;
    platform.apply().await;
    let (session, _) = platform.open().await;
    let failed = json!({
        "kind": "failed", "failure": "memory_problem", "detail": "6581", "chip_fault": true, "status_word": "6581",
    });
    platform.report(&session, 1, failed, 100).await;
    platform.pass(MINUTE);
    platform
        .post("/admin/v1/chips:fault", json!({"eid": EID, "faulty": false}))
        .await;
    let by_hand = json!({"eid": EID, "faulty": true, "fault": "no_answer", "firmware": "1.2.3"});
    platform.post("/admin/v1/chips:fault", by_hand).await;
    let page = platform.router.get("/admin/v1/chips/faulty").await;
    assert_eq!(page["chips"].as_array().unwrap().len(), 1, "{page}");
    let page = platform.router.get("/admin/v1/chips/faulty?all=true").await;
    let shown = |chip: &Value| {
        let names = ["fault", "status_word", "firmware", "chip_model", "since", "until"];
        names.map(|name| chip[name].as_str().unwrap_or_default().to_owned())
    };
    let (at, later) = ("2026-07-01T08:00:00+08:00", "2026-07-01T08:01:00+08:00");
    assert_eq!(
        page["chips"]
            .as_array()
            .unwrap()
            .iter()
            .map(shown)
            .collect::<Vec<_>>(),
        [
            ["no_answer", "", "1.2.3", "QB-SEED-4G", later, ""],
            ["memory_problem", "6581", "", "QB-SEED-4G", at, later],
        ]
    );
    let number = json!({"eid": EID, "faulty": true, "firmware": "1440190000001"});
    let refused = platform.router.post("/admin/v1/chips:fault", &number).await;
    assert_eq!(refusal(&refused), (400, "parameter_malformed", Some("firmware")));
}

// §5.2.1.2
#[tokio::test]
async fn a_chip_that_asks_again_within_a_minute_of_a_failure_gets_nothing_to_do() {
    let platform = Platform::new().await;
    platform.apply().await;
    let (session, work) = platform.open().await;
    assert_eq!(work, "write");
    let failed = json!({"kind": "failed", "failure": "card_error", "detail": "6F00", "chip_fault": false});
    platform.report(&session, 1, failed, 100).await;
    let closed = json!({"kind": "closed", "reason": "failed"});
    platform.report(&session, 2, closed, 100).await;
    platform.apply().await;
    platform.pass(MINUTE - 1);
    let (session, work) = platform.open().await;
    assert_eq!(work, "none");
    let closed = json!({"kind": "closed", "reason": "nothing_to_do"});
    platform.report(&session, 1, closed, 100).await;
    platform.pass(1);
    assert_eq!(platform.open().await.1, "write");
}

#[tokio::test]
async fn a_chip_that_asks_more_than_twenty_times_an_hour_is_an_incident() {
    let platform = Platform::new().await;
    platform.apply().await;
    for _ in 0..20 {
        platform.open().await;
    }
    assert!(platform.incidents("open").await.is_empty());
    assert_eq!(platform.open().await.1, "write");
    assert_eq!(platform.incidents("open").await[0]["kind"], "module_incompatible");
}

// §8.2.4 Table 6
#[tokio::test]
async fn only_a_top_up_raises_the_allowance_and_its_history_names_who_and_why() {
    let platform = Platform::new().await;
    let (session, _) = platform.open().await;
    let closed = json!({"kind": "closed", "reason": "nothing_to_do"});
    platform.report(&session, 1, closed, 4_000_000).await;
    platform.work().await;
    assert_eq!(platform.alerts().await, ["allowance_half_used"]);
    let left = async || {
        let reply = platform
            .ask(&platform.token, &format!("/v1/chip?eid={EID}"))
            .await;
        reply.body["remaining_flow"].clone()
    };
    assert_eq!(left().await, json!(1));
    let top_up =
        |mb: u32, reason: Value| json!({"eid": EID, "allowance_mb": mb, "person": "王芳", "reason": reason});
    let low = platform
        .router
        .post("/admin/v1/chips:top-up", &top_up(0, json!("x")))
        .await;
    assert_eq!(low["reason"], "parameter_malformed");
    let silent = platform
        .router
        .post("/admin/v1/chips:top-up", &top_up(3, Value::Null))
        .await;
    assert_eq!(silent["code"], 400, "{silent}");
    let reason = json!("测试流量不足");
    for changed in [true, false] {
        let given = platform
            .post("/admin/v1/chips:top-up", top_up(3, reason.clone()))
            .await;
        assert_eq!(
            (&given["changed"], &given["remaining_mb"]),
            (&json!(changed), &json!(3))
        );
    }
    assert_eq!(left().await, json!(3));
    let history = platform
        .router
        .get(&format!("/admin/v1/chips/history?eid={EID}"))
        .await;
    let step = &history["steps"][0];
    assert_eq!(
        (&step["reason"], &step["person"], &step["note"]),
        (&json!("allowance_topped_up"), &json!("王芳"), &reason)
    );
}

// §8.2.2 Table 4, §8.1
#[tokio::test]
async fn a_card_without_an_acknowledged_step_is_stuck_and_late_and_not_severe() {
    let platform = Platform::new().await;
    platform.apply().await;
    let (session, _) = platform.open().await;
    platform.pass(9 * MINUTE);
    let step = json!({"kind": "progress", "step": 1, "steps": 12});
    platform.report(&session, 1, step, 100).await;
    platform.pass(9 * MINUTE);
    platform.work().await;
    assert!(platform.incidents("open").await.is_empty());
    platform.pass(MINUTE);
    platform.work().await;
    let stuck = platform.incidents("open").await.remove(0);
    assert_eq!(stuck["kind"], "stuck_writing");
    assert_eq!(
        (&stuck["since"], &stuck["handle_by"]),
        (
            &json!("2026-07-01T08:19:00+08:00"),
            &json!("2026-07-01T08:49:00+08:00")
        )
    );
    platform.pass(60 * MINUTE);
    platform.work().await;
    assert_eq!(platform.incidents("open").await[0]["severity"], "general");
    assert_eq!(platform.alerts().await, ["incident_overdue"]);
}

// §8.3.1
#[tokio::test]
async fn a_settled_incident_with_its_final_report_alarms_no_more() {
    let platform = Platform::new().await;
    let open = json!({"kind": "call_timeout", "severity": "severe"});
    let opened = platform.post("/admin/v1/incidents:open", open).await;
    let id = opened["incident"]["id"].clone();
    platform.work().await;
    platform.pass(20 * MINUTE);
    platform
        .post("/admin/v1/incidents:close", json!({"id": id}))
        .await;
    let report = json!({"id": id, "course": "扩容", "root_cause": "负载", "measures": "告警"});
    platform.post("/admin/v1/incidents:final-report", report).await;
    for _ in 0..3 {
        platform.pass(20 * 60 * MINUTE);
        platform.work().await;
    }
    assert_eq!(platform.alerts().await, ["incident_severe"]);
}

// §8.2.1 Table 3
#[tokio::test]
async fn sixty_invalid_applications_of_a_client_in_an_hour_are_an_incident_of_it() {
    let platform = Platform::new().await;
    for _ in 0..60 {
        let path = format!("/v1/write/apply?eid={UNKNOWN}&write_type=1&province_code=37");
        let reply = platform.ask(&platform.token, &path).await;
        assert_eq!(reply.body["reason"], "unknown_chip");
    }
    platform.pass(MINUTE);
    platform.work().await;
    let incident = platform.incidents("open").await.remove(0);
    assert_eq!(incident["kind"], "application_invalid");
    let client = platform.client["client_id"].as_str().unwrap();
    assert_eq!(incident["subject"], format!("client:{client}"));
}

// §8.2.3 Table 5: 业务需求方服务端 IP 未完成报白
#[tokio::test]
async fn sixty_calls_of_a_client_from_an_unlisted_address_in_an_hour_are_an_incident_of_it() {
    let platform = Platform::new().await;
    let elsewhere = json!({"client_id": platform.client["client_id"], "ips": ["198.51.100.0/24"]});
    platform.post("/admin/v1/clients:update", elsewhere).await;
    let path = format!(
        "/v1/token?client_id={}&client_secret={}",
        platform.client["client_id"].as_str().unwrap(),
        platform.client["client_secret"].as_str().unwrap()
    );
    for call in 1..=60 {
        let reply = platform.router.send(TestRequest::get(&path)).await;
        assert_eq!(reply.body["reason"], "ip_not_allowed");
        // Of the calls of one address, 20 a minute are counted one by one.
        if call % 20 == 0 {
            platform.pass(MINUTE);
        }
    }
    platform.work().await;
    let incident = platform.incidents("open").await.remove(0);
    assert_eq!(
        (&incident["kind"], &incident["opened_by"]),
        (&json!("call_timeout"), &json!("platform"))
    );
    platform.pass(60 * MINUTE + 1);
    platform.work().await;
    assert!(platform.incidents("open").await.is_empty());
}
