//! §6.2.2, §7.2.2.2: an application for writing a card.

use super::incidents::open_incident;
use super::incidents::{province_empty, province_filled};
use super::messages::{ChangeEvent, StateChange, enqueue_selected};
use super::provinces::served_provinces;
use super::transition::{Cause, move_card};
use super::{Caller, Context};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    Actor, CardEvent, CardStatus, Eid, Iccid, IncidentKind, Malformed, Month, Msisdn, NumberStatus, Province,
    TaskId, WriteType, next, unknown_chip,
};
use store::{
    Database, Subject, Tx, card_facts,
    card_history::{self, StepRow},
    chip::ChipRow,
    number::{self, NumberRow},
    receiver::Selection,
    task::{self, NewTaskRow, TaskRow},
    unserved_application,
};
use vault::{BlindIndex, IndexKind, random_bytes};

/// Test allowance that must be left for an application to be accepted, in bytes: writing one card takes some 7 kB in
/// both directions, and repetitions after broken links must fit (§6.2.1.3).
pub(crate) const MIN_WRITE_ALLOWANCE_BYTES: u64 = 32 * 1024;

/// Most steps of a card that are searched for an earlier refusal: more than there are reasons.
const MAX_REFUSAL_STEPS: i64 = 16;

/// An application as the client sent it. The operation validates it, because which parameters it needs depends on the
/// way of writing, and because one that contradicts itself fails (§6.3 Table 2). An absent and an empty value are the
/// same.
#[derive(Clone, Copy, Debug, Default)]
pub struct ApplyRequest<'a> {
    /// EID of the chip.
    pub eid: &'a str,
    /// `0` designated, `1` automatic.
    pub write_type: &'a str,
    /// Province to take a number from; not read in a designated application.
    pub province_code: &'a str,
    /// Card to write; designated only.
    pub iccid: &'a str,
    /// Number to write; designated only.
    pub msisdn: &'a str,
}

/// An accepted application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Identifier of the task.
    pub task_id: TaskId,
    /// State of the card now.
    pub card_status: CardStatus,
    /// True when the same application was accepted before and nothing changed.
    pub repeated: bool,
}

/// Which number an application asks for.
pub(super) enum NumberChoice {
    /// This data card, allotted to the client beforehand (§5.4.1).
    Designated { iccid: BlindIndex, msisdn: BlindIndex },
    /// Any number of this province (§5.4.1).
    Automatic { province: Province },
}

/// Applies for writing. When it is accepted, the number is reserved, the task exists and the card is 待开机上电, all or
/// nothing. When it is refused, the card is 申请失败 where Table 2 allows it. Repeating an application while its task is
/// open returns the same task.
///
/// An application that cannot be read is none: with a parameter missing or malformed, nothing changes.
///
/// # Errors
/// Parameters: [`Reason::ParameterMissing`] and those of malformed values; [`Reason::ParameterNotApplicable`] for an
/// automatic application that names a card or a number. The chip: [`Reason::UnknownChip`] (also when it is another
/// client's), [`Reason::ChipFaulty`], [`Reason::ChipBlocked`], [`Reason::AlreadyWritten`],
/// [`Reason::ApplicationPending`], [`Reason::TemporaryNumberExpired`], [`Reason::AllowanceExhausted`]. The number:
/// [`Reason::ProvinceWithoutNumber`], [`Reason::ProvinceNotServed`], [`Reason::UnknownNumber`],
/// [`Reason::NumberMismatch`], [`Reason::NumberTaken`],
/// [`Reason::NumberSuspended`].
pub async fn apply<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    request: &ApplyRequest<'_>,
) -> Result<Applied, Error> {
    let application = Application::read(cx, request)?;
    // The transaction also commits when the application is refused: the refusal is a step of the card.
    transaction(cx, async |tx| {
        application.decide(cx, tx, caller, WhenEmpty::Refuse).await
    })
    .await?
}

/// A decision: an inner error is a refusal that is committed.
pub(super) type Decision = Result<Result<Applied, Error>, Error>;

/// What becomes of an application for which the pool of its province has no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenEmpty {
    /// It is refused, and the card is 申请失败.
    Refuse,
    /// Nothing: it can be made again when there are numbers. The incident of the province is opened all the same.
    Wait,
}

/// An application that could be read.
pub(super) struct Application<'a> {
    eid: Eid,
    choice: NumberChoice,
    request: &'a ApplyRequest<'a>,
}

