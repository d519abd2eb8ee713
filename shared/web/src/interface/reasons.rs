//! The reasons for which each interface of clause 7.2 refuses a call. The documentation lists them, and the contract
//! tests provoke them.

use super::{Access, BUSINESS, Interface, Methods};
use domain::error::Reason;

/// Reasons that concern any request.
const REQUEST: &[Reason] = &[
    Reason::MethodNotAllowed,
    Reason::HeaderForged,
    Reason::AddressUnknown,
    Reason::QueryTooLong,
    Reason::BadPercentEncoding,
    Reason::BadUtf8,
    Reason::TooManyParameters,
    Reason::ParameterUnknown,
    Reason::ParameterRepeated,
    Reason::BodyUnexpected,
    Reason::BodyTooLarge,
    Reason::BodyTooSlow,
    Reason::BodyBroken,
];

/// Reasons that concern the values of parameters.
const VALUES: &[Reason] = &[Reason::ParameterTooLong, Reason::ParameterEmpty];

/// Reasons that concern parameters in a body.
const BODY: &[Reason] = &[
    Reason::MediaTypeUnsupported,
    Reason::BadJson,
    Reason::ParameterNotText,
];

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

/// Reasons that can occur at any time.
const ALWAYS: &[Reason] = &[
    Reason::RateLimited,
    Reason::Internal,
    Reason::Unavailable,
    Reason::SchemaAhead,
];

const TOKEN: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ClientUnknownOrSecretWrong,
    Reason::ClientDisabled,
    Reason::IpNotAllowed,
];

const APPLY: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::WriteTypeMalformed,
    Reason::ProvinceMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::UnknownChip,
    Reason::UnknownNumber,
    Reason::ChipFaulty,
    Reason::AllowanceExhausted,
    Reason::AlreadyWritten,
    Reason::ApplicationPending,
    Reason::TemporaryNumberExpired,
    Reason::ProvinceWithoutNumber,
    Reason::NumberMismatch,
    Reason::NumberTaken,
    Reason::NumberSuspended,
];

const STATUS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::ParameterMalformed,
    Reason::UnknownChip,
    Reason::UnknownTask,
];

const CANCEL: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::ParameterMalformed,
    Reason::WrongState,
    Reason::UnknownChip,
    Reason::UnknownTask,
];

const CHIP: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::EidMalformed,
    Reason::UnknownChip,
];

const NUMBER: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::MsisdnMalformed,
    Reason::IccidMalformed,
    Reason::UnknownNumber,
];

const OPEN_TIME: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::MsisdnMalformed,
    Reason::UnknownChip,
    Reason::UnknownNumber,
];

/// Every reason for which a call of `interface` may be refused, in the order of the checks; empty for an internal
/// interface.
pub fn documented_reasons(interface: &Interface) -> Vec<Reason> {
    if !BUSINESS.iter().any(|known| known.name == interface.name) {
        return Vec::new();
    }
    let body: &[Reason] = match interface.methods {
        Methods::Get => &[],
        Methods::GetOrPost | Methods::Post => BODY,
    };
    let values: &[Reason] = if interface.params.is_empty() { &[] } else { VALUES };
    let client: &[Reason] = match interface.access {
        Access::Client(_) => CLIENT,
        Access::Anyone | Access::Secret => &[],
    };
    [REQUEST, values, body, client, own(interface.name), ALWAYS].concat()
}

fn own(name: &str) -> &'static [Reason] {
    match name {
        "token" => TOKEN,
        "write.apply" => APPLY,
        "write.status" => STATUS,
        "write.cancel" => CANCEL,
        "chip.read" => CHIP,
        "number.read" | "number.usage" | "number.city" => NUMBER,
        "number.open_time" => OPEN_TIME,
        _ => &[],
    }
}
