//! The call log (§9.2.2): a row for each call. A refused call of an unknown caller is counted against its address first,
//! one that a client's limit refuses against the client; beyond a small number a minute they share one row.
//!
//! The row of a call that may have changed something is written before the answer. Those of other calls wait for each
//! other and are written in one statement.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;

use super::{
    Admitted, Arrival, Called, CallerAddress, Client, Inner, Middleware, Next, Pairs, RequestId,
    is_secret_right, refused,
};
use crate::answer::{Refused, TaskOfCall};
use crate::connections::{Connections, Db};
use crate::host::App;
use crate::log;
use crate::operation::{Access, Operation};
use crate::query::Pair;
use crate::refusal::Refusal;
use crate::waiting_calls::{Added, Batch};
use domain::error::{Error, Reason};
use domain::{ClientId, Eid, TaskId, masked};
use operations::{CallFacts, Context, address_key, count_refusal, limited, record_calls, sum_up_refusals};
use store::call_log::{NewCallRow, RefusedCaller, RefusedCalls};

/// Longest parameter that the call log looks at, in characters.
const MAX_SUBJECT_CHARS: usize = 64;

/// Writes the call log.
#[derive(Clone)]
pub(crate) struct CallLog(pub(crate) App);

impl Middleware for CallLog {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let arrival = request.extensions().get::<Arrival>().cloned();
        let id = request.extensions().get::<RequestId>().cloned();
        let led = request.extensions().get::<Called>().cloned();
        // A refusal may come before the secret is looked at.
        let has_secret = arrival.as_ref().is_some_and(|arrival| {
            arrival.settings().has_secret() && is_secret_right(request, arrival.settings())
        });
        let mut response = next.run(request).await;
        let (Some(arrival), Some(id)) = (arrival, id) else {
            return response;
        };
        let ended = FinishedCall::of(&response, led, arrival.found(), has_secret);
        if let Some(unreadable) = arrival.found().take_unreadable() {
            let line = log::unreadable(&ended.called.0.name, &id.0, &unreadable);
            self.0.host().log(&line);
        }
        // Without the database nothing is counted or logged; a call that is refused anyway keeps its own reason.
        let Ok(connections) = arrival.connect().await else {
            return response;
        };
        let context = arrival.context(&connections);
        let mut left = Batch::default();
        let counted = ended.refused_caller().map(|(caller, reason)| {
            let counted = count_refusal(&context, &caller);
            if counted != operations::Refused::Logged {
                let calls = RefusedCalls::one(context.now, reason.status(), reason.code());
                left.sum_up(caller, calls);
            }
            counted
        });
        if counted == Some(operations::Refused::Limited) {
            let facts = std::mem::take(response.extensions_mut());
            response = limited_instead(limited(context.now).into(), facts);
        }
        if left.sums.is_empty() {
            left.rows.extend(ended.row(&context, id, arrival.elapsed()));
        }
        if !left.is_empty() {
            self.keep(left, &arrival, &connections).await;
        }
        response
    }
}

impl CallLog {
    async fn keep(&self, left: Batch, arrival: &Arrival, connections: &Connections) {
        let interval = arrival.settings().call_log_interval;
        let now = if interval.is_zero() || connections.has_transaction() {
            left
        } else {
            match self.0.waiting_calls().add(left) {
                Added::IsFull(batch) => batch,
                Added::Waits => return,
                Added::NeedsWriter => {
                    let writer = write_later(self.0.clone(), interval);
                    return self.0.host().spawn(Box::pin(writer));
                }
            }
        };
        let written = write_on(&arrival.context(connections), &now).await;
        self.report(&now, written);
    }

    /// A line in the operator's log for what could not be written.
    fn report(&self, batch: &Batch, written: Result<(), Error>) {
        let Err(error) = written else { return };
        for row in &batch.rows {
            self.0
                .host()
                .log(&log::lost(&row.interface, &row.request_id, &error));
        }
        if !batch.sums.is_empty() {
            self.0.host().log(&log::lost("summary", "", &error));
        }
    }
}

/// Writes what waits, again and again, until nothing does.
async fn write_later(app: App, interval: Duration) {
    loop {
        app.host().sleep(interval).await;
        let Some(batch) = app.waiting_calls().take() else {
            return;
        };
        let written = write(&app, &batch).await;
        CallLog(app.clone()).report(&batch, written);
    }
}

async fn write(app: &App, batch: &Batch) -> Result<(), Error> {
    let arrival = Arrival::now(app).await?;
    let connections = arrival.connect().await?;
    write_on(&arrival.context(&connections), batch).await
}

async fn write_on(context: &Context<'_, Db>, batch: &Batch) -> Result<(), Error> {
    if !batch.rows.is_empty() {
        record_calls(context, &batch.rows).await?;
    }
    for (minute, refused) in &batch.sums {
        sum_up_refusals(context, *minute, refused).await?;
    }
    Ok(())
}

