//! The table of retentions: the setting of each kind of data, its default and its minimum.

use domain::error::Error;
use store::audit::LEAST_AUDIT_DAYS;

/// Most days for which data can be kept: a hundred years.
pub(super) const MAX_DAYS: u32 = 36_525;

/// How long a kind of data is kept.
#[derive(Clone, Copy, Debug)]
pub struct RetentionSetting {
    /// Name of the setting, which is in days.
    pub name: &'static str,
    /// Its default.
    pub default: u32,
    /// Its minimum.
    pub least: u32,
    /// Why it may not be less.
    why: &'static str,
}

const fn setting(name: &'static str, default: u32, least: u32, why: &'static str) -> RetentionSetting {
    RetentionSetting {
        name,
        default,
        least,
        why,
    }
}

/// The whole calls of a day are destroyed.
pub(super) const CALLS: &str = "call_log_days";
/// Messages after they were delivered or given up, alerts after they were acknowledged, sessions and batches after they
/// ended.
pub(super) const RECORDS: &str = "record_days";
/// A session without a report is closed.
pub(super) const OPEN_SESSIONS: &str = "open_session_days";
/// Tasks after they ended without a written card.
pub(super) const TASKS: &str = "task_days";
/// Steps of cards.
pub(crate) const HISTORY: &str = "history_days";
/// Incidents after they were settled, deviations after they were set right.
pub(super) const INCIDENTS: &str = "incident_days";
/// Clients after they were disabled.
pub(super) const CLIENTS: &str = "client_days";
/// Chips after they were replaced or destroyed.
pub(super) const CHIPS: &str = "chip_days";
/// Numbers after they were retired.
pub(super) const NUMBERS: &str = "number_days";
/// K and OPc after the number was proven to be on the card.
pub(super) const WRITTEN_KEYS: &str = "written_key_days";

/// Rows of the audit trail.
pub(super) const AUDIT: &str = "audit_days";

/// Default of what is kept for six months and a few days.
const SIX_MONTHS: u32 = 185;
/// Default of what is kept for three years.
const THREE_YEARS: u32 = 1_095;

/// Every retention.
pub const RETENTION: [RetentionSetting; 11] = [
    setting(
        CALLS,
        SIX_MONTHS,
        SIX_MONTHS,
        "calls are kept for at least six months (§9.2.2)",
    ),
    setting(
        RECORDS,
        SIX_MONTHS,
        1,
        "a message may be asked for on the day after",
    ),
    setting(OPEN_SESSIONS, 7, 1, "a session of today may still be running"),
    setting(TASKS, THREE_YEARS, 1, "a client asks for the result of its task"),
    setting(
        HISTORY,
        THREE_YEARS,
        SIX_MONTHS,
        "who did what with a card is kept for at least six months (§9.2.2)",
    ),
    setting(
        INCIDENTS,
        THREE_YEARS,
        62,
        "the review of a month counts its incidents (§8.3.2)",
    ),
    setting(CLIENTS, THREE_YEARS, 1, "a client may be enabled again"),
    setting(
        CHIPS,
        THREE_YEARS,
        1,
        "the destruction of a chip may be asked for",
    ),
    setting(NUMBERS, THREE_YEARS, 1, "the end of a number may be asked for"),
    setting(WRITTEN_KEYS, 0, 0, ""),
    setting(
        AUDIT,
        THREE_YEARS,
        LEAST_AUDIT_DAYS,
        "acts of staff are kept for at least six months (§9.2.2)",
    ),
];

/// How many days each kind of data is kept, in the order of [`RETENTION`].
#[derive(Clone, Copy, Debug)]
pub struct Retention([u32; RETENTION.len()]);

impl Retention {
    /// The defaults.
    pub const DEFAULT: Self = {
        let (mut days, mut at) = ([0; RETENTION.len()], 0);
        while at < RETENTION.len() {
            days[at] = RETENTION[at].default;
            at += 1;
        }
        Self(days)
    };

