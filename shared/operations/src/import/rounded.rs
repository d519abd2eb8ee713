//! Numbers that a spreadsheet rounded: it keeps 15 digits of a number and shows the rest as zeros or as an exponent.

use domain::{Iccid, all_digits};

/// Digits that a spreadsheet keeps of a number.
const KEPT_DIGITS: usize = 15;
/// From this many zeros at the end on, a number may have been rounded.
const ZEROS: usize = 5;

/// Whether `text` is a number with an exponent, such as `1.44020E+12`. Hexadecimal digits alone are none.
pub(super) fn is_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['E', 'e']) else {
        return false;
    };
    let power = exponent.trim_start_matches(['+', '-']);
    let number = mantissa.trim_start_matches('-').replacen(['.', ','], "", 1);
    let is_marked = exponent.len() > power.len() || mantissa.contains(['.', ',']);
    is_marked && all_digits(power) && all_digits(&number)
}

/// Whether `text` has more digits than a spreadsheet keeps, and zeros for the last of them.
pub(super) fn has_lost_digits(text: &str) -> bool {
    text.len() > KEPT_DIGITS && all_digits(text) && text.ends_with(&"0".repeat(ZEROS))
}

/// Whether the last digit of a numeric ICCID is not the check digit of ITU-T E.118. Real ICCIDs exist of which that is
/// true.
pub(super) fn fails_check_digit(iccid: &Iccid) -> bool {
    let digits = digits(iccid);
    all_digits(digits) && luhn(digits) != 0
}

/// Whether an ICCID has zeros for the digits that a spreadsheet does not keep, and a wrong check digit.
pub(super) fn is_rounded(iccid: &Iccid) -> bool {
    has_lost_digits(digits(iccid)) && fails_check_digit(iccid)
}

/// The digits without filler.
fn digits(iccid: &Iccid) -> &str {
    iccid.as_str().trim_end_matches('F')
}

/// The sum of ISO/IEC 7812-1 annex B modulo 10, 0 for a right check digit.
fn luhn(digits: &str) -> u32 {
    let weighted = digits.bytes().rev().enumerate().map(|(at, digit)| {
        let digit = u32::from(digit - b'0');
        let value = if at % 2 == 0 { digit } else { digit * 2 };
        value / 10 + value % 10
    });
    weighted.sum::<u32>() % 10
}

#[cfg(test)]
mod tests {
    use domain::Iccid;

    use super::{fails_check_digit, has_lost_digits, is_exponent, is_rounded, luhn};

    #[test]
    fn an_exponent_is_known_from_hexadecimal_digits() {
        for text in [
            "1.44020E+12",
            "8.98604E+19",
            "1E+15",
            "4.6e14",
            "8,98604E+19",
            "1.2E-05",
        ] {
            assert!(is_exponent(text), "{text}");
        }
        for text in [
            "",
            "12E5",
            "898604071120E0015291",
            "E+1",
            "1.5",
            "1.5E",
            "NB-E+1",
            "0a1e+",
        ] {
            assert!(!is_exponent(text), "{text}");
        }
    }

    #[test]
    fn zeros_and_a_wrong_check_digit_together_show_a_rounded_iccid() {
        // The published example of the rule: the check digit of 7992739871 is 3.
        assert_eq!(luhn("79927398713"), 0);
        let iccid = |text: &str| Iccid::parse(text).unwrap();
        for (text, fails, rounded) in [
            ("89860411269000000013", false, false),
            ("89860411269000000000", true, true),
            ("89860411269001000000", true, true),
            ("89860411269001200000", false, false),
            ("8986041126900000000F", true, true),
            ("898604071120C0000000", false, false),
        ] {
            let found = (fails_check_digit(&iccid(text)), is_rounded(&iccid(text)));
            assert_eq!(found, (fails, rounded), "{text}");
        }
        assert!(has_lost_digits("89086030202200000000000000000000"));
        assert!(!has_lost_digits("144010000000000"));
    }
}
