//! The form of answers in both languages, and what they never contain.

use http::Method;

use super::handlers::CAUSE;
use super::{Answered, Sent, TestHost, send, send_to};
use domain::error::Reason;

/// Longest identifier of a request that is taken over, in characters.
const MAX_REQUEST_ID_CHARS: usize = 64;

fn chinese(target: &str) -> Sent {
    Sent::get(target).header("x-request-id", "call-1")
}

fn english(target: &str) -> Sent {
    chinese(target).header("accept-language", "en")
}

/// The answers in both languages, one below the other.
fn both(target: &str) -> String {
    let [chinese, english] = [chinese(target), english(target)].map(|sent| send(sent).pretty());
    format!("{chinese}\n\n{english}")
}

fn refused(reason: Reason) -> Answered {
    send(chinese(&format!("/v1/refusal?reason={}", reason.code())))
}

#[test]
fn a_success_has_code_message_and_the_fields_of_the_clause_in_their_order() {
    insta::assert_snapshot!(both("/v1/success"));
}

#[test]
fn a_mistake_is_explained_in_the_callers_language() {
    insta::assert_snapshot!(both("/v1/token?client_id=a&client_secret=b&colour=red"));
}

#[test]
fn several_mistakes_are_all_listed() {
    insta::assert_snapshot!(both(
        "/v1/token?client_id=&client_secret=a&client_secret=b&colour=red"
    ));
}

#[test]
fn a_missing_token_is_explained() {
    insta::assert_snapshot!(both("/v1/write/status"));
}

#[test]
fn a_failure_of_the_platform_says_nothing_of_its_cause() {
    insta::assert_snapshot!(both("/v1/failure"));
    let line = send(chinese("/v1/failure")).line.unwrap();
    assert!(line.contains("890860****0090") && !line.contains(CAUSE), "{line}");
    assert!(line.contains("\"request_id\":\"call-1\""));
}

#[test]
fn a_platform_that_cannot_work_says_so_to_the_caller_and_why_to_the_operator() {
    let unconfigured = TestHost::new();
    unconfigured.lose_settings();
    let answer = send_to(&unconfigured, chinese("/v1/from"));
    assert_eq!((answer.status, answer.reason()), (500, "internal"));
    let line = answer.line.unwrap();
    assert!(line.contains("time_zone") && line.contains("call-1"), "{line}");
    let unreachable = TestHost::new();
    unreachable.lose_database();
    let answer = send_to(&unreachable, chinese("/v1/from"));
    assert_eq!((answer.status, answer.reason()), (503, "unavailable"));
    assert_eq!(answer.headers["retry-after"], "2");
    let line = answer.line.unwrap();
    assert!(
        line.contains("\"interface\":\"from\"") && line.contains("the database is gone"),
        "{line}"
    );
}

#[test]
fn every_answer_carries_the_same_headers_and_its_exact_length() {
    for answer in [
        send(chinese("/v1/token?client_id=%E5%B1%B1%E4%B8%9C&client_secret=b")),
        refused(Reason::UnknownChip),
        refused(Reason::Internal),
        send(chinese("/nowhere")),
        send(chinese("/v1/token").method(Method::PUT)),
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

#[test]
fn a_file_is_saved_under_its_name_and_has_its_length() {
    let answer = send(chinese("/v1/file"));
    assert_eq!(
        (answer.status, answer.text.as_str()),
        (200, "code,name\r\nstuck_writing,写卡中\r\n")
    );
    for (name, value) in [
        ("content-type", "text/csv; charset=utf-8"),
        ("content-length", &answer.text.len().to_string()),
        (
            "content-disposition",
            "attachment; filename=\"incidents-2026-07.csv\"",
        ),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
        ("x-request-id", "call-1"),
    ] {
        assert_eq!(answer.headers[name], value, "{name}");
    }
}

// §7.1.1
#[test]
fn the_status_equals_the_code_for_every_reason() {
    for reason in Reason::ALL {
        let answer = refused(*reason);
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
        assert_eq!(refused(reason).headers["retry-after"], "2");
    }
}

#[test]
fn an_identifier_of_a_request_is_taken_over_only_if_it_is_harmless() {
    let id = |given: Option<&str>| {
        let sent = Sent::get("/v1/success");
        let sent = given
            .into_iter()
            .fold(sent, |sent, id| sent.header("x-request-id", id));
        send(sent).headers["x-request-id"].to_str().unwrap().to_owned()
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
