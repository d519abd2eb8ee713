//! Requests to others, over the host: to receivers of messages, to the operator's own interface, and to another
//! component.
//!
//! Each has a limit in time and in bytes. Never follow a redirect.

mod component;
mod guard;
mod operator;
mod post;
mod spreadsheet;

pub use component::call_component;
pub use guard::{BLOCKED, Guard};
pub use operator::{fresh_number, fresh_open_time};
pub use post::{POST_SECS, Posted, post};
pub use spreadsheet::table_as_csv;

use http::HeaderMap;

use domain::error::Reason;

/// An answer from outside.
#[derive(Debug)]
pub struct Received {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body up to the limit and one byte more; or why it could not be read. Status and headers count either way.
    pub body: Result<Vec<u8>, Reason>,
}
