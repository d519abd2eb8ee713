//! `/openapi.json` and `/docs`: the description of the operations, for programs and for people.
//!
//! Both are generated beforehand and are part of the component. No database, no variables, no secrets.

#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::response::Response;
use axum::routing::any;
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use miniz_oxide::inflate::decompress_to_vec_zlib;

/// A document: its path, its type and its text, as `build.rs` packed it.
struct Document {
    path: &'static str,
    media_type: &'static str,
    packed: &'static [u8],
}

const JSON: &str = "application/json; charset=utf-8";
static DOCUMENTS: [Document; 2] = [
    Document {
        path: "/openapi.json",
        media_type: JSON,
        packed: include_bytes!(concat!(env!("OUT_DIR"), "/openapi.json.zlib")),
    },
    Document {
        path: "/docs",
        media_type: "text/html; charset=utf-8",
        packed: include_bytes!(concat!(env!("OUT_DIR"), "/page.html.zlib")),
    },
];

/// Changes with every release. After [`CACHE`] a browser asks again and gets 304 if it has this release.
const ETAG: &str = concat!("\"", env!("CARGO_PKG_VERSION"), "\"");
const CACHE: &str = "public, max-age=300";
/// The page has its own style and loads nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'";
const NOT_FOUND: &str = "{\"code\":404,\"message\":\"接口不存在\",\"reason\":\"route_unknown\"}";
const NOT_ALLOWED: &str = "{\"code\":405,\"message\":\"请求方式不支持\",\"reason\":\"method_not_allowed\"}";
const BROKEN: &str = "{\"code\":500,\"message\":\"服务器内部错误\",\"reason\":\"internal\"}";

/// The routes of this component.
pub fn router() -> Router {
    let routes = DOCUMENTS.iter().fold(Router::new(), |router, document| {
        router.route(
            document.path,
            any(async move |method: Method, headers: HeaderMap| served(document, &method, &headers)),
        )
    });
    routes.fallback(async || answer(StatusCode::NOT_FOUND, JSON, NOT_FOUND))
}

fn served(document: &Document, method: &Method, headers: &HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        let mut refusal = answer(StatusCode::METHOD_NOT_ALLOWED, JSON, NOT_ALLOWED);
        refusal
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    let mut response = if is_known(headers) {
        answer(StatusCode::NOT_MODIFIED, document.media_type, "")
    } else if method == Method::HEAD {
        answer(StatusCode::OK, document.media_type, "")
    } else {
        match decompress_to_vec_zlib(document.packed) {
            Ok(text) => answer(StatusCode::OK, document.media_type, text),
            // Only a component that was changed after its build.
            Err(_) => return answer(StatusCode::INTERNAL_SERVER_ERROR, JSON, BROKEN),
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(ETAG));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHE));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}

/// Whether the caller has this version already.
fn is_known(headers: &HeaderMap) -> bool {
    let known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok());
    known.is_some_and(|known| {
        known
            .split(',')
            .any(|tag| tag.trim().trim_start_matches("W/") == ETAG)
    })
}

fn answer(status: StatusCode, media_type: &'static str, text: impl Into<Bytes>) -> Response {
    let text = text.into();
    let length = text.len();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
