//! From annotated handlers to a router, and from a router to a service with its layers.
//!
//! `#[utoipa::path]` gives the path, the method and the name of an operation; the extractors of its handler say who
//! may call it and what it reads. The layers around it follow from these, so that no table has to agree with them.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::HeaderValue;
use http::header::ALLOW;
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::path::{Operation as Documented, Paths};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{HttpMethod, RefOr};
use utoipa_axum::PathItemExt as _;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::handler::{Local, LocalHandler};
use super::host::App;
use super::layers::{
    Around, Arrival, Arrivals, CallLog, Called, Calls, Languages, Limits, OperatorLog, RateLimit, RequestIds,
    RequirePermission, RequireSecret, RequireToken, TrueAddress, found, is_secret_right,
};
use super::operation::{Access, Operation};
use super::refusal::Refusal;
use domain::error::{Error, Reason};

/// Ends the `operation_id` of an operation that is called by GET as well.
const POST_SUFFIX: &str = ".post";
/// The scheme of a token as `Authorization: Bearer`.
pub const BEARER: &str = "bearer";
/// The scheme of a token as a parameter.
pub const TOKEN: &str = "token";

/// The routes of handlers on one path, which differ in their methods.
///
/// A handler is an `async fn` with `#[utoipa::path]`, here or in a module: `routes!(apply, apply_by_post)` or
/// `routes!(messages::find)`.
#[macro_export]
macro_rules! routes {
    ($($($name:ident)::+),+ $(,)?) => {
        $crate::on_one_path([$($crate::route!($($name)::+)),+])
    };
}

/// The route of one handler.
#[doc(hidden)]
#[macro_export]
macro_rules! route {
    ($handler:ident) => {
        $crate::paste! { $crate::Route::of::<[<__path_ $handler>], _, _>($handler) }
    };
    ($module:ident :: $handler:ident) => {
        $crate::paste! { $crate::Route::of::<$module::[<__path_ $handler>], _, _>($module::$handler) }
    };
}

/// The route of one handler.
pub struct Route {
    path: String,
    methods: Vec<HttpMethod>,
    documented: Documented,
    schemas: Vec<(String, RefOr<Schema>)>,
    called: Arc<Operation>,
    router: MethodRouter<App>,
}

impl Route {
    /// The route of a handler that `P` documents.
    pub fn of<P, H, T>(handler: H) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: LocalHandler<T> + Send + Sync,
        T: 'static,
    {
        let (path, methods) = (P::path(), P::methods());
        let mut documented = utoipa::openapi::path::Operation::default();
        let mut schemas = Vec::new();
        if !cfg!(target_family = "wasm") {
            documented = P::operation();
            P::schemas(&mut schemas);
        }
        let id = documented.operation_id.clone().unwrap_or_default();
        let called = Arc::new(Operation {
            name: id.strip_suffix(POST_SUFFIX).unwrap_or(&id).to_owned(),
            path: path.clone(),
            access: H::ACCESS,
            content: H::CONTENT,
        });
        documented.security = security(H::ACCESS);
        let filter = filter(&methods);
        let router = surrounded(on(filter, Local::new(handler)), &called);
        Self {
            path,
            methods,
            documented,
            schemas,
            called,
            router,
        }
    }
}

/// The layers of one operation.
fn surrounded(router: MethodRouter<App>, called: &Arc<Operation>) -> MethodRouter<App> {
    let (calls, limits) = (
        Around(Calls(Arc::clone(called))),
        Around(Limits(Arc::clone(called))),
    );
    match called.access {
        Access::Anyone => router.route_layer((calls, limits)),
        Access::Client(permission) => {
            let rate_limit = RateLimit {
                operation: Arc::clone(called),
                permission,
            };
            router.route_layer((
                calls,
                limits,
                Around(RequireToken),
                Around(RequirePermission(permission)),
                Around(rate_limit),
            ))
        }
        Access::Secret(_) => router.route_layer((calls, Around(RequireSecret(Arc::clone(called))), limits)),
    }
}

/// The names of reasons, for the documentation of an operation (`x-reasons`).
#[must_use]
pub fn codes(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.code()).collect()
}

/// How a caller shows that it may call.
fn security(access: Access) -> Option<Vec<SecurityRequirement>> {
    let none: [&str; 0] = [];
    match access {
        Access::Anyone => None,
        Access::Client(permission) => Some(
            [BEARER, TOKEN]
                .map(|scheme| SecurityRequirement::new(scheme, [permission.code()]))
                .to_vec(),
        ),
        Access::Secret(role) => Some(vec![SecurityRequirement::new(role.code(), none)]),
    }
}

fn filter(methods: &[HttpMethod]) -> MethodFilter {
    let filters = methods.iter().map(HttpMethod::to_method_filter);
    filters.reduce(MethodFilter::or).unwrap_or(MethodFilter::GET)
}

/// Joins the routes of one path. Every other method is refused, HEAD and OPTIONS too: axum would answer HEAD with the
/// handler of GET, and some of those change something.
#[must_use]
pub fn on_one_path<const N: usize>(routes: [Route; N]) -> UtoipaMethodRouter<App> {
    let (mut schemas, mut paths, mut router) = (Vec::new(), Paths::new(), MethodRouter::new());
    let mut allowed = Vec::new();
    let mut first = None;
    for route in routes {
        let names = route.methods.iter().map(|method| match method {
            HttpMethod::Get => "GET",
            HttpMethod::Post => "POST",
            _ => "",
        });
        allowed.extend(names.filter(|name| !name.is_empty()));
        schemas.extend(route.schemas);
        paths.add_path_operation(&route.path, route.methods, route.documented);
        router = router.merge(route.router);
        first.get_or_insert(route.called);
    }
    let called = first.map_or_else(Called::default, Called);
    let allowed = allowed.join(", ");
    let not_allowed = move || std::future::ready(not_allowed(&allowed, called.clone()));
    let router = router
        .on(MethodFilter::HEAD, not_allowed.clone())
        .fallback(not_allowed);
    (schemas, paths, router)
}

fn not_allowed(allowed: &str, called: Called) -> Response {
    let error = Error::new(Reason::MethodNotAllowed).with_detail(allowed, allowed);
    let mut response = Refusal::from(error).into_response();
    if let Ok(value) = HeaderValue::from_str(allowed) {
        response.headers_mut().insert(ALLOW, value);
    }
    response.extensions_mut().insert(called);
    response
}

/// A path that does not exist. Where the component has a secret, an unknown caller does not learn that.
async fn nowhere(request: Request) -> Response {
    let right = found::<Arrival>(request.extensions()).is_ok_and(|arrival| {
        !arrival.settings().has_secret() || is_secret_right(&request, arrival.settings())
    });
    let reason = if right {
        Reason::RouteUnknown
    } else {
        Reason::CredentialWrong
    };
    Refusal::from(reason).into_response()
}

/// A router with the layers that every request passes.
#[must_use]
pub fn service(router: OpenApiRouter<App>, app: App) -> Router {
    let (router, _) = router.split_for_parts();
    let layers = (
        Around(RequestIds(app.clone())),
        Around(Languages),
        Around(OperatorLog(app.clone())),
        Around(Arrivals(app.clone())),
        Around(CallLog(app.clone())),
        Around(TrueAddress),
    );
    router.fallback(nowhere).layer(layers).with_state(app)
}
