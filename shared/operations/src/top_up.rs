//! §5.2.1.2, §8.2.4 Table 6 (必要时补充流量): more test allowance for a chip, by an administrator. Beside a reprovision,
//! nothing else raises the allowance of a chip.

use super::Context;
use super::act_note::ActNote;
use super::apply::MIN_WRITE_ALLOWANCE_BYTES;
use super::incidents::close_incident;
use super::transition::guarded;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Eid, IncidentKind, Volume};
use store::{Database, Subject, chip, lock, temporary_number};

/// Raises the test allowance of a chip so that `remaining` is left, in any state of its card. Repeating the call changes
/// nothing as long as none of it is used. Returns whether it was raised.
///
/// # Errors
/// [`Reason::UnknownChip`]; [`Reason::ParameterMalformed`] when more than `remaining` is left.
pub async fn top_up<D: Database>(
    cx: &Context<'_, D>,
    eid: &Eid,
    remaining: Volume,
    note: &ActNote<'_>,
) -> Result<bool, Error> {
    let index = cx.eid_index(eid);
    transaction(cx, async |tx| {
        lock::chip(tx, &index).await?;
        let chip = chip::by_eid(tx, &index).await?.ok_or(Reason::UnknownChip)?;
        if chip.remaining_bytes() > remaining.bytes() {
            return Err(Error::new(Reason::ParameterMalformed).with_detail(
                "allowance_mb，少于现有剩余流量",
                "allowance_mb, less than what is left",
            ));
        }
        if chip.remaining_bytes() == remaining.bytes() {
            return Ok(false);
        }
        guarded(temporary_number::set_remaining(tx, &index, chip.status, remaining, cx.now).await?)?;
        cx.note_change("remaining_bytes", chip.remaining_bytes(), remaining.bytes());
        note.record(cx, tx, &chip, "allowance_topped_up").await?;
        if remaining.bytes() >= MIN_WRITE_ALLOWANCE_BYTES {
            close_incident(cx, tx, IncidentKind::AllowanceExhausted, &Subject::chip(&index)).await?;
        }
        Ok(true)
    })
    .await
}
