//! What a router needs from the program that runs it: a clock, randomness, settings, connections, and requests to
//! others. `spin-host` offers it to components; native servers and tests offer their own.
//!
//! Never keep anything of a request here, except rows of the call log that wait to be written.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;
use std::time::Duration;

use axum::body::HttpBody as Body;
use bytes::Bytes;
use futures::future::{Either, select};
use http::Request;
use http_body_util::BodyExt as _;
use send_wrapper::SendWrapper;

use super::connection::{Connection, LocalFuture, Purpose};
use super::leases::Leases;
use super::outbound::Received;
use super::settings::Settings;
use super::waiting_calls::WaitingCalls;
use domain::Timestamp;
use domain::error::{Error, Reason};
use operations::Limits;
use operations::operator::OperatorApi;
use vault::Random;

/// The program that runs a router.
pub trait Host {
    /// The time now.
    fn now(&self) -> Timestamp;

    /// A cryptographically secure generator.
    fn random(&self) -> &dyn Random;

    /// The configuration.
    ///
    /// # Errors
    /// The future fails with an internal error whose cause names the setting.
    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>>;

    /// A connection that nobody else uses until it is dropped.
    ///
    /// # Errors
    /// The future fails with [`domain::error::Reason::Unavailable`] when the database cannot be opened, and with the
    /// errors of `store::migrate`.
    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>>;

    /// Counters of calls and of refused callers, which every instance shares.
    fn limits(&self) -> &dyn Limits;

    /// Ends after a time.
    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()>;

    /// Goes on with `work` after the request has been answered, until it is done or the instance ends.
    fn spawn(&self, work: LocalFuture<'static, ()>);

    /// Sends a request and reads the answer: at most `max_bytes` of its body and one more, within `time`. Follows no
    /// redirect.
    ///
    /// # Errors
    /// The future fails with a text for the operator when there is no answer.
    fn send(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        time: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>>;

    /// Writes a line to the operator's log.
    fn log(&self, line: &str);
}

/// Runs `work` for at most `time`; `None` after that, and the work is dropped.
pub async fn within<T>(host: &dyn Host, time: Duration, work: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(work), host.sleep(time)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}

/// Reads a body and stops as soon as more than `limit` bytes have come. A result longer than `limit` means that the body
/// is too large; it is not the whole body.
///
/// Spin sets no limit of its own and does not notice a peer that stops sending. An unbounded read would hold memory and
/// an instance as long as the peer likes.
///
/// # Errors
/// [`Reason::BodyTooSlow`], [`Reason::BodyBroken`]. What was read is dropped.
pub async fn read_bounded<B: Body<Data = Bytes> + Unpin>(
    host: &dyn Host,
    mut body: B,
    limit: usize,
    time: Duration,
) -> Result<Vec<u8>, Reason> {
    let reading = async {
        let mut bytes = Vec::new();
        while bytes.len() <= limit {
            let Some(frame) = body.frame().await else { break };
            if let Ok(data) = frame.map_err(|_| Reason::BodyBroken)?.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        bytes.truncate(limit.saturating_add(1));
        Ok(bytes)
    };
    within(host, time, reading)
        .await
        .unwrap_or(Err(Reason::BodyTooSlow))
}

/// The state of a router: its host, and what an instance keeps between requests.
#[derive(Clone)]
pub struct App(SendWrapper<Rc<Instance>>);

struct Instance {
    host: Box<dyn Host>,
    leases: Leases,
    waiting_calls: WaitingCalls,
    operator: OnceCell<Option<OperatorApi>>,
    guard_seen: Cell<bool>,
}

impl App {
    /// The state of a router on this host. It stays on the thread that made it.
    pub fn new(host: impl Host + 'static) -> Self {
        Self(SendWrapper::new(Rc::new(Instance {
            host: Box::new(host),
            leases: Leases::default(),
            waiting_calls: WaitingCalls::default(),
            operator: OnceCell::new(),
            guard_seen: Cell::new(false),
        })))
    }

    /// The host.
    pub fn host(&self) -> &dyn Host {
        &*self.0.host
    }

    /// The operator's own interface, if it is asked about its numbers.
    ///
    /// # Errors
    /// An internal error whose cause names the setting that cannot be read.
    pub(crate) fn operator(&self, settings: &Settings) -> Result<Option<&OperatorApi>, Error> {
        if self.0.operator.get().is_none() {
            let read = match &settings.operator {
                Some((api, credential)) => OperatorApi::parse(api, credential.clone()),
                None => Ok(None),
            };
            let read =
                read.map_err(|problem| Error::internal(format!("variable operator_api: {problem}")))?;
            // Nothing waits in between, so nobody set it meanwhile.
            let _ = self.0.operator.set(read);
        }
        Ok(self.0.operator.get().and_then(Option::as_ref))
    }

    /// Whether the host was seen to block special-purpose networks.
    pub(crate) fn guard_seen(&self) -> &Cell<bool> {
        &self.0.guard_seen
    }

    /// Calls taken out of clients' limits in advance.
    pub(crate) fn leases(&self) -> &Leases {
        &self.0.leases
    }

    /// Rows of the call log that wait to be written together.
    pub(crate) fn waiting_calls(&self) -> &WaitingCalls {
        &self.0.waiting_calls
    }
}
