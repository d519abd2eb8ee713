//! Extractors: what handlers take. Each says who may call it or what it reads from the body, so that the layers around
//! an operation follow from the parameters of its handler.

mod body;
mod call;
mod caller;
mod export;
mod json;
mod query;
mod segment;

pub use body::{AnyBody, Ndjson, Table};
pub use call::Call;
pub(crate) use call::PausedCall;
pub use caller::{Anyone, Caller, Gateway, Operator, Permit, SigningIn, Staff, Timer, permits, rights};
pub use export::{ExportOf, Exported};
pub use json::Json;
pub use query::Query;
pub(crate) use query::{MAX_VALUE_CHARS, checked, refuse_parameters, unbind};
pub use segment::Segment;

use axum::extract::FromRequestParts;

use super::host::App;
use super::operation::{Access, Content};
use super::refusal::Refusal;

/// An extractor of this crate.
pub trait Extractor: FromRequestParts<App, Rejection = Refusal> + 'static {
    /// Who may call an operation that takes it, if it says so.
    const ACCESS: Option<Access> = None;
    /// What the body of an operation that takes it holds, if it reads the body.
    const CONTENT: Option<Content> = None;
    /// Whether it reads the parameters of the call.
    const TAKES_PARAMETERS: bool = false;
}
