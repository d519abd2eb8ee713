//! Starting, refusing to start, stopping, starting again.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::outbound::upstream;
use crate::test_host::{TestHost, manifest, options, post};

/// Connection attempts until the listener must be closed.
const MAX_ATTEMPTS: usize = 2000;

/// The error of a start with changed options.
async fn start_error(change: impl FnOnce(&Path, &mut edge_host::Options)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    change(folder.path(), &mut options);
    match edge_host::start(options).await {
        Ok(_) => panic!("the host started"),
        Err(error) => format!("{error:#}"),
    }
}

/// Writes the manifest with one text replaced.
fn write_edited_manifest(folder: &Path, from: &str, to: &str) {
    let text = manifest();
    assert!(text.contains(from), "{from}");
    std::fs::write(folder.join("spin.toml"), text.replace(from, to)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_required_variable_stops_the_start() {
    let error = start_error(|_, options| options.variables.clear()).await;
    assert!(error.contains("SPIN_VARIABLE_SECRET"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_can_come_from_dotenv_beside_the_manifest() {
    let host = TestHost::with(|options| {
        options.variables.clear();
        let dotenv = options.manifest.with_file_name(".env");
        std::fs::write(dotenv, "SPIN_VARIABLE_SECRET=whisper\n").unwrap();
    })
    .await;
    let value = host.call("/open/variable", json!({ "name": "both" })).await;
    assert_eq!(value, "by default and whisper");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_does_not_support_stops_the_start() {
    for (from, to, expected) in [
        (
            "spin_manifest_version = 2",
            "spin_manifest_version = 1",
            "version 2",
        ),
        (
            "key_value_stores = [\"default\"",
            "key_value_stores = [\"unknown\"",
            "\"unknown\"",
        ),
        (
            "sqlite_databases = [\"default\"",
            "sqlite_databases = [\"unknown\"",
            "\"unknown\"",
        ),
        ("{{ plain }}", "{{ unknown }}", "unknown variable"),
        ("\"http://self\"", "\"self\"", "allowed_outbound_hosts"),
        ("\"/closed/...\"", "\"/open/...\"", "twice"),
        (
            "[component.closed]",
            "[component.closed]\nfiles = [\"x\"]",
            "files",
        ),
        ("component = \"users\"", "component = \"nobody\"", "\"nobody\""),
    ] {
        let error = start_error(|folder, _| write_edited_manifest(folder, from, to)).await;
        assert!(error.contains(expected), "{to}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_is_no_component_stops_the_start() {
    let error = start_error(|folder, options| {
        let source = folder.join("broken.wasm");
        std::fs::write(&source, "not wasm").unwrap();
        let text = format!(
            "spin_manifest_version = 2\n[application]\nname = \"x\"\n[variables]\nsecret = {{ default = \"\" }}\n\
             [[trigger.http]]\nroute = \"/\"\ncomponent = \"broken\"\n[component.broken]\nsource = \"{}\"\n",
            source.display()
        );
        std::fs::write(&options.manifest, text).unwrap();
    })
    .await;
    assert!(error.contains("\"broken\""), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_in_use_stops_the_start() {
    let host = TestHost::new().await;
    let address = host.inner.addr();
    let error = start_error(|_, options| options.listen = address).await;
    assert!(error.contains(&address.to_string()), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn state_outlives_the_host_and_lies_in_the_state_directory() {
    let folder = tempfile::tempdir().unwrap();
    let first = TestHost::start(options(folder.path())).await;
    first
        .sql(&["CREATE TABLE t (x TEXT)", "INSERT INTO t VALUES ('kept')"])
        .await;
    first
        .call("/open/increment", json!({ "store": "default", "key": "n" }))
        .await;
    first
        .call("/open/increment", json!({ "store": "limits", "key": "n" }))
        .await;
    first.inner.shutdown().await;
    assert!(folder.path().join("state/data/app.db").is_file());
    assert!(folder.path().join("state/sqlite_key_value.db").is_file());

    let second = TestHost::start(options(folder.path())).await;
    assert_eq!(
        second.sql(&["SELECT x AS x FROM t"]).await[0]["rows"],
        json!([["kept"]])
    );
    let next = |store: &'static str| second.call("/open/increment", json!({ "store": store, "key": "n" }));
    assert_eq!(next("default").await, 2, "a store with a file");
    assert_eq!(next("limits").await, 1, "a store in memory");
}

/// Waits until nobody listens any more.
async fn wait_until_closed(address: SocketAddr) {
    for _ in 0..MAX_ATTEMPTS {
        if TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("still listening");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_lets_requests_in_flight_finish() {
    let (address, mut received) = upstream().await;
    let url = format!("http://{address}");
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.variables.insert("upstream".to_owned(), url.clone());
    options.drain = Duration::from_secs(600);
    let TestHost {
        inner: host, client, ..
    } = TestHost::start(options).await;
    let listening = host.addr();
    let request = tokio::spawn(post(client, listening, "/open/fetch", json!({ "url": url })));
    let (_, answer) = received.recv().await.unwrap();
    let shutdown = tokio::spawn(host.shutdown());
    wait_until_closed(listening).await;
    answer.send(()).unwrap();
    let reply = request.await.unwrap().unwrap();
    assert_eq!(reply.body["body"], "pong");
    shutdown.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_longer_than_the_drain_time() {
    let (address, mut received) = upstream().await;
    let url = format!("http://{address}");
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.variables.insert("upstream".to_owned(), url.clone());
    options.drain = Duration::ZERO;
    let TestHost {
        inner: host, client, ..
    } = TestHost::start(options).await;
    let request = tokio::spawn(post(client, host.addr(), "/open/fetch", json!({ "url": url })));
    let (_, _unanswered) = received.recv().await.unwrap();
    host.shutdown().await;
    assert!(request.await.unwrap().is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_host_stops_everything_at_once() {
    let (address, mut received) = upstream().await;
    let url = format!("http://{address}");
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(folder.path());
    options.variables.insert("upstream".to_owned(), url.clone());
    let TestHost {
        inner: host, client, ..
    } = TestHost::start(options).await;
    let listening = host.addr();
    let request = tokio::spawn(post(client, listening, "/open/fetch", json!({ "url": url })));
    let (_, _unanswered) = received.recv().await.unwrap();
    drop(host);
    assert!(request.await.unwrap().is_err());
    wait_until_closed(listening).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_hosts_live_in_one_process_without_sharing_anything() {
    let (one, other) = (Arc::new(TestHost::new().await), TestHost::new().await);
    one.call("/open/increment", json!({ "store": "limits", "key": "n" }))
        .await;
    assert_eq!(
        other
            .call("/open/increment", json!({ "store": "limits", "key": "n" }))
            .await,
        1
    );
    assert_eq!(other.call("/closed/nth", Value::Null).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_too_many_is_refused_and_the_next_one_served() {
    let (address, mut received) = upstream().await;
    let url = format!("http://{address}");
    let host = TestHost::with(|options| {
        options.variables.insert("upstream".to_owned(), url.clone());
        options.max_in_flight = 1;
    })
    .await;
    let client = host.client.clone();
    let first = tokio::spawn(post(
        client,
        host.inner.addr(),
        "/open/fetch",
        json!({ "url": url }),
    ));
    let (_, answer) = received.recv().await.unwrap();
    let refused = host.send("/open/nth", &[], &Value::Null).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.headers["retry-after"], "1");
    answer.send(()).unwrap();
    assert_eq!(first.await.unwrap().unwrap().status, 200);
    assert_eq!(host.send("/open/nth", &[], &Value::Null).await.status, 200);
}
