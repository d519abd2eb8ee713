//! The audit trail (§9.2).

use std::collections::BTreeMap;

use domain::error::Reason;
use domain::{Malformed, Right};
use operations::{AuditFilter, AuditObjectRef, AuditView, MAX_AUDIT_ROWS_PER_PAGE, list_audit};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{Cursor, Eid, Iccid, Imsi, Instant, Kind, Msisdn, PageLimit, Parsed, Rows, Time};
use web::{Answer, Refusal, Success, codes};

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

/// A place in the trail.
pub(crate) struct AuditKey(pub(crate) u64);

impl Kind for AuditKey {
    const NAME: &'static str = "AuditKey";

    fn parse(text: &str) -> Result<Self, Malformed> {
        let wrong = Malformed::new(
            domain::Kind::Value,
            "应为上一页返回的 next",
            "not the next of a page before",
        );
        let seq = text.parse().ok().filter(|seq| i64::try_from(*seq).is_ok());
        seq.map(Self).ok_or(wrong)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("审计记录中的位置 / a place in the audit trail"))
            .pattern(Some("^[0-9]+$"))
            .examples(["1200"])
            .build()
    }
}

/// What an act needs.
struct RightName(Right);

impl Kind for RightName {
    const NAME: &'static str = "SearchedRight";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Right::parse(text).map(Self)
    }

    fn object() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("操作权限 / name of the right of an operation"))
            .pattern(Some("^[a-z_]+\\.[a-z_]+$"))
            .examples(["chips.destroy"])
            .build()
    }
}

pub(crate) type AuditCursor = Parsed<AuditKey>;
type SearchedRight = Parsed<RightName>;
type AuditLimit = PageLimit<MAX_AUDIT_ROWS_PER_PAGE>;

/// 操作的结果 / what became of an act
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum SearchedOutcome {
    Done,
    Refused,
    Failed,
}

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditSearch {
    /// 操作者 / who acted
    #[param(max_length = 64)]
    who: Option<String>,
    /// 操作权限 / the right of the operation
    #[param(inline)]
    right: Option<SearchedRight>,
    /// 结果 / what became of it
    #[param(inline)]
    outcome: Option<SearchedOutcome>,
    /// 涉及该芯片；eid、iccid、msisdn、imsi、object 至多填一个 / about this chip; at most one of eid, iccid, msisdn, imsi and
    /// object
    #[param(inline)]
    eid: Option<Eid>,
    /// 涉及该 ICCID 的码号 / about the number of this ICCID
    #[param(inline)]
    iccid: Option<Iccid>,
    /// 涉及该 MSISDN 的码号 / about the number of this MSISDN
    #[param(inline)]
    msisdn: Option<Msisdn>,
    /// 涉及该 IMSI 的码号 / about the number of this IMSI
    #[param(inline)]
    imsi: Option<Imsi>,
    /// 涉及该标识（业务需求方、任务、导入、异常、接收方等） / about what has this identifier: a client, a task, an import, an
    /// incident, a receiver
    #[param(max_length = 64)]
    object: Option<String>,
    /// 自该时间起 / from this time on
    #[param(inline)]
    from: Option<Instant>,
    /// 早于该时间 / before this time
    #[param(inline)]
    to: Option<Instant>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<AuditCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<AuditLimit>,
}

impl AuditSearch {
    /// The one object of those that the search names.
    fn object(&mut self) -> Result<Option<AuditObjectRef>, Refusal> {
        let named = [
            self.eid.take().map(|eid| AuditObjectRef::Eid(eid.get())),
            self.iccid.take().map(|iccid| AuditObjectRef::Iccid(iccid.get())),
            self.msisdn
                .take()
                .map(|msisdn| AuditObjectRef::Msisdn(msisdn.get())),
            self.imsi.take().map(|imsi| AuditObjectRef::Imsi(imsi.get())),
            self.object.take().map(AuditObjectRef::Named),
        ];
        let mut named = named.into_iter().flatten();
        match (named.next(), named.next()) {
            (_, Some(_)) => Err(Reason::ParameterNotApplicable.into()),
            (object, None) => Ok(object),
        }
    }
}

