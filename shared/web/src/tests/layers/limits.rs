//! Limits of the query and of the body, and what was decoded within them.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, StreamExt as _};
use http::Method;
use proptest::prelude::*;
use send_wrapper::SendWrapper;

use super::super::idle_app;
use super::*;
use crate::layers::{Document, Limits};
use crate::{MAX_PAIRS, MAX_QUERY_BYTES};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The longest time for a body, in seconds.
const PATIENCE_SECS: u64 = 20;

/// The document and the parameters that come through.
fn read(app: &App, content: Content, sent: Sent) -> Result<(Bytes, Vec<Pair>), Reason> {
    let layer = Limits(operation(Access::Anyone, content));
    let response = through(layer, arrived(app, sent), |mut request| {
        let document: Document = request.extensions_mut().remove().unwrap();
        let mut response = empty();
        response.extensions_mut().insert(document);
        let Pairs(inside) = request.extensions().get().unwrap();
        response.extensions_mut().insert(Arc::clone(inside));
        response
    });
    let extensions = response.extensions();
    if let Some(reason) = reason(&response) {
        return Err(reason);
    }
    let (Document(bytes), Pairs(outside)) = (extensions.get().unwrap(), extensions.get().unwrap());
    let inside: &Arc<Vec<Pair>> = extensions.get().unwrap();
    assert_eq!(inside, outside);
    Ok((bytes.clone(), outside.to_vec()))
}

fn parameters(sent: Sent) -> Result<Vec<Pair>, Reason> {
    let (document, pairs) = read(&idle_app(), Content::Parameters, sent)?;
    assert!(document.is_empty(), "parameters are no document");
    Ok(pairs)
}

fn owned(expected: &[(&str, &str)]) -> Vec<Pair> {
    pairs(expected).0.to_vec()
}

