//! §6.2.3.3, §6.2.4.1: reports of events in a device session.

pub use gateway_protocol::ReportEvent;

use super::Context;
use super::alerts::{NewAlert, raise};
use super::end_task::end;
use super::incidents::open_after_session;
use super::power_up::goes_on;
use super::transition::{Cause, guarded, in_order};
use super::unopened_session::{self, end_reason};
use super::verified::{ENDED_BY_SUCCESS, succeed};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Actor, AlertKind, Eid, FailureKind, IncidentKind, SessionId, TaskFailure, TaskState, Work};
use store::{
    Database, Subject, Tx,
    card_facts::{self, Reported},
    chip::{self, ChipRow},
    chip_fault::{self, Fault},
    device_session::{self, Progress, SessionRow, SessionState, UnopenedSession},
    lock, number,
    task::{self, TaskRow},
};
use vault::BlindIndex;

/// Progress when everything is written and only verification is left, in percent.
const WRITTEN_PERCENT: u8 = 90;
/// Most steps a script may have.
const MAX_STEPS: u32 = 10_000;
/// Most write attempts of one application whose card does not keep the content; then it fails.
const MAX_WRITE_ATTEMPTS: u32 = 5;
/// Largest byte count that a session may report; far beyond any allowance.
const MAX_SESSION_BYTES: u64 = 1 << 40;
/// Longest marker of a power-up, in characters.
const MAX_MARKER_CHARS: usize = 32;
/// Why a session ends whose card holds the number and shows no registration with it.
const NOT_REGISTERED: &str = "not_registered";
/// Longest text for the operator that is kept, in characters.
const MAX_NOTE_CHARS: usize = 512;

/// Failures that a gateway finds before it sends anything of the number to the card, and that are no fault of the number.
/// One that the gateway cannot encode stays with its chip: in the pool it would fail one chip after the other.
const UNSENT: [FailureKind; 2] = [FailureKind::ProfileUnknown, FailureKind::KeysUnusable];

/// One report of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The session.
    pub session_id: SessionId,
    /// Number of the report within the session, ascending; a repeated number changes nothing.
    pub seq: u64,
    /// What happened.
    pub event: ReportEvent,
    /// Bytes from the card so far.
    pub bytes_up: u64,
    /// Bytes to the card so far.
    pub bytes_down: u64,
    /// Chip and peer of a session that ended before it was opened.
    pub unopened: Option<(Eid, String)>,
}

/// The platform's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportAnswer {
    /// Whether the session may continue; if false, the gateway ends it.
    pub go_on: bool,
    /// Test allowance left, in bytes; none when the session does not use it.
    pub allowance_bytes: Option<u64>,
}

/// Processes a report. The increase of the byte counts is deducted from the test allowance (§5.2.1.2), also for a
/// superseded session, whose report is otherwise refused. A success or failure changes card, task, number, history and
/// message together. A repeated report changes nothing.
///
/// # Errors
/// [`Reason::UnknownSession`] unless it is the end of a session that never asked for work,
/// [`Reason::SessionSuperseded`], [`Reason::SessionClosed`]; [`Reason::ReportOutOfOrder`] when it does not fit the
/// session's work or the task's state; [`Reason::ReportMalformed`].
pub async fn report<D: Database>(cx: &Context<'_, D>, report: &Report) -> Result<ReportAnswer, Error> {
    let seq = validated(report)?;
    transaction(cx, async |tx| {
        lock::chip_of_session(tx, report.session_id).await?;
        let success = (report.event == ReportEvent::Verified).then_some(ENDED_BY_SUCCESS);
        let Some(found) = card_facts::reported(tx, report.session_id, success).await? else {
            return keep_unopened(cx, tx, report, seq).await.map(Ok);
        };
        let session = &found.session;
        let is_new = session.state == SessionState::Open && seq > session.last_seq;
        let remaining = account(cx, tx, &found, report, is_new.then_some(seq)).await?;
        // Without a task, a verdict is followed by nothing.
        let ends = matches!(
            report.event,
            ReportEvent::Failed { .. } | ReportEvent::Closed { .. }
        ) || session.iccid_index.is_some();
        let answer = |open: bool| ReportAnswer {
            go_on: open && !ends && (!session.charged || remaining > 0),
            allowance_bytes: session.charged.then_some(remaining),
        };
        match session.state {
            // Committed all the same, because the bytes were spent.
            SessionState::Superseded => {
                if let ReportEvent::Closed { reason } = &report.event {
                    device_session::set_end_reason(tx, session.id, end_reason(reason)).await?;
                }
                return Ok::<_, Error>(Err(Error::from(Reason::SessionSuperseded)));
            }
            SessionState::Closed if seq > session.last_seq => return Ok(Err(Reason::SessionClosed.into())),
            SessionState::Closed => return Ok(Ok(answer(false))),
            SessionState::Open => (),
        }
        if is_new {
            handle(cx, tx, &found, remaining, &report.event).await?;
        }
        // Asked again for a repeated report, whose answer may be lost.
        let goes_on = match &report.event {
            ReportEvent::PoweredUp { marker } => goes_on(tx, session, marker).await?,
            _ => true,
        };
        Ok(Ok(answer(goes_on)))
    })
    .await?
}

