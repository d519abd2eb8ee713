//! The reasons for which each operation refuses a call. The document lists them, and the contract tests provoke them.

use domain::error::Reason;
use web::{Access, Content};

use super::operation::Operation;

/// Reasons that concern any request.
const REQUEST: &[Reason] = &[
    Reason::MethodNotAllowed,
    Reason::HeaderForged,
    Reason::AddressUnknown,
    Reason::QueryTooLong,
    Reason::BadPercentEncoding,
    Reason::BadUtf8,
    Reason::TooManyParameters,
    Reason::BodyTooLarge,
    Reason::BodyTooSlow,
    Reason::BodyBroken,
];

/// Reasons that concern the names of parameters and fields.
const NAMES: &[Reason] = &[Reason::ParameterUnknown, Reason::ParameterRepeated];

/// Reasons that concern the values of parameters.
const VALUES: &[Reason] = &[Reason::ParameterTooLong];

/// Reasons that concern parameters in a body.
const PARAMETERS_IN_BODY: &[Reason] = &[Reason::BadJson, Reason::NotAnObject, Reason::ParameterNotText];

/// Reasons that concern a JSON document.
const DOCUMENT: &[Reason] = &[Reason::BadJson, Reason::NotAnObject, Reason::ParameterMalformed];

/// Reasons that concern a caller with a token.
const CLIENT: &[Reason] = &[
    Reason::TokenMissing,
    Reason::TokenConflict,
    Reason::TokenInvalid,
    Reason::TokenExpired,
    Reason::ClientDisabled,
    Reason::IpNotAllowed,
    Reason::PermissionMissing,
];

/// Reasons that concern a caller with the secret of a component.
const SECRET: &[Reason] = &[Reason::CredentialWrong];

/// Reasons that concern staff.
const STAFF: &[Reason] = &[
    Reason::CredentialWrong,
    Reason::CredentialEnded,
    Reason::RightMissing,
];

/// Reasons that concern acts of staff that need a second person.
const SECOND_PERSON: &[Reason] = &[
    Reason::SecondPersonNeeded,
    Reason::ParameterMalformed,
    Reason::UnknownApproval,
    Reason::OwnApproval,
    Reason::ApprovalDiffers,
    Reason::ApprovalEarly,
    Reason::ApprovalEnded,
    Reason::TooMany,
];

/// Reasons that can occur at any time.
const ALWAYS: &[Reason] = &[
    Reason::RateLimited,
    Reason::Internal,
    Reason::Unavailable,
    Reason::SchemaAhead,
    Reason::SchemaBehind,
    Reason::KeysWrong,
];

/// Every reason for which a call of `operation` may be refused, in the order of the checks.
#[must_use]
pub fn reasons(operation: &Operation) -> Vec<Reason> {
    let body: &[Reason] = match operation.method {
        "GET" => &[Reason::BodyUnexpected],
        _ => &[Reason::MediaTypeUnsupported],
    };
    let content = match operation.content {
        Some(Content::Parameters) => PARAMETERS_IN_BODY,
        Some(Content::Json) => DOCUMENT,
        Some(Content::Table | Content::Ndjson) | None => &[],
    };
    let has_query = operation.parameters.iter().any(|parameter| !parameter.is_in_path);
    let has_values = operation.content == Some(Content::Parameters) || has_query;
    let values = if has_values { VALUES } else { &[] };
    let caller = match operation.access {
        Access::Client(_) => CLIENT,
        Access::Staff(_) => STAFF,
        Access::Secret(_) => SECRET,
        Access::Anyone | Access::SignIn => &[],
    };
    let second_person = match operation.access {
        Access::Staff(right) if right.may_need_second_person() => SECOND_PERSON,
        _ => &[],
    };
    let mut all = Vec::new();
    for reason in [
        REQUEST,
        body,
        caller,
        NAMES,
        values,
        content,
        second_person,
        &operation.own_reasons,
        ALWAYS,
    ]
    .concat()
    {
        if !all.contains(&reason) {
            all.push(reason);
        }
    }
    all
}
