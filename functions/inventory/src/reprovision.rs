//! Another temporary number for a chip that is not written (§5.3.1.3), and more test allowance (§5.2.1.2).

use domain::error::Reason;
use operations::{ActNote, Reprovision};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ActReason, Day, Eid, Iccid, Imsi, Megabytes, Msisdn, Person, Time};
use web::{Answer, Success, codes};

use crate::values::{NetworkType, TestAllowance};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::MsisdnMalformed,
    Reason::IccidMalformed,
    Reason::UnknownChip,
    Reason::WrongState,
    Reason::ImportConflict,
];

/// A chip, and the temporary number that it gets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipReprovision {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 临时号码 / temporary number
    temp_msisdn: Msisdn,
    /// 临时号码的 ICCID / ICCID of the temporary number
    temp_iccid: Iccid,
    /// 临时号码的 IMSI / IMSI of the temporary number
    temp_imsi: Imsi,
    /// 开卡日期，默认为当天，现有或曾用的号码保留原日期 / day of opening; by default today, or the stored day of a number
    /// that the chip has or had
    temp_opened_on: Option<Day>,
    /// 网络类型，默认不变 / network type, by default unchanged
    network_type: Option<NetworkType>,
    /// 操作后剩余的测试流量，MB，默认不变 / test allowance left afterwards in MB, by default unchanged
    allowance_mb: Option<TestAllowance>,
    /// 操作人，记入状态变更记录 / the person who acts, for the history of the card
    person: Person,
    /// 原因，记入状态变更记录 / why, for the history of the card
    reason: ActReason,
}

impl From<ChipReprovision> for Reprovision {
    fn from(new: ChipReprovision) -> Self {
        Self {
            msisdn: new.temp_msisdn.get(),
            iccid: new.temp_iccid.get(),
            imsi: new.temp_imsi.get(),
            opened_on: new.temp_opened_on.map(|day| day.get()),
            network: new.network_type.map(|network| network.get().0),
            allowance: new.allowance_mb.map(|allowance| allowance.0),
        }
    }
}

/// What a chip has now.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipReprovisioned {
    /// 已是所给内容时为 false / false when it had all of these values already
    changed: bool,
    /// 临时号码到期时间 / when its temporary number expires
    expire_time: Time,
    /// 剩余测试流量，MB / test allowance left, in MB
    remaining_mb: Megabytes,
}

/// Gives a chip a temporary number and, if given, test allowance. Repeating the call changes nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:reprovision",
    summary = "为尚未写卡的芯片更换临时号码 / Give a chip that is not written another temporary number (§5.3.1.3)",
    request_body = ChipReprovision,
    responses((status = 200, body = Success<ChipReprovisioned>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn reprovision(
    call: Call,
    _: Staff<rights::ChipsReprovision>,
    Json(request): Json<ChipReprovision>,
) -> Answer<ChipReprovisioned> {
    let ranges = &call.settings().number_ranges;
    ranges
        .check(&request.temp_msisdn)
        .map_err(|error| error.with_field("temp_msisdn"))?;
    let (eid, person, reason) = (*request.eid, request.person.clone(), request.reason.clone());
    let note = ActNote {
        person: &person.0,
        text: &reason.0,
    };
    let given = operations::reprovision(&call.context(), &eid, &request.into(), &note).await?;
    Ok(Success::new(ChipReprovisioned {
        changed: given.changed,
        expire_time: call.time(given.expires_at),
        remaining_mb: Megabytes(given.remaining),
    }))
}

/// Why a top-up is refused, besides the reasons that every operation has.
const TOP_UP_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
];

/// A chip, and the test allowance that it gets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipTopUp {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 操作后剩余的测试流量，MB，不少于现有剩余流量 / test allowance left afterwards in MB, not less than what is left
    allowance_mb: TestAllowance,
    /// 操作人，记入状态变更记录 / the person who acts, for the history of the card
    person: Person,
    /// 原因，记入状态变更记录 / why, for the history of the card
    reason: ActReason,
}

/// What is left of the test allowance of a chip.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipToppedUp {
    /// 剩余流量已是所给数值时为 false / false when that much was left already
    changed: bool,
    /// 剩余测试流量，MB / test allowance left, in MB
    remaining_mb: Megabytes,
}

/// Raises the test allowance of a chip, in any state of its card. Repeating the call changes nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:top-up",
    summary = "为芯片补充测试流量 / Raise the test allowance of a chip (§5.2.1.2)",
    request_body = ChipTopUp,
    responses((status = 200, body = Success<ChipToppedUp>)),
    extensions(("x-reasons" = json!(codes(TOP_UP_REASONS))))
)]
pub(crate) async fn top_up(
    call: Call,
    _: Staff<rights::ChipsTopUp>,
    Json(request): Json<ChipTopUp>,
) -> Answer<ChipToppedUp> {
    let note = ActNote {
        person: &request.person.0,
        text: &request.reason.0,
    };
    let allowance = request.allowance_mb.0;
    let changed = operations::top_up(&call.context(), &request.eid, allowance, &note).await?;
    Ok(Success::new(ChipToppedUp {
        changed,
        remaining_mb: Megabytes(allowance),
    }))
}
