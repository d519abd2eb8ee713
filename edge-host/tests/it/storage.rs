//! SQLite and key-value stores as components see them.

use std::sync::Arc;

use edge_host::Reuse;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::test_host::TestHost;

/// Concurrent read-modify-writes.
const WRITERS: usize = 60;

const COUNTER: [&str; 4] = [
    "PRAGMA journal_mode = WAL",
    "CREATE TABLE counter (n INTEGER NOT NULL)",
    "INSERT INTO counter VALUES (0)",
    "SELECT n AS n FROM counter",
];

fn error(result: &Value) -> &str {
    result["error"]
        .as_str()
        .unwrap_or_else(|| panic!("no error: {result}"))
}

async fn counter(host: &TestHost) -> i64 {
    host.sql(&["SELECT n AS n FROM counter"]).await[0]["rows"][0][0]
        .as_i64()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_the_interface_answer_alike() {
    let host = TestHost::new().await;
    let statements = [
        "SELECT 1 AS i, 2.5 AS r, 'x' AS t, x'0102' AS b, NULL AS n",
        "SELECT 'ü' AS u",
    ];
    let expected = json!([
        { "columns": ["i", "r", "t", "b", "n"], "rows": [[1, 2.5, "x", [1, 2], null]] },
        { "columns": ["u"], "rows": [["ü"]] },
    ]);
    for plain in [false, true] {
        let arguments = json!({ "plain": plain, "statements": statements });
        assert_eq!(
            host.call("/open/sql", arguments).await,
            expected,
            "plain: {plain}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_result_arrives_complete_in_both_forms() {
    let host = TestHost::new().await;
    let statement =
        "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 5000) SELECT x AS x FROM c";
    for plain in [false, true] {
        let result = host
            .call("/open/sql", json!({ "plain": plain, "statements": [statement] }))
            .await;
        let rows = result[0]["rows"].as_array().unwrap();
        assert_eq!(
            (rows.len(), &rows[4999][0]),
            (5000, &json!(5000)),
            "plain: {plain}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_connection_rolls_back() {
    let host = TestHost::new().await;
    host.sql(&COUNTER).await;
    host.sql(&["BEGIN IMMEDIATE", "UPDATE counter SET n = 7"]).await;
    assert_eq!(counter(&host).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_that_ends_rolls_back_its_open_transaction() {
    let host = TestHost::with(|options| {
        options.reuse = Reuse {
            max_requests: 1,
            ..Reuse::default()
        }
    })
    .await;
    host.sql(&COUNTER).await;
    host.call("/open/leave-transaction-open", Value::Null).await;
    let added = host
        .call("/open/add-one", json!({ "begin": "BEGIN IMMEDIATE" }))
        .await;
    assert_eq!(added, json!({ "n": 1, "rows": 1, "changes": 1 }));
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_read_modify_writes_at_once_all_pass_with_begin_immediate() {
    for plain in [false, true] {
        for max_requests in [1, 128] {
            let reuse = Reuse {
                max_requests,
                ..Reuse::default()
            };
            let host = Arc::new(TestHost::with(|options| options.reuse = reuse).await);
            host.sql(&COUNTER).await;
            let additions = join_all((0..WRITERS).map(|_| {
                let host = host.clone();
                let arguments = json!({ "begin": "BEGIN IMMEDIATE", "plain": plain });
                async move { host.call("/open/add-one", arguments).await["n"].as_i64() }
            }));
            let mut seen: Vec<_> = additions.await.into_iter().flatten().collect();
            seen.sort_unstable();
            assert_eq!(
                seen,
                (1..=WRITERS as i64).collect::<Vec<_>>(),
                "plain: {plain}, {reuse:?}"
            );
            assert_eq!(counter(&host).await, WRITERS as i64);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_keys_are_enforced() {
    let host = TestHost::new().await;
    let results = host
        .sql(&[
            "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
            "CREATE TABLE child (parent INTEGER REFERENCES parent (id))",
            "INSERT INTO child VALUES (1)",
        ])
        .await;
    assert!(error(&results[2]).contains("FOREIGN KEY"), "{results}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_first_statement_of_a_text_runs() {
    let host = TestHost::new().await;
    for plain in [false, true] {
        let statements = [
            "SELECT 1 AS one; SELECT 2 AS two; not even SQL",
            "SELECT 3 AS three; SELECT 4",
        ];
        let results = host
            .call("/open/sql", json!({ "plain": plain, "statements": statements }))
            .await;
        assert_eq!(results[0], json!({ "columns": ["one"], "rows": [[1]] }));
        assert_eq!(results[1], json!({ "columns": ["three"], "rows": [[3]] }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_files_are_out_of_reach() {
    let host = TestHost::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let path = elsewhere.path().join("x.db").display().to_string();
    let results = host
        .sql(&[
            &format!("ATTACH DATABASE '{path}' AS other"),
            &format!("VACUUM INTO '{path}'"),
            "ATTACH DATABASE ':memory:' AS scratch",
        ])
        .await;
    assert!(error(&results[0]).contains("not authorized"), "{results}");
    assert!(error(&results[1]).contains("authorization denied"), "{results}");
    assert_eq!(results[2]["rows"], json!([]));
    assert!(!elsewhere.path().join("x.db").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn databases_and_stores_are_open_to_those_they_are_granted_to() {
    let host = TestHost::new().await;
    let closed = json!({ "statements": ["SELECT 1"] });
    assert!(
        host.call_error("/closed/sql", closed)
            .await
            .contains("AccessDenied")
    );
    let unknown = json!({ "database": "unknown", "statements": [] });
    assert!(
        host.call_error("/open/sql", unknown)
            .await
            .contains("AccessDenied")
    );
    let other = json!({ "database": "other", "plain": true, "statements": ["SELECT 1 AS one"] });
    assert_eq!(host.call("/open/sql", other).await[0]["rows"], json!([[1]]));
    for probe in ["kv", "increment", "swap"] {
        let arguments = json!({ "store": "limits", "key": "k" });
        let error = host.call_error(&format!("/closed/{probe}"), arguments).await;
        assert!(error.contains("AccessDenied"), "{probe}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_key_value_interfaces_see_the_same_store() {
    let host = TestHost::new().await;
    for store in ["default", "limits"] {
        let result = host.call("/open/kv", json!({ "store": store })).await;
        let expected = json!({
            "absent": null,
            "one": [49],
            "two_exists": false,
            "many": [["one", [49]], ["nine", null]],
            "keys": ["one"],
        });
        assert_eq!(result, expected, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn increments_from_many_instances_are_atomic() {
    let host = Arc::new(
        TestHost::with(|options| {
            options.reuse = Reuse {
                max_requests: 1,
                ..Reuse::default()
            }
        })
        .await,
    );
    for store in ["limits", "default"] {
        let increments = join_all((0..WRITERS).map(|_| {
            let host = host.clone();
            async move {
                host.call("/open/increment", json!({ "store": store, "key": "n" }))
                    .await
                    .as_i64()
            }
        }));
        let mut seen: Vec<_> = increments.await.into_iter().flatten().collect();
        seen.sort_unstable();
        assert_eq!(seen, (1..=WRITERS as i64).collect::<Vec<_>>(), "{store}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_after_another_write_fails_once_and_then_passes() {
    let host = TestHost::new().await;
    let result = host.call("/open/swap", json!({ "store": "limits" })).await;
    let bytes = |text: &str| json!(text.as_bytes());
    assert_eq!(
        result,
        json!({ "seen": bytes("theirs"), "second": true, "value": bytes("mine") })
    );
}
