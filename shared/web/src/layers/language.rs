//! The language of the caller. Answers are written in it, whatever happened on the way.

use axum::extract::Request;
use axum::response::Response;

use super::{Inner, Middleware, Next, RequestId};
use crate::answer::written;
use crate::language::preferred;

/// Answers in the language that the caller prefers; Chinese unless English is preferred.
#[derive(Clone)]
pub(crate) struct CallerLanguage;

impl Middleware for CallerLanguage {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let lang = preferred(request.headers());
        let id = request.extensions().get::<RequestId>().cloned();
        request.extensions_mut().insert(lang);
        let response = next.run(request).await;
        written(response, lang, id.as_ref().map_or("", |id| &*id.0))
    }
}
