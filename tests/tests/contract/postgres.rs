//! A PostgreSQL server that has little room, has none, or does not answer: callers are answered 503 with a time after which
//! to call again, and nothing else fails.

use futures::future::join_all;
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;
use test_support::postgres_server::PostgresServer;

/// Calls at once on each of two nodes.
const CALLS: usize = 100;
/// How often a call is repeated that is answered 503.
const MAX_ROUNDS: usize = 20;

/// A platform on a server of its own with room for twenty connections; `None` where PostgreSQL is not installed.
async fn on_a_small_server() -> Option<(TestPlatform, &'static PostgresServer)> {
    let server = Box::leak(Box::new(PostgresServer::start(&["max_connections=20"])?));
    Some((TestPlatform::start_on_postgres(server).await, server))
}

fn status_of(platform: &TestPlatform, chip: usize) -> TestRequest {
    let target = format!("/v1/write/status?eid={}", platform.eid(chip));
    TestRequest::get(target).bearer(&platform.owner.token)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_answer_with_room_for_twenty_connections() {
    let Some((platform, _)) = on_a_small_server().await else {
        return;
    };
    let second = platform.start_second_node().await;
    // Two nodes may want more than twenty connections: a call that is not served in time is answered 503 and repeated.
    let mut waiting: Vec<usize> = (0..2 * CALLS).collect();
    for _ in 0..MAX_ROUNDS {
        let calls = waiting.iter().map(async |n| {
            let node = if n % 2 == 0 { &platform.host } else { &second };
            (*n, platform.send_to(node, status_of(&platform, n % 8)).await)
        });
        let mut later = Vec::new();
        for (n, reply) in join_all(calls).await {
            match reply.status {
                200 => {}
                503 => later.push(n),
                other => panic!("{other}: {}", reply.text),
            }
        }
        waiting = later;
    }
    assert!(waiting.is_empty(), "{} calls were never served", waiting.len());
    second.shutdown().await;
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_room_and_without_an_answer_calls_are_answered_503() {
    let Some((platform, server)) = on_a_small_server().await else {
        return;
    };
    let unavailable = async |what: &str| {
        // A node that has no connection yet.
        let node = platform.start_second_node().await;
        let reply = platform.send_to(&node, status_of(&platform, 0)).await;
        let (status, reason) = (reply.status, reply.reason().to_owned());
        assert_eq!(
            (status, reason.as_str()),
            (503, "unavailable"),
            "{what}: {}",
            reply.text
        );
        assert!(!reply.header("retry-after").is_empty(), "{what}");
        node
    };
    let occupied = server.occupy();
    let first = unavailable("no room").await;
    drop(occupied);
    server.freeze();
    let second = unavailable("no answer").await;
    server.thaw();
    server.crash();
    for node in [first, second] {
        let reply = platform.send_to(&node, status_of(&platform, 0)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        node.shutdown().await;
    }
    platform.shutdown().await;
}
