//! The lists through their routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{Reply, TestRequest, refusal};
use test_support::router::TestRouter;

const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");
/// The address of every call, and of a client.
const NETWORK: &str = "203.0.113.0/24";
const UNKNOWN_EID: &str = "89086030202200000022000000000090";
const UNKNOWN_TASK: &str = "019f1a2b-3c4d-7e5f-8a6b-7c8d9e0f1a2b";

/// A platform with the chips and numbers of the samples, and two clients with their tokens, of which the first has the
/// chips.
struct Platform {
    router: TestRouter,
    clients: [(String, String); 2],
    eids: Vec<String>,
}

impl Platform {
    async fn new() -> Self {
        let router = TestRouter::new(
            records_router::router()
                .merge(cards_router::router())
                .merge(clients_router::router())
                .merge(gateway_router::router())
                .merge(imports_router::router())
                .merge(token_router::router())
                .merge(write_apply_router::router())
                .merge(write_cancel_router::router()),
        )
        .await;
        let mut clients = Vec::new();
        for name in ["甲", "乙"] {
            clients.push(client(&router, name).await);
        }
        let path = format!("/admin/v1/chips:import?client_id={}", clients[0].0);
        let report = router.import(&path, CHIPS).await;
        assert_eq!(report["rejected"], 0, "{report}");
        let report = router.import("/admin/v1/numbers:import", NUMBERS).await;
        assert_eq!(report["rejected"], 0, "{report}");
        let eids = CHIPS
            .lines()
            .skip(1)
            .map(|line| line.split(',').next().unwrap().to_owned());
        Self {
            router,
            eids: eids.collect(),
            clients: clients.try_into().unwrap(),
        }
    }

    /// What a client is answered.
    async fn ask(&self, client: usize, path: &str) -> Reply {
        let request = TestRequest::get(path).bearer(&self.clients[client].1);
        self.router.send(request).await
    }

    async fn apply(&self, chip: usize, province: &str) -> Reply {
        let eid = &self.eids[chip];
        let path = format!("/v1/write/apply?eid={eid}&write_type=1&province_code={province}");
        self.ask(0, &path).await
    }

    /// The values of a field in every row that an administrator finds, and where the next page begins.
    async fn find(&self, path: &str, rows: &str, field: &str) -> (Vec<Value>, Value) {
        let page = self.router.get(path).await;
        assert_eq!(page["code"], 200, "{path}: {page}");
        let rows = page[rows].as_array().unwrap();
        let values = rows.iter().map(|row| row[field].clone()).collect();
        (values, page["next"].clone())
    }
}

/// Identifier and token of a new client.
async fn client(router: &TestRouter, name: &str) -> (String, String) {
    let client = json!({
        "name": name, "phone": "13800000000", "ips": [NETWORK],
        "permissions": ["write.apply", "write.cancel", "write.tasks"],
    });
    let made = router.post("/admin/v1/clients", &client).await;
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    let (id, secret) = (text("client_id"), text("client_secret"));
    let path = format!("/v1/token?client_id={id}&client_secret={secret}");
    let token = router.send(TestRequest::get(path)).await;
    (id, token.body["token"].as_str().unwrap().to_owned())
}

// R507
#[tokio::test]
async fn an_administrator_finds_tasks_with_what_shows_where_their_cards_stand() {
    let platform = Platform::new().await;
    let first = platform.apply(0, "37").await;
    assert_eq!(first.status, 200, "{}", first.text);
    assert_eq!(platform.apply(1, "37").await.status, 200);
    let cancelled = platform
        .ask(0, &format!("/v1/write/cancel?eid={}", platform.eids[1]))
        .await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);

    let (eids, next) = platform.find("/admin/v1/tasks", "tasks", "eid").await;
    let mut sorted: Vec<_> = eids.iter().map(|eid| eid.as_str().unwrap()).collect();
    sorted.sort_unstable();
    let mut expected = [platform.eids[0].as_str(), &platform.eids[1]];
    expected.sort_unstable();
    assert_eq!((sorted.as_slice(), next), (expected.as_slice(), Value::Null));

    let task = first.body["task_id"].as_str().unwrap();
    let page = platform
        .router
        .get(&format!("/admin/v1/tasks?task_id={task}"))
        .await;
    let shown = &page["tasks"][0];
    for (field, value) in [
        ("task_id", json!(task)),
        ("client_id", json!(platform.clients[0].0)),
        ("eid", json!(platform.eids[0])),
        ("write_type", json!(1)),
        ("province_code", json!("37")),
        ("task_status", json!("waiting")),
        ("card_status", json!("待开机上电")),
        ("next_work", json!("write")),
        ("progress", json!(0)),
        ("attempts", json!(1)),
        ("started_at", Value::Null),
        ("finished_at", Value::Null),
        ("failure", Value::Null),
        ("sessions", json!(0)),
        ("session_open", json!(false)),
        ("bytes_used", json!(0)),
        ("last_end_reason", Value::Null),
    ] {
        assert_eq!(shown[field], value, "{field}: {shown}");
    }
}

