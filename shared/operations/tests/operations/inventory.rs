//! Chips and numbers for the tests, numbered, and the files they are imported from.

use domain::{ClientId, Eid};
use vault::wrap;

/// The key that key material of the files is wrapped under, `tk1`.
pub(crate) const TRANSPORT_KEY: [u8; 16] = [0x7a; 16];

/// The EID of chip `n`, with its check digits.
pub(crate) fn eid_text(n: u32) -> String {
    let body = format!("890860302022{n:018}");
    let rest = body
        .bytes()
        .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
    format!("{body}{:02}", 98 - rest * 100 % 97)
}

pub(crate) fn eid(n: u32) -> Eid {
    Eid::parse(&eid_text(n)).expect("a valid EID")
}

pub(crate) fn wrapped(key: [u8; 16]) -> String {
    hex::encode(wrap(&TRANSPORT_KEY, &key).expect("wrapped"))
}

/// K and OPc of number `n`.
pub(crate) fn key_of(n: u32, kind: u8) -> [u8; 16] {
    let mut key = [kind; 16];
    key[..4].copy_from_slice(&(0xdead_0000 + n).to_be_bytes());
    key
}

/// One row of a chip file.
#[derive(Clone)]
pub(crate) struct ChipCsv {
    pub(crate) eid: String,
    pub(crate) temp_msisdn: String,
    pub(crate) temp_iccid: String,
    pub(crate) temp_imsi: String,
    pub(crate) network_type: String,
    pub(crate) temp_opened_on: String,
    pub(crate) allowance_mb: String,
    pub(crate) client_id: String,
    pub(crate) psk_identity: String,
    pub(crate) psk: Option<[u8; 16]>,
}

impl ChipCsv {
    pub(crate) fn new(n: u32) -> Self {
        Self {
            eid: eid_text(n),
            temp_msisdn: format!("1064800{n:06}"),
            temp_iccid: format!("89860400000000{n:06}"),
            temp_imsi: format!("460040000{n:06}"),
            network_type: "4g".to_owned(),
            temp_opened_on: "2026-06-01".to_owned(),
            allowance_mb: "5".to_owned(),
            client_id: String::new(),
            psk_identity: String::new(),
            psk: None,
        }
    }

    pub(crate) fn line(&self) -> String {
        let (psk, dek, name) = match self.psk {
            Some(psk) => (wrapped(psk), wrapped(psk.map(|byte| !byte)), "tk1"),
            None => (String::new(), String::new(), ""),
        };
        let Self {
            eid,
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
            ..
        } = self;
        format!(
            "{eid},XK-1,qibiao-seed,{network_type},{temp_msisdn},{temp_iccid},{temp_imsi},{temp_opened_on},\
             {allowance_mb},350000000000001,{client_id},{psk_identity},64,{psk},{dek},{name}"
        )
    }
}

pub(crate) const CHIP_HEADER: &str = "eid,chip_model,profile,network_type,temp_msisdn,temp_iccid,temp_imsi,\
    temp_opened_on,allowance_mb,imei,client_id,psk_identity,key_version,psk_wrapped,dek_wrapped,transport_key";

pub(crate) fn chip_csv(chips: &[ChipCsv]) -> String {
    let lines: Vec<String> = chips.iter().map(ChipCsv::line).collect();
    format!("{CHIP_HEADER}\n{}\n", lines.join("\n"))
}

/// One row of a number file.
#[derive(Clone)]
pub(crate) struct NumberCsv {
    pub(crate) iccid: String,
    pub(crate) msisdn: String,
    pub(crate) imsi: String,
    pub(crate) province: String,
    pub(crate) services: String,
    pub(crate) client_id: String,
    pub(crate) k_wrapped: String,
    pub(crate) opc_wrapped: String,
}

impl NumberCsv {
    pub(crate) fn new(n: u32) -> Self {
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

    pub(crate) fn of_province(n: u32, province: &str) -> Self {
        Self {
            province: province.to_owned(),
            ..Self::new(n)
        }
    }

    pub(crate) fn allotted(n: u32, client: &ClientId) -> Self {
        Self {
            client_id: client.as_str().to_owned(),
            ..Self::new(n)
        }
    }

    pub(crate) fn line(&self) -> String {
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

pub(crate) const NUMBER_HEADER: &str =
    "iccid,msisdn,imsi,province_code,smsc,services,client_id,k_wrapped,opc_wrapped,transport_key";

pub(crate) fn number_csv(numbers: &[NumberCsv]) -> String {
    let lines: Vec<String> = numbers.iter().map(NumberCsv::line).collect();
    format!("{NUMBER_HEADER}\n{}\n", lines.join("\n"))
}
