//! How people sign in.

use super::{Variables, number};
use domain::error::Error;
use domain::{HOUR_MS, MINUTE_MS};
use operations::{SecondFactor, SignInSettings};

/// How long a session is valid, in hours.
const SESSION_HOURS: i64 = 12;
/// Longest validity of a session, in hours: a week.
const MAX_SESSION_HOURS: i64 = 168;
/// How long a session may lie unused, in minutes.
const SESSION_IDLE_MINUTES: i64 = 30;
/// Shortest time, in minutes: the use of a session is recorded once a minute.
const MIN_IDLE_MINUTES: i64 = 5;
/// Longest time, in minutes: a day.
const MAX_IDLE_MINUTES: i64 = 1_440;
/// How long an API key is valid at most, in days.
const API_KEY_DAYS: u32 = 365;
/// Most that can be configured, in days.
const MAX_API_KEY_DAYS: u32 = 3_650;

pub(super) fn settings(variables: &Variables) -> Result<SignInSettings, Error> {
    let hours = number(
        "session_hours",
        variables.session_hours.as_deref(),
        SESSION_HOURS,
        1..=MAX_SESSION_HOURS,
    )?;
    let idle = number(
        "session_idle_minutes",
        variables.session_idle_minutes.as_deref(),
        SESSION_IDLE_MINUTES,
        MIN_IDLE_MINUTES..=MAX_IDLE_MINUTES,
    )?;
    Ok(SignInSettings {
        session_ms: hours * HOUR_MS,
        idle_ms: idle * MINUTE_MS,
        api_key_days: number(
            "api_key_days",
            variables.api_key_days.as_deref(),
            API_KEY_DAYS,
            1..=MAX_API_KEY_DAYS,
        )?,
        second_factor: match variables.second_factor.as_deref() {
            None | Some("changes") => SecondFactor::Changes,
            Some("all") => SecondFactor::All,
            Some("off") => SecondFactor::Off,
            Some(_) => {
                return Err(Error::internal(
                    "variable second_factor: neither changes, all nor off",
                ));
            }
        },
    })
}
