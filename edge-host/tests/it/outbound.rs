//! Outbound requests of components: allowed hosts, blocked networks, service chaining.

use std::fmt::Display;
use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use crate::test_host::{RUNTIME_CONFIG, TestHost};

/// The longest request head the upstream reads, in bytes.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Releases the answer to one request.
pub(crate) type Answer = oneshot::Sender<()>;

/// The usual response of the upstream.
const PONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\nconnection: close\r\n\r\npong";

/// The shipped runtime configuration for one machine, with the networks that it blocks.
const SHIPPED_CONFIG: &str = include_str!("../../../runtime-config/local.toml");

/// A server that reports each request's head, and answers "pong" when the test releases the answer.
pub(crate) async fn upstream() -> (SocketAddr, mpsc::UnboundedReceiver<(String, Answer)>) {
    upstream_responding(PONG).await
}

async fn upstream_responding(
    response: &'static str,
) -> (SocketAddr, mpsc::UnboundedReceiver<(String, Answer)>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (heads, received) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let heads = heads.clone();
            tokio::spawn(async move {
                let mut head = vec![0; MAX_HEAD_BYTES];
                let mut length = 0;
                while !head[..length].ends_with(b"\r\n\r\n") {
                    match stream.read(&mut head[length..]).await {
                        Ok(read) if read > 0 => length += read,
                        _ => return,
                    }
                }
                let (answer, released) = oneshot::channel();
                let _ = heads.send((String::from_utf8_lossy(&head[..length]).into_owned(), answer));
                if released.await.is_ok() {
                    let _ = stream.write_all(response.as_bytes()).await;
                }
            });
        }
    });
    (address, received)
}

/// A server that answers every request at once.
pub(crate) async fn answering_upstream() -> SocketAddr {
    let (address, mut received) = upstream().await;
    tokio::spawn(async move {
        while let Some((_, answer)) = received.recv().await {
            let _ = answer.send(());
        }
    });
    address
}

async fn host_with_upstream(address: impl Display, runtime_config: &str) -> TestHost {
    TestHost::with(|options| {
        options
            .variables
            .insert("upstream".to_owned(), format!("http://{address}"));
        let path = options.runtime_config.as_ref().unwrap();
        std::fs::write(path, format!("{RUNTIME_CONFIG}{runtime_config}")).unwrap();
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_go_where_the_manifest_allows_and_nowhere_else() {
    let address = answering_upstream().await;
    let host = host_with_upstream(address, "").await;
    let reply = host
        .call("/open/fetch", json!({ "url": format!("http://{address}/x") }))
        .await;
    assert_eq!(reply, json!({ "status": 200, "body": "pong" }));

    let port = address.port();
    for (path, url) in [
        ("/closed/fetch", format!("http://{address}/x")),
        ("/open/fetch", format!("http://localhost:{port}/x")),
        ("/open/fetch", format!("https://{address}/x")),
        ("/open/fetch", "http://127.0.0.1:1/x".to_owned()),
        ("/closed/fetch", "http://hidden.spin.internal/headers".to_owned()),
        ("/open/fetch", "http://closed.spin.internal/headers".to_owned()),
        ("/closed/fetch", "http://self.alt/open/headers".to_owned()),
    ] {
        let error = host.call_error(path, json!({ "url": url })).await;
        assert!(error.contains("HttpRequestDenied"), "{path} {url}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_network_is_not_reached_even_where_the_manifest_allows() {
    let address = answering_upstream().await;
    for config in [
        "[outbound_networking]\nblock_networks = [\"private\"]\n",
        "[outbound_networking]\nblock_networks = [\"127.0.0.0/8\"]\n",
    ] {
        let host = host_with_upstream(address, config).await;
        let error = host
            .call_error("/open/fetch", json!({ "url": format!("http://{address}/x") }))
            .await;
        assert!(error.contains("DestinationIpProhibited"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_blocked_by_the_addresses_it_resolves_to() {
    let port = answering_upstream().await.port();
    let authority = format!("localhost:{port}");
    let fetch = json!({ "url": format!("http://{authority}/x") });

    let host = host_with_upstream(&authority, "").await;
    let reply = host.call("/open/fetch", fetch.clone()).await;
    assert_eq!(reply, json!({ "status": 200, "body": "pong" }));

    let (_, shipped) = SHIPPED_CONFIG.split_once("[outbound_networking]").unwrap();
    for networks in ["block_networks = [\"private\"]\n", shipped] {
        let host = host_with_upstream(&authority, &format!("[outbound_networking]\n{networks}")).await;
        let error = host.call_error("/open/fetch", fetch.clone()).await;
        assert!(error.contains("DestinationIpProhibited"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_comes_back_as_it_is_and_is_not_followed() {
    let (address, mut received) = upstream_responding(
        "HTTP/1.1 302 Found\r\nlocation: /elsewhere\r\ncontent-length: 5\r\nconnection: close\r\n\r\nmoved",
    )
    .await;
    let host = host_with_upstream(address, "").await;
    let answering = tokio::spawn(async move {
        let mut paths = Vec::new();
        while let Some((head, answer)) = received.recv().await {
            let (line, _) = head.split_once("\r\n").unwrap();
            paths.push(line.to_owned());
            let _ = answer.send(());
            if line.contains("/last") {
                break;
            }
        }
        paths
    });
    for path in ["first", "last"] {
        let reply = host
            .call(
                "/open/fetch",
                json!({ "url": format!("http://{address}/{path}") }),
            )
            .await;
        assert_eq!(reply, json!({ "status": 302, "body": "moved" }));
    }
    assert_eq!(
        answering.await.unwrap(),
        ["GET /first HTTP/1.1", "GET /last HTTP/1.1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_port_is_reported_as_a_refused_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let host = host_with_upstream(address, "").await;
    let error = host
        .call_error("/open/fetch", json!({ "url": format!("http://{address}/x") }))
        .await;
    assert!(error.contains("ConnectionRefused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_component_is_reached_through_service_chaining() {
    let host = TestHost::new().await;
    let url = "http://hidden.spin.internal/a/headers?x=1";
    let reply = host.call("/open/fetch", json!({ "url": url })).await;
    assert_eq!(reply["status"], 200, "{reply}");
    let headers: Value = serde_json::from_str(reply["body"].as_str().unwrap()).unwrap();
    for pair in [
        json!(["spin-client-addr", "0.0.0.0:0"]),
        json!(["spin-path-info", "/a/headers"]),
        json!(["spin-component-route", ""]),
    ] {
        assert!(headers.as_array().unwrap().contains(&pair), "{pair} in {headers}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_can_call_itself() {
    let host = TestHost::new().await;
    let reply = host
        .call("/open/fetch", json!({ "url": "http://self.alt/closed/nth" }))
        .await;
    assert_eq!(reply, json!({ "status": 200, "body": "1" }));
}
