//! A batch is stopped, or goes on.

use domain::error::Reason;
use operations::{resume_batch, stop_batch};
use serde::Deserialize;
use utoipa::ToSchema;
use web::extract::{Call, Json, Staff, rights};
use web::values::BatchId;
use web::{Answer, Success, codes};

use crate::list::BatchSummary;

const STOP_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::UnknownBatch,
    Reason::BatchState,
];
const RESUME_REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::RightMissing,
    Reason::UnknownBatch,
    Reason::BatchState,
];

/// The batch.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BatchRef {
    /// 批量任务标识 / identifier of the batch
    batch_id: BatchId,
}

/// Stops a batch: what is carried out stays so, the other rows stay as they are.
#[utoipa::path(
    post,
    path = "/admin/v1/batches:stop",
    summary = "停止批量任务 / Stop a batch (§5.3.1.1)",
    request_body = BatchRef,
    responses((status = 200, body = Success<BatchSummary>)),
    extensions(("x-reasons" = json!(codes(STOP_REASONS))))
)]
pub(crate) async fn stop(
    call: Call,
    _: Staff<rights::BatchesStop>,
    Json(batch): Json<BatchRef>,
) -> Answer<BatchSummary> {
    let stopped = stop_batch(&call.context(), *batch.batch_id).await?;
    Ok(Success::new(BatchSummary::new(&call, stopped)))
}

/// Lets a batch go on that was stopped or is paused.
#[utoipa::path(
    post,
    path = "/admin/v1/batches:resume",
    summary = "继续批量任务 / Let a batch go on (§5.3.1.1)",
    request_body = BatchRef,
    responses((status = 200, body = Success<BatchSummary>)),
    extensions(("x-reasons" = json!(codes(RESUME_REASONS))))
)]
pub(crate) async fn resume(
    call: Call,
    member: Staff<rights::BatchesResume>,
    Json(batch): Json<BatchRef>,
) -> Answer<BatchSummary> {
    let resumed = resume_batch(&call.context(), &member, *batch.batch_id).await?;
    Ok(Success::new(BatchSummary::new(&call, resumed)))
}
