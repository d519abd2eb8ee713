//! For which reasons each interface of clause 7.2 refuses a call: what the documentation lists and the contract
//! tests provoke.

use super::{Access, BUSINESS, Interface, Methods};
use domain::error::Reason;

/// What may be wrong with any request.
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

/// What may be wrong with the values of an interface that takes some.
const VALUES: &[Reason] = &[Reason::ParameterTooLong, Reason::ParameterEmpty];

/// What may be wrong with a request that carries its parameters in a body.
const BODY: &[Reason] = &[
    Reason::MediaTypeUnsupported,
    Reason::BadJson,
    Reason::ParameterNotText,
];

/// What may be wrong with the one who calls with a token.
const CLIENT: &[Reason] = &[
    Reason::TokenMissing,
    Reason::TokenConflict,
    Reason::TokenInvalid,
    Reason::TokenExpired,
    Reason::ClientDisabled,
    Reason::IpNotAllowed,
    Reason::PermissionMissing,
];

/// What may be wrong at any time.
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

/// Every reason for which a call of `interface` may be refused, in the order in which the checks are made; nothing
/// for an interface that is not a business system's.
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