impl<'a> Application<'a> {
    /// Reads an application.
    ///
    /// # Errors
    /// [`Reason::ParameterMissing`] and those of malformed values.
    pub(super) fn read<D>(cx: &Context<'_, D>, request: &'a ApplyRequest<'a>) -> Result<Self, Error> {
        let eid = required("eid", request.eid)?;
        Ok(Self {
            eid: Eid::parse(eid).map_err(|wrong| Malformed::from(wrong).of(eid))?,
            choice: number_choice(cx, request)?,
            request,
        })
    }

    /// Accepts or refuses it in an open transaction. An error changes nothing.
    pub(super) async fn decide<D: Database>(
        &self,
        cx: &Context<'_, D>,
        tx: &Tx<'_, D>,
        caller: &Caller,
        when_empty: WhenEmpty,
    ) -> Decision {
        let (chip, open, selection) = card_facts::to_apply(tx, &cx.eid_index(&self.eid))
            .await?
            .filter(|(chip, ..)| chip.client_id == caller.id)
            .ok_or_else(|| unknown_chip("eid", &self.eid))?;
        let is_consistent = consistent(&self.choice, self.request);
        if let Some(open) = open {
            is_consistent?;
            return repeated(tx, &chip, &open, &self.choice).await;
        }
        match is_consistent.and_then(|()| examine(cx, &chip)) {
            Ok(()) => accept(cx, tx, caller, (&chip, &selection), (&self.choice, when_empty)).await,
            Err(refusal) => refuse(cx, tx, caller, (&chip, &selection), refusal).await,
        }
    }
}

async fn repeated<D: Database>(
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    open: &TaskRow,
    choice: &NumberChoice,
) -> Decision {
    let same = match choice {
        NumberChoice::Automatic { province } => {
            open.write_type == WriteType::Automatic && open.province.as_deref() == Some(province.code())
        }
        NumberChoice::Designated { iccid, msisdn } => {
            let number = number::by_task(tx, open.id).await?;
            open.write_type == WriteType::Designated
                && number.is_some_and(|number| number.iccid_index == *iccid && number.msisdn_index == *msisdn)
        }
    };
    if same {
        Ok(Ok(Applied {
            task_id: open.id,
            card_status: chip.status,
            repeated: true,
        }))
    } else {
        Err(Reason::ApplicationPending.into())
    }
}

/// §6.2.2.2: checks everything about the chip.
pub(super) fn examine<D>(cx: &Context<'_, D>, chip: &ChipRow) -> Result<(), Error> {
    if next(chip.status, CardEvent::ApplicationAccepted).is_err() {
        return Err(Reason::AlreadyWritten.into());
    }
    if chip.faulty {
        return Err(Reason::ChipFaulty.into());
    }
    if chip.blocked {
        return Err(Reason::ChipBlocked.into());
    }
    if chip.reopened {
        // Its sessions go over its operator number.
        return Ok(());
    }
    if cx.now >= chip.temp_expires_at {
        return Err(Reason::TemporaryNumberExpired.into());
    }
    if chip.remaining_bytes() < MIN_WRITE_ALLOWANCE_BYTES {
        return Err(Reason::AllowanceExhausted.into());
    }
    Ok(())
}

async fn accept<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    caller: &Caller,
    (chip, selection): (&ChipRow, &Selection),
    (choice, when_empty): (&NumberChoice, WhenEmpty),
) -> Decision {
    let actor = Actor::Client(caller.id.clone());
    let cause = Cause {
        actor: &actor,
        reason: "application_accepted",
        task: None,
        sealed_note: None,
    };
    let refusal = match apply_for(cx, tx, (chip, selection), choice, &cause).await? {
        Err(refusal) => refusal,
        applied => return Ok(applied),
    };
    if let NumberChoice::Automatic { province } = choice {
        match refusal.reason() {
            Reason::ProvinceWithoutNumber => {
                province_empty(cx, tx, *province).await?;
                if when_empty == WhenEmpty::Wait {
                    return Ok(Err(refusal));
                }
            }
            Reason::ProvinceNotServed if !is_recorded(tx, chip, &refusal).await? => {
                unserved_application::add(tx, Month::of(cx.now, cx.zone), *province).await?;
            }
            _ => (),
        }
    }
    refuse(cx, tx, caller, (chip, selection), refusal).await
}

