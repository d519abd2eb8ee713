//! Bad input over HTTP: the error is precise and stable, the status is right, and nothing changes.

use rusqlite::Connection;
use serde_json::{Value, json};
use test_support::components::{inventory, inventory_from};
use test_support::stack::{RunningStack, text};
use xieka::demo::world::World;

/// Row counts and sums over the tables, which any change of state would alter.
fn fingerprint(world: &World) -> Vec<(String, i64)> {
    let db = Connection::open(world.demo_env.state_dir().join("sqlite_db.db")).unwrap();
    let count = |sql: &str| db.query_row(sql, [], |row| row.get(0)).unwrap();
    let tables = [
        "client",
        "chip",
        "number",
        "task",
        "card_history",
        "device_session",
        "message",
        "incident",
    ];
    let mut figures: Vec<(String, i64)> = tables
        .iter()
        .map(|table| (table.to_string(), count(&format!("SELECT count(*) FROM {table}"))))
        .collect();
    figures.push((
        "states".into(),
        count("SELECT coalesce(sum(status), 0) FROM chip"),
    ));
    figures.push((
        "reserved".into(),
        count("SELECT count(*) FROM number WHERE status <> 'available'"),
    ));
    figures
}

/// Asserts status and reason, and the fields of every refusal.
fn assert_failure(case: &str, status: u16, body: &Value, expected: (u16, &str)) {
    assert_eq!(
        (status, body["reason"].as_str()),
        (expected.0, Some(expected.1)),
        "{case}: {body}"
    );
    assert_eq!(body["code"].as_u64(), Some(u64::from(status)), "{case}: {body}");
    for field in ["message", "remedy", "request_id"] {
        assert!(!text(body, field).is_empty(), "{case}: {body}");
    }
}

/// Path, query, and the status and reason of the refusal.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, (u16, &'a str));

const UNKNOWN_EID: &str = "89086030202200000000000099999945";

fn token_cases<'a>(id: &'a str, secret: &'a str) -> Vec<Case<'a>> {
    vec![
        ("/v1/token", vec![("client_id", id)], (400, "parameter_missing")),
        (
            "/v1/token",
            vec![("client_id", id), ("client_secret", "wrong")],
            (401, "client_unknown_or_secret_wrong"),
        ),
        (
            "/v1/token",
            vec![("client_id", "nobody"), ("client_secret", secret)],
            (401, "client_unknown_or_secret_wrong"),
        ),
        (
            "/v1/token",
            vec![("client_id", id), ("client_secret", secret), ("x", "1")],
            (400, "parameter_unknown"),
        ),
        (
            "/v1/token",
            vec![("client_id", id), ("client_id", id), ("client_secret", secret)],
            (400, "parameter_repeated"),
        ),
        (
            "/v1/token",
            vec![("client_id", ""), ("client_secret", secret)],
            (400, "parameter_missing"),
        ),
    ]
}

fn write_cases<'a>(token: &'a str, eid: &'a str, long: &'a str) -> Vec<Case<'a>> {
    vec![
        ("/v1/write/status", vec![("eid", eid)], (401, "token_missing")),
        (
            "/v1/write/status",
            vec![("token", "forged"), ("eid", eid)],
            (401, "token_invalid"),
        ),
        (
            "/v1/write/status",
            vec![("token", token)],
            (400, "parameter_missing"),
        ),
        (
            "/v1/write/status",
            vec![("token", token), ("eid", "123")],
            (400, "eid_malformed"),
        ),
        (
            "/v1/write/status",
            vec![("token", token), ("eid", UNKNOWN_EID)],
            (404, "unknown_chip"),
        ),
        (
            "/v1/write/status",
            vec![("token", token), ("task_id", "not-a-uuid")],
            (400, "parameter_malformed"),
        ),
        (
            "/v1/write/status",
            vec![("token", token), ("eid", long)],
            (400, "parameter_too_long"),
        ),
        (
            "/v1/write/apply",
            vec![("eid", eid), ("write_type", "1"), ("province_code", "37")],
            (401, "token_missing"),
        ),
        (
            "/v1/write/apply",
            vec![
                ("token", token),
                ("eid", UNKNOWN_EID),
                ("write_type", "1"),
                ("province_code", "37"),
            ],
            (404, "unknown_chip"),
        ),
    ]
}

// R604, R701, R703, R704; §7.1.1, §8.2.1
#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_named_and_change_nothing() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let (token, eid) = (world.token.as_str(), world.inventory.chips[0].eid.as_str());
    let (id, secret) = (world.client_id.as_str(), world.client_secret.as_str());
    let long = "9".repeat(1_000);
    let cases = [token_cases(id, secret), write_cases(token, eid, &long)].concat();
    let before = fingerprint(world);
    for (path, query, expected) in cases {
        let answer = world.api.get(path, &query).await.unwrap();
        assert_failure(
            &format!("{path} {query:?}"),
            answer.status,
            &answer.body,
            expected,
        );
    }
    assert_eq!(fingerprint(world), before);
    running.shutdown().await;
}

