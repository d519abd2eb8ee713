//! How many calls a minute a client may make.

use super::*;
use crate::layers::{RateLimit, RefusedBudget};
use domain::error::Error;
use domain::{Budget, Permission};
use operations::{Verified, spend_calls};

const LIMIT: u32 = 600;

/// One call of an operation that a client with `write.cancel` may make [`LIMIT`] times a minute.
fn call(app: &App, client: &Arc<Verified>, inside: fn(Request) -> Response) -> Response {
    let mut request = arrived(app, Sent::get("/"));
    request.extensions_mut().insert(Client(Arc::clone(client)));
    let mut called = Operation::clone(&operation(
        Access::Client(Permission::WriteCancel),
        Content::Parameters,
    ));
    called.name = "write.cancel".to_owned();
    let layer = RateLimit {
        operation: Arc::new(called),
        permission: Permission::WriteCancel,
    };
    through(layer, request, inside)
}

fn left(response: &Response) -> &str {
    response.headers()["ratelimit"].to_str().unwrap()
}

#[test]
fn successes_and_refusals_say_what_is_left() {
    let host = TestHost::new();
    let (app, client) = (host.app(), Arc::new(host.add_verified(&["write.cancel"])));
    let response = call(&app, &client, |_| empty());
    let policy = "\"write.cancel\";q=600;w=60";
    assert_eq!(response.headers()["ratelimit-policy"], policy);
    // All are back when the next minute begins.
    assert_eq!(left(&response), "\"write.cancel\";r=599;t=60");
    host.set_time(NOW.plus(500));
    let response = call(&app, &client, |_| refusal(Reason::WrongState));
    assert_eq!(reason(&response), Some(Reason::WrongState));
    assert_eq!(left(&response), "\"write.cancel\";r=598;t=60");
}

#[test]
fn a_client_that_has_used_its_limit_up_has_to_wait_and_is_told_how_long() {
    let host = TestHost::new();
    let (app, client) = (host.app(), Arc::new(host.add_verified(&["write.cancel"])));
    let all = spend_calls(&host.context(), &client.caller.id, "write.cancel", LIMIT, LIMIT);
    assert_eq!(all.unwrap().1.left, 0);
    let response = call(&app, &client, |_| panic!("the request must not pass"));
    let Refused(refused) = response.extensions().get().unwrap();
    assert_eq!(refused.reason(), Reason::RateLimited);
    assert_eq!(refused.first().error.wait().unwrap().secs, 60);
    assert_eq!(left(&response), "\"write.cancel\";r=0;t=60");
    host.set_time(NOW.plus(59_001));
    let response = call(&app, &client, |_| panic!("the request must not pass"));
    assert_eq!(left(&response), "\"write.cancel\";r=0;t=1");
    host.set_time(NOW.plus(60_000));
    let response = call(&app, &client, |_| empty());
    assert_eq!(
        (reason(&response), left(&response)),
        (None, "\"write.cancel\";r=599;t=60")
    );
}

#[test]
fn calls_are_counted_without_a_statement_and_those_taken_in_advance_without_a_connection() {
    let host = TestHost::new();
    let (app, client) = (host.app(), Arc::new(host.add_verified(&["write.cancel"])));
    // The second call takes more than one, because much is left.
    for expected in ["599", "598", "597"] {
        let response = call(&app, &client, |_| empty());
        let expected = format!("\"write.cancel\";r={expected};t=");
        assert!(left(&response).starts_with(&expected), "{}", left(&response));
    }
    assert_eq!((host.connections(), host.statements()), (2, 0));
    host.lose_database();
    let response = call(&app, &client, |_| empty());
    assert_eq!(reason(&response), None);
}

#[test]
fn each_client_has_a_limit_of_its_own() {
    let host = TestHost::new();
    let app = host.app();
    for _ in 0..2 {
        let client = Arc::new(host.add_verified(&["write.cancel"]));
        assert!(left(&call(&app, &client, |_| empty())).contains("r=599;"));
    }
}

#[test]
fn an_operation_that_charges_its_calls_itself_says_what_is_left_when_it_refuses_one() {
    let host = TestHost::new();
    let layer = RefusedBudget(operation(Access::Anyone, Content::Parameters));
    let request = arrived(&host.app(), Sent::get("/"));
    let response = through(layer.clone(), request, |_| {
        let budget = Budget {
            limit: 1,
            left: 0,
            full_in_secs: 60,
        };
        refusal(Error::rate_limited(60, Some(budget)))
    });
    assert_eq!(
        response.headers()["ratelimit-policy"],
        "\"write.status\";q=1;w=60"
    );
    assert_eq!(left(&response), "\"write.status\";r=0;t=60");
    let response = passed(layer, arrived(&host.app(), Sent::get("/")));
    assert!(!response.headers().contains_key("ratelimit"));
}
