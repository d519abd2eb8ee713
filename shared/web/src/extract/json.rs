//! A JSON document in the body. Every problem of it is reported with its field.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;

use super::Extractor;
use crate::host::App;
use crate::layers::{Document, found};
use crate::operation::Content;
use crate::query::decode_object;
use crate::read::{once_each, read};
use crate::refusal::Refusal;

/// The document in the body. Its type refuses unknown fields.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequestParts<App> for Json<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let Document(bytes) = found(&parts.extensions)?;
        let (fields, problems) = once_each(decode_object(bytes)?);
        read(fields, problems).map(Self)
    }
}

impl<T: DeserializeOwned + 'static> Extractor for Json<T> {
    const CONTENT: Option<Content> = Some(Content::Json);
}
