//! PostgreSQL as components see it: transactions, errors, pools and limits.

use serde_json::{Value, json};
use test_support::postgres_server::PostgresServer;

use crate::postgres_fixture::Fixture;

/// The number of connections that a pool has in Spin.
const POOLED: u64 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn without_guards_a_component_commits_the_rows_of_another() {
    let Some(fixture) = Fixture::new("unguarded").await else {
        return;
    };
    fixture.abandon("abandoned", false).await;
    assert_eq!(fixture.committed(), "");
    assert_eq!(fixture.commit("own", false, "BEGIN").await, "committed");
    assert_eq!(fixture.committed(), "abandoned own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_panics_leaves_its_transaction_to_the_next_one() {
    let Some(fixture) = Fixture::new("panicked").await else {
        return;
    };
    let arguments = json!({ "address": fixture.url, "name": "abandoned", "panic": true });
    assert_eq!(
        fixture
            .host
            .send("/open/pg-abandon", &[], &arguments)
            .await
            .status,
        500
    );
    assert_eq!(fixture.commit("own", false, "BEGIN").await, "committed");
    assert_eq!(fixture.committed(), "abandoned own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_open_keeps_the_rows_of_another_out() {
    let Some(fixture) = Fixture::new("rolled_back_on_open").await else {
        return;
    };
    for name in ["one", "two"] {
        fixture.abandon("abandoned", false).await;
        assert_eq!(fixture.commit(name, true, "BEGIN").await, "committed");
    }
    assert_eq!(fixture.committed(), "one two");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_begin_that_names_a_mode_fails_in_a_transaction_that_goes_on() {
    let Some(fixture) = Fixture::new("begin_not_deferrable").await else {
        return;
    };
    fixture.abandon("abandoned", false).await;
    let refused = fixture.commit("own", false, "BEGIN NOT DEFERRABLE").await;
    assert_eq!(refused["code"], "25001", "{refused}");
    assert_eq!(fixture.committed(), "");
    // The failure ended the abandoned transaction, and recycling closed its connection.
    assert_eq!(
        fixture.commit("own", false, "BEGIN NOT DEFERRABLE").await,
        "committed"
    );
    assert_eq!(fixture.committed(), "own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_when_a_connection_is_dropped_leaves_nothing_to_the_next_one() {
    let Some(fixture) = Fixture::new("rolled_back_in_drop").await else {
        return;
    };
    fixture.abandon("own", true).await;
    assert_eq!(fixture.commit("next", false, "BEGIN").await, "committed");
    assert_eq!(fixture.committed(), "next");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_out_in_the_address_survives_the_pool_and_ends_an_abandoned_transaction() {
    let Some(mut fixture) = Fixture::new("timed_out").await else {
        return;
    };
    let option = "-c%20idle_in_transaction_session_timeout%3D300";
    fixture.url = format!("{}&options={option}", fixture.url);
    let show = json!("SHOW idle_in_transaction_session_timeout");
    for _ in 0..2 {
        let shown = fixture.run(false, std::slice::from_ref(&show)).await;
        assert_eq!(shown[0]["rows"], json!([["DbValue::Str(\"300ms\")"]]));
    }
    fixture.abandon("abandoned", false).await;
    // Waits on the server until its row is free again.
    let lock = "SET lock_timeout = '20s'; INSERT INTO entry VALUES ('abandoned'); DELETE FROM entry";
    fixture.server.run_sql(fixture.database, lock);
    assert_eq!(fixture.commit("own", false, "BEGIN").await, "committed");
    assert_eq!(fixture.committed(), "own");
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_carry_the_servers_code_wherever_they_happen() {
    let Some(fixture) = Fixture::new("errors").await else {
        return;
    };
    let insert = json!({ "sql": "INSERT INTO entry VALUES ($1)", "parameters": ["a"], "execute": true });
    for plain in [false, true] {
        fixture.server.run_sql(fixture.database, "TRUNCATE entry");
        let results = fixture
            .run(plain, &[insert.clone(), insert.clone(), json!("FROM 1")])
            .await;
        assert_eq!(results[0], 1);
        let twice = &results[1];
        assert_eq!(
            (&twice["code"], &twice["severity"]),
            (&json!("23505"), &json!("ERROR"))
        );
        assert_eq!(twice["extras"]["constraint"], "entry_pkey");
        assert_eq!(twice["detail"], "Key (name)=(a) already exists.");
        assert_eq!(results[2]["code"], "42601", "{results}");
    }
    // The third row fails: the rows before it arrive, and the code with the final result only.
    let late = json!("SELECT 1 / (3 - n) AS n FROM generate_series(1, 9) AS n");
    let results = fixture.run(false, std::slice::from_ref(&late)).await;
    assert_eq!(results[0]["code"], "22012", "{results}");
    // The plain form loses it, as Spin's does.
    let results = fixture.run(true, &[late]).await;
    assert_eq!(results[0]["code"], Value::Null, "{results}");
    assert!(results[0]["error"].as_str().unwrap().contains("22012"));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_row_means_no_columns_and_a_long_result_arrives_whole() {
    let Some(fixture) = Fixture::new("lengths").await else {
        return;
    };
    let many = json!("SELECT n FROM generate_series(1::int8, 5000) AS n");
    let results = fixture
        .run(false, &[json!("SELECT 1 AS one WHERE false"), many.clone()])
        .await;
    assert_eq!(results[0], json!({ "columns": [], "rows": [] }));
    for results in [results, fixture.run(true, &[many.clone(), many]).await] {
        let rows = results[1]["rows"].as_array().unwrap();
        assert_eq!(
            (rows.len(), &rows[4999][0]),
            (5000, &json!("DbValue::Int64(5000)"))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_prepared_each_time_and_nothing_is_left_of_them() {
    let Some(fixture) = Fixture::new("statements").await else {
        return;
    };
    let results = fixture
        .run(
            false,
            &[
                json!("SELECT 1 AS one"),
                json!("SELECT 1 AS one"),
                json!("SELECT count(*) AS n FROM pg_prepared_statements"),
                json!("SELECT 1; SELECT 2"),
            ],
        )
        .await;
    // This statement itself is the only one that is there.
    assert_eq!(results[2]["rows"], json!([["DbValue::Int64(1)"]]));
    assert_eq!(results[3]["code"], "42601", "{results}");
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_of_a_component_do_not_outlive_its_connection() {
    let Some(fixture) = Fixture::new("recycled").await else {
        return;
    };
    let process = "SELECT pg_backend_pid() AS pid, current_setting('work_mem') AS m";
    let set = json!({ "sql": "SET work_mem = '77kB'", "execute": true });
    let first = fixture.run(false, &[set, json!(process)]).await;
    let second = fixture.run(false, &[json!(process)]).await;
    let (first, second) = (&first[1]["rows"][0], &second[0]["rows"][0]);
    assert_eq!(first[0], second[0], "the same connection");
    assert_eq!(first[1], "DbValue::Str(\"77kB\")");
    assert_ne!(second[1], first[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pool_and_the_limit_of_all_pools_make_the_next_connection_wait() {
    let Some(server) = PostgresServer::shared() else {
        return;
    };
    for (database, table, count) in [
        ("pooled", "", POOLED),
        ("limited", "[outbound_pg]\nmax_connections = 3\n", 3),
    ] {
        let fixture = Fixture::limited(server, database, table).await;
        let arguments = json!({ "address": fixture.url, "count": count });
        let result = fixture.host.call("/open/pg-exhaust", arguments).await;
        assert_eq!(
            result,
            json!({ "full": "waited", "after": "opened" }),
            "{database}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_room_refuses_in_words_without_its_code() {
    let Some(server) = PostgresServer::start(&["max_connections=20"]) else {
        return;
    };
    let server = Box::leak(Box::new(server));
    let fixture = Fixture::limited(server, "crowded", "").await;
    let arguments = json!({ "address": fixture.url, "count": 20 });
    let result = fixture.host.call("/open/pg-exhaust", arguments).await;
    let full = result["full"].as_str().unwrap();
    assert!(full.contains("too many clients"), "{result}");
    assert_eq!(result["after"], "opened");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_servers_that_the_manifest_names_are_reached() {
    let Some(fixture) = Fixture::new("allowed").await else {
        return;
    };
    let address = fixture.server.address();
    let (ip, port) = (address.ip(), address.port());
    let statements = json!([{ "sql": "SELECT 1 AS one" }]);
    for (path, url, part) in [
        (
            "/open/pg",
            format!("postgres://postgres@{ip}:1/x"),
            "not permitted",
        ),
        (
            "/open/pg",
            format!("postgres://postgres@localhost:{port}/x"),
            "not permitted",
        ),
        (
            "/open/pg",
            format!("host={ip},other port={port} user=postgres"),
            "not permitted",
        ),
        (
            "/open/pg",
            format!("host={ip} hostaddr=127.0.0.1 port={port} user=postgres"),
            "not permitted",
        ),
        ("/open/pg", "host=/tmp user=postgres".to_owned(), "Unix sockets"),
        ("/open/pg", "postgres://".to_owned(), "ConnectionFailed"),
        ("/closed/pg", fixture.url.clone(), "not permitted"),
    ] {
        for plain in [false, true] {
            let arguments = json!({ "address": url, "plain": plain, "statements": statements });
            let error = fixture.host.call_error(path, arguments).await;
            assert!(error.contains(part), "{url}: {error}");
        }
    }
}
