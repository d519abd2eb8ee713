//! Acts of administrators on numbers and chips (§5.3.1.1, §8.2.2).

use domain::error::Reason;
use domain::{ClientId, Eid, Iccid, Msisdn};
use operations::{NumberAct, NumberRef, act_on_number, allot_numbers, register_fault, release_numbers};
use spin_host::Connection;
use web::{Call, Refusal, Reply, field, present};

use crate::document::InventoryRequest;

/// Enters a chip in the register of faulty chips, or takes it out.
pub(crate) async fn fault(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request = InventoryRequest::read(call, &["eid", "faulty"])?;
    let eid = field("eid", Eid::parse(present("eid", request.eid.as_ref())?))?;
    let faulty = *present("faulty", request.faulty.as_ref())?;
    register_fault(call.cx, &eid, faulty).await?;
    Ok(Reply::ok().with("faulty", faulty))
}

/// Allots numbers to a client (划拨).
pub(crate) async fn allot(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request = InventoryRequest::read(call, &["client_id", "iccids"])?;
    let client = ClientId::parse(present("client_id", request.client_id.as_ref())?);
    let changed = allot_numbers(call.cx, &field("client_id", client)?, &request.iccids()?).await?;
    Ok(Reply::ok().with("changed", changed))
}

/// Puts numbers back into the pool.
pub(crate) async fn release(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request = InventoryRequest::read(call, &["iccids"])?;
    let changed = release_numbers(call.cx, &request.iccids()?).await?;
    Ok(Reply::ok().with("changed", changed))
}

/// Suspends, resumes or retires a number.
pub(crate) async fn act(call: &Call<'_, Connection>, act: NumberAct) -> Result<Reply, Refusal> {
    let request = InventoryRequest::read(call, &["msisdn", "iccid"])?;
    let msisdn = request.msisdn.as_deref().map(Msisdn::parse).transpose();
    let iccid = request.iccid.as_deref().map(Iccid::parse).transpose();
    let number = match (field("msisdn", msisdn)?, field("iccid", iccid)?) {
        (Some(msisdn), Some(iccid)) => NumberRef::Both(msisdn, iccid),
        (Some(msisdn), None) => NumberRef::Msisdn(msisdn),
        (None, Some(iccid)) => NumberRef::Iccid(iccid),
        (None, None) => return Err(Refusal::of_field("iccid", Reason::ParameterMissing)),
    };
    let status = act_on_number(call.cx, &number, act).await?;
    Ok(Reply::ok().with("status", status.code()))
}
