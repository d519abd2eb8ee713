//! A batch of the rows of a file, or what it would do.

use domain::error::{Error, Lang, Reason};
use operations::{ActNote, BatchPreview, NewBatch, ProvinceDemand, RefusedRow, create_batch, preview_batch};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, Table, rights};
use web::outbound::table_as_csv;
use web::values::{ActReason, BatchKind, ClientId, Person, ProvinceCode, ProvinceName, Sheet};
use web::{Answer, Success, codes};

use crate::list::BatchSummary;
use crate::values::Key;

/// Why a batch is refused as a whole, besides the reasons that every operation has.
const REASONS: &[Reason] = &[
    Reason::ParameterMissing,
    Reason::ParameterMalformed,
    Reason::ParameterNotApplicable,
    Reason::RightMissing,
    Reason::BadCsv,
    Reason::BodyTooLarge,
    Reason::UnknownClient,
    Reason::ClientClosed,
    Reason::BatchKeyTaken,
];

/// What a batch does.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choices {
    /// 对每一行执行的操作；除 apply 与 cancel 外还须具有单条操作的权限 / what is done to each row; besides apply and cancel, it needs
    /// the right to do the same to one row
    #[param(inline)]
    kind: BatchKind,
    /// 调用方自定的键：以相同的键与内容重复提交时，返回同一批量任务；preview=true 时可不填 / a key of the caller's choice: the same
    /// key and content again answer with the same batch; not needed with preview=true
    #[param(inline)]
    key: Option<Key>,
    /// 业务需求方标识：apply、cancel 以其名义进行，allot 划拨给它；其他操作不填 / the client in whose name apply and cancel
    /// act, and to which allot allots; not for the others
    #[param(inline)]
    client_id: Option<ClientId>,
    /// true：应答将被拒绝的行与各省份所需码号，不写入任何内容 / true: the rows that would be refused and the numbers that each
    /// province needs, and nothing is changed
    preview: Option<bool>,
    /// true：码号池无可用码号时该行按普通申请拒绝，卡片变为申请失败；默认等待补充。仅限 apply / true: a row for which the pool has no
    /// number is refused as any application, and its card is 申请失败; by default it waits for numbers. For apply alone
    fail_when_exhausted: Option<bool>,
    /// 工作簿（.xlsx）中的工作表；未填写时取唯一有内容的 / the sheet of a workbook (.xlsx); without it the only one that has rows
    #[param(inline)]
    sheet: Option<Sheet>,
    /// 操作人，记入状态变更记录；仅限 end，须填写 / the person who ends tasks, for the history of the cards; for end alone, which
    /// needs it
    #[param(inline)]
    person: Option<Person>,
    /// 原因，记入状态变更记录；仅限 end，须填写 / why, for the history of the cards; for end alone, which needs it
    #[param(inline)]
    reason: Option<ActReason>,
}

impl Choices {
    fn note(&self) -> Result<Option<ActNote<'_>>, Error> {
        let missing = |field| Error::from(Reason::ParameterMissing).with_field(field);
        match (&self.person, &self.reason) {
            (None, None) => Ok(None),
            (Some(person), Some(reason)) => Ok(Some(ActNote {
                person: &person.0,
                text: &reason.0,
            })),
            (None, Some(_)) => Err(missing("person")),
            (Some(_), None) => Err(missing("reason")),
        }
    }

    fn key(&self) -> Result<&str, Error> {
        match &self.key {
            Some(key) => Ok(&key.0),
            None if self.preview == Some(true) => Ok(""),
            None => Err(Error::from(Reason::ParameterMissing).with_field("key")),
        }
    }
}

/// 工作簿（.xlsx） / a workbook (.xlsx)
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
#[expect(dead_code, reason = "stands in the document alone")]
struct Workbook(Vec<u8>);

/// A batch, or what it would do.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchCreated {
    /// false：此前已以相同的键与内容提交 / false: the same key and content were sent before
    created: bool,
    /// 批量任务；preview 时为 null / the batch; null for a preview
    #[schema(required)]
    batch: Option<BatchSummary>,
    /// 将发生的情况；仅限 preview / what it would do; for a preview alone
    #[schema(required)]
    preview: Option<Previewed>,
}

