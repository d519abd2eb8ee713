//! What the sessions of chips are held to.

use super::{MAX_COUNTED, Variables, number};
use domain::error::Error;
use operations::{ALTERNATION_MINUTES, POWER_UP_GAP_SECS, POWER_UPS_PER_HOUR, PowerUpLimits, SessionLimits};

/// Longest time within which two writing sessions are of one power-up, in seconds: an hour.
const MAX_POWER_UP_GAP_SECS: u32 = 3_600;

/// Longest time within which sessions that alternate between two addresses count, in minutes: a day.
const MAX_ALTERNATION_MINUTES: u32 = 1_440;

/// What the sessions of chips are held to.
pub(super) fn settings(variables: &Variables) -> Result<SessionLimits, Error> {
    Ok(SessionLimits {
        power_ups: PowerUpLimits {
            gap_secs: number(
                "power_up_gap_secs",
                variables.power_up_gap_secs.as_deref(),
                POWER_UP_GAP_SECS,
                0..=MAX_POWER_UP_GAP_SECS,
            )?,
            per_hour: number(
                "power_ups_per_hour",
                variables.power_ups_per_hour.as_deref(),
                POWER_UPS_PER_HOUR,
                0..=MAX_COUNTED,
            )?,
        },
        alternation_minutes: number(
            "alternation_minutes",
            variables.alternation_minutes.as_deref(),
            ALTERNATION_MINUTES,
            0..=MAX_ALTERNATION_MINUTES,
        )?,
    })
}
