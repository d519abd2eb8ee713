//! EID: the one unchanging key of a chip (§5.2.1.2, §5.4.2.1), 32 digits with the two check digits
//! of SGP.29 §10 (ISO/IEC 7064 MOD 97-10 over the whole number).

use super::{Kind, Malformed, all_digits, masked};

/// Digits of an EID.
const EID_DIGITS: usize = 32;
/// Bytes of an EID in packed BCD.
const EID_BYTES: usize = EID_DIGITS / 2;
/// ISO/IEC 7064 modulus; a valid number leaves the remainder 1.
const MODULUS: u128 = 97;

/// Identifier of one chip, with valid check digits.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Eid(String);

impl Eid {
    /// Reads 32 digits and verifies the check digits.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        if text.len() != EID_DIGITS || !all_digits(text) {
            return Err(Malformed::new(
                Kind::Eid,
                "EID 应为 32 位数字",
                "an EID has 32 digits",
            ));
        }
        // 10^32 fits u128, so the remainder needs no long division.
        match text.parse::<u128>() {
            Ok(number) if number % MODULUS == 1 => Ok(Self(text.to_owned())),
            _ => Err(Malformed::new(
                Kind::Eid,
                "EID 校验位错误（ISO/IEC 7064 MOD 97-10）",
                "the check digits of the EID are wrong (ISO/IEC 7064 MOD 97-10)",
            )),
        }
    }

    /// The 32 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Packed BCD, first digit in the high nibble, as it stands in a PSK identity.
    #[must_use]
    pub fn to_bcd(&self) -> [u8; EID_BYTES] {
        let mut out = [0; EID_BYTES];
        for (byte, pair) in out.iter_mut().zip(self.0.as_bytes().chunks_exact(2)) {
            *byte = ((pair[0] - b'0') << 4) | (pair[1] - b'0');
        }
        out
    }

    /// First and last characters only, for logs.
    #[must_use]
    pub fn masked(&self) -> String {
        masked(&self.0)
    }
}

impl std::fmt::Debug for Eid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Eid({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::Eid;
    use proptest::prelude::*;

    const VALID: [&str; 2] = [
        "89049032123451234512345678901235",
        "89086030202200000022000000000090",
    ];

    #[test]
    fn published_eids_are_valid() {
        for text in VALID {
            assert_eq!(Eid::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn any_single_wrong_digit_is_found() {
        for text in VALID {
            for at in 0..text.len() {
                for digit in b'0'..=b'9' {
                    let mut bytes = text.as_bytes().to_vec();
                    if bytes[at] == digit {
                        continue;
                    }
                    bytes[at] = digit;
                    assert!(Eid::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
                }
            }
        }
    }

    #[test]
    fn wrong_length_and_letters_are_refused() {
        for text in [
            "",
            "8908603020220000002200000000009",
            "890860302022000000220000000000900",
            "8908603020220000002200000000009A",
        ] {
            assert!(Eid::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bcd_puts_the_first_digit_in_the_high_nibble() {
        let eid = Eid::parse(VALID[1]).unwrap();
        assert_eq!(hex::encode(eid.to_bcd()), VALID[1]);
    }

    #[test]
    fn debug_output_is_masked() {
        assert_eq!(
            format!("{:?}", Eid::parse(VALID[1]).unwrap()),
            "Eid(890860****0090)"
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = Eid::parse(&text);
        }
    }
}
