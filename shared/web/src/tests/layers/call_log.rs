//! The call log, and the refused calls of unknown callers.

use super::*;
use crate::Success;
use crate::layers::{Admitted, CallLog};
use crate::operation::Role;
use domain::{ClientId, Eid, HOUR_MS, TaskId, Timestamp};
use operations::{CallFilter, LOGGED_REFUSALS_PER_MINUTE, REFUSALS_PER_MINUTE, count_refusal, verify_token};
use store::call_log::{CallRow, RefusedCaller};

const EID: &str = "89086030202200000000000000000123";
const TASK: &str = "0190a5b0-0000-7000-8000-000000000001";

/// What the inner layers found of a call.
#[derive(Clone)]
struct Found {
    access: Access,
    path: &'static str,
    from: Option<IpAddr>,
    client: Option<Client>,
    is_admitted: bool,
    token: Option<String>,
    parameters: Vec<(&'static str, String)>,
}

impl Found {
    fn by(access: Access) -> Self {
        Self {
            access,
            path: "/v1/write/status",
            from: Some(FROM),
            client: None,
            is_admitted: false,
            token: None,
            parameters: Vec::new(),
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name, value.into()));
        self
    }

    /// Puts everything on the answer.
    fn on(&self, mut response: Response) -> Response {
        let extensions = response.extensions_mut();
        let mut called = Operation::clone(&operation(self.access, Content::Parameters));
        called.path = self.path.to_owned();
        extensions.insert(Called(Arc::new(called)));
        if let Some(from) = self.from {
            extensions.insert(CallerAddress(from));
        }
        if let Some(client) = &self.client {
            extensions.insert(client.clone());
        }
        if self.is_admitted {
            extensions.insert(Admitted);
        }
        let sent: Vec<(&str, &str)> = self.parameters.iter().map(|(n, v)| (*n, v.as_str())).collect();
        extensions.insert(pairs(&sent));
        response
    }
}

/// The answer to a call of which this was found.
fn ended(host: &TestHost, found: &Found, inside: fn() -> Response) -> Response {
    let app = host.app();
    let mut request = arrived(&app, Sent::get("/"));
    request.extensions_mut().insert(id("r-1"));
    let found = found.clone();
    if let Some(token) = &found.token {
        let arrival: &Arrival = request.extensions().get().unwrap();
        let connections = block_on(arrival.connect()).unwrap();
        // Whether it is right is another layer's concern.
        let _ = block_on(verify_token(&arrival.context(&connections), token, FROM));
    }
    through(CallLog(app), request, move |_| found.on(inside()))
}

/// The only row that a call leaves.
fn row(host: &TestHost, found: &Found, inside: fn() -> Response) -> CallRow {
    ended(host, found, inside);
    let mut calls = host.calls();
    assert_eq!(calls.len(), 1);
    calls.remove(0)
}

fn wrong_token() -> Response {
    refusal(Reason::TokenInvalid)
}

/// Uses up what an unknown caller may be refused in a minute.
fn refuse_often(host: &TestHost) {
    refuse(host, REFUSALS_PER_MINUTE);
}

/// Counts refusals of an unknown caller.
fn refuse(host: &TestHost, times: u32) {
    let caller = RefusedCaller::Address(FROM.to_string());
    for _ in 0..times {
        count_refusal(&host.context(), &caller);
    }
}

// §9.2.2
#[test]
fn a_call_leaves_one_row_with_everything_that_was_found() {
    let host = TestHost::new();
    let (client, token) = host.add_client(&["write.status"]);
    let found = Found {
        token: Some(token),
        ..Found::by(Access::Client(domain::Permission::WriteStatus))
    };
    let found = found.with("eid", EID).with("task_id", TASK).with("token", "t");
    let row = row(&host, &found, || refusal(Reason::WrongState));
    assert_eq!(row.at(), NOW);
    assert_eq!(row.client_id.as_deref(), Some(client.as_str()));
    assert_eq!(row.secret_generation, Some(1));
    assert_eq!(row.interface, "write.status");
    assert_eq!(
        (row.code, row.reason.as_deref()),
        (Reason::WrongState.status().into(), Some("wrong_state"))
    );
    assert_eq!(row.address.as_deref(), Some("203.0.113.9"));
    assert_eq!(row.request_id, "r-1");
    assert_eq!(row.task_id.as_deref(), Some(TASK));
    assert_eq!(row.subject.as_deref(), Some("eid=890860****0123"));
    let about = CallFilter {
        eid: Some(Eid::parse(EID).unwrap()),
        ..CallFilter::default()
    };
    assert_eq!(host.calls_that(&about).len(), 1);
}

