//! The body of a callback (§7.3, §6.2.4.2): what happened to a card, told once per outcome.

use std::collections::BTreeMap;

use super::{Context, SIGN_FIELD, sign};
use crate::domain::{CallbackId, CardStatus, FailureKind};
use crate::error::{Error, Reason};
use crate::store::{
    Database,
    chip::ChipRow,
    client,
    number::{self, NumberRow},
    outbox,
    task::TaskRow,
};
use crate::vault::random_bytes;

/// When this attempt was signed, in seconds since 1970 UTC; lets the receiver refuse old ones.
const TIMESTAMP_FIELD: &str = "timestamp";

/// The outcome of a task.
#[derive(Clone, Copy)]
pub(super) enum Outcome {
    /// Written, and the number communicates.
    Written,
    /// Writing ended without success.
    Failed(FailureKind),
}

/// Adds the callback that tells of `outcome` to the transaction under way, if the client wants callbacks.
pub(super) async fn enqueue<D: Database>(
    cx: &Context<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
    number: &NumberRow,
    outcome: Outcome,
) -> Result<(), Error> {
    let client = client::by_id(cx.db, &task.client_id).await?;
    let client = client.ok_or_else(|| Error::internal("a task without its client"))?;
    if client.callback_url.is_none() {
        return Ok(());
    }
    let id = CallbackId::new(cx.now, random_bytes(cx.random));
    let fields = fields(cx, chip, task, number, outcome)?;
    let body = serde_json::to_vec(&fields).map_err(Error::internal)?;
    let sealed = cx
        .vault
        .seal(cx.random, outbox::BODY, id.text().as_bytes(), &body)?;
    outbox::insert(cx.db, id, &task.client_id, task.id, sealed, cx.now).await?;
    Ok(())
}

fn fields<D>(
    cx: &Context<'_, D>,
    chip: &ChipRow,
    task: &TaskRow,
    number: &NumberRow,
    outcome: Outcome,
) -> Result<BTreeMap<&'static str, String>, Error> {
    let row = number.iccid_index.as_bytes();
    let (status, result, description) = match outcome {
        Outcome::Written => (CardStatus::Written, "成功", "写卡完成，运营号通信正常"),
        Outcome::Failed(failure) => (CardStatus::Failed, "失败", failure.zh()),
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
    if let Outcome::Failed(failure) = outcome {
        fields.insert("failure", failure.code().to_owned());
    }
    Ok(fields)
}

/// The body as it is sent now: the stored fields, the time of signing and `sign`. All values are JSON
/// strings, so that the signed text does not depend on how a parser prints numbers.
///
/// # Errors
/// [`Reason::Internal`] when the stored fields are no JSON object of strings.
pub(super) fn signed_body(stored: &[u8], key: &[u8], now_secs: i64) -> Result<Vec<u8>, Error> {
    let mut fields: BTreeMap<&str, String> =
        serde_json::from_slice(stored).map_err(|error| Error::new(Reason::Internal).with_cause(error))?;
    fields.insert(TIMESTAMP_FIELD, now_secs.to_string());
    let signature = sign(key, &fields);
    fields.insert(SIGN_FIELD, signature);
    serde_json::to_vec(&fields).map_err(Error::internal)
}
