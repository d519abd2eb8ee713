//! How an identifier is shown in logs and `Debug` output: `890860****0090`.
//!
//! It must never show enough of an identifier to recover the whole.

/// Characters kept at the front of a long identifier.
const KEPT_FRONT: usize = 6;
/// Characters kept at the front of a shorter one, such as a telephone number.
const KEPT_FRONT_OF_SHORT: usize = 3;
/// From this many characters on, an identifier is long.
const LONG_CHARS: usize = 18;
/// Characters kept at the end of a masked identifier.
const KEPT_BACK: usize = 4;

/// From this many characters on, a run of hexadecimal digits is taken for an identifier or a key.
const IDENTIFIER_CHARS: usize = 11;

/// Replaces everything but the first and last characters of `text` with `****`: the first six and last four of 18 or
/// more, the first three and last four of 11 or more. A shorter text becomes `****` as a whole.
#[must_use]
pub fn masked(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let kept_front = match chars.len() {
        LONG_CHARS.. => KEPT_FRONT,
        IDENTIFIER_CHARS.. => KEPT_FRONT_OF_SHORT,
        _ => return "****".to_owned(),
    };
    let front: String = chars[..kept_front].iter().collect();
    let back: String = chars[chars.len() - KEPT_BACK..].iter().collect();
    format!("{front}****{back}")
}

/// Masks every run in `text` that could be an EID, ICCID, MSISDN, IMSI or key.
#[must_use]
pub fn mask_identifiers(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            run.push(character);
        } else {
            flush(&mut run, &mut out);
            out.push(character);
        }
    }
    flush(&mut run, &mut out);
    out
}

fn flush(run: &mut String, out: &mut String) {
    let hex = run.bytes().all(|byte| byte.is_ascii_hexdigit());
    let digits = run.bytes().filter(u8::is_ascii_digit).count();
    if run.len() >= IDENTIFIER_CHARS && hex && digits > 0 {
        out.push_str(&masked(run));
    } else {
        out.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::{mask_identifiers, masked};

    #[test]
    fn a_long_identifier_keeps_six_and_four() {
        assert_eq!(masked("89086030202200000022000000000090"), "890860****0090");
        assert_eq!(masked("898604071120C00152"), "898604****0152");
    }

    #[test]
    fn a_number_keeps_three_and_four() {
        assert_eq!(masked("13800138000"), "138****8000");
        assert_eq!(masked("1440193898523"), "144****8523");
        assert_eq!(masked("460001357924680"), "460****4680");
    }

    #[test]
    fn a_short_text_shows_nothing() {
        assert_eq!(masked("1234567890"), "****");
        assert_eq!(masked(""), "****");
    }

    #[test]
    fn characters_of_several_bytes_are_not_cut() {
        assert_eq!(masked("一二三四五六七八九十一二"), "一二三****九十一二");
    }

    #[test]
    fn what_looks_like_an_identifier_is_shortened() {
        for (text, expected) in [
            (
                "no row for 89086030202200000022000000000090.",
                "no row for 890860****0090.",
            ),
            ("898604071120C0015291", "898604****5291"),
            (
                "iccid=898604071120C0015291,msisdn=1440193898523",
                "iccid=898604****5291,msisdn=144****8523",
            ),
            (
                "statement 12 failed after 5000 ms",
                "statement 12 failed after 5000 ms",
            ),
            ("database is locked", "database is locked"),
            ("00112233445566778899aabbccddeeff", "001122****eeff"),
        ] {
            assert_eq!(mask_identifiers(text), expected);
        }
    }
}
