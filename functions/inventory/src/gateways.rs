//! The gateways, with what they announced: card profiles and master keys.

use operations::{GatewayView, gateway_views};
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::{Call, Staff, rights};
use web::values::Time;
use web::{Answer, Success, codes};

/// The gateways that are not forgotten.
#[derive(Serialize, ToSchema)]
pub(crate) struct Gateways {
    /// 网关，按名称排列 / the gateways, by name
    gateways: Vec<Gateway>,
}

/// A gateway as it announced itself last.
#[derive(Serialize, ToSchema)]
struct Gateway {
    /// 网关名称 / its name
    #[schema(example = "gw-1")]
    gateway: String,
    /// 卡片模板 / its card profiles
    #[schema(example = json!(["generic-usim", "qibiao-seed"]))]
    profiles: Vec<String>,
    /// 主密钥版本 / the versions of its master keys
    #[schema(example = json!(["64"]))]
    key_versions: Vec<String>,
    /// 最近一次公布的时间 / when it announced them last
    announced_at: Time,
    /// 已超过 10 分钟没有公布 / whether it has announced nothing for more than 10 minutes
    stale: bool,
}

/// Shows every gateway that announced itself in the last 7 days.
#[utoipa::path(
    get,
    path = "/admin/v1/gateways",
    summary = "查询网关公布的卡片模板与主密钥版本 / Show the card profiles and key versions that gateways announced",
    responses((status = 200, body = Success<Gateways>)),
    extensions(("x-reasons" = json!(codes(&[]))))
)]
pub(crate) async fn list(call: Call, _: Staff<rights::GatewaysList>) -> Answer<Gateways> {
    let gateway = |view: GatewayView| Gateway {
        gateway: view.name,
        profiles: view.profiles,
        key_versions: view.key_versions,
        announced_at: call.time(view.announced_at),
        stale: view.stale,
    };
    let views = gateway_views(&call.context()).await?;
    Ok(Success::new(Gateways {
        gateways: views.into_iter().map(gateway).collect(),
    }))
}
