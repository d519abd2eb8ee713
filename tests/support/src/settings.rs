//! Keys, secrets and variables of a platform that runs within a test, and the time at which the test begins.
//!
//! They are constants, so that a failing test can be repeated. It must not hold a key that anything but tests uses.

use domain::Timestamp;
use vault::{Vault, VaultSettings, Zeroizing};
use web::Variables;

/// 2026-07-01T08:00:00+08:00, in milliseconds since 1970.
pub const START: i64 = 1_782_864_000_000;

/// The time of a test that has no other: [`START`].
pub const NOW: Timestamp = Timestamp(START);

/// The secret of every internal interface, of administrators too.
pub const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The time zone of the platform.
pub const TIME_ZONE: &str = "Asia/Shanghai";

/// The key under which key material crosses to the gateway.
pub const LINK_KEY: [u8; 32] = [0x5c; 32];

/// The key `tk1`, under which key material of imported files is wrapped.
pub const TRANSPORT_KEY: [u8; 16] = [0x7a; 16];

/// The transport key of the files in `cli/samples`, with its name.
const SAMPLE_KEY: &str = "sample:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// A sealing key under this identifier, as the variable `sealing_keys` has it.
#[must_use]
pub fn sealing_key(id: u8) -> String {
    format!("{id}:{}", hex::encode([id; 32]))
}

/// The platform's keys, with other sealing keys.
#[must_use]
pub fn vault(sealing_keys: &str) -> Vault {
    let Variables {
        index_key,
        home_key,
        link_key,
        token_key,
        transport_keys,
        ..
    } = variables();
    let settings = VaultSettings {
        sealing_keys: Some(sealing_keys),
        index_key: &index_key,
        home_key: home_key.as_ref().map(|key| key.as_str()),
        link_key: link_key.as_ref().map(|key| key.as_str()),
        token_key: token_key.as_ref().map(|key| key.as_str()),
        transport_keys: transport_keys.as_ref().map(|keys| keys.as_str()),
    };
    Vault::from_settings(settings).expect("good settings")
}

/// The variables of a component that needs every key.
#[must_use]
pub fn variables() -> Variables {
    let secret = |text: String| Some(Zeroizing::new(text));
    Variables {
        sealing_keys: secret(sealing_key(1)),
        index_key: Zeroizing::new(hex::encode([0x1d; 32])),
        home_key: secret(hex::encode([0x40; 32])),
        link_key: secret(hex::encode(LINK_KEY)),
        token_key: secret(hex::encode([0x70; 32])),
        transport_keys: secret(format!("tk1:{},{SAMPLE_KEY}", hex::encode(TRANSPORT_KEY))),
        secret: secret(SECRET.to_owned()),
        time_zone: Some(TIME_ZONE.to_owned()),
        ..Variables::default()
    }
}
