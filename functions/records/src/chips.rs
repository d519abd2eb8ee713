//! Chips, for administrators.

use domain::error::{Error, Reason};
use operations::{ChipFilter, ChipListing, MAX_CHIPS_PER_PAGE, list_chips};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, ExportOf, Exported, Query, Staff, rights};
use web::values::{
    CardState, ClientId, Cursor, Eid, Iccid, ImportId, Imsi, Instant, ListOrder, Megabytes, Msisdn,
    PageLimit, ProvinceCode, RowCursor, Rows, Time,
};
use web::{Answer, ExportFile, ExportPage, ExportSource, LocalFuture, Refusal, Success, codes};

use crate::values::{SearchedCardState, SearchedSort, searched};

/// Why this operation refuses, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMalformed,
    Reason::CursorMismatch,
    Reason::ParameterNotApplicable,
    Reason::EidMalformed,
    Reason::IccidMalformed,
    Reason::MsisdnMalformed,
    Reason::ImsiMalformed,
];

type Limit = PageLimit<MAX_CHIPS_PER_PAGE>;

/// Conditions of a search.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 芯片 EID；与 iccid、msisdn、imsi 至多取一 / EID of the chip; at most one of this, iccid, msisdn and imsi
    #[param(inline)]
    eid: Option<Eid>,
    /// 临时号码或已写入码号的 ICCID / ICCID of the temporary number, or of the number that it holds
    #[param(inline)]
    iccid: Option<Iccid>,
    /// 临时号码或已写入的码号 / the temporary number, or the number that it holds
    #[param(inline)]
    msisdn: Option<Msisdn>,
    /// 临时号码或已写入码号的 IMSI / IMSI of the temporary number, or of the number that it holds
    #[param(inline)]
    imsi: Option<Imsi>,
    /// 该次导入 / of this import
    #[param(inline)]
    import_id: Option<ImportId>,
    /// 所属业务需求方 / the client it belongs to
    #[param(inline)]
    client_id: Option<ClientId>,
    /// 芯片型号 / model of the chip
    #[param(max_length = 64)]
    chip_model: Option<String>,
    /// 卡片状态 / state of the card
    #[param(inline)]
    card_status: Option<SearchedCardState>,
    /// 导入时间起（含） / imported from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 导入时间止（不含） / imported before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 在该时间（含）之后有会话 / with a session that was opened from this time on
    #[param(inline)]
    seen_from: Option<Instant>,
    /// 自该时间起没有会话，含从未有过会话的芯片 / without a session that was opened from this time on, also if it never had one
    #[param(inline)]
    seen_before: Option<Instant>,
    /// 排序依据，按最近会话时不含从未有过会话的芯片，且不能与标识同时使用 / what it is sorted by; by the last session, chips that
    /// never had one are left out, and no identifier is searched for
    #[param(inline)]
    sort: Option<SearchedSort>,
    /// 次序 / the order
    #[param(inline)]
    order: Option<ListOrder>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<RowCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

impl Search {
    fn filter(self) -> Result<ChipFilter, Refusal> {
        Ok(ChipFilter {
            id: searched(self.eid, self.iccid, self.msisdn, self.imsi)?,
            import_id: self.import_id.map(ImportId::get),
            client_id: self.client_id.map(ClientId::get),
            model: self.chip_model,
            status: self.card_status.map(|status| status.get().0),
            from: self.from.map(Instant::get),
            to: self.to.map(Instant::get),
            seen_from: self.seen_from.map(Instant::get),
            seen_before: self.seen_before.map(Instant::get),
            sort: self.sort.map(|sort| sort.get().0).unwrap_or_default(),
            order: self.order.map(ListOrder::get).unwrap_or_default(),
            cursor: self.cursor.map(RowCursor::get),
            limit: Rows::of(self.limit),
        })
    }
}

