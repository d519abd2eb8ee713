//! Volumes of data, in decimal megabytes as the interfaces give them (§7.2.3.1, §7.2.3.3).
//!
//! 1 MB is 1,000,000 bytes, so that every number of bytes has an exact decimal text of at most six decimals.

use serde_core::{Serialize, Serializer};

use super::{Kind, Malformed, all_digits};

/// Bytes of a megabyte.
const BYTES_PER_MB: u64 = 1_000_000;
/// Largest test allowance of a chip, in bytes: 100 GB.
const MAX_TEST_ALLOWANCE_BYTES: u64 = 100_000_000_000;
/// Most decimals of a number of megabytes.
const DECIMALS: usize = 6;
/// Most digits before the decimal point.
const WHOLE_DIGITS: usize = 9;

/// An amount of data, at most 10^15 − 1 bytes: its megabytes have fifteen digits and keep their value in JSON readers
/// that use double precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Volume(u64);

impl Volume {
    /// The largest volume.
    pub const MAX: Self = Self(999_999_999_999_999);

    /// `bytes` bytes; the largest volume if there are more.
    #[must_use]
    pub fn from_bytes(bytes: u64) -> Self {
        Self(bytes.min(Self::MAX.0))
    }

    /// Reads megabytes: digits, with at most six decimals.
    ///
    /// # Errors
    /// [`Malformed`] for anything else.
    pub fn parse_mb(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(
            Kind::Value,
            "流量应为 MB 数，整数最多九位，小数最多六位",
            "a volume is a number of megabytes, up to nine digits and six decimals",
        );
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let fits = |digits: &str, most| all_digits(digits) && (1..=most).contains(&digits.len());
        if !fits(whole, WHOLE_DIGITS) || !fits(part, DECIMALS) {
            return Err(wrong);
        }
        let bytes = format!("{whole}{part:0<DECIMALS$}").parse();
        bytes.map(Self).map_err(|_| wrong)
    }

    /// Reads the test allowance of a chip (§5.2.1.2) in megabytes.
    ///
    /// # Errors
    /// [`Malformed`] for anything else, and for more than 100 GB.
    pub fn parse_test_allowance(text: &str) -> Result<Self, Malformed> {
        let volume = Self::parse_mb(text)?;
        if volume.0 > MAX_TEST_ALLOWANCE_BYTES {
            return Err(Malformed::new(
                Kind::Value,
                "测试流量过大",
                "the test allowance is too large",
            ));
        }
        Ok(volume)
    }

    /// The amount in bytes.
    #[must_use]
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// This volume minus `used`; nothing if more is used.
    #[must_use]
    pub fn less(self, used: Self) -> Self {
        Self(self.0.saturating_sub(used.0))
    }

    /// Megabytes as decimal text without trailing zeros: `4.99935`, `5`.
    #[must_use]
    pub fn mb(self) -> String {
        let (whole, part) = (self.0 / BYTES_PER_MB, self.0 % BYTES_PER_MB);
        if part == 0 {
            return whole.to_string();
        }
        let text = format!("{whole}.{part:0DECIMALS$}");
        text.trim_end_matches('0').to_owned()
    }
}

/// Megabytes as a number: exactly the value of [`Volume::mb`].
impl Serialize for Volume {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.is_multiple_of(BYTES_PER_MB) {
            return serializer.serialize_u64(self.0 / BYTES_PER_MB);
        }
        // Fifteen digits: the nearest double prints as exactly these decimals.
        #[expect(clippy::cast_precision_loss, reason = "at most 10^15, below 2^53")]
        let mb = self.0 as f64 / BYTES_PER_MB as f64;
        serializer.serialize_f64(mb)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Volume;

    fn json(volume: Volume) -> String {
        serde_json::to_string(&volume).unwrap()
    }

    #[test]
    fn a_test_allowance_is_decimal_megabytes_up_to_a_limit() {
        let bytes = |text| Volume::parse_test_allowance(text).map(Volume::bytes);
        assert_eq!(bytes("5"), Ok(5_000_000));
        assert_eq!(bytes("100000"), Ok(100_000_000_000));
        for text in ["100000.000001", "-1", ""] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }

    #[test]
    fn megabytes_are_decimal_and_exact() {
        for (text, bytes) in [
            ("0", 0),
            ("5", 5_000_000),
            ("4.99935", 4_999_350),
            ("0.000001", 1),
            ("999999999.999999", Volume::MAX.bytes()),
        ] {
            let volume = Volume::parse_mb(text).unwrap();
            assert_eq!((volume.bytes(), volume.mb().as_str()), (bytes, text));
            assert_eq!(json(volume).parse::<f64>(), text.parse());
        }
        assert_eq!(json(Volume::from_bytes(4_999_350)), "4.99935");
        assert_eq!(Volume::parse_mb("1.50").unwrap().mb(), "1.5");
        assert_eq!(Volume::from_bytes(u64::MAX), Volume::MAX);
    }

    #[test]
    fn what_is_no_number_of_megabytes_is_refused() {
        for text in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,5",
            "1.0000001",
            "1234567890",
            "１",
            " 1",
            "NaN",
            "1.2.3",
        ] {
            assert!(Volume::parse_mb(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn text_and_json_say_exactly_the_bytes(bytes in 0..=Volume::MAX.bytes()) {
            let volume = Volume::from_bytes(bytes);
            prop_assert_eq!(Volume::parse_mb(&volume.mb()), Ok(volume));
            // A reader that parses the number gets these bytes again, also with an exponent.
            let read = json(volume).parse::<f64>().unwrap() * 1e6;
            prop_assert_eq!(read.round() as u64, bytes);
        }
    }
}
