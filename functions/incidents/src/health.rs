//! The health of the periodic jobs, the clock, the keys, and how much was deleted at the end of its retention.

use operations::{backup_times, clock_watch, destructions, job_views, key_views};
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Call, Staff, rights};
use web::values::Time;
use web::{Answer, Success};

/// Most records of deleted data that are shown.
const SHOWN_DESTRUCTIONS: u32 = 50;

/// 平台的状况 / the health of the platform
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// 全部任务正常且未因时钟暂停时为 true / true when every job is healthy and nothing is held because of the clock
    healthy: bool,
    /// 从何时起因时钟跳变或停运而暂停销毁与到期处理，未暂停时为 null / since when nothing is destroyed and nothing expires,
    /// because the clock jumped or the platform stood still; null if that is not so
    #[schema(required)]
    clock_held_at: Option<Time>,
    /// 最近一次有效备份的时间 / when the last good backup was made
    #[schema(required)]
    backed_up_at: Option<Time>,
    /// 最近一次验证备份的时间 / when a backup was last opened and found whole
    #[schema(required)]
    drilled_at: Option<Time>,
    /// 最近一次由备份恢复的时间 / when this database was last restored from a backup
    #[schema(required)]
    restored_at: Option<Time>,
    /// 曾使用的密钥 / the keys that were ever used
    keys: Vec<Key>,
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

/// 密钥 / a key
#[derive(Serialize, ToSchema)]
struct Key {
    /// 种类与编号，或种类与校验值开头 / its kind and number, or its kind and the beginning of its check value
    name: String,
    /// 从何时起不再需要，可从配置中删除；仍需要时为 null / since when nothing needs it and it may be taken out of the
    /// configuration; null while it is needed
    #[schema(required)]
    retired_at: Option<Time>,
    /// 首次使用时间 / when it was first used
    since: Time,
    /// 最近使用时间，误差不超过 2 h / when it was last used, to within 2 h
    used_at: Time,
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

/// Every job: whether it is healthy, when it last succeeded, and why it has failed since; the clock, and the keys.
#[utoipa::path(
    get,
    path = "/admin/v1/health",
    summary = "查询平台与定时任务的状况 / The health of the platform and of its periodic jobs",
    responses((status = 200, body = Success<Health>))
)]
pub(crate) async fn health(call: Call, _: Staff<rights::HealthShow>) -> Answer<Health> {
    let views = job_views(&call.context()).await?;
    let destroyed = destructions(&call.context(), SHOWN_DESTRUCTIONS).await?;
    let destroyed = destroyed.into_iter().map(|row| DestroyedRows {
        count: row.count,
        day: row.day,
        kind: row.kind,
    });
    let held_at = clock_watch(&call.context()).await?.held_at;
    let keys = key_views(&call.context()).await?.into_iter().map(|key| Key {
        name: key.name,
        retired_at: key.retired_at.map(|at| call.time(at)),
        since: call.time(key.stored_at),
        used_at: call.time(key.used_at),
    });
    let healthy = held_at.is_none() && views.iter().all(|view| view.healthy);
    let jobs = views.into_iter().map(|job| JobHealth {
        error: job.error,
        failing_since: job.failing_since.map(|at| call.time(at)),
        failures: job.failures,
        healthy: job.healthy,
        name: job.name,
        succeeded_at: job.succeeded_at.map(|at| call.time(at)),
    });
    let times = backup_times(&call.context()).await?;
    let [backed_up_at, drilled_at, restored_at] = times.map(|at| at.map(|at| call.time(at)));
    Ok(Success::new(Health {
        healthy,
        clock_held_at: held_at.map(|at| call.time(at)),
        backed_up_at,
        drilled_at,
        restored_at,
        keys: keys.collect(),
        jobs: jobs.collect(),
        destroyed: destroyed.collect(),
    }))
}
