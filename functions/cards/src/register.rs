//! The register of faulty chips (§8.2.2).

use domain::error::Reason;
use operations::{MAX_FAULTY_PER_PAGE, faulty_chips};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Administrator, Call, Query};
use web::values::{ClientId, Eid, FaultyCursor, PageLimit, Rows, Time};
use web::{Answer, Success, codes};

type Limit = PageLimit<MAX_FAULTY_PER_PAGE>;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// 上一页的 next / the next of the page before
    #[param(inline)]
    cursor: Option<FaultyCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 一页故障芯片 / a page of faulty chips
#[derive(Serialize, ToSchema)]
pub(crate) struct FaultyChipPage {
    /// 故障芯片，最近登记的在前 / faulty chips, the latest entry first
    chips: Vec<FaultyChip>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<FaultyCursor>)]
    next: Option<String>,
}

/// 故障芯片 / a faulty chip
#[derive(Serialize, ToSchema)]
struct FaultyChip {
    /// 芯片型号 / model of the chip
    chip_model: String,
    /// 所属业务需求方 / the client it belongs to
    #[schema(value_type = ClientId)]
    client_id: String,
    /// 芯片 EID；无法解密时为 null / its EID; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 登记时间 / since when it is in the register
    since: Time,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

/// The register of faulty chips, the latest entry first.
#[utoipa::path(
    get,
    path = "/admin/v1/chips/faulty",
    summary = "查询故障芯片登记 / The register of faulty chips (§8.2.2)",
    params(Page),
    responses((status = 200, body = Success<FaultyChipPage>)),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed]))))
)]
pub(crate) async fn faulty(call: Call, _: Administrator, Query(page): Query<Page>) -> Answer<FaultyChipPage> {
    let cursor = page.cursor.map(FaultyCursor::get);
    let page = faulty_chips(&call.context(), cursor, Rows::of(page.limit)).await?;
    let chips = page.chips.into_iter().map(|chip| FaultyChip {
        chip_model: chip.chip_model,
        client_id: chip.client_id,
        eid: chip.eid,
        since: call.time(chip.since),
        unreadable: chip.unreadable,
    });
    Ok(Success::new(FaultyChipPage {
        chips: chips.collect(),
        next: page.next.map(|cursor| cursor.text()),
    }))
}
