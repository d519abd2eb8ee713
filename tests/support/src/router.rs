//! The routers of components on a database of their own, called within the process.
//!
//! Stands for a component in its host: what it answers, and what it leaves in the database. It must not be asked for
//! what only a component shows: limits of the host, requests to others, what an instance costs.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use domain::Timestamp;
use http::{HeaderValue, Request};
use native_host::NativeHost;
use serde_json::Value;
use store::{Sqlite, migrate};
use tempfile::TempDir;
use tower_service::Service as _;
use web::{App, Host, Routes, Settings, Variables, service};

use crate::http::{Reply, TestRequest};
use crate::random::SeededRandom;
use crate::settings::{NOW, SECRET, variables};

/// The peer of every call; it belongs to no client and is no proxy.
const PEER: HeaderValue = HeaderValue::from_static("203.0.113.9:51000");

/// A native host whose time stands still.
pub type StillHost = NativeHost<fn() -> Timestamp, SeededRandom>;

/// A migrated database in a temporary folder, which goes with it.
pub struct TestDatabase {
    file: PathBuf,
    _folder: TempDir,
}

impl TestDatabase {
    /// A database without rows.
    pub async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("platform.db");
        migrate(&Sqlite::open(&file).unwrap(), NOW).await.unwrap();
        Self {
            file,
            _folder: folder,
        }
    }

    /// Its file.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.file.clone()
    }

    /// A host on it, at [`NOW`] and with the [`variables`] of the tests.
    #[must_use]
    pub fn host(&self) -> StillHost {
        self.host_with(&variables())
    }

    /// A host on it, at [`NOW`] and with these variables.
    #[must_use]
    pub fn host_with(&self, variables: &Variables) -> StillHost {
        let settings = Settings::from_variables(variables).unwrap();
        NativeHost::new(self.file.clone(), settings, || NOW, SeededRandom::new(1))
    }

    /// The same, with a clock of the test.
    #[must_use]
    pub fn host_at<C: Fn() -> Timestamp>(&self, clock: C) -> NativeHost<C, SeededRandom> {
        self.host_of(&variables(), clock)
    }

    /// The same, with other variables.
    pub fn host_of<C: Fn() -> Timestamp>(
        &self,
        variables: &Variables,
        clock: C,
    ) -> NativeHost<C, SeededRandom> {
        let settings = Settings::from_variables(variables).unwrap();
        NativeHost::new(self.file.clone(), settings, clock, SeededRandom::new(1))
    }
}

/// A router, and the database that it alone uses.
pub struct TestRouter {
    router: Router,
    language: Option<&'static str>,
    _database: TestDatabase,
}

impl TestRouter {
    /// These routes on a new database. They reach nobody else.
    pub async fn new(routes: Routes) -> Self {
        let database = TestDatabase::new().await;
        let host = database.host();
        Self::on(database, routes, host)
    }

    /// These routes on a database, in a host of the test.
    pub fn on(database: TestDatabase, routes: Routes, host: impl Host + 'static) -> Self {
        Self {
            router: service(routes, App::new(host)),
            language: None,
            _database: database,
        }
    }

    /// The same router, whose callers ask for another language than the default.
    #[must_use]
    pub fn in_language(self, language: &'static str) -> Self {
        Self {
            language: Some(language),
            ..self
        }
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: TestRequest) -> Reply {
        let request = match self.language {
            Some(language) => request.with("accept-language", language),
            None => request,
        };
        call(&self.router, request.into_http("").unwrap()).await
    }

    /// What an administrator reads.
    pub async fn get(&self, path: &str) -> Value {
        self.send(TestRequest::get(path).bearer(SECRET)).await.body
    }

    /// The answer to a document of an administrator.
    pub async fn post(&self, path: &str, document: &Value) -> Value {
        self.send(TestRequest::document(path, document).bearer(SECRET))
            .await
            .body
    }

    /// The answer to a file of an administrator.
    pub async fn import(&self, path: &str, csv: &str) -> Value {
        self.send(TestRequest::post(path, "text/csv", csv).bearer(SECRET))
            .await
            .body
    }
}

/// Calls a router as Spin does: the request says where it came from.
pub async fn call(router: &Router, mut request: Request<Bytes>) -> Reply {
    request.headers_mut().insert("spin-client-addr", PEER);
    let response = router.clone().call(request.map(Body::from)).await.unwrap();
    Reply::read(response).await.unwrap()
}
