//! The database files on disk.

use std::path::Path;

use futures::future::join_all;
use rusqlite::Connection;
use serde_json::{Value, json};
use store::SCHEMA_VERSION;
use test_support::components::{inventory, reuse, root};
use test_support::stack::{RunningStack, TestActions as _, applied, power, tick};
use xieka::api::{Answer, Api};
use xieka::demo::demo_env::DemoEnv;
use xieka::inventory::SAMPLE_TRANSPORT_KEY;

/// The bytes of every file of the database: main file, write-ahead log, shared-memory index.
fn database_bytes(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file()
            && path
                .file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("sqlite_db.db")
        {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    assert!(bytes.len() > 10_000, "this is not the database");
    bytes
}

/// An identifier as text, as packed digits, and as digits in swapped order (as cards store them).
fn forms(identifier: &str) -> Vec<Vec<u8>> {
    let mut forms = vec![identifier.as_bytes().to_vec()];
    let even = &identifier[..identifier.len() / 2 * 2];
    if let Ok(packed) = hex(even) {
        forms.push(packed.iter().map(|byte| byte.rotate_left(4)).collect());
        forms.push(packed);
    }
    forms
}

fn hex(digits: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16))
        .collect()
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

// R512, §5.3.1.2, §9.1.1
#[tokio::test(flavor = "multi_thread")]
async fn no_identifier_and_no_key_stands_in_the_database_in_the_clear() {
    let running = RunningStack::start(inventory(2)).await;
    let world = &running.world;
    let mut module = applied(world, &world.inventory.chips[0]).await;
    power(&mut module).await;
    world.callbacks(1).await;
    world.assert_written(&module).await;

    let bytes = database_bytes(world.demo_env.state_dir());
    assert!(
        contains(&bytes, b"qibiao-seed"),
        "the search finds a text that is not sealed"
    );
    for chip in &world.inventory.chips {
        for identifier in [
            &chip.eid,
            &chip.temp_msisdn,
            &chip.temp_iccid,
            &chip.temp_imsi,
            &chip.imei,
        ] {
            for form in forms(identifier) {
                assert!(!contains(&bytes, &form), "{identifier} stands in the database");
            }
        }
    }
    for number in &world.inventory.numbers {
        for identifier in [&number.iccid, &number.msisdn, &number.imsi] {
            for form in forms(identifier) {
                assert!(!contains(&bytes, &form), "{identifier} stands in the database");
            }
        }
        let (k, opc) = number.keys(&SAMPLE_TRANSPORT_KEY).unwrap();
        for key in [k, opc] {
            assert!(!contains(&bytes, &key), "a key stands in the database");
        }
        assert!(
            !contains(&bytes, &hex(&number.k_wrapped).unwrap()),
            "a wrapped key stands in the database unsealed"
        );
    }
    for secret in [&world.client_secret, &world.admin_secret, &world.token] {
        assert!(
            !contains(&bytes, secret.as_bytes()),
            "a credential stands in the database"
        );
    }
    running.shutdown().await;
}

// R608, §6.3: each transition is recorded
#[tokio::test(flavor = "multi_thread")]
async fn the_history_of_a_written_card_follows_table_2() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let mut module = applied(world, &world.inventory.chips[0]).await;
    power(&mut module).await;
    world.callbacks(1).await;

    let file = world.demo_env.state_dir().join("sqlite_db.db");
    let db = Connection::open(file).unwrap();
    let mut statement = db
        .prepare("SELECT from_status, to_status FROM card_history ORDER BY seq")
        .unwrap();
    let steps: Vec<(Option<i64>, i64)> = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(steps, [(None, 1), (Some(1), 2), (Some(2), 3), (Some(3), 4)]);
    let journal: String = db.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(journal, "wal");
    let written: i64 = db
        .query_row(
            "SELECT count(*) FROM number WHERE status = 'written'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(written, 1);
    let message: String = db
        .query_row("SELECT state FROM message", [], |row| row.get(0))
        .unwrap();
    assert_eq!(message, "delivered");
    running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_tick_migrates_an_empty_database() {
    let demo_env = DemoEnv::new().await.unwrap();
    let host = demo_env.launch(root()).platform().await.unwrap();
    let api = Api::new(format!("http://{}", host.addr()));
    tick(&api, demo_env.secrets.get("SPIN_VARIABLE_CRON_SECRET").unwrap()).await;
    let admin = demo_env.secrets.get("SPIN_VARIABLE_ADMIN_SECRET").unwrap();
    let health = api.get_as(admin, "/admin/v1/health", &[]).await.unwrap();
    assert_eq!(health.ok("health").unwrap()["healthy"], true);
    host.shutdown().await;
}

/// Calls components that all use the database, each for the first time and all at once; names and answers.
async fn first_calls(api: &Api, demo_env: &DemoEnv) -> Vec<(&'static str, Answer)> {
    let secret = |name: &str| {
        let name = format!("SPIN_VARIABLE_{name}_SECRET");
        demo_env.secrets.get(&name).unwrap().to_owned()
    };
    let unknown = json!({"psk_identity": "00", "eid": null});
    let calls = [
        ("CRON", "/internal/cron", Some(Value::Null)),
        ("CRON", "/internal/upkeep", Some(Value::Null)),
        ("GATEWAY", "/internal/gateway/keys", Some(unknown)),
        ("ADMIN", "/admin/v1/clients", None),
        ("ADMIN", "/admin/v1/pools", None),
        ("ADMIN", "/admin/v1/callbacks", None),
        ("ADMIN", "/admin/v1/incidents", None),
        ("ADMIN", "/admin/v1/health", None),
    ];
    join_all(calls.map(async |(role, path, body)| {
        let secret = secret(role);
        let answer = match body {
            Some(body) => api.post_json(&secret, path, &body).await,
            None => api.get_as(&secret, path, &[]).await,
        };
        (path, answer.unwrap())
    }))
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn first_calls_of_several_components_at_once_migrate_an_empty_database() {
    for _ in 0..3 {
        let demo_env = DemoEnv::new().await.unwrap();
        let mut launch = demo_env.launch(root());
        launch.reuse = reuse();
        let host = launch.platform().await.unwrap();
        let api = Api::new(format!("http://{}", host.addr()));
        for (path, answer) in first_calls(&api, &demo_env).await {
            // No chip has this identity; the call has read the database to know that.
            let expected = if path.ends_with("/keys") { 404 } else { 200 };
            assert_eq!(answer.status, expected, "{path}: {}", answer.body);
            let failed = answer.body["jobs"].as_object().into_iter().flatten();
            let failed: Vec<_> = failed.filter(|(_, job)| job.get("failed").is_some()).collect();
            assert!(failed.is_empty(), "{path}: {failed:?}");
        }
        let db = Connection::open(demo_env.state_dir().join("sqlite_db.db")).unwrap();
        let count = "SELECT count(*), max(version) FROM schema_version";
        let versions: (i64, i64) = db
            .query_row(count, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        assert_eq!(versions, (SCHEMA_VERSION, SCHEMA_VERSION));
        host.shutdown().await;
    }
}
