//! §6.2.3.1: opening a session for a card that powered up and opened its channel.

use super::Context;
use super::alerts::{NewAlert, raise};
use super::incidents::{block, open_after_session};
use super::messages::{ChangeEvent, StateChange, enqueue_selected};
use super::power_up::{PowerUpLimits, is_spent};
use super::report::fail;
use super::transition::{Cause, move_card};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    Actor, AlertKind, CardEvent, CardStatus, Eid, FailureKind, Iccid, Imsi, IncidentKind, MINUTE_MS, Msisdn,
    NumberStatus, SessionId, TaskFailure, TaskId, TaskState, Work,
};
use store::{
    Database, Subject, Tx,
    card_facts::{self, OpeningAnswers, OpeningQuestions},
    chip::ChipRow,
    device_session::{self, NewSessionRow, SessionRow, SessionState},
    number::{self, NumberRow},
    receiver::Selection,
    task::{self, TaskRow},
};
use vault::Column;

/// Test allowance that a session needs, in bytes. Less does not cover the handshake and one script; the chip would use
/// up the rest on sessions that end at once.
const MIN_SESSION_ALLOWANCE_BYTES: u64 = 1024;

/// Longest peer address and agent name that are kept, in characters.
const MAX_NOTE_CHARS: usize = 256;

/// A device session as the gateway announces it.
#[derive(Clone, Debug)]
pub struct OpenSession<'a> {
    /// Identifier made by the gateway; a repeated one gets the same answer.
    pub session_id: SessionId,
    /// EID of the chip.
    pub eid: Eid,
    /// Address and port of the device.
    pub peer: &'a str,
    /// The `X-Admin-From` of the chip's agent.
    pub agent: Option<&'a str>,
    /// True when the chip resumes a broken session.
    pub resumed: bool,
    /// Name of the gateway, if it has one.
    pub gateway: Option<&'a str>,
}

/// What the sessions of a chip are held to.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// How often a chip may ask to be written.
    pub power_ups: PowerUpLimits,
    /// Minutes within which sessions that alternate between two addresses show that an EID is in use twice; 0: none do.
    pub alternation_minutes: u32,
}

/// The work of a session.
#[derive(Clone, Debug)]
pub struct SessionWork {
    /// Write, verify or nothing. Verifying without a task looks for a number that an earlier task left on the card.
    pub work: Work,
    /// The task, when there is something to do.
    pub task_id: Option<TaskId>,
    /// Chip model.
    pub chip_model: String,
    /// Name of the card profile.
    pub profile: String,
    /// Number of the write attempt of this task, from 1.
    pub attempt: u32,
    /// Test allowance left, in bytes; none when the session does not use it.
    pub allowance_bytes: Option<u64>,
    /// Last step that the card acknowledged in this attempt.
    pub resume_step: u32,
    /// What the card must hold, for writing and verifying.
    pub data: Option<WriteData>,
}

/// What a card must hold. Key material is wrapped under the link key and present only for writing.
#[derive(Clone, Debug)]
pub struct WriteData {
    /// Card identifier.
    pub iccid: Iccid,
    /// Subscriber number.
    pub msisdn: Msisdn,
    /// Subscriber identity.
    pub imsi: Imsi,
    /// Address of the short message service centre.
    pub smsc: Option<String>,
    /// K, wrapped.
    pub k_wrapped: Option<Vec<u8>>,
    /// OPc, wrapped.
    pub opc_wrapped: Option<Vec<u8>>,
}

