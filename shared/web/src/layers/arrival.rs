//! What a request finds: the configuration, its time, and the connections that it will use.

use std::cell::OnceCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::response::Response;
use send_wrapper::SendWrapper;

use super::{Inner, Middleware, Next, refused};
use crate::connections::{Connections, Db};
use crate::host::App;
use crate::settings::Settings;
use domain::Timestamp;
use domain::error::Error;
use operations::{Act, CallFacts, Context};

/// What a request finds. It lives as long as the request.
#[derive(Clone)]
pub(crate) struct Arrival(SendWrapper<Rc<Found>>);

struct Found {
    app: App,
    settings: Rc<Settings>,
    now: Timestamp,
    started: Instant,
    connections: OnceCell<Rc<Connections>>,
    found: CallFacts,
    act: OnceCell<Rc<Act>>,
}

impl Arrival {
    /// A request that arrives now.
    ///
    /// # Errors
    /// Those of the host's settings.
    pub(crate) async fn now(app: &App) -> Result<Self, Error> {
        Ok(Self(SendWrapper::new(Rc::new(Found {
            app: app.clone(),
            settings: app.host().settings().await?,
            now: app.host().now(),
            started: Instant::now(),
            connections: OnceCell::new(),
            found: CallFacts::default(),
            act: OnceCell::new(),
        }))))
    }

    pub(crate) fn app(&self) -> &App {
        &self.0.app
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.0.now
    }

    /// How long the request has taken so far.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// Takes the connections of the request, unless they were taken before. Not before the body is read, so that no
    /// connection is held while waiting for a caller.
    ///
    /// # Errors
    /// Those of the host's connections.
    pub(crate) async fn connect(&self) -> Result<Rc<Connections>, Error> {
        if let Some(connections) = self.0.connections.get() {
            return Ok(Rc::clone(connections));
        }
        let taken = Rc::new(Connections::take(&self.0.app).await?);
        // The steps of a request follow each other, so nobody set them meanwhile.
        let _ = self.0.connections.set(Rc::clone(&taken));
        Ok(taken)
    }

    /// What operations have found out about the call.
    pub(crate) fn found(&self) -> &CallFacts {
        &self.0.found
    }

    /// The inputs of operations, on these connections.
    pub(crate) fn context<'a>(&'a self, connections: &'a Connections) -> Context<'a, Db> {
        let settings = self.settings();
        let context = Context::new(
            (&connections.work, &connections.journal),
            &settings.vault,
            self.0.now,
            self.0.app.host().random(),
            &settings.zone,
        );
        context
            .logging(&connections.calls)
            .serving(settings.served_provinces)
            .limiting(self.0.app.host().limits())
            .sharing(&self.0.found)
            .acting(self.0.act.get().map(Rc::as_ref))
    }

    /// The request is an act of staff.
    pub(crate) fn begin_act(&self, act: Rc<Act>) {
        // A request passes the layer that begins it once.
        let _ = self.0.act.set(act);
    }

    /// The act of staff that the request is, for the audit trail.
    pub(crate) fn act(&self) -> Option<&Rc<Act>> {
        self.0.act.get()
    }
}

/// Lets every request arrive.
#[derive(Clone)]
pub(crate) struct ArrivalLayer(pub(crate) App);

impl Middleware for ArrivalLayer {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        match Arrival::now(&self.0).await {
            Ok(arrival) => {
                request.extensions_mut().insert(arrival);
                next.run(request).await
            }
            Err(error) => refused(error),
        }
    }
}
