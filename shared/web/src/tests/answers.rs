//! The form of answers in both languages, and what they never contain.

use super::super::exchange::MAX_REQUEST_ID_CHARS;
use super::super::interface::{TOKEN, WRITE_STATUS};
use super::super::{Refusal, Reply};
use super::{Answer, Sent, send};
use domain::error::{Error, Reason};

fn english(target: &str) -> Sent {
    Sent::get(target)
        .header("accept-language", "en")
        .header("x-request-id", "call-1")
}

fn chinese(target: &str) -> Sent {
    Sent::get(target).header("x-request-id", "call-1")
}

/// The answers in both languages, one below the other.
fn both(target: &str, answer: impl Fn(Sent) -> Answer) -> String {
    format!(
        "{}\n\n{}",
        answer(chinese(target)).pretty(),
        answer(english(target)).pretty()
    )
}

fn failing(sent: Sent, refusal: impl Into<Refusal>) -> Answer {
    send(&TOKEN, sent, async |_| Err(refusal.into()))
}

#[test]
fn a_success_has_code_message_and_the_fields_of_the_clause_in_their_order() {
    insta::assert_snapshot!(both("/v1/token", |sent| {
        send(&TOKEN, sent, async |_| {
            Ok(Reply::ok().with("token", "t").with("expire_time", 86_400))
        })
    }));
}

#[test]
fn a_mistake_is_explained_in_the_callers_language() {
    insta::assert_snapshot!(both("/v1/token?colour=red", |sent| {
        send(&TOKEN, sent, async |_| panic!("the handler must not be reached"))
    }));
}

#[test]
fn several_mistakes_are_all_listed() {
    insta::assert_snapshot!(both(
        "/v1/token?client_id=&client_secret=a&client_secret=b&colour=red",
        |sent| { send(&TOKEN, sent, async |_| panic!("the handler must not be reached")) }
    ));
}

#[test]
fn a_missing_token_is_explained() {
    insta::assert_snapshot!(both("/v1/write/status", |sent| {
        send(&WRITE_STATUS, sent, async |_| {
            panic!("the handler must not be reached")
        })
    }));
}

#[test]
fn a_failure_of_the_platform_says_nothing_of_its_cause() {
    let cause = "open /var/data/x.db: chip 89086030202200000022000000000090";
    let answer = |sent| failing(sent, Error::internal(cause));
    insta::assert_snapshot!(both("/v1/token", answer));
    let line = answer(chinese("/v1/token")).line.unwrap();
    assert!(
        line.contains("890860****0090") && !line.contains("89086030202200000022000000000090"),
        "{line}"
    );
    assert!(line.contains("\"request_id\":\"call-1\""));
}

#[test]
fn every_answer_carries_the_same_headers_and_its_exact_length() {
    for answer in [
        send(&TOKEN, chinese("/v1/token"), async |_| {
            Ok(Reply::ok().with("省", "山东"))
        }),
        failing(chinese("/v1/token"), Reason::UnknownChip),
        failing(chinese("/v1/token"), Reason::Internal),
    ] {
        assert_eq!(
            answer.headers["content-length"],
            answer.text.len().to_string().as_str()
        );
        assert_eq!(answer.headers["content-type"], "application/json; charset=utf-8");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["x-request-id"], "call-1");
    }
}

// §7.1.1
#[test]
fn the_status_equals_the_code_for_every_reason() {
    for reason in Reason::ALL {
        let answer = failing(chinese("/v1/token"), *reason);
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (reason.status(), &reason.status().into())
        );
        assert_eq!(answer.reason(), reason.code());
        assert!(!answer.body["remedy"].as_str().unwrap().is_empty());
    }
}

#[test]
fn who_should_come_back_later_is_told_when() {
    for reason in [Reason::Unavailable, Reason::RateLimited] {
        assert_eq!(failing(chinese("/v1/token"), reason).headers["retry-after"], "2");
    }
}

#[test]
fn an_identifier_of_a_request_is_taken_over_only_if_it_is_harmless() {
    let id = |given: Option<&str>| {
        let sent = Sent::get("/v1/token");
        let sent = given
            .into_iter()
            .fold(sent, |sent, id| sent.header("x-request-id", id));
        let answer = send(&TOKEN, sent, async |_| Ok(Reply::ok()));
        answer.headers["x-request-id"].to_str().unwrap().to_owned()
    };
    let longest = "a".repeat(MAX_REQUEST_ID_CHARS);
    for harmless in [
        "7",
        "0190a5b0-0000-7000-8000-000000000001",
        "a.b_c-D",
        longest.as_str(),
    ] {
        assert_eq!(id(Some(harmless)), harmless);
    }
    let too_long = "a".repeat(MAX_REQUEST_ID_CHARS + 1);
    for other in [
        None,
        Some(""),
        Some("a b"),
        Some("<x>"),
        Some("\"}"),
        Some(too_long.as_str()),
    ] {
        assert_eq!(id(other), "ab".repeat(16), "{other:?}");
    }
}
