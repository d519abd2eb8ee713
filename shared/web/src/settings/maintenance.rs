//! The configuration of the periodic jobs.

use super::{MAX_COUNTED, Variables, flag, number};
use domain::error::Error;
use operations::{
    MAX_POOL_LOW_WATER, MaintenanceSettings, POOL_LOW_WATER, REFUSALS_PER_HOUR, Retention,
    STUCK_AFTER_MINUTES, STUCK_GROUP_CARDS, STUCK_GROUP_PERCENT, StuckSettings,
};

/// Longest time between two backups or two drills, in days: a year.
const MAX_BACKUP_DAYS: u32 = 366;

/// Longest time limit of a card that is being written, in hours: a year.
const MAX_WRITING_LIMIT_HOURS: u32 = 8_784;

/// Longest time without an acknowledged step after which a card is stuck, in minutes: a day.
const MAX_STUCK_AFTER_MINUTES: u32 = 1_440;

/// The configuration of the periodic jobs.
pub(super) fn settings(variables: &Variables) -> Result<MaintenanceSettings, Error> {
    Ok(MaintenanceSettings {
        retention: Retention::read(|name| given(variables, name))?,
        pool_low_water: number(
            "pool_low_water",
            variables.pool_low_water.as_deref(),
            POOL_LOW_WATER,
            0..=MAX_POOL_LOW_WATER,
        )?,
        writing_limit_hours: number(
            "writing_limit_hours",
            variables.writing_limit_hours.as_deref(),
            0,
            0..=MAX_WRITING_LIMIT_HOURS,
        )?,
        stuck: StuckSettings {
            after_minutes: number(
                "stuck_after_minutes",
                variables.stuck_after_minutes.as_deref(),
                STUCK_AFTER_MINUTES,
                1..=MAX_STUCK_AFTER_MINUTES,
            )?,
            group_cards: number(
                "stuck_group_cards",
                variables.stuck_group_cards.as_deref(),
                STUCK_GROUP_CARDS,
                0..=MAX_COUNTED,
            )?,
            group_percent: number(
                "stuck_group_percent",
                variables.stuck_group_percent.as_deref(),
                STUCK_GROUP_PERCENT,
                0..=100,
            )?,
        },
        refusals_per_hour: number(
            "refusals_per_hour",
            variables.refusals_per_hour.as_deref(),
            REFUSALS_PER_HOUR,
            0..=MAX_COUNTED,
        )?,
        backup_days: number(
            "backup_days",
            variables.backup_days.as_deref(),
            0,
            0..=MAX_BACKUP_DAYS,
        )?,
        drill_days: number(
            "drill_days",
            variables.drill_days.as_deref(),
            0,
            0..=MAX_BACKUP_DAYS,
        )?,
        clock_trusted: flag("clock_trusted", variables.clock_trusted.as_deref())?,
        clock_held: false,
    })
}

/// How long a kind of data is kept, as the variable of this name has it.
fn given<'v>(variables: &'v Variables, name: &str) -> Option<&'v str> {
    let all = [
        ("call_log_days", &variables.call_log_days),
        ("record_days", &variables.record_days),
        ("open_session_days", &variables.open_session_days),
        ("task_days", &variables.task_days),
        ("history_days", &variables.history_days),
        ("incident_days", &variables.incident_days),
        ("client_days", &variables.client_days),
        ("chip_days", &variables.chip_days),
        ("number_days", &variables.number_days),
        ("written_key_days", &variables.written_key_days),
        ("audit_days", &variables.audit_days),
    ];
    let (_, text) = all.into_iter().find(|(own, _)| *own == name)?;
    text.as_deref()
}