/// Keeps the end of a session that was never opened; refuses any other report of an unknown session.
async fn keep_unopened<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    report: &Report,
    seq: i64,
) -> Result<ReportAnswer, Error> {
    let (ReportEvent::Closed { reason }, Some((eid, peer))) = (&report.event, &report.unopened) else {
        return Err(Reason::UnknownSession.into());
    };
    lock::chip(tx, &cx.eid_index(eid)).await?;
    let session = UnopenedSession {
        id: report.session_id,
        eid_index: &cx.eid_index(eid),
        peer,
        seq,
        bytes_up: i64::try_from(report.bytes_up).unwrap_or(i64::MAX),
        bytes_down: i64::try_from(report.bytes_down).unwrap_or(i64::MAX),
        reason,
    };
    unopened_session::record(cx, tx, session).await?;
    Ok(ReportAnswer {
        go_on: false,
        allowance_bytes: None,
    })
}

fn validated(report: &Report) -> Result<i64, Error> {
    let malformed = |en: &str| Error::new(Reason::ReportMalformed).with_detail(en, en);
    if report.bytes_up > MAX_SESSION_BYTES || report.bytes_down > MAX_SESSION_BYTES {
        return Err(malformed("bytes_up, bytes_down"));
    }
    if let ReportEvent::Progress { step, steps } = report.event
        && (step > steps || steps == 0 || steps > MAX_STEPS)
    {
        return Err(malformed("step, steps"));
    }
    if let ReportEvent::PoweredUp { marker } = &report.event
        && !is_marker(marker)
    {
        return Err(malformed("marker"));
    }
    i64::try_from(report.seq).map_err(|_| malformed("seq"))
}

/// Records a report, with its number, what it notes and whether it closes the session if it is a new one of an open
/// session. Deducts the bytes of the session since its last report and returns the allowance left, in bytes. A
/// verification uses the operator number and costs no allowance; what one without a verdict cost is set aside until a
/// later one shows which identity the card has.
async fn account<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    Reported { session, chip, .. }: &Reported,
    report: &Report,
    seq: Option<i64>,
) -> Result<u64, Error> {
    let up = i64::try_from(report.bytes_up)
        .unwrap_or(i64::MAX)
        .max(session.bytes_up);
    let down = i64::try_from(report.bytes_down)
        .unwrap_or(i64::MAX)
        .max(session.bytes_down);
    let more = (up - session.bytes_up).saturating_add(down - session.bytes_down);
    if more > 0 || seq.is_some() {
        let (noted, end) = match &report.event {
            ReportEvent::Closed { reason } => (Some(reason), Some(end_reason(reason))),
            ReportEvent::NotVerified { detail, .. } | ReportEvent::Failed { detail, .. } => {
                (Some(detail), None)
            }
            _ => (None, None),
        };
        let noted = noted.filter(|_| seq.is_some());
        let progress = Progress {
            bytes_up: up,
            bytes_down: down,
            reported_at: (more > 0).then_some(cx.now),
            last_seq: seq.unwrap_or(session.last_seq),
            note_sealed: noted.map(|text| note(cx, session, text)).transpose()?,
            end_reason: end.filter(|_| seq.is_some()),
        };
        device_session::record(tx, session, progress, cx.now).await?;
    }
    if more == 0 || !session.charged {
        return Ok(chip.remaining_bytes());
    }
    let remaining = deduct(cx, tx, chip, chip.remaining_bytes(), more).await?;
    if session.task_id.is_none() && chip::set_half_used(tx, &chip.eid_index, cx.now).await? {
        let alert = NewAlert {
            kind: AlertKind::AllowanceHalfUsed,
            subject: &Subject::chip(&chip.eid_index),
            fields: vec![
                ("eid", chip.eid(cx.vault)?.as_str().to_owned()),
                ("remaining_bytes", remaining.to_string()),
            ],
        };
        raise(cx, tx, alert).await?;
    }
    Ok(remaining)
}

