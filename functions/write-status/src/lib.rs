//! `/v1/write/status`, §7.2.2.3: state and progress of a card, by `eid` (its latest task) or by `task_id`.

#![forbid(unsafe_code)]

use domain::error::{Lang, Reason};
use operations::TaskView;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::WriteStatus;
use web::extract::{Call, Caller, Query};
use web::parameters::TaskOrEid;
use web::values::{self, CardState, Eid, TaskId, Time};
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

/// A card, and the task that is asked for.
#[derive(Serialize, ToSchema)]
struct TaskStatus {
    /// 芯片 EID / EID of the chip
    #[schema(value_type = Eid)]
    eid: String,
    /// 所查询的写卡任务 ID；按 EID 查询时为最近一个任务，若有 / the task asked for; by EID the latest one, if there is one
    #[schema(value_type = Option<TaskId>, required)]
    task_id: Option<String>,
    /// 卡片当前状态，与查询方式无关 / present state of the card, whichever task is asked for
    card_status: CardState,
    /// 任务进度 / progress of the task
    #[schema(pattern = r"^(\d|[1-9]\d|100)%$", examples("45%"))]
    progress: String,
    /// 写卡时间，写卡成功后才有 / when the task wrote the card; null unless it did
    #[schema(required)]
    write_time: Option<Time>,
    /// 任务状态 / state of the task
    #[schema(required)]
    task_status: Option<values::TaskStatus>,
    /// 任务结束时间 / when the task ended, however
    #[schema(required)]
    finished_at: Option<Time>,
    /// 任务未成功的原因 / why the task ended without a written card
    #[schema(required)]
    failure: Option<values::TaskFailure>,
    /// 任务状态描述 / what became of the task
    #[schema(required)]
    description: Option<&'static str>,
    /// 未成功时的处理办法 / what to do where it failed
    #[schema(required)]
    remedy: Option<&'static str>,
    /// 该芯片最近的任务，仅当所查询的任务不是最近一个时出现 / the latest task for the chip; only where it is not the one asked for
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TaskId>, nullable = false)]
    latest_task_id: Option<String>,
}

/// What became of a task, and what to do, in the caller's language.
fn description_and_remedy(task: &TaskView, lang: Lang) -> (&'static str, Option<&'static str>) {
    match (task.failure, lang) {
        (Some(failure), Lang::Zh) => (failure.zh(), Some(failure.remedy_zh())),
        (Some(failure), Lang::En) => (failure.en(), Some(failure.remedy_en())),
        (None, Lang::Zh) => (task.status.zh(), None),
        (None, Lang::En) => (task.status.en(), None),
    }
}

/// Reports the present state of a card, and what became of the task that is asked for.
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
    let task = view.task.as_ref();
    let description = task.map(|task| description_and_remedy(task, call.lang));
    let answer = Success::new(TaskStatus {
        eid: view.eid.as_str().to_owned(),
        task_id: task.map(|task| task.id.text()),
        card_status: CardState(view.card_status.zh()),
        progress: format!("{}%", task.map_or(0, |task| task.progress)),
        write_time: task.and_then(|task| task.write_time).map(|at| call.time(at)),
        task_status: task.map(|task| task.status.into()),
        finished_at: task.and_then(|task| task.finished_at).map(|at| call.time(at)),
        failure: task.and_then(|task| task.failure).map(Into::into),
        description: description.map(|(description, _)| description),
        remedy: description.and_then(|(_, remedy)| remedy),
        latest_task_id: task.and_then(|task| task.latest_id).map(|id| id.text()),
    });
    Ok(match task {
        Some(task) => answer.about(task.id),
        None => answer,
    })
}