// §6.2.2.2, Table 2: a refused application of a known card is an event of its life, and takes no number
#[tokio::test(flavor = "multi_thread")]
async fn a_refused_application_says_why_takes_nothing_and_can_be_corrected() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let eid = world.inventory.chips[0].eid.clone();
    let base = [("token", world.token.as_str()), ("eid", eid.as_str())];
    let number = &world.inventory.numbers[0];
    type Case<'a> = (Vec<(&'a str, &'a str)>, (u16, &'a str));
    let unreadable: Vec<Case<'_>> = vec![
        (vec![], (400, "parameter_missing")),
        (vec![("write_type", "2")], (400, "write_type_malformed")),
        (vec![("write_type", "1")], (400, "parameter_missing")),
        (
            vec![("write_type", "1"), ("province_code", "99")],
            (400, "province_malformed"),
        ),
        (
            vec![("write_type", "0"), ("iccid", "1"), ("msisdn", "1440190000001")],
            (400, "iccid_malformed"),
        ),
        (
            vec![
                ("write_type", "0"),
                ("iccid", &number.iccid),
                ("msisdn", "13800138000"),
            ],
            (400, "msisdn_malformed"),
        ),
    ];
    let refused: Vec<Case<'_>> = vec![
        (
            vec![("write_type", "1"), ("province_code", "11")],
            (409, "province_not_served"),
        ),
        // Its sender expects this card.
        (
            vec![
                ("write_type", "1"),
                ("province_code", "37"),
                ("iccid", &number.iccid),
            ],
            (400, "parameter_not_applicable"),
        ),
        // Not allotted to this client beforehand: it looks as if it did not exist (Table 1).
        (
            vec![
                ("write_type", "0"),
                ("iccid", &number.iccid),
                ("msisdn", &number.msisdn),
            ],
            (404, "unknown_number"),
        ),
    ];
    let cases = unreadable.into_iter().map(|case| (case, "待写卡"));
    for ((extra, expected), card) in cases.chain(refused.into_iter().map(|case| (case, "申请失败"))) {
        let query: Vec<_> = base.iter().copied().chain(extra).collect();
        let answer = world.api.get("/v1/write/apply", &query).await.unwrap();
        assert_failure(
            &format!("{:?}", &query[2..]),
            answer.status,
            &answer.body,
            expected,
        );
        let status = world.status(&eid).await.unwrap();
        assert_eq!(text(&status, "card_status"), card, "{:?}", &query[2..]);
    }
    assert!(fingerprint(world).contains(&("reserved".into(), 0)));
    let corrected = world.apply(&eid).await.unwrap();
    assert_eq!(text(&corrected, "card_status"), "待开机上电");
    running.shutdown().await;
}

/// Replaces one field of the first row.
fn with_field(csv: &str, column: &str, value: &str) -> String {
    let mut lines = csv.lines();
    let header = lines.next().unwrap();
    let index = header.split(',').position(|name| name == column).unwrap();
    let mut fields: Vec<&str> = lines.next().unwrap().split(',').collect();
    fields[index] = value;
    format!("{header}\n{}\n", fields.join(","))
}

const PLAIN_KEY: &str = "00112233445566778899aabbccddeeff";

/// Kind of file, column, bad value, and the reason of the refusal.
const BAD_FIELDS: [(&str, &str, &str, &str); 15] = [
    (
        "chips",
        "eid",
        "89086030202200000000000000000199",
        "eid_malformed",
    ),
    ("chips", "temp_msisdn", "13800138000", "msisdn_malformed"),
    ("chips", "temp_iccid", "8986", "iccid_malformed"),
    ("chips", "temp_imsi", "46000", "imsi_malformed"),
    ("chips", "network_type", "6g", "parameter_malformed"),
    ("chips", "temp_opened_on", "2026-02-30", "parameter_malformed"),
    ("chips", "allowance_mb", "-1", "parameter_malformed"),
    ("chips", "key_version", "1", "parameter_malformed"),
    ("numbers", "iccid", "8986", "iccid_malformed"),
    ("numbers", "msisdn", "13800138000", "msisdn_malformed"),
    ("numbers", "imsi", "abc", "imsi_malformed"),
    ("numbers", "province_code", "10", "province_malformed"),
    ("numbers", "services", "voice", "parameter_malformed"),
    ("numbers", "k_wrapped", PLAIN_KEY, "key_malformed"),
    ("numbers", "transport_key", "nobody", "key_malformed"),
];

