//! The health of the periodic jobs, and how much was deleted at the end of its retention.

use operations::{destructions, job_views};
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Administrator, Call};
use web::values::Time;
use web::{Answer, Success};

/// Most records of deleted data that are shown.
const SHOWN_DESTRUCTIONS: u32 = 50;

/// 平台的状况 / the health of the platform
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// 全部任务正常时为 true / true when every job is healthy
    healthy: bool,
    /// 各项定时任务 / every periodic job
    jobs: Vec<JobHealth>,
    /// 留存期限届满后销毁的数据量，最近的在前 / how much was deleted at the end of its retention, the latest first
    destroyed: Vec<DestroyedRows>,
}

/// 定时任务的状况 / the health of a periodic job
#[derive(Serialize, ToSchema)]
struct JobHealth {
    /// 最近一次失败的原因 / why its last run failed
    #[schema(required)]
    error: Option<String>,
    /// 从何时起连续失败 / since when every run has failed
    #[schema(required)]
    failing_since: Option<Time>,
    /// 连续失败次数 / how many runs have failed since then
    failures: u32,
    /// 最近一次成功且未过期时为 true / true when its latest run succeeded and was not too long ago
    healthy: bool,
    /// 名称 / its name
    name: &'static str,
    /// 最近一次成功的时间 / when it last succeeded
    #[schema(required)]
    succeeded_at: Option<Time>,
}

/// 某日销毁的一类数据 / one kind of data that was deleted on one day
#[derive(Serialize, ToSchema)]
struct DestroyedRows {
    /// 行数 / how many rows
    count: u32,
    /// 日期 / the day
    #[schema(format = "date", examples("2026-07-01"))]
    day: String,
    /// 数据种类 / kind of data
    kind: String,
}

/// Every job: whether it is healthy, when it last succeeded, and why it has failed since.
#[utoipa::path(
    get,
    path = "/admin/v1/health",
    summary = "查询平台与定时任务的状况 / The health of the platform and of its periodic jobs",
    responses((status = 200, body = Success<Health>))
)]
pub(crate) async fn health(call: Call, _: Administrator) -> Answer<Health> {
    let views = job_views(&call.context()).await?;
    let destroyed = destructions(&call.context(), SHOWN_DESTRUCTIONS).await?;
    let destroyed = destroyed.into_iter().map(|row| DestroyedRows {
        count: row.count,
        day: row.day,
        kind: row.kind,
    });
    let healthy = views.iter().all(|view| view.healthy);
    let jobs = views.into_iter().map(|job| JobHealth {
        error: job.error,
        failing_since: job.failing_since.map(|at| call.time(at)),
        failures: job.failures,
        healthy: job.healthy,
        name: job.name,
        succeeded_at: job.succeeded_at.map(|at| call.time(at)),
    });
    Ok(Success::new(Health {
        healthy,
        jobs: jobs.collect(),
        destroyed: destroyed.collect(),
    }))
}
