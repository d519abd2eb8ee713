//! What is sent to receivers, and behind which guard.

use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::*;
use crate::extract::{Anyone, Call, Query};
use crate::outbound::{BLOCKED, Guard, post};
use crate::{Answer, Routes, Success, Variables, routes};
use operations::AttemptResult;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Where {
    url: String,
}

#[derive(Serialize, ToSchema)]
struct Outcome {
    error: Option<String>,
}

/// Posts to an address of the caller, and answers why it did not arrive.
#[utoipa::path(get, path = "/v1/post")]
async fn post_to(call: Call, _: Anyone, Query(to): Query<Where>) -> Answer<Outcome> {
    let guard = Guard::of(&call).await?;
    let posted = post(call.host(), guard, &to.url, &[], Vec::new()).await;
    let error = match posted.result {
        AttemptResult::Accepted { .. } => None,
        AttemptResult::Refused { error, .. } => Some(error),
    };
    Ok(Success::new(Outcome { error }))
}

/// Posts with an instance on this host.
fn posted(host: &TestHost, url: &str) -> Answered {
    let router = Routes::new().routes(routes!(post_to as "post"));
    let mut router = service(router, host.app());
    let url: String = url.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let target = format!("/v1/post?url={url}");
    let Ok(response) = block_on(router.call(Sent::get(&target).request()));
    answered(response, host.lines().pop())
}

#[test]
fn a_host_that_connects_to_special_purpose_networks_sends_nothing() {
    let host = TestHost::new();
    let refused = posted(&host, "https://receiver.example/x");
    assert_eq!((refused.status, refused.reason()), (503, "guard_missing"));
    assert_eq!(host.sent(), ["0.0.0.0"], "one address was tried");
    let line = refused.line.unwrap();
    assert!(line.contains("0.0.0.0: nobody is there"), "{line}");
}

#[test]
fn behind_the_guard_names_are_sent_to_and_addresses_of_special_networks_are_not() {
    let host = TestHost::new();
    host.block_networks();
    let sent = posted(&host, "https://receiver.example/x");
    assert_eq!(sent.body["error"], "nobody is there", "{}", sent.text);
    assert_eq!(host.sent().last().unwrap(), "receiver.example");
    for url in ["https://10.0.0.7/x", "http://[::1]/x", "https://db.internal/x"] {
        let tried = host.sent().len();
        let refused = posted(&host, url);
        assert_eq!(refused.body["error"], BLOCKED, "{url}");
        assert!(host.sent()[tried..].iter().all(|to| !url.contains(to)), "{url}");
    }
}

#[test]
fn a_test_environment_needs_no_guard() {
    let host = TestHost::configured(&Variables {
        callback_allow_http: Some("true".to_owned()),
        ..variables()
    });
    let sent = posted(&host, "http://127.0.0.1:8080/x");
    assert_eq!(sent.body["error"], "nobody is there");
    assert_eq!(host.sent(), ["127.0.0.1"]);
}
