//! The parameters of a call (clause 7.2): in the query, and with a POST also as a form or as JSON. Every wrong
//! parameter is reported with its name, not just the first.
//!
//! Names, whether they are required and how long a value may be come from the type, which is also the documentation:
//! a parameter that is not documented is not known. One that is not known is refused, unless its name is among those
//! that are ignored.

use std::any::TypeId;
use std::cell::RefCell;
use std::rc::Rc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use utoipa::IntoParams;
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{RefOr, Required};

use super::Extractor;
use crate::credential::parameter_of;
use crate::cursor::{BoundQuery, CURSOR_PARAMETER};
use crate::host::App;
use crate::layers::{Arrival, Called, Pairs, found};
use crate::read::{Text, read};
use crate::refusal::{Problem, Refusal};
use domain::error::Reason;

/// Longest value of a parameter whose documentation states no other limit, in characters. It is longer than most
/// formats, so that a value that is only slightly wrong gets the explanation of `domain`.
pub(crate) const MAX_VALUE_CHARS: usize = 64;

/// The parameters of the call. They are not shown in `Debug`: some are secrets.
pub struct Query<T>(pub T);

impl<T: IntoParams + DeserializeOwned + 'static> FromRequestParts<App> for Query<T> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let (mut values, mut problems) = checked::<T>(parts)?;
        problems.extend(unbind(parts, &mut values)?);
        read(values, problems).map(Self)
    }
}

impl<T: IntoParams + DeserializeOwned + 'static> Extractor for Query<T> {
    const TAKES_PARAMETERS: bool = true;
}

/// Puts the key of a page in the place of its cursor. One that cannot be used is left out and returned as a problem.
pub(crate) fn unbind(parts: &Parts, values: &mut Vec<(String, Text)>) -> Result<Option<Problem>, Refusal> {
    let Some(at) = values.iter().position(|(name, _)| name == CURSOR_PARAMETER) else {
        return Ok(None);
    };
    match BoundQuery::of(parts)?.key(&values[at].1.0) {
        Ok(key) => {
            values[at].1 = Text(key);
            Ok(None)
        }
        Err(problem) => {
            values.remove(at);
            Ok(Some(problem))
        }
    }
}

/// The parameters of a call that `T` may be read from, and every problem of the others.
pub(crate) fn checked<T: IntoParams + 'static>(parts: &Parts) -> Result<Checked, Refusal> {
    Rules::of::<T>().check(parts)
}

/// Refuses every parameter but the credential and what is ignored, for an operation that takes none.
///
/// # Errors
/// [`Reason::ParameterUnknown`] for each, and the problems of the credential.
pub(crate) fn refuse_parameters(parts: &Parts) -> Result<(), Refusal> {
    let (_, problems) = Rules(Vec::new()).check(parts)?;
    Refusal::unless_empty(problems)
}

/// The values that may be read, and the problems of the others.
pub(crate) type Checked = (Vec<(String, Text)>, Vec<Problem>);

/// The rules for the parameters of a type.
struct Rules(Vec<Rule>);

struct Rule {
    name: String,
    is_required: bool,
    max_chars: usize,
}

thread_local! {
    // Made once for each type: the documentation of a parameter does not change.
    static KNOWN: RefCell<Vec<(TypeId, Rc<Rules>)>> = const { RefCell::new(Vec::new()) };
}

impl Rules {
    fn of<T: IntoParams + 'static>() -> Rc<Self> {
        let id = TypeId::of::<T>();
        let is_meant = |(known, _): &&(TypeId, Rc<Self>)| *known == id;
        let known = KNOWN.with_borrow(|known| known.iter().find(is_meant).map(|(_, rules)| Rc::clone(rules)));
        if let Some(known) = known {
            return known;
        }
        let rule = |parameter: utoipa::openapi::path::Parameter| Rule {
            is_required: parameter.required == Required::True,
            max_chars: max_chars(parameter.schema.as_ref()),
            name: parameter.name,
        };
        let rules = Rc::new(Self(T::into_params(|| None).into_iter().map(rule).collect()));
        KNOWN.with_borrow_mut(|known| known.push((id, Rc::clone(&rules))));
        rules
    }

    /// The values that may be read, and every problem of the others, in the order of the request; what is missing
    /// comes last.
    fn check(&self, parts: &Parts) -> Result<Checked, Refusal> {
        let Called(operation) = found(&parts.extensions)?;
        let Pairs(pairs) = found(&parts.extensions)?;
        let arrival: &Arrival = found(&parts.extensions)?;
        let ignored = &arrival.settings().ignored_parameters;
        let credential = parameter_of(operation.access);
        let (mut values, mut problems) = (Vec::with_capacity(pairs.len()), Vec::new());
        for (at, (name, value)) in pairs.iter().enumerate() {
            let rule = self.0.iter().find(|rule| rule.name == *name);
            let is_credential = credential.is_some_and(|(known, _)| known == name);
            let max_chars = match (rule, credential) {
                (Some(rule), _) => rule.max_chars,
                (None, Some((_, max_chars))) if is_credential => max_chars,
                _ if ignored.contains(name) => continue,
                _ => {
                    problems.push(Problem::with_field(name, Reason::ParameterUnknown));
                    continue;
                }
            };
            let fault = fault_of(value, max_chars);
            problems.extend(fault.map(|reason| Problem::with_field(name, reason)));
            let is_repeated = pairs[..at].iter().any(|(before, _)| before == name);
            if is_repeated {
                problems.push(Problem::with_field(name, Reason::ParameterRepeated));
            } else if fault.is_none() && !is_credential {
                values.push((name.clone(), Text(value.clone())));
            }
        }
        let is_sent = |rule: &&Rule| pairs.iter().any(|(name, _)| *name == rule.name);
        let missing = self.0.iter().filter(|rule| rule.is_required && !is_sent(rule));
        problems.extend(missing.map(|rule| Problem::with_field(&rule.name, Reason::ParameterMissing)));
        Ok((values, problems))
    }
}

fn fault_of(value: &str, max_chars: usize) -> Option<Reason> {
    let is_longer = value.chars().nth(max_chars).is_some();
    is_longer.then_some(Reason::ParameterTooLong)
}

/// The limit that the documentation of a parameter states.
fn max_chars(schema: Option<&RefOr<Schema>>) -> usize {
    match schema {
        Some(RefOr::T(Schema::Object(object))) => object.max_length.unwrap_or(MAX_VALUE_CHARS),
        _ => MAX_VALUE_CHARS,
    }
}
