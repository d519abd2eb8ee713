//! Handlers: what follows from their extractors, and how these run.

use std::cell::RefCell;

use axum::extract::FromRequestParts;
use axum::response::Response;
use futures::executor::block_on;
use http::request::Parts;

use super::{Sent, TestHost};
use crate::answer::Refused;
use crate::extract::permits::WriteStatus;
use crate::extract::{Administrator, AnyBody, Anyone, Caller, Csv, Extractor, Json, Ndjson, Query, Timer};
use crate::operation::{Access, Content, Role};
use crate::parameters::TaskOrEid;
use crate::{App, LocalHandler, Refusal};
use domain::Permission;
use domain::error::Reason;

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

fn run<T>(handler: impl LocalHandler<T>) -> (Option<Reason>, Vec<&'static str>) {
    STEPS.take();
    let response: Response = block_on(handler.run(Sent::get("/").request(), TestHost::new().app()));
    let reason = response
        .extensions()
        .get()
        .map(|Refused(refusal)| refusal.reason());
    (reason, STEPS.take())
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

fn demands<T, H: LocalHandler<T>>(_: H) -> (Access, Content) {
    (H::ACCESS, H::CONTENT)
}

#[test]
fn who_may_call_and_what_the_body_holds_follow_from_the_extractors() {
    async fn query(_: Caller<WriteStatus>, _: Query<TaskOrEid>) {}
    async fn csv(_: Administrator, _: Query<TaskOrEid>, _: Csv) {}
    async fn lines(_: Ndjson, _: Administrator) {}
    async fn document(_: Administrator, _: Json<String>) {}
    async fn tick(_: Timer, _: AnyBody) {}
    async fn nothing(_: Anyone) {}
    let secret = Access::Secret;
    assert_eq!(
        demands(query),
        (Access::Client(Permission::WriteStatus), Content::Parameters)
    );
    assert_eq!(demands(csv), (secret(Role::Administrator), Content::Csv));
    assert_eq!(demands(lines), (secret(Role::Administrator), Content::Ndjson));
    assert_eq!(demands(document), (secret(Role::Administrator), Content::Json));
    assert_eq!(demands(tick), (secret(Role::Timer), Content::Json));
    assert_eq!(demands(nothing), (Access::Anyone, Content::Parameters));
}
