//! Answers every request with the same few bytes: the cost of the host without any work of a component.

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use spin_sdk::http::{FullBody, IntoResponse, Request, Response};
use spin_sdk::http_service;

const BODY: &str = "{\"code\":200,\"message\":\"hello\"}";

#[http_service]
async fn handle(_request: Request) -> impl IntoResponse {
    let mut response = Response::new(FullBody::new(Bytes::from_static(BODY.as_bytes())));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(BODY.len()));
    response
}
