//! Corrections of what was imported, by hand and by file, through the routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv, wrapped};
use test_support::router::TestRouter;

/// `person=王芳&reason=更正`.
const BY: &str = "person=%E7%8E%8B%E8%8A%B3&reason=%E6%9B%B4%E6%AD%A3";

/// The interfaces of administrators, the gateway and one client, with two chips of that client and one number.
struct Platform {
    routes: TestRouter,
    client: String,
    token: String,
}

impl Platform {
    async fn new() -> Self {
        let routes = inventory_router::router()
            .merge(imports_router::router())
            .merge(clients_router::router())
            .merge(cards_router::router())
            .merge(chip_router::router())
            .merge(gateway_router::router())
            .merge(token_router::router())
            .merge(write_apply_router::router());
        let routes = TestRouter::new(routes).await;
        let made = client(&routes).await;
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        let (client, secret) = (text("client_id"), text("client_secret"));
        let path = format!("/v1/token?client_id={client}&client_secret={secret}");
        let token = routes.send(TestRequest::get(path)).await.body["token"].clone();
        let platform = Self {
            routes,
            client,
            token: token.as_str().unwrap().to_owned(),
        };
        let chips = [ChipCsv::new(0), ChipCsv::new(1)];
        assert_eq!(platform.chips("preview=false", &chips).await["imported"], 2);
        assert_eq!(platform.numbers("", &NumberCsv::new(0)).await["imported"], 1);
        platform
    }

    async fn chips(&self, query: &str, chips: &[ChipCsv]) -> Value {
        let path = format!("/admin/v1/chips:import?client_id={}&{query}", self.client);
        self.routes.import(&path, &chip_csv(chips)).await
    }

    async fn numbers(&self, query: &str, number: &NumberCsv) -> Value {
        let path = format!("/admin/v1/numbers:import?{query}");
        let file = number_csv(std::slice::from_ref(number));
        self.routes.import(&path, &file).await
    }