/// Opens a session and returns its work. A waiting card becomes 写卡中, unless its chip asks again within one power-up
/// (§5.2.1.2) and gets nothing to do. An open session of the chip is superseded, because a chip has one channel at a
/// time. The same `session_id` again gets the same answer.
///
/// # Errors
/// [`Reason::UnknownChip`], [`Reason::ChipFaulty`], [`Reason::ChipBlocked`] (with an incident when the session shows
/// that the EID is in use twice), [`Reason::AllowanceExhausted`] (with an incident), [`Reason::NumberSuspended`]; for a
/// known `session_id` [`Reason::SessionConflict`], [`Reason::SessionSuperseded`] and [`Reason::SessionClosed`].
pub async fn open_session<D: Database>(
    cx: &Context<'_, D>,
    open: &OpenSession<'_>,
    limits: SessionLimits,
) -> Result<SessionWork, Error> {
    let eid_index = cx.eid_index(&open.eid);
    // The transaction also commits a refusal, because the incident it opens must stay.
    transaction(cx, async |tx| {
        let ((chip, task, selection), known) = card_facts::to_open(tx, &eid_index, open.session_id)
            .await?
            .ok_or(Reason::UnknownChip)?;
        if let Some(known) = known {
            return answer_again(cx, tx, &chip, &known).await.map(Ok);
        }
        let found = ask(cx, tx, open, (&chip, task.as_ref()), limits).await?;
        if let Some(latest) = &found.latest {
            show_return(cx, tx, &chip, latest).await?;
        }
        if chip.blocked {
            return Ok(Err(Reason::ChipBlocked.into()));
        }
        if found.alternates {
            block(cx, tx, &eid_index).await?;
            return Ok(Err(Reason::ChipBlocked.into()));
        }
        // What it holds is looked for also on a faulty chip: the number may be free.
        let holds = task.is_none() && found.number.is_some();
        if chip.faulty && !holds {
            return Ok(Err(Reason::ChipFaulty.into()));
        }
        let work = match &task {
            Some(task) => task.next_work,
            None if holds => Work::Verify,
            None => Work::None,
        };
        let is_charged = is_charged(&chip, work, task.is_some());
        if is_charged && chip.remaining_bytes() < MIN_SESSION_ALLOWANCE_BYTES {
            let kind = IncidentKind::AllowanceExhausted;
            open_after_session(cx, tx, kind, &eid_index, cx.now, None).await?;
            // A task that can never continue fails. Its client gets a message, and may apply again once there is
            // allowance.
            if let Some(task) = task.filter(|task| task.state == TaskState::Writing) {
                fail(cx, tx, &chip, &task, FailureKind::AllowanceExhausted, None).await?;
            }
            return Ok(Err(Reason::AllowanceExhausted.into()));
        }
        let is_request = work == Work::Write && !open.resumed;
        let work = match is_request && is_spent(cx, tx, &chip, limits.power_ups, &found).await? {
            true => Work::None,
            false => work,
        };
        let purpose = Purpose {
            task: task.as_ref(),
            work,
            // A chip whose request is spent gets nothing of its task.
            number: found.number.filter(|_| work != Work::None),
        };
        begin(cx, tx, open, (&chip, &selection), purpose).await.map(Ok)
    })
    .await?
}

/// Asks what decides beside the chip and its task.
async fn ask<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    open: &OpenSession<'_>,
    (chip, task): (&ChipRow, Option<&TaskRow>),
    limits: SessionLimits,
) -> Result<OpeningAnswers, Error> {
    let minutes = i64::from(limits.alternation_minutes);
    let is_request = task.is_some_and(|task| task.next_work == Work::Write) && !open.resumed && !chip.blocked;
    let asked = OpeningQuestions {
        eid_index: &chip.eid_index,
        task: task.map(|task| task.id),
        alternates: (minutes > 0 && !chip.blocked).then(|| (cx.now.plus(-minutes * MINUTE_MS), open.peer)),
        requests_since: limits.power_ups.requests_since(cx.now).filter(|_| is_request),
        last_writing: is_request && limits.power_ups.gap_secs > 0,
    };
    Ok(card_facts::opening(tx, asked).await?)
}

/// What a new session is for.
struct Purpose<'a> {
    task: Option<&'a TaskRow>,
    work: Work,
    /// The number that it writes or verifies, or without a task looks for on the card.
    number: Option<NumberRow>,
}

async fn begin<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    open: &OpenSession<'_>,
    (chip, selection): (&ChipRow, &Selection),
    Purpose { task, work, number }: Purpose<'_>,
) -> Result<SessionWork, Error> {
    let worked = task.filter(|_| work != Work::None);
    if let Some(task) = worked {
        let is_given = |number: &NumberRow| number.status == NumberStatus::Reserved && !number.is_quarantined;
        if !number
            .as_ref()
            .is_some_and(|number| work != Work::Write || is_given(number))
        {
            return Err(Reason::NumberSuspended.into());
        }
        if work == Work::Write {
            number::expose(tx, task.id, open.session_id, cx.now).await?;
        }
        if task.state == TaskState::Waiting {
            let cause = Cause::of_task(&Actor::Gateway, "session_opened", task.id);
            let status = move_card(cx, tx, chip, CardEvent::SessionOpened, &cause).await?;
            task::start(tx, task.id, open.gateway, cx.now).await?;
            let change = StateChange {
                chip,
                status,
                task: Some(task.id),
                event: ChangeEvent::Writing,
            };
            enqueue_selected(cx, tx, selection, &change).await?;
        }
    }
    let session_row = open.session_id.text();
    let agent = open.agent.map(shortened);
    let seal = |agent: &String| {
        cx.vault.seal(
            cx.random,
            device_session::AGENT,
            session_row.as_bytes(),
            agent.as_bytes(),
        )
    };
    let new = NewSessionRow {
        id: open.session_id,
        eid_index: &chip.eid_index,
        task_id: task.map(|task| task.id),
        work,
        attempt: task.map_or(1, |task| task.attempt),
        resume_step: task.map_or(0, |task| task.step),
        resumed: open.resumed,
        peer: &shortened(open.peer),
        agent_sealed: agent.as_ref().map(seal).transpose()?,
        allowance_at_open: i64::try_from(chip.remaining_bytes()).unwrap_or(i64::MAX),
        charged: is_charged(chip, work, task.is_some()),
        iccid_index: number
            .as_ref()
            .filter(|_| task.is_none())
            .map(|number| number.iccid_index),
    };
    let facts = Facts {
        work,
        task_id: worked.map(|task| task.id),
        attempt: new.attempt,
        resume_step: new.resume_step,
        allowance_bytes: chip.remaining_bytes(),
    };
    device_session::insert(tx, new, cx.now).await?;
    answer(cx, chip, number.as_ref(), &facts)
}

