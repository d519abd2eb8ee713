//! A running application: its components, and the way of a request to one of them.
//!
//! Knows nothing about sockets; requests from outside and from other components arrive here alike.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::allowed_hosts::AllowedHosts;
use crate::bindings::spin::variables::variables;
use crate::clock::Clock;
use crate::headers;
use crate::key_value::Stores;
use crate::logs::LogSink;
use crate::manifest::{self, Application};
use crate::outbound::Outbound;
use crate::router::{Match, Router};
use crate::runtime_config::Location;
use crate::variables::{Variables, check_name};
use crate::worker::{Guest, GuestData, Instances};

/// Paths below this one are answered by the host, whatever the routes say.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// One component, with what the manifest grants it.
pub(crate) struct Component {
    pub(crate) name: Arc<str>,
    pub(crate) sqlite_databases: BTreeSet<String>,
    pub(crate) key_value_stores: BTreeSet<String>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) allowed_hosts: AllowedHosts,
    variables: BTreeMap<String, String>,
}

impl Component {
    /// Takes a component's table, with every template rendered.
    pub(crate) fn new(name: &str, table: &manifest::Component, values: &Variables) -> anyhow::Result<Self> {
        let build = || -> anyhow::Result<Self> {
            table.variables.keys().try_for_each(|name| check_name(name))?;
            let render = |(name, template): (&String, &String)| Ok((name.clone(), values.render(template)?));
            let hosts = table
                .allowed_outbound_hosts
                .iter()
                .map(|host| values.render(host));
            Ok(Self {
                name: name.into(),
                sqlite_databases: table.sqlite_databases.clone(),
                key_value_stores: table.key_value_stores.clone(),
                environment: table.environment.clone(),
                allowed_hosts: AllowedHosts::parse(&hosts.collect::<anyhow::Result<Vec<_>>>()?)?,
                variables: table
                    .variables
                    .iter()
                    .map(render)
                    .collect::<anyhow::Result<_>>()?,
            })
        };
        build().with_context(|| format!("the component {name:?}"))
    }
}

/// Everything that lives as long as the application does.
pub(crate) struct App {
    pub(crate) about: Application,
    pub(crate) router: Router,
    /// Components with an HTTP trigger, public or private.
    pub(crate) handlers: BTreeMap<String, ProxyHandler<Instances>>,
    pub(crate) databases: BTreeMap<String, Location>,
    pub(crate) stores: Stores,
    pub(crate) outbound: Outbound,
    pub(crate) log_sink: LogSink,
    pub(crate) clock: Option<Clock>,
    /// Where this host listens; self requests go there.
    pub(crate) address: SocketAddr,
    /// No new work: idle instances end.
    pub(crate) closing: CancellationToken,
    /// No more work: all instances end.
    pub(crate) killed: CancellationToken,
    /// Counts the living instances.
    pub(crate) workers: TaskTracker,
}

impl App {
    /// Answers a request from outside.
    pub(crate) async fn handle(
        &self,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        headers::strip(request.headers_mut());
        if let Some(name) = request.uri().path().strip_prefix(WELL_KNOWN) {
            return self.well_known(name);
        }
        match self.router.find(request.uri().path()) {
            Some(route) => self.dispatch(route, request, client).await,
            None => empty(StatusCode::NOT_FOUND),
        }
    }

    /// Passes a request to the component of the route; a failing component answers 500.
    pub(crate) async fn dispatch(
        &self,
        route: Match,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> Response<WasiBody> {
        let uri = match headers::absolute_uri(request.uri(), request.headers()) {
            Ok(uri) => uri,
            Err(error) => {
                tracing::debug!("request refused: {error:#}");
                return empty(StatusCode::BAD_REQUEST);
            }
        };
        *request.uri_mut() = uri;
        match self.run(&route, request, client).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(component = route.component, "request failed: {error:#}");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        }
    }

    async fn run(
        &self,
        route: &Match,
        mut request: Request<WasiBody>,
        client: SocketAddr,
    ) -> anyhow::Result<Response<WasiBody>> {
        let handler = self.handlers.get(&route.component).context("no such component")?;
        let uri = request.uri().clone();
        headers::append(request.headers_mut(), &uri, route, client)?;
        Ok(handler.handle((), request).await?)
    }

    fn well_known(&self, name: &str) -> Response<WasiBody> {
        match name {
            "health" => Response::new(body("OK")),
            "info" => {
                let mut info = serde_json::Map::new();
                info.insert("name".to_owned(), self.about.name.clone().into());
                if let Some(version) = &self.about.version {
                    info.insert("version".to_owned(), version.clone().into());
                }
                let text = format!("{:#}", serde_json::Value::Object(info));
                let mut response = Response::new(body(text));
                let json = http::HeaderValue::from_static("application/json");
                response.headers_mut().insert(http::header::CONTENT_TYPE, json);
                response
            }
            _ => empty(StatusCode::NOT_FOUND),
        }
    }
}

/// A response of the host's own, without a body.
pub(crate) fn empty(status: StatusCode) -> Response<WasiBody> {
    let mut response = Response::new(body(Bytes::new()));
    *response.status_mut() = status;
    response
}

fn body(content: impl Into<Bytes>) -> WasiBody {
    Full::new(content.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

impl variables::Host for Guest {}

impl<T: Send + 'static> variables::HostWithStore<T> for GuestData {
    async fn get(
        accessor: &wasmtime::component::Accessor<T, Self>,
        name: String,
    ) -> Result<String, variables::Error> {
        check_name(&name).map_err(|error| variables::Error::InvalidName(error.to_string()))?;
        let component = accessor.with(|mut access| access.get().component.clone());
        component.variables.get(&name).cloned().ok_or_else(|| {
            variables::Error::Undefined(format!("no variable for {:?}.{name:?}", component.name))
        })
    }
}
