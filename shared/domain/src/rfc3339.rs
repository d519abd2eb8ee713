//! Times as RFC 3339 writes them.

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::zone::civil_seconds;

/// Seconds of a day of UTC.
const DAY_SECS: i64 = 86_400;

/// Date and time at `offset`, to the second, with the offset.
///
/// An offset of the time before standard time has seconds, for which RFC 3339 has no place. The text then has the
/// offset without them and the date and time at that offset, so that it still denotes the same moment.
pub(crate) fn text(at: jiff::Timestamp, offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    let whole = Offset::from_seconds(minutes * 60).unwrap_or(offset);
    let local = whole.to_datetime(at);
    let (year, month, day) = (local.year(), local.month(), local.day());
    let (hour, minute, second) = (local.hour(), local.minute(), local.second());
    let sign = if minutes < 0 { '-' } else { '+' };
    let (hours, minutes) = (minutes.abs() / 60, minutes.abs() % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{sign}{hours:02}:{minutes:02}")
}

/// Milliseconds since 1970-01-01T00:00:00Z. Any byte may separate date and time, as a note of RFC 3339 §5.6 allows. A
/// space in the place of the offset's sign is the `+` of a query that was not escaped.
/// A leap second counts as the last millisecond before it, and stands only at the end of a month of UTC.
pub(crate) fn parse_millis(text: &str) -> Option<i64> {
    let mut text = Reader(text.as_bytes());
    let date = (text.number(4)?, text.part(b'-')?, text.part(b'-')?);
    text.any()?;
    let (hour, minute, second) = (text.number(2)?, text.part(b':')?, text.part(b':')?);
    let fraction = text.fraction_millis()?;
    let offset = text.offset_seconds()?;
    if !text.0.is_empty() {
        return None;
    }
    let is_leap = second == 60;
    let (second, millis) = if is_leap { (59, 999) } else { (second, fraction) };
    let small = |number: i16| i8::try_from(number).ok();
    let local = DateTime::new(
        date.0,
        small(date.1)?,
        small(date.2)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        0,
    )
    .ok()?;
    if is_leap && !ends_a_month(local, offset) {
        return None;
    }
    Some((civil_seconds(local) - i64::from(offset)) * 1_000 + millis)
}

/// Whether the second `local`, at an offset of `offset` seconds, is the last one of a month of UTC.
fn ends_a_month(local: DateTime, offset: i32) -> bool {
    let day_of = |seconds: i64| seconds.div_euclid(DAY_SECS);
    let local_seconds = civil_seconds(local);
    let utc_seconds = local_seconds - i64::from(offset);
    // Subtracting an offset from a date and time with jiff would add 170 KB to a component.
    let date = match day_of(utc_seconds) - day_of(local_seconds) {
        0 => Ok(local.date()),
        1 => local.date().tomorrow(),
        _ => local.date().yesterday(),
    };
    utc_seconds.rem_euclid(DAY_SECS) == DAY_SECS - 1 && date.is_ok_and(|date| date == date.last_of_month())
}

/// What is left of a text.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn any(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn skip(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }

    fn digit(&mut self) -> Option<i16> {
        let digit = self.0.first().filter(|byte| byte.is_ascii_digit())? - b'0';
        self.any()?;
        Some(digit.into())
    }

    /// Exactly this many digits, at most four.
    fn number(&mut self, digits: usize) -> Option<i16> {
        (0..digits).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }

    /// `before` and two digits.
    fn part(&mut self, before: u8) -> Option<i16> {
        self.skip(before)?;
        self.number(2)
    }

    /// The milliseconds of an optional fraction of a second.
    fn fraction_millis(&mut self) -> Option<i64> {
        if self.skip(b'.').is_none() {
            return Some(0);
        }
        let mut millis = 100 * i64::from(self.digit()?);
        let mut place = 10;
        while let Some(digit) = self.digit() {
            millis += place * i64::from(digit);
            place /= 10;
        }
        Some(millis)
    }

    /// `Z`, or an offset of at most 23:59, in seconds.
    fn offset_seconds(&mut self) -> Option<i32> {
        let sign = match self.any()? {
            b'Z' | b'z' => return Some(0),
            b'+' | b' ' => 1,
            b'-' => -1,
            _ => return None,
        };
        let (hours, minutes) = (i32::from(self.number(2)?), i32::from(self.part(b':')?));
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60)
    }
}
