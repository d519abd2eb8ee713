//! The parameters of an export: the conditions of a list, and the format of the file. The pages that a list is read in are
//! not the caller's concern.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::{Extractor, checked, unbind};
use crate::host::App;
use crate::read::{Text, read};
use crate::refusal::{Problem, Refusal};
use crate::values::{ExportFormat, Format, Kind as _};
use domain::error::Reason;

/// The parameter of lists that exports do not have.
const LIMIT_PARAMETER: &str = "limit";
const FORMAT_PARAMETER: &str = "format";

/// The parameters of an export of the list that `T` searches.
pub struct Exported<T> {
    /// Conditions, and where the export begins.
    pub search: T,
    /// Format of the file.
    pub format: Format,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it documents the parameter")]
struct FormatOfFile {
    /// 文件格式 / format of the file
    #[param(inline)]
    format: ExportFormat,
}

/// What documents the parameters of an export.
pub struct ExportOf<T>(PhantomData<T>);

impl<T: IntoParams> IntoParams for ExportOf<T> {
    fn into_params(parameter_in: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = FormatOfFile::into_params(&parameter_in);
        parameters.extend(T::into_params(parameter_in));
        parameters.retain(|parameter| parameter.name != LIMIT_PARAMETER);
        parameters
    }
}

impl<T: IntoParams + DeserializeOwned + 'static> FromRequestParts<App> for Exported<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let (mut values, mut problems) = checked::<ExportOf<T>>(parts)?;
        problems.extend(unbind(parts, &mut values)?);
        let (format, values): (Vec<_>, _) =
            values.into_iter().partition(|(name, _)| name == FORMAT_PARAMETER);
        let format = format.into_iter().next().map(|(_, Text(text))| {
            Format::parse(&text).map_err(|malformed| Problem::of_error(FORMAT_PARAMETER, malformed.of(&text)))
        });
        let format = format.transpose().unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        // What is missing is among the problems.
        let search = read(values, problems)?;
        let format = format.ok_or_else(|| Refusal::of_field(FORMAT_PARAMETER, Reason::ParameterMissing))?;
        Ok(Self { search, format })
    }
}

impl<T: IntoParams + DeserializeOwned + 'static> Extractor for Exported<T> {
    const TAKES_PARAMETERS: bool = true;
}