    /// Reads the settings that `given` names, of those that are there.
    ///
    /// # Errors
    /// An internal error whose cause names the setting and never its value: for a number that is out of bounds, with the
    /// reason of the minimum.
    pub fn read<'t>(given: impl Fn(&str) -> Option<&'t str>) -> Result<Self, Error> {
        let mut days = Self::DEFAULT.0;
        for (setting, days) in RETENTION.iter().zip(&mut days) {
            let Some(text) = given(setting.name) else { continue };
            let number = text.parse::<u32>().ok().filter(|number| *number <= MAX_DAYS);
            let (name, least) = (setting.name, setting.least);
            *days = number
                .ok_or_else(|| {
                    Error::internal(format!(
                        "variable {name}: not a number from {least} to {MAX_DAYS}"
                    ))
                })
                .and_then(|number| setting.checked(number))?;
        }
        Ok(Self(days))
    }

    /// The same with another number of days of one setting.
    ///
    /// # Errors
    /// As for [`Self::read`], and for a name that no setting has.
    pub fn with(mut self, name: &str, days: u32) -> Result<Self, Error> {
        let at = RETENTION.iter().position(|setting| setting.name == name);
        let at = at.ok_or_else(|| Error::internal("no such retention"))?;
        self.0[at] = RETENTION[at].checked(days)?;
        Ok(self)
    }

    pub(crate) fn days(&self, name: &str) -> u32 {
        let at = RETENTION.iter().position(|setting| setting.name == name);
        // What nobody has set ends last.
        at.map_or(MAX_DAYS, |at| self.0[at])
    }
}

impl RetentionSetting {
    fn checked(&self, days: u32) -> Result<u32, Error> {
        if days >= self.least {
            return Ok(days);
        }
        let (name, least, why) = (self.name, self.least, self.why);
        Err(Error::internal(format!(
            "variable {name}: not less than {least} days, because {why}"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_DAYS, RETENTION, Retention};

    #[test]
    fn a_retention_below_its_minimum_is_refused_with_a_reason_of_its_own() {
        let mut reasons = Vec::new();
        for setting in RETENTION {
            let read = |days: &str| Retention::read(|name| (name == setting.name).then_some(days));
            assert_eq!(
                read(&setting.least.to_string()).unwrap().days(setting.name),
                setting.least
            );
            assert!(setting.least <= setting.default && setting.default <= MAX_DAYS);
            for wrong in [(MAX_DAYS + 1).to_string().as_str(), "-1", "", "1.5", "six months"] {
                let cause = read(wrong).unwrap_err().cause().unwrap().to_owned();
                assert!(
                    cause.starts_with(&format!("variable {}: not a number from ", setting.name)),
                    "{cause}"
                );
            }
            let Some(less) = setting.least.checked_sub(1) else {
                continue;
            };
            let cause = read(&less.to_string()).unwrap_err().cause().unwrap().to_owned();
            let begin = format!(
                "variable {}: not less than {} days, because ",
                setting.name, setting.least
            );
            let why = cause.strip_prefix(&begin).unwrap().to_owned();
            assert!(!why.is_empty() && !reasons.contains(&why), "{cause}");
            reasons.push(why);
        }
        assert_eq!(reasons.len(), RETENTION.len() - 1);
    }

    #[test]
    fn what_is_not_set_has_its_default_and_calls_are_kept_for_six_months() {
        let read = Retention::read(|name| (name == "chip_days").then_some("30")).unwrap();
        for setting in RETENTION {
            let expected = if setting.name == "chip_days" {
                30
            } else {
                setting.default
            };
            assert_eq!(read.days(setting.name), expected);
        }
        let cause = Retention::DEFAULT.with("call_log_days", 184).unwrap_err();
        assert!(cause.cause().unwrap().contains("six months"));
        assert!(Retention::DEFAULT.with("call_log_days", 185).is_ok());
        assert!(Retention::DEFAULT.with("other_days", 185).is_err());
    }
}
