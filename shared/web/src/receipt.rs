//! Whether a receiver has accepted a callback (clause 7.3 d): it has when the HTTP status is 2xx and the JSON body has
//! `code` 200. Receivers are read as they are: the number in any spelling, a byte order mark, blanks around, and other
//! fields in any encoding that contains ASCII.
//!
//! Any other answer is no receipt, whatever its status: a proxy's error page or a redirect also answers. With 429 or
//! 503 a receiver may ask for a pause (`Retry-After`, RFC 9110, 10.2.3).

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use domain::Timestamp;
use operations::AttemptResult;

/// Longest answer of a receiver that is read, in bytes.
pub(crate) const MAX_RECEIPT_BYTES: usize = 20_000;

/// The `code` of a receipt.
const RECEIVED: f64 = 200.0;

/// Most characters of another code that are shown.
const MAX_SHOWN_CODE_CHARS: usize = 40;

/// Lowest second byte of a letter of two bytes in GBK, Big5 and Shift JIS.
const FIRST_SECOND_BYTE: u8 = 0x40;

/// Statuses whose `Retry-After` counts: too many requests, and service unavailable.
const PUTS_OFF: [u16; 2] = [429, 503];

/// Reads a receiver's answer: its status, its `Retry-After` if it has one, and its body.
pub(crate) fn read_receipt(
    status: u16,
    retry_after: Option<&str>,
    body: &[u8],
    now: Timestamp,
) -> AttemptResult {
    let refused = |error: &str| unread_receipt(status, retry_after, error, now);
    if !(200..300).contains(&status) {
        return refused("the status is not 2xx");
    }
    if body.len() > MAX_RECEIPT_BYTES {
        return refused("the answer is too long");
    }
    match code_of(body) {
        Ok(code) if is_received(&code) => AttemptResult::Accepted { status },
        Ok(code) => refused(&format!("the code in the answer is {}, not 200", shown(&code))),
        Err(problem) => refused(&problem),
    }
}

/// The `code` of an answer, or why it has none.
fn code_of(body: &[u8]) -> Result<Value, String> {
    let text = text_of(body);
    let text =
        text.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '\u{feff}' | '\0'));
    if text.is_empty() {
        return Err("the answer is empty".to_owned());
    }
    let parsed = serde_json::from_str(text).or_else(|problem| {
        // In two-byte encodings of Chinese the second byte may be a backslash, which escapes what follows.
        serde_json::from_str(&without_two_byte_letters(body)).map_err(|_| problem)
    });
    match parsed {
        Ok(Value::Object(mut fields)) => fields
            .remove("code")
            .ok_or_else(|| "the answer is a JSON object without code".to_owned()),
        Ok(_) => Err("the answer is JSON, but not an object".to_owned()),
        // The message has the position and nothing of the text.
        Err(problem) => Err(format!("the answer is not JSON: {problem}")),
    }
}

