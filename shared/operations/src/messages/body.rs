//! The body of a callback (§7.3, §6.2.4.2): the result of a writing task, sent once per task.

use std::collections::BTreeMap;

use super::super::Context;
use super::queue::{has_address, queue};
use super::sign::{Key, SIGN_FIELD, SIGN_PREVIOUS_FIELD, sign};
use domain::error::{Error, Reason};
use domain::{CardStatus, Receiver, TaskFailure};
use store::{
    Database, Tx,
    chip::ChipRow,
    number::{self, NumberRow},
    task::TaskRow,
};

/// Topic of messages about the result of a task.
const TOPIC: &str = "write_result";
/// When this attempt was signed, in seconds since 1970 UTC; with it the receiver can refuse old messages.
const TIMESTAMP_FIELD: &str = "timestamp";

/// The result of a task.
#[derive(Clone, Copy)]
pub(crate) enum WriteResult {
    /// Written, and the number communicates.
    Written,
    /// The task ended without a written card.
    Failed(TaskFailure),
}

/// Adds the message about `write_result` in the open transaction, if the client has an address. `card` is the chip and
/// its state after it.
pub(crate) async fn enqueue<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    card: (&ChipRow, CardStatus),
    task: &TaskRow,
    number: &NumberRow,
    write_result: WriteResult,
) -> Result<(), Error> {
    let client = Receiver::Client(task.client_id.clone());
    if !has_address(tx, &client).await? {
        return Ok(());
    }
    let fields = fields(cx, card, task, number, write_result)?;
    let body = serde_json::to_vec(&fields).map_err(Error::internal)?;
    queue(cx, tx, &client, TOPIC, Some(task.id), &body).await
}

fn fields<D>(
    cx: &Context<'_, D>,
    (chip, status): (&ChipRow, CardStatus),
    task: &TaskRow,
    number: &NumberRow,
    write_result: WriteResult,
) -> Result<BTreeMap<&'static str, String>, Error> {
    let row = number.iccid_index.as_bytes();
    let (result, description) = match write_result {
        WriteResult::Written => ("成功", "写卡完成，运营号通信正常"),
        WriteResult::Failed(failure) => ("失败", failure.zh()),
    };
    let mut fields = BTreeMap::from([
        ("eid", chip.eid(cx.vault)?.as_str().to_owned()),
        ("task_id", task.id.text()),
        ("card_status", status.zh().to_owned()),
        ("write_result", result.to_owned()),
        ("write_time", cx.now.to_rfc3339(cx.zone)),
        (
            "iccid",
            cx.vault
                .open_text(number::ICCID, row, &number.iccid_sealed)?
                .as_str()
                .to_owned(),
        ),
        (
            "msisdn",
            cx.vault
                .open_text(number::MSISDN, row, &number.msisdn_sealed)?
                .as_str()
                .to_owned(),
        ),
        ("description", description.to_owned()),
    ]);
    if let WriteResult::Failed(failure) = write_result {
        fields.insert("failure", failure.code().to_owned());
    }
    Ok(fields)
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
