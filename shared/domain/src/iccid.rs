//! ICCID: the identifier of an operator's card, 20 characters in China (§5.4.2.1).
//!
//! ITU-T E.118 starts it with `89` and ends it with a Luhn digit, but operators issue IoT ICCIDs
//! with the letters A–F and without a valid Luhn digit, so both only inform and never refuse.

use super::{Kind, Malformed, masked};

/// Characters of an ICCID.
const ICCID_CHARS: usize = 20;
/// Major industry identifier of telecommunications, ITU-T E.118.
const TELECOM_PREFIX: &str = "89";

/// Identifier of an operator's card: 20 characters, upper case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iccid(String);

impl Iccid {
    /// Reads 20 hexadecimal characters that start with `89`; small letters become capitals.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() != ICCID_CHARS || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(Malformed::new(
                Kind::Iccid,
                "ICCID 应为 20 位，由数字和字母 A–F 组成",
                "an ICCID has 20 characters, digits or the letters A to F",
            ));
        }
        if !text.starts_with(TELECOM_PREFIX) {
            return Err(Malformed::new(
                Kind::Iccid,
                "ICCID 应以 89 开头",
                "an ICCID starts with 89",
            ));
        }
        Ok(Self(text.to_ascii_uppercase()))
    }

    /// The 20 characters, upper case.
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

impl std::fmt::Debug for Iccid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Iccid({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Iccid;

    #[test]
    fn letters_are_legal_and_become_capitals() {
        assert_eq!(
            Iccid::parse("898604071120c0015291").unwrap().as_str(),
            "898604071120C0015291"
        );
    }

    // Many operators' IoT ICCIDs have no Luhn digit (ISO/IEC 7812-1).
    #[test]
    fn the_luhn_digit_is_not_checked() {
        for text in [
            "89861121245014174191",
            "89860419151871818523",
            "898604071120C0015291",
        ] {
            assert_eq!(Iccid::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn wrong_length_prefix_and_letters_are_refused() {
        for text in [
            "",
            "8986041915187181852",
            "898604191518718185230",
            "12860419151871818523",
            "89860419151871818G23",
        ] {
            assert!(Iccid::parse(text).is_err(), "{text}");
        }
    }
}
