//! `/admin/v1/pools` and `/admin/v1/pools:update`, §5.3.1.1: how many operator numbers each province has left, and at
//! how many the operator is told.
//!
//! Opened by `admin_secret`. Opens no sealed value.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use shared::domain::Province;
use shared::error::Reason;
use shared::operations::{MAX_POOL_LOW_WATER, pool_views, set_pool_low_water};
use shared::spin::{self, Connection, Needs};
use shared::web::{Call, Interface, Refusal, Reply, interface};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const NEEDS: Needs = Needs {
    pool_low_water: true,
    secret: Some("admin_secret"),
    ..Needs::NONE
};

/// What this component answers.
const INTERFACES: &[&Interface] = &[&interface::ADMIN_POOLS, &interface::ADMIN_POOLS_UPDATE];

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    let interface = interface::route(INTERFACES, request.method(), request.uri().path());
    spin::serve(interface, NEEDS, request, async |call| match interface.name {
        "admin.pools" => list(call).await,
        "admin.pools.update" => update(call).await,
        _ => Err(call.nowhere()),
    })
    .await
}

/// Every pool that is watched, with the numbers in it now.
async fn list(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let views = pool_views(call.cx, &call.settings.upkeep).await?;
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
struct MarkDocument {
    province_code: String,
    // Null lets the platform's mark be in force; absent is a mistake.
    #[serde(default, deserialize_with = "present")]
    low_water: Option<Option<u32>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<u32>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Sets the low-water mark of one province.
async fn update(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let wanted: MarkDocument = call.json()?;
    let province = Province::parse(&wanted.province_code)
        .map_err(|malformed| Refusal::of_malformed("province_code", malformed))?;
    let low_water = wanted
        .low_water
        .ok_or_else(|| Refusal::of_field("low_water", Reason::ParameterMissing))?;
    if low_water.is_some_and(|mark| mark > MAX_POOL_LOW_WATER) {
        return Err(Refusal::of_field("low_water", Reason::ParameterMalformed));
    }
    set_pool_low_water(call.cx, province, low_water).await?;
    let in_force = low_water.unwrap_or(call.settings.upkeep.pool_low_water);
    Ok(Reply::ok()
        .with("province_code", province.code())
        .with("low_water", in_force))
}
