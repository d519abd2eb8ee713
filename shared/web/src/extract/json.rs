//! A JSON document in the body. Every problem of it is reported with its field.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::Extractor;
use crate::host::App;
use crate::layers::{Document, found};
use crate::operation::Content;
use crate::query::decode_object;
use crate::read::{Sent, once_each, read};
use crate::refusal::{Problem, Refusal};

/// The document in the body. Its type refuses unknown fields. It is not shown in `Debug`: it may hold secrets.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + ToSchema + 'static> FromRequestParts<App> for Json<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let (fields, problems) = fields(parts)?;
        let sent: Vec<String> = fields.iter().map(|(name, _)| name.clone()).collect();
        read(fields, problems)
            .map(Self)
            .map_err(|refusal| with_missing(refusal, &required::<T>(), &sent))
    }
}

impl<T: DeserializeOwned + ToSchema + 'static> Extractor for Json<T> {
    const CONTENT: Option<Content> = Some(Content::Json);
}

/// Fields in their order, and the problems of their names.
type Fields = (Vec<(String, Sent)>, Vec<Problem>);

/// The fields of the document. Not part of the extractor, which is compiled for each type.
#[inline(never)]
fn fields(parts: &Parts) -> Result<Fields, Refusal> {
    let Document(bytes) = found(&parts.extensions)?;
    let fields = decode_object(bytes)?.into_iter();
    Ok(once_each(
        fields.map(|(name, value)| (name, Sent(value))).collect(),
    ))
}

#[inline(never)]
fn with_missing(refusal: Refusal, required: &[String], sent: &[String]) -> Refusal {
    let missing = required.iter().filter(|name| !sent.contains(name));
    refusal.with_missing(missing.map(String::as_str))
}

/// The fields that the documentation of a document requires. Reading stops at the first one that is missing.
fn required<T: ToSchema>() -> Vec<String> {
    match T::schema() {
        RefOr::T(Schema::Object(object)) => object.required,
        _ => Vec::new(),
    }
}