/// What a batch would do, as things are now.
#[derive(Serialize, ToSchema)]
pub(crate) struct Previewed {
    /// 文件行数，不含表头 / rows of the file, without its header
    rows: usize,
    /// 将被拒绝的行数 / rows that would be refused
    refused: usize,
    /// 其中前 1,000 行 / the first 1,000 of those
    errors: Vec<BatchRowError>,
    /// 各省份所需与可用的码号 / what is needed and what is there, by province
    provinces: Vec<BatchDemand>,
}

/// A row that would be refused.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchRowError {
    /// 文件中的行号，表头为第 1 行 / line in the file, the header being line 1
    line: u64,
    /// 出错的列；不限于某一列时为 null / the wrong column; null when it is not just one
    #[schema(required)]
    column: Option<&'static str>,
    /// 原因代码 / code of the reason
    #[schema(example = "unknown_chip")]
    reason: &'static str,
    /// 原因 / the reason
    message: &'static str,
    /// 处理办法 / what to do
    remedy: &'static str,
}

/// What is asked of the pool of a province.
#[derive(Serialize, ToSchema)]
pub(crate) struct BatchDemand {
    /// 省份编码 / code of the province
    #[schema(value_type = ProvinceCode)]
    province_code: &'static str,
    /// 省份名称 / name of the province
    province: ProvinceName,
    /// 所需码号数量 / numbers that the rows need
    demand: u32,
    /// 可用码号数量，至多计至 100,000 / numbers that are there, counted up to 100,000
    available: u32,
    /// 缺少的码号数量 / numbers that are missing
    missing: u32,
}

impl Previewed {
    fn new(preview: BatchPreview, lang: Lang) -> Self {
        let error = |row: RefusedRow| BatchRowError {
            line: row.line,
            column: row.column,
            reason: row.reason.code(),
            message: row.reason.message(lang),
            remedy: row.reason.remedy(lang),
        };
        let demand = |one: ProvinceDemand| BatchDemand {
            province_code: one.province.code(),
            province: ProvinceName(one.province.zh()),
            demand: one.demand,
            available: one.available,
            missing: one.demand.saturating_sub(one.available),
        };
        Self {
            rows: preview.rows,
            refused: preview.refused,
            errors: preview.errors.into_iter().map(error).collect(),
            provinces: preview.provinces.into_iter().map(demand).collect(),
        }
    }
}

/// Makes a batch of the rows of a file, which the periodic work carries out; or says what it would do.
#[utoipa::path(
    post,
    path = "/admin/v1/batches",
    summary = "创建批量任务 / Make a batch (§5.3.1.1)",
    params(Choices),
    request_body(content((String = "text/csv"), (Workbook = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"))),
    responses((status = 200, body = Success<BatchCreated>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn create(
    call: Call,
    member: Staff<rights::BatchesCreate>,
    Query(chosen): Query<Choices>,
    Table(file): Table,
) -> Answer<BatchCreated> {
    let new = NewBatch {
        key: chosen.key()?,
        kind: *chosen.kind,
        client: chosen.client_id.as_deref(),
        note: chosen.note()?,
        fail_when_exhausted: chosen.fail_when_exhausted.unwrap_or_default(),
    };
    let file = table_as_csv(&call, file, chosen.sheet.as_deref()).await?;
    if chosen.preview == Some(true) {
        let preview = preview_batch(&call.context(), &member, &new, &file).await?;
        return Ok(Success::new(BatchCreated {
            created: false,
            batch: None,
            preview: Some(Previewed::new(preview, call.lang)),
        }));
    }
    let created = create_batch(&call.context(), &member, &new, &file).await?;
    Ok(Success::new(BatchCreated {
        created: created.is_new,
        batch: Some(BatchSummary::new(&call, created.batch)),
        preview: None,
    }))
}
