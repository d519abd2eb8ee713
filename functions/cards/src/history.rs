//! The steps of a card (§6.3), and the failed handshakes of its chip.

use domain::error::Reason;
use operations::card_history;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{CardState, Eid, TaskId, Time};
use web::{Answer, Success, codes};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::EidMalformed,
    Reason::UnknownChip,
];

/// A card.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct OneCard {
    /// 芯片 EID / EID of the chip
    #[param(inline)]
    eid: Eid,
}

/// The steps of a card.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardHistory {
    /// 状态变更记录，最近的在前，至多 200 条 / the latest 200 steps, the latest first
    steps: Vec<CardStep>,
    /// 以该芯片标识发起而失败的握手次数 / how many handshakes with the identity of its chip failed
    failed_handshakes: u64,
    /// 最近一次上报握手失败的时间 / when the last failed handshake was reported
    #[schema(required)]
    handshake_failed_at: Option<Time>,
    /// 最近一次握手失败的原因代码 / stable name of the reason for which the last one failed
    #[schema(required, example = "wrong_key")]
    handshake_failure: Option<String>,
}

/// A step of a card.
#[derive(Serialize, ToSchema)]
pub(crate) struct CardStep {
    /// 序号，从 1 开始 / number of the step in the card's life, from 1
    seq: u64,
    /// 变更前的状态；首次导入时为 null / the state it left; null for a new card
    #[schema(required)]
    from_status: Option<CardState>,
    /// 变更后的状态 / the state it entered
    to_status: CardState,
    /// 发起方：`client:` 加业务需求方标识、`gateway`、`operator`、`admin` 或 `platform` / who caused it: `client:<id>`,
    /// `gateway`, `operator`, `admin` or `platform`
    #[schema(example = "client:cl_0123456789abcdef0123")]
    actor: String,
    /// 变更原因代码 / stable name of the cause
    reason: String,
    /// 所属写卡任务 / the task it belongs to
    #[schema(required, value_type = Option<TaskId>)]
    task_id: Option<String>,
    /// 变更时间 / when the step was made
    at: Time,
    /// 操作人，仅限人工操作 / the person who caused it, if it was one
    #[schema(required)]
    person: Option<String>,
    /// 操作人说明的原因 / why, as that person said
    #[schema(required)]
    note: Option<String>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// Shows the latest steps of a card, and the failed handshakes of its chip.
#[utoipa::path(
    get,
    path = "/admin/v1/chips/history",
    summary = "查询卡片的状态变更记录与握手失败次数 / Show the steps of a card through its states, and its failed handshakes (§6.3)",
    params(OneCard),
    responses((status = 200, body = Success<CardHistory>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn history(
    call: Call,
    _: Staff<rights::ChipsHistory>,
    Query(card): Query<OneCard>,
) -> Answer<CardHistory> {
    let (steps, failed) = card_history(&call.context(), &card.eid).await?;
    let steps = steps.into_iter().map(|step| CardStep {
        seq: step.seq,
        from_status: step.from.map(|status| CardState(status.zh())),
        to_status: CardState(step.to.zh()),
        actor: step.actor,
        reason: step.reason,
        task_id: step.task_id.map(|id| id.text()),
        at: call.time(step.at),
        person: step.person,
        note: step.note,
        unreadable: step.unreadable,
    });
    Ok(Success::new(CardHistory {
        steps: steps.collect(),
        failed_handshakes: failed.count,
        handshake_failed_at: failed.at.map(|at| call.time(at)),
        handshake_failure: failed.failure,
    }))
}
