//! Rows of the call log that wait for each other.

use super::*;
use crate::Variables;
use crate::layers::CallLog;
use operations::CallFilter;

/// As many rows as may wait.
const FULL: usize = 256;

/// A host on which rows wait, and an instance of it.
fn instance() -> (TestHost, App) {
    let host = TestHost::configured(&Variables {
        call_log_interval_ms: Some("50".to_owned()),
        ..variables()
    });
    let app = host.app();
    (host, app)
}

fn call(app: &App, request_id: &str) {
    let mut request = arrived(app, Sent::get("/"));
    request.extensions_mut().insert(id(request_id));
    let called = Called(operation(Access::Anyone, Content::Parameters));
    through(CallLog(app.clone()), request, move |_| {
        let mut response = empty();
        response.extensions_mut().insert(called.clone());
        response
    });
}

/// How many rows are in the database.
fn written(host: &TestHost) -> usize {
    let filter = CallFilter {
        limit: 200,
        ..CallFilter::default()
    };
    host.calls_that(&filter).len()
}

// §9.2.2
#[test]
fn rows_of_calls_that_changed_nothing_are_written_together_after_the_answers() {
    let (host, app) = instance();
    // The first call of the day makes its table.
    call(&app, "first");
    host.finish();
    for n in 1..20 {
        call(&app, &format!("r-{n}"));
    }
    assert_eq!(written(&host), 1);
    let statements = host.statements();
    assert_eq!(host.finish(), 1, "one writer for all of them");
    assert_eq!(host.statements() - statements, 1);
    assert_eq!(written(&host), 20);
    assert!(host.waits().iter().all(|wait| wait.as_millis() == 50));

    // The writer has ended: the next row needs another one.
    call(&app, "late");
    assert_eq!(host.finish(), 1);
    assert_eq!(written(&host), 21);
    assert_eq!(host.finish(), 0);
}

#[test]
fn when_too_many_wait_the_last_call_writes_them_all() {
    let (host, app) = instance();
    for n in 1..FULL {
        call(&app, &format!("r-{n}"));
    }
    let statements = host.statements();
    assert_eq!(written(&host), 0);
    call(&app, "last");
    assert!(host.statements() > statements);
    assert_eq!(written(&host), 100, "the first page");
    let before = host.statements();
    assert_eq!(host.finish(), 1);
    assert_eq!(host.statements(), before, "the writer finds nothing");
}

#[test]
fn refused_calls_are_summed_up_in_memory_and_written_together() {
    let (host, app) = instance();
    for n in 0..50 {
        let mut request = arrived(&app, Sent::get("/"));
        request.extensions_mut().insert(id(&format!("r-{n}")));
        let called = Called(operation(Access::Anyone, Content::Parameters));
        through(CallLog(app.clone()), request, move |_| {
            let mut response = refusal(Reason::TokenMissing);
            response.extensions_mut().insert(called.clone());
            response.extensions_mut().insert(CallerAddress(FROM));
            response
        });
    }
    assert_eq!(written(&host), 0);
    assert_eq!(host.finish(), 1);
    let few = operations::LOGGED_REFUSALS_PER_MINUTE as usize;
    assert_eq!(written(&host), few + 1);
    let sums = host.calls().into_iter().filter_map(|call| call.summary);
    assert_eq!(sums.map(|sum| sum.calls).sum::<i64>(), 50 - few as i64);
}

#[test]
fn rows_that_cannot_be_written_are_named_in_the_operators_log() {
    let (host, app) = instance();
    call(&app, "r-1");
    call(&app, "r-2");
    host.lose_database();
    host.finish();
    for id in ["r-1", "r-2"] {
        let named = |line: &&String| line.contains("call_not_logged") && line.contains(id);
        assert_eq!(host.lines().iter().filter(named).count(), 1, "{id}");
    }
}
