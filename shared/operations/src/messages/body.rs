//! The body of a callback (§7.3, §6.2.4.2): a change of state of a card, with its result if it ends a task. A field
//! without a value is absent, never empty.

use std::collections::BTreeMap;

use super::super::Context;
use super::queue::{NewMessage, queue};
use super::sign::{Key, SIGN_FIELD, SIGN_PREVIOUS_FIELD, sign};
use domain::error::{Error, Lang, Reason};
use domain::{CardChange, CardStatus, Receiver, TaskFailure, TaskId, TaskStatus};
use store::{
    Database, Tx,
    chip::ChipRow,
    number::{self, NumberRow},
    receiver::{self, Selection},
};

/// Topic of messages about the result of a task.
const RESULT_TOPIC: &str = "write_result";
/// Topic of messages about another change of state.
const STATUS_TOPIC: &str = "card_status";
/// When this attempt was signed, in seconds since 1970 UTC; with it the receiver can refuse old messages.
const TIMESTAMP_FIELD: &str = "timestamp";

/// A change of state of a card.
pub(crate) struct StateChange<'a> {
    /// The chip.
    pub(crate) chip: &'a ChipRow,
    /// State of its card afterwards.
    pub(crate) status: CardStatus,
    /// The task it belongs to.
    pub(crate) task: Option<TaskId>,
    /// What happened.
    pub(crate) event: ChangeEvent<'a>,
}

/// What changed the state of a card.
#[derive(Clone, Copy)]
pub(crate) enum ChangeEvent<'a> {
    /// An application was accepted.
    Accepted,
    /// An application was refused.
    Refused(&'a Error),
    /// The client withdrew its application.
    Cancelled,
    /// The card opened its channel.
    Writing,
    /// Written, and the number communicates.
    Written(&'a NumberRow),
    /// The task ended before the card powered up.
    Ended(TaskFailure, &'a NumberRow),
    /// Writing ended without success.
    Failed(TaskFailure, &'a NumberRow),
    /// A written card may be written with another number.
    Reopened,
}

impl ChangeEvent<'_> {
    fn change(self) -> CardChange {
        match self {
            Self::Accepted => CardChange::Accepted,
            Self::Refused(_) => CardChange::Refused,
            Self::Cancelled => CardChange::Cancelled,
            Self::Writing => CardChange::Writing,
            Self::Written(_) => CardChange::Succeeded,
            Self::Ended(..) => CardChange::Ended,
            Self::Failed(..) => CardChange::Failed,
            Self::Reopened => CardChange::Reopened,
        }
    }

    /// What happened, in Chinese.
    fn description(self) -> String {
        match self {
            Self::Accepted => TaskStatus::Waiting.zh().to_owned(),
            Self::Refused(refusal) => refusal.message(Lang::Zh),
            Self::Cancelled => TaskStatus::Cancelled.zh().to_owned(),
            Self::Writing => TaskStatus::Writing.zh().to_owned(),
            Self::Written(_) => TaskStatus::Succeeded.zh().to_owned(),
            Self::Ended(failure, _) | Self::Failed(failure, _) => failure.zh().to_owned(),
            Self::Reopened => "可更换运营号，请重新申请写卡".to_owned(),
        }
    }
}

/// Adds the message about a change of state in the open transaction, if the client of the chip gets such changes.
pub(crate) async fn enqueue<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    change: &StateChange<'_>,
) -> Result<(), Error> {
    let client = Receiver::Client(change.chip.client_id.clone());
    match receiver::find(tx, &client).await? {
        Some(row) => enqueue_selected(cx, tx, &row.selection, change).await,
        None => Ok(()),
    }
}

/// The same, when it is known which changes the client gets. The step of the card must be in its history.
pub(crate) async fn enqueue_selected<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    selection: &Selection,
    change: &StateChange<'_>,
) -> Result<(), Error> {
    let event = change.event.change();
    if !selection.wants(event) {
        return Ok(());
    }
    let body = serde_json::to_vec(&fields(cx, change)?).map_err(Error::internal)?;
    let message = NewMessage {
        to: &Receiver::Client(change.chip.client_id.clone()),
        topic: if event.is_outcome() {
            RESULT_TOPIC
        } else {
            STATUS_TOPIC
        },
        task: change.task,
        chip: Some(change.chip),
        is_addressed: selection.is_addressed,
        body: &body,
    };
    queue(cx, tx, &message).await
}

fn fields<D>(cx: &Context<'_, D>, change: &StateChange<'_>) -> Result<BTreeMap<&'static str, String>, Error> {
    let at = cx.now.to_rfc3339(cx.zone);
    let mut fields = BTreeMap::from([
        ("eid", change.chip.eid(cx.vault)?.as_str().to_owned()),
        ("card_status", change.status.zh().to_owned()),
        ("event", change.event.change().code().to_owned()),
        ("event_time", at.clone()),
        ("description", change.event.description()),
    ]);
    if let Some(task) = change.task {
        fields.insert("task_id", task.text());
    }
    match change.event {
        ChangeEvent::Accepted | ChangeEvent::Cancelled | ChangeEvent::Writing | ChangeEvent::Reopened => {}
        ChangeEvent::Refused(refusal) => {
            fields.insert("failure", refusal.reason().code().to_owned());
        }
        ChangeEvent::Written(number) => {
            fields.extend(number_fields(cx, number)?);
            fields.insert("write_result", "成功".to_owned());
            fields.insert("write_time", at);
        }
        ChangeEvent::Ended(failure, number) | ChangeEvent::Failed(failure, number) => {
            fields.extend(number_fields(cx, number)?);
            fields.insert("write_result", "失败".to_owned());
            fields.insert("failure", failure.code().to_owned());
        }
    }
    Ok(fields)
}

/// The operator number of a task that has ended.
fn number_fields<D>(cx: &Context<'_, D>, row: &NumberRow) -> Result<[(&'static str, String); 2], Error> {
    let open = |column, sealed: &[u8]| cx.vault.open_text(column, row.iccid_index.as_bytes(), sealed);
    Ok([
        (
            "iccid",
            open(number::ICCID, &row.iccid_sealed)?.as_str().to_owned(),
        ),
        (
            "msisdn",
            open(number::MSISDN, &row.msisdn_sealed)?.as_str().to_owned(),
        ),
    ])
}

/// The body of an attempt: the stored fields, the time of signing, and a signature under each key, at most two. All
/// values are JSON strings, so that the signed text does not depend on how a parser prints numbers.
///
/// # Errors
/// [`Reason::Internal`] when the stored fields are no JSON object of strings, or there is no key.
pub(super) fn signed_body(stored: &[u8], keys: &[Key], now_secs: i64) -> Result<Vec<u8>, Error> {
    let mut fields: BTreeMap<&str, String> =
        serde_json::from_slice(stored).map_err(|error| Error::new(Reason::Internal).with_cause(error))?;
    fields.insert(TIMESTAMP_FIELD, now_secs.to_string());
    let latest = keys
        .first()
        .ok_or_else(|| Error::internal("a receiver without a secret"))?;
    let mut signatures = vec![(SIGN_FIELD, sign(latest, &fields))];
    if let Some(previous) = keys.get(1) {
        signatures.push((SIGN_PREVIOUS_FIELD, sign(previous, &fields)));
    }
    fields.extend(signatures);
    serde_json::to_vec(&fields).map_err(Error::internal)
}
