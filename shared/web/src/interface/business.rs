//! The ten interfaces of clause 7.2.

use super::{Access, Content, Interface, MAX_PARAMETER_BODY_BYTES, Methods};
use crate::params::Param;
use domain::Permission;
use operations::TOKENS_PER_MINUTE;

const fn business(
    name: &'static str,
    path: &'static str,
    methods: Methods,
    access: Access,
    params: &'static [Param],
    calls_per_minute: u32,
) -> Interface {
    let (content, max_body_bytes) = (Content::Parameters, MAX_PARAMETER_BODY_BYTES);
    Interface {
        name,
        path,
        methods,
        access,
        params,
        content,
        max_body_bytes,
        calls_per_minute,
    }
}

const fn query(
    name: &'static str,
    path: &'static str,
    permission: Permission,
    params: &'static [Param],
) -> Interface {
    business(
        name,
        path,
        Methods::Get,
        Access::Client(permission),
        params,
        1_200,
    )
}

/// Clause 7.2.1: exchange `client_id` and `client_secret` for a token.
pub const TOKEN: Interface = business(
    "token",
    "/v1/token",
    Methods::GetOrPost,
    Access::Anyone,
    &[Param::ClientId, Param::ClientSecret],
    TOKENS_PER_MINUTE,
);

/// Clause 7.2.2.1: the provinces that have a number to write.
pub const WRITE_PROVINCES: Interface = query(
    "write.provinces",
    "/v1/write/provinces",
    Permission::WriteProvinces,
    &[],
);

/// Clause 7.2.2.2: apply for a card to be written.
pub const WRITE_APPLY: Interface = business(
    "write.apply",
    "/v1/write/apply",
    Methods::GetOrPost,
    Access::Client(Permission::WriteApply),
    &[
        Param::Eid,
        Param::WriteType,
        Param::ProvinceCode,
        Param::Iccid,
        Param::Msisdn,
    ],
    1_200,
);

/// Clause 7.2.2.3: state and progress of a card.
pub const WRITE_STATUS: Interface = business(
    "write.status",
    "/v1/write/status",
    Methods::Get,
    Access::Client(Permission::WriteStatus),
    &[Param::Eid, Param::TaskId],
    3_000,
);

/// Clause 7.2.2.4: withdraw an application.
pub const WRITE_CANCEL: Interface = business(
    "write.cancel",
    "/v1/write/cancel",
    Methods::GetOrPost,
    Access::Client(Permission::WriteCancel),
    &[Param::Eid, Param::TaskId],
    600,
);

/// Clause 7.2.3.1: a chip.
pub const CHIP: Interface = query("chip.read", "/v1/chip", Permission::ChipRead, &[Param::Eid]);

/// Clause 7.2.3.2: a number.
pub const NUMBER: Interface = query(
    "number.read",
    "/v1/number",
    Permission::NumberRead,
    &[Param::Msisdn, Param::Iccid],
);

/// Clause 7.2.3.3: the data a number used this month.
pub const NUMBER_USAGE: Interface = query(
    "number.usage",
    "/v1/number/usage",
    Permission::NumberUsage,
    &[Param::Msisdn, Param::Iccid],
);

/// Clause 7.2.3.4: when a card's number was opened, and its state.
pub const NUMBER_OPEN_TIME: Interface = query(
    "number.open_time",
    "/v1/number/open-time",
    Permission::NumberOpenTime,
    &[Param::Eid, Param::Msisdn],
);

/// Clause 7.2.3.5: the city a number is online in.
pub const NUMBER_CITY: Interface = query(
    "number.city",
    "/v1/number/city",
    Permission::NumberCity,
    &[Param::Msisdn, Param::Iccid],
);

/// Every interface of clause 7.2, in its order.
pub const BUSINESS: &[&Interface] = &[
    &TOKEN,
    &WRITE_PROVINCES,
    &WRITE_APPLY,
    &WRITE_STATUS,
    &WRITE_CANCEL,
    &CHIP,
    &NUMBER,
    &NUMBER_USAGE,
    &NUMBER_OPEN_TIME,
    &NUMBER_CITY,
];
