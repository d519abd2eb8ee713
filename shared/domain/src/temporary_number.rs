//! The temporary (seed) number preset in a chip and its test period (§5.3.1.3): 270 days after
//! opening on 4G, 180 days on NB-IoT, counted as calendar days in the platform's zone.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::{Kind, Malformed, Timestamp, Zone, all_digits};

/// Days of the test period of a 4G temporary number (§5.3.1.3).
const TEST_PERIOD_4G_DAYS: i64 = 270;
/// Days of the test period of an NB-IoT temporary number (§5.3.1.3).
const TEST_PERIOD_NB_IOT_DAYS: i64 = 180;

/// Calendar days before the end of the test period at which the operator is warned (§5.3.1.3).
const WARNED_DAYS_BEFORE: i64 = 30;

/// When the operator is warned that a test period ends at `expires_at`: at the beginning of the day in `zone` that is 30
/// calendar days before.
#[must_use]
pub fn warned_at(expires_at: Timestamp, zone: &Zone) -> Timestamp {
    let day = expires_at.date_in(zone).saturating_sub(WARNED_DAYS_BEFORE.days());
    Timestamp::midnight(day, zone)
}

/// Network a temporary number works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Network {
    /// LTE and above.
    Lte,
    /// Narrow-band IoT.
    NbIot,
}

impl Network {
    /// Reads `4g` or `nb-iot`, in any case.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        match text.to_ascii_lowercase().as_str() {
            "4g" => Ok(Self::Lte),
            "nb-iot" => Ok(Self::NbIot),
            _ => Err(Malformed::new(
                Kind::Value,
                "网络类型应为 4g 或 nb-iot",
                "the network type is 4g or nb-iot",
            )),
        }
    }

    /// The network stored under `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Lte, Self::NbIot]
            .into_iter()
            .find(|network| network.code() == code)
    }

    /// Text stored in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Lte => "4g",
            Self::NbIot => "nb-iot",
        }
    }

    /// Length of the test period, in calendar days.
    #[must_use]
    fn test_period_days(self) -> i64 {
        match self {
            Self::Lte => TEST_PERIOD_4G_DAYS,
            Self::NbIot => TEST_PERIOD_NB_IOT_DAYS,
        }
    }
}

/// Reads a calendar date written `YYYY-MM-DD`.
///
/// # Errors
/// [`Malformed`] for anything else, and for days that do not exist.
pub fn parse_date(text: &str) -> Result<Date, Malformed> {
    let wrong = Malformed::new(Kind::Value, "日期应为 YYYY-MM-DD", "a date is written YYYY-MM-DD");
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let text = parts
            .next()
            .filter(|part| part.len() == digits && all_digits(part))?;
        text.parse::<i16>().ok()
    };
    let (Some(year), Some(month), Some(day), None) = (part(4), part(2), part(2), parts.next()) else {
        return Err(wrong);
    };
    let small = |part: i16| i8::try_from(part).map_err(|_| wrong);
    Date::new(year, small(month)?, small(day)?).map_err(|_| wrong)
}

/// When a temporary number was opened, and on which network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporaryNumber {
    /// Network it works on.
    pub network: Network,
    /// Day it was opened.
    pub opened_on: Date,
}

impl TemporaryNumber {
    /// When the test period is over: the beginning of the day in `zone` after its last day. The day of opening is day 0.
    ///
    /// # Errors
    /// [`Malformed`] when that day lies beyond the calendar (year 9999).
    pub fn expires_at(&self, zone: &Zone) -> Result<Timestamp, Malformed> {
        let wrong = Malformed::new(
            Kind::Value,
            "开卡日期超出日历范围",
            "the opening date is beyond the calendar",
        );
        let days = (self.network.test_period_days() + 1).days();
        let end = self.opened_on.checked_add(days).map_err(|_| wrong)?;
        Ok(Timestamp::midnight(end, zone))
    }
}

#[cfg(test)]
mod tests {
    use super::{Network, TemporaryNumber, Zone, parse_date, warned_at};

    fn last_moment(network: Network, opened: &str, zone: &str) -> String {
        let zone = Zone::parse(zone).unwrap();
        let number = TemporaryNumber {
            network,
            opened_on: parse_date(opened).unwrap(),
        };
        number.expires_at(&zone).unwrap().plus(-1).to_rfc3339(&zone)
    }

    // §5.3.1.3
    #[test]
    fn the_test_period_is_270_days_on_4g_and_180_on_nb_iot() {
        assert_eq!(
            last_moment(Network::Lte, "2026-01-01", "Asia/Shanghai"),
            "2026-09-28T23:59:59+08:00"
        );
        assert_eq!(
            last_moment(Network::NbIot, "2026-01-01", "Asia/Shanghai"),
            "2026-06-30T23:59:59+08:00"
        );
    }

    #[test]
    fn a_leap_day_counts_as_a_day() {
        assert_eq!(
            last_moment(Network::NbIot, "2024-01-01", "UTC"),
            "2024-06-29T23:59:59+00:00"
        );
    }

    // §5.3.1.3. Expected values come from Python's `zoneinfo`.
    #[test]
    fn a_test_period_and_its_warning_count_calendar_days_where_clocks_change() {
        use Network::{Lte, NbIot};
        for (network, zone, opened, warned, expires) in [
            (
                Lte,
                "Europe/Berlin",
                "2026-01-01",
                "2026-08-30T00:00:00+02:00",
                "2026-09-29T00:00:00+02:00",
            ),
            (
                NbIot,
                "Europe/Berlin",
                "2026-05-13",
                "2026-10-11T00:00:00+02:00",
                "2026-11-10T00:00:00+01:00",
            ),
            (
                NbIot,
                "Asia/Beirut",
                "2025-09-29",
                "2026-02-27T00:00:00+02:00",
                "2026-03-29T01:00:00+03:00",
            ),
            (
                Lte,
                "America/New_York",
                "2026-02-01",
                "2026-09-30T00:00:00-04:00",
                "2026-10-30T00:00:00-04:00",
            ),
        ] {
            let zone = Zone::parse(zone).unwrap();
            let number = TemporaryNumber {
                network,
                opened_on: parse_date(opened).unwrap(),
            };
            let end = number.expires_at(&zone).unwrap();
            assert_eq!(end.to_rfc3339(&zone), expires);
            assert_eq!(warned_at(end, &zone).to_rfc3339(&zone), warned);
        }
    }

    #[test]
    fn dates_that_do_not_exist_are_refused() {
        for text in [
            "2026-02-30",
            "2026-01-256",
            "2026-01-00",
            "2026-1-1",
            "20260101",
            "",
            "2026-01-01T00:00:00",
            "-009999-01-01",
        ] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_end_of_the_calendar_is_an_error_and_no_panic() {
        let number = TemporaryNumber {
            network: Network::Lte,
            opened_on: parse_date("9999-12-31").unwrap(),
        };
        assert!(number.expires_at(Zone::UTC).is_err());
    }
}
