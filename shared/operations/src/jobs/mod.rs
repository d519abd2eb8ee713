//! The periodic jobs. Each is bounded, safe to run on several nodes at once and safe to repeat. After a gap it does
//! the missed work. A job that fails does not stop the others.
//!
//! Sending messages is a job too, but it is not here, because it needs more than the database.

mod backups;
mod clock;
mod hopeless_tasks;
mod job_log;
mod key_rotation;
mod pools;
mod supervision;
mod temporary_numbers;

pub use backups::backup_times;
pub use clock::{clock_watch, confirm_clock, watch_clock};
pub use job_log::{JobLog, JobView, STALE_AFTER_MS, job_views, read_job_log, record_run};
pub use key_rotation::key_views;
pub use pools::{MAX_POOL_LOW_WATER, POOL_LOW_WATER};
pub use supervision::{DeviationView, MAX_DEVIATIONS_PER_PAGE, list_deviations};
pub use temporary_numbers::MAX_CHIPS_PER_NOTICE;

use super::Context;
use super::audit::send_audit_head;
use super::batches::run_batches;
use super::incidents::{StuckSettings, advance_clocks, find_stuck_tasks, review_past_months, watch_refusals};
use super::job_run::Done;
use super::limits::clear_limits;
use super::retention::{self, Retention};
use domain::error::Error;
use domain::{HOUR_MS, MINUTE_MS, SECOND_MS};
use store::Database;

/// Name of the job that sends messages.
pub const MESSAGES_JOB: &str = "messages";

/// Time between two ends of the audit trail that are sent, in milliseconds.
const AUDIT_HEADS_MS: i64 = 5 * MINUTE_MS;

/// The configuration of the periodic jobs.
#[derive(Clone, Copy, Debug)]
pub struct MaintenanceSettings {
    /// How long each kind of data is kept.
    pub retention: Retention,
    /// Low-water mark of pools, in numbers, where a province has no mark of its own; 0 means none.
    pub pool_low_water: u32,
    /// Hours after which a card that is being written has failed; 0 means never.
    pub writing_limit_hours: u32,
    /// When cards that are being written are stuck.
    pub stuck: StuckSettings,
    /// Refused calls of a client within an hour that are an incident; 0 means that no number is.
    pub refusals_per_hour: u32,
    /// Days after which the last good backup is too old; 0 means never.
    pub backup_days: u32,
    /// Days after which the last drill of a backup is too old; 0 means never.
    pub drill_days: u32,
    /// The host's clock is watched by other means: after a gap nothing waits for a person.
    pub clock_trusted: bool,
    /// The clock has jumped, and nobody has confirmed the time: nothing is destroyed and nothing expires.
    pub clock_held: bool,
}

/// A periodic job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Deletes data at the end of its retention (§9.1.2).
    Retention,
    /// Raises alerts about test periods that end (§5.3.1.3).
    TemporaryNumbers,
    /// Watches the pools of numbers (§5.3.1.1).
    Pools,
    /// Deletes the counters of refused callers of past minutes.
    IpThrottles,
    /// Ends tasks that cannot succeed any more (§5.3.1.3).
    HopelessTasks,
    /// Finds cards that stay 写卡中 (§8.2.2).
    StuckTasks,
    /// Watches clients whose calls are refused again and again (§8.2.1, §8.2.3).
    Refusals,
    /// Runs the clocks of incidents (§8.2, §8.3.1).
    IncidentClocks,
    /// Reviews the months that are over (§8.3.2).
    MonthlyReview,
    /// Takes up again what a wrong clock has put off.
    TimesAhead,
    /// Seals stored values anew under the key in use (§5.3.1.2).
    KeyRotation,
    /// Watches when the last backup and the last drill were (§9.1.2).
    Backups,
    /// Compares what happened with what the standard demands (§10.2).
    Supervision,
    /// Sends the end of the audit trail to the operator (§9.2).
    AuditHeads,
    /// Carries out the rows of batches (R507, R509).
    Batches,
}

impl Job {
    /// Every job, in the order in which they run.
    pub const ALL: [Self; 15] = [
        Self::TimesAhead,
        Self::HopelessTasks,
        Self::StuckTasks,
        Self::Refusals,
        Self::Pools,
        Self::TemporaryNumbers,
        Self::IncidentClocks,
        Self::MonthlyReview,
        Self::Retention,
        Self::IpThrottles,
        Self::KeyRotation,
        Self::Backups,
        Self::AuditHeads,
        Self::Batches,
        // After the others, which it looks at.
        Self::Supervision,
    ];

    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Retention => "retention",
            Self::TemporaryNumbers => "temporary_numbers",
            Self::Pools => "pools",
            Self::IpThrottles => "ip_throttles",
            Self::HopelessTasks => "hopeless_tasks",
            Self::StuckTasks => "stuck_tasks",
            Self::Refusals => "refusals",
            Self::IncidentClocks => "incident_clocks",
            Self::MonthlyReview => "monthly_review",
            Self::TimesAhead => "times_ahead",
            Self::KeyRotation => "key_rotation",
            Self::Backups => "backups",
            Self::Supervision => "supervision",
            Self::AuditHeads => "audit_heads",
            Self::Batches => "batches",
        }
    }

    /// Least time between two idle runs, in milliseconds.
    #[must_use]
    fn interval_ms(self) -> i64 {
        match self {
            Self::Retention
            | Self::TemporaryNumbers
            | Self::Pools
            | Self::IpThrottles
            | Self::HopelessTasks
            | Self::StuckTasks
            | Self::Refusals
            | Self::TimesAhead
            | Self::KeyRotation => MINUTE_MS,
            // The clocks also give the notice of incidents that are severe from the start.
            Self::IncidentClocks | Self::Supervision => 10 * SECOND_MS,
            Self::AuditHeads => AUDIT_HEADS_MS,
            // Somebody waits for them.
            Self::Batches => SECOND_MS,
            Self::MonthlyReview | Self::Backups => HOUR_MS,
        }
    }
}

/// Runs one job once. While the clock is held, what destroys or expires by time does nothing.
///
/// # Errors
/// The reason with which the job failed; what it committed stays.
pub async fn run_job<D: Database>(
    cx: &Context<'_, D>,
    job: Job,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    match job {
        Job::Retention | Job::TemporaryNumbers | Job::MonthlyReview | Job::Backups
            if maintenance.clock_held =>
        {
            Ok(Done::default())
        }
        Job::Retention => retention::destroy(cx, &maintenance.retention).await,
        Job::TemporaryNumbers => temporary_numbers::notify(cx).await,
        Job::Pools => pools::watch(cx, maintenance).await,
        Job::IpThrottles => {
            clear_limits(cx);
            Ok(Done::default())
        }
        Job::HopelessTasks => hopeless_tasks::end(cx, maintenance).await,
        Job::StuckTasks => find_stuck_tasks(cx, maintenance.stuck).await,
        Job::Refusals => watch_refusals(cx, maintenance.refusals_per_hour).await,
        Job::IncidentClocks => advance_clocks(cx).await,
        Job::MonthlyReview => review_past_months(cx).await,
        Job::TimesAhead => clock::take_back(cx).await,
        Job::KeyRotation => key_rotation::run(cx, maintenance.clock_held).await,
        Job::Backups => backups::watch(cx, maintenance).await,
        Job::Supervision => supervision::compare(cx, maintenance).await,
        Job::AuditHeads => send_audit_head(cx).await,
        Job::Batches => run_batches(cx).await,
    }
}
