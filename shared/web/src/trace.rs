//! The trace of a call: what the call log needs, collected during the call and written at its end.
//!
//! Every call ends here: a refused call of an unauthenticated caller is counted per address, the call is logged, and
//! only then is it answered. The log row is written last on purpose: Spin answers a request that ends with SQLite
//! without delay.

use std::net::IpAddr;
use std::time::Duration;

use super::exchange::Exchange;
use super::interface::{Access, Interface};
use super::params::Param;
use super::query::Pair;
use super::refusal::Refusal;
use super::reply::Reply;
use domain::error::Error;
use domain::{ClientId, Eid, TaskId, masked};
use operations::{CallRecord, Context, FailedAuth, record_call, record_failed_auth};
use store::Database;
use vault::BlindIndex;

/// What is known of a call for the call log.
#[derive(Debug, Default)]
pub struct Trace {
    /// The true address of the caller.
    pub from: Option<IpAddr>,
    pub(super) is_known: bool,
    pub(super) client_id: Option<ClientId>,
    eid_index: Option<BlindIndex>,
    task_id: Option<String>,
    subject: Option<String>,
}

impl Trace {
    /// Records the subject of the call from its unchecked parameters.
    pub(super) fn note<D>(&mut self, interface: &Interface, cx: &Context<'_, D>, pairs: &[Pair]) {
        let text = |param: Param| {
            let of =
                |(name, value): &Pair| name == param.name() && value.chars().count() <= param.max_chars();
            pairs
                .iter()
                .find(|pair| of(pair))
                .map(|(_, value)| value.as_str())
        };
        // Elsewhere the parameter is the client that an administrator asks about.
        if interface.access == Access::Anyone {
            self.client_id = text(Param::ClientId).and_then(|text| ClientId::parse(text).ok());
        }
        let subject = [Param::Eid, Param::Msisdn, Param::Iccid]
            .into_iter()
            .find_map(|param| Some((param, text(param)?)));
        self.subject = subject.map(|(param, text)| format!("{}={}", param.name(), masked(text)));
        if let Some((Param::Eid, eid)) = subject {
            self.eid_index = Eid::parse(eid).ok().map(|eid| cx.eid_index(&eid));
        }
        // Any other text could be an identifier in full.
        self.task_id = text(Param::TaskId).and_then(|text| Some(TaskId::parse(text).ok()?.text()));
    }

    /// Finishes the call: counts the refusal of an unauthenticated caller per address and writes the call log. Returns
    /// the result to answer with, and the error for the operator's log when the call log could not be written.
    pub async fn finish<D: Database>(
        &self,
        exchange: &Exchange,
        cx: &Context<'_, D>,
        outcome: Result<Reply, Refusal>,
        duration: Duration,
    ) -> (Result<Reply, Refusal>, Option<Error>) {
        let interface = exchange.interface();
        if let (Err(refusal), false, Some(from)) = (&outcome, self.is_known, self.from)
            && counts_as_failed_auth(interface, refusal)
            && let Err(limited) = record_failed_auth(cx, FailedAuth::Refusal, from).await
        {
            // There are too many to log one by one.
            return (Err(limited.into()), None);
        }
        let written = self.write(exchange, cx, &outcome, duration).await;
        (outcome, written.err())
    }

    async fn write<D: Database>(
        &self,
        exchange: &Exchange,
        cx: &Context<'_, D>,
        outcome: &Result<Reply, Refusal>,
        duration: Duration,
    ) -> Result<(), Error> {
        let (code, reason) = match outcome {
            Ok(_) => (200, None),
            Err(refusal) => (refusal.reason().status(), Some(refusal.reason().code())),
        };
        let interface = exchange.interface();
        if !interface.is_logged(code) {
            return Ok(());
        }
        let in_reply = outcome.as_ref().ok().and_then(|reply| reply.text("task_id"));
        let record = CallRecord {
            at: cx.now,
            client_id: self.client_id.as_ref(),
            interface: interface.name,
            code,
            reason,
            address: self.from,
            duration,
            request_id: exchange.request_id(),
            eid_index: self.eid_index,
            task_id: in_reply.or(self.task_id.as_deref()),
            subject: self.subject.as_deref(),
        };
        record_call(cx, &record).await
    }
}

/// Whether a refusal counts against the caller's address: the mistakes of callers do, failures of the platform do not.
fn counts_as_failed_auth(interface: &Interface, refusal: &Refusal) -> bool {
    let status = refusal.reason().status();
    (400..500).contains(&status) && (interface.access != Access::Secret || status == 401)
}
