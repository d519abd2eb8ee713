//! `/internal/spreadsheets` as a Spin component.

use axum::body::Body;
use http_body_util::{BodyExt as _, Limited};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use tower_service::Service as _;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    // The host's own body cannot be sent between threads, as axum's has to be: it is taken whole.
    match Limited::new(body, router::MAX_TABLE_BYTES).collect().await {
        Ok(body) => {
            let request = Request::from_parts(parts, Body::from(body.to_bytes()));
            router::router().call(request).await
        }
        Err(_) => Ok(router::too_large()),
    }
}
