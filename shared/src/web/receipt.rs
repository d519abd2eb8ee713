//! Whether a receiver has taken a callback (clause 7.3 d): an HTTP status 2xx and a JSON body whose `code` is 200.
//!
//! Anything else is not a receipt, whatever the status says: a proxy's error page or a redirect also answers.

use serde_json::Value;

use crate::operations::Delivery;

/// Longest answer of a receiver that is read, in bytes.
pub const MAX_RECEIPT_BYTES: usize = 20_000;

/// The `code` of a receipt.
const RECEIVED: u64 = 200;

/// Reads a receiver's answer.
pub fn read_receipt(status: u16, body: &[u8]) -> Delivery {
    let refused = |error: &str| Delivery::Refused {
        status: Some(status),
        error: error.to_owned(),
    };
    if !(200..300).contains(&status) {
        return refused("the status is not 2xx");
    }
    if body.len() > MAX_RECEIPT_BYTES {
        return refused("the answer is too long");
    }
    let receipt: Option<Value> = serde_json::from_slice(body).ok();
    let Some(code) = receipt.as_ref().and_then(|receipt| receipt.get("code")) else {
        return refused("the answer is not a JSON object with a code");
    };
    // Some systems write every value as text.
    let code = code
        .as_u64()
        .or_else(|| code.as_str().and_then(|text| text.parse().ok()));
    if code == Some(RECEIVED) {
        Delivery::Accepted { status }
    } else {
        refused("the code in the answer is not 200")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // §7.3 d
    #[test]
    fn only_a_2xx_with_code_200_is_a_receipt() {
        for body in [
            r#"{"code":200,"message":"接收成功"}"#,
            r#"{"code":"200"}"#,
            "{\"code\":200,\"data\":{}}\n",
        ] {
            assert_eq!(
                read_receipt(200, body.as_bytes()),
                Delivery::Accepted { status: 200 },
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
            (204, ""),
            (200, "<html>200</html>"),
        ] {
            assert!(
                matches!(read_receipt(status, body.as_bytes()), Delivery::Refused { .. }),
                "{status} {body}"
            );
        }
    }

    #[test]
    fn an_endless_answer_is_no_receipt() {
        let body = format!(r#"{{"code":200,"padding":"{}"}}"#, "x".repeat(MAX_RECEIPT_BYTES));
        assert!(matches!(
            read_receipt(200, body.as_bytes()),
            Delivery::Refused { .. }
        ));
    }
}
