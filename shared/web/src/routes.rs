//! From annotated handlers to a router, and from a router to a service with its layers.
//!
//! `#[utoipa::path]` gives the path and the method of an operation, `routes!` its name; the extractors of its handler
//! say who may call it and what it reads. The layers around it follow from these, so that no table has to agree with
//! them.
//!
//! What documents an operation is part of the program only with the feature `openapi`: no component needs it, and it
//! would be a sixth of a large one.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::header::ALLOW;
use http::{HeaderValue, Method};
use send_wrapper::SendWrapper;
use utoipa::__dev::SchemaReferences;
use utoipa::openapi::HttpMethod;

use super::handler::{Local, LocalHandler};
use super::host::App;
use super::layers::{
    Arrival, ArrivalLayer, CallLog, Called, CalledOperation, CallerLanguage, Limits, MiddlewareLayer,
    OperatorLog, PathOperations, RateLimit, RefusedBudget, RequestIds, RequirePermission, RequireSecret,
    RequireStaff, RequireToken, TrueAddress, calling_staff, found, is_secret_right,
};
use super::operation::{Access, Operation};
use super::refusal::Refusal;
use domain::error::{Error, Reason};

/// The routes of handlers on one path, which differ in their methods, with the names of their operations. A name is the
/// same for GET and POST where both do the same.
///
/// A handler is an `async fn` with `#[utoipa::path]`, here or in a module:
/// `routes!(apply as "write.apply", apply_by_post as "write.apply")` or `routes!(messages::find as "admin.callbacks")`.
#[macro_export]
macro_rules! routes {
    ($($($segment:ident)::+ as $name:literal),+ $(,)?) => {
        $crate::on_one_path([$($crate::route!($name, $($segment)::+)),+])
    };
}

/// The route of one handler.
#[doc(hidden)]
#[macro_export]
macro_rules! route {
    ($name:literal, $handler:ident) => {
        $crate::paste! { $crate::Route::of::<[<__path_ $handler>], _, _>($name, $handler) }
    };
    ($name:literal, $module:ident :: $handler:ident) => {
        $crate::paste! { $crate::Route::of::<$module::[<__path_ $handler>], _, _>($name, $module::$handler) }
    };
}

/// The route of one handler.
pub struct Route {
    methods: Vec<HttpMethod>,
    called: Arc<Operation>,
    router: MethodRouter<App>,
    #[cfg(feature = "openapi")]
    documented: Option<crate::documented::Documented>,
}

impl Route {
    /// The route of a handler that `P` documents, for the operation called `name`.
    pub fn of<P, H, T>(name: &str, handler: H) -> Self
    where
        P: utoipa::Path + SchemaReferences,
        H: LocalHandler<T> + Send + Sync,
        T: 'static,
    {
        let methods = P::methods();
        let router = on(filter(&methods), Local::new(handler));
        let operation = Operation {
            name: name.to_owned(),
            path: P::path(),
            access: H::ACCESS,
            content: H::CONTENT,
        };
        let route = Self::around(operation, methods, router);
        #[cfg(feature = "openapi")]
        let route = Self {
            documented: Some(crate::documented::Documented::of::<P>(&route.called)),
            ..route
        };
        route
    }

    // Not part of `of`, which is compiled for each handler.
    #[inline(never)]
    fn around(operation: Operation, methods: Vec<HttpMethod>, router: MethodRouter<App>) -> Self {
        let called = Arc::new(operation);
        Self {
            methods,
            router: surrounded(router, &called),
            called,
            #[cfg(feature = "openapi")]
            documented: None,
        }
    }
}

/// The layers of one operation: those of its access, and those that every operation has. They are one type, so that a
/// component holds them once.
fn surrounded(router: MethodRouter<App>, called: &Arc<Operation>) -> MethodRouter<App> {
    let permission = match called.access {
        Access::Client(permission) => Some(permission),
        Access::Anyone | Access::SignIn | Access::Staff(_) | Access::Secret(_) => None,
    };
    let staff = match called.access {
        Access::Staff(right) => Some(RequireStaff(right)),
        _ => None,
    };
    let is_secret = matches!(called.access, Access::Secret(_));
    let is_open = called.access == Access::Anyone;
    let rate_limit = |permission| RateLimit {
        operation: Arc::clone(called),
        permission,
    };
    router.route_layer((
        MiddlewareLayer(CalledOperation(Arc::clone(called))),
        MiddlewareLayer(is_secret.then(|| RequireSecret(Arc::clone(called)))),
        MiddlewareLayer(staff),
        MiddlewareLayer(Limits(Arc::clone(called))),
        MiddlewareLayer(permission.map(|_| RequireToken)),
        MiddlewareLayer(permission.map(RequirePermission)),
        MiddlewareLayer(permission.map(rate_limit)),
        MiddlewareLayer(is_open.then(|| RefusedBudget(Arc::clone(called)))),
    ))
}

