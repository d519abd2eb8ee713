//! `/openapi.json` and `/docs` as a Spin component.

use axum::body::Body;
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use tower_service::Service as _;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    // Nothing here reads a body.
    router::router().call(request.map(|_| Body::empty())).await
}
