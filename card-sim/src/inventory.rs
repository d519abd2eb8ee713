//! The chip file of the `card-sim` program, TOML or JSON.
//!
//! Errors must never show a key of the file.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use uicc::Eid;

use crate::personalisation::{
    BodyCoding, Builder, KEY_BYTES, MaxFragment, Personalisation, RefreshPolicy, Suite, TlsChoice,
};

/// Most bytes of a chip file.
const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Contents of a chip file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory {
    /// Address of the gateway that every chip connects to.
    pub gateway: SocketAddr,
    /// Modules powered at the same time.
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// Behaviour of all chips.
    #[serde(default)]
    pub defaults: Behaviour,
    /// The chips.
    pub chips: Vec<ChipEntry>,
}

const fn default_concurrency() -> usize {
    16
}

/// One chip.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChipEntry {
    /// EID, 32 digits.
    pub eid: String,
    /// Pre-shared key, 32 hexadecimal digits.
    pub psk: String,
    /// Data encryption key, 32 hexadecimal digits.
    pub dek: String,
    /// ICCID.
    pub iccid: Option<String>,
    /// Temporary IMSI.
    pub imsi: Option<String>,
    /// Temporary number with country code.
    pub msisdn: Option<String>,
    /// PSK identity as text; left out: the SGP.02 layout.
    pub psk_identity: Option<String>,
    /// Key version.
    pub key_version: Option<u8>,
    /// Test allowance in bytes.
    pub allowance: Option<u64>,
}

/// Behaviour of chips; what is left out has the default of `Personalisation`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Behaviour {
    /// `Host` header.
    pub host: Option<String>,
    /// First URI.
    pub uri: Option<String>,
    /// Access point name.
    pub apn: Option<String>,
    /// `tls12-cbc`, `tls12-gcm` or `tls13`.
    pub suite: Option<SuiteName>,
    /// 512, 1024, 2048 or 4096 bytes.
    pub max_fragment: Option<u16>,
    /// Whether bodies are sent with `Content-Length` instead of chunks.
    #[serde(default)]
    pub content_length: bool,
    /// Channel buffer in bytes.
    pub buffer_bytes: Option<u16>,
    /// Whether the issuer may update EF_ICCID.
    pub iccid_writable: Option<bool>,
    /// Qualifier of the REFRESH after a session that changed files.
    pub automatic_refresh: Option<u8>,
    /// Inactivity time-out in seconds.
    pub inactivity_secs: Option<u64>,
    /// Number of refused channel requests after which the temporary IMSI is restored.
    pub fallback_after: Option<u8>,
}

/// Name of a cipher suite in the chip file.
#[derive(Deserialize, Clone, Copy)]
pub enum SuiteName {
    /// `TLS_PSK_WITH_AES_128_CBC_SHA256`.
    #[serde(rename = "tls12-cbc")]
    Cbc,
    /// `TLS_PSK_WITH_AES_128_GCM_SHA256`.
    #[serde(rename = "tls12-gcm")]
    Gcm,
    /// `TLS_AES_128_GCM_SHA256`.
    #[serde(rename = "tls13")]
    Tls13,
}

