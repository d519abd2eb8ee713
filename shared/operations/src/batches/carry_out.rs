//! One row of a batch, by the use case that does the same to one card or number.

use super::file::RowContent;
use crate::act_note::ActNote;
use crate::apply::{Application, ApplyRequest, WhenEmpty};
use crate::cancel::cancel_in;
use crate::end_task::end_task_in;
use crate::pool::{NumberAct, act_in, allot_in};
use crate::{Caller, Context, NumberRef, TaskRef};
use domain::error::{Error, Reason};
use domain::{BatchKind, BatchResult, ClientId, Eid, Iccid, Msisdn, Province, TaskId};
use store::{
    Database, Tx,
    batch::{self, BatchRow},
    batch_row::RowResult,
};
use vault::Zeroizing;

/// What became of a row.
pub(super) enum Outcome {
    /// It has its result.
    Result(RowResult),
    /// The pool has no number, and it waits.
    Exhausted,
}

/// Who acts and why, opened once for all rows.
pub(super) struct OpenedNote(Option<[Zeroizing<Vec<u8>>; 2]>);

impl OpenedNote {
    pub(super) fn of<D>(cx: &Context<'_, D>, batch: &BatchRow) -> Result<Self, Error> {
        let id = batch.id.text();
        let Some([person, note]) = &batch.sealed_note else {
            return Ok(Self(None));
        };
        let person = cx.vault.open(batch::PERSON, id.as_bytes(), person)?;
        let note = cx.vault.open(batch::NOTE, id.as_bytes(), note)?;
        Ok(Self(Some([person, note])))
    }

    fn note(&self) -> Result<ActNote<'_>, Error> {
        let missing = || Error::internal("a batch without who acts and why");
        let [person, text] = self.0.as_ref().ok_or_else(missing)?;
        Ok(ActNote {
            person: std::str::from_utf8(person).map_err(Error::internal)?,
            text: std::str::from_utf8(text).map_err(Error::internal)?,
        })
    }
}

/// Carries a row out in an open transaction. A refusal is a result; an error is a failure of the platform.
pub(super) async fn carry_out<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    (batch, note): (&BatchRow, &OpenedNote),
    line: u64,
    content: &RowContent,
) -> Result<Outcome, Error> {
    let when_empty = match batch.fail_when_exhausted {
        true => WhenEmpty::Refuse,
        false => WhenEmpty::Wait,
    };
    let done = match batch.kind {
        BatchKind::Apply => apply(cx, tx, caller(batch)?, content, when_empty).await,
        BatchKind::Cancel => {
            let what = TaskRef::Eid(content.eid.ok_or_else(no_identifier)?);
            let cancelled = cancel_in(cx, tx, &caller(batch)?, &what).await;
            cancelled.map(|cancelled| (cancelled.at == cx.now, Some(cancelled.task_id)))
        }
        BatchKind::End => {
            let what = TaskRef::Eid(content.eid.ok_or_else(no_identifier)?);
            let ended = end_task_in(cx, tx, &what, &note.note()?).await;
            ended.map(|ended| (ended.at == cx.now, Some(ended.task_id)))
        }
        BatchKind::Allot => {
            let client = client(batch)?;
            let iccid = content.iccid.clone().ok_or_else(no_identifier)?;
            let changed = allot_in(cx, tx, client, &[iccid]).await;
            changed.map(|changed| (changed > 0, None))
        }
        BatchKind::Suspend => act(cx, tx, content, NumberAct::Suspend).await,
        BatchKind::Retire => act(cx, tx, content, NumberAct::Retire).await,
    };
    let result = |result, reason, task| {
        Ok(Outcome::Result(RowResult {
            line,
            result,
            reason,
            task,
        }))
    };
    match done {
        Ok((true, task)) => result(BatchResult::Done, None, task),
        Ok((false, task)) => result(BatchResult::Unchanged, None, task),
        Err(refusal) if when_empty == WhenEmpty::Wait && is_exhausted(&refusal) => Ok(Outcome::Exhausted),
        Err(refusal) if is_refusal(&refusal) => {
            result(BatchResult::Refused, Some(refusal.reason().code()), None)
        }
        Err(failure) => Err(failure),
    }
}

fn is_exhausted(refusal: &Error) -> bool {
    refusal.reason() == Reason::ProvinceWithoutNumber
}

/// Whether a use case has refused a row without leaving anything half done.
fn is_refusal(error: &Error) -> bool {
    error.reason().status() < 500 && error.reason() != Reason::Conflict
}

/// Whether a row changed something, and its task; an error is a refusal, or a failure.
type Acted = Result<(bool, Option<TaskId>), Error>;

async fn apply<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    caller: Caller,
    content: &RowContent,
    when_empty: WhenEmpty,
) -> Acted {
    let request = ApplyRequest {
        eid: content.eid.as_ref().map_or("", Eid::as_str),
        write_type: if content.province.is_some() { "1" } else { "0" },
        province_code: content
            .province
            .as_ref()
            .map_or("", |province| Province::code(*province)),
        iccid: content.iccid.as_ref().map_or("", Iccid::as_str),
        msisdn: content.msisdn.as_ref().map_or("", Msisdn::as_str),
    };
    let application = Application::read(cx, &request)?;
    let applied = application.decide(cx, tx, &caller, when_empty).await??;
    Ok((!applied.repeated, Some(applied.task_id)))
}

async fn act<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    content: &RowContent,
    act: NumberAct,
) -> Acted {
    let what = NumberRef::Iccid(content.iccid.clone().ok_or_else(no_identifier)?);
    act_in(cx, tx, &what, act).await.map(|_| (true, None))
}

fn client(batch: &BatchRow) -> Result<&ClientId, Error> {
    let client = batch.client_id.as_ref();
    client.ok_or_else(|| Error::internal("a batch without its client"))
}

fn caller(batch: &BatchRow) -> Result<Caller, Error> {
    Ok(Caller {
        id: client(batch)?.clone(),
    })
}

fn no_identifier() -> Error {
    Error::internal("a row of a batch without its identifier")
}
