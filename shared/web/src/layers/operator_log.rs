//! The operator's log: a line for each refusal that concerns the operator.

use axum::extract::Request;
use axum::response::Response;

use super::{Called, CallerAddress, Inner, Middleware, Next, RequestId};
use crate::answer::Refused;
use crate::host::App;
use crate::log;

/// Logs refusals that have a cause or are failures of the platform.
#[derive(Clone)]
pub(crate) struct OperatorLog(pub(crate) App);

impl Middleware for OperatorLog {
    async fn pass<S: Inner>(&self, request: &mut Request, next: Next<'_, S>) -> Response {
        let id = request.extensions().get::<RequestId>().cloned();
        let led = request.extensions().get::<Called>().cloned();
        let response = next.run(request).await;
        let extensions = response.extensions();
        if let Some(Refused(refusal)) = extensions.get() {
            let called: Called = extensions.get().cloned().or(led).unwrap_or_default();
            let from = extensions.get::<CallerAddress>().map(|from| from.0);
            let id = id.as_ref().map_or("", |id| &*id.0);
            if let Some(line) = log::line(&called.0.name, id, from, refusal) {
                self.0.host().log(&line);
            }
        }
        response
    }
}
