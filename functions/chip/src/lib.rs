//! `/v1/chip`, §7.2.3.1: a chip, its temporary number, its state and what is left of its test allowance; and
//! `/v1/chip/fault`, §8.2: what is wrong with it.

#![forbid(unsafe_code)]

mod fault;

use domain::error::Reason;
use operations::{ChipView, chip_view};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::permits::ChipRead;
use web::extract::{Call, Caller, Query};
use web::values::{CardState, Eid, Iccid, Megabytes, Msisdn};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new()
        .routes(routes!(chip as "chip.read"))
        .routes(routes!(fault::fault as "chip.fault", fault::fault_by_post as "chip.fault"))
}

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::EidMalformed,
    Reason::UnknownChip,
];

/// Which chip.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct Which {
    /// 芯片 EID / EID of the chip
    #[param(inline)]
    eid: Eid,
}

/// A chip.
#[derive(Serialize, ToSchema)]
struct Chip {
    /// 芯片 EID / EID of the chip
    #[schema(value_type = Eid)]
    eid: String,
    /// 终端 IMEI，若已知 / IMEI of the module, if it is known
    #[schema(required, pattern = r"^\d{15}$", examples("490154203237518"))]
    imei: Option<String>,
    /// 芯片型号 / model of the chip
    #[schema(examples("XK-1"))]
    chip_model: String,
    /// 临时号码 / temporary number
    #[schema(value_type = Msisdn)]
    temp_msisdn: String,
    /// 临时 ICCID / ICCID of the temporary number
    #[schema(value_type = Iccid)]
    temp_iccid: String,
    /// 卡片状态 / state of the card
    card_status: CardState,
    /// 剩余测试流量 / test allowance left
    remaining_flow: Megabytes,
}

impl From<ChipView> for Chip {
    fn from(view: ChipView) -> Self {
        Self {
            eid: view.eid,
            imei: view.imei,
            chip_model: view.chip_model,
            temp_msisdn: view.temp_msisdn,
            temp_iccid: view.temp_iccid,
            card_status: CardState(view.card_status.zh()),
            remaining_flow: Megabytes(view.remaining),
        }
    }
}

/// Shows a chip.
#[utoipa::path(
    get,
    path = "/v1/chip",
    summary = "查询芯片信息 / A chip (§7.2.3.1)",
    params(Which),
    responses((status = 200, body = Success<Chip>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn chip(call: Call, caller: Caller<ChipRead>, Query(which): Query<Which>) -> Answer<Chip> {
    let view = chip_view(&call.context(), &caller, &which.eid).await?;
    Ok(Success::new(view.into()))
}
