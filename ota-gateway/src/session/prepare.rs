//! From the platform's answer to the work on the card.
//!
//! It must never begin work that it does not understand whole. What it cannot carry out is a failure of the task: the
//! next power-up would find the same.

use anyhow::{Context as _, anyhow};
use gateway_protocol::{FailureKind, SessionAnswer};

use super::card_job::{CardJob, Purpose};
use super::content::Values;
use super::exchange::{SessionLimits, Shared, Task};
use super::failure::Failure;
use super::key_command;
use crate::platform::ChipKeys;

/// Bytes of one TLS record that are kept for the HTTP head of a response.
const RESPONSE_HEAD_BYTES: usize = 320;
/// Fewest bytes of script that are sent at once, however small the record.
const MIN_SCRIPT_BYTES: usize = 128;

/// The job of a session, and the task that it belongs to.
///
/// # Errors
/// [`FailureKind::ProfileUnknown`]; [`FailureKind::DataUnusable`] for data that is missing or malformed;
/// [`FailureKind::KeysUnusable`] for a key that is missing, does not unwrap or has a wrong length.
pub(super) fn prepare(
    shared: &Shared,
    keys: &ChipKeys,
    limits: &SessionLimits,
    purpose: Purpose,
    answer: &SessionAnswer,
) -> Result<(Box<CardJob>, Task), Failure> {
    let failed = |kind| move |error: anyhow::Error| Failure::of_work(kind, &error);
    let name = answer.profile.as_str();
    let profile = shared
        .catalogue
        .get(name)
        .ok_or_else(|| anyhow!("no card profile {name:?}"))
        .map_err(failed(FailureKind::ProfileUnknown))?;
    let data = answer.data.as_ref().context("the platform sent no data");
    let data = data.map_err(failed(FailureKind::DataUnusable))?;
    let values = Values::parse(data, &profile).map_err(failed(FailureKind::DataUnusable))?;
    let key_command = match (purpose, &profile.key_material) {
        (Purpose::Write, Some(layout)) => {
            let command = key_command::build(layout, data, &shared.link_key, keys);
            Some(command.map_err(failed(FailureKind::KeysUnusable))?)
        }
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
