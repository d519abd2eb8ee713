use axum::body::Body;
use futures::executor::block_on;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::router;

/// Largest document that is served, in bytes.
const MAX_DOCUMENT_BYTES: usize = 600_000;

fn send(method: &str, path: &str, headers: &[(&str, &str)]) -> Response<String> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    block_on(async {
        let (parts, body) = router().call(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Response::from_parts(parts, String::from_utf8(bytes.to_vec()).unwrap())
    })
}

#[test]
fn the_document_is_served_without_spaces_and_is_not_too_large() {
    let served = send("GET", "/openapi.json", &[]);
    assert_eq!(served.status(), 200);
    let text = served.body();
    assert!(text.len() <= MAX_DOCUMENT_BYTES, "{} bytes", text.len());
    assert!(text.starts_with('{') && !text.contains('\n'));
    assert_eq!(served.headers()["content-length"], text.len().to_string());
    assert_eq!(
        served.headers()["content-type"],
        "application/json; charset=utf-8"
    );
}

#[test]
fn a_browser_that_has_this_release_gets_nothing_again() {
    let page = send("GET", "/docs", &[]);
    let tag = page.headers()["etag"].to_str().unwrap();
    let again = send(
        "GET",
        "/docs",
        &[("if-none-match", &format!("\"other\", W/{tag}"))],
    );
    assert_eq!((again.status().as_u16(), again.body().as_str()), (304, ""));
    assert_eq!(
        send("GET", "/docs", &[("if-none-match", "\"other\"")]).status(),
        200
    );
}

#[test]
fn only_get_and_head_are_answered_and_no_other_path() {
    let head = send("HEAD", "/docs", &[]);
    assert_eq!((head.status().as_u16(), head.body().as_str()), (200, ""));
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let refused = send(method, "/docs", &[]);
        assert_eq!(
            (refused.status().as_u16(), &refused.headers()["allow"]),
            (405, &"GET, HEAD".parse().unwrap())
        );
        assert!(refused.body().contains("method_not_allowed"));
    }
    let nowhere = send("GET", "/docs/", &[]);
    assert_eq!(nowhere.status(), 404);
    assert!(nowhere.body().contains("route_unknown"));
}