/// The names of reasons, for the documentation of an operation (`x-reasons`).
#[must_use]
pub fn codes(reasons: &[Reason]) -> Vec<&'static str> {
    reasons.iter().map(|reason| reason.code()).collect()
}

fn filter(methods: &[HttpMethod]) -> MethodFilter {
    if methods.contains(&HttpMethod::Post) {
        MethodFilter::POST
    } else {
        MethodFilter::GET
    }
}

/// The routes of one path.
pub struct OnePath {
    leads: Arc<[(Method, Arc<Operation>)]>,
    router: MethodRouter<App>,
    #[cfg(feature = "openapi")]
    documented: Vec<crate::documented::Documented>,
}

/// Joins the routes of one path. Every other method is refused, HEAD and OPTIONS too: axum would answer HEAD with the
/// handler of GET, and some of those change something.
#[must_use = "routes do nothing until they are part of a router"]
pub fn on_one_path<const N: usize>(routes: [Route; N]) -> OnePath {
    let mut router = MethodRouter::new();
    let mut leads = Vec::new();
    #[cfg(feature = "openapi")]
    let mut documented = Vec::new();
    for route in routes {
        let is_post = route.methods.contains(&HttpMethod::Post);
        leads.push((if is_post { Method::POST } else { Method::GET }, route.called));
        router = router.merge(route.router);
        #[cfg(feature = "openapi")]
        documented.extend(route.documented);
    }
    let called = leads.first().map(|(_, called)| Called(Arc::clone(called)));
    let called = called.unwrap_or_default();
    let allowed: Vec<&str> = leads.iter().map(|(method, _)| method.as_str()).collect();
    let allowed = allowed.join(", ");
    let not_allowed = move || std::future::ready(not_allowed(&allowed, called.clone()));
    let router = router
        .on(MethodFilter::HEAD, not_allowed.clone())
        .fallback(not_allowed);
    OnePath {
        leads: leads.into(),
        router,
        #[cfg(feature = "openapi")]
        documented,
    }
}

/// The routes of a component.
#[derive(Default)]
pub struct Routes {
    paths: Vec<OnePath>,
}

impl Routes {
    /// No routes yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the routes of one path.
    #[must_use]
    pub fn routes(mut self, path: OnePath) -> Self {
        self.paths.push(path);
        self
    }

    /// Adds the routes of another component.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.paths.extend(other.paths);
        self
    }

    /// The paths and schemas of the operations, as OpenAPI.
    #[cfg(feature = "openapi")]
    #[must_use]
    pub fn into_openapi(self) -> utoipa::openapi::OpenApi {
        crate::documented::openapi(self.paths.into_iter().flat_map(|path| path.documented))
    }
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
async fn nowhere(request: Request, serves_staff: bool) -> Response {
    let arrival = found::<Arrival>(request.extensions()).ok();
    let is_open = arrival.is_some_and(|arrival| !arrival.settings().has_secret());
    let has_secret = || arrival.is_some_and(|arrival| is_secret_right(&request, arrival.settings()));
    let refusal = if is_open {
        None
    } else if serves_staff {
        calling_staff(&request).await.err()
    } else {
        (!has_secret()).then(|| Reason::CredentialWrong.into())
    };
    refusal
        .unwrap_or_else(|| Reason::RouteUnknown.into())
        .into_response()
}

/// A router with the layers that every request passes.
pub fn service(routes: Routes, app: App) -> Router {
    let layers = (
        MiddlewareLayer(RequestIds(app.clone())),
        MiddlewareLayer(CallerLanguage),
        MiddlewareLayer(OperatorLog(app.clone())),
        MiddlewareLayer(ArrivalLayer(app.clone())),
        MiddlewareLayer(CallLog(app.clone())),
        MiddlewareLayer(TrueAddress),
    );
    let around = |leads: Arc<[(Method, Arc<Operation>)]>, router: MethodRouter<App>| {
        router.layer((MiddlewareLayer(PathOperations(leads)), layers.clone()))
    };
    let mut leads = routes.paths.iter().flat_map(|path| path.leads.iter());
    let serves_staff = leads.any(|(_, operation)| matches!(operation.access, Access::Staff(_)));
    let unknown = move |request: Request| SendWrapper::new(nowhere(request, serves_staff));
    let nowhere = around(Arc::default(), MethodRouter::new().fallback(unknown));
    let mut router = Router::new().fallback_service(nowhere.with_state::<()>(app.clone()));
    for path in routes.paths {
        if let Some((_, first)) = path.leads.first() {
            let name = first.path.clone();
            router = router.route(&name, around(path.leads, path.router));
        }
    }
    router.with_state(app)
}
