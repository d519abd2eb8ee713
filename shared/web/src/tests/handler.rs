//! Handlers: what follows from their extractors, and how these run.

use std::cell::RefCell;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::response::Response;
use futures::executor::block_on;
use http::request::Parts;

use super::{Sent, idle_app};
use crate::answer::Refused;
use crate::extract::permits::WriteStatus;
use crate::extract::{AnyBody, Anyone, Caller, Extractor, Json, Ndjson, Query, Staff, Table, Timer, rights};
use crate::layers::{Arrival, Called, Pairs};
use crate::operation::{Access, Content, Operation, Role};
use crate::parameters::TaskOrEid;
use crate::{App, LocalHandler, Refusal};
use domain::error::Reason;
use domain::{Permission, Right};

thread_local! {
    static STEPS: RefCell<Vec<&'static str>> = RefCell::default();
}

fn step(name: &'static str) {
    STEPS.with_borrow_mut(|steps| steps.push(name));
}

struct Passes;
struct Refuses;
struct RefusesToo;

macro_rules! steps {
    ($($extractor:ident: $refusal:expr),+) => {$(
        impl FromRequestParts<App> for $extractor {
            type Rejection = Refusal;

            async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Refusal> {
                step(stringify!($extractor));
                let refusal: Option<Reason> = $refusal;
                refusal.map_or(Ok(Self), |reason| Err(reason.into()))
            }
        }

        impl Extractor for $extractor {}
    )+};
}

steps!(Passes: None, Refuses: Some(Reason::UnknownChip), RefusesToo: Some(Reason::UnknownTask));

/// The answer to a call of a client with these parameters.
fn answer<T>(handler: impl LocalHandler<T>, parameters: &[(&str, &str)]) -> Response {
    let mut request = Sent::get("/").request();
    let operation = Operation {
        access: Access::Client(Permission::WriteStatus),
        ..Operation::nowhere()
    };
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let pairs = Pairs(Arc::new(parameters.iter().map(owned).collect()));
    let arrival = block_on(Arrival::now(&idle_app())).unwrap();
    request.extensions_mut().insert(arrival);
    request.extensions_mut().insert(Called(Arc::new(operation)));
    request.extensions_mut().insert(pairs);
    block_on(handler.run(request, idle_app()))
}

fn reason(response: &Response) -> Option<Reason> {
    let Refused(refusal) = response.extensions().get()?;
    Some(refusal.reason())
}

fn run<T>(handler: impl LocalHandler<T>) -> (Option<Reason>, Vec<&'static str>) {
    STEPS.take();
    let response = answer(handler, &[]);
    (reason(&response), STEPS.take())
}

async fn all_pass(_: Anyone, _: Passes, _: Passes) {
    step("handler");
}

async fn some_refuse(_: Passes, _: Anyone, _: Refuses, _: RefusesToo) {
    step("handler");
}

#[test]
fn extractors_run_in_their_order_and_the_first_refusal_ends_it() {
    assert_eq!(run(all_pass), (None, vec!["Passes", "Passes", "handler"]));
    let expected = (Some(Reason::UnknownChip), vec!["Passes", "Refuses"]);
    assert_eq!(run(some_refuse), expected);
}

#[test]
fn parameters_that_no_extractor_reads_are_refused_before_the_others_run() {
    STEPS.take();
    for (parameters, expected) in [
        (vec![("token", "t")], None),
        (vec![("colour", "red")], Some(Reason::ParameterUnknown)),
        (vec![("eid", "1")], Some(Reason::ParameterUnknown)),
        (vec![("key", "k")], Some(Reason::ParameterUnknown)),
        (
            vec![("token", "t"), ("token", "t")],
            Some(Reason::ParameterRepeated),
        ),
        (vec![("sign", "x"), ("t", "1"), ("t", "2")], None),
    ] {
        let steps = if expected.is_none() { 3 } else { 0 };
        assert_eq!(reason(&answer(all_pass, &parameters)), expected, "{parameters:?}");
        assert_eq!(STEPS.take().len(), steps, "{parameters:?}");
    }
}

fn demands<T, H: LocalHandler<T>>(_: H) -> (Access, Content) {
    (H::ACCESS, H::CONTENT)
}

#[test]
fn who_may_call_and_what_the_body_holds_follow_from_the_extractors() {
    async fn query(_: Caller<WriteStatus>, _: Query<TaskOrEid>) {}
    async fn csv(_: Staff<rights::NumbersImport>, _: Query<TaskOrEid>, _: Table) {}
    async fn lines(_: Ndjson, _: Staff<rights::ChipsImport>) {}
    async fn document(_: Staff<rights::TasksEnd>, _: Json<String>) {}
    async fn tick(_: Timer, _: AnyBody) {}
    async fn nothing(_: Anyone) {}
    let staff = Access::Staff;
    assert_eq!(
        demands(query),
        (Access::Client(Permission::WriteStatus), Content::Parameters)
    );
    assert_eq!(demands(csv), (staff(Right::NumbersImport), Content::Table));
    assert_eq!(demands(lines), (staff(Right::ChipsImport), Content::Ndjson));
    assert_eq!(demands(document), (staff(Right::TasksEnd), Content::Json));
    assert_eq!(demands(tick), (Access::Secret(Role::Timer), Content::Json));
    assert_eq!(demands(nothing), (Access::Anyone, Content::Parameters));
}
