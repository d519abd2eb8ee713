//! The call itself: its inputs for operations, its time and its language.

use std::net::IpAddr;
use std::rc::Rc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use send_wrapper::SendWrapper;

use super::Extractor;
use crate::connections::{Connections, Db};
use crate::cursor::BoundQuery;
use crate::host::{App, Host};
use crate::layers::{Arrival, CallerAddress, found};
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::values::Time;
use domain::Timestamp;
use domain::error::{Error, Lang};
use operations::operator::OperatorApi;
use operations::{Act, Context, Identifiers};

/// A call that has passed the layers.
pub struct Call {
    arrival: Arrival,
    connections: Rc<Connections>,
    query: BoundQuery,
    identifiers: Identifiers,
    /// The true address of the caller.
    pub from: IpAddr,
    /// The language the caller reads.
    pub lang: Lang,
}

impl Call {
    /// The inputs of operations.
    #[must_use]
    pub fn context(&self) -> Context<'_, Db> {
        self.arrival.context(&self.connections).showing(self.identifiers)
    }

    /// The cursor of the next page, of the key after which it begins. It belongs to the conditions of this call.
    #[must_use]
    pub fn next(&self, key: Option<String>) -> Option<String> {
        key.map(|key| self.query.cursor(&key))
    }

    /// The same call with identifiers in full, or masked.
    #[must_use]
    pub fn showing(self, identifiers: Identifiers) -> Self {
        Self { identifiers, ..self }
    }

    /// Lets the connections of the call go. What is left can go on with others.
    pub(crate) fn paused(self) -> PausedCall {
        PausedCall {
            act: self.arrival.act().cloned(),
            app: self.arrival.app().clone(),
            query: self.query,
            identifiers: self.identifiers,
            from: self.from,
            lang: self.lang,
        }
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

/// A call that has been answered in part, and holds no connection.
pub(crate) struct PausedCall {
    act: Option<Rc<Act>>,
    app: App,
    query: BoundQuery,
    identifiers: Identifiers,
    from: IpAddr,
    lang: Lang,
}

impl PausedCall {
    /// The call with connections of its own, at the present time.
    ///
    /// # Errors
    /// Those of the host's settings and connections.
    pub(crate) async fn resume(&self) -> Result<Call, Error> {
        let arrival = Arrival::now(&self.app).await?;
        if let Some(act) = &self.act {
            arrival.begin_act(Rc::clone(act));
        }
        Ok(Call {
            connections: arrival.connect().await?,
            arrival,
            query: self.query.clone(),
            identifiers: self.identifiers,
            from: self.from,
            lang: self.lang,
        })
    }

    /// The operation and its conditions.
    pub(crate) fn query(&self) -> &BoundQuery {
        &self.query
    }

    /// Notes in the operator's log what operations could not open in this part of the call.
    pub(crate) fn note_unreadable(&self, call: &Call) {
        if let Some(unreadable) = call.arrival.found().take_unreadable() {
            self.host()
                .log(&crate::log::unreadable(self.query.operation(), "", &unreadable));
        }
    }

    /// The program that runs the router.
    pub(crate) fn host(&self) -> &dyn Host {
        self.app.host()
    }

    /// The cursor of the page that begins after this key.
    pub(crate) fn cursor(&self, key: &str) -> String {
        self.query.cursor(key)
    }

    /// The language the caller reads.
    pub(crate) fn lang(&self) -> Lang {
        self.lang
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
                query: BoundQuery::of(parts)?,
                identifiers: Identifiers::InFull,
                from,
                lang,
            })
        })
    }
}

impl Extractor for Call {}
