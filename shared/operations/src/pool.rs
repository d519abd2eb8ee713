//! §5.3.1.1 码号管理, §5.4.1 划拨: acts of administrators on numbers and chips. Each is all or nothing and may be repeated.

use super::clients::receives;
use super::end_task::end_open_task;
use super::incidents::{close_incident, open_incident};
use super::transition::guarded;
use super::{Context, NumberRef};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, ClientId, Eid, Iccid, IncidentKind, NumberStatus, TaskFailure, unknown_chip};
use store::{
    Database, Subject, Tx, chip, chip_destruction,
    chip_fault::{self, Fault},
    lock,
    number::{self, NumberRow},
    operator_report::{self, Topic},
    pool_level,
};
use vault::{BlindIndex, IndexKind};

/// Most numbers of one call.
const MAX_NUMBERS: usize = 1_000;

/// Allots numbers of the pool to one client (划拨). Numbers that are allotted to it already stay so.
///
/// Returns how many changed.
///
/// # Errors
/// [`Reason::UnknownClient`], [`Reason::ClientClosed`], [`Reason::UnknownNumber`]; [`Reason::NumberInUse`] when one is
/// neither in the pool nor this client's; [`Reason::BodyTooLarge`] beyond `MAX_NUMBERS`. On any error no number is allotted.
pub async fn allot_numbers<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    iccids: &[Iccid],
) -> Result<usize, Error> {
    transaction(cx, async |tx| allot_in(cx, tx, client, iccids).await).await
}

/// The same in an open transaction. An error changes nothing.
pub(super) async fn allot_in<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    client: &ClientId,
    iccids: &[Iccid],
) -> Result<usize, Error> {
    // Or it would be closed meanwhile, and keep them.
    lock::client(tx, client).await?;
    receives(tx, client).await?;
    let changing = examined(cx, tx, iccids, |number| allots(number, client));
    let changing = changing.await?;
    let changed = number::allot(tx, Some(client), list(&changing)?, cx.now).await?;
    exactly(changed, &changing)
}

/// Whether allotting a number to a client changes it; `None` when it must not be allotted.
pub(super) fn allots(number: &NumberRow, client: &ClientId) -> Option<bool> {
    match number.status {
        NumberStatus::Available => Some(true),
        NumberStatus::Allotted if number.client_id.as_ref() == Some(client) => Some(false),
        _ => None,
    }
}

/// Puts allotted numbers into the pool, which is watched from then on. Numbers that are there already stay so.
///
/// Returns how many changed.
///
/// # Errors
/// [`Reason::UnknownNumber`]; [`Reason::NumberInUse`] when one is reserved, written, suspended or retired, or a data card
/// that was imported with `replaces_iccid`; [`Reason::BodyTooLarge`] beyond `MAX_NUMBERS`. On any error no number is put back.
pub async fn release_numbers<D: Database>(cx: &Context<'_, D>, iccids: &[Iccid]) -> Result<usize, Error> {
    transaction(cx, async |tx| {
        let changing = examined(cx, tx, iccids, |number| match number.status {
            // The pool must not give away the MSISDN of another card.
            NumberStatus::Allotted if number.replaces.is_none() => Some(true),
            NumberStatus::Available => Some(false),
            _ => None,
        });
        let changing = changing.await?;
        let numbers = list(&changing)?;
        let changed = number::allot(tx, None, numbers.clone(), cx.now).await?;
        pool_level::add_of(tx, numbers, cx.now).await?;
        exactly(changed, &changing)
    })
    .await
}

/// The numbers that change: `judge` returns whether one changes, or `None` when it must not.
pub(super) async fn examined<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    iccids: &[Iccid],
    judge: impl Fn(&NumberRow) -> Option<bool>,
) -> Result<Vec<BlindIndex>, Error> {
    if iccids.len() > MAX_NUMBERS {
        return Err(Error::new(Reason::BodyTooLarge)
            .with_detail(format!("最多 {MAX_NUMBERS} 个"), format!("at most {MAX_NUMBERS}")));
    }
    let mut changing = Vec::new();
    for (at, iccid) in iccids.iter().enumerate() {
        let index = cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes());
        let place =
            |error: Error| error.with_detail(format!("第 {} 个", at + 1), format!("entry {}", at + 1));
        let number = number::by_iccid(tx, &index).await?;
        let number = number.ok_or_else(|| place(Reason::UnknownNumber.into()))?;
        let changes = judge(&number).ok_or_else(|| place(Reason::NumberInUse.into()))?;
        if changes && !changing.contains(&index) {
            changing.push(index);
        }
    }
    Ok(changing)
}

pub(super) fn list(indexes: &[BlindIndex]) -> Result<String, Error> {
    let list: Vec<_> = indexes
        .iter()
        .map(|index| hex::encode(index.as_bytes()))
        .collect();
    serde_json::to_string(&list).map_err(Error::internal)
}

fn exactly(changed: usize, expected: &[BlindIndex]) -> Result<usize, Error> {
    if changed == expected.len() {
        Ok(changed)
    } else {
        Err(Reason::Conflict.into())
    }
}

/// An act on one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberAct {
    /// 停用: out of use for now. A card that waits for it is not written meanwhile.
    Suspend,
    /// 恢复: back to the state before it was suspended.
    Resume,
    /// 注销: out of use for ever.
    Retire,
}

