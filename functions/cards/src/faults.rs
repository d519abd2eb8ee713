//! Entries in the register of faulty chips (§8.2.2).

use domain::error::Reason;
use operations::register_fault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Administrator, Call, Json};
use web::values::Eid;
use web::{Answer, Success, codes};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::WrongState,
];

/// An entry in the register of faulty chips.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipFault {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// true：登记为故障芯片；false：取消登记 / true enters the chip, false takes it out
    faulty: bool,
}

/// Whether the chip is in the register.
#[derive(Serialize, ToSchema)]
pub(crate) struct FaultRegistered {
    /// 是否已登记为故障芯片 / whether the chip is in the register
    faulty: bool,
}

/// Enters a chip in the register of faulty chips, or takes it out.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:fault",
    summary = "登记或取消登记故障芯片 / Enter a chip in the register of faulty chips, or take it out (§8.2.2)",
    request_body = ChipFault,
    responses((status = 200, body = Success<FaultRegistered>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn register(
    call: Call,
    _: Administrator,
    Json(entry): Json<ChipFault>,
) -> Answer<FaultRegistered> {
    register_fault(&call.context(), &entry.eid, entry.faulty).await?;
    Ok(Success::new(FaultRegistered { faulty: entry.faulty }))
}
