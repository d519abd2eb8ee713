//! Parameters that an operation checks itself, because one of them says which others are read (§7.2.2.2): they reach
//! the operation as they were sent, and its refusal gets the names of all that are wrong.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterIn};

use super::extract::{Extractor, checked};
use super::host::App;
use super::read::read;
use super::refusal::{Problem, Refusal};
use super::values::Kind;
use domain::error::{Error, Reason};

/// Parameters that know how to check themselves. Their fields are optional texts.
pub trait Checks {
    /// Each parameter, and what is wrong with it by itself.
    fn checked(&self) -> Vec<Checked>;
}

/// The parameters `T` of the call, of which none has to be there: the operation refuses a call without one that its
/// documentation requires. What is wrong with names and lengths is refused before, with every parameter that is wrong
/// by itself.
pub struct AsSent<T>(pub T);

impl<T: Checks + IntoParams + DeserializeOwned + 'static> FromRequestParts<App> for AsSent<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let (values, mut problems) = checked::<AsOptional<T>>(parts)?;
        let sent: T = read(values, Vec::new())?;
        if problems.is_empty() {
            return Ok(Self(sent));
        }
        for Checked { name, fault } in sent.checked() {
            let is_known = problems.iter().any(|known| known.field.as_deref() == Some(name));
            problems.extend(
                fault
                    .filter(|_| !is_known)
                    .map(|error| Problem::of_error(name, error)),
            );
        }
        Refusal::unless_empty(problems).map(|()| Self(sent))
    }
}

impl<T: Checks + IntoParams + DeserializeOwned + 'static> Extractor for AsSent<T> {
    const TAKES_PARAMETERS: bool = true;
}

/// The documentation of `T`, with nothing required.
struct AsOptional<T>(PhantomData<T>);

impl<T: IntoParams> IntoParams for AsOptional<T> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut parameters = T::into_params(place);
        for parameter in &mut parameters {
            parameter.required = Required::False;
        }
        parameters
    }
}

/// A parameter, and what is wrong with it by itself.
#[derive(Debug)]
pub struct Checked {
    name: &'static str,
    fault: Option<Error>,
}

impl Checked {
    /// A parameter of kind `K` that every call needs.
    #[must_use]
    pub fn required<K: Kind>(name: &'static str, sent: Option<&str>) -> Self {
        let missing = || Error::new(Reason::ParameterMissing).with_detail(name, name);
        Self {
            name,
            fault: sent.map_or_else(|| Some(missing()), fault::<K>),
        }
    }

    /// A parameter of kind `K` that some calls need.
    #[must_use]
    pub fn optional<K: Kind>(name: &'static str, sent: Option<&str>) -> Self {
        Self {
            name,
            fault: sent.and_then(fault::<K>),
        }
    }
}

fn fault<K: Kind>(text: &str) -> Option<Error> {
    K::parse(text).err().map(|malformed| malformed.of(text))
}

/// The refusal of an operation with these parameters. One because of a parameter names it, and then every other
/// parameter that is wrong.
#[must_use]
pub fn refusal(error: Error, parameters: impl IntoIterator<Item = Checked>) -> Refusal {
    let parameters: Vec<Checked> = parameters.into_iter().collect();
    let Some(decisive) = name_of(&error, &parameters) else {
        return error.into();
    };
    let others = parameters
        .into_iter()
        .filter(|parameter| parameter.name != decisive)
        .filter_map(|parameter| Some(Problem::of_error(parameter.name, parameter.fault?)));
    Refusal::of_problems(Problem::of_error(decisive, error), others)
}

/// The parameter that an operation refused, if it refused one. Its refusal of one that is missing or does not apply has
/// the name as its detail.
fn name_of(error: &Error, parameters: &[Checked]) -> Option<&'static str> {
    let reason = error.reason();
    let is_meant = |parameter: &&Checked| match reason {
        Reason::ParameterMissing | Reason::ParameterNotApplicable => {
            error.detail().is_some_and(|detail| detail.en == parameter.name)
        }
        _ => parameter
            .fault
            .as_ref()
            .is_some_and(|fault| fault.reason() == reason),
    };
    parameters.iter().find(is_meant).map(|parameter| parameter.name)
}

#[cfg(test)]
mod tests {
    use super::{AsOptional, Checked, refusal};
    use crate::refusal::Refusal;
    use domain::error::{Error, Lang, Reason};
    use domain::{Eid, Iccid, WriteType};
    use utoipa::IntoParams;
    use utoipa::openapi::Required;

    const EID: &str = "89086030202200000022000000000090";

    fn problems(refusal: &Refusal) -> Vec<(Option<&str>, Reason)> {
        refusal
            .problems()
            .map(|problem| (problem.field.as_deref(), problem.error.reason()))
            .collect()
    }

    fn application(eid: Option<&str>, write_type: Option<&str>, iccid: Option<&str>) -> [Checked; 3] {
        [
            Checked::required::<Eid>("eid", eid),
            Checked::required::<WriteType>("write_type", write_type),
            Checked::optional::<Iccid>("iccid", iccid),
        ]
    }

    #[test]
    fn a_malformed_parameter_is_named_and_so_is_every_other() {
        let error = Iccid::parse("1").unwrap_err().into();
        let refused = refusal(error, application(Some("2"), Some("2"), Some("1")));
        assert_eq!(
            problems(&refused),
            [
                (Some("iccid"), Reason::IccidMalformed),
                (Some("eid"), Reason::EidMalformed),
                (Some("write_type"), Reason::WriteTypeMalformed),
            ]
        );
        for problem in refused.problems() {
            assert_ne!(problem.error.message(Lang::Zh), problem.error.message(Lang::En));
        }
    }

    #[test]
    fn what_is_missing_or_does_not_apply_is_named_once() {
        let missing = Error::new(Reason::ParameterMissing).with_detail("eid", "eid");
        let refused = refusal(missing, application(None, None, None));
        assert_eq!(
            problems(&refused),
            [
                (Some("eid"), Reason::ParameterMissing),
                (Some("write_type"), Reason::ParameterMissing),
            ]
        );
        let not_applicable = Error::new(Reason::ParameterNotApplicable).with_detail("iccid", "iccid");
        let refused = refusal(not_applicable, application(Some(EID), Some("1"), Some("1")));
        assert_eq!(
            problems(&refused),
            [(Some("iccid"), Reason::ParameterNotApplicable)]
        );
    }

    #[test]
    fn a_refusal_for_another_reason_names_no_parameter() {
        let refused = refusal(
            Reason::UnknownChip.into(),
            application(Some(EID), Some("2"), Some("1")),
        );
        assert_eq!(problems(&refused), [(None, Reason::UnknownChip)]);
    }

    #[test]
    fn a_parameter_that_the_documentation_requires_may_be_left_to_the_operation() {
        #[derive(IntoParams)]
        #[expect(dead_code, reason = "only its documentation is read")]
        struct Application {
            #[param(value_type = String)]
            eid: Option<String>,
        }
        let required =
            |parameters: Vec<utoipa::openapi::path::Parameter>| parameters[0].required == Required::True;
        assert!(required(Application::into_params(|| None)));
        assert!(!required(AsOptional::<Application>::into_params(|| None)));
    }
}
