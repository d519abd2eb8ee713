//! Checks after a card was written: the files of the chip, the answer of the platform, the callback.
//!
//! It reads the files of the chip directly, never through the gateway.

use anyhow::{Context as _, Result};
use card_sim::Chip;
use serde_json::Value;
use uicc::ef::{Iccid, Imsi, MsisdnRecord};

use crate::inventory::{Inventory, NumberRow, SAMPLE_TRANSPORT_KEY};
use crate::language::text;
use crate::receiver::Received;

/// Chinese name of the state of a written card (Table 2).
pub const WRITTEN: &str = "写卡成功";
/// `write_result` of a success (§7.3).
const SUCCESS: &str = "成功";

/// Results of the checks of one chip.
pub struct Checks<'a> {
    /// Each check with its text: whether it holds.
    pub results: Vec<(bool, String)>,
    /// Number in the chip, if it is a number of the pool.
    pub number: Option<&'a NumberRow>,
}

impl Checks<'_> {
    /// Tells whether every check holds.
    pub fn all_hold(&self) -> bool {
        self.results.iter().all(|(holds, _)| *holds)
    }
}

/// Compares the files of the chip with the inventory, the status and the callbacks.
///
/// # Errors
/// A file that is missing or cannot be parsed.
pub fn examine<'a>(
    inventory: &'a Inventory,
    chip: &Chip,
    eid: &str,
    status: &Value,
    callbacks: &[Received],
) -> Result<Checks<'a>> {
    let file = |path: &str| {
        chip.read_file(path)
            .with_context(|| text(format!("芯片没有 {path}"), format!("the chip has no {path}")))
    };
    let iccid = Iccid::parse(&file("3F00/2FE2")?)?;
    let imsi = Imsi::parse(&file("ADF/6F07")?)?;
    let msisdn = MsisdnRecord::parse(&file("ADF/6F40")?)?;
    let number = inventory.number(iccid.digits());
    let (iccid, imsi) = (iccid.digits(), imsi.digits());
    let mut results = vec![(
        number.is_some(),
        text(
            format!("EF_ICCID 为 {iccid}，是号码池中的码号"),
            format!("EF_ICCID holds {iccid}, a number of the pool"),
        ),
    )];
    if let Some(number) = number {
        results.push((
            imsi == number.imsi,
            text(format!("EF_IMSI 为 {imsi}"), format!("EF_IMSI holds {imsi}")),
        ));
        let dialled = msisdn.number.as_ref().map_or("", |number| number.digits());
        results.push((
            dialled == format!("86{}", number.msisdn),
            text(
                format!("EF_MSISDN 为 +{dialled}"),
                format!("EF_MSISDN holds +{dialled}"),
            ),
        ));
        let keys = Some(number.keys(&SAMPLE_TRANSPORT_KEY)?);
        let unchanged = text("K 与 OPc 原样到达芯片", "K and OPc arrived in the chip unchanged");
        results.push((chip.keys_loaded() == keys, unchanged.into()));
        results.extend(answers(number, eid, status, callbacks));
    }
    Ok(Checks { results, number })
}

fn answers(number: &NumberRow, eid: &str, status: &Value, callbacks: &[Received]) -> Vec<(bool, String)> {
    let state = status["card_status"].as_str().unwrap_or_default();
    let progress = status["progress"].as_str().unwrap_or_default();
    let mut results = vec![
        (
            state == WRITTEN && progress == "100%",
            text(
                format!("/v1/write/status 返回{state}，{progress}"),
                format!("/v1/write/status says {state}, {progress}"),
            ),
        ),
        (
            status["write_time"].is_string(),
            text(
                format!("写卡时间 {}", status["write_time"]),
                format!("written at {}", status["write_time"]),
            ),
        ),
    ];
    let mine: Vec<&Received> = callbacks
        .iter()
        .filter(|callback| callback.body["eid"] == eid)
        .collect();
    let arrived = mine.len();
    results.push((
        arrived == 1,
        text(
            format!("收到 {arrived} 次回调，两个签名均有效"),
            format!("{arrived} callback arrived, both signatures valid"),
        ),
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
        let (result, msisdn, iccid) = (&body["write_result"], &body["msisdn"], &body["iccid"]);
        results.push((
            expected,
            text(
                format!("回调中的结果为 {result}，号码 {msisdn}（{iccid}）"),
                format!("it says {result} for {msisdn} ({iccid})"),
            ),
        ));
    }
    results
}
