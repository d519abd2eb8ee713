//! Handshakes as the `openssl` command line tool sees them: what is allowed, what is refused, and with
//! which alert.

use std::net::SocketAddr;
use std::process::Stdio;

use ota_gateway::keys::Purpose;
use test_support::eid::{EID, IDENTITY};
use test_support::gateway::agent::{Agent, FIRST_URI, Tls};
use test_support::gateway::platform::PlatformBehaviour;
use test_support::gateway::{GatewayFixture, chip_key};
use tokio::process::Command;

const GCM: &str = "PSK-AES128-GCM-SHA256";
const CBC: &str = "PSK-AES128-CBC-SHA256";

/// Whether `openssl s_client` succeeded, and what it printed.
async fn s_client(addr: SocketAddr, identity: &str, psk: &[u8], arguments: &[&str]) -> (bool, String) {
    let output = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &addr.to_string(),
            "-psk_identity",
            identity,
            "-psk",
            &hex::encode(psk),
        ])
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the openssl command line tool is installed");
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    (output.status.success(), printed)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_allowed_suite_completes_its_handshake() {
    let fixture = GatewayFixture::start().await;
    let psk = chip_key(Purpose::Psk);
    let cases: [(&[&str], &str, &str); 6] = [
        (&["-tls1_2", "-cipher", CBC], "Protocol  : TLSv1.2", CBC),
        (&["-tls1_2", "-cipher", GCM], "Protocol  : TLSv1.2", GCM),
        (
            &["-tls1_2", "-cipher", CBC, "-maxfraglen", "512"],
            "Protocol  : TLSv1.2",
            CBC,
        ),
        (
            &["-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"],
            "Reused, TLSv1.3",
            "TLS_AES_128_GCM_SHA256",
        ),
        (
            &["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_SHA256"],
            "Reused, TLSv1.3",
            "TLS_AES_128_CCM_SHA256",
        ),
        (
            &["-tls1_3", "-allow_no_dhe_kex", "-maxfraglen", "512"],
            "Reused, TLSv1.3",
            "TLS_AES_128_GCM_SHA256",
        ),
    ];
    for (arguments, version, suite) in cases {
        let (succeeded, printed) = s_client(fixture.gateway.addr(), IDENTITY, &psk, arguments).await;
        assert!(succeeded, "{arguments:?}:\n{printed}");
        assert!(printed.contains(version), "{arguments:?}:\n{printed}");
        assert!(
            printed.contains(&format!("Cipher is {suite}\n")),
            "{arguments:?}:\n{printed}"
        );
        assert!(printed.contains("no peer certificate available"), "{printed}");
        assert!(
            !printed.contains("TLS session ticket:"),
            "{arguments:?}: a ticket was sent\n{printed}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_else_is_refused_with_the_documented_alert() {
    let fixture = GatewayFixture::start().await;
    let (right, wrong) = (chip_key(Purpose::Psk), vec![0x55; 16]);
    let all = "ALL:eNULL:@SECLEVEL=0";
    let cases: [(&str, &[u8], &[&str], u8); 12] = [
        ("6e6f626f6479", &right, &["-tls1_2", "-cipher", CBC], 115),
        ("6e6f626f6479", &right, &["-tls1_2", "-cipher", GCM], 115),
        (IDENTITY, &wrong, &["-tls1_2", "-cipher", CBC], 20),
        (IDENTITY, &wrong, &["-tls1_2", "-cipher", GCM], 20),
        ("6e6f626f6479", &right, &["-tls1_3"], 40),
        (IDENTITY, &wrong, &["-tls1_3"], 47),
        (
            IDENTITY,
            &right,
            &["-tls1_2", "-cipher", "PSK-NULL-SHA256:@SECLEVEL=0"],
            40,
        ),
        (
            IDENTITY,
            &right,
            &[
                "-tls1_2",
                "-cipher",
                "ECDHE-PSK-AES128-CBC-SHA256:DHE-PSK-AES128-CBC-SHA256",
            ],
            40,
        ),
        (
            IDENTITY,
            &right,
            &[
                "-tls1_2",
                "-cipher",
                "PSK-AES256-GCM-SHA384:PSK-AES128-CCM:PSK-AES128-CBC-SHA",
            ],
            40,
        ),
        (IDENTITY, &right, &["-tls1_2", "-cipher", "aRSA:aECDSA"], 40),
        (IDENTITY, &right, &["-tls1_1", "-cipher", all], 70),
        (IDENTITY, &right, &["-tls1", "-cipher", all], 70),
    ];
    for (identity, psk, arguments, alert) in cases {
        let (succeeded, printed) = s_client(fixture.gateway.addr(), identity, psk, arguments).await;
        assert!(!succeeded, "{arguments:?}:\n{printed}");
        assert!(
            printed.contains(&format!("SSL alert number {alert}\n")),
            "{arguments:?}:\n{printed}"
        );
    }
    let metrics = fixture.ops("/metrics").await.text;
    for result in ["unknown_identity", "wrong_key", "no_common_suite", "version"] {
        assert!(
            metrics.contains(&format!("handshakes_total{{result=\"{result}\"")),
            "{result} is not in\n{metrics}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn encrypt_then_mac_is_never_agreed() {
    let fixture = GatewayFixture::start().await;
    let (_, printed) = s_client(
        fixture.gateway.addr(),
        IDENTITY,
        &chip_key(Purpose::Psk),
        &["-tls1_2", "-cipher", CBC, "-tlsextdebug"],
    )
    .await;
    assert!(printed.contains("TLS server extension"), "{printed}");
    assert!(!printed.contains("encrypt-then-mac"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_opaque_identity_that_is_no_text_finds_its_key() {
    let psk = vec![0x5A; 32];
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            explicit_psk: Some(psk.clone()),
            ..PlatformBehaviour::default()
        },
        |_| {},
    )
    .await;
    let identity = vec![0x01, 0xFF, 0x80, 0x7F, 0xC3];
    let tls = Tls {
        identity: identity.clone(),
        psk,
        ..Tls::default()
    };
    let agent = Agent::connect_with(fixture.gateway.addr(), tls).await.unwrap();
    assert_eq!(agent.suite(), CBC);
    let asked = fixture.platform.calls("/keys");
    assert_eq!(asked[0]["psk_identity"], hex::encode(identity));
    assert!(asked[0]["eid"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_platform_decides_about_every_identity_and_its_answer_is_used_for_a_while() {
    let fixture = GatewayFixture::start().await;
    for _ in 0..3 {
        fixture.agent().await;
    }
    let asked = fixture.platform.calls("/keys");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0]["eid"], EID);
}

// Amendment B §3.5: a chip does not try again after a security failure
#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_gives_no_answer_ends_the_connection_without_an_alert() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.gateway_secret = "no longer the secret of this gateway".into();
    })
    .await;
    for version in ["-tls1_2", "-tls1_3"] {
        let (done, printed) = s_client(fixture.gateway.addr(), IDENTITY, &[0x5A; 16], &[version]).await;
        assert!(!done && !printed.contains("alert number"), "{printed}");
    }
}

#[tokio::test]
async fn a_platform_that_does_not_answer_about_keys_holds_up_nobody_else() {
    // One thread alone: were it blocked by a look-up, nothing else could go on.
    let fixture = GatewayFixture::start_with(
        PlatformBehaviour {
            silent_keys: true,
            ..PlatformBehaviour::default()
        },
        |settings| {
            settings.limits.handshake_timeout_secs = 1;
        },
    )
    .await;
    let waiting: Vec<_> = (0..4)
        .map(|_| tokio::spawn(Agent::connect_with(fixture.gateway.addr(), Tls::default())))
        .collect();
    assert_eq!(fixture.ops("/healthz").await.status, 200);
    for agent in waiting {
        assert!(agent.await.unwrap().is_err(), "no key, no handshake");
    }
    fixture.platform.set(|behaviour| behaviour.silent_keys = false);
    fixture.agent().await;
    let metrics = fixture.ops("/metrics").await.text;
    assert!(
        metrics.contains("handshakes_total{result=\"timeout\",version=\"none\",suite=\"none\"} 4"),
        "{metrics}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_connections_than_allowed_are_kept() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.limits.max_sessions = 2;
        settings.limits.max_sessions_per_chip = 8;
    })
    .await;
    let (mut one, mut two) = (fixture.agent().await, fixture.agent().await);
    for agent in [&mut one, &mut two] {
        // An answer shows that the session has its slot.
        agent.begin(FIRST_URI, false).await;
    }
    assert!(
        Agent::connect_with(fixture.gateway.addr(), Tls::default())
            .await
            .is_err()
    );
    let metrics = fixture.ops("/metrics").await.text;
    assert!(
        metrics.contains("refused_connections_total{limit=\"sessions\"} 1"),
        "{metrics}"
    );
    drop((one, two));
}

#[tokio::test(flavor = "multi_thread")]
async fn no_session_is_ever_resumed() {
    let fixture = GatewayFixture::start().await;
    let arguments = ["-tls1_2", "-cipher", CBC, "-reconnect"];
    let (_, printed) = s_client(
        fixture.gateway.addr(),
        IDENTITY,
        &chip_key(Purpose::Psk),
        &arguments,
    )
    .await;
    assert_eq!(printed.matches("New, TLS").count(), 6, "{printed}");
    assert!(!printed.contains("Reused, TLS"), "{printed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn renegotiation_is_refused() {
    use tokio::io::AsyncWriteExt as _;
    let fixture = GatewayFixture::start().await;
    let mut client = Command::new("openssl")
        .args([
            "s_client",
            "-connect",
            &fixture.gateway.addr().to_string(),
            "-tls1_2",
            "-cipher",
            CBC,
        ])
        .args([
            "-psk_identity",
            IDENTITY,
            "-psk",
            &hex::encode(chip_key(Purpose::Psk)),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(b"R\n").await.unwrap();
    let output = client.wait_with_output().await.unwrap();
    let printed = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        printed.contains("RENEGOTIATING") && printed.contains("no renegotiation"),
        "{printed}"
    );
}
