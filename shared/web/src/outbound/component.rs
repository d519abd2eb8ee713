//! Calls another component of the application, inside the host (Spin's service chaining).

use std::time::Duration;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use http::request::Builder;
use http::{Method, Request};
use serde::de::DeserializeOwned;

use crate::host::Host;
use domain::error::{Error, Reason};

/// How long another component may take.
pub(super) const CALL_TIME: Duration = Duration::from_secs(30);
/// Largest answer of another component, in bytes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Posts to `path` of a component with its secret, and returns the answer.
///
/// # Errors
/// [`Reason::Unavailable`] when it does not answer in time, or not with a success.
pub async fn call_component<T: DeserializeOwned>(
    host: &dyn Host,
    component: &str,
    path: &str,
    secret: &str,
) -> Result<T, Error> {
    let request = request(component, path)
        .header(AUTHORIZATION, format!("Bearer {secret}"))
        .header(CONTENT_LENGTH, 0)
        .body(Bytes::new())
        .map_err(unavailable)?;
    let received = host.send(request, MAX_ANSWER_BYTES, CALL_TIME).await;
    let received = received.map_err(unavailable)?;
    let body = received.body?;
    if received.status != 200 {
        return Err(unavailable(format!("{component} answered {}", received.status)));
    }
    serde_json::from_slice(&body).map_err(unavailable)
}

/// A POST to `path` of a component.
pub(super) fn request(component: &str, path: &str) -> Builder {
    Request::builder()
        .method(Method::POST)
        .uri(format!("http://{component}.spin.internal{path}"))
}

pub(super) fn unavailable(cause: impl std::fmt::Display) -> Error {
    Error::new(Reason::Unavailable).with_cause(cause)
}