/// Takes the number and creates the task for a chip of which everything else was examined. An inner error is a refusal
/// that has changed nothing.
pub(super) async fn apply_for<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    (chip, selection): (&ChipRow, &Selection),
    choice: &NumberChoice,
    cause: &Cause<'_>,
) -> Decision {
    let task_id = TaskId::at_home(cx.now, random_bytes(cx.random), cx.home(chip)?);
    let (write_type, province, number) = match choice {
        NumberChoice::Automatic { province } => {
            let number = take_automatic(cx, tx, chip, task_id, *province).await?;
            (WriteType::Automatic, Some(province.code()), number)
        }
        NumberChoice::Designated { iccid, msisdn } => {
            let number = take_designated(cx, tx, chip, task_id, iccid, msisdn).await?;
            (WriteType::Designated, None, number)
        }
    };
    let iccid_index = match number {
        Ok(iccid_index) => iccid_index,
        Err(reason) => return Ok(Err(reason.into())),
    };
    let new = NewTaskRow {
        id: task_id,
        eid_index: &chip.eid_index,
        client_id: &chip.client_id,
        write_type,
        province,
        iccid_index: &iccid_index,
    };
    task::insert(tx, &new, cx.now).await?;
    let cause = Cause {
        task: Some(task_id),
        sealed_note: cause.sealed_note.clone(),
        ..*cause
    };
    let card_status = move_card(cx, tx, chip, CardEvent::ApplicationAccepted, &cause).await?;
    let change = StateChange {
        chip,
        status: card_status,
        task: Some(task_id),
        event: ChangeEvent::Accepted,
    };
    enqueue_selected(cx, tx, selection, &change).await?;
    Ok(Ok(Applied {
        task_id,
        card_status,
        repeated: false,
    }))
}

async fn take_automatic<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task_id: TaskId,
    province: Province,
) -> Result<Result<BlindIndex, Reason>, Error> {
    if cx.served.is_some_and(|served| !served.contains(province)) {
        return Ok(Err(Reason::ProvinceNotServed));
    }
    let taken = number::take_of_province(tx, &chip.eid_index, task_id, province, cx.now).await?;
    let Some((iccid_index, was_empty)) = taken else {
        let is_served = served_provinces(cx, tx).await?.contains(province);
        return Ok(Err(if is_served {
            Reason::ProvinceWithoutNumber
        } else {
            Reason::ProvinceNotServed
        }));
    };
    if was_empty {
        // There are numbers again, whatever their source.
        province_filled(cx, tx, province.code()).await?;
    }
    Ok(Ok(iccid_index))
}

async fn take_designated<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task_id: TaskId,
    iccid: &BlindIndex,
    msisdn: &BlindIndex,
) -> Result<Result<BlindIndex, Reason>, Error> {
    let found = number::by_iccid_to_change(tx, iccid).await?;
    match designated(found.as_ref(), chip, msisdn) {
        Err(reason) => return Ok(Err(reason)),
        Ok(Designated::Allotted) => {
            number::take_allotted(tx, &chip.eid_index, task_id, iccid, &chip.client_id, cx.now).await?;
        }
        Ok(Designated::Held) => number::take_held(tx, &chip.eid_index, task_id, iccid, cx.now).await?,
    }
    Ok(Ok(*iccid))
}

/// Where a number is that an application designates.
pub(super) enum Designated {
    /// Allotted to the client of the chip.
    Allotted,
    /// Its chip holds it from an earlier task.
    Held,
}

/// Whether a chip may have the number that an application designates.
pub(super) fn designated(
    found: Option<&NumberRow>,
    chip: &ChipRow,
    msisdn: &BlindIndex,
) -> Result<Designated, Reason> {
    // Another client's number, or one that is not allotted, is reported as unknown.
    let found = found.filter(|number| number.client_id.as_ref() == Some(&chip.client_id));
    let found = found.ok_or(Reason::UnknownNumber)?;
    if found.msisdn_index != *msisdn {
        return Err(Reason::NumberMismatch);
    }
    if found.is_quarantined {
        return Err(Reason::NumberSuspended);
    }
    match found.status {
        NumberStatus::Allotted => Ok(Designated::Allotted),
        NumberStatus::Reserved if found.eid_index == Some(chip.eid_index) && found.task_id.is_none() => {
            Ok(Designated::Held)
        }
        NumberStatus::Suspended | NumberStatus::Retired => Err(Reason::NumberSuspended),
        NumberStatus::Reserved | NumberStatus::Written | NumberStatus::Available => Err(Reason::NumberTaken),
    }
}

