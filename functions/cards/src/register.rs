//! The register of faulty chips (§8.2.2).

use domain::error::Reason;
use operations::{MAX_FAULTY_PER_PAGE, faulty_chips};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{ClientId, Cursor, Eid, PageLimit, RowCursor, Rows, Time};
use web::{Answer, Success, codes};

type Limit = PageLimit<MAX_FAULTY_PER_PAGE>;

/// Which page.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<RowCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
    /// 是否包括已取消登记的芯片，默认否 / whether chips that were taken out are included; by default not
    all: Option<bool>,
}

/// 一页故障芯片 / a page of faulty chips
#[derive(Serialize, ToSchema)]
pub(crate) struct FaultyChipPage {
    /// 故障芯片，最近登记的在前 / faulty chips, the latest entry first
    chips: Vec<FaultyChip>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 故障芯片 / a faulty chip
#[derive(Serialize, ToSchema)]
struct FaultyChip {
    /// 登记时的芯片型号 / model of the chip when it was entered
    chip_model: String,
    /// 所属业务需求方 / the client it belongs to
    #[schema(value_type = ClientId)]
    client_id: String,
    /// 芯片 EID；无法解密时为 null / its EID; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 登记时的芯片固件，若已知 / firmware of the chip when it was entered, if it is known
    #[schema(required)]
    firmware: Option<String>,
    /// 故障代码，或登记原因：写卡失败代码、registered（人工登记）、chip_destroyed、chip_replaced / the fault, or why the
    /// chip was entered: a failure of writing, registered (by hand), chip_destroyed, chip_replaced
    #[schema(examples("memory_problem"))]
    fault: String,
    /// 登记时间 / when it was entered
    since: Time,
    /// 卡片返回的状态字，若有 / status word of the card, if there is one
    #[schema(required, examples("6581"))]
    status_word: Option<String>,
    /// 取消登记的时间，仍登记时为 null / when it was taken out; null while it is in the register
    #[schema(required)]
    until: Option<Time>,
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
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed, Reason::CursorMismatch]))))
)]
pub(crate) async fn faulty(
    call: Call,
    _: Staff<rights::ChipsFaulty>,
    Query(page): Query<Page>,
) -> Answer<FaultyChipPage> {
    let cursor = page.cursor.map(RowCursor::get);
    let page = faulty_chips(
        &call.context(),
        page.all.unwrap_or_default(),
        cursor,
        Rows::of(page.limit),
    )
    .await?;
    let chips = page.rows.into_iter().map(|chip| FaultyChip {
        chip_model: chip.chip_model,
        client_id: chip.client_id,
        eid: chip.eid,
        fault: chip.fault,
        firmware: chip.firmware,
        since: call.time(chip.since),
        unreadable: chip.unreadable,
        status_word: chip.status_word,
        until: chip.until.map(|at| call.time(at)),
    });
    Ok(Success::new(FaultyChipPage {
        chips: chips.collect(),
        next: call.next(page.next.map(|cursor| cursor.text())),
    }))
}
