//! Sends one message to a receiver.

use std::time::Duration;

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Method, Request};

use super::guard::{BLOCKED, Guard};
use crate::host::Host;
use crate::receipt::{MAX_RECEIPT_BYTES, read_receipt, unread_receipt};
use operations::AttemptResult;

/// How long one attempt may take, from connecting to the last byte of the answer, in seconds.
pub const POST_SECS: u64 = 10;

/// The result of a POST.
pub struct Posted {
    /// The result of the attempt.
    pub result: AttemptResult,
    /// The answer's body, as far as it was read.
    pub answer: Vec<u8>,
}

/// Sends a message once, unless its address leads into a special-purpose network.
pub async fn post(
    host: &dyn Host,
    guard: Guard,
    url: &str,
    headers: &[(&'static str, String)],
    body: Vec<u8>,
) -> Posted {
    if !guard.permits(url) {
        return no_answer(BLOCKED);
    }
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header("content-length", body.len());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let Ok(request) = request.body(Bytes::from(body)) else {
        return no_answer("the address or a header cannot be sent");
    };
    let time = Duration::from_secs(POST_SECS);
    let received = match host.send(request, MAX_RECEIPT_BYTES, time).await {
        Ok(received) => received,
        Err(problem) => return no_answer(problem),
    };
    // Status and headers count even if the body fails: 410 and Retry-After are in them.
    let status = received.status;
    let retry_after = received.headers.get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    match received.body {
        Ok(answer) => Posted {
            result: read_receipt(status, retry_after, &answer, host.now()),
            answer,
        },
        Err(reason) => Posted {
            result: unread_receipt(status, retry_after, reason.code(), host.now()),
            answer: Vec::new(),
        },
    }
}

fn no_answer(why: &str) -> Posted {
    Posted {
        result: AttemptResult::Refused {
            status: None,
            error: why.to_owned(),
            retry_after_secs: None,
        },
        answer: Vec::new(),
    }
}
