//! Another temporary number for a chip that is not written, and more test allowance (§5.3.1.3, §5.2.1.2).

use domain::error::Reason;
use domain::{Eid, Iccid, Imsi, Malformed, Msisdn, Network, Volume, parse_date};
use operations::{self, Reprovision};
use serde_json::Value;
use spin_host::Connection;
use web::{Call, Refusal, Reply, field, present};

use crate::document::InventoryRequest;

const FIELDS: &[&str] = &[
    "eid",
    "temp_msisdn",
    "temp_iccid",
    "temp_imsi",
    "temp_opened_on",
    "network_type",
    "allowance_mb",
];

/// Gives a chip a temporary number and, if given, test allowance.
pub(crate) async fn reprovision(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request = InventoryRequest::read(call, FIELDS)?;
    let eid = required("eid", request.eid.as_ref(), Eid::parse)?;
    let new = Reprovision {
        msisdn: required("temp_msisdn", request.temp_msisdn.as_ref(), Msisdn::parse)?,
        iccid: required("temp_iccid", request.temp_iccid.as_ref(), Iccid::parse)?,
        imsi: required("temp_imsi", request.temp_imsi.as_ref(), Imsi::parse)?,
        opened_on: field(
            "temp_opened_on",
            request.temp_opened_on.as_deref().map(parse_date).transpose(),
        )?,
        network: field(
            "network_type",
            request.network_type.as_deref().map(Network::parse).transpose(),
        )?,
        allowance: request.allowance_mb.as_ref().map(allowance).transpose()?,
    };
    let given = operations::reprovision(call.cx, &eid, &new).await?;
    Ok(Reply::ok()
        .with("changed", given.changed)
        .with("expire_time", call.text_of(given.expires_at))
        .with("remaining_mb", given.remaining.json()))
}

fn required<T, E: Into<Malformed>>(
    name: &str,
    text: Option<&String>,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Result<T, Refusal> {
    field(name, parse(present(name, text)?))
}

/// Megabytes as a number, or as text.
fn allowance(value: &Value) -> Result<Volume, Refusal> {
    let name = "allowance_mb";
    match value {
        Value::Number(number) => field(name, Volume::parse_test_allowance(&number.to_string())),
        Value::String(text) => field(name, Volume::parse_test_allowance(text)),
        _ => Err(Refusal::of_field(name, Reason::ParameterMalformed)),
    }
}