#[tokio::test]
async fn tasks_are_found_by_each_condition() {
    let platform = Platform::new().await;
    assert_eq!(platform.apply(0, "37").await.status, 200);
    assert_eq!(platform.apply(1, "37").await.status, 200);
    let cancelled = platform
        .ask(0, &format!("/v1/write/cancel?eid={}", platform.eids[1]))
        .await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    let page = platform
        .router
        .get(&format!("/admin/v1/tasks?eid={}", platform.eids[0]))
        .await;
    let shown = &page["tasks"][0];
    let [iccid, msisdn] = ["iccid", "msisdn"].map(|name| shown[name].as_str().unwrap());
    for (query, expected) in [
        (format!("iccid={iccid}"), 1),
        (format!("msisdn={msisdn}"), 1),
        (
            format!("iccid={iccid}&msisdn={msisdn}&eid={}", platform.eids[0]),
            1,
        ),
        (format!("iccid={iccid}&eid={}", platform.eids[1]), 0),
        ("status=waiting".to_owned(), 1),
        ("status=cancelled&province_code=37".to_owned(), 1),
        ("status=ended".to_owned(), 0),
        ("failure=not_powered_up".to_owned(), 0),
        (format!("client_id={}", platform.clients[0].0), 2),
        (format!("client_id={}", platform.clients[1].0), 0),
        ("from=2020-01-01T00:00:00%2B08:00".to_owned(), 2),
        ("to=2020-01-01T00:00:00%2B08:00".to_owned(), 0),
        (format!("eid={UNKNOWN_EID}"), 0),
        (format!("task_id={UNKNOWN_TASK}"), 0),
    ] {
        let found = platform
            .find(&format!("/admin/v1/tasks?{query}"), "tasks", "eid")
            .await
            .0;
        assert_eq!(found.len(), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_of_tasks_show_every_task_once_while_others_are_applied_for() {
    let platform = Platform::new().await;
    for chip in 0..3 {
        assert_eq!(platform.apply(chip, "37").await.status, 200);
    }
    let mut expected: Vec<_> = platform.find("/admin/v1/tasks", "tasks", "task_id").await.0;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for added in 3.. {
        let path = format!("/admin/v1/tasks?limit=1{cursor}");
        let (ids, next) = platform.find(&path, "tasks", "task_id").await;
        let last = ids.last().cloned();
        seen.extend(ids);
        let Some(next) = next.as_str() else { break };
        cursor = format!("&cursor={next}");
        // The clock of the router stands still: a new task may lie on either side of the cursor.
        let more = platform.apply(added % platform.eids.len(), "37").await;
        if more.status == 200 {
            let id = &more.body["task_id"];
            if !expected.contains(id) && id.as_str() < last.as_ref().and_then(Value::as_str) {
                expected.push(id.clone());
            }
        }
    }
    expected.sort_by(|one, other| other.as_str().cmp(&one.as_str()));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_client_finds_its_own_tasks_and_those_of_others_do_not_exist() {
    let platform = Platform::new().await;
    let applied = platform.apply(0, "37").await;
    let task = applied.body["task_id"].as_str().unwrap();
    let eid = &platform.eids[0];
    for (query, own, other) in [
        (String::new(), 1, 0),
        (format!("eid={eid}"), 1, 0),
        ("status=waiting&province_code=37".to_owned(), 1, 0),
        ("status=failed".to_owned(), 0, 0),
    ] {
        for (client, count) in [(0, own), (1, other)] {
            let reply = platform.ask(client, &format!("/v1/write/tasks?{query}")).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            assert_eq!(
                (reply.body["tasks"].as_array().unwrap().len(), &reply.body["next"]),
                (count, &Value::Null),
                "{query} of client {client}"
            );
        }
    }
    let path = format!("/v1/write/tasks?task_id={task}");
    let own = platform.ask(0, &path).await;
    assert_eq!(own.body["tasks"][0]["eid"], json!(eid));
    let other = platform.ask(1, &path).await;
    assert_eq!(refusal(&other.body), (404, "unknown_task", None));
    let unknown = platform
        .ask(0, &format!("/v1/write/tasks?task_id={UNKNOWN_TASK}"))
        .await;
    assert_eq!(refusal(&unknown.body), (404, "unknown_task", None));
    // Whose tasks they are is no parameter.
    let named = platform
        .ask(1, &format!("/v1/write/tasks?client_id={}", platform.clients[0].0))
        .await;
    assert_eq!(
        refusal(&named.body),
        (400, "parameter_unknown", Some("client_id"))
    );
    let unknown = platform.router.send(TestRequest::get("/v1/write/tasks")).await;
    assert_eq!(unknown.status, 401, "{}", unknown.text);
}

#[tokio::test]
async fn a_task_that_has_ended_says_why_in_the_language_of_its_reader() {
    let platform = Platform::new().await;
    platform.apply(0, "37").await;
    let end = json!({"eid": platform.eids[0], "person": "王芳", "reason": "设备已报废"});
    assert_eq!(
        platform.router.post("/admin/v1/tasks:end", &end).await["code"],
        200
    );
    let request = || TestRequest::get("/v1/write/tasks").bearer(&platform.clients[0].1);
    let zh = platform.router.send(request()).await;
    let en = platform
        .router
        .send(request().with("accept-language", "en"))
        .await;
    let reason = |reply: &Reply| {
        let task = &reply.body["tasks"][0];
        ["task_status", "failure", "description", "remedy"].map(|name| task[name].clone())
    };
    assert_eq!(
        reason(&zh),
        [
            "ended",
            "ended_by_operator",
            "系统管理员终止了写卡任务",
            "联系系统管理员了解原因；可重新申请写卡"
        ]
    );
    assert_eq!(
        reason(&en),
        [
            "ended",
            "ended_by_operator",
            "an administrator ended the task",
            "ask the administrator why; the card may be applied for again"
        ]
    );
}

// §6.3 Table 2
#[tokio::test]
async fn a_refused_application_is_found_with_its_reason() {
    let platform = Platform::new().await;
    let refused = platform.apply(0, "65").await;
    let reason = refused.reason().to_owned();
    assert_ne!(refused.status, 200, "{}", refused.text);
    let list = "/admin/v1/applications/refused";
    let page = platform.router.get(list).await;
    let row = &page["applications"][0];
    assert_eq!(
        (&row["outcome"], &row["eid"], &row["client_id"], &row["reason"]),
        (
            &json!("refused"),
            &json!(platform.eids[0]),
            &json!(platform.clients[0].0),
            &json!(reason)
        )
    );
    assert!(
        row["description"].is_string() && row["remedy"].is_string(),
        "{row}"
    );
    for (query, count) in [
        (format!("reason={reason}"), 1),
        ("reason=chip_faulty".to_owned(), 0),
        (format!("eid={}", platform.eids[0]), 1),
        (format!("eid={}", platform.eids[1]), 0),
        (format!("client_id={}&reason={reason}", platform.clients[0].0), 1),
        (format!("client_id={}", platform.clients[1].0), 0),
        ("from=2020-01-01T00:00:00%2B08:00".to_owned(), 1),
        ("to=2020-01-01T00:00:00%2B08:00".to_owned(), 0),
    ] {
        let found = platform
            .find(&format!("{list}?{query}"), "applications", "eid")
            .await
            .0;
        assert_eq!(found.len(), count, "{query}");
    }
}

#[tokio::test]
async fn every_chip_and_number_is_shown_once_page_by_page() {
    let platform = Platform::new().await;
    platform.apply(0, "37").await;
    for (path, rows, field, count) in [
        ("/admin/v1/chips", "chips", "eid", platform.eids.len()),
        (
            "/admin/v1/numbers",
            "numbers",
            "iccid",
            NUMBERS.lines().count() - 1,
        ),
    ] {
        let all = platform.find(path, rows, field).await.0;
        assert_eq!(all.len(), count, "{path}");
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let (values, next) = platform
                .find(&format!("{path}?limit=2{cursor}"), rows, field)
                .await;
            seen.extend(values);
            let Some(next) = next.as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(seen, all, "{path}");
    }
}

#[tokio::test]
async fn chips_and_numbers_are_found_by_each_condition() {
    let platform = Platform::new().await;
    platform.apply(0, "37").await;
    let eid = &platform.eids[0];
    let page = platform.router.get(&format!("/admin/v1/numbers?eid={eid}")).await;
    let number = &page["numbers"][0];
    assert_eq!(
        (&number["status"], &number["eid"]),
        (&json!("reserved"), &json!(eid))
    );
    let [iccid, msisdn, imsi] = ["iccid", "msisdn", "imsi"].map(|name| number[name].as_str().unwrap());
    let page = platform.router.get(&format!("/admin/v1/chips?eid={eid}")).await;
    let temporary = page["chips"][0]["temp_msisdn"].as_str().unwrap();
    for (path, rows, count) in [
        (format!("/admin/v1/numbers?iccid={iccid}"), "numbers", 1),
        (format!("/admin/v1/numbers?msisdn={msisdn}"), "numbers", 1),
        (format!("/admin/v1/numbers?imsi={imsi}"), "numbers", 1),
        (
            "/admin/v1/numbers?status=reserved&province_code=37".to_owned(),
            "numbers",
            1,
        ),
        ("/admin/v1/numbers?status=retired".to_owned(), "numbers", 0),
        (
            format!("/admin/v1/numbers?client_id={}", platform.clients[1].0),
            "numbers",
            0,
        ),
        (format!("/admin/v1/chips?msisdn={temporary}"), "chips", 1),
        (format!("/admin/v1/chips?msisdn={msisdn}"), "chips", 1),
        (
            "/admin/v1/chips?card_status=%E5%BE%85%E5%BC%80%E6%9C%BA%E4%B8%8A%E7%94%B5".to_owned(),
            "chips",
            1,
        ),
        (
            "/admin/v1/chips?card_status=%E5%86%99%E5%8D%A1%E6%88%90%E5%8A%9F".to_owned(),
            "chips",
            0,
        ),
        ("/admin/v1/chips?chip_model=none".to_owned(), "chips", 0),
        (
            format!("/admin/v1/chips?client_id={}", platform.clients[1].0),
            "chips",
            0,
        ),
        (
            "/admin/v1/chips?to=2020-01-01T00:00:00%2B08:00".to_owned(),
            "chips",
            0,
        ),
        (
            "/admin/v1/chips?seen_from=2020-01-01T00:00:00%2B08:00".to_owned(),
            "chips",
            0,
        ),
        (format!("/admin/v1/chips?eid={UNKNOWN_EID}"), "chips", 0),
    ] {
        let found = platform.find(&path, rows, "eid").await.0;
        assert_eq!(found.len(), count, "{path}");
    }
    // Key material is never shown.
    let text = page.to_string();
    assert!(!text.contains("psk") && !text.contains("k_sealed"), "{text}");
}

#[tokio::test]
async fn a_search_is_read_strictly() {
    let platform = Platform::new().await;
    let wrong = |reason, field| (400, reason, Some(field));
    let malformed = |field| wrong("parameter_malformed", field);
    for (list, query, expected) in [
        ("tasks", "status=lost", malformed("status")),
        ("tasks", "failure=Idle", malformed("failure")),
        ("tasks", "cursor=1", malformed("cursor")),
        ("tasks", "task_id=1", malformed("task_id")),
        ("tasks", "limit=201", malformed("limit")),
        ("tasks", "limit=0", malformed("limit")),
        ("tasks", "from=yesterday", malformed("from")),
        ("tasks", "eid=1", wrong("eid_malformed", "eid")),
        ("tasks", "iccid=1", wrong("iccid_malformed", "iccid")),
        ("tasks", "msisdn=1", wrong("msisdn_malformed", "msisdn")),
        (
            "tasks",
            "province_code=99",
            wrong("province_malformed", "province_code"),
        ),
        ("tasks", "order=down", malformed("order")),
        ("tasks", "colour=red", wrong("parameter_unknown", "colour")),
        ("chips", "card_status=written", malformed("card_status")),
        ("chips", "cursor=1-zz-1", malformed("cursor")),
        ("chips", "seen_from=x", malformed("seen_from")),
        ("chips", "imsi=1", wrong("imsi_malformed", "imsi")),
        ("numbers", "status=%E6%AD%A3%E5%B8%B8", malformed("status")),
        (
            "numbers",
            "province_code=99",
            wrong("province_malformed", "province_code"),
        ),
        ("applications/refused", "reason=sad", malformed("reason")),
        ("applications/refused", "cursor=x", malformed("cursor")),
    ] {
        let answer = platform.router.get(&format!("/admin/v1/{list}?{query}")).await;
        assert_eq!(refusal(&answer), expected, "{list}?{query}");
    }
    let eid = &platform.eids[0];
    for list in ["chips", "numbers"] {
        let path = format!("/admin/v1/{list}?eid={eid}&msisdn=1440100000001");
        let answer = platform.router.get(&path).await;
        assert_eq!(
            refusal(&answer),
            (400, "parameter_not_applicable", None),
            "{path}"
        );
    }
}

#[tokio::test]
async fn no_list_opens_without_the_secret_of_administrators() {
    let platform = Platform::new().await;
    let lists = ["tasks", "chips", "numbers", "applications/refused"];
    let exports = lists.map(|list| format!("{list}:export?format=csv"));
    for list in lists.map(str::to_owned).into_iter().chain(exports) {
        let path = format!("/admin/v1/{list}");
        let bare = platform.router.send(TestRequest::get(path.as_str())).await;
        assert_eq!(bare.status, 401, "{path}: {}", bare.text);
        let client = platform.ask(0, &path).await;
        assert_eq!(client.status, 401, "{path}: {}", client.text);
    }
}
