//! Points in time: milliseconds since 1970-01-01T00:00:00Z, and their text in the platform's zone.
//!
//! There is no `now` here: the time is passed in.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::Date;

use super::{Kind, Malformed, Zone, rfc3339};

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Twenty-four hours in milliseconds. A calendar day is longer or shorter where clocks change.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// How far the clocks of nodes may differ, in milliseconds. What lies further ahead comes from a clock that was set
/// back.
pub const MAX_CLOCK_SKEW_MS: i64 = 10 * MINUTE_MS;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// To the millisecond. A time before 1970 counts as 1970.
impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let since_epoch = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

impl Timestamp {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND_MS)
    }

    /// This time moved by `ms` milliseconds; saturates at the ends of the range.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The calendar day in `zone`.
    #[must_use]
    pub fn date_in(self, zone: &Zone) -> Date {
        let at = self.within_calendar();
        zone.offset_at(at).to_datetime(at).date()
    }

    /// RFC 3339 to the second with the offset of `zone` at this moment: `2026-07-01T08:00:00+08:00`.
    #[must_use]
    pub fn to_rfc3339(self, zone: &Zone) -> String {
        let at = self.within_calendar();
        rfc3339::text(at, zone.offset_at(at))
    }

    /// The beginning of `day` in `zone`: midnight, or the first moment after the gap where clocks skip midnight.
    #[must_use]
    pub fn midnight(day: Date, zone: &Zone) -> Self {
        Self(zone.first_second_of(day).saturating_mul(SECOND_MS))
    }

    /// Reads RFC 3339 with an offset or `Z`; fractions of a millisecond are dropped. The `+` of an offset may have
    /// become a space.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse_rfc3339(text: &str) -> Result<Self, Malformed> {
        rfc3339::parse_millis(text).map(Self).ok_or(Malformed::new(
            Kind::Value,
            "时间应为 RFC 3339 格式并带时区",
            "not a time of RFC 3339 with an offset",
        ))
    }

    /// This time to the second, or the end of the calendar that is nearer.
    fn within_calendar(self) -> jiff::Timestamp {
        let nearer = if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        };
        jiff::Timestamp::from_second(self.seconds()).unwrap_or(nearer)
    }
}

#[cfg(test)]
mod tests;
