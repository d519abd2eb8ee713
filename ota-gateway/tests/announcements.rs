//! What a gateway announces to the platform: what it has, and whose handshakes failed.

use ota_gateway::Settings;
use test_support::eid::EID;
use test_support::gateway::GatewayFixture;
use test_support::gateway::agent::{Agent, Tls};
use test_support::gateway::platform::PlatformBehaviour;

/// A gateway that announces itself every second.
async fn start(behaviour: PlatformBehaviour, edit: impl FnOnce(&mut Settings)) -> GatewayFixture {
    GatewayFixture::start_with(behaviour, |settings| {
        settings.limits.announce_secs = 1;
        edit(settings);
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_announces_its_name_profiles_and_key_versions_at_its_start() {
    let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
        settings.name = "gw-1".into();
    })
    .await;
    fixture.platform.called("/announce").await;
    let announced = &fixture.platform.calls("/announce")[0];
    assert_eq!(announced["gateway"], "gw-1");
    assert_eq!(announced["seq"], 1);
    assert_eq!(
        announced["profiles"],
        serde_json::json!(["generic-usim", "qibiao-seed"])
    );
    assert_eq!(announced["key_versions"], serde_json::json!([64]));
    assert_eq!(announced["failed_handshakes"], serde_json::json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_with_a_wrong_key_are_announced_with_their_chip() {
    let fixture = start(PlatformBehaviour::default(), |_| {}).await;
    let wrong = Tls {
        psk: vec![0x55; 16],
        ..Tls::default()
    };
    assert!(Agent::connect_with(fixture.gateway.addr(), wrong).await.is_err());
    let failed = fixture.platform.failed_handshake().await;
    assert_eq!(
        failed,
        serde_json::json!({"eid": EID, "count": 1, "failure": "wrong_key"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_identity_is_announced_for_no_chip() {
    let fixture = start(PlatformBehaviour::default(), |_| {}).await;
    let unknown = Tls {
        identity: b"nobody".to_vec(),
        ..Tls::default()
    };
    assert!(
        Agent::connect_with(fixture.gateway.addr(), unknown)
            .await
            .is_err()
    );
    let wrong = Tls {
        psk: vec![0x55; 16],
        ..Tls::default()
    };
    assert!(Agent::connect_with(fixture.gateway.addr(), wrong).await.is_err());
    fixture.platform.failed_handshake().await;
    let announced = fixture.platform.calls("/announce");
    let failed = announced
        .iter()
        .flat_map(|call| call["failed_handshakes"].as_array().unwrap());
    assert!(failed.into_iter().all(|failed| failed["eid"] == EID));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chip_for_which_the_gateway_has_no_usable_keys_is_announced_and_gets_no_session() {
    type Case = (Option<Vec<u8>>, fn(&mut Settings), &'static str);
    let cases: [Case; 3] = [
        (
            None,
            |settings| settings.master_keys = format!("65:{}", "22".repeat(32)).as_str().into(),
            "no_master_key",
        ),
        (
            Some(vec![0x5A; 32]),
            |settings| settings.link_key = "33".repeat(32).as_str().into(),
            "keys_unusable",
        ),
        (Some(vec![0x5A; 8]), |_| {}, "keys_unusable"),
    ];
    for (explicit_psk, edit, failure) in cases {
        let behaviour = PlatformBehaviour {
            explicit_psk,
            ..PlatformBehaviour::default()
        };
        let fixture = start(behaviour, edit).await;
        let refused = Agent::connect_with(fixture.gateway.addr(), Tls::default()).await;
        assert!(refused.is_err(), "{failure}");
        let failed = fixture.platform.failed_handshake().await;
        assert_eq!(
            (&failed["eid"], &failed["failure"]),
            (&EID.into(), &failure.into())
        );
        let (platform, _) = fixture.finish().await;
        assert!(platform.calls("/sessions").is_empty() && platform.calls("/report").is_empty());
    }
}