/// The answer that replaces that of an unknown caller with too many refused calls; what the layers found stays known.
fn limited_instead(refusal: Refusal, facts: http::Extensions) -> Response {
    let mut response = refused(refusal);
    let own = std::mem::replace(response.extensions_mut(), facts);
    if let Some(own) = own.get::<Refused>() {
        response.extensions_mut().insert(own.clone());
    }
    response
}

/// A call that has ended.
struct FinishedCall {
    called: Called,
    from: Option<IpAddr>,
    /// The client that was let in.
    client: Option<Client>,
    /// The client that was recognised, let in or not.
    known: CallFacts,
    /// Whether the secret of the component was presented.
    is_admitted: bool,
    pairs: Option<Pairs>,
    refusal: Option<Refused>,
    task_id: Option<TaskOfCall>,
}

impl FinishedCall {
    fn of(response: &Response, led: Option<Called>, known: &CallFacts, has_secret: bool) -> Self {
        let extensions = response.extensions();
        // The secret of administrators opens nothing any more once one of them has signed in.
        let is_refused = extensions
            .get()
            .is_some_and(|Refused(refusal)| refusal.reason() == Reason::CredentialWrong);
        Self {
            called: extensions.get().cloned().or(led).unwrap_or_default(),
            from: extensions.get::<CallerAddress>().map(|address| address.0),
            client: extensions.get().cloned(),
            known: known.clone(),
            is_admitted: has_secret && !is_refused || extensions.get::<Admitted>().is_some(),
            pairs: extensions.get().cloned(),
            refusal: extensions.get().cloned(),
            task_id: extensions.get().copied(),
        }
    }

    /// Whom a refusal counts against, and why the call was refused: the client that its own limit refuses, or the address
    /// of a caller that has not authenticated itself, or has no permission. The mistakes of callers count, failures of
    /// the platform do not.
    fn refused_caller(&self) -> Option<(RefusedCaller, Reason)> {
        let Refused(refusal) = self.refusal.as_ref()?;
        let reason = refusal.reason();
        if !(400..500).contains(&reason.status()) {
            return None;
        }
        let address = |from: Option<IpAddr>| match from {
            Some(from) => RefusedCaller::Address(address_key(from)),
            None => RefusedCaller::Others,
        };
        let caller = match self.known.client() {
            Some((client, _)) if reason == Reason::RateLimited => RefusedCaller::client(client),
            _ if refusal.unauthenticated().is_some() => address(refusal.unauthenticated()),
            _ if self.is_admitted || self.client.is_some() && reason != Reason::PermissionMissing => {
                return None;
            }
            _ => address(self.from),
        };
        Some((caller, reason))
    }

    /// The row of the call, unless its operation is not logged.
    fn row(&self, context: &Context<'_, Db>, id: RequestId, duration: Duration) -> Option<NewCallRow> {
        let operation: &Operation = &self.called.0;
        let reason = self.refusal.as_ref().map(|Refused(refusal)| refusal.reason());
        let code = reason.map_or(200, Reason::status);
        if !operation.is_logged(code) {
            return None;
        }
        let subject = ["eid", "msisdn", "iccid"]
            .into_iter()
            .find_map(|name| Some((name, self.parameter(name)?)));
        let shown = subject.map(|(name, text)| format!("{name}={}", masked(text)));
        let eid = subject.and_then(|(name, text)| (name == "eid").then(|| Eid::parse(text).ok())?);
        // Any other text could be an identifier in full.
        let task_id = || TaskId::parse(self.parameter("task_id")?).ok();
        let task_id = self.task_id.map(|task| task.0).or_else(task_id);
        Some(NewCallRow {
            at: context.now,
            client_id: self.client_id(),
            secret_generation: self.known.client().map(|(_, generation)| *generation),
            interface: operation.name.clone(),
            code,
            reason: reason.map(Reason::code),
            address: self.from,
            duration,
            request_id: id.0,
            eid_index: eid.map(|eid| context.eid_index(&eid)),
            task_id: task_id.map(|id| id.text()),
            subject: shown,
        })
    }

    /// The client of the call: the one whose secret or token it presented, also when that was refused. One that presents
    /// a wrong secret is a parameter; elsewhere that parameter is the client that an administrator asks about.
    fn client_id(&self) -> Option<ClientId> {
        match self.known.client() {
            Some((client, _)) => Some(client.clone()),
            None if self.called.0.access == Access::Anyone => {
                ClientId::parse(self.parameter("client_id")?).ok()
            }
            None => None,
        }
    }

    /// An unchecked parameter of the request.
    fn parameter(&self, name: &str) -> Option<&str> {
        let Pairs(pairs) = self.pairs.as_ref()?;
        let is_meant =
            |(known, value): &&Pair| known == name && value.chars().nth(MAX_SUBJECT_CHARS).is_none();
        pairs.iter().find(is_meant).map(|(_, value)| value.as_str())
    }
}