/// 一页芯片 / a page of chips
#[derive(Serialize, ToSchema)]
pub(crate) struct ChipPage {
    /// 芯片，默认最近导入的在前；有多个条件时，一页可少于 limit 而仍有下一页 / the chips, by default those imported last first; with several
    /// conditions a page may have fewer than limit although another one follows
    chips: Vec<ListedChip>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 芯片 / a chip
#[derive(Serialize, ToSchema)]
pub(crate) struct ListedChip {
    /// 芯片 EID；无法解密时为 null / EID of the chip; null if it cannot be opened
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 所属业务需求方 / the client it belongs to
    #[schema(value_type = ClientId)]
    client_id: String,
    /// 芯片型号 / model of the chip
    chip_model: String,
    /// 卡片模板 / card profile
    profile: String,
    /// 卡片状态 / state of the card
    card_status: CardState,
    /// 是否已登记为故障芯片 / whether it is in the register of faulty chips
    faulty: bool,
    /// 是否因 EID 重复而停用 / whether it is blocked because its EID is in use twice
    blocked: bool,
    /// 临时号码；无法解密时为 null / temporary number; null if it cannot be opened
    #[schema(required, value_type = Option<Msisdn>)]
    temp_msisdn: Option<String>,
    /// 临时号码到期时间 / when its temporary number expires
    temp_expires_at: Time,
    /// 剩余测试流量 / what is left of its test allowance
    remaining_flow: Megabytes,
    /// 已写入码号的 ICCID / ICCID of the number that it holds
    #[schema(required, value_type = Option<Iccid>)]
    iccid: Option<String>,
    /// 已写入的码号 / the number that it holds
    #[schema(required, value_type = Option<Msisdn>)]
    msisdn: Option<String>,
    /// 该码号所属省份 / province of that number
    #[schema(required, value_type = Option<ProvinceCode>)]
    province_code: Option<String>,
    /// 导入时间 / when it was imported
    imported_at: Time,
    /// 最近一次会话的时间，以留存期内为限 / when its last session was opened, of those that are kept
    #[schema(required)]
    last_seen_at: Option<Time>,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl ListedChip {
    fn new(call: &Call, chip: ChipListing) -> Self {
        Self {
            eid: chip.eid,
            client_id: chip.client_id.as_str().to_owned(),
            chip_model: chip.chip_model,
            profile: chip.profile,
            card_status: CardState(chip.status.zh()),
            faulty: chip.faulty,
            blocked: chip.blocked,
            temp_msisdn: chip.temp_msisdn,
            temp_expires_at: call.time(chip.temp_expires_at),
            remaining_flow: Megabytes(chip.remaining),
            iccid: chip.iccid,
            msisdn: chip.msisdn,
            province_code: chip.province,
            imported_at: call.time(chip.imported_at),
            last_seen_at: chip.seen_at.map(|at| call.time(at)),
            unreadable: chip.unreadable,
        }
    }
}

/// Finds chips, those imported last first.
#[utoipa::path(
    get,
    path = "/admin/v1/chips",
    summary = "查询芯片 / Find chips (§5.3.1.1)",
    params(Search),
    responses((status = 200, body = Success<ChipPage>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::ChipsList>,
    Query(search): Query<Search>,
) -> Answer<ChipPage> {
    let page = list_chips(&call.context(), search.filter()?).await?;
    let chips = page.rows.into_iter();
    Ok(Success::new(ChipPage {
        chips: chips.map(|chip| ListedChip::new(&call, chip)).collect(),
        next: call.next(page.next.map(|key| key.text())),
    }))
}

/// An export of the list.
struct ChipExport(ChipFilter);

impl ExportSource for ChipExport {
    const NAME: &'static str = "chips";
    const COLUMNS: &'static [&'static str] = &[
        "eid",
        "client_id",
        "chip_model",
        "profile",
        "card_status",
        "faulty",
        "blocked",
        "temp_msisdn",
        "temp_expires_at",
        "remaining_flow",
        "iccid",
        "msisdn",
        "province_code",
        "imported_at",
        "last_seen_at",
        "unreadable",
    ];

    fn page<'a>(&'a mut self, call: &'a Call) -> LocalFuture<'a, Result<ExportPage, Error>> {
        Box::pin(async move {
            let page = list_chips(&call.context(), self.0.clone()).await?;
            self.0.cursor.clone_from(&page.next);
            let rows = page.rows.into_iter().map(|row| ListedChip::new(call, row));
            ExportPage::new(rows, page.next.map(|key| key.text()))
        })
    }
}

/// Exports what the list finds, page by page, identifiers masked.
#[utoipa::path(
    get,
    path = "/admin/v1/chips:export",
    summary = "导出芯片 / Export chips (§5.3.1.1)",
    params(ExportOf<Search>),
    responses((status = 200, content((String = "text/csv"), (String = "application/x-ndjson")))),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn export(
    call: Call,
    _: Staff<rights::ChipsExport>,
    Exported { search, format }: Exported<Search>,
) -> Result<ExportFile, Refusal> {
    web::export(call, format, ChipExport(search.filter()?)).await
}
