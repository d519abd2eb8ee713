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

    /// True when all characters are digits and the last is the Luhn digit of the others. Advisory:
    /// many operators' IoT ICCIDs are not built that way.
    #[must_use]
    pub fn luhn_ok(&self) -> bool {
        let mut sum = 0;
        for (place, byte) in self.0.bytes().rev().enumerate() {
            if !byte.is_ascii_digit() {
                return false;
            }
            let digit = u32::from(byte - b'0');
            let weighted = if place % 2 == 1 { digit * 2 } else { digit };
            sum += weighted / 10 + weighted % 10;
        }
        sum % 10 == 0
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

    #[test]
    fn the_luhn_digit_informs_and_does_not_refuse() {
        for good in [
            "89861121245014174191",
            "89860321245910333529",
            "89860117851014783481",
            "89860621330066521767",
        ] {
            assert!(Iccid::parse(good).unwrap().luhn_ok(), "{good}");
        }
        for other in ["89860419151871818523", "898604071120C0015291"] {
            assert!(!Iccid::parse(other).unwrap().luhn_ok(), "{other}");
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
