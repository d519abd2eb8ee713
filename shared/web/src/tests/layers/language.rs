//! The language of the caller.

use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use serde::Serialize;

use super::super::answered;
use super::*;
use crate::layers::CallerLanguage;
use crate::{CsvFile, Success};
use domain::error::{Error, Lang};

/// What a caller that accepts this language gets from `inside`.
fn heard(accepted: &str, inside: fn(Request) -> Response) -> super::super::Answered {
    let mut request = Sent::get("/").header("accept-language", accepted).request();
    request.extensions_mut().insert(id("r-1"));
    answered(through(CallerLanguage, request, inside), None)
}

#[derive(Serialize)]
struct Fields {
    b: u8,
    a: &'static str,
}

#[derive(Serialize)]
struct NoFields {}

fn lang(request: &Request) -> &'static str {
    match request.extensions().get() {
        Some(Lang::Zh) => "zh",
        Some(Lang::En) => "en",
        None => "none",
    }
}

#[test]
fn handlers_learn_the_language_too() {
    let inside = |request: Request| {
        Success::new(Fields {
            b: 1,
            a: lang(&request),
        })
        .into_response()
    };
    assert_eq!(heard("en-GB", inside).body["a"], "en");
    assert_eq!(heard("fr", inside).body["a"], "zh");
}

#[test]
fn a_success_is_written_with_its_fields_in_their_order() {
    let inside = |_| Success::new(Fields { b: 1, a: "x" }).into_response();
    assert_eq!(
        heard("en", inside).text,
        r#"{"code":200,"message":"success","b":1,"a":"x"}"#
    );
    assert_eq!(
        heard("zh", inside).text,
        r#"{"code":200,"message":"成功","b":1,"a":"x"}"#
    );
    let bare = heard("en", |_| Success::new(NoFields {}).into_response());
    assert_eq!(bare.text, r#"{"code":200,"message":"success"}"#);
}

#[test]
fn a_refusal_is_written_with_the_identifier_of_the_request() {
    let refused = |_| refusal(Error::new(Reason::PermissionMissing).with_detail("甲", "A"));
    let answer = heard("en", refused);
    assert_eq!((answer.status, &answer.body["code"]), (403, &403.into()));
    assert_eq!(answer.body["request_id"], "r-1");
    let english = answer.body["message"].as_str().unwrap();
    assert!(english.ends_with(": A") && english.is_ascii(), "{english}");
    let chinese = heard("zh", refused);
    assert!(chinese.body["message"].as_str().unwrap().ends_with("：甲"));
}

#[test]
fn a_wait_of_its_own_goes_before_the_usual_one() {
    let limited = heard("en", |_| refusal(Error::rate_limited(37, None)));
    assert_eq!(limited.headers["retry-after"], "37");
    let busy = heard("en", |_| refusal(Reason::Unavailable));
    assert_eq!(busy.headers["retry-after"], "2");
    let unknown = heard("en", |_| refusal(Reason::TokenInvalid));
    assert_eq!(unknown.headers["www-authenticate"], "Bearer");
    assert!(!unknown.headers.contains_key("retry-after"));
}

#[test]
fn a_file_keeps_its_text_and_gets_the_headers_of_every_answer() {
    let answer = heard("en", |_| {
        let (name, text) = ("a.csv".to_owned(), "省\r\n山东\r\n".to_owned());
        CsvFile { name, text }.into_response()
    });
    assert_eq!(answer.text, "省\r\n山东\r\n");
    assert_eq!(answer.headers[CONTENT_LENGTH], "13");
    assert_eq!(answer.headers[CONTENT_TYPE], "text/csv; charset=utf-8");
    assert_eq!(answer.headers[CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
}