// §9.2.2
#[test]
fn a_call_whose_token_was_refused_names_the_client_whose_token_it_is() {
    let host = TestHost::new();
    let (client, token) = host.add_client(&["write.status"]);
    let access = Access::Client(domain::Permission::WriteStatus);
    let of = |token: &str| {
        let found = Found {
            token: Some(token.to_owned()),
            ..Found::by(access)
        };
        ended(&host, &found, || refusal(Reason::IpNotAllowed));
        let row = host.calls().remove(0);
        (row.client_id, row.secret_generation)
    };
    // Over before anything else is looked at.
    host.set_time(NOW.plus(24 * HOUR_MS));
    let known = (Some(client.as_str().to_owned()), Some(1));
    assert_eq!(of(&token), known);
    host.set_time(NOW.plus(24 * HOUR_MS + 1));
    // A forged one says nothing about who sent it.
    assert_eq!(of(&format!("{}x", &token[..token.len() - 1])), (None, None));
}

#[test]
fn a_success_is_logged_with_the_task_of_its_answer() {
    let found = Found::by(Access::Anyone).with("task_id", TASK);
    let row = row(&TestHost::new(), &found, || {
        let made = TaskId::new(Timestamp(0), [7; 10]);
        Success::new(()).about(made).into_response()
    });
    let made = TaskId::new(Timestamp(0), [7; 10]).text();
    assert_eq!((row.code, row.reason), (200, None));
    assert_eq!(row.task_id, Some(made));
}

#[test]
fn no_text_that_a_caller_sent_is_stored_as_it_came() {
    let found = Found::by(Access::Anyone)
        .with("client_id", "89086030202200000000000000000123")
        .with("task_id", "89086030202200000000000000000123")
        .with("eid", "9".repeat(65))
        .with("msisdn", "1440100000001");
    let row = row(&TestHost::new(), &found, empty);
    assert_eq!((row.client_id, row.task_id), (None, None));
    // An endless text is not looked at.
    let subject = row.subject.unwrap();
    assert!(
        subject.starts_with("msisdn=") && !subject.contains("1440100000001"),
        "{subject}"
    );
}

#[test]
fn the_parameter_client_id_is_the_caller_only_where_it_presents_its_credentials() {
    let client = ClientId::new([7; 10]);
    for (access, expected) in [
        (Access::Anyone, Some(client.as_str().to_owned())),
        (Access::Staff(domain::Right::ClientsUpdate), None),
    ] {
        let found = Found::by(access).with("client_id", client.as_str());
        let row = row(&TestHost::new(), &found, || {
            refusal(Reason::ClientUnknownOrSecretWrong)
        });
        assert_eq!(row.client_id, expected, "{access:?}");
    }
}

#[test]
fn of_the_frequent_calls_of_gateways_and_timers_only_the_refused_ones_are_logged() {
    let found = Found {
        path: "/internal/cron",
        ..Found::by(Access::Secret(Role::Timer))
    };
    let host = TestHost::new();
    ended(&host, &found, empty);
    assert_eq!(host.calls(), []);
    assert_eq!(row(&host, &found, || refusal(Reason::Internal)).code, 500);
}

#[test]
fn what_is_called_by_a_path_that_does_not_exist_is_logged_without_it() {
    let host = TestHost::new();
    let mut request = arrived(&host.app(), Sent::get("/etc/passwd"));
    request.extensions_mut().insert(id("r-1"));
    through(CallLog(host.app()), request, |_| refusal(Reason::RouteUnknown));
    let row = host.calls().remove(0);
    assert_eq!((row.interface.as_str(), row.code), ("none", 404));
    assert_eq!((row.address, row.subject), (None, None));
}

// §7.1.2
#[test]
fn an_unknown_caller_that_is_refused_too_often_has_to_wait_and_leaves_one_more_row() {
    let host = TestHost::new();
    let found = Found::by(Access::Client(domain::Permission::WriteStatus));
    refuse(&host, REFUSALS_PER_MINUTE - 1);
    assert_eq!(
        reason(&ended(&host, &found, wrong_token)),
        Some(Reason::TokenInvalid)
    );
    let response = ended(&host, &found, wrong_token);
    assert_eq!(
        (response.status(), reason(&response)),
        (http::StatusCode::TOO_MANY_REQUESTS, Some(Reason::RateLimited))
    );
    let calls = host.calls();
    assert_eq!(calls.len(), 1);
    let summary = calls[0].summary.as_ref().unwrap();
    assert_eq!((summary.calls, summary.first, summary.last), (2, NOW, NOW));
    assert_eq!(summary.reasons, ["token_invalid"]);
    assert_eq!(calls[0].address.as_deref(), Some("203.0.113.9"));
    // The operator's log still learns what was called from where.
    let Called(called) = response.extensions().get().unwrap();
    assert_eq!(called.name, "write.status");
    assert_eq!(response.extensions().get(), Some(&CallerAddress(FROM)));
    // Others are not affected, and neither are successes.
    let other = Found {
        from: Some([203, 0, 113, 10].into()),
        ..found.clone()
    };
    assert_eq!(
        reason(&ended(&host, &other, wrong_token)),
        Some(Reason::TokenInvalid)
    );
    assert_eq!(reason(&ended(&host, &found, empty)), None);
}

