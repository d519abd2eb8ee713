//! What a refusal says of the text that it refuses: enough to find the mistake, never a whole identifier, never a key.

use super::Malformed;
use super::error::Error;
use uicc::masked;

/// Longest text that is shown, in characters.
const MAX_SHOWN_CHARS: usize = 32;
/// Longest run of digits that identifies nothing.
const SHORT_DIGITS: usize = 6;
/// Longest run of letters and digits that is a word.
const WORD_CHARS: usize = 10;
/// Longest identifier that has letters: an ICCID. What is longer may be a key.
const LETTERED_IDENTIFIER_CHARS: usize = 20;

impl Malformed {
    /// The error of `text`, which breaks this rule: the rule, and what was received.
    #[must_use]
    pub fn of(self, text: &str) -> Error {
        let count = text.chars().count();
        let is_number = super::all_digits(text);
        let shown = match count {
            0 => None,
            _ if is_number => Some(number(text)),
            _ => Some(words(text)),
        };
        let (zh, en) = match shown {
            None => ("空值".to_owned(), "nothing".to_owned()),
            Some(shown) if is_number => (
                format!("{count} 位数字 {shown}"),
                format!("{count} digits, {shown}"),
            ),
            Some(shown) => (
                format!("“{shown}”，{count} 个字符"),
                format!("\"{shown}\", {count} characters"),
            ),
        };
        Error::from(self).with_detail(
            format!("{}；收到{zh}", self.zh),
            format!("{}; received {en}", self.en),
        )
    }
}

/// A run of digits.
fn number(digits: &str) -> String {
    if digits.len() <= SHORT_DIGITS {
        digits.to_owned()
    } else {
        masked(digits)
    }
}

/// The digits and hexadecimal letters of an identifier or key that is written in groups, without what separates them. A
/// date is none.
fn grouped(text: &str) -> Option<String> {
    let is_separator = |c: char| matches!(c, ' ' | '-' | '.' | ':' | '_');
    let joined: String = text.chars().filter(|c| !is_separator(*c)).collect();
    let is_grouped = joined.len() < text.len() && joined.chars().all(|c| c.is_ascii_hexdigit());
    let is_date = text.get(..10).is_some_and(|day| crate::parse_date(day).is_ok());
    (is_grouped && joined.len() > WORD_CHARS && !is_date).then_some(joined)
}

/// Text with its words, without its identifiers and keys, on one line.
fn words(text: &str) -> String {
    if let Some(joined) = grouped(text) {
        return if joined.len() > LETTERED_IDENTIFIER_CHARS {
            "****".to_owned()
        } else {
            masked(&joined)
        };
    }
    let mut shown = String::new();
    let mut run = String::new();
    let end_run = |run: &mut String, shown: &mut String| {
        let is_number = super::all_digits(run);
        match run.len() {
            _ if is_number => shown.push_str(&number(run)),
            length if length <= WORD_CHARS => shown.push_str(run),
            ..=LETTERED_IDENTIFIER_CHARS => shown.push_str(&masked(run)),
            _ => shown.push_str("****"),
        }
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            run.push(c);
        } else {
            end_run(&mut run, &mut shown);
            shown.push(if c.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                c
            });
        }
    }
    end_run(&mut run, &mut shown);
    match shown.char_indices().nth(MAX_SHOWN_CHARS) {
        Some((at, _)) => format!("{}…", &shown[..at]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use crate::error::Lang;
    use crate::{Eid, Malformed, Msisdn, Network};

    fn message(wrong: impl Into<Malformed>, text: &str) -> [String; 2] {
        let error = wrong.into().of(text);
        [Lang::Zh, Lang::En].map(|lang| error.message(lang))
    }

    #[test]
    fn an_identifier_or_a_key_in_groups_is_not_shown_either() {
        for text in [
            "1440-193-898523",
            "89860 41126 90000 00013",
            "00:11:22:33:44:55:66:77:88:99:aa:bb",
        ] {
            let [zh, _] = message(Network::parse(text).unwrap_err(), text);
            let digits = |text: &str| text.chars().filter(char::is_ascii_hexdigit).count();
            let (_, shown) = zh.split_once("收到").unwrap();
            let (shown, _) = shown.split_once('”').unwrap();
            assert!(digits(shown) <= 10 && digits(shown) < digits(text), "{shown}");
        }
        let [zh, _] = message(Network::parse("2026-07-01").unwrap_err(), "2026-07-01");
        assert!(zh.contains("“2026-07-01”"), "{zh}");
    }

    #[test]
    fn a_refusal_says_what_was_received() {
        let [zh, en] = message(Msisdn::parse("13800138000").unwrap_err(), "13800138000");
        assert!(zh.ends_with("；收到11 位数字 138****8000"), "{zh}");
        assert!(en.ends_with("; received 11 digits, 138****8000"), "{en}");
        let [zh, en] = message(Network::parse("5g").unwrap_err(), "5g");
        assert!(zh.ends_with("；收到“5g”，2 个字符"), "{zh}");
        assert!(en.ends_with("; received \"5g\", 2 characters"), "{en}");
        let [zh, en] = message(Eid::parse("").unwrap_err(), "");
        assert!(
            zh.ends_with("；收到空值") && en.ends_with("; received nothing"),
            "{zh} {en}"
        );
    }

    #[test]
    fn no_refusal_shows_a_whole_identifier_or_a_key() {
        for (text, shown) in [
            ("89086030202200000022000000000091", "890860****0091"),
            ("89860411269000000013x", "\"****\", 21"),
            ("8986041126900000001x", "898604****001x"),
            ("+8613800138000", "+861****8000"),
            ("00112233445566778899aabbccddeeff", "\"****\", 32"),
            ("1234567", "****"),
            ("a\u{1}b\nc", "a\u{fffd}b\u{fffd}c"),
            ("370000", "370000"),
        ] {
            let [_, en] = message(Msisdn::parse("").unwrap_err(), text);
            assert!(en.contains(shown), "{en}");
            assert!(text.len() < 7 || !en.contains(text), "{en}");
        }
        let [zh, _] = message(Msisdn::parse("").unwrap_err(), &"长".repeat(1000));
        assert!(zh.chars().count() < 120 && zh.contains("1000 个字符"), "{zh}");
    }
}
