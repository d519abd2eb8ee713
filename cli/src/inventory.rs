//! Inventories of chips and numbers, in the form of the import interfaces.
//!
//! A sample is in `samples/`; larger ones are generated. Key material is in the files only wrapped (RFC 3394) under a
//! named transport key; it must never be written in the clear.

use std::path::Path;

use aes_kw::KwAes256;
use aes_kw::cipher::KeyInit as _;
use anyhow::{Context as _, Result, anyhow};
use serde::{Deserialize, Serialize};

use crate::language::text;
use crate::secrets::{CARD_KEY_VERSION, random_bytes};

/// Transport key of the sample: the published key encryption key of RFC 3394 §4.6.
pub const SAMPLE_TRANSPORT_KEY: [u8; 32] =
    *b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0A\x0B\x0C\x0D\x0E\x0F\
      \x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1A\x1B\x1C\x1D\x1E\x1F";
/// Name of [`SAMPLE_TRANSPORT_KEY`] in the files of the sample.
pub const SAMPLE_TRANSPORT_KEY_NAME: &str = "sample";
/// Province of generated numbers: 山东, GB/T 2260.
pub const PROVINCE_CODE: &str = "37";
/// The card profile of generated chips.
const PROFILE: &str = "qibiao-seed";
/// Test allowance of a generated chip, in MB.
const ALLOWANCE_MB: &str = "5";

/// One line of the chip file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChipRow {
    /// EID, 32 digits.
    pub eid: String,
    /// Model name of the card maker.
    pub chip_model: String,
    /// Card profile by which the gateway writes this chip.
    pub profile: String,
    /// `4g` or `nb-iot`.
    pub network_type: String,
    /// The temporary number, 13 digits.
    pub temp_msisdn: String,
    /// ICCID of the temporary number.
    pub temp_iccid: String,
    /// IMSI of the temporary number.
    pub temp_imsi: String,
    /// Day the temporary number was opened; empty: the day of import.
    pub temp_opened_on: String,
    /// Test allowance in MB.
    pub allowance_mb: String,
    /// IMEI of the module, if known.
    pub imei: String,
    /// Owner; empty: the client named in the import call.
    pub client_id: String,
    /// PSK identity where it is not the SGP.02 layout, hex.
    pub psk_identity: String,
    /// Version of the key set.
    pub key_version: u8,
    /// PSK wrapped under the transport key, hex; empty: diversified from the master key.
    pub psk_wrapped: String,
    /// DEK wrapped under the transport key, hex; empty: diversified from the master key.
    pub dek_wrapped: String,
    /// Name of the transport key.
    pub transport_key: String,
}

/// One line of the number file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NumberRow {
    /// ICCID, 20 characters.
    pub iccid: String,
    /// Number, 13 digits.
    pub msisdn: String,
    /// IMSI, 15 digits.
    pub imsi: String,
    /// Province code of GB/T 2260, two digits.
    pub province_code: String,
    /// Short message centre, E.164 with `+`.
    pub smsc: String,
    /// Services, separated by `;`.
    pub services: String,
    /// Client the number is allotted to; empty: the pool.
    pub client_id: String,
    /// K wrapped under the transport key, hex.
    pub k_wrapped: String,
    /// OPc wrapped under the transport key, hex.
    pub opc_wrapped: String,
    /// Name of the transport key.
    pub transport_key: String,
}

/// Chips and as many numbers.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Chips to import.
    pub chips: Vec<ChipRow>,
    /// Numbers to import into the pool.
    pub numbers: Vec<NumberRow>,
}

impl Inventory {
    /// Reads the sample.
    pub fn sample() -> Result<Self> {
        Ok(Self {
            chips: rows(include_str!("../samples/chips.csv")).context("samples/chips.csv")?,
            numbers: rows(include_str!("../samples/numbers.csv")).context("samples/numbers.csv")?,
        })
    }

    /// Generates `count` chips and as many numbers of one province, with random K and OPc.
    ///
    /// Identifiers depend only on the serial number, counted from `first`.
    pub fn generate(
        first: u32,
        count: u32,
        transport_key_name: &str,
        transport_key: &[u8; 32],
    ) -> Result<Self> {
        let mut inventory = Self {
            chips: Vec::new(),
            numbers: Vec::new(),
        };
        for serial in first..first.saturating_add(count) {
            inventory.chips.push(chip(serial));
            inventory
                .numbers
                .push(number(serial, transport_key_name, transport_key)?);
        }
        Ok(inventory)
    }

    /// Encodes the chip file.
    pub fn chips_csv(&self) -> Result<String> {
        to_csv(&self.chips)
    }

    /// Encodes the number file.
    pub fn numbers_csv(&self) -> Result<String> {
        to_csv(&self.numbers)
    }

    /// Writes `chips.csv` and `numbers.csv` into a folder.
    pub fn write_to(&self, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("chips.csv"), self.chips_csv()?)?;
        std::fs::write(folder.join("numbers.csv"), self.numbers_csv()?)?;
        Ok(())
    }

    /// Returns the number with this ICCID.
    pub fn number(&self, iccid: &str) -> Option<&NumberRow> {
        self.numbers.iter().find(|number| number.iccid == iccid)
    }
}

