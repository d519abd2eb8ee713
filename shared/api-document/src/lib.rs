//! The interfaces of clause 7.2 and the callback of clause 7.3 as an OpenAPI 3.1 document and as a page to read.
//!
//! Paths, parameters, methods, limits and refusals come from the tables the code itself works by
//! (`web::interface`, `error::Reason`). What only people need to know stands beside the names: in `fields.rs` for
//! interfaces and parameters, in `answers.rs` for answers and the callback. A test keeps the committed documents equal
//! to what is made here, and the contract tests keep what is made here equal to what the platform does.

#![forbid(unsafe_code)]

mod answers;
mod document;
mod fields;
mod operation;
mod page;

pub use document::document;
pub use page::page;
