//! Texts and numbers that programs spell in different ways.

use super::all_digits;

/// The byte order mark, in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// Most digits of a number, and most places by which its exponent moves the decimal point.
const MAX_DIGITS: usize = 64;

/// JSON numbers with decimals or exponent are read in double precision, which may be wrong in the last digit. Below
/// this number that is less than a half, so that no integer becomes another one.
pub const MAX_EXACT_NUMBER: f64 = 1e15;

/// A text without the byte order mark that some programs put in front of UTF-8.
#[must_use]
pub fn without_byte_order_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The number of a JSON literal without exponent and without needless zeros: `1`, `1.0`, `1e0` and `10E-1` are all `1`.
/// Every digit is kept, whatever the size of the number. `None` for a text that is no such literal, and for one of more
/// than `MAX_DIGITS` digits.
#[must_use]
pub fn plain_number(literal: &str) -> Option<String> {
    let (sign, unsigned) = match literal.strip_prefix('-') {
        Some(unsigned) => ("-", unsigned),
        None => ("", literal),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, part) = match mantissa.split_once('.') {
        Some((whole, part)) if all_digits(part) => (whole, part),
        Some(_) => return None,
        None => (mantissa, ""),
    };
    let places = usize::try_from(exponent.unsigned_abs()).ok()?;
    if !all_digits(whole) || whole.len() + part.len() > MAX_DIGITS || places > MAX_DIGITS {
        return None;
    }
    // Zeros on both sides, so that the decimal point finds its place between digits.
    let zeros = "0".repeat(places);
    let digits = [&*zeros, whole, part, &*zeros].concat();
    let point = places + whole.len();
    let point = if exponent < 0 {
        point - places
    } else {
        point + places
    };
    let (whole, part) = digits.split_at(point);
    let (whole, part) = (whole.trim_start_matches('0'), part.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    Some(match (whole, part) {
        ("0", "") => whole.to_owned(),
        (_, "") => format!("{sign}{whole}"),
        _ => format!("{sign}{whole}.{part}"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{plain_number, without_byte_order_mark};

    #[test]
    fn a_byte_order_mark_is_taken_off_once_and_only_in_front() {
        for (text, expected) in [
            ("\u{feff}a", "a"),
            ("\u{feff}\u{feff}a", "\u{feff}a"),
            ("a\u{feff}", "a\u{feff}"),
            ("\u{feff}", ""),
            ("", ""),
        ] {
            assert_eq!(without_byte_order_mark(text.as_bytes()), expected.as_bytes());
        }
    }

    // RFC 8259 §6
    #[test]
    fn every_spelling_of_a_number_is_the_same_number() {
        for (plain, literals) in [
            ("1", ["1", "1.0", "1e0", "10E-1", "0.1e+1", "1.000"]),
            ("0", ["0", "-0", "0.0", "-0e5", "0e-9", "0.00E1"]),
            ("200", ["200", "2e2", "2E+2", "0.2e3", "200.0", "2000e-1"]),
            (
                "-1.5",
                ["-1.5", "-15e-1", "-1.50", "-0.15e1", "-150E-2", "-1.5e0"],
            ),
            (
                "0.015",
                ["0.015", "15e-3", "1.5E-2", "0.15e-1", "0.0150", "150e-4"],
            ),
        ] {
            for literal in literals {
                assert_eq!(plain_number(literal).as_deref(), Some(plain), "{literal}");
            }
        }
        let eid = "89086030202200000000000000000123";
        assert_eq!(plain_number(eid).as_deref(), Some(eid));
    }

    #[test]
    fn what_is_no_number_or_has_too_many_digits_is_none() {
        let (long, longer) = ("9".repeat(64), "9".repeat(65));
        assert_eq!(plain_number(&long), Some(long));
        let zeros = "0".repeat(63);
        assert_eq!(plain_number("1e64"), Some(format!("10{zeros}")));
        assert_eq!(plain_number("1e-64"), Some(format!("0.{zeros}1")));
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "1e",
            "e1",
            "1e1.0",
            "1e1e1",
            "1.2.3",
            "--1",
            " 1",
            "1 ",
            "0x1",
            "１",
            "NaN",
            "1e65",
            "1e-65",
            "1e99999999999",
            &longer,
        ] {
            assert_eq!(plain_number(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[0-9eE.+-]{0,12}|\\PC{0,12}") {
            if let Some(plain) = plain_number(&text) {
                prop_assert_eq!(plain_number(&plain), Some(plain.clone()));
                prop_assert_eq!(plain.parse::<f64>(), text.parse::<f64>());
            }
        }

        #[test]
        fn an_integer_of_any_size_keeps_its_digits(number: i128) {
            prop_assert_eq!(plain_number(&number.to_string()), Some(number.to_string()));
        }
    }
}
