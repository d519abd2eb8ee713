//! Bodies that are files, and bodies that are not looked at.

use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::request::Parts;

use super::Extractor;
use crate::host::App;
use crate::layers::{Document, found};
use crate::operation::Content;
use crate::refusal::Refusal;

macro_rules! bodies {
    ($($(#[$doc:meta])* $body:ident: $content:ident),+ $(,)?) => {$(
        $(#[$doc])*
        pub struct $body(pub Bytes);

        impl FromRequestParts<App> for $body {
            type Rejection = Refusal;

            async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
                let Document(bytes) = found(&parts.extensions)?;
                Ok(Self(bytes.clone()))
            }
        }

        impl Extractor for $body {
            const CONTENT: Option<Content> = Some(Content::$content);
        }
    )+};
}

bodies!(
    /// A table: CSV, or a workbook.
    Table: Table,
    /// JSON documents, one a line.
    Ndjson: Ndjson,
    /// A JSON document that is not looked at: timers send what they like.
    AnyBody: Json,
);
