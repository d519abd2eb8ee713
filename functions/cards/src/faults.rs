//! Entries in the register of faulty chips (§8.2.2).

use domain::error::Reason;
use operations::{Fault as FaultOfChip, REGISTERED, register_chip_fault};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::Eid;
use web::{Answer, Success, codes};

use crate::values::Fault;

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
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
    /// 故障代码，默认 registered；登记时有效 / what is wrong, registered by default; for an entry
    fault: Option<Fault>,
    /// 卡片返回的状态字；登记时有效 / status word of the card; for an entry
    status_word: Option<Fault>,
    /// 芯片固件版本；登记时有效 / firmware of the chip; for an entry
    firmware: Option<Fault>,
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
    _: Staff<rights::ChipsFault>,
    Json(entry): Json<ChipFault>,
) -> Answer<FaultRegistered> {
    let word = |word: &'_ Option<Fault>| word.as_ref().map(|word| word.0.clone());
    let (code, status_word, firmware) = (
        word(&entry.fault),
        word(&entry.status_word),
        word(&entry.firmware),
    );
    let fault = entry.faulty.then(|| FaultOfChip {
        code: code.as_deref().unwrap_or(REGISTERED),
        status_word: status_word.as_deref(),
        firmware: firmware.as_deref(),
    });
    register_chip_fault(&call.context(), &entry.eid, fault).await?;
    Ok(Success::new(FaultRegistered { faulty: entry.faulty }))
}
