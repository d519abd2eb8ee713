//! A native host within the process whose routers reach other components by their names, as Spin's service chaining does.

use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use bytes::Bytes;
use domain::Timestamp;
use domain::error::Error;
use http::Request;
use operations::Limits;
use vault::Random;
use web::{Connection, Host, LocalFuture, Purpose, Received, Settings};

use crate::router::{StillHost, call};

/// What is appended to the name of a component.
const SUFFIX: &str = ".spin.internal";

/// A host whose requests reach these components and nobody else.
pub struct ChainedHost {
    native: StillHost,
    components: Vec<(&'static str, Router)>,
}

impl ChainedHost {
    /// The host with these components.
    #[must_use]
    pub fn new(native: StillHost, components: Vec<(&'static str, Router)>) -> Self {
        Self { native, components }
    }
}

impl Host for ChainedHost {
    fn now(&self) -> Timestamp {
        self.native.now()
    }

    fn random(&self) -> &dyn Random {
        self.native.random()
    }

    fn settings(&self) -> LocalFuture<'_, Result<Rc<Settings>, Error>> {
        self.native.settings()
    }

    fn connection(&self, purpose: Purpose) -> LocalFuture<'_, Result<Connection, Error>> {
        self.native.connection(purpose)
    }

    fn limits(&self) -> &dyn Limits {
        self.native.limits()
    }

    fn sleep(&self, time: Duration) -> LocalFuture<'_, ()> {
        self.native.sleep(time)
    }

    fn spawn(&self, work: LocalFuture<'static, ()>) {
        self.native.spawn(work);
    }

    fn send(
        &self,
        request: Request<Bytes>,
        max_bytes: usize,
        _: Duration,
    ) -> LocalFuture<'_, Result<Received, &'static str>> {
        let called = request.uri().host().and_then(|host| host.strip_suffix(SUFFIX));
        let found = self.components.iter().find(|(name, _)| Some(*name) == called);
        let router = found.map(|(_, router)| router.clone());
        Box::pin(async move {
            let reply = call(&router.ok_or("refused")?, request).await;
            let mut body = reply.text.into_bytes();
            body.truncate(max_bytes.saturating_add(1));
            Ok(Received {
                status: reply.status,
                headers: reply.headers,
                body: Ok(body),
            })
        })
    }

    fn log(&self, line: &str) {
        self.native.log(line);
    }
}
