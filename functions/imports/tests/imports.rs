//! Imports and their withdrawal, and an EID that is in use twice, through the routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv};
use test_support::router::TestRouter;

const A: &str = "192.0.2.1:40000";
const B: &str = "198.51.100.9:1024";

/// The interfaces of administrators, the gateway and one client, with chips and numbers of that client.
struct Platform {
    routes: TestRouter,
    client: String,
    token: String,
}

impl Platform {
    async fn new() -> Self {
        let routes = imports_router::router()
            .merge(clients_router::router())
            .merge(gateway_router::router())
            .merge(incidents_router::router())
            .merge(inventory_router::router())
            .merge(token_router::router())
            .merge(write_apply_router::router());
        let routes = TestRouter::new(routes).await;
        let client = json!({"name": "甲", "phone": "13800000000", "ips": ["203.0.113.9"],
            "permissions": ["write.apply"]});
        let made = routes.post("/admin/v1/clients", &client).await;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let (client, secret) = (text("client_id"), text("client_secret"));
        let path = format!("/v1/token?client_id={client}&client_secret={secret}");
        let token = routes.send(TestRequest::get(path)).await.body["token"].clone();
        Self {
            routes,
            client,
            token: token.as_str().unwrap().to_owned(),
        }
    }

    async fn chips(&self, chips: &[ChipCsv], preview: bool) -> Value {
        let path = format!(
            "/admin/v1/chips:import?client_id={}&preview={preview}",
            self.client
        );
        self.routes.import(&path, &chip_csv(chips)).await
    }

    async fn apply(&self, chip: u32) -> Value {
        let path = format!(
            "/v1/write/apply?eid={}&write_type=1&province_code=37",
            eid(chip).as_str()
        );
        self.routes
            .send(TestRequest::get(path).bearer(&self.token))
            .await
            .body
    }

    async fn open_session(&self, number: u32, chip: u32, peer: &str) -> Value {
        let session = format!("019f1a2b-3c4d-7e5f-8a6b-7c8d{number:08}");
        let request = json!({"session_id": session, "eid": eid(chip).as_str(), "peer": peer, "agent": null,
            "resumed": false});
        self.routes.post("/internal/gateway/sessions", &request).await
    }

    async fn withdraw(&self, import: &Value, preview: bool) -> Value {
        let request = json!({"import_id": import, "preview": preview});
        self.routes.post("/admin/v1/imports:withdraw", &request).await
    }

    async fn open_incident(&self) -> Value {
        let page = self.routes.get("/admin/v1/incidents?state=open").await;
        page["incidents"][0].clone()
    }
}

fn with_keys(n: u32, psk: u8) -> ChipCsv {
    ChipCsv {
        psk: Some([psk; 16]),
        ..ChipCsv::new(n)
    }
}

// A6: every import has an id, and is withdrawn by it.
#[tokio::test]
async fn an_import_is_withdrawn_by_its_identifier_and_what_is_in_use_is_named() {
    let platform = Platform::new().await;
    let preview = platform.chips(&[ChipCsv::new(0), ChipCsv::new(1)], true).await;
    assert_eq!(
        (&preview["import_id"], &preview["imported"]),
        (&Value::Null, &json!(2))
    );
    let report = platform.chips(&[ChipCsv::new(0), ChipCsv::new(1)], false).await;
    let import = &report["import_id"];
    platform
        .routes
        .import("/admin/v1/numbers:import", &number_csv(&[NumberCsv::new(0)]))
        .await;
    let applied = platform.apply(0).await;
    assert_eq!(applied["code"], 200, "{applied}");

    let previewed = platform.withdraw(import, true).await;
    let masked = eid(0).masked();
    for (field, value) in [
        ("kind", json!("chip")),
        ("removed", json!(1)),
        ("in_use", json!(1)),
        ("in_use_ids", json!([masked])),
    ] {
        assert_eq!(previewed[field], value, "{previewed}");
    }
    let withdrawn = platform.withdraw(import, false).await;
    assert_eq!(withdrawn["in_use_ids"], previewed["in_use_ids"]);
    assert_eq!(platform.withdraw(import, false).await["removed"], 0);
    assert_eq!(platform.apply(1).await["reason"], "unknown_chip");
    assert_eq!(platform.chips(&[ChipCsv::new(1)], false).await["imported"], 1);

    let list = platform.routes.get("/admin/v1/imports?limit=100").await;
    let imports = list["imports"].as_array().unwrap();
    let found = imports.iter().find(|one| one["import_id"] == *import).unwrap();
    assert_eq!((&found["imported"], &found["removed"]), (&json!(2), &json!(1)));
    assert_eq!((imports.len(), &list["next"]), (3, &Value::Null));

    let unknown = json!("019f1a2b-3c4d-7e5f-8a6b-7c8d00000000");
    assert_eq!(
        refusal(&platform.withdraw(&unknown, true).await),
        (404, "unknown_import", None)
    );
    assert_eq!(
        refusal(&platform.withdraw(&json!("1"), true).await),
        (400, "parameter_malformed", Some("import_id"))
    );
    let no_limit = platform.routes.get("/admin/v1/imports?limit=101").await;
    assert_eq!(refusal(&no_limit), (400, "parameter_malformed", Some("limit")));
}