impl NumberRow {
    /// Unwraps K and OPc.
    ///
    /// # Errors
    /// A wrong transport key or malformed key material.
    pub fn keys(&self, transport_key: &[u8; 32]) -> Result<([u8; 16], [u8; 16])> {
        Ok((
            unwrap(transport_key, &self.k_wrapped)?,
            unwrap(transport_key, &self.opc_wrapped)?,
        ))
    }
}

/// Parses a chip file.
pub fn chips(csv: &str) -> Result<Vec<ChipRow>> {
    rows(csv).context(text("不是芯片文件", "not a chip file"))
}

fn chip(serial: u32) -> ChipRow {
    ChipRow {
        eid: eid(serial),
        chip_model: "QB-SEED-4G".into(),
        profile: PROFILE.into(),
        network_type: "4g".into(),
        temp_msisdn: format!("144190{serial:07}"),
        temp_iccid: with_luhn(&format!("898604112690{serial:07}")),
        temp_imsi: format!("46004190{serial:07}"),
        temp_opened_on: String::new(),
        allowance_mb: ALLOWANCE_MB.into(),
        imei: with_luhn(&format!("8612340{serial:07}")),
        client_id: String::new(),
        psk_identity: String::new(),
        key_version: CARD_KEY_VERSION,
        psk_wrapped: String::new(),
        dek_wrapped: String::new(),
        transport_key: String::new(),
    }
}

fn number(serial: u32, transport_key_name: &str, transport_key: &[u8; 32]) -> Result<NumberRow> {
    Ok(NumberRow {
        iccid: with_luhn(&format!("898604152690{serial:07}")),
        msisdn: format!("144019{serial:07}"),
        imsi: format!("46004260{serial:07}"),
        province_code: PROVINCE_CODE.into(),
        smsc: "+8613800100500".into(),
        services: "data".into(),
        client_id: String::new(),
        k_wrapped: wrap(transport_key, &random_bytes()?)?,
        opc_wrapped: wrap(transport_key, &random_bytes()?)?,
        transport_key: transport_key_name.into(),
    })
}

/// A 32-digit EID whose last two digits are the ISO 7064 check digits (SGP.29 §10).
fn eid(serial: u32) -> String {
    let body = format!("890860302022000000{serial:012}");
    let remainder = body
        .bytes()
        .chain(*b"00")
        .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - remainder)
}

/// Appends the Luhn digit (ISO/IEC 7812-1).
fn with_luhn(digits: &str) -> String {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0');
            let value = if place % 2 == 0 { value * 2 } else { value };
            value / 10 + value % 10
        })
        .sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

fn wrap(key: &[u8; 32], plain: &[u8; 16]) -> Result<String> {
    let mut wrapped = [0; 24];
    KwAes256::new(key.into())
        .wrap_key(plain, &mut wrapped)
        .map_err(|error| anyhow!("{}: {error}", text("RFC 3394 密钥加密", "RFC 3394 wrap")))?;
    Ok(hex::encode(wrapped))
}

fn unwrap(key: &[u8; 32], wrapped: &str) -> Result<[u8; 16]> {
    let wrapped = hex::decode(wrapped).context(text("加密的密钥不是十六进制", "wrapped key is not hex"))?;
    let mut plain = [0; 16];
    KwAes256::new(key.into())
        .unwrap_key(&wrapped, &mut plain)
        .map_err(|error| anyhow!("{}: {error}", text("RFC 3394 密钥解密", "RFC 3394 unwrap")))?;
    Ok(plain)
}

fn rows<T: for<'de> Deserialize<'de>>(csv: &str) -> Result<Vec<T>> {
    Ok(csv::Reader::from_reader(csv.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()?)
}

fn to_csv<T: Serialize>(rows: &[T]) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row)?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_those_of_published_examples() {
        // SGP.29 example EID body and the IMEI example of 3GPP TS 23.003 Annex B form.
        assert_eq!(with_luhn("8986032124591033352"), "89860321245910333529");
        assert_eq!(eid(0).len(), 32);
        let value = eid(7)
            .bytes()
            .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
        assert_eq!(value, 1);
    }

    #[test]
    fn keys_are_wrapped_and_only_the_transport_key_unwraps_them() {
        let made = Inventory::generate(1, 2, "t", &SAMPLE_TRANSPORT_KEY).unwrap();
        let (k, opc) = made.numbers[0].keys(&SAMPLE_TRANSPORT_KEY).unwrap();
        let csv = made.numbers_csv().unwrap();
        assert!(!csv.contains(&hex::encode(k)) && !csv.contains(&hex::encode(opc)));
        assert!(made.numbers[0].keys(&[9; 32]).is_err());
    }

    #[test]
    fn the_sample_unwraps_under_the_published_key() {
        let sample = Inventory::sample().unwrap();
        assert!(!sample.chips.is_empty());
        for number in &sample.numbers {
            number.keys(&SAMPLE_TRANSPORT_KEY).unwrap();
        }
    }
}
