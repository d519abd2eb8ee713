//! Reuse of instances, panics, the clock and the output of components.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use edge_host::{Logs, Output, Reuse};
use futures::future::join_all;
use http::StatusCode;
use serde_json::{Value, json};

use crate::outbound::{obliging_upstream, upstream};
use crate::world::World;

/// An owned clock's time: 2040-01-01T00:00:00Z.
const OWNED_SECONDS: u64 = 2_208_988_800;

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_reused_as_often_as_allowed() {
    let idle = Duration::from_secs(600);
    for (max_requests, expected) in [(1, [1, 1, 1]), (2, [1, 2, 1]), (128, [1, 2, 3])] {
        let reuse = Reuse {
            max_requests,
            idle,
            ..Reuse::default()
        };
        let world = World::with(|options| options.reuse = reuse).await;
        let mut seen = Vec::new();
        for _ in expected {
            seen.push(world.probe("/open/nth", Value::Null).await);
        }
        assert_eq!(seen, expected, "{max_requests}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_share_an_instance_up_to_the_concurrency_allowed() {
    let (address, mut received) = upstream().await;
    let upstream = format!("http://{address}");
    let world = Arc::new(
        World::with(|options| {
            options.variables.insert("upstream".to_owned(), upstream.clone());
        })
        .await,
    );
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.probe("/open/company", json!({ "url": upstream })).await }
    });
    let (_, answer) = received.recv().await.unwrap();
    // The first request waits for the upstream now, so its instance is free for another.
    assert_eq!(world.probe("/open/nth", Value::Null).await, 2);
    answer.send(()).unwrap();
    assert_eq!(first.await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_do_not_share_an_instance_when_concurrency_is_one() {
    let (address, mut received) = upstream().await;
    let upstream = format!("http://{address}");
    let world = Arc::new(
        World::with(|options| {
            options.variables.insert("upstream".to_owned(), upstream.clone());
            options.reuse = Reuse {
                max_concurrent: 1,
                ..Reuse::default()
            };
        })
        .await,
    );
    let first = tokio::spawn({
        let world = world.clone();
        async move { world.probe("/open/fetch", json!({ "url": upstream })).await }
    });
    let (_, answer) = received.recv().await.unwrap();
    assert_eq!(world.probe("/open/nth", Value::Null).await, 1);
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
        let address = obliging_upstream().await;
        let world = Arc::new(
            World::with(|options| {
                options.reuse = reuse;
                options
                    .variables
                    .insert("upstream".to_owned(), format!("http://{address}"));
            })
            .await,
        );
        let replies = join_all((0..100).map(|_| {
            let world = world.clone();
            async move {
                world
                    .probe("/open/fetch", json!({ "url": format!("http://{address}") }))
                    .await
            }
        }));
        for reply in replies.await {
            assert_eq!(reply["body"], "pong", "{reuse:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_answers_500_and_the_host_lives_on() {
    let world = World::new().await;
    let reply = world.send("/open/panic", &[], &Value::Null).await;
    assert_eq!(
        (reply.status, reply.text.as_str()),
        (StatusCode::INTERNAL_SERVER_ERROR, "")
    );
    assert_eq!(world.probe("/open/nth", Value::Null).await, 1, "a fresh instance");
    let lines = world.lines.lock().unwrap();
    let panicked = |line: &(String, Output, String)| line.1 == Output::Stderr && line.2.contains("asked to");
    assert!(lines.iter().any(panicked), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_of_the_embedder_is_the_clock_of_the_component() {
    let world = World::with(|options| {
        options.clock = Some(Arc::new(|| UNIX_EPOCH + Duration::from_secs(OWNED_SECONDS)));
    })
    .await;
    let time = world.probe("/open/clock", Value::Null).await;
    assert_eq!(
        time,
        json!({ "std": OWNED_SECONDS, "system_clock": OWNED_SECONDS })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_owned_clock_the_time_is_the_systems() {
    let seconds = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let world = World::new().await;
    let before = seconds();
    let time = world.probe("/open/clock", Value::Null).await;
    assert!(
        (before..=seconds()).contains(&time["std"].as_u64().unwrap()),
        "{time}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn output_goes_to_the_embedders_sink_line_by_line() {
    let world = World::new().await;
    world.probe("/open/say", json!("hello")).await;
    let lines = world.lines.lock().unwrap().clone();
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
    let mut options = crate::world::options(folder.path());
    options.logs = Logs::Files(logs.clone());
    let world = World::start_with_own_logs(options).await;
    world.probe("/open/say", json!(1)).await;
    world.probe("/closed/say", json!(2)).await;
    world.host.shutdown().await;
    let read = |name: &str| std::fs::read_to_string(logs.join(name)).unwrap();
    assert_eq!(read("open_stdout.txt"), "out: 1\n");
    assert_eq!(read("closed_stderr.txt"), "err: 2\n");
}
