//! The call log (§9.2.2): one row for each call, written when it has ended. A refused call of an unknown caller is
//! counted for its address first; of too many no rows are written.
//!
//! The row is written last on purpose: Spin answers a request that ends with SQLite without delay.

use std::net::IpAddr;
use std::time::Duration;

use axum::extract::Request;
use axum::response::Response;

use super::{Arrival, Called, CallerAddress, Client, Inner, Middleware, Next, Pairs, RequestId, refused};
use crate::answer::{Refused, TaskOfCall};
use crate::connections::Db;
use crate::host::App;
use crate::log;
use crate::operation::{Access, Operation};
use crate::query::Pair;
use crate::refusal::Refusal;
use domain::error::{Error, Reason};
use domain::{ClientId, Eid, TaskId, masked};
use operations::{CallRecord, Context, FailedAuth, record_call, record_failed_auth};

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
        let mut response = next.run(request).await;
        let (Some(arrival), Some(id)) = (arrival, id) else {
            return response;
        };
        // Without the database nothing is counted or logged; a call that is refused anyway keeps its own reason.
        let Ok(connections) = arrival.connect().await else {
            return response;
        };
        let context = arrival.context(&connections);
        let ended = FinishedCall::of(&response, led);
        if let Err(limited) = ended.count_failed_auth(&context).await {
            // There are too many to log one by one.
            let facts = std::mem::take(response.extensions_mut());
            return limited_instead(limited.into(), facts);
        }
        if let Err(error) = ended.write(&context, &id.0, arrival.elapsed()).await {
            self.0.host().log(&log::lost(&ended.called.0.name, &id.0, &error));
        }
        response
    }
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
    client: Option<Client>,
    pairs: Option<Pairs>,
    refusal: Option<Refused>,
    task_id: Option<TaskOfCall>,
}

impl FinishedCall {
    fn of(response: &Response, led: Option<Called>) -> Self {
        let extensions = response.extensions();
        Self {
            called: extensions.get().cloned().or(led).unwrap_or_default(),
            from: extensions.get::<CallerAddress>().map(|address| address.0),
            client: extensions.get().cloned(),
            pairs: extensions.get().cloned(),
            refusal: extensions.get().cloned(),
            task_id: extensions.get().copied(),
        }
    }

    /// Counts the refusal of a caller that no rate limit holds for its address: of an unauthenticated one, and of a
    /// client without the permission. The mistakes of callers count, failures of the platform do not.
    async fn count_failed_auth(&self, context: &Context<'_, Db>) -> Result<(), Error> {
        let (Some(Refused(refusal)), Some(from)) = (&self.refusal, self.from) else {
            return Ok(());
        };
        if self.client.is_some() && refusal.reason() != Reason::PermissionMissing {
            return Ok(());
        }
        let status = refusal.reason().status();
        if (400..500).contains(&status) && (!self.called.0.is_internal() || status == 401) {
            record_failed_auth(context, FailedAuth::Refusal, from).await?;
        }
        Ok(())
    }

    async fn write(&self, context: &Context<'_, Db>, id: &str, duration: Duration) -> Result<(), Error> {
        let operation: &Operation = &self.called.0;
        let reason = self.refusal.as_ref().map(|Refused(refusal)| refusal.reason());
        let code = reason.map_or(200, Reason::status);
        if !operation.is_logged(code) {
            return Ok(());
        }
        let client_id = self.client_id();
        let subject = ["eid", "msisdn", "iccid"]
            .into_iter()
            .find_map(|name| Some((name, self.parameter(name)?)));
        let shown = subject.map(|(name, text)| format!("{name}={}", masked(text)));
        let eid = subject.and_then(|(name, text)| (name == "eid").then(|| Eid::parse(text).ok())?);
        // Any other text could be an identifier in full.
        let task_id = || TaskId::parse(self.parameter("task_id")?).ok();
        let task_id = self.task_id.map(|task| task.0).or_else(task_id);
        let task_id = task_id.map(|id| id.text());
        let record = CallRecord {
            at: context.now,
            client_id: client_id.as_ref(),
            interface: &operation.name,
            code,
            reason: reason.map(Reason::code),
            address: self.from,
            duration,
            request_id: id,
            eid_index: eid.map(|eid| context.eid_index(&eid)),
            task_id: task_id.as_deref(),
            subject: shown.as_deref(),
        };
        record_call(context, &record).await
    }

    /// The client of the call. One that presents its credentials is a parameter; elsewhere that parameter is the client
    /// that an administrator asks about.
    fn client_id(&self) -> Option<ClientId> {
        match &self.client {
            Some(Client(client)) => Some(client.caller.id.clone()),
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