#[test]
fn parameters_come_from_the_query_and_then_from_the_body() {
    let expected = owned(&[("a", "1"), ("b", "2"), ("a", "3")]);
    for sent in [
        Sent::get("/?a=1&b=2&a=3"),
        Sent::post("/?a=1", FORM, "b=2&a=3"),
        Sent::post("/?a=1", JSON, r#"{"b":"2","a":3}"#),
    ] {
        assert_eq!(parameters(sent), Ok(expected.clone()));
    }
}

#[test]
fn a_body_that_is_a_document_is_not_looked_at() {
    for (content, media_type) in [
        (Content::Json, JSON),
        (Content::Table, "text/csv"),
        (Content::Ndjson, "application/x-ndjson"),
        (Content::Ndjson, "application/jsonl"),
    ] {
        let host = TestHost::new();
        let (document, pairs) = read(&host.app(), content, Sent::post("/?a=1", media_type, "{%")).unwrap();
        assert_eq!((&*document, pairs), (b"{%".as_slice(), owned(&[("a", "1")])));
        let other = Sent::post("/", "text/plain", "{%");
        assert_eq!(
            read(&host.app(), content, other),
            Err(Reason::MediaTypeUnsupported)
        );
        let (none, _) = read(&host.app(), content, Sent::post("/", "text/plain", "")).unwrap();
        assert!(none.is_empty());
    }
}

#[test]
fn a_byte_order_mark_in_front_of_a_body_is_no_part_of_it() {
    for (content, media_type) in [
        (Content::Json, JSON),
        (Content::Table, "text/csv"),
        (Content::Ndjson, "application/x-ndjson"),
    ] {
        let sent = |body: &str| Sent::post("/", media_type, body.to_owned());
        assert_eq!(read(&idle_app(), content, sent("\u{feff}a")).unwrap().0, "a");
        assert!(read(&idle_app(), content, sent("\u{feff}")).unwrap().0.is_empty());
    }
    assert_eq!(
        parameters(Sent::post("/", FORM, "\u{feff}a=1")),
        Ok(owned(&[("a", "1")]))
    );
}

#[test]
fn a_query_and_a_body_may_be_as_long_as_their_limit_and_no_longer() {
    let query = |bytes: usize| Sent::get(&format!("/?a={}", "x".repeat(bytes - 2)));
    assert_eq!(parameters(query(MAX_QUERY_BYTES)).unwrap().len(), 1);
    assert_eq!(parameters(query(MAX_QUERY_BYTES + 1)), Err(Reason::QueryTooLong));
    let host = TestHost::new();
    for (content, media_type) in [(Content::Json, JSON), (Content::Table, "text/csv")] {
        let body = |bytes| Sent::post("/", media_type, vec![b'x'; bytes]);
        let limit = content.max_bytes();
        assert_eq!(read(&host.app(), content, body(limit)).unwrap().0.len(), limit);
        let over = read(&host.app(), content, body(limit + 1));
        assert_eq!(over, Err(Reason::BodyTooLarge));
    }
}

#[test]
fn reading_stops_as_soon_as_the_limit_is_passed() {
    let sent = Rc::new(Cell::new(0));
    let counted = SendWrapper::new(Rc::clone(&sent));
    let endless = stream::repeat_with(move || {
        counted.set(counted.get() + 1_000);
        Ok::<_, io::Error>(Bytes::from_static(&[b'x'; 1_000]))
    });
    let request = Sent::post("/", JSON, Body::from_stream(endless));
    let refused = read(&idle_app(), Content::Json, request);
    assert_eq!(refused, Err(Reason::BodyTooLarge));
    assert!(sent.get() <= Content::Json.max_bytes() + 1_000, "{}", sent.get());
}

#[test]
fn a_body_that_never_ends_is_waited_for_for_a_while() {
    let host = TestHost::new();
    let begun = stream::once(async { Ok::<_, io::Error>(Bytes::from_static(b"{")) });
    let body = Body::from_stream(begun.chain(stream::pending()));
    let refused = read(&host.app(), Content::Json, Sent::post("/", JSON, body));
    assert_eq!(refused, Err(Reason::BodyTooSlow));
    assert_eq!(host.waits(), [Duration::from_secs(PATIENCE_SECS)]);
}

#[test]
fn a_body_that_breaks_off_is_refused_even_if_what_came_is_sound() {
    let reset = io::Error::from(io::ErrorKind::ConnectionReset);
    let body = Body::from_stream(stream::iter([Ok(Bytes::from_static(b"{}")), Err(reset)]));
    let refused = read(&idle_app(), Content::Json, Sent::post("/", JSON, body));
    assert_eq!(refused, Err(Reason::BodyBroken));
}

#[test]
fn a_get_announces_a_body_or_has_none() {
    let host = TestHost::new();
    let unread = || {
        Body::from_stream(stream::poll_fn(|_| -> Poll<Option<io::Result<Bytes>>> {
            panic!("read")
        }))
    };
    let sent = Sent::post("/?a=1", FORM, unread()).method(Method::GET);
    let (_, pairs) = read(&host.app(), Content::Parameters, sent).unwrap();
    assert_eq!((pairs, host.waits()), (owned(&[("a", "1")]), Vec::new()));
    for (header, value) in [("content-length", "3"), ("transfer-encoding", "chunked")] {
        let sent = Sent::post("/", FORM, "a=1")
            .method(Method::GET)
            .header(header, value);
        assert_eq!(parameters(sent), Err(Reason::BodyUnexpected), "{header}");
    }
}

#[test]
fn the_query_is_looked_at_before_the_body() {
    let broken = || Body::from_stream(stream::iter([Err::<Bytes, _>(io::Error::other("broken"))]));
    for (target, expected) in [
        (
            format!("/?{}", "x".repeat(MAX_QUERY_BYTES + 1)),
            Reason::QueryTooLong,
        ),
        ("/?a=%".to_owned(), Reason::BadPercentEncoding),
        ("/?a=1".to_owned(), Reason::BodyBroken),
    ] {
        assert_eq!(parameters(Sent::post(&target, FORM, broken())), Err(expected));
    }
}

proptest! {
    #[test]
    fn any_pairs_arrive_as_they_were_sent_however_they_are_sent(
        sent in prop::collection::vec(("\\PC{1,4}", "\\PC{0,4}"), 0..MAX_PAIRS),
    ) {
        let escaped = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
        let form: Vec<String> = sent.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value))).collect();
        let form = form.join("&");
        let quoted = |text: &String| serde_json::to_string(text).unwrap();
        let json: Vec<String> = sent.iter().map(|(name, value)| format!("{}:{}", quoted(name), quoted(value))).collect();
        let json = format!("{{{}}}", json.join(","));
        // What has no value is absent.
        let valued: Vec<Pair> = sent.into_iter().filter(|(_, value)| !value.trim().is_empty()).collect();
        for request in [
            Sent::get(&format!("/?{form}")),
            Sent::post("/", FORM, form.clone()),
            Sent::post("/", JSON, json),
        ] {
            prop_assert_eq!(parameters(request), Ok(valued.clone()));
        }
    }
}
