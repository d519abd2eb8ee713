//! The operations of the platform as an OpenAPI 3.1 document, as an HTML page, and as a list for tests.
//!
//! Everything comes from the routers: paths, parameters, bodies, answers and texts from the annotations of their
//! handlers, access from the types of the callers, refusals from these and from `domain::error::Reason`. A test keeps
//! the committed documents equal to the generated ones, and the contract tests compare the document with the platform.

#![forbid(unsafe_code)]

mod callback;
mod document;
mod example;
mod fields;
mod operation;
mod page;
mod reasons;
mod refusals;
mod routers;
mod schemas;

pub use document::{document, document_text};
pub use operation::{ExampleBody, Operation, Parameter, operations};
pub use page::page;
pub use reasons::reasons;