    async fn correct(&self, what: Value) -> Value {
        let mut document = json!({"eid": eid(0).as_str(), "person": "王芳", "reason": "更正"});
        let fields = document.as_object_mut().unwrap();
        fields.extend(what.as_object().unwrap().clone());
        self.routes.post("/admin/v1/chips:correct", &document).await
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

    /// Opens session `number` of chip 0.
    async fn open_session(&self, number: u32) -> Value {
        let request = json!({"session_id": session(number), "eid": eid(0).as_str(), "peer": "192.0.2.1:1",
            "agent": null, "resumed": false});
        self.routes.post("/internal/gateway/sessions", &request).await
    }

    async fn report(&self, number: u32, seq: u32, event: Value) {
        let report = json!({"session_id": session(number), "seq": seq, "event": event, "bytes_up": 10 * seq,
            "bytes_down": 20 * seq});
        let answer = self.routes.post("/internal/gateway/report", &report).await;
        assert_eq!(answer["code"], 200, "{answer}");
    }

    async fn last_step(&self) -> Value {
        let path = format!("/admin/v1/chips/history?eid={}", eid(0).as_str());
        self.routes.get(&path).await["steps"][0].clone()
    }
}

async fn client(routes: &TestRouter) -> Value {
    let client = json!({"name": "甲", "phone": "13800000000", "ips": ["203.0.113.9"],
        "permissions": ["write.apply", "chip.read"]});
    routes.post("/admin/v1/clients", &client).await
}

fn session(number: u32) -> String {
    format!("019f1a2b-3c4d-7e5f-8a6b-7c8d{number:08}")
}

// A5: model, profile and IMEI can be corrected while no session runs, the owner while no task is open.
#[tokio::test]
async fn a_chip_is_corrected_by_hand_between_sessions_and_its_owner_between_tasks() {
    let platform = Platform::new().await;
    let labels = json!({"chip_model": "XK-2", "profile": "generic-usim", "imei": "350000000000002"});
    let answer = platform.correct(labels.clone()).await;
    assert_eq!(
        answer["changed"],
        json!(["chip_model", "profile", "imei"]),
        "{answer}"
    );
    assert_eq!(platform.correct(labels).await["changed"], json!([]));
    let step = platform.last_step().await;
    assert_eq!(
        json!([step["reason"], step["person"], step["note"]]),
        json!(["corrected", "王芳", "chip_model, profile, imei: 更正"])
    );

    let owner = client(&platform.routes).await["client_id"].clone();
    assert_eq!(platform.apply(0).await["code"], 200);
    let refused = platform.correct(json!({"client_id": owner})).await;
    assert_eq!(refusal(&refused), (409, "task_open", Some("client_id")));
    let opened = platform.open_session(1).await;
    assert_eq!(
        json!([opened["chip_model"], opened["profile"]]),
        json!(["XK-2", "generic-usim"])
    );
    let refused = platform.correct(json!({"chip_model": "XK-3"})).await;
    assert_eq!(refusal(&refused), (409, "session_running", None));

    for (what, expected) in [
        (json!({}), (400, "parameter_missing", None)),
        (json!({"imei": "1"}), (400, "parameter_malformed", Some("imei"))),
        (
            json!({"profile": ""}),
            (400, "parameter_malformed", Some("profile")),
        ),
        (
            json!({"chip_model": "x", "person": " "}),
            (400, "parameter_malformed", Some("person")),
        ),
        (
            json!({"chip_model": "x", "eid": eid(8).as_str()}),
            (404, "unknown_chip", None),
        ),
        (
            json!({"client_id": "cl_0123456789abcdef0123"}),
            (404, "unknown_client", None),
        ),
        (
            json!({"psk_wrapped": "00"}),
            (400, "parameter_unknown", Some("psk_wrapped")),
        ),
    ] {
        let refused = platform.correct(what.clone()).await;
        assert_eq!(refusal(&refused), expected, "{what}");
    }
}

// A5: an IMEI that was entered by mistake, or of a module that the chip has left.
#[tokio::test]
async fn an_imei_is_removed_by_null_and_by_nothing_else() {
    let platform = Platform::new().await;
    let shown = async || {
        let path = format!("/v1/chip?eid={}", eid(0).as_str());
        let request = TestRequest::get(path).bearer(&platform.token);
        platform.routes.send(request).await.body["imei"].clone()
    };
    let imei = "350000000000002";
    assert_eq!(
        platform.correct(json!({"imei": imei})).await["changed"],
        json!(["imei"])
    );
    assert_eq!(shown().await, imei);
    for empty in ["", " "] {
        let refused = platform.correct(json!({"imei": empty})).await;
        assert_eq!(refusal(&refused), (400, "parameter_malformed", Some("imei")));
    }
    // What is not given stays.
    let other = json!({"chip_model": "XK-2", "profile": null, "client_id": null});
    assert_eq!(platform.correct(other).await["changed"], json!(["chip_model"]));
    assert_eq!(shown().await, imei);

    let removal = json!({"imei": null});
    assert_eq!(
        platform.correct(removal.clone()).await["changed"],
        json!(["imei"])
    );
    assert_eq!(shown().await, Value::Null);
    let step = platform.last_step().await;
    assert_eq!(
        json!([step["reason"], step["person"], step["note"]]),
        json!(["corrected", "王芳", "imei: 更正"])
    );
    assert_eq!(platform.correct(removal).await["changed"], json!([]));
}

// A5: unknown everywhere is refused, a warning while no gateway has ever announced, known to some names which.
#[tokio::test]
async fn corrections_are_compared_with_what_gateways_announced() {
    let platform = Platform::new().await;
    let profile = |profile: &str| json!({"profile": profile});
    let answer = platform.correct(profile("vendor-z")).await;
    assert_eq!(answer["changed"], json!(["profile"]), "{answer}");
    let warning = &answer["warnings"][0];
    assert_eq!(
        json!([warning["warning"], warning["field"], warning["gateways"]]),
        json!(["no_gateway_announced", null, []])
    );
    for (gateway, announced) in [("gw-1", "vendor-x"), ("gw-2", "vendor-y")] {
        let announcement = json!({"gateway": gateway, "instance": "one", "seq": 1, "profiles": [announced],
            "key_versions": [64]});
        let path = "/internal/gateway/announce";
        assert_eq!(platform.routes.post(path, &announcement).await["code"], 200);
    }

    let refused = platform.correct(profile("qibiao-seed")).await;
    assert_eq!(refusal(&refused), (409, "unknown_to_gateways", Some("profile")));
    let message = refused["message"].as_str().unwrap();
    assert!(message.contains("已公布：vendor-x, vendor-y"), "{refused}");
    let answer = platform.correct(profile("vendor-x")).await;
    let warning = &answer["warnings"][0];
    assert_eq!(
        json!([warning["warning"], warning["field"], warning["gateways"]]),
        json!(["known_to_some_gateways", "profile", ["gw-1"]])
    );

    let of = |profile: &str, key_version| ChipCsv {
        profile: profile.to_owned(),
        key_version,
        ..ChipCsv::new(0)
    };
    for (chip, column) in [
        (of("qibiao-seed", 64), "profile"),
        (of("vendor-x", 65), "key_version"),
    ] {
        for query in ["preview=true", "preview=false"] {
            let query = format!("correct=true&{query}&{BY}");
            let report = platform.chips(&query, std::slice::from_ref(&chip)).await;
            let error = &report["errors"][0];
            assert_eq!(
                json!([report["corrected"], error["column"], error["reason"]]),
                json!([0, column, "unknown_to_gateways"])
            );
        }
    }
    for query in ["preview=true", "preview=false"] {
        let query = format!("correct=true&{query}&{BY}");
        let report = platform.chips(&query, &[of("vendor-y", 64)]).await;
        assert_eq!(report["corrected"], 1, "{report}");
        let warnings = report["warnings"].as_array().unwrap().iter();
        let mut of_gateways = warnings.filter(|warning| warning["warning"] == "known_to_some_gateways");
        assert_eq!(of_gateways.next().unwrap()["gateways"], json!(["gw-2"]));
    }
}

// A5: by file PSK, DEK, identity and key version.
#[tokio::test]
async fn keys_are_corrected_by_a_file_with_person_and_reason() {
    let platform = Platform::new().await;
    let corrected = ChipCsv {
        psk: Some([9; 16]),
        psk_identity: "0a0b".to_owned(),
        ..ChipCsv::new(0)
    };
    let rows = [corrected, ChipCsv::new(8)];
    for (query, field) in [
        ("correct=true&reason=x", "person"),
        ("correct=true&person=x", "reason"),
    ] {
        let refused = platform.chips(query, &rows).await;
        assert_eq!(refusal(&refused), (400, "parameter_missing", Some(field)));
    }
    let report = platform.chips(&format!("correct=true&{BY}"), &rows).await;
    assert_eq!(
        json!([report["imported"], report["corrected"], report["rejected"]]),
        json!([0, 1, 1]),
        "{report}"
    );
    let error = &report["errors"][0];
    assert_eq!(
        json!([error["line"], error["column"], error["reason"]]),
        json!([3, "eid", "unknown_chip"])
    );
    let keys = json!({"psk_identity": "0a0b"});
    let keys = platform.routes.post("/internal/gateway/keys", &keys).await;
    assert_eq!(keys["eid"], eid(0).as_str(), "{keys}");
    assert_eq!(platform.last_step().await["reason"], "corrected");
    let imports = platform.routes.get("/admin/v1/imports").await;
    let import = imports["imports"].as_array().unwrap().iter();
    let mut import = import.filter(|one| one["import_id"] == report["import_id"]);
    let import = import.next().unwrap();
    assert_eq!(json!([import["person"], import["note"]]), json!(["王芳", "更正"]));
    assert_eq!(platform.open_session(1).await["code"], 200, "no second chip");
}

// A2: the operator imported a new K or OPc for a number that its chip holds.
#[tokio::test]
async fn a_number_that_its_chip_holds_is_released_by_new_keys_and_the_evidence_is_shown() {
    let platform = Platform::new().await;
    assert_eq!(platform.apply(0).await["code"], 200);
    assert_eq!(platform.open_session(1).await["work"], "write");
    let new_keys = NumberCsv {
        k_wrapped: wrapped([0x77; 16]),
        ..NumberCsv::new(0)
    };
    let correct = format!("correct=true&{BY}");
    let running = platform.numbers(&correct, &new_keys).await;
    assert_eq!(running["errors"][0]["reason"], "session_running", "{running}");
    let failed = json!({"kind": "failed", "failure": "card_error", "chip_fault": false, "detail": "6581"});
    platform.report(1, 1, failed).await;
    platform
        .report(1, 2, json!({"kind": "closed", "reason": "failed"}))
        .await;
    // It may be on the chip, so nobody else gets it.
    assert_eq!(platform.apply(1).await["reason"], "province_without_number");

    let report = platform.numbers(&correct, &new_keys).await;
    assert_eq!(report["corrected"], 1, "{report}");
    let step = platform.last_step().await;
    assert_eq!(
        json!([step["reason"], step["person"], step["note"]]),
        json!(["number_released_by_new_keys", "王芳", "898604****0000: 更正"])
    );
    assert_eq!(platform.apply(1).await["code"], 200);
}

// A2: a number that no gateway ever sent goes home at once when its task ends. A5: what a gateway cannot carry out.
#[tokio::test]
async fn a_number_that_its_gateway_could_not_send_is_free_and_one_that_it_cannot_encode_stays() {
    let platform = Platform::new().await;
    let failed = |failure: &str| json!({"kind": "failed", "failure": failure, "chip_fault": false, "detail": "no card profile"});
    assert_eq!(platform.apply(0).await["code"], 200);
    assert_eq!(platform.open_session(1).await["work"], "write");
    platform.report(1, 1, failed("profile_unknown")).await;
    assert_eq!(
        platform.last_step().await["reason"],
        "profile_unknown",
        "the task failed"
    );
    // Another chip may have it, and so may this one again.
    assert_eq!(platform.apply(1).await["code"], 200);
    let ended = json!({"eid": eid(1).as_str(), "person": "王芳", "reason": "更正"});
    let ended = platform.routes.post("/admin/v1/tasks:end", &ended).await;
    assert_eq!(ended["code"], 200, "{ended}");
    assert_eq!(platform.apply(0).await["code"], 200);
    assert_eq!(platform.open_session(2).await["work"], "write");
    platform.report(2, 1, failed("data_unusable")).await;
    assert_eq!(platform.apply(1).await["reason"], "province_without_number");
}

// A6: MSISDN and IMSI of a retired number may come back in new data.
#[tokio::test]
async fn msisdn_and_imsi_of_a_retired_number_come_back_with_another_card() {
    let platform = Platform::new().await;
    let heir = NumberCsv {
        iccid: NumberCsv::new(9).iccid,
        ..NumberCsv::new(0)
    };
    let refused = platform.numbers("", &heir).await;
    assert_eq!(refused["errors"][0]["column"], "msisdn", "{refused}");
    let retired = json!({"iccid": NumberCsv::new(0).iccid});
    platform.routes.post("/admin/v1/numbers:retire", &retired).await;
    assert_eq!(platform.numbers("", &heir).await["imported"], 1);
    let suspended = json!({"msisdn": heir.msisdn});
    let suspended = platform
        .routes
        .post("/admin/v1/numbers:suspend", &suspended)
        .await;
    assert_eq!(suspended["status"], "suspended", "it is the one that came back");
}