// A6: import_conflict names the column and both masked values.
#[tokio::test]
async fn a_conflict_names_its_column_and_both_values() {
    let platform = Platform::new().await;
    platform.chips(&[ChipCsv::new(0)], false).await;
    let other = ChipCsv {
        temp_imsi: ChipCsv::new(5).temp_imsi,
        ..ChipCsv::new(0)
    };
    let report = platform.chips(&[other], false).await;
    let error = &report["errors"][0];
    assert_eq!(
        json!([error["line"], error["column"], error["reason"]]),
        json!([2, "temp_imsi", "import_conflict"])
    );
    let detail = error["detail"].as_str().unwrap();
    assert!(
        detail.contains("460****0000") && detail.contains("460****0005"),
        "{detail}"
    );
    let taken = ChipCsv {
        temp_msisdn: ChipCsv::new(0).temp_msisdn,
        ..ChipCsv::new(7)
    };
    let report = platform.chips(&[taken], false).await;
    let detail = report["errors"][0]["detail"].as_str().unwrap();
    let both = [eid(0).masked(), eid(7).masked()];
    assert!(both.iter().all(|masked| detail.contains(masked)), "{detail}");
}

// A6: a known EID that arrives with other keys.
#[tokio::test]
async fn another_key_for_a_known_eid_blocks_the_chip_until_the_incident_is_settled() {
    let platform = Platform::new().await;
    platform.chips(&[with_keys(0, 1)], false).await;
    platform
        .routes
        .import("/admin/v1/numbers:import", &number_csv(&[NumberCsv::new(0)]))
        .await;
    let previewed = platform.chips(&[with_keys(0, 2)], true).await;
    assert_eq!(previewed["errors"][0]["column"], "psk_wrapped", "{previewed}");
    assert_eq!(platform.apply(0).await["code"], 200);

    let report = platform.chips(&[with_keys(0, 2)], false).await;
    assert_eq!(report["errors"], previewed["errors"]);
    let incident = platform.open_incident().await;
    assert_eq!(
        (&incident["kind"], &incident["severity"]),
        (&json!("eid_duplicated"), &json!("severe"))
    );
    let refused = platform.open_session(1, 0, A).await;
    assert_eq!(
        (&refused["code"], &refused["reason"]),
        (&json!(403), &json!("chip_blocked"))
    );

    let settled = json!({"id": incident["id"], "note": "文件有误"});
    let settled = platform.routes.post("/admin/v1/incidents:close", &settled).await;
    assert_eq!(settled["code"], 200, "{settled}");
    // The number was kept for it.
    let opened = platform.open_session(2, 0, A).await;
    assert_eq!((&opened["code"], &opened["work"]), (&json!(200), &json!("write")));
}

// A6: a known EID that alternates between two peers.
#[tokio::test]
async fn sessions_that_alternate_between_two_peers_block_the_chip_and_a_change_of_peer_does_not() {
    let platform = Platform::new().await;
    platform.chips(&[ChipCsv::new(0), ChipCsv::new(1)], false).await;
    for (number, peer) in (0..).zip([A, B, "203.0.113.7:1", A]) {
        let answer = platform.open_session(number, 1, peer).await;
        assert_eq!(answer["code"], 200, "{answer}");
    }
    for (number, peer) in (10..).zip([A, B, A]) {
        let answer = platform.open_session(number, 0, peer).await;
        assert_eq!(answer["code"], 200, "{answer}");
    }
    for (number, peer) in (20..).zip([B, A, B]) {
        let answer = platform.open_session(number, 0, peer).await;
        assert_eq!(answer["reason"], "chip_blocked", "{answer}");
    }
    assert_eq!(platform.apply(0).await["reason"], "chip_blocked");
    assert_eq!(platform.open_incident().await["kind"], "eid_duplicated");
}
