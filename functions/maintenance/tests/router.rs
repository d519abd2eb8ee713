//! The periodic jobs through their route: a clock that jumps, and keys and secrets that are changed.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::cell::Cell;
use std::rc::Rc;

use domain::{DAY_MS, HOUR_MS, MINUTE_MS, Timestamp, Zone};
use native_host::NativeHost;
use serde_json::{Value, json};
use store::reindex::{Reindex, ReindexError, reindex};
use store::{Sqlite, check_keys, transaction};
use test_support::http::TestRequest;
use test_support::random::SeededRandom;
use test_support::router::{TestDatabase, TestRouter, call};
use test_support::settings::{NOW, SECRET, sealing_key, variables};
use vault::Zeroizing;
use web::{App, Settings, Variables, service};

/// The jobs, clients and incidents on one database, and the clock.
async fn platform(variables: Variables) -> (TestRouter, Rc<Cell<Timestamp>>, Sqlite) {
    let database = TestDatabase::new().await;
    let (routers, clock, db) = on(database, variables);
    (routers, clock, db)
}

fn on(database: TestDatabase, variables: Variables) -> (TestRouter, Rc<Cell<Timestamp>>, Sqlite) {
    let routes = maintenance_router::router()
        .merge(incidents_router::router())
        .merge(clients_router::router());
    let clock = Rc::new(Cell::new(NOW));
    let (file, time) = (database.file(), Rc::clone(&clock));
    let settings = Settings::from_variables(&variables).unwrap();
    let host = NativeHost::new(file.clone(), settings, move || time.get(), SeededRandom::new(1));
    let db = Sqlite::open(&file).unwrap();
    (TestRouter::on(database, routes, host), clock, db)
}

fn pass(clock: &Cell<Timestamp>, ms: i64) {
    clock.set(clock.get().plus(ms));
}

async fn tick(routers: &TestRouter) -> Value {
    let ticked = routers.get("/internal/upkeep").await;
    assert_eq!(ticked["code"], 200, "{ticked}");
    ticked
}

async fn add_client(routers: &TestRouter) {
    let client =
        json!({"name": "甲", "phone": "13800000000", "ips": ["192.0.2.1"], "permissions": ["write.apply"]});
    let made = routers.post("/admin/v1/clients", &client).await;
    assert_eq!(made["code"], 200, "{made}");
}

