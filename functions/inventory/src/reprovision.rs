//! Another temporary number for a chip that is not written, and more test allowance (§5.3.1.3, §5.2.1.2).

use domain::error::Reason;
use operations::Reprovision;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Administrator, Call, Json};
use web::values::{Day, Eid, Iccid, Imsi, Megabytes, Msisdn, Time};
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
    _: Administrator,
    Json(request): Json<ChipReprovision>,
) -> Answer<ChipReprovisioned> {
    let ranges = &call.settings().number_ranges;
    ranges
        .check(&request.temp_msisdn)
        .map_err(|error| error.with_field("temp_msisdn"))?;
    let eid = *request.eid;
    let given = operations::reprovision(&call.context(), &eid, &request.into()).await?;
    Ok(Success::new(ChipReprovisioned {
        changed: given.changed,
        expire_time: call.time(given.expires_at),
        remaining_mb: Megabytes(given.remaining),
    }))
}
