//! What happened otherwise than the standard demands (§10.2).

use domain::error::{Lang, Reason};
use operations::{DeviationView, MAX_DEVIATIONS_PER_PAGE, list_deviations};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{Cursor, DeviationKind, Eid, PageLimit, RowCursor, Rows, Time};
use web::{Answer, Success, codes};

use crate::values::OpenOrAll;

type Limit = PageLimit<MAX_DEVIATIONS_PER_PAGE>;

/// Conditions of a search.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Search {
    /// 未纠正或全部，默认未纠正 / those that are not set right, or all; by default those that are not
    #[param(inline)]
    state: Option<OpenOrAll>,
    /// 偏差种类 / of this kind
    kind: Option<DeviationKind>,
    /// 上一页的 next / the next of the page before
    #[param(inline, value_type = Option<Cursor>)]
    cursor: Option<RowCursor>,
    /// 每页行数 / rows of a page
    #[param(inline)]
    limit: Option<Limit>,
}

/// 一页偏差 / a page of deviations
#[derive(Serialize, ToSchema)]
pub(crate) struct DeviationPage {
    /// 偏差，最新在前 / the deviations, the latest first
    deviations: Vec<Deviation>,
    /// 下一页的位置，没有下一页时为 null / where the next page begins; null if there is none
    #[schema(required, value_type = Option<Cursor>)]
    next: Option<String>,
}

/// 流程执行与规范的偏差 / what happened otherwise than the standard demands
#[derive(Serialize, ToSchema)]
struct Deviation {
    /// 偏差的说明 / what deviates, in the caller's language
    description: &'static str,
    /// 所涉芯片的 EID / EID of the chip that it is about
    #[schema(required, value_type = Option<Eid>)]
    eid: Option<String>,
    /// 确认已纠正的时间 / when it was found set right
    #[schema(required)]
    ended_at: Option<Time>,
    /// 发现时间 / since when it is known
    found_at: Time,
    /// 偏差种类 / its kind
    #[schema(value_type = DeviationKind)]
    kind: &'static str,
    /// 最近一次检出的时间 / when it was last seen
    seen_at: Time,
    /// 所涉对象，不含芯片与号码的标识 / what it is about, without identifiers of chips and numbers
    subject: String,
}

impl Deviation {
    fn new(call: &Call, DeviationView { row, eid }: DeviationView) -> Self {
        Self {
            description: match call.lang {
                Lang::Zh => row.kind.zh(),
                Lang::En => row.kind.en(),
            },
            eid,
            ended_at: row.ended_at.map(|at| call.time(at)),
            found_at: call.time(row.found_at),
            kind: row.kind.code(),
            seen_at: call.time(row.seen_at),
            subject: row.subject.text().to_owned(),
        }
    }
}

/// What happened otherwise than the standard demands and is not set right, or all, the latest first. The job `supervision`
/// compares all cards once a day, and the rest every hour.
#[utoipa::path(
    get,
    path = "/admin/v1/deviations",
    summary = "查询流程执行的偏差 / Find what happened otherwise than the standard demands (§10.2)",
    params(Search),
    responses((status = 200, body = Success<DeviationPage>)),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed, Reason::CursorMismatch]))))
)]
pub(crate) async fn list(
    call: Call,
    _: Staff<rights::DeviationsList>,
    Query(search): Query<Search>,
) -> Answer<DeviationPage> {
    let limit = Rows::of(search.limit);
    let kind = search.kind.map(DeviationKind::get);
    let ended_too = search.state == Some(OpenOrAll::All);
    let cursor = search.cursor.map(RowCursor::get);
    let found = list_deviations(&call.context(), kind, ended_too, cursor.as_ref(), limit).await?;
    let last = found.last().filter(|_| found.len() == limit as usize);
    let next = last.map(|last| last.row.key().text());
    let deviations = found.into_iter().map(|view| Deviation::new(&call, view));
    Ok(Success::new(DeviationPage {
        deviations: deviations.collect(),
        next: call.next(next),
    }))
}