/// Where Table 2 allows it, the card becomes 申请失败, with one step in its history for each reason until something else
/// happens to the card. Its client is sent only a change: a card that was 申请失败 before is none.
async fn refuse<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    caller: &Caller,
    (chip, selection): (&ChipRow, &Selection),
    refusal: Error,
) -> Decision {
    let subject = Subject::chip(&chip.eid_index);
    match refusal.reason() {
        Reason::TemporaryNumberExpired => {
            open_incident(cx, tx, IncidentKind::TemporaryNumberExpired, &subject).await?;
        }
        Reason::AllowanceExhausted => {
            open_incident(cx, tx, IncidentKind::AllowanceExhausted, &subject).await?;
        }
        _ => (),
    }
    if next(chip.status, CardEvent::ApplicationRefused).is_ok() && !is_recorded(tx, chip, &refusal).await? {
        let actor = Actor::Client(caller.id.clone());
        let cause = Cause {
            actor: &actor,
            reason: refusal.reason().code(),
            task: None,
            sealed_note: None,
        };
        let status = move_card(cx, tx, chip, CardEvent::ApplicationRefused, &cause).await?;
        if status != chip.status {
            let change = StateChange {
                chip,
                status,
                task: None,
                event: ChangeEvent::Refused(&refusal),
            };
            enqueue_selected(cx, tx, selection, &change).await?;
        }
    }
    Ok(Err(refusal))
}

/// Whether the card is 申请失败 for this reason already, and nothing but refused applications has happened to it since.
async fn is_recorded<D: Database>(tx: &Tx<'_, D>, chip: &ChipRow, refusal: &Error) -> Result<bool, Error> {
    if chip.status != CardStatus::ApplicationFailed {
        return Ok(false);
    }
    let steps = card_history::latest(tx, &chip.eid_index, MAX_REFUSAL_STEPS).await?;
    // Only a refused application leads there.
    let is_refusal = |step: &&StepRow| step.to == CardStatus::ApplicationFailed;
    let mut refusals = steps.iter().take_while(is_refusal);
    Ok(refusals.any(|step| step.reason == refusal.reason().code()))
}

/// The parameters apart from the EID (§7.2.2.2). The way of writing says which of them are read: a designated
/// application may carry a province, because its card has one.
fn number_choice<D>(cx: &Context<'_, D>, request: &ApplyRequest<'_>) -> Result<NumberChoice, Error> {
    let write_type = required("write_type", request.write_type)?;
    match WriteType::parse(write_type).map_err(|wrong| wrong.of(write_type))? {
        WriteType::Designated => {
            let iccid = named("iccid", required("iccid", request.iccid)?, Iccid::parse)?;
            let msisdn = named("msisdn", required("msisdn", request.msisdn)?, Msisdn::parse)?;
            Ok(NumberChoice::Designated {
                iccid: cx.vault.blind_index(IndexKind::Iccid, iccid.as_str().as_bytes()),
                msisdn: cx
                    .vault
                    .blind_index(IndexKind::Msisdn, msisdn.as_str().as_bytes()),
            })
        }
        WriteType::Automatic => {
            // They do not apply, but one that cannot be read is no application.
            readable("iccid", request.iccid, Iccid::parse)?;
            readable("msisdn", request.msisdn, Msisdn::parse)?;
            let code = required("province_code", request.province_code)?;
            Ok(NumberChoice::Automatic {
                province: named("province_code", code, Province::parse)?,
            })
        }
    }
}

/// Refuses an automatic application that names a card or a number: its sender expects that one.
fn consistent(choice: &NumberChoice, request: &ApplyRequest<'_>) -> Result<(), Error> {
    match choice {
        NumberChoice::Designated { .. } => Ok(()),
        NumberChoice::Automatic { .. } => {
            absent("iccid", request.iccid)?;
            absent("msisdn", request.msisdn)
        }
    }
}

fn named<T>(name: &str, text: &str, parse: fn(&str) -> Result<T, Malformed>) -> Result<T, Error> {
    parse(text).map_err(|wrong| {
        let error = wrong.of(text);
        match error.detail() {
            Some(detail) => Error::new(error.reason())
                .with_detail(format!("{name}，{}", detail.zh), format!("{name}, {}", detail.en)),
            None => error,
        }
    })
}

/// Refuses a value that is there and malformed.
fn readable<T>(name: &str, value: &str, parse: fn(&str) -> Result<T, Malformed>) -> Result<(), Error> {
    if value.is_empty() {
        return Ok(());
    }
    named(name, value, parse).map(drop)
}

fn required<'a>(name: &str, value: &'a str) -> Result<&'a str, Error> {
    if value.is_empty() {
        Err(Error::new(Reason::ParameterMissing).with_detail(name, name))
    } else {
        Ok(value)
    }
}

fn absent(name: &str, value: &str) -> Result<(), Error> {
    if value.is_empty() {
        Ok(())
    } else {
        Err(Error::new(Reason::ParameterNotApplicable).with_detail(name, name))
    }
}