/// Why a chip file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("cannot read the file: {0}")]
    Io(#[from] std::io::Error),
    /// The file is longer than 64 MiB.
    #[error("the file is longer than {MAX_FILE_BYTES} bytes")]
    TooLong,
    /// The file is not TOML of this form.
    #[error("{}", .0.message())]
    Toml(#[from] toml::de::Error),
    /// The file is not JSON of this form.
    #[error("not the expected JSON, line {}, column {}", .0.line(), .0.column())]
    Json(#[from] serde_json::Error),
    /// A chip has a value that cannot be put into a chip.
    #[error("chip {number}: {reason}")]
    Chip {
        /// Position of the chip in the file, from 1.
        number: usize,
        /// What is wrong.
        reason: String,
    },
}

impl Inventory {
    /// Reads a file; `.json` is JSON, everything else TOML.
    ///
    /// # Errors
    /// [`InventoryError::Io`], [`InventoryError::TooLong`], [`InventoryError::Json`] and [`InventoryError::Toml`].
    pub fn read(path: &Path) -> Result<Self, InventoryError> {
        if std::fs::metadata(path)?.len() > MAX_FILE_BYTES {
            return Err(InventoryError::TooLong);
        }
        let text = std::fs::read_to_string(path)?;
        if path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("json"))
        {
            Ok(serde_json::from_str(&text)?)
        } else {
            Self::from_toml(&text)
        }
    }

    /// Reads TOML text.
    ///
    /// # Errors
    /// [`InventoryError::Toml`].
    pub fn from_toml(text: &str) -> Result<Self, InventoryError> {
        Ok(toml::from_str(text)?)
    }

    /// Personalisation of every chip of the file.
    ///
    /// # Errors
    /// [`InventoryError::Chip`].
    pub fn personalise(&self) -> Result<Vec<Personalisation>, InventoryError> {
        let numbered = self.chips.iter().zip(1..);
        numbered
            .map(|(chip, number)| {
                self.one(chip)
                    .map_err(|reason| InventoryError::Chip { number, reason })
            })
            .collect()
    }

    fn one(&self, chip: &ChipEntry) -> Result<Personalisation, String> {
        let eid = Eid::from_digits(&chip.eid).map_err(|error| format!("eid: {error}"))?;
        let mut card = Personalisation::builder(eid, key("psk", &chip.psk)?, key("dek", &chip.dek)?)
            .gateway(self.gateway)
            .host(self.gateway.to_string());
        card = self.defaults.apply(card)?;
        card = set(card, chip.iccid.clone(), Builder::iccid);
        card = set(card, chip.imsi.clone(), Builder::imsi);
        card = set(card, chip.msisdn.clone(), Builder::msisdn);
        card = set(card, chip.psk_identity.clone(), Builder::psk_identity);
        card = set(card, chip.key_version, Builder::key_version);
        card = set(card, chip.allowance, Builder::allowance);
        card.build().map_err(|error| error.to_string())
    }
}

impl Behaviour {
    fn apply(&self, mut card: Builder) -> Result<Builder, String> {
        let suite = match self.suite {
            None | Some(SuiteName::Cbc) => Suite::Tls12CbcSha256,
            Some(SuiteName::Gcm) => Suite::Tls12GcmSha256,
            Some(SuiteName::Tls13) => Suite::Tls13GcmSha256,
        };
        let max_fragment = match self.max_fragment {
            None => None,
            Some(512) => Some(MaxFragment::Bytes512),
            Some(1024) => Some(MaxFragment::Bytes1024),
            Some(2048) => Some(MaxFragment::Bytes2048),
            Some(4096) => Some(MaxFragment::Bytes4096),
            Some(_) => return Err("max_fragment: expected 512, 1024, 2048 or 4096".to_owned()),
        };
        card = card.tls(TlsChoice { suite, max_fragment });
        if self.content_length {
            card = card.body_coding(BodyCoding::ContentLength);
        }
        card = set(card, self.host.clone(), Builder::host);
        card = set(card, self.uri.clone(), Builder::uri);
        card = set(card, self.apn.clone(), Builder::apn);
        card = set(card, self.buffer_bytes, Builder::buffer_bytes);
        card = set(card, self.iccid_writable, Builder::iccid_writable);
        card = set(
            card,
            self.automatic_refresh.map(RefreshPolicy::Automatic),
            Builder::refresh,
        );
        card = set(
            card,
            self.inactivity_secs.map(Duration::from_secs),
            Builder::inactivity,
        );
        card = set(card, self.fallback_after.map(Some), Builder::fallback_after);
        Ok(card)
    }
}

fn set<T>(card: Builder, value: Option<T>, setter: impl Fn(Builder, T) -> Builder) -> Builder {
    match value {
        Some(value) => setter(card, value),
        None => card,
    }
}

fn key(name: &str, digits: &str) -> Result<[u8; KEY_BYTES], String> {
    let mut key = [0; KEY_BYTES];
    hex::decode_to_slice(digits, &mut key).map_err(|_| format!("{name}: expected 32 hexadecimal digits"))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        gateway = "192.0.2.1:8443"
        [defaults]
        suite = "tls13"
        max_fragment = 1024
        automatic_refresh = 4
        [[chips]]
        eid = "89086030202200000022000000000090"
        psk = "000102030405060708090a0b0c0d0e0f"
        dek = "101112131415161718191a1b1c1d1e1f"
        imsi = "460001234567890"
    "#;

    #[test]
    fn a_file_describes_chips() {
        let cards = Inventory::from_toml(FILE).unwrap().personalise().unwrap();
        assert_eq!(cards.len(), 1);
        assert_eq!(cards[0].imsi, "460001234567890");
        assert_eq!(cards[0].tls.suite, Suite::Tls13GcmSha256);
        assert_eq!(cards[0].tls.max_fragment, Some(MaxFragment::Bytes1024));
        assert_eq!(cards[0].refresh, RefreshPolicy::Automatic(4));
    }

    #[test]
    fn what_is_wrong_is_named_without_showing_a_key() {
        let wrong = |from: &str, to: &str| match Inventory::from_toml(&FILE.replace(from, to)) {
            Ok(inventory) => inventory.personalise().map(drop).unwrap_err().to_string(),
            Err(error) => error.to_string(),
        };
        assert!(wrong("22000000000090", "2200000000009").starts_with("chip 1: eid"));
        assert!(wrong("460001234567890", "46000x").contains("chip 1: imsi"));
        assert!(wrong("max_fragment = 1024", "max_fragment = 1000").contains("max_fragment"));
        let short = wrong("000102030405060708090a0b0c0d0e0f", "000102");
        assert!(short.contains("psk") && !short.contains("000102"), "{short}");
    }
}