#[tokio::test]
async fn after_a_gap_of_more_than_a_day_nothing_is_destroyed_until_a_person_confirms_the_time() {
    let (routers, clock, _) = platform(variables()).await;
    tick(&routers).await;
    add_client(&routers).await;
    pass(&clock, 200 * DAY_MS);
    tick(&routers).await;
    let health = routers.get("/admin/v1/health").await;
    assert_eq!(
        (&health["healthy"], &health["destroyed"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(
        health["clock_held_at"],
        clock.get().to_rfc3339(&Zone::parse("Asia/Shanghai").unwrap())
    );
    let alerts = routers.get("/admin/v1/alerts").await;
    assert_eq!(alerts["alerts"][0]["kind"], "clock_held", "{alerts}");

    let confirmation = |time: Timestamp| json!({"time": time.to_rfc3339(Zone::UTC), "person": "王芳", "reason": "机房停电检修"});
    let path = "/admin/v1/clock:confirm";
    let early = routers.post(path, &confirmation(clock.get().plus(-DAY_MS))).await;
    assert_eq!(
        (&early["code"], &early["reason"]),
        (&json!(409), &json!("clock_differs"))
    );
    for (document, reason) in [
        (json!({"person": "王芳", "reason": "停运"}), "parameter_missing"),
        (
            json!({"time": "now", "person": "王芳", "reason": "停运"}),
            "parameter_malformed",
        ),
    ] {
        assert_eq!(
            routers.post(path, &document).await["reason"],
            reason,
            "{document}"
        );
    }
    let confirmed = routers.post(path, &confirmation(clock.get())).await;
    assert_eq!(
        (&confirmed["code"], &confirmed["was_held"]),
        (&json!(200), &json!(true))
    );
    let again = routers.post(path, &confirmation(clock.get())).await;
    assert_eq!((&again["code"], &again["was_held"]), (&json!(200), &json!(false)));
    pass(&clock, MINUTE_MS);
    tick(&routers).await;
    let health = routers.get("/admin/v1/health").await;
    assert!(health["clock_held_at"].is_null());
    assert_eq!(health["destroyed"][0]["kind"], "calls", "{health}");
}

#[tokio::test]
async fn with_a_clock_that_is_watched_by_other_means_nothing_waits() {
    let (routers, clock, _) = platform(Variables {
        clock_trusted: Some("true".to_owned()),
        ..variables()
    })
    .await;
    tick(&routers).await;
    add_client(&routers).await;
    pass(&clock, 200 * DAY_MS);
    tick(&routers).await;
    let health = routers.get("/admin/v1/health").await;
    assert_eq!(health["destroyed"][0]["kind"], "calls", "{health}");
}

#[tokio::test]
async fn while_a_secret_is_changed_both_open_and_afterwards_the_new_one_alone() {
    let new = "fedcba9876543210fedcba9876543210";
    let opens = async |setting: String, secret: &str| {
        let (routers, _, _) = platform(Variables {
            secret: Some(Zeroizing::new(setting)),
            ..variables()
        })
        .await;
        routers
            .send(TestRequest::get("/admin/v1/health").bearer(secret))
            .await
            .status
    };
    for setting in [format!("{SECRET},{new}"), format!("{new},{SECRET}")] {
        assert_eq!(opens(setting.clone(), SECRET).await, 200);
        assert_eq!(opens(setting, new).await, 200);
    }
    assert_eq!(opens(new.to_owned(), SECRET).await, 401);
}

#[tokio::test]
async fn the_old_sealing_key_is_shown_as_needed_until_nothing_is_left_under_it() {
    let with = |keys: [u8; 2]| Variables {
        sealing_keys: Some(Zeroizing::new(keys.map(sealing_key).join(","))),
        ..variables()
    };
    let vault = |variables: &Variables| Settings::from_variables(variables).unwrap().vault;
    let database = TestDatabase::new().await;
    let old = vault(&variables());
    check_keys(&Sqlite::open(&database.file()).unwrap(), &old, NOW)
        .await
        .unwrap();
    let (routers, clock, db) = on(database, with([2, 1]));
    let new = vault(&with([2, 1]));
    check_keys(&db, &new, clock.get()).await.unwrap();
    add_client(&routers).await;
    let retired = async || {
        let health = routers.get("/admin/v1/health").await;
        let keys = health["keys"].as_array().unwrap().clone();
        let key = keys
            .iter()
            .find(|key| key["name"] == "sealing_key:1")
            .unwrap()
            .clone();
        key["retired_at"].is_string()
    };
    tick(&routers).await;
    assert!(!retired().await);
    for _ in 0..2 {
        pass(&clock, 20 * HOUR_MS);
        check_keys(&db, &new, clock.get()).await.unwrap();
        tick(&routers).await;
    }
    assert!(retired().await);
    let alone = Variables {
        sealing_keys: Some(Zeroizing::new(sealing_key(2))),
        ..variables()
    };
    assert!(check_keys(&db, &vault(&alone), clock.get()).await.unwrap());
}

// §9.1.2
#[tokio::test]
async fn a_disabled_client_is_destroyed_at_the_end_of_its_retention_and_the_record_says_so() {
    let (routers, clock, db) = platform(Variables {
        client_days: Some("30".to_owned()),
        clock_trusted: Some("true".to_owned()),
        ..variables()
    })
    .await;
    tick(&routers).await;
    add_client(&routers).await;
    let listed = async || {
        routers.get("/admin/v1/clients").await["clients"]
            .as_array()
            .unwrap()
            .clone()
    };
    let id = listed().await[0]["client_id"].clone();
    let disabled = routers
        .post(
            "/admin/v1/clients:update",
            &json!({"client_id": id, "active": false}),
        )
        .await;
    assert_eq!(disabled["code"], 200, "{disabled}");
    pass(&clock, 29 * DAY_MS);
    tick(&routers).await;
    assert_eq!(listed().await.len(), 1);
    pass(&clock, 2 * DAY_MS);
    tick(&routers).await;
    assert!(listed().await.is_empty());
    let health = routers.get("/admin/v1/health").await;
    let day = clock.get().date_in(Zone::UTC).to_string();
    assert_eq!(
        health["destroyed"],
        json!([{"count": 1, "day": day, "kind": "clients"}])
    );
    let secrets = "SELECT COUNT(*) FROM client_secret";
    assert_eq!(db.connection().query_row(secrets, [], |row| row.get(0)), Ok(0));
}

// §9.2.2
#[tokio::test]
async fn a_call_is_kept_for_at_least_six_months_whatever_is_set() {
    let set = |days: &str| {
        Settings::from_variables(&Variables {
            call_log_days: Some(days.to_owned()),
            ..variables()
        })
    };
    let cause = set("184").err().unwrap().cause().unwrap().to_owned();
    assert_eq!(
        cause,
        "variable call_log_days: not less than 185 days, because calls are kept for at least six months (§9.2.2)"
    );
    assert!(set("185").is_ok());
}

#[tokio::test]
async fn after_a_change_of_the_index_key_a_component_with_the_old_one_is_refused_and_one_with_the_new_one_answers()
 {
    let clients = || TestRequest::get("/admin/v1/clients").bearer(SECRET);
    let next = Variables {
        index_key: Zeroizing::new("2e".repeat(32)),
        ..variables()
    };
    let vault = |variables: &Variables| Settings::from_variables(variables).unwrap().vault;
    let database = TestDatabase::new().await;
    // A component that starts after the change.
    let later = database.host_with(&next);
    let too_late = database.host_with(&variables());
    let (running, clock, db) = on(database, variables());
    add_client(&running).await;
    let how = Reindex {
        old: &vault(&variables()),
        new: &vault(&next),
        random: &SeededRandom::new(2),
        now: NOW,
        end_old_secrets: false,
    };
    let changed = transaction(&db, async |tx| Ok::<_, ReindexError>(reindex(tx, &how).await?)).await;
    assert_eq!(changed.unwrap().unopened, 0);

    let started = async |host| {
        let router = service(clients_router::router(), App::new(host));
        call(&router, clients().into_http("").unwrap()).await
    };
    let refused = started(too_late).await;
    assert_eq!((refused.status, refused.reason()), (503, "keys_wrong"));
    // One that runs notices within an hour.
    pass(&clock, HOUR_MS);
    let refused = running.send(clients()).await;
    assert_eq!((refused.status, refused.reason()), (503, "keys_wrong"));
    let answered = started(later).await;
    assert_eq!(answered.status, 200);
    assert_eq!(answered.body["clients"].as_array().map(Vec::len), Some(1));
}
