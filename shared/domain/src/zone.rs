//! The platform's time zone: which offset from UTC holds when, and when a day begins.
//!
//! The rules are those of the IANA time zone database that the program was built with, as they are since 2025: earlier
//! times get the offset of today's rules. The machine's files and environment are never read, so that every node and
//! every component follows the same rules.

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};
use miniz_oxide::inflate::decompress_to_vec;

/// 1970-01-01T00:00:00 on a clock of UTC.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// Seconds from 1970-01-01T00:00:00 to this date and time on the same clock.
pub(crate) fn civil_seconds(at: DateTime) -> i64 {
    at.duration_since(EPOCH).as_secs()
}

/// A time zone. Calendar days and texts of times use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// UTC.
    pub const UTC: &'static Self = &Self(TimeZone::UTC);

    /// Reads a name of the IANA time zone database in any case (`Asia/Shanghai`), or an offset: `+08:00`, `-03:30`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = match text.as_bytes().first()? {
            b'+' => (1, &text[1..]),
            b'-' => (-1, &text[1..]),
            _ => return named(text).map(Self),
        };
        let (hours, minutes) = digits.split_once(':')?;
        let part = |text: &str| {
            let is_pair = text.len() == 2 && super::all_digits(text);
            text.parse::<i32>().ok().filter(|_| is_pair)
        };
        let (hours, minutes) = (part(hours)?, part(minutes).filter(|minutes| *minutes < 60)?);
        let offset = Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok()?;
        Some(Self(TimeZone::fixed(offset)))
    }

    /// The offset that is valid at this moment.
    pub(crate) fn offset_at(&self, at: jiff::Timestamp) -> Offset {
        self.0.to_offset(at)
    }

    /// The first second of `day`, in seconds since 1970-01-01T00:00:00Z. A midnight that happens twice begins the day
    /// the first time. A midnight that clocks skip is replaced by the end of the gap.
    pub(crate) fn first_second_of(&self, day: Date) -> i64 {
        let midnight = day.at(0, 0, 0, 0);
        let at = |offset: Offset| civil_seconds(midnight) - i64::from(offset.seconds());
        match self.0.to_ambiguous_timestamp(midnight).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                at(offset)
            }
            // A gap may begin before midnight: then its end is not midnight moved by the length of the gap.
            AmbiguousOffset::Gap { before, after } => jiff::Timestamp::from_second(at(after))
                .ok()
                .and_then(|within| self.0.following(within).next())
                .map_or_else(|| at(before), |change| change.timestamp().as_second()),
        }
    }
}

/// Lines with the name of a zone and its rule, as POSIX writes it (`Asia/Shanghai CST-8`), packed.
const RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/zone_rules.deflate"));

/// The names of zones whose rules changed since 2025 or are not regular, and their file.
const FILES: &[(&[&str], &[u8])] = &include!(concat!(env!("OUT_DIR"), "/zone_files.rs"));

/// The zone of this name. `Etc/Unknown` is no zone of the database.
fn named(name: &str) -> Option<TimeZone> {
    let is_it = |known: &str| known.eq_ignore_ascii_case(name);
    if let Some((names, file)) = FILES
        .iter()
        .find(|(names, _)| names.iter().any(|known| is_it(known)))
    {
        return TimeZone::tzif(names[0], file).ok();
    }
    let rules = String::from_utf8(decompress_to_vec(RULES).ok()?).ok()?;
    let mut rules = rules.lines().filter_map(|line| line.split_once(' '));
    let (_, rule) = rules.find(|(known, _)| is_it(known))?;
    TimeZone::posix(rule).ok()
}

#[cfg(test)]
mod tests;
