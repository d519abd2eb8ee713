//! Reuse of instances, panics, the clock and the output of components.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edge_host::{Logs, MAX_GUEST_MEMORY_BYTES, Output, Reuse};
use futures::future::join_all;
use serde_json::{Value, json};

use crate::outbound::{answering_upstream, upstream};
use crate::test_host::TestHost;

/// The embedder's clock: 2040-01-01T00:00:00Z, in seconds since 1970.
const EMBEDDER_SECONDS: u64 = 2_208_988_800;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_reused_as_often_as_allowed() {
    let idle = Duration::from_secs(600);
    for (max_requests, expected) in [(1, [1, 1, 1]), (2, [1, 2, 1]), (128, [1, 2, 3])] {
        let reuse = Reuse {
            max_requests,
            idle,
            ..Reuse::default()
        };
        let host = TestHost::with(|options| options.reuse = reuse).await;
        let mut seen = Vec::new();
        for _ in expected {
            seen.push(host.call("/open/nth", Value::Null).await);
        }
        assert_eq!(seen, expected, "{max_requests}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_memory_of_an_instance_is_known() {
    let host = TestHost::with(|_| ()).await;
    assert_eq!(host.inner.largest_memory_bytes(), 0);
    host.call("/open/nth", Value::Null).await;
    let bytes = host.inner.largest_memory_bytes();
    assert!((64 * 1024..=MAX_GUEST_MEMORY_BYTES).contains(&bytes), "{bytes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_an_instance_up_to_the_concurrency_allowed() {
    let (address, mut received) = upstream().await;
    let upstream = format!("http://{address}");
    let host = Arc::new(
        TestHost::with(|options| {
            options.variables.insert("upstream".to_owned(), upstream.clone());
        })
        .await,
    );
    let first = tokio::spawn({
        let host = host.clone();
        async move {
            host.call("/open/wait-for-second-request", json!({ "url": upstream }))
                .await
        }
    });
    let (_, answer) = received.recv().await.unwrap();
    // The first request waits for the upstream now, so its instance is free for another.
    assert_eq!(host.call("/open/nth", Value::Null).await, 2);
    answer.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_do_not_share_an_instance_when_concurrency_is_one() {
    let (address, mut received) = upstream().await;
    let upstream = format!("http://{address}");
    let host = Arc::new(
        TestHost::with(|options| {
            options.variables.insert("upstream".to_owned(), upstream.clone());
            options.reuse = Reuse {
                max_concurrent: 1,
                ..Reuse::default()
            };
        })
        .await,
    );
    let first = tokio::spawn({
        let host = host.clone();
        async move { host.call("/open/fetch", json!({ "url": upstream })).await }
    });
    let (_, answer) = received.recv().await.unwrap();
    assert_eq!(host.call("/open/nth", Value::Null).await, 1);
    answer.send(()).unwrap();
    assert_eq!(first.await.unwrap()["status"], 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_requests_at_once_are_all_answered_at_any_reuse() {
    for (max_requests, max_concurrent) in [(1, 1), (1, 16), (128, 1), (128, 16)] {
        let reuse = Reuse {
            max_requests,
            max_concurrent,
            ..Reuse::default()
        };
        let address = answering_upstream().await;
        let host = Arc::new(
            TestHost::with(|options| {
                options.reuse = reuse;
                options
                    .variables
                    .insert("upstream".to_owned(), format!("http://{address}"));
            })
            .await,
        );
        let replies = join_all((0..100).map(|_| {
            let host = host.clone();
            async move {
                host.call("/open/fetch", json!({ "url": format!("http://{address}") }))
                    .await
            }
        }));
        for reply in replies.await {
            assert_eq!(reply["body"], "pong", "{reuse:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_answers_500_and_the_host_keeps_serving() {
    let host = TestHost::new().await;
    let reply = host.send("/open/panic", &[], &Value::Null).await;
    assert_eq!((reply.status, reply.text.as_str()), (500, ""));
    assert_eq!(host.call("/open/nth", Value::Null).await, 1, "a fresh instance");
    let lines = host.lines.lock().unwrap();
    let panicked = |line: &(String, Output, String)| line.1 == Output::Stderr && line.2.contains("asked to");
    assert!(lines.iter().any(panicked), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_embedder_is_the_clock_of_the_component() {
    let host = TestHost::with(|options| {
        options.clock = Some(Arc::new(|| UNIX_EPOCH + Duration::from_secs(EMBEDDER_SECONDS)));
    })
    .await;
    let time = host.call("/open/clock", Value::Null).await;
    assert_eq!(
        time,
        json!({ "std": EMBEDDER_SECONDS, "system_clock": EMBEDDER_SECONDS })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_embedders_clock_the_time_is_the_systems() {
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let host = TestHost::new().await;
    let before = seconds();
    let time = host.call("/open/clock", Value::Null).await;
    assert!(
        (before..=seconds()).contains(&time["std"].as_u64().unwrap()),
        "{time}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn output_goes_to_the_embedders_sink_line_by_line() {
    let host = TestHost::new().await;
    host.call("/open/say", json!("hello")).await;
    let lines = host.lines.lock().unwrap().clone();
    let expected = [
        ("open", Output::Stdout, "out: \"hello\""),
        ("open", Output::Stderr, "err: \"hello\""),
    ];
    assert_eq!(
        lines,
        expected.map(|(component, output, line)| (component.to_owned(), output, line.to_owned()))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn output_goes_to_a_file_per_component_if_asked() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let mut options = crate::test_host::options(folder.path());
    options.logs = Logs::Files(logs.clone());
    let host = TestHost::start_with_own_logs(options).await;
    host.call("/open/say", json!(1)).await;
    host.call("/closed/say", json!(2)).await;
    host.inner.shutdown().await;
    let read = |name: &str| std::fs::read_to_string(logs.join(name)).unwrap();
    assert_eq!(read("open_stdout.txt"), "out: 1\n");
    assert_eq!(read("closed_stderr.txt"), "err: 2\n");
}
