//! The call itself: its inputs for operations, its time and its language.

use std::net::IpAddr;
use std::rc::Rc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use send_wrapper::SendWrapper;

use super::Extractor;
use crate::connections::{Connections, Db};
use crate::host::{App, Host};
use crate::layers::{Arrival, CallerAddress, found};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::values::Time;
use domain::Timestamp;
use domain::error::{Error, Lang};
use operations::Context;
use operations::operator::OperatorApi;

/// A call that has passed the layers.
pub struct Call {
    arrival: Arrival,
    connections: Rc<Connections>,
    /// The true address of the caller.
    pub from: IpAddr,
    /// The language the caller reads.
    pub lang: Lang,
}

impl Call {
    /// The inputs of operations.
    #[must_use]
    pub fn context(&self) -> Context<'_, Db> {
        self.arrival.context(&self.connections)
    }

    /// The configuration of the component.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.arrival.settings()
    }

    /// The program that runs the router.
    #[must_use]
    pub fn host(&self) -> &dyn Host {
        self.arrival.app().host()
    }

    /// What the instance keeps between calls.
    pub(crate) fn app(&self) -> &App {
        self.arrival.app()
    }

    /// The operator's own interface, if it is asked about its numbers.
    ///
    /// # Errors
    /// An internal error when the setting cannot be read.
    pub(crate) fn operator(&self) -> Result<Option<&OperatorApi>, Error> {
        self.arrival.app().operator(self.settings())
    }

    /// A time in answers: RFC 3339 with the offset of the platform's zone at that time.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> Time {
        Time::new(at, &self.settings().zone)
    }

    /// Writes the line for a periodic job that failed into the operator's log.
    pub fn log_failed_job(&self, job: &str, error: &Error) {
        self.host().log(&crate::log::failed_job(job, error));
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = Refusal;

    fn from_request_parts(parts: &mut Parts, _: &App) -> impl Future<Output = Result<Self, Refusal>> + Send {
        SendWrapper::new(async move {
            let arrival = found::<Arrival>(&parts.extensions)?.clone();
            let connections = arrival.connect().await?;
            let CallerAddress(from) = *found(&parts.extensions)?;
            let lang = parts.extensions.get().copied().unwrap_or_default();
            Ok(Self {
                arrival,
                connections,
                from,
                lang,
            })
        })
    }
}

impl Extractor for Call {}
