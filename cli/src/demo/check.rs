//! What must be true when a card was written: the chip's files, the platform's answer, the callback.
//!
//! Reads the chip as a laboratory would, not through the gateway.

use anyhow::{Context as _, Result};
use card_sim::Chip;
use serde_json::Value;
use uicc::ef::{Iccid, Imsi, MsisdnRecord};

use crate::inventory::{Inventory, NumberRow, SAMPLE_TRANSPORT_KEY};
use crate::receiver::Received;

/// The Chinese name of the state a card must end in (Table 2).
pub const WRITTEN: &str = "写卡成功";
/// `write_result` of a success (§7.3).
const SUCCESS: &str = "成功";

/// Every claim with whether it holds, for one chip; the number that the chip holds, if it is one of the pool.
pub struct Findings<'a> {
    /// Claims, in words.
    pub claims: Vec<(bool, String)>,
    /// The number that is in the chip.
    pub number: Option<&'a NumberRow>,
}

impl Findings<'_> {
    /// Whether every claim holds.
    pub fn all_hold(&self) -> bool {
        self.claims.iter().all(|(holds, _)| *holds)
    }
}

/// Looks into the chip and compares with what the platform and the callback say.
pub fn examine<'a>(
    inventory: &'a Inventory,
    chip: &Chip,
    eid: &str,
    status: &Value,
    callbacks: &[Received],
) -> Result<Findings<'a>> {
    let file = |path: &str| {
        chip.read_file(path)
            .with_context(|| format!("the chip has no {path}"))
    };
    let iccid = Iccid::parse(&file("3F00/2FE2")?)?;
    let imsi = Imsi::parse(&file("ADF/6F07")?)?;
    let msisdn = MsisdnRecord::parse(&file("ADF/6F40")?)?;
    let number = inventory.number(iccid.digits());
    let mut claims = vec![(
        number.is_some(),
        format!("EF_ICCID holds {}, a number of the pool", iccid.digits()),
    )];
    if let Some(number) = number {
        claims.push((
            imsi.digits() == number.imsi,
            format!("EF_IMSI holds {}", imsi.digits()),
        ));
        let dialled = msisdn.number.as_ref().map_or("", |number| number.digits());
        claims.push((
            dialled == format!("86{}", number.msisdn),
            format!("EF_MSISDN holds +{dialled}"),
        ));
        let keys = Some(number.keys(&SAMPLE_TRANSPORT_KEY)?);
        claims.push((
            chip.keys_loaded() == keys,
            "K and OPc arrived in the chip unchanged".into(),
        ));
        claims.extend(answers(number, eid, status, callbacks));
    }
    Ok(Findings { claims, number })
}

fn answers(number: &NumberRow, eid: &str, status: &Value, callbacks: &[Received]) -> Vec<(bool, String)> {
    let state = status["card_status"].as_str().unwrap_or_default();
    let progress = status["progress"].as_str().unwrap_or_default();
    let mut claims = vec![
        (
            state == WRITTEN && progress == "100%",
            format!("/v1/write/status says {state}, {progress}"),
        ),
        (
            status["write_time"].is_string(),
            format!("written at {}", status["write_time"]),
        ),
    ];
    let mine: Vec<&Received> = callbacks
        .iter()
        .filter(|callback| callback.body["eid"] == eid)
        .collect();
    claims.push((
        mine.len() == 1,
        format!("{} callback arrived, both signatures valid", mine.len()),
    ));
    if let [callback] = mine[..] {
        let body = &callback.body;
        let expected = [
            ("task_id", &status["task_id"]),
            ("card_status", &status["card_status"]),
            ("write_time", &status["write_time"]),
            ("iccid", &Value::from(number.iccid.as_str())),
            ("msisdn", &Value::from(number.msisdn.as_str())),
            ("write_result", &Value::from(SUCCESS)),
        ]
        .into_iter()
        .all(|(field, value)| &body[field] == value);
        claims.push((
            expected,
            format!(
                "it says {} for {} ({})",
                body["write_result"], body["msisdn"], body["iccid"]
            ),
        ));
    }
    claims
}
