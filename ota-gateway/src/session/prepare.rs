//! From the platform's answer to the work on the card.
//!
//! It must never begin work that it does not understand whole.

use anyhow::{Context as _, ensure};
use gateway_protocol::SessionAnswer;

use super::card_job::{CardJob, Purpose};
use super::content::Values;
use super::exchange::{SessionLimits, Shared, Task};
use super::key_command;
use crate::platform::ChipKeys;

/// Bytes of one TLS record that are kept for the HTTP head of a response.
const RESPONSE_HEAD_BYTES: usize = 320;
/// Fewest bytes of script that are sent at once, however small the record.
const MIN_SCRIPT_BYTES: usize = 128;

/// The job of a session, and the task that it belongs to.
///
/// # Errors
/// A profile that does not exist, data that is missing or malformed, a key that does not unwrap.
pub(super) fn prepare(
    shared: &Shared,
    keys: &ChipKeys,
    limits: &SessionLimits,
    purpose: Purpose,
    answer: &SessionAnswer,
) -> anyhow::Result<(Box<CardJob>, Task)> {
    let name = answer.profile.as_str();
    ensure!(!name.is_empty(), "the platform named no card profile");
    let profile = shared
        .catalogue
        .get(name)
        .with_context(|| format!("no card profile {name:?}"))?;
    let data = answer.data.as_ref().context("the platform sent no data")?;
    let values = Values::parse(data, &profile)?;
    let key_command = match (purpose, &profile.key_material) {
        (Purpose::Write, Some(layout)) => Some(key_command::build(layout, data, &shared.link_key, keys)?),
        _ => None,
    };
    let in_record = limits
        .max_fragment
        .unwrap_or(usize::MAX)
        .saturating_sub(RESPONSE_HEAD_BYTES);
    let room = profile.max_script_bytes.min(in_record.max(MIN_SCRIPT_BYTES));
    let task = Task {
        id: answer.task_id.clone(),
        attempt: answer.attempt,
        purpose,
        profile: name.to_owned(),
    };
    let job = CardJob::new(purpose, profile, values, key_command, answer.resume_step, room);
    Ok((Box::new(job), task))
}