async fn handle<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    found: &Reported,
    remaining: u64,
    event: &ReportEvent,
) -> Result<(), Error> {
    let (session, chip) = (&found.session, &found.chip);
    if let ReportEvent::Closed { reason } = event {
        if reason == gateway_protocol::ALLOWANCE_EXHAUSTED {
            let kind = IncidentKind::AllowanceExhausted;
            open_after_session(cx, tx, kind, &chip.eid_index, cx.now, Some(reason)).await?;
        }
        return Ok(());
    }
    if let Some(number) = session.iccid_index {
        return judge_held(cx, tx, session, number, event).await;
    }
    let task = current_task(found)?;
    match event {
        ReportEvent::PoweredUp { .. } => in_order(session.work == Work::Write)?,
        ReportEvent::Progress { step, steps } => {
            // Steps of an earlier attempt do not count for this one, and a task that waits for verification keeps its own.
            if session.attempt == task.attempt {
                task::progress(tx, task.id, *step, percent(*step, *steps), cx.now).await?;
            }
        }
        ReportEvent::Written => {
            in_order(session.work == Work::Write && task.next_work == Work::Write)?;
            task::set_verify(tx, task.id, WRITTEN_PERCENT, cx.now).await?;
        }
        ReportEvent::Verified => {
            in_order(session.work == Work::Verify && task.next_work == Work::Verify)?;
            succeed(cx, tx, found, task).await?;
        }
        ReportEvent::NotVerified { rewrite, .. } => {
            // Once the card is to be written again, this session has given its verdict.
            in_order(session.work == Work::Verify && task.next_work == Work::Verify)?;
            charge_verifications(cx, tx, chip, remaining).await?;
            after_failed_verification(cx, tx, chip, task, *rewrite).await?;
        }
        ReportEvent::Failed {
            failure,
            chip_fault,
            status_word,
            ..
        } => {
            if session.last_seq < 0 && UNSENT.contains(failure) {
                number::set_unsent(tx, task.id, session.id, cx.now).await?;
            }
            let status_word = status_word.as_deref().filter(|word| is_status_word(word));
            let fault = Fault {
                status_word,
                ..Fault::named(failure.code())
            };
            fail(cx, tx, chip, task, *failure, chip_fault.then_some(fault)).await?;
        }
        ReportEvent::Closed { .. } => (),
    }
    Ok(())
}

/// What follows when a session without a task has looked for a number that its chip holds: the number is free where the
/// card has the IMSI of another.
async fn judge_held<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    session: &SessionRow,
    number: BlindIndex,
    event: &ReportEvent,
) -> Result<(), Error> {
    let other_imsi = match event {
        ReportEvent::NotVerified { other_imsi, .. } => *other_imsi,
        ReportEvent::Verified | ReportEvent::Failed { .. } => false,
        _ => return Err(Reason::ReportOutOfOrder.into()),
    };
    device_session::set_other_imsi(tx, session.id, other_imsi).await?;
    if other_imsi {
        number::give_back_held(tx, &session.eid_index, Some(number), cx.now).await?;
    }
    Ok(())
}

