//! The interfaces of clause 7.2 and the callback of clause 7.3 as an OpenAPI 3.1 document and as an HTML page.
//!
//! Paths, parameters, methods, limits and refusals come from the tables that the code uses (`web::interface`,
//! `domain::error::Reason`). Texts for people stand in `fields.rs`. A test keeps the committed documents equal to the
//! generated ones, and the contract tests compare the document with the platform.

#![forbid(unsafe_code)]

mod answers;
mod document;
mod fields;
mod operation;
mod page;

pub use document::document;
pub use page::page;
