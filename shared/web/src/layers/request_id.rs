//! The identifier of a request: the caller's `x-request-id` if it is harmless, or else a random one. Every answer
//! carries it.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::{Inner, Middleware, Next, with_extension};
use crate::host::App;
use vault::random_bytes;

/// The header of the identifier, in both directions.
pub(crate) const REQUEST_ID_HEADER: &str = "x-request-id";
/// Longest identifier that is taken over from a caller, in characters.
pub(crate) const MAX_REQUEST_ID_CHARS: usize = 64;
/// Random bytes in an identifier that the platform makes.
const RANDOM_BYTES: usize = 16;

/// The identifier of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Gives every request its identifier.
#[derive(Clone)]
pub(crate) struct RequestIds(pub(crate) App);

impl Middleware for RequestIds {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let id = match given(request.headers()) {
            Some(id) => id.into(),
            None => hex::encode(random_bytes::<RANDOM_BYTES>(self.0.host().random())).into(),
        };
        let id = RequestId(id);
        let mut response = with_extension(request, next, id.clone()).await;
        if let Ok(value) = HeaderValue::from_str(&id.0) {
            response
                .headers_mut()
                .insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
        }
        response
    }
}

fn given(headers: &HeaderMap) -> Option<&str> {
    let id = headers.get(REQUEST_ID_HEADER)?.to_str().ok()?;
    let is_harmless = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let is_sound = (1..=MAX_REQUEST_ID_CHARS).contains(&id.len()) && id.bytes().all(is_harmless);
    is_sound.then_some(id)
}