/// What follows when the card does not hold the number, or its number shows no registration: the card is written
/// again as long as it has attempts left, or the silent number is an incident.
async fn after_failed_verification<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
    rewrite: bool,
) -> Result<(), Error> {
    if !rewrite {
        let (kind, why) = (IncidentKind::NumberSilent, Some(NOT_REGISTERED));
        return open_after_session(cx, tx, kind, &chip.eid_index, cx.now, why)
            .await
            .map(drop);
    }
    if task.attempt >= MAX_WRITE_ATTEMPTS {
        let failure = FailureKind::ReadBackMismatch;
        let fault = Fault::named(failure.code());
        return fail(cx, tx, chip, task, failure, Some(fault)).await;
    }
    in_order(task::rewrite(tx, task.id, cx.now).await?)
}

/// Deducts what the verifications of a chip have cost so far that were set aside: the card does not have the operator
/// number, so none of them went over it. Later bytes are deducted with their reports.
async fn charge_verifications<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    remaining: u64,
) -> Result<(), Error> {
    if chip.reopened {
        return Ok(());
    }
    let cost = device_session::charge_verifications(tx, &chip.eid_index).await?;
    deduct(cx, tx, chip, remaining, cost).await.map(drop)
}

/// Deducts bytes from the test allowance, of which `remaining` were left, and returns what is left of it then.
async fn deduct<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    remaining: u64,
    bytes: i64,
) -> Result<u64, Error> {
    chip::deduct(tx, &chip.eid_index, bytes, cx.now).await?;
    let remaining = remaining.saturating_sub(bytes.unsigned_abs());
    if remaining == 0 {
        let kind = IncidentKind::AllowanceExhausted;
        open_after_session(cx, tx, kind, &chip.eid_index, cx.now, None).await?;
    }
    Ok(remaining)
}

/// The task of the session, which must be in writing.
fn current_task(found: &Reported) -> Result<&TaskRow, Error> {
    in_order(found.session.work != Work::None)?;
    let task = found.task.as_ref().ok_or(Reason::ReportOutOfOrder)?;
    in_order(task.state == TaskState::Writing)?;
    Ok(task)
}

/// Ends a task without success, as the gateway reports it, and registers a chip that is suspected.
pub(super) async fn fail<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
    failure: FailureKind,
    fault: Option<Fault<'_>>,
) -> Result<(), Error> {
    in_order(task.state == TaskState::Writing)?;
    let failure = TaskFailure::from(failure);
    let cause = Cause::of_task(&Actor::Gateway, failure.code(), task.id);
    end(cx, tx, chip, task, failure, &cause).await?;
    if let Some(fault) = fault {
        guarded(chip_fault::enter(tx, &chip.eid_index, fault, cx.now).await?)?;
        let (kind, why) = (IncidentKind::ChipFault, Some(failure.code()));
        open_after_session(cx, tx, kind, &chip.eid_index, cx.now, why).await?;
    }
    Ok(())
}

/// Progress in percent after `step` of `steps` steps: writing makes 90, verification the rest.
fn percent(step: u32, steps: u32) -> u8 {
    let share = u64::from(step) * u64::from(WRITTEN_PERCENT) / u64::from(steps.max(1));
    u8::try_from(share)
        .unwrap_or(WRITTEN_PERCENT)
        .min(WRITTEN_PERCENT)
}

/// Whether a text is a marker of a power-up: lower-case hexadecimal.
fn is_marker(text: &str) -> bool {
    (1..=MAX_MARKER_CHARS).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Whether a text is a status word: four hexadecimal digits in capitals.
fn is_status_word(text: &str) -> bool {
    text.len() == 4
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'A'..=b'F').contains(&byte))
}

/// The gateway's note to the operator, sealed, because it may quote what the card holds.
fn note<D>(cx: &Context<'_, D>, session: &SessionRow, text: &str) -> Result<Vec<u8>, Error> {
    let text: String = text.chars().take(MAX_NOTE_CHARS).collect();
    let row = session.id.text();
    Ok(cx
        .vault
        .seal(cx.random, device_session::NOTE, row.as_bytes(), text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn acknowledged_steps_make_at_most_ninety_percent() {
        assert_eq!([percent(0, 12), percent(3, 12), percent(12, 12)], [0, 22, 90]);
        assert_eq!(percent(5, 0), 90);
        assert_eq!(percent(u32::MAX, 1), 90);
    }
}