/// Suspends, resumes or retires a number. Repeating an act changes nothing.
///
/// Returns the new state.
///
/// # Errors
/// [`Reason::UnknownNumber`]; [`Reason::NumberInUse`] when it is retired, when it would be retired while a card waits for
/// it, or when it would be resumed for another card after its K and OPc were destroyed, until a file of corrections
/// brings them; [`Reason::ParameterNotApplicable`] when MSISDN and ICCID do not belong together.
pub async fn act_on_number<D: Database>(
    cx: &Context<'_, D>,
    what: &NumberRef,
    act: NumberAct,
) -> Result<NumberStatus, Error> {
    transaction(cx, async |tx| act_in(cx, tx, what, act).await).await
}

/// The same in an open transaction. An error changes nothing.
pub(super) async fn act_in<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    what: &NumberRef,
    act: NumberAct,
) -> Result<NumberStatus, Error> {
    let index = |kind, text: &str| cx.vault.blind_index(kind, text.as_bytes());
    let key = match what {
        NumberRef::Msisdn(msisdn) => index(IndexKind::Msisdn, msisdn.as_str()),
        NumberRef::Iccid(iccid) | NumberRef::Both(_, iccid) => index(IndexKind::Iccid, iccid.as_str()),
    };
    lock::numbers(tx, format!("[[null, \"{}\"]]", key.hex())).await?;
    let number = match what {
        NumberRef::Msisdn(msisdn) => {
            number::by_msisdn(tx, &index(IndexKind::Msisdn, msisdn.as_str())).await?
        }
        NumberRef::Iccid(iccid) | NumberRef::Both(_, iccid) => {
            number::by_iccid(tx, &index(IndexKind::Iccid, iccid.as_str())).await?
        }
    };
    let number = number.ok_or(Reason::UnknownNumber)?;
    if let NumberRef::Both(msisdn, _) = what
        && number.msisdn_index != index(IndexKind::Msisdn, msisdn.as_str())
    {
        return Err(Reason::ParameterNotApplicable.into());
    }
    let reported = match (act, number.status) {
        (NumberAct::Retire, NumberStatus::Retired) => return Ok(number.status),
        _ if is_refused(act, &number) => return Err(Reason::NumberInUse.into()),
        (NumberAct::Suspend, _) => "suspended",
        (NumberAct::Resume, _) => "active",
        (NumberAct::Retire, _) => "retired",
    };
    if act == NumberAct::Resume {
        if !number.is_written && !number.has_keys {
            // No card can be written with it.
            return Err(
                Error::new(Reason::NumberInUse).with_detail("K 与 OPc 已销毁", "K and OPc are destroyed")
            );
        }
        number::put_back(tx, &number.iccid_index, cx.now).await?;
    }
    let iccid = hex::encode(number.iccid_index.as_bytes());
    let rows = serde_json::to_string(&[(iccid, cx.now.millis(), reported)]).map_err(Error::internal)?;
    operator_report::store(tx, Topic::Status, rows, cx.now).await?;
    let after = number::by_iccid(tx, &number.iccid_index).await?;
    let after = after.map_or(number.status, |number| number.status);
    cx.note_change("status", number.status.code(), after.code());
    Ok(after)
}

/// Whether the state of a number does not permit an act: a retired one comes back to no use, and one that a card waits for
/// is not retired.
pub(super) fn is_refused(act: NumberAct, number: &NumberRow) -> bool {
    match (act, number.status) {
        (NumberAct::Retire, NumberStatus::Retired) => false,
        (_, NumberStatus::Retired) => true,
        (NumberAct::Retire, _) => is_waited_for(number),
        _ => false,
    }
}

/// Whether an open task is writing the number, or will.
fn is_waited_for(number: &NumberRow) -> bool {
    number.task_id.is_some() && !number.is_written
}

/// The stored fault of a chip that a person entered in the register without a name for its fault.
pub const REGISTERED: &str = "registered";

/// Enters a chip in the register of faulty chips, or takes it out again, without saying what is wrong with it: see
/// [`register_chip_fault`].
///
/// # Errors
/// See [`register_chip_fault`].
pub async fn register_fault<D: Database>(cx: &Context<'_, D>, eid: &Eid, faulty: bool) -> Result<(), Error> {
    let fault = faulty.then(|| Fault::named(REGISTERED));
    register_chip_fault(cx, eid, fault).await
}

/// Enters a chip in the register of faulty chips with its fault, or takes it out again (§8.2.2). A faulty chip gets
/// neither applications nor sessions. Entering opens an incident and ends the open task of the chip; taking the chip out
/// settles the incident, and its entry stays with the date.
///
/// # Errors
/// [`Reason::UnknownChip`]; [`Reason::WrongState`] when a chip that is recorded as destroyed would be taken out.
pub async fn register_chip_fault<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    fault: Option<Fault<'_>>,
) -> Result<(), Error> {
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let chip = chip::by_eid(tx, &index)
            .await?
            .ok_or_else(|| unknown_chip("eid", eid))?;
        let subject = Subject::chip(&index);
        cx.note_change("faulty", chip.faulty, fault.is_some());
        let Some(fault) = fault else {
            if chip_destruction::find(tx, &index).await?.is_some() {
                return Err(Error::new(Reason::WrongState).with_detail("已登记销毁", "recorded as destroyed"));
            }
            guarded(chip_fault::remove(tx, &index, cx.now).await?)?;
            return close_incident(cx, tx, IncidentKind::ChipFault, &subject).await;
        };
        guarded(chip_fault::enter(tx, &index, fault, cx.now).await?)?;
        end_open_task(cx, tx, &chip, TaskFailure::ChipFaulty, &Actor::Admin).await?;
        // Registering again opens no new incident, even if the first one is settled.
        if !chip.faulty {
            open_incident(cx, tx, IncidentKind::ChipFault, &subject).await?;
        }
        Ok(())
    })
    .await
}
