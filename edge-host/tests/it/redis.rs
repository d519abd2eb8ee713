//! Key-value stores on Redis as components see them.

use std::sync::Arc;

use edge_host::Reuse;
use futures::future::join_all;
use serde_json::json;
use test_support::redis_server::RedisServer;

use crate::test_host::{RUNTIME_CONFIG, TestHost};

/// Concurrent increments.
const WRITERS: i64 = 60;

/// A host with an instance for each request, whose store `limits` is at this address.
async fn host_on(url: &str) -> TestHost {
    let store = format!("[key_value_store.limits]\ntype = \"redis\"\nurl = \"{url}\"\n");
    TestHost::with(|options| {
        let config = RUNTIME_CONFIG.replace("[key_value_store.limits]\ntype = \"spin\"\n", &store);
        std::fs::write(options.runtime_config.as_ref().unwrap(), config).unwrap();
        options.reuse = Reuse {
            max_requests: 1,
            ..Reuse::default()
        };
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn both_key_value_interfaces_see_the_whole_database_of_a_redis_server() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let host = host_on(&server.url()).await;
    host.call(
        "/open/increment",
        json!({ "store": "limits", "key": "of another" }),
    )
    .await;
    let result = host.call("/open/kv", json!({ "store": "limits" })).await;
    assert_eq!(result["absent"], json!(null));
    assert_eq!(result["one"], json!([49]));
    assert_eq!(result["two_exists"], false);
    assert_eq!(result["keys"], json!(["of another", "one"]));
    let many = result["many"]["error"].as_str().unwrap();
    assert!(many.contains("as in Spin"), "{result}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_count_together_on_a_redis_server() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let hosts = [
        Arc::new(host_on(&server.url()).await),
        Arc::new(host_on(&server.url()).await),
    ];
    let increments = join_all((0..WRITERS).zip(hosts.iter().cycle()).map(|(_, host)| {
        let host = host.clone();
        async move {
            host.call("/open/increment", json!({ "store": "limits", "key": "n" }))
                .await
                .as_i64()
        }
    }));
    let mut seen: Vec<_> = increments.await.into_iter().flatten().collect();
    seen.sort_unstable();
    assert_eq!(seen, (1..=WRITERS).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_swap_after_another_write_fails_once_and_then_passes_on_a_redis_server() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let host = host_on(&server.url()).await;
    let result = host.call("/open/swap", json!({ "store": "limits" })).await;
    let bytes = |text: &str| json!(text.as_bytes());
    assert_eq!(
        result,
        json!({ "seen": bytes("theirs"), "second": true, "value": bytes("mine") })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_store_is_open_to_those_it_is_granted_to_and_says_when_it_is_gone() {
    let Some(server) = RedisServer::start() else {
        return;
    };
    let host = host_on(&server.url()).await;
    let arguments = json!({ "store": "limits", "key": "n" });
    let error = host.call_error("/closed/increment", arguments.clone()).await;
    assert!(error.contains("AccessDenied"), "{error}");
    assert_eq!(host.call("/open/increment", arguments.clone()).await, 1);
    drop(server);
    let error = host.call_error("/open/increment", arguments).await;
    assert!(error.contains("Other"), "{error}");
}
