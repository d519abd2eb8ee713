//! ICCID: the identifier of an operator's card, 20 characters in China (§5.4.2.1). One of 19 digits is written with the
//! `F` that fills its last place in the card (ETSI TS 102 221 §13.2), so that it has one form and one key.
//!
//! ITU-T E.118 starts it with `89` and ends it with a Luhn digit, but operators issue IoT ICCIDs
//! with the letters A–F and without a valid Luhn digit, so both only inform and never refuse.

use super::{Kind, Malformed, masked};

/// Characters of an ICCID, the filler of one with 19 digits included.
const ICCID_CHARS: usize = 20;
/// What fills the last place of an ICCID with 19 digits.
const FILLER: char = 'F';
/// Major industry identifier of telecommunications, ITU-T E.118.
const TELECOM_PREFIX: &str = "89";

/// Identifier of an operator's card: 20 characters, upper case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Iccid(String);

impl Iccid {
    /// Reads 19 or 20 hexadecimal characters that start with `89`. Small letters become capitals, and 19 characters get
    /// the filler `F` as their twentieth.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks. No digit is `F` at the end, so `FF` and a nineteenth character
    /// `F` are refused.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let length = text.len();
        if !(ICCID_CHARS - 1..=ICCID_CHARS).contains(&length) || !text.bytes().all(|b| b.is_ascii_hexdigit())
        {
            return Err(Malformed::new(
                Kind::Iccid,
                "ICCID 应为 19 或 20 位，由数字和字母 A–F 组成",
                "an ICCID has 19 or 20 characters, digits or the letters A to F",
            ));
        }
        if !text.starts_with(TELECOM_PREFIX) {
            return Err(Malformed::new(
                Kind::Iccid,
                "ICCID 应以 89 开头",
                "an ICCID starts with 89",
            ));
        }
        let mut chars = text.to_ascii_uppercase();
        if length < ICCID_CHARS {
            chars.push(FILLER);
        }
        if chars.trim_end_matches(FILLER).len() < ICCID_CHARS - 1 {
            return Err(Malformed::new(
                Kind::Iccid,
                "ICCID 末尾至多一个填充位 F：19 位数字后可加一个 F",
                "an ICCID ends with at most one filler F, after 19 digits",
            ));
        }
        Ok(Self(chars))
    }

    /// The 20 characters, upper case; the last is `F` where there are 19 digits.
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
    fn nineteen_digits_are_one_key_with_and_without_their_filler() {
        for text in [
            "8986041915187181852",
            "8986041915187181852F",
            "8986041915187181852f",
        ] {
            assert_eq!(
                Iccid::parse(text).unwrap().as_str(),
                "8986041915187181852F",
                "{text}"
            );
        }
        for text in [
            "898604191518718185FF",
            "898604191518718185ff",
            "898604191518718185F",
        ] {
            let refused = Iccid::parse(text).unwrap_err();
            assert!(
                refused.zh.contains("填充位") && refused.en.contains("filler"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_log_shows_the_first_six_and_the_last_four_characters() {
        let iccid = Iccid::parse("898604071120c0015291").unwrap();
        assert_eq!(iccid.masked(), "898604****5291");
        assert_eq!(format!("{iccid:?}"), "Iccid(898604****5291)");
    }

    #[test]
    fn wrong_length_prefix_and_letters_are_refused() {
        for text in [
            "",
            "898604191518718185",
            "898604191518718185230",
            "12860419151871818523",
            "89860419151871818G23",
        ] {
            assert!(Iccid::parse(text).is_err(), "{text}");
        }
    }
}
