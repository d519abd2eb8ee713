//! Where a component's HTTP request goes: to the outside, to this host itself, or to another component.
//!
//! Nothing leaves that `allowed_outbound_hosts` does not name.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpHooks};

use crate::allowed_hosts::{Target, target};
use crate::component::Component;
use crate::host_state::HostState;

type ResponseFuture = dyn Future<Output = Result<(Response<WasiBody>, Box<IoFuture>), Error>> + Send;
type IoFuture = dyn Future<Output = Result<(), Error>> + Send;

/// The response of another component; `None` when there is no component of that name.
pub(crate) type ChainedResponse<'a> = Pin<Box<dyn Future<Output = Option<Response<WasiBody>>> + Send + 'a>>;

/// Passes a request from one component to another of the same application.
pub(crate) trait ServiceChaining: Send + Sync {
    /// Sends the request to the component of that name.
    fn call_component(&self, name: String, request: Request<WasiBody>) -> ChainedResponse<'_>;
}

/// Sends the requests of one instance.
pub(crate) struct OutboundHooks {
    host: Arc<HostState>,
    chaining: Arc<dyn ServiceChaining>,
    component: Arc<Component>,
}

impl OutboundHooks {
    /// Creates the hooks for an instance of the component.
    pub(crate) fn new(
        host: Arc<HostState>,
        chaining: Arc<dyn ServiceChaining>,
        component: Arc<Component>,
    ) -> Self {
        Self {
            host,
            chaining,
            component,
        }
    }
}

impl WasiHttpHooks for OutboundHooks {
    fn set_host_header(&mut self) -> bool {
        false
    }

    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Box<IoFuture>,
    ) -> Box<ResponseFuture> {
        let (host, chaining) = (self.host.clone(), self.chaining.clone());
        let component = self.component.clone();
        Box::new(async move {
            let options = options.unwrap_or_default();
            let response = send(&host, &*chaining, &component, request, &options).await?;
            Ok((response, Box::new(async { Ok(()) }) as Box<IoFuture>))
        })
    }
}

async fn send(
    host: &HostState,
    chaining: &dyn ServiceChaining,
    component: &Component,
    mut request: Request<WasiBody>,
    options: &RequestOptions,
) -> Result<Response<WasiBody>, Error> {
    if !component.allowed_hosts.allow(request.uri()) {
        let uri = request.uri();
        tracing::warn!(
            component = &*component.name,
            "outbound request denied: allowed_outbound_hosts has no \"{}://{}\"",
            uri.scheme_str().unwrap_or_default(),
            uri.authority().map_or("", Authority::as_str),
        );
        return Err(Error::HttpRequestDenied);
    }
    request.headers_mut().remove(HOST);
    match target(request.uri()) {
        Target::Outside => host.http_client.send(request, options).await,
        Target::Itself => {
            *request.uri_mut() = own_uri(host.address, request.uri())?;
            host.http_client.send(request, options).await
        }
        Target::Component(name) => chaining
            .call_component(name, request)
            .await
            .ok_or(Error::DestinationNotFound),
    }
}

fn own_uri(address: SocketAddr, uri: &Uri) -> Result<Uri, Error> {
    let mut parts = uri.clone().into_parts();
    parts.scheme = Some(Scheme::HTTP);
    parts.authority =
        Some(Authority::try_from(address.to_string()).map_err(|_| Error::HttpRequestUriInvalid)?);
    Uri::from_parts(parts).map_err(|_| Error::HttpRequestUriInvalid)
}
