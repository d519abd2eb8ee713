//! The operator's log.

use super::*;
use crate::layers::OperatorLog;
use domain::error::Error;

/// The lines that the operator gets of an answer.
fn lines_of(inside: fn() -> Response) -> Vec<String> {
    let host = TestHost::new();
    let mut request = Sent::get("/").request();
    request.extensions_mut().insert(id("r-1"));
    through(OperatorLog(host.app()), request, move |_| inside());
    host.lines()
}

#[test]
fn a_failure_is_logged_with_the_operation_and_the_address_that_the_inner_layers_found() {
    let lines = lines_of(|| {
        let mut response = refusal(Error::internal("row of 89086030202200000022000000000090"));
        let extensions = response.extensions_mut();
        extensions.insert(Called(operation(Access::Anyone, Content::Json)));
        extensions.insert(CallerAddress(FROM));
        response
    });
    let expected = r#"{"level":"error","interface":"write.status","request_id":"r-1","from":"203.0.113.9","#
        .to_owned()
        + r#""code":500,"reason":"internal","cause":"row of 890860****0090"}"#;
    assert_eq!(lines, [expected]);
}

#[test]
fn a_failure_before_anything_was_found_is_logged_all_the_same() {
    let lines = lines_of(|| refusal(Reason::Unavailable));
    let expected = r#"{"level":"error","interface":"none","request_id":"r-1","from":null,"code":503,"#
        .to_owned()
        + r#""reason":"unavailable","cause":null}"#;
    assert_eq!(lines, [expected]);
}

#[test]
fn a_refusal_with_a_cause_is_a_warning_and_one_without_is_the_callers_business() {
    let warned = lines_of(|| refusal(Error::new(Reason::AddressUnknown).with_cause("no peer")));
    assert!(warned[0].starts_with(r#"{"level":"warn","#), "{warned:?}");
    assert_eq!(lines_of(|| refusal(Reason::ParameterMissing)), [""; 0]);
    assert_eq!(lines_of(empty), [""; 0]);
}
