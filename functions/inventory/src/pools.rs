//! The pools of operator numbers: free numbers of each province, and low-water marks (§5.3.1.1).

use domain::PoolState;
use domain::error::Reason;
use operations::{MAX_POOL_LOW_WATER, pool_views, set_pool_low_water};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::Object;
use web::extract::{Call, Json, Staff, rights};
use web::values::{ProvinceCode, ProvinceName, Time};
use web::{Answer, Refusal, Success, codes};

use crate::values::one_of;

/// Why the mark is not set, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ProvinceMalformed,
    Reason::ProvinceWithoutNumber,
];

/// The watched pools.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pools {
    /// 各省份的码号池 / the pool of each province
    pools: Vec<Pool>,
}

/// A pool of operator numbers.
#[derive(Serialize, ToSchema)]
pub(crate) struct Pool {
    /// 省份编码 / code of the province
    #[schema(value_type = ProvinceCode)]
    province_code: &'static str,
    /// 省份 / province
    province: ProvinceName,
    #[schema(schema_with = pool_state)]
    state: &'static str,
    /// 当前可用码号数量，最多计到 100,000 / free numbers now, counted up to 100,000
    level: u32,
    /// 可用码号超过 100,000 个 / whether there are more than 100,000
    capped: bool,
    /// 恢复备份后隔离中、不可分配的码号数量，最多计到 100,000 / numbers that are quarantined since a backup was restored
    /// and are not given out, counted up to 100,000
    quarantined: u32,
    /// 生效的预警线，0 表示不告警 / low-water mark in force; 0 means none
    low_water: u32,
    /// 进入该状态的时间 / since when it is in this state
    changed_at: Time,
}

fn pool_state() -> Object {
    one_of(
        PoolState::ALL.into_iter().map(PoolState::code),
        "上次统计时的状态 / state when it was last counted",
    )
}

/// The low-water mark of a province.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolMark {
    /// 省份编码 / code of the province
    province_code: ProvinceCode,
    /// 预警线；null 表示使用平台的预警线 / low-water mark; null: that of the platform
    // With a function of its own an absent field is a mistake, and only null is null.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, maximum = 1_000_000)]
    low_water: Option<u32>,
}

/// The mark that applies now.
#[derive(Serialize, ToSchema)]
pub(crate) struct PoolMarked {
    /// 省份编码 / code of the province
    #[schema(value_type = ProvinceCode)]
    province_code: &'static str,
    /// 生效的预警线 / low-water mark in force
    low_water: u32,
}

/// Shows every watched pool, with its present level.
#[utoipa::path(
    get,
    path = "/admin/v1/pools",
    summary = "查询各省份的可用码号 / Show the free numbers of each province (§5.3.1.1)",
    responses((status = 200, body = Success<Pools>)),
    extensions(("x-reasons" = json!(codes(&[]))))
)]
pub(crate) async fn list(call: Call, _: Staff<rights::PoolsList>) -> Answer<Pools> {
    let views = pool_views(&call.context(), &call.settings().maintenance).await?;
    let pools = views.into_iter().map(|view| Pool {
        province_code: view.province.code(),
        province: ProvinceName(view.province.zh()),
        state: view.state.code(),
        level: view.level,
        capped: view.is_capped,
        quarantined: view.quarantined,
        low_water: view.low_water,
        changed_at: call.time(view.changed_at),
    });
    Ok(Success::new(Pools {
        pools: pools.collect(),
    }))
}

/// Sets the low-water mark of one province.
#[utoipa::path(
    post,
    path = "/admin/v1/pools:update",
    summary = "设置一个省份的预警线 / Set the low-water mark of one province (§5.3.1.1)",
    request_body = PoolMark,
    responses((status = 200, body = Success<PoolMarked>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn update(
    call: Call,
    _: Staff<rights::PoolsUpdate>,
    Json(mark): Json<PoolMark>,
) -> Answer<PoolMarked> {
    if mark
        .low_water
        .is_some_and(|low_water| low_water > MAX_POOL_LOW_WATER)
    {
        return Err(Refusal::of_field("low_water", Reason::ParameterMalformed));
    }
    let province = mark.province_code.get();
    set_pool_low_water(&call.context(), province, mark.low_water).await?;
    let platform = call.settings().maintenance.pool_low_water;
    Ok(Success::new(PoolMarked {
        province_code: province.code(),
        low_water: mark.low_water.unwrap_or(platform),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::PoolMark;

    fn low_water(document: Value) -> Result<Option<u32>, String> {
        let read: Result<PoolMark, _> = serde_json::from_value(document);
        read.map(|mark| mark.low_water)
            .map_err(|problem| problem.to_string())
    }

    #[test]
    fn a_mark_that_is_null_is_not_a_mark_that_is_missing() {
        assert_eq!(
            low_water(json!({"province_code": "37", "low_water": 5})),
            Ok(Some(5))
        );
        assert_eq!(
            low_water(json!({"province_code": "37", "low_water": null})),
            Ok(None)
        );
        let missing = low_water(json!({"province_code": "37"}));
        assert_eq!(missing, Err("missing field `low_water`".to_owned()));
    }
}
