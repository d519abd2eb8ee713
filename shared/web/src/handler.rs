//! Handlers: async functions of extractors. Their futures stay on their thread, because they hold resources of the
//! host, so axum's own blanket implementation does not take them.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use axum::extract::Request;
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use send_wrapper::SendWrapper;

use super::extract::{Extractor, refuse_parameters};
use super::host::App;
use super::operation::{Access, Content};

/// An async function that can be a handler, with the types of its parameters.
pub trait LocalHandler<T>: Clone + 'static {
    /// Who may call it, by its extractors.
    const ACCESS: Access;
    /// What its body holds, by its extractors.
    const CONTENT: Content;

    /// Runs the extractors in their order, and then the function. The first refusal ends it. Parameters that no
    /// extractor reads are refused before.
    fn run(self, request: Request, app: App) -> impl Future<Output = Response>;
}

/// A handler for axum.
pub(crate) struct Local<F, T> {
    function: F,
    parameters: PhantomData<fn() -> T>,
}

impl<F, T> Local<F, T> {
    pub(crate) fn new(function: F) -> Self {
        Self {
            function,
            parameters: PhantomData,
        }
    }
}

impl<F: Clone, T> Clone for Local<F, T> {
    fn clone(&self) -> Self {
        Self::new(self.function.clone())
    }
}

impl<F, T> Handler<T, App> for Local<F, T>
where
    F: LocalHandler<T> + Send + Sync,
    T: 'static,
{
    type Future = Pin<Box<dyn Future<Output = Response> + Send>>;

    fn call(self, request: Request, app: App) -> Self::Future {
        Box::pin(SendWrapper::new(self.function.run(request, app)))
    }
}

/// The first access that an extractor demands.
const fn access(demanded: &[Option<Access>]) -> Access {
    let mut at = 0;
    while at < demanded.len() {
        if let Some(access) = demanded[at] {
            return access;
        }
        at += 1;
    }
    panic!("no extractor of the handler says who may call it")
}

/// The content that an extractor reads from the body; parameters by default.
const fn content(read: &[Option<Content>]) -> Content {
    let mut at = 0;
    while at < read.len() {
        if let Some(content) = read[at] {
            return content;
        }
        at += 1;
    }
    Content::Parameters
}

macro_rules! local_handler {
    ($($parameter:ident),+) => {
        impl<F, R, $($parameter),+> LocalHandler<($($parameter,)+)> for F
        where
            F: AsyncFnOnce($($parameter),+) -> R + Clone + 'static,
            R: IntoResponse,
            $($parameter: Extractor,)+
        {
            const ACCESS: Access = access(&[$($parameter::ACCESS),+]);
            const CONTENT: Content = content(&[$($parameter::CONTENT),+]);

            #[expect(non_snake_case, reason = "the types name the values")]
            async fn run(self, request: Request, app: App) -> Response {
                let (mut parts, _) = request.into_parts();
                if !($($parameter::TAKES_PARAMETERS)||+)
                    && let Err(refusal) = refuse_parameters(&parts)
                {
                    return refusal.into_response();
                }
                $(
                    let $parameter = match $parameter::from_request_parts(&mut parts, &app).await {
                        Ok(value) => value,
                        Err(refusal) => return refusal.into_response(),
                    };
                )+
                self($($parameter),+).await.into_response()
            }
        }
    };
}

local_handler!(A);
local_handler!(A, B);
local_handler!(A, B, C);
local_handler!(A, B, C, D);
