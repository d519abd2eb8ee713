//! `/v1/write/provinces`, §7.2.2.1: the provinces for which automatic writing has a number now.

#![forbid(unsafe_code)]

use domain::Province;
use serde::Serialize;
use utoipa::ToSchema;
use web::extract::permits::WriteProvinces;
use web::extract::{Call, Caller};
use web::values::{ProvinceCode, ProvinceName};
use web::{Answer, Routes, Success, codes, routes};

/// The routes of this component.
#[must_use]
pub fn router() -> Routes {
    Routes::new().routes(routes!(provinces as "write.provinces"))
}

/// The provinces that have a number to write.
#[derive(Serialize, ToSchema)]
struct WritableProvinces {
    /// 省份列表 / provinces
    provinces: Vec<WritableProvince>,
}

/// A province that has a number to write.
#[derive(Serialize, ToSchema)]
struct WritableProvince {
    /// 省份名称 / name of the province
    name: ProvinceName,
    /// 省份编码 / code of the province
    #[schema(value_type = ProvinceCode)]
    code: &'static str,
}

impl From<Province> for WritableProvince {
    fn from(province: Province) -> Self {
        Self {
            name: ProvinceName(province.zh()),
            code: province.code(),
        }
    }
}

/// Lists the provinces for which automatic writing has a number now.
#[utoipa::path(
    get,
    path = "/v1/write/provinces",
    summary = "查询当前可写入的省份 / Provinces that have a number to write (§7.2.2.1)",
    responses((status = 200, body = Success<WritableProvinces>)),
    extensions(("x-reasons" = json!(codes(&[]))))
)]
async fn provinces(call: Call, _: Caller<WriteProvinces>) -> Answer<WritableProvinces> {
    let provinces = operations::provinces(&call.context()).await?;
    Ok(Success::new(WritableProvinces {
        provinces: provinces.into_iter().map(Into::into).collect(),
    }))
}
