//! Corrections of what was imported about a chip.

use domain::error::{Error, Lang, Reason};
use operations::{ActNote, ChipCorrection, Corrected, GatewayWarning, correct_chip};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ActReason, ClientId, Eid, Person};
use web::{Answer, Success, codes, or_null};

use crate::values::{ChipLabel, ModuleImei};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::UnknownClient,
    Reason::ClientClosed,
    Reason::UnknownToGateways,
    Reason::SessionRunning,
    Reason::TaskOpen,
];

/// A chip, what is corrected of it (one value at least), by whom and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipToCorrect {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 芯片型号 / model of the chip
    chip_model: Option<ChipLabel>,
    /// 卡片模板 / name of its card profile
    profile: Option<ChipLabel>,
    /// 模组 IMEI，null 表示删除 / IMEI of its module; null removes it
    #[serde(default, deserialize_with = "or_null")]
    #[schema(value_type = Option<ModuleImei>)]
    imei: Option<Option<ModuleImei>>,
    /// 所属业务需求方，仅当没有未结束的写卡任务 / the client it belongs to, while no task is open
    client_id: Option<ClientId>,
    /// 更正人，记入卡片记录 / the person who corrects it, for the history of the card
    person: Person,
    /// 原因，记入卡片记录 / why, for the history of the card
    reason: ActReason,
}

/// What was corrected.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipCorrected {
    /// 内容有变化的字段；已是所给内容时为空 / the fields that changed; none when it had these values already
    changed: Vec<&'static str>,
    /// 更正后的卡片模板的提示 / what is not as usual about another card profile
    warnings: Vec<CorrectionWarning>,
}

/// What is not as usual about a correction.
#[derive(Serialize, ToSchema)]
struct CorrectionWarning {
    /// 所涉及的字段；未作核对时为 null / the field; null when nothing was compared
    #[schema(required)]
    field: Option<&'static str>,
    /// 提示代码 / code of the warning
    #[schema(example = "known_to_some_gateways")]
    warning: &'static str,
    /// 说明 / what it means
    message: &'static str,
    /// 具有该值的网关（known_to_some_gateways） / the gateways that have the value (known_to_some_gateways)
    gateways: Vec<String>,
}

impl ChipCorrected {
    fn new(corrected: Corrected, lang: Lang) -> Self {
        let warned = |warning: GatewayWarning| CorrectionWarning {
            field: warning.column,
            warning: warning.kind.code(),
            message: warning.kind.message(lang),
            gateways: warning.gateways,
        };
        Self {
            changed: corrected.changed,
            warnings: corrected.warnings.into_iter().map(warned).collect(),
        }
    }
}

/// Corrects owner, model, profile or IMEI of a chip, while no session of it runs. Another profile is one that a gateway
/// announced. Keys are corrected by a file (`chips:import?correct=true`). Repeating the call changes nothing.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:correct",
    summary = "更正芯片信息 / Correct what was imported about a chip (§5.3.1.1)",
    request_body = ChipToCorrect,
    responses((status = 200, body = Success<ChipCorrected>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn correct(
    call: Call,
    _: Staff<rights::ChipsCorrect>,
    Json(entry): Json<ChipToCorrect>,
) -> Answer<ChipCorrected> {
    let correction = ChipCorrection {
        client_id: entry.client_id.map(ClientId::get),
        chip_model: entry.chip_model.map(|label| label.get().0),
        profile: entry.profile.map(|label| label.get().0),
        imei: entry.imei.map(|imei| imei.map(|imei| imei.get().0)),
    };
    if correction == ChipCorrection::default() {
        let fields = "chip_model, profile, imei, client_id";
        return Err(Error::from(Reason::ParameterMissing)
            .with_detail(fields, fields)
            .into());
    }
    let note = ActNote {
        person: &entry.person.0,
        text: &entry.reason.0,
    };
    let corrected = correct_chip(&call.context(), &entry.eid, &correction, &note).await?;
    Ok(Success::new(ChipCorrected::new(corrected, call.lang)))
}
