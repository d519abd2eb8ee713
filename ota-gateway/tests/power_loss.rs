//! Power is lost at every command of every script, and the network asks each card for its keys.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use std::sync::Arc;

use card_sim::module::Outcome;
use card_sim::personalisation::{Builder, SEED_K, SEED_OPC};
use card_sim::{ApduIndex, Faults, Module, ModuleSettings, Personalisation, Side, VirtualNetwork};
use ota_gateway::keys::Purpose;
use ota_gateway::profile::SHIPPED;
use test_support::eid::{EID, IDENTITY};
use test_support::gateway::platform::{PlatformBehaviour, RESERVED_IMSI, RESERVED_KEYS};
use test_support::gateway::{GatewayFixture, chip_key};

const SEED_IMSI: &str = "460040000000001";
/// Power-ups after which a card is written, unless it is lost.
const POWER_UPS: usize = 4;

/// A platform, a gateway with this profile, and a network that knows the keys of both numbers.
struct Field {
    fixture: GatewayFixture,
    network: Arc<VirtualNetwork>,
    _profiles: tempfile::TempDir,
}

impl Field {
    async fn with_profile(profile: &str) -> Self {
        let profiles = tempfile::tempdir().unwrap();
        std::fs::write(profiles.path().join("own.toml"), profile).unwrap();
        let fixture = GatewayFixture::start_with(PlatformBehaviour::default(), |settings| {
            settings.profiles_dir = Some(profiles.path().to_owned());
        })
        .await;
        let network = VirtualNetwork::of([]);
        network.subscribe(SEED_IMSI, SEED_K, SEED_OPC);
        let (k, opc) = RESERVED_KEYS;
        network.subscribe(RESERVED_IMSI, [k; 16], [opc; 16]);
        Self {
            fixture,
            network: Arc::new(network),
            _profiles: profiles,
        }
    }

    fn module(&self, change: impl Fn(Builder) -> Builder) -> Module {
        let key = |purpose| chip_key(purpose).try_into().unwrap();
        let card = Personalisation::builder(EID.parse().unwrap(), key(Purpose::Psk), key(Purpose::Dek))
            .imsi(SEED_IMSI)
            .smsc("8613800100500".to_owned())
            .psk_identity(IDENTITY.as_bytes().to_vec())
            .gateway(self.fixture.gateway.addr());
        Module::new(
            change(card).build().unwrap(),
            ModuleSettings::default(),
            Arc::clone(&self.network),
        )
    }

    /// Powers the module up until the platform has its proof; whether the network lets the card in at last.
    async fn write(&self, module: &mut Module) -> bool {
        let mut attached = false;
        for _ in 0..POWER_UPS {
            attached = module.power_on().await.attached;
            if self.fixture.platform.reported().contains(&"verified".to_owned()) {
                assert!(attached, "a verified card does not attach");
                return true;
            }
        }
        assert!(!attached, "a card that attaches was not written");
        false
    }
}

/// The shipped profile with K and IMSI in two commands.
fn two_commands(switch: &str) -> String {
    SHIPPED[1]
        .replace("    { tag = 0x84, value = \"imsi\" },\n", "")
        .replace(
            "identity_switch = \"one-command\"",
            &format!("identity_switch = \"{switch}\""),
        )
}

/// The points of power loss, by script command and side, after which the card is lost.
async fn lost_at(profile: &str, change: impl Fn(Builder) -> Builder) -> Vec<(u64, Side)> {
    let undisturbed = Field::with_profile(profile).await;
    let mut module = undisturbed.module(&change);
    let commands = module.power_on().await.script_apdus;
    assert!(commands > 40, "{commands}");
    let mut lost = Vec::new();
    for at in 0..commands {
        for side in [Side::Before, Side::After] {
            let field = Field::with_profile(profile).await;
            let mut module = field.module(&change);
            module.set_faults(Faults::power_loss(ApduIndex::Script(at), side));
            assert_eq!(
                module.power_on().await.outcome,
                Outcome::PowerLost,
                "{at} {side:?}"
            );
            if !field.write(&mut module).await {
                lost.push((at, side));
            }
        }
    }
    lost
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_in_one_command_loses_no_card_wherever_power_is_lost() {
    assert_eq!(lost_at(SHIPPED[1], |card| card).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_in_two_commands_loses_the_card_between_them_and_nowhere_else() {
    let lost = lost_at(&two_commands("separate"), |card| card).await;
    // After the key command; around both SELECTs; before the UPDATE.
    assert_eq!(lost.len(), 6, "{lost:?}");
    let [first, .., last] = lost[..] else {
        unreachable!()
    };
    assert_eq!((first.1, last.1), (Side::After, Side::Before));
    assert_eq!(last.0 - first.0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_card_that_falls_back_to_its_seed_identity_is_not_lost() {
    let lost = lost_at(&two_commands("card-fallback"), |card| {
        card.fallback_after(Some(1))
    })
    .await;
    assert_eq!(lost, []);
}
