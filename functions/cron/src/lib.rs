//! `/internal/cron`: the periodic work. Has `upkeep` do the jobs that need nothing but the database, and sends the
//! messages that are due (§7.3).
//!
//! Whoever holds `cron_secret` may tick it: a timer, a gateway, several nodes at once. A tick does a bounded amount; what
//! it does not get done stays due, and `more` says so. What fails of it does not stop the rest.

mod callbacks;

use callbacks::Sent;
use domain::Timestamp;
use domain::error::Error;
use operations::{CALLBACKS_JOB, Done, open_diary};
use serde_json::{Value, json};
use spin_host::{self, Connection, Migrating, Needs, call_component, conclude_job};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;
use web::{Call, Refusal, Reply, interface};

const NEEDS: Needs = Needs {
    sealing_keys: true,
    secret: Some("cron_secret"),
    migrate: Some(by_upkeep),
    ..Needs::NONE
};

/// The component that does the jobs.
const UPKEEP: &str = "upkeep";

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin_host::serve(&interface::CRON, NEEDS, request, tick).await
}

/// Being called, `upkeep` brings a database up to this program; its text is too much for two.
fn by_upkeep(_: &Connection, _: Timestamp) -> Migrating<'_> {
    Box::pin(async {
        let settings = spin_host::settings(NEEDS).await?;
        let path = interface::UPKEEP.path;
        call_component(UPKEEP, path, settings.own_secret())
            .await
            .map(drop)
    })
}

async fn tick(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    // Both at once: neither waits for the other.
    let upkeep = call_component(UPKEEP, interface::UPKEEP.path, call.settings.own_secret());
    let (upkeep, sent) = futures::join!(upkeep, callbacks::send_due(call.cx));
    let upkeep = upkeep.unwrap_or_else(|problem| {
        eprintln!("{}", call.failed_job(UPKEEP, &problem));
        json!({"jobs": {UPKEEP: {"failed": problem.reason().code()}}})
    });
    let mut jobs = upkeep["jobs"].as_object().cloned().unwrap_or_default();
    // What the jobs did may have made messages that are to be sent now.
    let did_something = jobs
        .values()
        .any(|job| job["done"].as_u64().unwrap_or_default() > 0);
    let (sent, told) = conclude(call, sent).await;
    jobs.insert(CALLBACKS_JOB.to_owned(), told);
    Ok(Reply::ok()
        .with("delivered", sent.delivered)
        .with("retrying", sent.retrying)
        .with("dead", sent.dead)
        .with("jobs", Value::Object(jobs))
        .with("more", upkeep["more"] == true || did_something || sent.more))
}

/// Notes what came of sending, and says it.
async fn conclude(call: &Call<'_, Connection>, sent: Result<Sent, Error>) -> (Sent, Value) {
    let (sent, outcome) = match sent {
        Ok(sent) => {
            let (count, more) = (sent.delivered + sent.retrying + sent.dead, false);
            (sent, Ok(Done { count, more }))
        }
        Err(error) => (Sent::default(), Err(error)),
    };
    // What cannot be read or noted does not undo what was sent.
    let diary = open_diary(call.cx).await.unwrap_or_default();
    let mut told = conclude_job(call, &diary, CALLBACKS_JOB, &outcome).await;
    if outcome.is_ok() {
        // Running out of time is no failure of the job, but its caller should tick again.
        told["more"] = sent.more.into();
    }
    (sent, told)
}
