//! Connections that never become a session: they take no slot of a chip, and each refusal has its metric.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::net::SocketAddr;
use std::time::Duration;

use test_support::eid::IDENTITY;
use test_support::gateway::GatewayFixture;
use test_support::gateway::agent::{FIRST_URI, session};
use test_support::gateway::card::Card;
use test_support::gateway::platform::PlatformBehaviour;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

/// Shorter than the time after which a dropped SYN is sent again.
const NO_RETRY: Duration = Duration::from_millis(900);
/// After this time a test fails instead of waiting on.
const HANG: Duration = Duration::from_secs(60);

/// A ClientHello of TLS 1.2 that offers PSK-AES128-CBC-SHA256 and no extension.
fn client_hello() -> Vec<u8> {
    let body = [&[3, 3][..], &[7; 32], &[0], &[0, 2, 0x00, 0xAE], &[1, 0]].concat();
    record(1, &body)
}

/// A ClientKeyExchange that names the chip.
fn key_exchange() -> Vec<u8> {
    let length = u16::try_from(IDENTITY.len()).unwrap().to_be_bytes();
    record(16, &[&length[..], IDENTITY.as_bytes()].concat())
}

/// A handshake message in a record of its own.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let body_length = u16::try_from(body.len()).unwrap().to_be_bytes();
    let message = [&[kind, 0][..], &body_length, body].concat();
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    [&[22, 3, 3][..], &length, &message].concat()
}

/// Connects from 127.0.0.`last` and sends these bytes.
async fn connect(to: SocketAddr, last: u8, bytes: &[u8]) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(([127, 0, 0, last], 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    // One that has to go at once may be closed before it could send.
    let _ = stream.write_all(bytes).await;
    stream
}

/// Waits until the gateway closes.
async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
}

async fn metric(fixture: &GatewayFixture, limit: &str) -> u64 {
    let text = fixture.ops("/metrics").await.text;
    let start = format!("xieka_gateway_refused_connections_total{{limit=\"{limit}\"}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&start));
    line.map_or(0, |count| count.parse().unwrap())
}

/// Waits for the refusals of a limit: the gateway counts one after it has closed the connection.
async fn counted(fixture: &GatewayFixture, limit: &str, refusals: u64) {
    let all = async {
        while metric(fixture, limit).await < refusals {
            tokio::task::yield_now().await;
        }
    };
    let in_time = tokio::time::timeout(HANG, all).await;
    assert!(in_time.is_ok(), "{limit}: {}", metric(fixture, limit).await);
    assert_eq!(metric(fixture, limit).await, refusals, "{limit}");
}

/// The gateway shares the thread of this test, which keeps it: nothing is accepted meanwhile.
#[tokio::test]
async fn a_burst_of_connections_finds_room_before_it_is_accepted() {
    let fixture = GatewayFixture::start().await;
    let burst: Vec<_> = (0..400)
        .map(|_| std::net::TcpStream::connect_timeout(&fixture.gateway.addr(), NO_RETRY))
        .collect();
    let refused = burst.iter().filter(|stream| stream.is_err()).count();
    assert_eq!(refused, 0);
    let last = session(fixture.gateway.addr(), &mut Card::seed()).await;
    assert_eq!(last.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_of_one_byte_push_out_each_other_and_no_chip_behind_the_same_address() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.max_hellos_per_address = 16;
    })
    .await;
    let mut flood = Vec::new();
    for _ in 0..64 {
        flood.push(connect(fixture.gateway.addr(), 1, &[22]).await);
    }
    for stream in &mut flood[..48] {
        closed(stream).await;
    }
    let last = session(fixture.gateway.addr(), &mut Card::seed()).await;
    assert_eq!((last.status, last.next_uri()), (200, None), "the card is written");
    closed(&mut flood[48]).await;
    counted(&fixture, "hellos_per_address", 49).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_every_place_is_taken_the_address_with_the_most_gives_one_up() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.max_hellos = 8;
    })
    .await;
    let mut others = Vec::new();
    for last in [2, 3] {
        others.push(connect(fixture.gateway.addr(), last, &[22]).await);
    }
    let mut flood = Vec::new();
    for _ in 0..9 {
        flood.push(connect(fixture.gateway.addr(), 4, &[22]).await);
    }
    for stream in &mut flood[..3] {
        closed(stream).await;
    }
    session(fixture.gateway.addr(), &mut Card::seed()).await;
    closed(&mut flood[3]).await;
    counted(&fixture, "hellos", 4).await;
    for mut stream in others {
        stream.write_all(&client_hello()[1..]).await.unwrap();
        assert_eq!(stream.read_u8().await.unwrap(), 22, "others are still served");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_stand_still_take_the_places_of_their_own_address_alone() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.max_handshakes_per_address = 2;
    })
    .await;
    let mut still = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(fixture.gateway.addr(), 2, &client_hello()).await;
        assert_eq!(stream.read_u8().await.unwrap(), 22, "the server's hello");
        still.push(stream);
    }
    closed(&mut connect(fixture.gateway.addr(), 2, &client_hello()).await).await;
    session(fixture.gateway.addr(), &mut Card::seed()).await;
    counted(&fixture, "handshakes_per_address", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_in_the_name_of_one_chip_are_few() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.max_handshakes_per_chip = 1;
    })
    .await;
    let hello = [client_hello(), key_exchange()].concat();
    let mut one = connect(fixture.gateway.addr(), 2, &hello).await;
    let mut other = connect(fixture.gateway.addr(), 3, &hello).await;
    tokio::select! {
        () = closed(&mut one) => {}
        () = closed(&mut other) => {}
    }
    counted(&fixture, "handshakes_per_chip", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_hello_must_be_whole_in_time() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.hello_timeout_secs = 1;
    })
    .await;
    closed(&mut connect(fixture.gateway.addr(), 2, &client_hello()[..20]).await).await;
    let metrics = fixture.ops("/metrics").await.text;
    assert!(
        metrics.contains("handshakes_total{result=\"hello_timeout\",version=\"none\",suite=\"none\"} 1"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chip_has_one_session_and_the_newer_one_counts() {
    let fixture = GatewayFixture::start().await;
    let mut older = fixture.agent().await;
    older.begin(FIRST_URI, false).await;
    let mut newer = fixture.agent().await;
    assert!(older.is_closed().await && older.got_close_notify());
    fixture.events.sessions_ended(1).await;
    assert_eq!(newer.begin(FIRST_URI, false).await.status, 200);
    drop(newer);
    let (platform, events) = fixture.finish().await;
    assert_eq!(events.endings()[0], "superseded");
    let reasons: Vec<_> = platform
        .calls("/report")
        .iter()
        .map(|report| report["event"]["reason"].clone())
        .collect();
    assert!(reasons.contains(&"superseded".into()), "{reasons:?}");
}
