//! What may come in by the settings of the operator: EIDs without check digits, other number ranges.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::http::{TestRequest, refusal};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::{SECRET, variables};
use web::Variables;

/// An EID without decimal check digits.
const HEXADECIMAL: &str = "0011223344556677889AABBCCDDEEFF0";

async fn inventory(settings: Variables) -> TestRouter {
    let database = TestDatabase::new().await;
    let host = database.host_with(&settings);
    let routes = imports_router::router()
        .merge(clients_router::router())
        .merge(cards_router::router())
        .merge(gateway_router::router());
    TestRouter::on(database, routes, host)
}

fn unchecked_eids(text: &str) -> Variables {
    Variables {
        unchecked_eids: Some(text.to_owned()),
        ..variables()
    }
}

/// Imports a chip with an EID and an identity.
async fn import(inventory: &TestRouter, eid: &str, psk_identity: &str) -> Value {
    let client =
        json!({"name": "甲", "phone": "13800000000", "ips": ["192.0.2.1"], "permissions": ["write.apply"]});
    let made = inventory.post("/admin/v1/clients", &client).await;
    let chip = ChipCsv {
        eid: eid.to_owned(),
        psk_identity: psk_identity.to_owned(),
        client_id: made["client_id"].as_str().unwrap().to_owned(),
        ..ChipCsv::new(0)
    };
    inventory
        .import("/admin/v1/chips:import", &chip_csv(&[chip]))
        .await
}

async fn history(inventory: &TestRouter, eid: &str) -> Value {
    let request = TestRequest::get(format!("/admin/v1/chips/history?eid={eid}")).bearer(SECRET);
    inventory.send(request).await.body
}

// §5.4.2.1
#[tokio::test]
async fn a_chip_whose_eid_has_letters_is_imported_with_its_identity_and_known_in_any_case() {
    let inventory = inventory(unchecked_eids("true")).await;
    let refused = import(&inventory, HEXADECIMAL, "").await;
    let error = &refused["errors"][0];
    assert_eq!(
        json!([error["column"], error["reason"]]),
        json!(["psk_identity", "parameter_missing"]),
        "{refused}"
    );
    let taken = import(&inventory, &HEXADECIMAL.to_lowercase(), "a1").await;
    assert_eq!(taken["imported"], 1, "{taken}");
    for eid in [HEXADECIMAL.to_owned(), HEXADECIMAL.to_lowercase()] {
        let steps = history(&inventory, &eid).await;
        assert_eq!(steps["code"], 200, "{steps}");
    }
}

// §5.4.2.1
#[tokio::test]
async fn without_the_setting_an_eid_needs_its_check_digits_and_a_mistyped_one_is_malformed_everywhere() {
    let inventory = inventory(unchecked_eids("false")).await;
    for eid in [HEXADECIMAL, "89086030202200000022000000000091"] {
        let refused = import(&inventory, eid, "a1").await;
        let error = &refused["errors"][0];
        assert_eq!(
            json!([error["column"], error["reason"]]),
            json!(["eid", "eid_malformed"]),
            "{refused}"
        );
        let steps = history(&inventory, eid).await;
        assert_eq!(refusal(&steps), (400, "eid_malformed", Some("eid")), "{steps}");
    }
    let steps = history(&inventory, "89086030202200000022000000000090").await;
    assert_eq!(refusal(&steps), (404, "unknown_chip", None), "{steps}");
}

// §5.1.3
#[tokio::test]
async fn number_ranges_are_a_setting() {
    let numbers = ["1064100000001", "1400000000001", "1440100000001"].map(|msisdn| msisdn.to_owned());
    let rows: Vec<NumberCsv> = (0..)
        .zip(numbers)
        .map(|(n, msisdn)| NumberCsv {
            msisdn,
            ..NumberCsv::new(n)
        })
        .collect();
    let refused_lines = async |ranges: Option<&str>| {
        let inventory = inventory(Variables {
            number_ranges: ranges.map(str::to_owned),
            ..variables()
        });
        let answer = inventory
            .await
            .import("/admin/v1/numbers:import", &number_csv(&rows))
            .await;
        let errors = answer["errors"].as_array().unwrap().clone();
        let msisdn = |error: &Value| error["column"] == "msisdn" && error["reason"] == "msisdn_malformed";
        assert!(errors.iter().all(msisdn), "{answer}");
        errors
            .iter()
            .map(|error| error["line"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(refused_lines(None).await, [2, 3]);
    assert_eq!(refused_lines(Some("10641, 140")).await, [4]);
}

// A6: alternating from two peers, within a time that the operator can set.
#[tokio::test]
async fn the_time_within_which_sessions_alternate_is_a_setting_and_none_turns_it_off() {
    for (minutes, fourth) in [(Some("1"), 403), (None, 403), (Some("0"), 200)] {
        let inventory = inventory(Variables {
            alternation_minutes: minutes.map(str::to_owned),
            ..variables()
        })
        .await;
        let eid = eid(0);
        let imported = import(&inventory, eid.as_str(), "").await;
        assert_eq!(imported["imported"], 1, "{imported}");
        let mut answers = Vec::new();
        for (number, peer) in (0..).zip(["192.0.2.1:1", "198.51.100.9:1", "192.0.2.1:2", "198.51.100.9:2"]) {
            let session = format!("019f1a2b-3c4d-7e5f-8a6b-7c8d{number:08}");
            let request = json!({"session_id": session, "eid": eid.as_str(), "peer": peer, "agent": null,
                "resumed": false});
            let answer = inventory.post("/internal/gateway/sessions", &request).await;
            answers.push(answer["code"].as_i64().unwrap());
        }
        assert_eq!(answers, [200, 200, 200, fourth], "{minutes:?}");
    }
}
