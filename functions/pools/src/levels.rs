//! The pools of operator numbers: free numbers of each province, and low-water marks.

use domain::Province;
use domain::error::Reason;
use operations::{MAX_POOL_LOW_WATER, pool_views, set_pool_low_water};
use serde::Deserialize;
use serde_json::{Value, json};
use spin_host::Connection;
use web::{Call, Refusal, Reply, field, or_null, present};

/// Every watched pool, with its present level.
pub(crate) async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let views = pool_views(call.cx, &call.settings.maintenance).await?;
    let pools: Vec<Value> = views
        .iter()
        .map(|view| {
            json!({
                "province_code": view.province.code(),
                "province": view.province.zh(),
                "state": view.state.code(),
                "level": view.level,
                "capped": view.is_capped,
                "low_water": view.low_water,
                "changed_at": call.text_of(view.changed_at),
            })
        })
        .collect();
    Ok(Reply::ok().with("pools", pools))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MarkRequest {
    province_code: String,
    // Null restores the platform's mark; an absent field is a mistake.
    #[serde(default, deserialize_with = "or_null")]
    low_water: Option<Option<u32>>,
}

/// Sets the low-water mark of one province.
pub(crate) async fn update(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let request: MarkRequest = call.json()?;
    let province = field("province_code", Province::parse(&request.province_code))?;
    let low_water = present("low_water", request.low_water)?;
    if low_water.is_some_and(|mark| mark > MAX_POOL_LOW_WATER) {
        return Err(Refusal::of_field("low_water", Reason::ParameterMalformed));
    }
    set_pool_low_water(call.cx, province, low_water).await?;
    let in_force = low_water.unwrap_or(call.settings.maintenance.pool_low_water);
    Ok(Reply::ok()
        .with("province_code", province.code())
        .with("low_water", in_force))
}
