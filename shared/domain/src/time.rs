//! Points in time: milliseconds since 1970-01-01T00:00:00Z, and their text in the platform's zone.
//!
//! There is no `now` here: the time is passed in.

use time::format_description::well_known::Rfc3339;
use time::{Date, OffsetDateTime, UtcOffset};

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

    /// This time moved by `ms` milliseconds; saturates at the ends of the range.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The calendar day in `zone`.
    #[must_use]
    pub fn date_in(self, zone: Zone) -> Date {
        self.in_zone(zone).date()
    }

    /// RFC 3339 to the second with the zone's offset: `2026-07-01T08:00:00+08:00`.
    #[must_use]
    pub fn to_rfc3339(self, zone: Zone) -> String {
        let at = self.in_zone(zone);
        let (year, month, day) = (at.year(), u8::from(at.month()), at.day());
        let (hour, minute, second) = at.to_hms();
        format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{zone}")
    }

    /// Midnight, the beginning of `day` in `zone`.
    #[must_use]
    pub fn midnight(day: Date, zone: Zone) -> Self {
        let at = day.midnight().assume_offset(zone.0);
        Self(at.unix_timestamp().saturating_mul(SECOND_MS))
    }

    /// Reads RFC 3339 with an offset or `Z`; fractions of a millisecond are dropped.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse_rfc3339(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(
            Kind::Value,
            "时间应为 RFC 3339 格式并带时区",
            "not a time of RFC 3339 with an offset",
        );
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| wrong)?;
        let millis = at.unix_timestamp().saturating_mul(SECOND_MS) + i64::from(at.millisecond());
        Ok(Self(millis))
    }

    fn in_zone(self, zone: Zone) -> OffsetDateTime {
        // One day short of the ends of the calendar, so that no offset leads beyond them.
        let (first, last) = (Date::MIN, Date::MAX);
        let bound = |day: Date| day.midnight().assume_utc().unix_timestamp();
        let day = DAY_MS / SECOND_MS;
        let second = self.seconds().clamp(bound(first) + day, bound(last) - day);
        let utc = OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        utc.to_offset(zone.0)
    }
}

/// The platform's time zone: a constant offset from UTC, as everywhere in China. Calendar days and texts of times use
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(UtcOffset);

impl Zone {
    /// UTC.
    pub const UTC: Self = Self(UtcOffset::UTC);

    /// Names of the time zone database that can be given in place of their offset, with their hours.
    const NAMES: [(&str, i8); 9] = [
        ("UTC", 0),
        ("Asia/Shanghai", 8),
        ("Asia/Urumqi", 6),
        ("Asia/Hong_Kong", 8),
        ("Asia/Macau", 8),
        ("Asia/Taipei", 8),
        ("Asia/Singapore", 8),
        ("Asia/Bangkok", 7),
        ("Asia/Tokyo", 9),
    ];

    /// Reads a name that can be given in place of its offset (`Asia/Shanghai`), or an offset: `+08:00`, `-03:30`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some((_, hours)) = Self::NAMES.iter().find(|(name, _)| *name == text) {
            return UtcOffset::from_hms(*hours, 0, 0).ok().map(Self);
        }
        let (sign, digits) = match text.as_bytes().first()? {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return None,
        };
        let (hours, minutes) = digits.split_once(':')?;
        let part = |text: &str| {
            let is_pair = text.len() == 2 && super::all_digits(text);
            text.parse::<i8>().ok().filter(|_| is_pair)
        };
        let (hours, minutes) = (part(hours)?, part(minutes).filter(|minutes| *minutes < 60)?);
        UtcOffset::from_hms(sign * hours, sign * minutes, 0)
            .ok()
            .map(Self)
    }
}

/// The offset as RFC 3339 writes it.
impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (hours, minutes, _) = self.0.as_hms();
        let sign = if self.0.is_negative() { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", hours.abs(), minutes.abs())
    }
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, Zone};

    fn zone(name: &str) -> Zone {
        Zone::parse(name).unwrap()
    }

    #[test]
    fn every_named_zone_agrees_with_the_time_zone_database() {
        for at in [1_767_225_600_000, 1_782_864_000_000, 1_900_000_000_000].map(Timestamp) {
            for (name, _) in Zone::NAMES {
                let database = jiff::tz::TimeZone::get(name).unwrap();
                let expected = jiff::Timestamp::from_millisecond(at.millis()).unwrap();
                let offset = database.to_offset(expected);
                assert_eq!(
                    at.to_rfc3339(zone(name)),
                    expected.display_with_offset(offset).to_string(),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn a_zone_is_a_known_name_or_an_offset() {
        for (text, shown) in [("+08:00", "+08:00"), ("-03:30", "-03:30"), ("+00:00", "+00:00")] {
            assert_eq!(zone(text).to_string(), shown);
        }
        for text in [
            "",
            "+8",
            "08:00",
            "+08:60",
            "+0800",
            "+27:00",
            "+８:00",
            "Asia/Nowhere",
            "CST-8",
            "++8:00",
        ] {
            assert_eq!(Zone::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_text_carries_the_offset_of_the_zone() {
        let at = Timestamp(1_782_864_000_999);
        assert_eq!(at.to_rfc3339(zone("Asia/Shanghai")), "2026-07-01T08:00:00+08:00");
        assert_eq!(at.to_rfc3339(Zone::UTC), "2026-07-01T00:00:00+00:00");
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
        assert_eq!(at.date_in(Zone::UTC).to_string(), "2026-06-30");
        assert_eq!(at.date_in(zone("Asia/Shanghai")).to_string(), "2026-07-01");
    }

    #[test]
    fn the_ends_of_the_scale_do_not_panic() {
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(!Timestamp(at).plus(at).to_rfc3339(Zone::UTC).is_empty());
            let _ = Timestamp(at).date_in(Zone::UTC);
        }
    }
}