/// 一页审计记录 / a page of the audit trail
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditTrail {
    /// 审计记录，最近的在前；一页可少于 limit 而仍有下一页 / the rows, the latest first; a page may have fewer than limit although
    /// another one follows
    rows: Vec<AuditRow>,
    /// 下一页的 cursor，没有下一页时为 null / `cursor` of the next page; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 详情，标识均已掩码；非文本的值以 JSON 书写 / the details, identifiers masked; a value that is not text is written as JSON
#[derive(Serialize, ToSchema)]
pub(crate) struct AuditDetail {
    /// 请求内容，含操作人与原因 / what was asked for, with person and reason
    request: BTreeMap<String, String>,
    /// 变更前的值 / what was so before
    before: BTreeMap<String, String>,
    /// 变更后的值 / what is so afterwards
    after: BTreeMap<String, String>,
    /// 读取的行数，仅读取时出现 / of what was read: how many rows
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
    /// 应答的 SHA-256，十六进制，仅读取时出现 / of what was read: the SHA-256 of the answer, in hexadecimal
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl From<operations::AuditDetail> for AuditDetail {
    fn from(detail: operations::AuditDetail) -> Self {
        Self {
            request: text_fields(detail.request),
            before: text_fields(detail.before),
            after: text_fields(detail.after),
            rows: detail.rows,
            sha256: detail.sha256,
        }
    }
}

/// Requests are of every shape, which a description cannot say: so their values are texts.
fn text_fields(values: Map<String, Value>) -> BTreeMap<String, String> {
    let text = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    values
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect()
}

/// 审计记录 / a row of the audit trail
#[derive(Serialize, ToSchema)]
struct AuditRow {
    /// 序号，无间断 / its number, without gaps
    seq: u64,
    /// 时间 / when
    at: Time,
    /// 种类：change、read、restore、destruction / its kind: change, read, restore or destruction
    kind: &'static str,
    /// 操作者 / who
    who: String,
    /// 操作权限 / the right of the operation
    what: String,
    /// 结果：done、refused、failed / what became of it: done, refused or failed
    outcome: &'static str,
    /// 拒绝或失败的原因代码 / stable name of the reason of a refusal or failure
    #[schema(required)]
    reason: Option<String>,
    /// 来源地址 / from where
    address: String,
    /// 请求标识 / identifier of the request
    request_id: String,
    /// 对象，掩码 / on what, masked
    object: String,
    /// 详情 / the details
    detail: AuditDetail,
    /// 链上的散列值，十六进制 / its hash in the chain, in hexadecimal
    hash: String,
    /// 无法解密的字段，仅在有时出现 / the fields whose values cannot be opened; only if there are any
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unreadable: Vec<&'static str>,
}

impl AuditRow {
    fn new(call: &Call, row: AuditView) -> Self {
        Self {
            seq: row.seq,
            at: call.time(row.at),
            kind: row.kind.code(),
            who: row.who,
            what: row.what,
            outcome: row.outcome.code(),
            reason: row.reason,
            address: row.address,
            request_id: row.request_id,
            object: row.object,
            detail: row.detail.into(),
            hash: row.hash,
            unreadable: row.unreadable,
        }
    }
}

/// Finds what staff did and read in bulk, the latest first.
#[utoipa::path(
    get,
    path = "/admin/v1/audit",
    summary = "查询审计记录 / Search the audit trail (§9.2)",
    params(AuditSearch),
    responses((status = 200, body = Success<AuditTrail>)),
    extensions(("x-reasons" = json!(codes(REASONS))))
)]
pub(crate) async fn search(
    call: Call,
    _: Staff<rights::AuditList>,
    Query(mut search): Query<AuditSearch>,
) -> Answer<AuditTrail> {
    let filter = AuditFilter {
        object: search.object()?,
        who: search.who.as_deref(),
        right: search.right.map(|right| right.get().0),
        outcome: search.outcome.map(|outcome| match outcome {
            SearchedOutcome::Done => operations::AuditOutcome::Done,
            SearchedOutcome::Refused => operations::AuditOutcome::Refused,
            SearchedOutcome::Failed => operations::AuditOutcome::Failed,
        }),
        from: search.from.map(Instant::get),
        to: search.to.map(Instant::get),
        cursor: search.cursor.map(|key| key.get().0),
        limit: Rows::of(search.limit),
    };
    let (rows, next) = list_audit(&call.context(), filter).await?;
    let rows = rows.into_iter().map(|row| AuditRow::new(&call, row));
    Ok(Success::new(AuditTrail {
        rows: rows.collect(),
        next: call.next(next.map(|seq| seq.to_string())),
    }))
}
