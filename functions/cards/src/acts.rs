//! Reopens a card for another number (§8.2.1), records a chip as destroyed, or replaces it (§8.2.2).

use domain::error::Reason;
use operations::{ActNote, destroy_chip, reopen as reopen_card, replace_chip};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ActReason, CardState, Day, Eid, Person, PersonName, ReasonText, TaskId, Time};
use web::{Answer, Success, codes};

const REOPEN_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::ChipFaulty,
    Reason::WrongState,
];
const DESTROY_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::ChipBlocked,
];
const REPLACE_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::UnknownTask,
    Reason::UnknownNumber,
    Reason::WrongState,
    Reason::NumberTaken,
    Reason::NumberSuspended,
    Reason::ProvinceWithoutNumber,
    Reason::AlreadyWritten,
    Reason::ApplicationPending,
    Reason::ChipFaulty,
    Reason::ChipBlocked,
    Reason::TemporaryNumberExpired,
    Reason::AllowanceExhausted,
];

/// The card that is reopened, by whom and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipReopen {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 操作人，记入状态变更记录 / the person who reopens it, for the history of the card
    person: Person,
    /// 原因，记入状态变更记录 / why, for the history of the card
    reason: ActReason,
}

/// The card that was reopened.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipReopened {
    /// 卡片状态：待写卡 / state of the card: 待写卡
    card_status: CardState,
}

/// Lets a written card be written with another number: the special procedure of Table 3. Its present number stays
/// written until the other one is verified, and is suspended then.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:reopen",
    summary = "允许写卡成功的卡片更换运营号 / Let a written card be written with another number (§8.2.1)",
    request_body = ChipReopen,
    responses((status = 200, body = Success<ChipReopened>)),
    extensions(("x-reasons" = json!(codes(REOPEN_REASONS))))
)]
pub(crate) async fn reopen(
    call: Call,
    _: Staff<rights::ChipsReopen>,
    Json(entry): Json<ChipReopen>,
) -> Answer<ChipReopened> {
    let status = reopen_card(&call.context(), &entry.eid, &note(&entry.person, &entry.reason)).await?;
    Ok(Success::new(ChipReopened {
        card_status: CardState(status.zh()),
    }))
}

/// The record that a chip was destroyed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipDestruction {
    /// 芯片 EID / EID of the chip
    eid: Eid,
    /// 销毁日期 / day of the destruction
    destroyed_on: Day,
    /// 登记人 / the person who records it
    person: Person,
    /// 销毁凭证编号或说明 / reference of the proof, such as the number of the destruction certificate
    reference: ActReason,
}

/// What is recorded about the destruction of a chip.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipDestroyed {
    /// 销毁日期 / day of the destruction
    #[schema(value_type = Day)]
    destroyed_on: String,
    /// 登记时间 / when it was recorded
    recorded_at: Time,
}

/// Records that a chip was destroyed. Its open task ends, and the numbers that it holds but was not written with are
/// free. A chip that is lost is not destroyed: its number is retired. Nothing undoes the record.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:destroy",
    summary = "登记芯片已销毁 / Record that a chip was destroyed (§8.2.2)",
    request_body = ChipDestruction,
    responses((status = 200, body = Success<ChipDestroyed>)),
    extensions(("x-reasons" = json!(codes(DESTROY_REASONS))))
)]
pub(crate) async fn destroy(
    call: Call,
    _: Staff<rights::ChipsDestroy>,
    Json(entry): Json<ChipDestruction>,
) -> Answer<ChipDestroyed> {
    let note = note(&entry.person, &entry.reference);
    let (destroyed_on, at) = destroy_chip(&call.context(), &entry.eid, *entry.destroyed_on, &note).await?;
    Ok(Success::new(ChipDestroyed {
        destroyed_on,
        recorded_at: call.time(at),
    }))
}

/// The chip that is replaced, the one that takes its place, by whom and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChipReplacement {
    /// 原芯片 EID / EID of the chip that is replaced
    eid: Eid,
    /// 新芯片 EID，属于同一业务需求方 / EID of the chip that takes its place, of the same client
    new_eid: Eid,
    /// 操作人，记入状态变更记录 / the person who replaces it, for the history of both cards
    person: Person,
    /// 原因，记入状态变更记录 / why, for the history of both cards
    reason: ActReason,
}

/// The application for the chip that takes the place.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipReplaced {
    /// 新芯片的写卡任务 ID / identifier of the task of the new chip
    #[schema(value_type = TaskId)]
    task_id: String,
    /// 新芯片的卡片状态：待开机上电 / state of the new card: 待开机上电
    card_status: CardState,
}

/// Replaces a chip. For one that is not written, the other one is applied for with the same data card, or with a number of
/// the same province; a data card that may be on the old chip follows only on evidence. For a written one, the other one
/// is applied for with the data card that was imported to take over its MSISDN.
#[utoipa::path(
    post,
    path = "/admin/v1/chips:replace",
    summary = "更换芯片（故障更换、补换卡） / Replace a chip, faulty or written (§8.2.2)",
    request_body = ChipReplacement,
    responses((status = 200, body = Success<ChipReplaced>)),
    extensions(("x-reasons" = json!(codes(REPLACE_REASONS))))
)]
pub(crate) async fn replace(
    call: Call,
    _: Staff<rights::ChipsReplace>,
    Json(entry): Json<ChipReplacement>,
) -> Answer<ChipReplaced> {
    let note = note(&entry.person, &entry.reason);
    let applied = replace_chip(&call.context(), &entry.eid, &entry.new_eid, &note).await?;
    Ok(Success::new(ChipReplaced {
        task_id: applied.task_id.text(),
        card_status: CardState(applied.card_status.zh()),
    }))
}

fn note<'a>(PersonName(person): &'a PersonName, ReasonText(text): &'a ReasonText) -> ActNote<'a> {
    ActNote { person, text }
}
