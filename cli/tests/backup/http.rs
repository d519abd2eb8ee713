//! A restored platform, asked by a client over HTTP: none of the numbers that were written after the backup reappears.

use std::collections::BTreeSet;

use axum::Router;
use axum::http::Request;
use native_host::NativeHost;
use operations::Caller;
use serde_json::{Value, json};
use store::Sqlite;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::World;
use test_support::random::SeededRandom;
use test_support::router::call;
use test_support::settings::{NOW, SECRET, variables};
use web::{App, Settings, Variables, service};

use super::{Platform, printed};

/// A client that may call from the peer of [`call`].
fn client(world: &World) -> (Caller, String) {
    let created = world.client_at("203.0.113.0/24");
    let caller = Caller {
        id: created.client_id,
    };
    (caller, created.client_secret.as_str().to_owned())
}

/// The platform of a restored database.
fn router(platform: &Platform) -> Router {
    let variables = Variables {
        call_log_interval_ms: Some("0".to_owned()),
        ..variables()
    };
    let settings = Settings::from_variables(&variables).unwrap();
    let file = platform.path("new/.spin/sqlite_db.db");
    let host = NativeHost::new(file, settings, || NOW, SeededRandom::new(9));
    let routes = token_router::router()
        .merge(write_apply_router::router())
        .merge(inventory_router::router());
    service(routes, App::new(host))
}

async fn get(router: &Router, target: &str, token: Option<&str>) -> Value {
    let mut request = Request::get(target);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    call(router, request.body(Default::default()).unwrap()).await.body
}

async fn admin(router: &Router, path: &str, document: &Value) -> Value {
    let request = Request::post(path)
        .header("authorization", format!("Bearer {SECRET}"))
        .header("content-type", "application/json")
        .body(document.to_string().into());
    call(router, request.unwrap()).await.body
}

/// Applies for chips and returns the IMSI indexes of the numbers that they got.
async fn apply(
    platform: &Platform,
    router: &Router,
    token: &str,
    chips: std::ops::Range<u32>,
) -> BTreeSet<String> {
    for chip in chips {
        let target = format!(
            "/v1/write/apply?eid={}&write_type=1&province_code=37",
            eid_text(chip)
        );
        let answer = get(router, &target, Some(token)).await;
        assert_eq!(answer["code"], 200, "{answer}");
    }
    let db = Sqlite::open(&platform.path("new/.spin/sqlite_db.db")).unwrap();
    let mut found = db
        .connection()
        .prepare("SELECT hex(imsi_index) FROM number WHERE task_id IS NOT NULL")
        .unwrap();
    let rows = found.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[tokio::test]
async fn none_of_fifty_numbers_written_after_the_backup_reappears_until_it_is_released() {
    let platform = Platform::new();
    let world = &platform.world;
    let (caller, secret) = client(world);
    let chips: Vec<ChipCsv> = (0..150).map(ChipCsv::new).collect();
    assert_eq!(world.chips(&caller.id, &chips).imported, 150);
    let first = world.numbers(&(0..50).map(NumberCsv::new).collect::<Vec<_>>());
    world.pass(1_000);
    let second = world.numbers(&(50..150).map(NumberCsv::new).collect::<Vec<_>>());
    let file = platform.backup();
    for chip in 0..50 {
        world.write_chip(&caller, chip);
    }
    let lost: BTreeSet<String> = world
        .column("SELECT hex(imsi_index) FROM number WHERE written_at IS NOT NULL")
        .into_iter()
        .collect();
    assert_eq!(lost.len(), 50);

    printed(&platform.restore(&file, &["--into", "@new"]));
    let router = router(&platform);
    let target = format!(
        "/v1/token?client_id={}&client_secret={secret}",
        caller.id.as_str()
    );
    let answer = get(&router, &target, None).await;
    let token = answer["token"].as_str().unwrap().to_owned();
    let one = format!(
        "/v1/write/apply?eid={}&write_type=1&province_code=37",
        eid_text(50)
    );
    let refused = get(&router, &one, Some(&token)).await;
    assert_eq!(refused["code"], 409, "{refused}");

    // The operator's list shows that nothing of the second file is in use.
    let evidence = |what: Value| {
        let mut document = json!({"person": "王芳", "reference": "运营商核对单 2026-118"});
        document
            .as_object_mut()
            .unwrap()
            .extend(what.as_object().unwrap().clone());
        document
    };
    let path = "/admin/v1/numbers:end-quarantine";
    let import = second.id.unwrap().text();
    let released = admin(&router, path, &evidence(json!({"import_id": import}))).await;
    assert_eq!(released["released"], 100, "{released}");
    let taken = apply(&platform, &router, &token, 50..100).await;
    assert_eq!(taken.len(), 50);
    assert!(taken.is_disjoint(&lost));

    let import = first.id.unwrap().text();
    admin(&router, path, &evidence(json!({"import_id": import}))).await;
    let taken = apply(&platform, &router, &token, 100..150).await;
    assert_eq!(
        taken.intersection(&lost).count(),
        50,
        "the oldest numbers come first again"
    );
}
