//! IMSI: the identity a subscription shows to the network, 14 or 15 digits (TS 23.003 §2.2).

use super::{Kind, Malformed, all_digits, masked};

/// Digits of an IMSI.
const IMSI_DIGITS: std::ops::RangeInclusive<usize> = 14..=15;

/// Identity of a subscription.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Imsi(String);

impl Imsi {
    /// Reads 14 or 15 digits.
    ///
    /// # Errors
    /// [`Malformed`] when the text is anything else.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if IMSI_DIGITS.contains(&text.len()) && all_digits(text) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                Kind::Imsi,
                "IMSI 应为 14 或 15 位数字",
                "an IMSI has 14 or 15 digits",
            ))
        }
    }

    /// The digits.
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

impl std::fmt::Debug for Imsi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Imsi({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Imsi;

    #[test]
    fn fourteen_and_fifteen_digits_are_an_imsi() {
        for text in ["46000135792468", "460001357924680"] {
            assert_eq!(Imsi::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "4600013579246", "4600013579246801", "46000135792468a"] {
            assert!(Imsi::parse(text).is_err(), "{text}");
        }
    }
}
