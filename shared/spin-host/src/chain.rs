//! Calling another component of the application, inside the host (Spin's service chaining).

use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use serde_json::Value;
use spin_sdk::http::{FullBody, Method, send};
use spin_sdk::wasip3::http_compat::Request;

use super::body::{read_bounded, within};
use super::problem::describe;
use domain::error::{Error, Reason};

/// How long another component may take, in seconds.
const CHAIN_SECS: u64 = 30;
/// Largest answer of another component, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Posts to `path` of a component with its secret, and returns the answer.
///
/// # Errors
/// [`Reason::Unavailable`] when it does not answer in time, or not with a success.
pub async fn call_component(component: &str, path: &str, secret: &str) -> Result<Value, Error> {
    let time = Duration::from_secs(CHAIN_SECS);
    within(time, exchange(component, path, secret, time))
        .await
        .unwrap_or_else(|| Err(unavailable("no answer in time")))
}

async fn exchange(component: &str, path: &str, secret: &str, time: Duration) -> Result<Value, Error> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(format!("http://{component}.spin.internal{path}"))
        .header(AUTHORIZATION, format!("Bearer {secret}"))
        .header("content-length", 0)
        .body(FullBody::new(Bytes::new()))
        .map_err(unavailable)?;
    let response = send(request)
        .await
        .map_err(|problem| unavailable(describe(&problem)))?;
    let status = response.status().as_u16();
    let answer = read_bounded(response.into_body(), MAX_ANSWER_BYTES, time).await?;
    if status != 200 {
        return Err(unavailable(format!("{component} answered {status}")));
    }
    serde_json::from_slice(&answer).map_err(unavailable)
}

fn unavailable(cause: impl std::fmt::Display) -> Error {
    Error::new(Reason::Unavailable).with_cause(cause)
}
