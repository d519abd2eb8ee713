//! What an administrator does with the numbers and chips there are (§5.3.1.1, §8.2.2).

use serde::Deserialize;
use shared::domain::{ClientId, Eid, Iccid, Malformed, Msisdn};
use shared::error::Reason;
use shared::operations::{
    NumberAct, NumberRef, act_on_number, allot_numbers, register_fault, release_numbers,
};
use shared::spin::Connection;
use shared::web::{Call, Refusal, Reply};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultDocument {
    eid: String,
    faulty: bool,
}

/// Enters a chip in the register of faulty chips, or takes it out.
pub(crate) async fn fault(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted: FaultDocument = call.json()?;
    let eid = field("eid", Eid::parse(&wanted.eid))?;
    register_fault(call.cx, &eid, wanted.faulty).await?;
    Ok(Reply::ok().with("faulty", wanted.faulty))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllotDocument {
    client_id: String,
    iccids: Vec<String>,
}

/// Sets numbers aside for a client (划拨).
pub(crate) async fn allot(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted: AllotDocument = call.json()?;
    let client = field("client_id", ClientId::parse(&wanted.client_id))?;
    let changed = allot_numbers(call.cx, &client, &iccids(&wanted.iccids)?).await?;
    Ok(Reply::ok().with("changed", changed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseDocument {
    iccids: Vec<String>,
}

/// Puts numbers back into the pool.
pub(crate) async fn release(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted: ReleaseDocument = call.json()?;
    let changed = release_numbers(call.cx, &iccids(&wanted.iccids)?).await?;
    Ok(Reply::ok().with("changed", changed))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NumberDocument {
    msisdn: Option<String>,
    iccid: Option<String>,
}

/// Suspends, resumes or retires a number.
pub(crate) async fn act(call: &Call<'_, Connection>, act: NumberAct) -> Result<Reply, Refusal> {
    let wanted: NumberDocument = call.json()?;
    let msisdn = wanted.msisdn.as_deref().map(Msisdn::parse).transpose();
    let iccid = wanted.iccid.as_deref().map(Iccid::parse).transpose();
    let number = match (field("msisdn", msisdn)?, field("iccid", iccid)?) {
        (Some(msisdn), Some(iccid)) => NumberRef::Both(msisdn, iccid),
        (Some(msisdn), None) => NumberRef::Msisdn(msisdn),
        (None, Some(iccid)) => NumberRef::Iccid(iccid),
        (None, None) => return Err(Refusal::of_field("iccid", Reason::ParameterMissing)),
    };
    let status = act_on_number(call.cx, &number, act).await?;
    Ok(Reply::ok().with("status", status.code()))
}

fn iccids(texts: &[String]) -> Result<Vec<Iccid>, Refusal> {
    texts
        .iter()
        .map(|text| field("iccids", Iccid::parse(text)))
        .collect()
}

fn field<T>(name: &str, read: Result<T, Malformed>) -> Result<T, Refusal> {
    read.map_err(|malformed| Refusal::of_malformed(name, malformed))
}
