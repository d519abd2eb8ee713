//! Whether a receiver has accepted a callback (clause 7.3 d): it has when the HTTP status is 2xx and the JSON body has
//! `code` 200.
//!
//! Any other answer is no receipt, whatever its status: a proxy's error page or a redirect also answers. With 429 or
//! 503 a receiver may ask for a pause (`Retry-After`, RFC 9110, 10.2.3).

use std::time::{Duration, UNIX_EPOCH};

use serde_json::Value;

use domain::{Timestamp, plain_number, without_byte_order_mark};
use operations::AttemptResult;

/// Longest answer of a receiver that is read, in bytes.
pub(crate) const MAX_RECEIPT_BYTES: usize = 20_000;

/// The `code` of a receipt.
const RECEIVED: &str = "200";

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
    let receipt: Option<Value> = serde_json::from_slice(without_byte_order_mark(body)).ok();
    let Some(code) = receipt.as_ref().and_then(|receipt| receipt.get("code")) else {
        return refused("the answer is not a JSON object with a code");
    };
    // Some systems write every value as text, and others every number with decimals.
    let code = match code {
        Value::String(text) => plain_number(text.trim()),
        Value::Number(number) => plain_number(&number.to_string()),
        _ => None,
    };
    if code.as_deref() == Some(RECEIVED) {
        AttemptResult::Accepted { status }
    } else {
        refused("the code in the answer is not 200")
    }
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
    fn only_a_2xx_with_code_200_is_a_receipt() {
        for body in [
            r#"{"code":200,"message":"接收成功"}"#,
            r#"{"code":"200"}"#,
            "{\"code\":200,\"data\":{}}\n",
            "\u{feff}{\"code\":200}",
            r#"{"code":200.0}"#,
            r#"{"code":2e2}"#,
            r#"{"code":" 200 "}"#,
            r#"{"code":"200.0"}"#,
        ] {
            assert_eq!(
                read(200, body.as_bytes()),
                AttemptResult::Accepted { status: 200 },
                "{body}"
            );
        }
        for (status, body) in [
            (500, r#"{"code":200}"#),
            (302, r#"{"code":200}"#),
            (200, ""),
            (200, "ok"),
            (200, "[200]"),
            (200, r#"{"message":"接收成功"}"#),
            (200, r#"{"code":0}"#),
            (200, r#"{"code":200.5}"#),
            (200, r#"{"code":null}"#),
            (200, r#"{"code":20}"#),
            (200, r#"{"code":2e3}"#),
            (200, r#"{"code":""}"#),
            (200, r#"{"code":["200"]}"#),
            (204, ""),
            (200, "<html>200</html>"),
        ] {
            assert!(
                matches!(read(status, body.as_bytes()), AttemptResult::Refused { .. }),
                "{status} {body}"
            );
        }
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
