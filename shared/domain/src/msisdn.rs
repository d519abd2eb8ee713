//! MSISDN: the 13-digit IoT number, the only kind that may be used (§5.1.3, §5.4.2.1). Which ranges of such numbers may
//! come in is configuration: see [`NumberRanges`](super::NumberRanges).

use super::{Kind, Malformed, all_digits, masked};

/// Digits of an IoT number.
const MSISDN_DIGITS: usize = 13;

/// A 13-digit IoT number.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Msisdn(String);

impl Msisdn {
    /// Reads 13 digits that begin with 1, as all mobile numbers of China do.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() == MSISDN_DIGITS && all_digits(text) && text.starts_with('1') {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                Kind::Msisdn,
                "号码应为 13 位物联网号码，以 1 开头",
                "a number is a 13-digit IoT number that begins with 1",
            ))
        }
    }

    /// The 13 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// First and last characters only, for logs.
    #[must_use]
    pub fn masked(&self) -> String {
        masked(&self.0)
    }
}

impl std::fmt::Debug for Msisdn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Msisdn({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Msisdn;

    #[test]
    fn thirteen_digits_are_read() {
        for text in ["1440193898523", "1064112345678", "1400193898523"] {
            assert_eq!(Msisdn::parse(text).unwrap().as_str(), text);
        }
    }

    // §5.1.3
    #[test]
    fn numbers_of_people_are_refused() {
        for text in [
            "13800138000",
            "8613800138000",
            "+861440193898523",
            "144019389852",
            "14401938985234",
            "1440 93898523",
            "",
        ] {
            assert!(Msisdn::parse(text).is_err(), "{text}");
        }
    }
}
