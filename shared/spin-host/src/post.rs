//! Sends one POST to a receiver, with limits of time and of the answer's size. Follows no redirect.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use spin_sdk::http::{FullBody, Method, send as exchange};
use spin_sdk::wasip3::http_compat::Request;

use super::body::{read_bounded, within};
use super::clock::now;
use super::problem::describe;
use operations::AttemptResult;
use web::{MAX_RECEIPT_BYTES, read_receipt, unread_receipt};

/// How long one attempt may take, from connecting to the last byte of the answer, in seconds.
pub const POST_SECS: u64 = 10;

/// The result of a POST.
pub struct Posted {
    /// The result of the attempt.
    pub result: AttemptResult,
    /// The answer's body, as far as it was read.
    pub answer: Vec<u8>,
}

/// Sends a message once.
pub async fn post(url: &str, headers: &[(&'static str, String)], body: Vec<u8>) -> Posted {
    let (started, time) = (Instant::now(), Duration::from_secs(POST_SECS));
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(url)
        .header("content-length", body.len());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let Ok(request) = request.body(FullBody::new(Bytes::from(body))) else {
        return no_answer("the address or a header cannot be sent");
    };
    let response = match within(time, exchange(request)).await {
        Some(Ok(response)) => response,
        Some(Err(problem)) => return no_answer(describe(&problem)),
        None => return no_answer("no answer in time"),
    };
    // Status and headers count even if the body fails: 410 and Retry-After are in them.
    let status = response.status().as_u16();
    let retry_after = response.headers().get(RETRY_AFTER).cloned();
    let retry_after = retry_after.as_ref().and_then(|value| value.to_str().ok());
    let left = time.saturating_sub(started.elapsed());
    match read_bounded(response.into_body(), MAX_RECEIPT_BYTES, left).await {
        Ok(answer) => Posted {
            result: read_receipt(status, retry_after, &answer, now()),
            answer,
        },
        Err(reason) => Posted {
            result: unread_receipt(status, retry_after, reason.code(), now()),
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