/// Shows the operator, once for each task, that a chip came back after its task had been ended without it.
async fn show_return<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
) -> Result<(), Error> {
    // What the gateway found has its message; what the client withdrew is its own act.
    let failure = match task.failure {
        None | Some(TaskFailure::Writing(_)) => return Ok(()),
        Some(failure) => failure,
    };
    if !task::set_returned(tx, task.id, cx.now).await? {
        return Ok(());
    }
    let alert = NewAlert {
        kind: AlertKind::ReturnedAfterEnd,
        subject: &Subject::chip(&chip.eid_index),
        fields: vec![
            ("eid", chip.eid(cx.vault)?.as_str().to_owned()),
            ("task_id", task.id.text()),
            ("failure", failure.code().to_owned()),
        ],
    };
    raise(cx, tx, alert).await
}

/// Whether the test allowance pays for a session. Verifying a writing uses the operator number, which has none; so do
/// all sessions of a card that is written or reopened.
fn is_charged(chip: &ChipRow, work: Work, has_task: bool) -> bool {
    !(work == Work::Verify && has_task || chip.status == CardStatus::Written || chip.reopened)
}

/// The facts that decide the answer. They are stored in the session's row, so that the answer can be repeated.
struct Facts {
    work: Work,
    task_id: Option<TaskId>,
    attempt: u32,
    resume_step: u32,
    allowance_bytes: u64,
}

async fn answer_again<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    known: &SessionRow,
) -> Result<SessionWork, Error> {
    if known.eid_index != chip.eid_index {
        return Err(Reason::SessionConflict.into());
    }
    match known.state {
        SessionState::Superseded => return Err(Reason::SessionSuperseded.into()),
        SessionState::Closed => return Err(Reason::SessionClosed.into()),
        SessionState::Open => (),
    }
    let number = match (known.task_id, &known.iccid_index) {
        (Some(task), _) if known.work != Work::None => number::by_task(tx, task).await?,
        (None, Some(held)) => number::by_iccid(tx, held)
            .await?
            .filter(|number| number.eid_index == Some(chip.eid_index) && number.task_id.is_none()),
        _ => None,
    };
    if number.is_none() && known.work != Work::None {
        return Err(Reason::NumberSuspended.into());
    }
    let facts = Facts {
        work: known.work,
        task_id: known.task_id.filter(|_| known.work != Work::None),
        attempt: known.attempt,
        resume_step: known.resume_step,
        allowance_bytes: known.allowance_at_open,
    };
    answer(cx, chip, number.as_ref(), &facts)
}

fn answer<D>(
    cx: &Context<'_, D>,
    chip: &ChipRow,
    number: Option<&NumberRow>,
    facts: &Facts,
) -> Result<SessionWork, Error> {
    Ok(SessionWork {
        work: facts.work,
        task_id: facts.task_id,
        chip_model: chip.chip_model.clone(),
        profile: chip.profile.clone(),
        attempt: facts.attempt,
        allowance_bytes: is_charged(chip, facts.work, facts.task_id.is_some())
            .then_some(facts.allowance_bytes),
        resume_step: facts.resume_step,
        data: number
            .map(|number| write_data(cx, number, facts.work))
            .transpose()?,
    })
}

fn write_data<D>(cx: &Context<'_, D>, number: &NumberRow, work: Work) -> Result<WriteData, Error> {
    let row = number.iccid_index.as_bytes();
    let rewrap = |column: Column, sealed: &[u8]| -> Result<Option<Vec<u8>>, Error> {
        if work != Work::Write {
            return Ok(None);
        }
        Ok(Some(
            cx.vault.wrap_for_link(&cx.vault.open(column, row, sealed)?)?,
        ))
    };
    let text = |column, sealed: &[u8]| cx.vault.open_text(column, row, sealed);
    Ok(WriteData {
        iccid: Iccid::parse(&text(number::ICCID, &number.iccid_sealed)?).map_err(Error::internal)?,
        msisdn: Msisdn::parse(&text(number::MSISDN, &number.msisdn_sealed)?).map_err(Error::internal)?,
        imsi: Imsi::parse(&text(number::IMSI, &number.imsi_sealed)?).map_err(Error::internal)?,
        smsc: number.smsc.clone(),
        k_wrapped: rewrap(number::K, &number.k_sealed)?,
        opc_wrapped: rewrap(number::OPC, &number.opc_sealed)?,
    })
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_NOTE_CHARS).collect()
}
