//! Points in time: milliseconds since 1970-01-01T00:00:00Z, and their text in the platform's zone.
//!
//! There is no `now` here: the time comes in from outside.

use jiff::{civil::Date, tz::TimeZone};

use super::{Kind, Malformed};

/// One second in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day of 24 hours in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A point in time, in milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

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

    /// This time moved by `ms` milliseconds; stops at the ends of the scale.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The calendar day in `zone`.
    #[must_use]
    pub fn date_in(self, zone: &TimeZone) -> Date {
        let at = self.bounded();
        zone.to_offset(at).to_datetime(at).date()
    }

    /// RFC 3339 to the second with the zone's offset: `2026-07-01T08:00:00+08:00`.
    #[must_use]
    pub fn to_rfc3339(self, zone: &TimeZone) -> String {
        let at = self.bounded();
        // Not `strftime`: its formatter alone would be a quarter of a component.
        at.display_with_offset(zone.to_offset(at)).to_string()
    }

    /// Reads RFC 3339 with an offset or `Z`; fractions of a millisecond are dropped.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse_rfc3339(text: &str) -> Result<Self, Malformed> {
        let parsed: Result<jiff::Timestamp, _> = text.parse();
        parsed.map(|at| Self(at.as_millisecond())).map_err(|_| {
            Malformed::new(
                Kind::Value,
                "时间应为 RFC 3339 格式并带时区",
                "not a time of RFC 3339 with an offset",
            )
        })
    }

    fn bounded(self) -> jiff::Timestamp {
        let (first, last) = (jiff::Timestamp::MIN.as_second(), jiff::Timestamp::MAX.as_second());
        let second = self.seconds().clamp(first, last);
        jiff::Timestamp::from_second(second).unwrap_or(jiff::Timestamp::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use jiff::tz::TimeZone;

    #[test]
    fn the_text_carries_the_offset_of_the_zone() {
        let at = Timestamp(1_782_864_000_999);
        assert_eq!(
            at.to_rfc3339(&TimeZone::get("Asia/Shanghai").unwrap()),
            "2026-07-01T08:00:00+08:00"
        );
        assert_eq!(at.to_rfc3339(&TimeZone::UTC), "2026-07-01T00:00:00+00:00");
    }

    #[test]
    fn a_text_with_an_offset_is_read_and_one_without_is_not() {
        let at = Timestamp(1_782_864_000_999);
        for text in ["2026-07-01T08:00:00.999+08:00", "2026-07-01T00:00:00.9999Z"] {
            assert_eq!(Timestamp::parse_rfc3339(text), Ok(at), "{text}");
        }
        for text in ["2026-07-01T08:00:00", "2026-07-01", "1782864000", "", "+08:00"] {
            assert!(Timestamp::parse_rfc3339(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_day_is_that_of_the_zone() {
        let at = Timestamp(1_782_835_200_000);
        assert_eq!(at.date_in(&TimeZone::UTC).to_string(), "2026-06-30");
        assert_eq!(
            at.date_in(&TimeZone::get("Asia/Shanghai").unwrap()).to_string(),
            "2026-07-01"
        );
    }

    #[test]
    fn the_ends_of_the_scale_do_not_panic() {
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!Timestamp(at).plus(at).to_rfc3339(&TimeZone::UTC).is_empty());
            let _ = Timestamp(at).date_in(&TimeZone::UTC);
        }
    }
}
