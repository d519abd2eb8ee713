//! §5.2.1.2: a chip asks once per power-up to be written (每次卡片上电后仅请求一次写卡流量), as far as the platform can see it.
//!
//! A session that resumes a broken one and a verification are no requests. Some cards tell by which power-up they come
//! (`powerups` of the card profile). Of others a session that begins anew shortly after the last one is taken to be of
//! the same power-up. It goes on with the work, unless the last one failed.

use super::Context;
use super::incidents::open_incident;
use domain::error::Error;
use domain::{HOUR_MS, IncidentKind, SECOND_MS, Timestamp};
use store::{
    Database, Subject, Tx,
    card_facts::OpeningAnswers,
    chip::ChipRow,
    device_session::{self, LastWriting, SessionRow},
};

/// Default time after a writing session within which another one is of the same power-up, in seconds.
pub const POWER_UP_GAP_SECS: u32 = 60;
/// Default number of requests of a chip within an hour beyond which its module is suspected.
pub const POWER_UPS_PER_HOUR: u32 = 20;
/// Reasons for which a session ends that another one of the same power-up does not mend. A broken link, a busy card and
/// an end that the platform or the gateway wanted are none.
const FAILURES: [&str; 7] = [
    "failed",
    "work_not_understood",
    "bad_request",
    "tls_alert",
    "overlong",
    "too_many_requests",
    "too_many_scripts",
];

/// How often a chip may ask to be written.
#[derive(Clone, Copy, Debug)]
pub struct PowerUpLimits {
    /// Seconds after a writing session within which another one is of the same power-up; 0: none is.
    pub gap_secs: u32,
    /// Requests of a chip within an hour beyond which its module is suspected; 0: it never is.
    pub per_hour: u32,
}

impl PowerUpLimits {
    /// Since when requests are counted.
    pub(super) fn requests_since(self, now: Timestamp) -> Option<Timestamp> {
        (self.per_hour > 0).then(|| now.plus(-HOUR_MS))
    }
}

/// Whether a chip that asks to be written gets nothing to do, because its last session failed in the same power-up.
/// Opens an incident when it asks too often.
pub(super) async fn is_spent<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    chip: &ChipRow,
    limits: PowerUpLimits,
    found: &OpeningAnswers,
) -> Result<bool, Error> {
    if limits.per_hour > 0 && found.requests >= i64::from(limits.per_hour) {
        let subject = Subject::chip(&chip.eid_index);
        open_incident(cx, tx, IncidentKind::ModuleIncompatible, &subject).await?;
    }
    let Some(last) = &found.last_writing else {
        return Ok(false);
    };
    // A card that tells its power-up is asked for it.
    let is_same = last.power_up.is_none() && cx.now < last.at.plus(i64::from(limits.gap_secs) * SECOND_MS);
    Ok(is_same && has_failed(last))
}

/// Whether a session goes on whose card shows by which power-up it came: not if the last one of this power-up failed. May
/// be asked again.
pub(super) async fn goes_on<D: Database>(
    tx: &Tx<'_, D>,
    session: &SessionRow,
    power_up: &str,
) -> Result<bool, Error> {
    device_session::set_power_up(tx, session.id, power_up).await?;
    let last = device_session::last_writing(tx, &session.eid_index, session.id).await?;
    let is_spent = last.is_some_and(|last| last.power_up.as_deref() == Some(power_up) && has_failed(&last));
    Ok(session.resumed || !is_spent)
}

fn has_failed(last: &LastWriting) -> bool {
    let is_failure = |reason: &String| FAILURES.contains(&reason.as_str());
    last.end_reason.as_ref().is_some_and(is_failure)
}
