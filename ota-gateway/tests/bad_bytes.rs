//! Bytes that no chip would send, at every layer: each has its answer, none changes anything.

use test_support::gateway::GatewayFixture;
use test_support::gateway::agent::{Agent, FIRST_URI};
use test_support::gateway::card::Card;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const PROTOCOL: &str = "Host: h\r\nX-Admin-Protocol: globalplatform-remote-admin/1.0\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn garbage_instead_of_tls_is_cut_off_and_the_platform_gets_no_call() {
    let fixture = GatewayFixture::start().await;
    let record =
        |kind: u8, length: u16, content: &[u8]| [&[kind, 3, 3][..], &length.to_be_bytes(), content].concat();
    let cases: [Vec<u8>; 6] = [
        b"POST /adminagent HTTP/1.1\r\nHost: h\r\n\r\n".to_vec(),
        vec![0; 4_096],
        record(22, 0xFFFF, &[1; 64]),
        record(23, 16, &[0; 16]),
        record(22, 8, &[1, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0]),
        record(22, 6, &[16, 0, 0, 2, 0, 9]),
    ];
    for bytes in cases {
        let mut stream = TcpStream::connect(fixture.gateway.addr()).await.unwrap();
        stream.write_all(&bytes).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        // Nothing, or a TLS alert: never HTTP.
        assert!(answer.is_empty() || answer[0] == 21, "{answer:?}");
    }
    for route in ["/keys", "/sessions", "/report"] {
        assert!(fixture.platform.calls(route).is_empty(), "{route}");
    }
    fixture.agent().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_after_tls_has_its_status_and_ends_the_connection() {
    let fixture = GatewayFixture::start().await;
    let post = |target: &str, headers: &str| format!("POST {target} HTTP/1.1\r\n{PROTOCOL}{headers}\r\n");
    let rfm = "Content-Type: application/vnd.etsi.scp.response-data;version=1.0\r\n";
    let cases: Vec<(String, u16)> = vec![
        ("\u{1}\u{2}\u{3}garbage\r\n\r\n".to_owned(), 400),
        ("POST\r\n\r\n".to_owned(), 400),
        (post(FIRST_URI, &format!("X: {}\r\n", "x".repeat(8_192))), 431),
        (format!("POST {FIRST_URI} HTTP/1.1\r\n{}", "A".repeat(9_000)), 431),
        (post(FIRST_URI, "Content-Length: 65537\r\n"), 413),
        (
            post(FIRST_URI, "Transfer-Encoding: chunked\r\n") + "10001\r\n",
            413,
        ),
        (post(FIRST_URI, "Transfer-Encoding: chunked\r\n") + "xyz\r\n", 400),
        (post(FIRST_URI, "Transfer-Encoding: gzip\r\n"), 501),
        (
            post(FIRST_URI, "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
            400,
        ),
        (
            post(FIRST_URI, "Content-Type: text/html\r\nContent-Length: 1\r\n") + "x",
            415,
        ),
        (post(FIRST_URI, &format!("{rfm}Content-Length: 1\r\n")) + "x", 400),
        (post("/", ""), 404),
        (post("/adminagent/../etc", ""), 404),
        (format!("GET {FIRST_URI} HTTP/1.1\r\n{PROTOCOL}\r\n"), 405),
        (format!("POST {FIRST_URI} HTTP/1.0\r\n{PROTOCOL}\r\n"), 505),
        (format!("POST {FIRST_URI} HTTP/1.1\r\nHost: h\r\n\r\n"), 400),
        (post(FIRST_URI, "X-Admin-Script-Status: maybe\r\n"), 400),
    ];
    for (bytes, status) in cases {
        let mut agent = fixture.agent().await;
        agent.send(bytes.as_bytes()).await;
        let answer = agent.answer().await;
        let shown: String = bytes.chars().take(60).collect();
        assert_eq!(answer.map(|answer| answer.status), Some(status), "{shown:?}");
        assert!(agent.is_closed().await && agent.got_close_notify(), "{shown:?}");
    }
    assert!(
        fixture.platform.calls("/sessions").is_empty(),
        "none of this was a session"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_scripts_that_were_not_asked_for_change_nothing() {
    let fixture = GatewayFixture::start().await;
    for spoil in [
        |uri: &str| uri.replace("n=1", "n=2"),
        |uri: &str| uri.replace("s=", "s=0"),
        |_: &str| FIRST_URI.to_owned(),
    ] {
        let mut agent = fixture.agent().await;
        let first = agent.begin(FIRST_URI, false).await;
        let result = Card::seed().run(&first.body);
        agent.result(&spoil(first.next_uri().unwrap()), &result).await;
        assert_eq!(agent.answer().await.map(|answer| answer.status), Some(404));
        assert!(agent.is_closed().await);
    }
    let (platform, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["bad_request"; 3]);
    assert_eq!(platform.reported(), ["closed"; 3], "no progress was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_without_a_body_is_refused() {
    let fixture = GatewayFixture::start().await;
    let mut agent = fixture.agent().await;
    let first = agent.begin(FIRST_URI, false).await;
    let next = first.next_uri().unwrap();
    agent
        .send(format!("POST {next} HTTP/1.1\r\n{PROTOCOL}X-Admin-Script-Status: ok\r\n\r\n").as_bytes())
        .await;
    assert_eq!(agent.answer().await.map(|answer| answer.status), Some(400));
}

#[tokio::test(flavor = "multi_thread")]
async fn random_records_after_the_handshake_end_that_connection_alone() {
    let fixture = GatewayFixture::start().await;
    let mut agent = fixture.agent().await;
    agent
        .send(&(0..=255).cycle().take(20_000).collect::<Vec<u8>>())
        .await;
    assert!(agent.answer().await.is_none_or(|answer| answer.status == 400));
    let again = Agent::connect(fixture.gateway.addr())
        .await
        .begin(FIRST_URI, false)
        .await;
    assert_eq!(again.status, 200);
}

// A chip that ends TLS with the alert of an error says so itself.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_tls_record_are_a_lost_link_and_no_alert_of_the_chip() {
    let fixture = GatewayFixture::start().await;
    let mut agent = fixture.agent().await;
    agent.begin(FIRST_URI, false).await;
    agent.send_past_tls(&[0; 64]).await;
    fixture.events.sessions_ended(1).await;
    let (_, events) = fixture.finish().await;
    assert_eq!(events.endings(), ["link_lost"]);
}