// R503, R517, §5.4.2.1; K and OPc never in the clear
#[tokio::test(flavor = "multi_thread")]
async fn a_bad_row_is_reported_by_line_and_column_and_imports_nothing() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let fresh = inventory_from(500, 1);
    let (chips, numbers) = (fresh.chips_csv().unwrap(), fresh.numbers_csv().unwrap());
    let before = fingerprint(world);
    for (kind, column, value, reason) in BAD_FIELDS {
        let csv = if kind == "chips" { &chips } else { &numbers };
        let path = format!("/admin/v1/{kind}:import");
        let query = [("client_id", world.client_id.as_str())];
        let query = if kind == "chips" { &query[..] } else { &[] };
        let answer = world
            .api
            .post_csv(&world.admin_secret, &path, query, with_field(csv, column, value))
            .await
            .unwrap();
        let report = answer.ok(column).unwrap();
        assert_eq!(
            (&report["imported"], &report["rows"]),
            (&json!(0), &json!(1)),
            "{column}={value}: {report}"
        );
        let error = &report["errors"][0];
        let found = (
            error["line"].as_u64(),
            error["column"].as_str(),
            error["reason"].as_str(),
        );
        assert_eq!(
            found,
            (Some(2), Some(column), Some(reason)),
            "{column}={value}: {report}"
        );
        assert!(
            !report.to_string().contains(PLAIN_KEY),
            "a key is shown: {report}"
        );
    }
    assert_eq!(fingerprint(world), before);
    running.shutdown().await;
}

// R901, R515: no access without a credential
#[tokio::test(flavor = "multi_thread")]
async fn internal_and_administrators_interfaces_refuse_wrong_credentials() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let before = fingerprint(world);
    let paths = [
        "/admin/v1/clients",
        "/admin/v1/chips:import",
        "/admin/v1/numbers:import",
        "/internal/gateway/keys",
        "/internal/gateway/sessions",
        "/internal/gateway/report",
        "/internal/cron",
    ];
    let cron = world
        .demo_env
        .secrets
        .get("SPIN_VARIABLE_CRON_SECRET")
        .unwrap()
        .to_owned();
    for path in paths {
        for credential in ["", "wrong", world.token.as_str(), world.client_secret.as_str()] {
            let answer = world.api.post_json(credential, path, &json!({})).await.unwrap();
            assert_failure(path, answer.status, &answer.body, (401, "credential_wrong"));
        }
        // The credential of one internal interface opens no other.
        if path != "/internal/cron" {
            let answer = world.api.post_json(&cron, path, &json!({})).await.unwrap();
            assert_failure(path, answer.status, &answer.body, (401, "credential_wrong"));
        }
    }
    assert_eq!(fingerprint(world), before);
    running.shutdown().await;
}

/// Credential, path and a document that the interface must refuse with 400.
fn malformed_documents<'a>(admin: &'a str, gateway: &'a str) -> Vec<(&'a str, &'a str, Value)> {
    let client = |change: (&str, Value)| {
        let mut document = json!({
            "name": "x", "phone": "13800000000", "ips": ["127.0.0.1/32"], "permissions": ["write.apply"],
            "callback_url": "https://receiver.example/callback",
        });
        document[change.0] = change.1;
        document
    };
    let session =
        json!({"session_id": "not-a-uuid", "eid": "1", "peer": "x", "agent": null, "resumed": false});
    vec![
        (admin, "/admin/v1/clients", json!([])),
        (admin, "/admin/v1/clients", json!({"name": "x"})),
        (admin, "/admin/v1/clients", client(("extra", json!(1)))),
        (admin, "/admin/v1/clients", client(("ips", json!(["300.1.1.1"])))),
        (
            admin,
            "/admin/v1/clients",
            client(("permissions", json!(["everything"]))),
        ),
        (
            admin,
            "/admin/v1/clients",
            client(("callback_url", json!("ftp://receiver.example/"))),
        ),
        (
            admin,
            "/admin/v1/clients",
            client(("callback_url", json!("https://user:pw@receiver.example/"))),
        ),
        (
            gateway,
            "/internal/gateway/keys",
            json!({"psk_identity": "zz", "eid": null}),
        ),
        (gateway, "/internal/gateway/sessions", session),
        (gateway, "/internal/gateway/report", json!({"session_id": "x"})),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_of_the_wrong_form_are_refused() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let admin = world.admin_secret.as_str();
    let gateway = world
        .demo_env
        .secrets
        .get("SPIN_VARIABLE_GATEWAY_SECRET")
        .unwrap()
        .to_owned();
    let before = fingerprint(world);
    for (bearer, path, document) in malformed_documents(admin, &gateway) {
        let answer = world.api.post_json(bearer, path, &document).await.unwrap();
        assert_eq!(answer.status, 400, "{path} {document}: {}", answer.body);
        assert_eq!(answer.body["code"], 400, "{path} {document}: {}", answer.body);
        assert!(
            answer.body["reason"].is_string() && answer.body["remedy"].is_string(),
            "{}",
            answer.body
        );
    }
    assert_eq!(fingerprint(world), before);
    running.shutdown().await;
}
