//! Personalises a simulated chip from its line in the chip file and the master keys, as a card maker does.
//!
//! It must never print a key, nor derive one for a chip whose keys are in the file.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use card_sim::Personalisation;
use card_sim::personalisation::Builder;
use ota_gateway::keys::{MasterKeys, Purpose};
use uicc::ident::Eid;

use crate::inventory::ChipRow;
use crate::language::text;

/// Bytes of one megabyte of the test allowance, as the import counts them.
const BYTES_PER_MB: f64 = 1_000_000.0;

/// Personalises a chip that connects to `gateway`.
///
/// # Errors
/// A chip with keys of its own, a key version without master key, or a malformed EID or allowance.
pub(crate) fn personalise(chip: &ChipRow, keys: &MasterKeys, gateway: SocketAddr) -> Result<Builder> {
    ensure!(
        chip.psk_wrapped.is_empty(),
        "{}: {}",
        chip.eid,
        text(
            "自带密钥的芯片无法模拟",
            "a chip with keys of its own cannot be simulated"
        )
    );
    let eid = Eid::from_digits(&chip.eid).with_context(|| format!("EID {}", chip.eid))?;
    let key = |purpose| -> Result<[u8; 16]> {
        let key = keys
            .derive(purpose, &eid, chip.key_version)
            .context(text("没有此版本的主密钥", "no master key of this version"))?;
        key.expose()
            .try_into()
            .context(text("派生的密钥应为 16 字节", "a derived key has 16 bytes"))
    };
    let allowance: f64 = chip.allowance_mb.parse().context("allowance_mb")?;
    Ok(
        Personalisation::builder(eid, key(Purpose::Psk)?, key(Purpose::Dek)?)
            .iccid(chip.temp_iccid.clone())
            .imsi(chip.temp_imsi.clone())
            .msisdn(format!("86{}", chip.temp_msisdn))
            .key_version(chip.key_version)
            .allowance((allowance * BYTES_PER_MB) as u64)
            .gateway(gateway)
            .host(gateway.to_string())
            .uri("/adminagent"),
    )
}
