//! A value in the path, such as the identifier in `/admin/v1/incidents/{id}`.

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use super::Extractor;
use crate::host::App;
use crate::refusal::{Problem, Refusal};
use crate::values::Kind;
use domain::error::{Error, Reason};

/// The only variable segment of the path, read as its kind.
#[derive(Debug)]
pub struct Segment<T>(pub T);

impl<T: Kind + 'static> FromRequestParts<App> for Segment<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, app).await;
        let params = params.map_err(|_| Reason::BadPercentEncoding)?;
        let Some((name, text)) = params.iter().next() else {
            return Err(Error::internal("the path has no variable segment").into());
        };
        match T::parse(text) {
            Ok(value) => Ok(Self(value)),
            Err(malformed) => Err(Problem::of_error(name, malformed.of(text)).into()),
        }
    }
}

impl<T: Kind + 'static> Extractor for Segment<T> {}
