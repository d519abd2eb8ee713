//! `/v1/write/status`, §7.2.2.3: state and progress of a card, by `eid` (its latest task) or by `task_id`.

#![forbid(unsafe_code)]

use domain::error::Reason;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::WriteStatus;
use web::extract::{Call, Caller, Query};
use web::parameters::TaskOrEid;
use web::values::{CardState, Eid, TaskId, Time};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(status as "write.status"))
}

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::ParameterMalformed,
    Reason::UnknownChip,
    Reason::UnknownTask,
];

/// A card and its task.
#[derive(Serialize, ToSchema)]
struct TaskStatus {
    /// 芯片 EID / EID of the chip
    #[schema(value_type = Eid)]
    eid: String,
    /// 写卡任务 ID，若有 / identifier of the task, if there is one
    #[schema(value_type = Option<TaskId>, required)]
    task_id: Option<String>,
    /// 卡片状态 / state of the card
    card_status: CardState,
    /// 写卡进度 / progress
    #[schema(pattern = r"^(\d|[1-9]\d|100)%$", examples("45%"))]
    progress: String,
    /// 写卡时间，未完成则为空 / when the card was written; null until it is
    #[schema(required)]
    write_time: Option<Time>,
}

/// Reports state and progress of a card.
#[utoipa::path(
    get,
    path = "/v1/write/status",
    summary = "查询写卡进度与卡片状态 / State and progress of a card (§7.2.2.3)",
    params(TaskOrEid),
    responses((status = 200, body = Success<TaskStatus>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
async fn status(
    call: Call,
    caller: Caller<WriteStatus>,
    Query(which): Query<TaskOrEid>,
) -> Answer<TaskStatus> {
    let task = which.task(&call, &caller).await?;
    let view = operations::status(&call.context(), &caller, &task).await?;
    let answer = Success::new(TaskStatus {
        eid: view.eid.as_str().to_owned(),
        task_id: view.task_id.map(|id| id.text()),
        card_status: CardState(view.card_status.zh()),
        progress: format!("{}%", view.progress),
        write_time: view.write_time.map(|at| call.time(at)),
    });
    Ok(match view.task_id {
        Some(task) => answer.about(task),
        None => answer,
    })
}
