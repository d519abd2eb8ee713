//! A running application: its routes, its components, and how a request reaches one of them.
//!
//! Knows nothing about sockets. Requests from outside and from other components take the same way.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Context as _;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};
use wasmtime_wasi_http::WasiBody;
use wasmtime_wasi_http::handler::ProxyHandler;

use crate::headers;
use crate::host_state::HostState;
use crate::instance::InstanceFactory;
use crate::manifest::Application;
use crate::outbound::{ChainedResponse, ServiceChaining};
use crate::router::{Match, Router};

/// Paths below this one are answered by the host, whatever the routes say.
const WELL_KNOWN: &str = "/.well-known/spin/";

/// What a component sees as the client's address when another component calls it.
const CHAINED_CLIENT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// The routes and components of an application, with the state they share.
pub(crate) struct App {
    pub(crate) about: Application,
    pub(crate) router: Router,
    /// Components with an HTTP trigger, public or private.
    pub(crate) handlers: BTreeMap<String, ProxyHandler<InstanceFactory>>,
    pub(crate) host: Arc<HostState>,
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

    /// Passes a request to the component of the route. A request without a usable authority is answered
    /// 400, a component that fails 500.
    async fn dispatch(
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

impl ServiceChaining for App {
    fn call_component(&self, name: String, request: Request<WasiBody>) -> ChainedResponse<'_> {
        Box::pin(async move {
            if !self.handlers.contains_key(&name) {
                return None;
            }
            let route = Match::chained(name, request.uri().path());
            Some(self.dispatch(route, request, CHAINED_CLIENT).await)
        })
    }
}

/// A response of the host itself, without a body.
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
