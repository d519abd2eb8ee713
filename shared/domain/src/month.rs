//! Calendar months.

use jiff::civil::Date;

use super::{Kind, Malformed, Timestamp, Zone};

/// A calendar month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i16,
    /// From 1.
    month: i8,
}

impl Month {
    /// Reads `2026-07`; years from 1971 to 9998, so that every month has a previous and a following one.
    ///
    /// # Errors
    /// [`Malformed`] for any other text.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let number = |digits: &str| digits.parse().ok().filter(|_| super::all_digits(digits));
        let read = || {
            let (year, month) = text.split_once('-').filter(|_| text.len() == "2026-07".len())?;
            let (year, month) = (number(year)?, i8::try_from(number(month)?).ok()?);
            ((1_971..=9_998).contains(&year) && (1..=12).contains(&month)).then_some(Self { year, month })
        };
        read().ok_or(Malformed::new(
            Kind::Value,
            "月份应为 YYYY-MM 格式",
            "a month is written YYYY-MM",
        ))
    }

    /// The month that contains `at`.
    #[must_use]
    pub fn of(at: Timestamp, zone: &Zone) -> Self {
        let day = at.date_in(zone);
        Self {
            year: day.year(),
            month: day.month(),
        }
    }

    /// The previous month.
    #[must_use]
    pub fn previous(self) -> Self {
        match self.month {
            1 => Self {
                year: self.year - 1,
                month: 12,
            },
            month => Self {
                month: month - 1,
                ..self
            },
        }
    }

    /// The following month.
    #[must_use]
    pub fn following(self) -> Self {
        match self.month {
            12 => Self {
                year: self.year + 1,
                month: 1,
            },
            month => Self {
                month: month + 1,
                ..self
            },
        }
    }

    /// When the month begins.
    #[must_use]
    pub fn begins(self, zone: &Zone) -> Timestamp {
        let first = Date::new(self.year, self.month, 1);
        Timestamp::midnight(first.unwrap_or(Date::MIN), zone)
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::{Month, Timestamp, Zone};

    #[test]
    fn a_month_is_read_back_and_other_texts_are_not_one() {
        for text in ["2026-07", "1971-01", "9998-12"] {
            assert_eq!(Month::parse(text).unwrap().to_string(), text);
        }
        for text in [
            "",
            "2026-7",
            "2026-13",
            "2026-00",
            "202607",
            "2026-07-01",
            "+026-07",
            "1970-12",
            "２０26-07",
        ] {
            assert!(Month::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_month_begins_at_midnight_of_the_zone() {
        let zone = Zone::parse("Asia/Shanghai").unwrap();
        let july = Month::parse("2026-07").unwrap();
        assert_eq!(july.begins(&zone).to_rfc3339(&zone), "2026-07-01T00:00:00+08:00");
        let begins = july.begins(&zone);
        assert_eq!(Month::of(begins, &zone), july);
        assert_eq!(Month::of(begins.plus(-1), &zone), july.previous());
        assert_eq!(Month::of(begins, Zone::UTC), july.previous());
    }

    // Expected values come from Python's `zoneinfo`.
    #[test]
    fn a_month_is_an_hour_shorter_or_longer_where_clocks_change() {
        let hours = |text: &str, zone: &str| {
            let (month, zone) = (Month::parse(text).unwrap(), Zone::parse(zone).unwrap());
            let (begins, ends) = (month.begins(&zone), month.following().begins(&zone));
            assert_eq!(Month::of(ends.plus(-1), &zone), month);
            assert_eq!(Month::of(ends, &zone), month.following());
            (
                begins.to_rfc3339(&zone),
                (ends.millis() - begins.millis()) / 3_600_000,
            )
        };
        for (month, zone, begins, length) in [
            (
                "2026-03",
                "Europe/Berlin",
                "2026-03-01T00:00:00+01:00",
                31 * 24 - 1,
            ),
            ("2026-04", "Europe/Berlin", "2026-04-01T00:00:00+02:00", 30 * 24),
            (
                "2026-10",
                "Europe/Berlin",
                "2026-10-01T00:00:00+02:00",
                31 * 24 + 1,
            ),
            ("2026-03", "Asia/Beirut", "2026-03-01T00:00:00+02:00", 31 * 24 - 1),
            (
                "2026-11",
                "America/New_York",
                "2026-11-01T00:00:00-04:00",
                30 * 24 + 1,
            ),
            ("2026-05", "Asia/Shanghai", "2026-05-01T00:00:00+08:00", 31 * 24),
        ] {
            assert_eq!(hours(month, zone), (begins.to_owned(), length), "{zone}");
        }
    }

    #[test]
    fn months_follow_each_other_over_the_years() {
        let december = Month::parse("2026-12").unwrap();
        assert_eq!(december.following().to_string(), "2027-01");
        assert_eq!(december.following().previous(), december);
        for at in [i64::MIN, 0, i64::MAX] {
            let month = Month::of(Timestamp(at), Zone::UTC);
            let _ = (
                month.previous().begins(Zone::UTC),
                month.following().begins(Zone::UTC),
            );
        }
    }
}
