//! The identifier of a request.

use proptest::prelude::*;

use super::super::idle_app;
use super::*;
use crate::layers::RequestIds;

const REQUEST_ID_HEADER: &str = "x-request-id";

/// The identifiers that a request's answer and the layers inside get; and what the outer layers find.
fn identified(app: &App, request: Request) -> [String; 3] {
    let response = through(RequestIds(app.clone()), request, |request| {
        let mut response = empty();
        let RequestId(id) = request.extensions().get().cloned().unwrap();
        response.headers_mut().insert("inside", id.parse().unwrap());
        response
    });
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    let RequestId(outside) = response.extensions().get().unwrap();
    [header(REQUEST_ID_HEADER), header("inside"), outside.to_string()]
}

#[test]
fn a_request_without_an_identifier_gets_one_of_its_own() {
    let app = TestHost::new().app();
    let first = identified(&app, Sent::get("/").request());
    assert_eq!(first, ["ab"; 3].map(|byte| byte.repeat(16)));
    assert_ne!(identified(&app, Sent::get("/").request()), first);
}

#[test]
fn one_that_is_not_even_text_is_replaced() {
    let mut request = Sent::get("/").request();
    let value = http::HeaderValue::from_bytes(b"\xff").unwrap();
    request.headers_mut().insert(REQUEST_ID_HEADER, value);
    assert_eq!(identified(&TestHost::new().app(), request)[0], "ab".repeat(16));
}

proptest! {
    #[test]
    fn every_identifier_is_harmless_and_a_harmless_one_is_kept(given in "[ -~]{0,80}") {
        let is_harmless = (1..=64).contains(&given.len())
            && given.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        let sent = Sent::get("/").header("x-request-id", &given);
        let [id, inside, outside] = identified(&idle_app(), sent.request());
        prop_assert_eq!((&inside, &outside), (&id, &id));
        if is_harmless {
            prop_assert_eq!(id, given);
        } else {
            prop_assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{}", id);
        }
    }
}
