//! One attempt at one callback: a POST, bounded in time and in what is read back.

use std::time::Duration;

use bytes::Bytes;
use shared::operations::{Delivery, DueCallback};
use shared::spin::{read_bounded, within};
use shared::web::{MAX_RECEIPT_BYTES, mask_identifiers, read_receipt};
use spin_sdk::http::{FullBody, Method, send as exchange};
use spin_sdk::wasip3::http::types::ErrorCode;
use spin_sdk::wasip3::http_compat::Request;

/// How long one attempt may take, from connecting to the last byte of the answer, in seconds.
pub(crate) const CALLBACK_TIMEOUT_SECS: u64 = 10;

/// Longest description of a failure that is kept, in characters.
const MAX_ERROR_CHARS: usize = 200;

/// Sends a callback once.
pub(crate) async fn send(callback: &DueCallback) -> Delivery {
    let time = Duration::from_secs(CALLBACK_TIMEOUT_SECS);
    within(time, attempt(callback, time))
        .await
        .unwrap_or_else(|| no_answer("no answer in time"))
}

async fn attempt(callback: &DueCallback, time: Duration) -> Delivery {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(callback.url.as_str())
        .header("content-length", callback.body.len());
    for (name, value) in &callback.headers {
        request = request.header(*name, value);
    }
    let Ok(request) = request.body(FullBody::new(Bytes::copy_from_slice(&callback.body))) else {
        return no_answer("the address or a header cannot be sent");
    };
    let response = match exchange(request).await {
        Ok(response) => response,
        Err(problem) => return no_answer(&describe(&problem)),
    };
    let status = response.status().as_u16();
    match read_bounded(response.into_body(), MAX_RECEIPT_BYTES, time).await {
        Ok(body) => read_receipt(status, &body),
        Err(reason) => Delivery::Refused {
            status: Some(status),
            error: reason.code().to_owned(),
        },
    }
}

fn describe(problem: &ErrorCode) -> String {
    match problem {
        ErrorCode::HttpRequestDenied => {
            "the platform may not call this address: see allowed_outbound_hosts".to_owned()
        }
        ErrorCode::DestinationIpProhibited => "the address is in a blocked network".to_owned(),
        other => format!("{other:?}"),
    }
}

fn no_answer(why: &str) -> Delivery {
    let error = mask_identifiers(why).chars().take(MAX_ERROR_CHARS).collect();
    Delivery::Refused { status: None, error }
}