/// Whether a code is 200, however the number is spelled, and also as a text: some systems write every value as text.
fn is_received(code: &Value) -> bool {
    let number = match code {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number == Some(RECEIVED)
}

/// A code as an operator sees it.
fn shown(code: &Value) -> String {
    let text: String = code.to_string().chars().take(MAX_SHOWN_CODE_CHARS).collect();
    domain::mask_identifiers(&text)
}

/// An answer as text. What is not UTF-8 or UTF-16 is kept as far as it is ASCII: the code of a receipt is.
fn text_of(body: &[u8]) -> Cow<'_, str> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    };
    match body {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(utf16(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(utf16(rest, u16::from_be_bytes)),
        _ => String::from_utf8_lossy(body),
    }
}

/// The ASCII of a text in GBK or a similar encoding: each letter of two bytes becomes a question mark.
fn without_two_byte_letters(body: &[u8]) -> String {
    let mut text = String::with_capacity(body.len());
    let mut bytes = body.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        if byte.is_ascii() {
            text.push(char::from(byte));
        } else {
            text.push('?');
            bytes.next_if(|second| *second >= FIRST_SECOND_BYTE);
        }
    }
    text
}

/// The result of an answer that could not be read, for the reason given.
pub(crate) fn unread_receipt(
    status: u16,
    retry_after: Option<&str>,
    error: &str,
    now: Timestamp,
) -> AttemptResult {
    AttemptResult::Refused {
        status: Some(status),
        error: error.to_owned(),
        retry_after_secs: retry_after
            .filter(|_| PUTS_OFF.contains(&status))
            .and_then(|text| seconds_until(text, now)),
    }
}

/// `Retry-After` in either of its forms, as seconds from now.
fn seconds_until(text: &str, now: Timestamp) -> Option<u32> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(text.parse().unwrap_or(u32::MAX));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    let now = UNIX_EPOCH + Duration::from_secs(u64::try_from(now.seconds()).ok()?);
    let wait = at.duration_since(now).unwrap_or_default();
    Some(u32::try_from(wait.as_secs()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the date of RFC 9110.
    const NOW: Timestamp = Timestamp(784_111_777_000);

    fn read(status: u16, body: &[u8]) -> AttemptResult {
        read_receipt(status, None, body, NOW)
    }

    // RFC 9110, 10.2.3 and 5.6.7
    #[test]
    fn a_receiver_that_has_too_much_to_do_says_how_long() {
        let asked = |status, text| match read_receipt(status, Some(text), b"", NOW) {
            AttemptResult::Refused { retry_after_secs, .. } => retry_after_secs,
            AttemptResult::Accepted { .. } => panic!("accepted"),
        };
        for (text, secs) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("99999999999999999999", Some(u32::MAX)),
            ("Sun, 06 Nov 1994 08:51:37 GMT", Some(120)),
            ("Sunday, 06-Nov-94 08:51:37 GMT", Some(120)),
            ("Sun Nov  6 08:51:37 1994", Some(120)),
            ("Sun, 06 Nov 1994 08:00:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            assert_eq!(asked(429, text), secs, "{text}");
            assert_eq!(asked(503, text), secs, "{text}");
            assert_eq!(asked(500, text), None, "{text}");
        }
    }

    // §7.3 d
    #[test]
    fn a_2xx_with_code_200_is_a_receipt_however_it_is_written() {
        for body in [
            r#"{"code":200,"message":"接收成功"}"#,
            r#"{"code":"200"}"#,
            r#"{"code":" 200 "}"#,
            r#"{"code":200.0}"#,
            r#"{"code":2e2}"#,
            r#"{"code":2.00E+2}"#,
            r#"{"code":20000e-2}"#,
            r#"{"code":"200.0"}"#,
            "{\"code\":200,\"data\":{}}\n",
            "\u{feff}{\"code\":200}",
            " \t\r\n\u{feff} { \"code\" : 200 } \r\n\r\n",
            "\u{3000}{\"code\":200}\u{a0}\0",
        ] {
            assert_eq!(
                read(201, body.as_bytes()),
                AttemptResult::Accepted { status: 201 },
                "{body}"
            );
        }
    }

    #[test]
    fn a_receipt_in_another_encoding_is_one() {
        let utf16 = |text: &str, bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            let marked = format!("\u{feff}{text}");
            marked.encode_utf16().flat_map(bytes).collect()
        };
        let message = r#"{"message":"接收成功","code":200}"#;
        // 接收成功 in GBK, as Python encodes it; then 誠瞈, each with a backslash as its second byte.
        let gbk = b"{\"message\":\"\xbd\xd3\xca\xd5\xb3\xc9\xb9\xa6\",\"code\":200}";
        let backslash = b"{\"message\":\"\xd5\x5c\xb2\x5c\",\"code\":200}";
        let latin_1 = b"{\"message\":\"re\xe7u\",\"code\":200}";
        for body in [
            utf16(message, u16::to_le_bytes),
            utf16(message, u16::to_be_bytes),
            gbk.to_vec(),
            backslash.to_vec(),
            latin_1.to_vec(),
        ] {
            assert_eq!(
                read(200, &body),
                AttemptResult::Accepted { status: 200 },
                "{body:?}"
            );
        }
    }

    #[test]
    fn what_is_no_receipt_says_why() {
        let not_json = "the answer is not JSON: ";
        for (status, body, why) in [
            (500, r#"{"code":200}"#, "the status is not 2xx"),
            (302, r#"{"code":200}"#, "the status is not 2xx"),
            (200, "", "the answer is empty"),
            (204, "", "the answer is empty"),
            (200, " \r\n", "the answer is empty"),
            (200, "ok", not_json),
            (200, "<html>200</html>", not_json),
            (200, r#"{"code":200"#, not_json),
            (200, r#"{"code":200} {"code":200}"#, not_json),
            (200, "code=200", not_json),
            (200, "[200]", "the answer is JSON, but not an object"),
            (200, "200", "the answer is JSON, but not an object"),
            (200, "{}", "the answer is a JSON object without code"),
            (
                200,
                r#"{"data":{"code":200}}"#,
                "the answer is a JSON object without code",
            ),
            (200, r#"{"code":0}"#, "the code in the answer is 0, not 200"),
            (200, r#"{"code":-200}"#, "the code in the answer is -200, not 200"),
            (
                200,
                r#"{"code":200.5}"#,
                "the code in the answer is 200.5, not 200",
            ),
            (200, r#"{"code":null}"#, "the code in the answer is null, not 200"),
            (
                200,
                r#"{"code":"SUCCESS"}"#,
                "the code in the answer is \"SUCCESS\", not 200",
            ),
            (200, r#"{"code":true}"#, "the code in the answer is true, not 200"),
        ] {
            let AttemptResult::Refused { error, .. } = read(status, body.as_bytes()) else {
                panic!("accepted: {status} {body}")
            };
            assert!(
                if why == not_json {
                    error.starts_with(why)
                } else {
                    error == why
                },
                "{body}: {error}"
            );
        }
    }

    #[test]
    fn an_identifier_in_place_of_a_code_is_not_shown() {
        let AttemptResult::Refused { error, .. } =
            read(200, br#"{"code":"89086030202200000000000000000123"}"#)
        else {
            panic!("accepted")
        };
        assert!(!error.contains("89086030202200000000000000000123"), "{error}");
    }

    #[test]
    fn an_endless_answer_is_no_receipt() {
        let body = format!(r#"{{"code":200,"padding":"{}"}}"#, "x".repeat(MAX_RECEIPT_BYTES));
        assert!(matches!(
            read(200, body.as_bytes()),
            AttemptResult::Refused { .. }
        ));
    }
}
