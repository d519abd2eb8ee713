//! Chips and numbers, numbered, and the files that they are imported from.
//!
//! It must not check what the import checks: a test edits a row to make it wrong.

use domain::{ClientId, Eid};
use vault::wrap;

use crate::eid::eid_text;
use crate::settings::TRANSPORT_KEY;

/// The EID of chip `n`.
#[must_use]
pub fn eid(n: u32) -> Eid {
    Eid::parse(&eid_text(n)).expect("a valid EID")
}

/// Key material as files have it: wrapped under `tk1`, in hexadecimal.
#[must_use]
pub fn wrapped(key: [u8; 16]) -> String {
    hex::encode(wrap(&TRANSPORT_KEY, &key).expect("wrapped"))
}

/// K and OPc of number `n`: another key for each `kind`.
#[must_use]
pub fn key_of(n: u32, kind: u8) -> [u8; 16] {
    let mut key = [kind; 16];
    key[..4].copy_from_slice(&(0xdead_0000 + n).to_be_bytes());
    key
}

/// One row of a chip file.
#[derive(Clone)]
pub struct ChipCsv {
    /// The column `eid`.
    pub eid: String,
    /// The column `chip_model`.
    pub chip_model: String,
    /// The column `profile`.
    pub profile: String,
    /// The column `temp_msisdn`.
    pub temp_msisdn: String,
    /// The column `temp_iccid`.
    pub temp_iccid: String,
    /// The column `temp_imsi`.
    pub temp_imsi: String,
    /// The column `network_type`.
    pub network_type: String,
    /// The column `temp_opened_on`.
    pub temp_opened_on: String,
    /// The column `allowance_mb`.
    pub allowance_mb: String,
    /// The column `client_id`.
    pub client_id: String,
    /// The column `psk_identity`.
    pub psk_identity: String,
    /// The column `key_version`.
    pub key_version: u8,
    /// The PSK, of which the DEK is the complement; without it the columns of keys are empty.
    pub psk: Option<[u8; 16]>,
}

impl ChipCsv {
    /// Chip `n`, without a client and without keys.
    #[must_use]
    pub fn new(n: u32) -> Self {
        Self {
            eid: eid_text(n),
            chip_model: "XK-1".to_owned(),
            profile: "qibiao-seed".to_owned(),
            temp_msisdn: format!("1064800{n:06}"),
            temp_iccid: format!("8986040000000{n:06}1"),
            temp_imsi: format!("460040000{n:06}"),
            network_type: "4g".to_owned(),
            temp_opened_on: "2026-06-01".to_owned(),
            allowance_mb: "5".to_owned(),
            client_id: String::new(),
            psk_identity: String::new(),
            key_version: 64,
            psk: None,
        }
    }

    /// The row.
    #[must_use]
    pub fn line(&self) -> String {
        let (psk, dek, name) = match self.psk {
            Some(psk) => (wrapped(psk), wrapped(psk.map(|byte| !byte)), "tk1"),
            None => (String::new(), String::new(), ""),
        };
        let Self {
            eid,
            chip_model,
            profile,
            temp_msisdn,
            temp_iccid,
            temp_imsi,
            network_type,
            temp_opened_on,
            ..
        } = self;
        let Self {
            allowance_mb,
            client_id,
            psk_identity,
            key_version,
            ..
        } = self;
        format!(
            "{eid},{chip_model},{profile},{network_type},{temp_msisdn},{temp_iccid},{temp_imsi},{temp_opened_on},\
             {allowance_mb},350000000000001,{client_id},{psk_identity},{key_version},{psk},{dek},{name}"
        )
    }
}

/// The first line of a chip file.
pub const CHIP_HEADER: &str = "eid,chip_model,profile,network_type,temp_msisdn,temp_iccid,temp_imsi,\
    temp_opened_on,allowance_mb,imei,client_id,psk_identity,key_version,psk_wrapped,dek_wrapped,transport_key";

/// A chip file.
#[must_use]
pub fn chip_csv(chips: &[ChipCsv]) -> String {
    let lines: Vec<String> = chips.iter().map(ChipCsv::line).collect();
    format!("{CHIP_HEADER}\n{}\n", lines.join("\n"))
}

/// One row of a number file.
#[derive(Clone)]
pub struct NumberCsv {
    /// The column `iccid`.
    pub iccid: String,
    /// The column `msisdn`.
    pub msisdn: String,
    /// The column `imsi`.
    pub imsi: String,
    /// The column `province`.
    pub province: String,
    /// The column `services`.
    pub services: String,
    /// The column `client_id`.
    pub client_id: String,
    /// The column `k_wrapped`.
    pub k_wrapped: String,
    /// The column `opc_wrapped`.
    pub opc_wrapped: String,
}

impl NumberCsv {
    /// Number `n` in the pool of province 37.
    #[must_use]
    pub fn new(n: u32) -> Self {
        Self {
            iccid: format!("898604071120C0{n:06}"),
            msisdn: format!("1440100{n:06}"),
            imsi: format!("460071000{n:06}"),
            province: "37".to_owned(),
            services: "data".to_owned(),
            client_id: String::new(),
            k_wrapped: wrapped(key_of(n, 0x4b)),
            opc_wrapped: wrapped(key_of(n, 0x0c)),
        }
    }

    /// Number `n` in the pool of a province.
    #[must_use]
    pub fn of_province(n: u32, province: &str) -> Self {
        Self {
            province: province.to_owned(),
            ..Self::new(n)
        }
    }

    /// Number `n`, which only this client may use.
    #[must_use]
    pub fn allotted(n: u32, client: &ClientId) -> Self {
        Self {
            client_id: client.as_str().to_owned(),
            ..Self::new(n)
        }
    }

    /// The row.
    #[must_use]
    pub fn line(&self) -> String {
        let Self {
            iccid,
            msisdn,
            imsi,
            province,
            services,
            client_id,
            k_wrapped,
            opc_wrapped,
        } = self;
        format!(
            "{iccid},{msisdn},{imsi},{province},+8613800100500,{services},{client_id},{k_wrapped},{opc_wrapped},tk1"
        )
    }
}

/// The first line of a number file.
pub const NUMBER_HEADER: &str =
    "iccid,msisdn,imsi,province_code,smsc,services,client_id,k_wrapped,opc_wrapped,transport_key";

/// A number file.
#[must_use]
pub fn number_csv(numbers: &[NumberCsv]) -> String {
    let lines: Vec<String> = numbers.iter().map(NumberCsv::line).collect();
    format!("{NUMBER_HEADER}\n{}\n", lines.join("\n"))
}
