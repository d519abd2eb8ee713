//! The end of a task by hand (§6.3 Table 2).

use domain::error::Reason;
use operations::{ActNote, TaskRef, end_task};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::parameters::either;
use web::values::{ActReason, CardState, Eid, Person, TaskId, Time};
use web::{Answer, Refusal, Success, codes};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::UnknownChip,
    Reason::UnknownTask,
    Reason::WrongState,
];

/// The task that is ended, by whom and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TaskEnd {
    /// 芯片 EID，终止其最近的写卡任务；与 task_id 二选一 / EID of the chip whose latest task is ended; this or task_id
    eid: Option<Eid>,
    /// 写卡任务 ID，与 eid 二选一 / identifier of the task; this or eid
    task_id: Option<TaskId>,
    /// 操作人，记入状态变更记录 / the person who ends it, for the history of the card
    person: Person,
    /// 终止原因，记入状态变更记录 / why, for the history of the card
    reason: ActReason,
}

impl TaskEnd {
    fn task(&self) -> Result<TaskRef, Refusal> {
        match (&self.eid, &self.task_id) {
            (None, None) => Err(either("eid", "task_id")),
            (Some(eid), None) => Ok(TaskRef::Eid(**eid)),
            (None, Some(task)) => Ok(TaskRef::Task(**task)),
            (Some(_), Some(_)) => Err(Reason::ParameterNotApplicable.into()),
        }
    }
}

/// The task that has ended.
#[derive(Serialize, ToSchema)]
pub(crate) struct TaskEnded {
    /// 芯片 EID / EID of the chip
    #[schema(value_type = Eid)]
    eid: String,
    /// 写卡任务 ID / identifier of the task
    #[schema(value_type = TaskId)]
    task_id: String,
    /// 卡片状态：待写卡或写卡失败 / state of the card: 待写卡 or 写卡失败
    card_status: CardState,
    /// 终止时间 / when it ended
    end_time: Time,
}

/// Ends an open task. The card becomes 待写卡, or 写卡失败 if it was being written; the client gets a callback.
#[utoipa::path(
    post,
    path = "/admin/v1/tasks:end",
    summary = "终止写卡任务 / End an open task (§6.3)",
    request_body = TaskEnd,
    responses((status = 200, body = Success<TaskEnded>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn end(
    call: Call,
    _: Staff<rights::TasksEnd>,
    Json(entry): Json<TaskEnd>,
) -> Answer<TaskEnded> {
    let note = ActNote {
        person: &entry.person.0,
        text: &entry.reason.0,
    };
    let ended = end_task(&call.context(), &entry.task()?, &note).await?;
    Ok(Success::new(TaskEnded {
        eid: ended.eid.as_str().to_owned(),
        task_id: ended.task_id.text(),
        card_status: CardState(ended.card_status.zh()),
        end_time: call.time(ended.at),
    }))
}