// §9.2.2
#[test]
fn beyond_a_few_a_minute_refused_calls_of_an_address_share_a_row() {
    let host = TestHost::new();
    let found = Found::by(Access::Client(domain::Permission::WriteStatus));
    let few = LOGGED_REFUSALS_PER_MINUTE as usize;
    for n in 0..few + 3 {
        host.set_time(NOW.plus(10 * i64::try_from(n * n).unwrap()));
        let inside = [wrong_token, || refusal(Reason::TokenMissing)][n % 2];
        ended(&host, &found, inside);
    }
    host.set_time(NOW.plus(HOUR_MS));
    ended(&host, &found, wrong_token);
    let calls = host.calls_that(&CallFilter {
        to: Some(NOW.plus(2 * HOUR_MS)),
        ..CallFilter::default()
    });
    let sums: Vec<_> = calls.iter().filter_map(|call| call.summary.as_ref()).collect();
    assert_eq!((calls.len(), sums.len()), (few + 2, 1));
    let sum = sums[0];
    let at = |n: i64| NOW.plus(10 * n * n);
    assert_eq!((sum.calls, sum.first, sum.last), (3, at(20), at(22)));
    assert_eq!(sum.gap_ms, Some(at(21).millis() - at(20).millis()));
    assert_eq!(sum.reasons.len(), 2);
    let missing = CallFilter {
        reason: Some("token_missing"),
        to: Some(NOW.plus(2 * HOUR_MS)),
        ..CallFilter::default()
    };
    assert_eq!(host.calls_that(&missing).len(), few / 2 + 1);
}

#[test]
fn of_many_addresses_in_a_minute_a_hundred_have_a_row_and_the_others_share_one() {
    let host = TestHost::new();
    let found = |n: u8| Found {
        from: Some([198, 51, 100, n].into()),
        ..Found::by(Access::Client(domain::Permission::WriteStatus))
    };
    for n in 0..110 {
        let caller = RefusedCaller::Address(format!("198.51.100.{n}"));
        for _ in 0..LOGGED_REFUSALS_PER_MINUTE {
            count_refusal(&host.context(), &caller);
        }
        ended(&host, &found(n), wrong_token);
    }
    let calls = host.calls_that(&CallFilter {
        interface: Some("summary"),
        ..CallFilter::default()
    });
    // A page has a hundred rows.
    assert_eq!(calls.len(), 100);
    let shared: Vec<_> = calls.iter().filter(|call| call.address.is_none()).collect();
    assert_eq!(shared.len(), 1);
    assert_eq!(shared[0].summary.as_ref().unwrap().calls, 10);
}

#[test]
fn only_mistakes_of_unknown_callers_count() {
    let host = TestHost::new();
    let verified = host.add_verified(&["write.status"]);
    refuse_often(&host);
    let public = Found::by(Access::Client(domain::Permission::WriteStatus));
    let internal = Found::by(Access::Staff(domain::Right::ClientsUpdate));
    let known = Found {
        client: Some(Client(Arc::new(verified))),
        ..public.clone()
    };
    let nowhere = Found {
        from: None,
        ..public.clone()
    };
    let missing = || refusal(Reason::ParameterMissing);
    let failure = || refusal(Reason::Internal);
    let no_permission = || refusal(Reason::PermissionMissing);
    let wrong_secret = || refusal(Reason::CredentialWrong);
    let expected = |found: &Found, inside: fn() -> Response, is_limited: bool| {
        let got = reason(&ended(&host, found, inside));
        assert_eq!(got == Some(Reason::RateLimited), is_limited, "{got:?}");
    };
    expected(&public, missing, true);
    expected(&internal, wrong_secret, true);
    expected(&public, failure, false);
    expected(&known, missing, false);
    // The rate limit of a client begins after its permission.
    expected(&known, no_permission, true);
    expected(&internal, missing, true);
    expected(&nowhere, missing, false);
    let admitted = Found {
        is_admitted: true,
        ..internal
    };
    expected(&admitted, missing, false);
}

#[test]
fn without_the_database_an_answer_stays_what_it_is() {
    let host = TestHost::new();
    host.lose_database();
    let found = Found::by(Access::Anyone);
    assert_eq!(
        reason(&ended(&host, &found, wrong_token)),
        Some(Reason::TokenInvalid)
    );
    assert_eq!(reason(&ended(&host, &found, empty)), None);
}

#[test]
fn a_call_that_cannot_be_logged_is_answered_and_the_operator_hears_of_it() {
    let host = TestHost::new();
    host.repeat_randomness();
    let found = Found::by(Access::Anyone);
    // Two calls of one millisecond get the same key.
    ended(&host, &found, empty);
    let response = ended(&host, &found, empty);
    assert_eq!(
        (response.status(), reason(&response)),
        (http::StatusCode::OK, None)
    );
    let line = host.lines().pop().unwrap();
    for part in ["call_not_logged", "write.status", "r-1"] {
        assert!(line.contains(part), "{line}");
    }
}
