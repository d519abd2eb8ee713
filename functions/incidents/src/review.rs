//! The review of a month (§8.3.2).

use axum::response::{IntoResponse as _, Response};
use domain::error::{Lang, Reason};
use operations::{Hundredths, LineFigures, Review, ReviewLine, review_csv, review_incidents};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use web::extract::{Call, Query, Staff, rights};
use web::values::{IncidentClass, IncidentKind, Month, Time};
use web::{CsvFile, Refusal, Success, codes};

/// 复盘的格式 / the format of a review
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Json,
    Csv,
}

/// Which review.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichReview {
    /// 月份，默认为本月至今 / the month; by default the present one so far
    #[param(inline)]
    month: Option<Month>,
    /// JSON 或 CSV，默认 JSON / JSON or CSV; by default JSON
    #[param(inline)]
    format: Option<Format>,
}

/// 某月的异常汇总复盘 / the review of a month
#[derive(Serialize, ToSchema)]
pub(crate) struct IncidentReview {
    /// 月份 / the month
    #[schema(value_type = Month)]
    month: String,
    /// 统计时间 / when it was counted
    made_at: Time,
    /// 该月已结束且复盘已保存时为 true / true when the month is over and the review is stored
    kept: bool,
    /// 受理的写卡申请数 / applications that were accepted
    tasks: i64,
    /// 上月受理的写卡申请数 / applications that were accepted in the month before
    previous_tasks: i64,
    /// 因省份未开放而拒绝的写卡申请数 / applications that were refused because their province is not served
    unserved: i64,
    /// 上月因省份未开放而拒绝的写卡申请数 / such applications in the month before
    previous_unserved: i64,
    /// 全部异常 / all incidents
    all: ReviewFigures,
    /// 各类别 / each class
    classes: Vec<ReviewedClass>,
    /// 各种类 / each kind
    kinds: Vec<ReviewedKind>,
    /// 最常见的原因，最多五个 / the most frequent causes, at most five
    top_causes: Vec<ReviewedCause>,
}

/// 若干种类合计 / the figures of several kinds together
#[derive(Serialize, ToSchema)]
struct ReviewFigures {
    /// 按时处理的 / settled within the time limit
    in_time: i64,
    /// 按时处理的比例，百分数；没有时为 null / share of those in time, in percent; null without any
    #[schema(required)]
    in_time_percent: Option<f64>,
    /// 登记的异常数 / incidents that were opened
    incidents: i64,
    /// 超时的 / settled late, or open and past the limit
    late: i64,
    /// 每千次写卡申请的异常数；没有申请时为 null / incidents per 1,000 applications; null without an application
    #[schema(required)]
    per_1000_tasks: Option<f64>,
    /// 上月 / the month before
    previous: PreviousReviewFigures,
    /// 其中严重异常 / those of them that are severe
    severe: i64,
}

/// 上月的数字 / the figures of the month before
#[derive(Serialize, ToSchema)]
struct PreviousReviewFigures {
    /// 按时处理的比例，百分数；没有时为 null / share of those in time, in percent; null without any
    #[schema(required)]
    in_time_percent: Option<f64>,
    /// 登记的异常数 / incidents that were opened
    incidents: i64,
    /// 每千次写卡申请的异常数；没有申请时为 null / incidents per 1,000 applications; null without an application
    #[schema(required)]
    per_1000_tasks: Option<f64>,
}

/// 一个类别 / one class
#[derive(Serialize, ToSchema)]
struct ReviewedClass {
    /// 异常类别 / the class
    code: IncidentClass,
    /// 名称，按调用方的语言 / its name, in the caller's language
    name: &'static str,
    #[serde(flatten)]
    figures: ReviewFigures,
}

/// 一个种类 / one kind
#[derive(Serialize, ToSchema)]
struct ReviewedKind {
    /// 异常种类 / the kind
    code: IncidentKind,
    /// 异常现象，按调用方的语言 / its symptom, in the caller's language
    name: &'static str,
    #[serde(flatten)]
    figures: ReviewFigures,
}

/// 常见原因 / a frequent cause
#[derive(Serialize, ToSchema)]
struct ReviewedCause {
    /// 异常原因，按调用方的语言 / the cause, in the caller's language
    cause: &'static str,
    /// 异常种类 / the kind
    code: IncidentKind,
    /// 登记的异常数 / incidents that were opened
    incidents: i64,
    /// 上月登记的异常数 / incidents that were opened in the month before
    previous: i64,
}

impl ReviewFigures {
    fn new(line: ReviewLine) -> Self {
        let tally = line.now.tally;
        let [in_time_percent, per_1000_tasks] = shares(&line.now);
        Self {
            in_time: tally.in_time,
            in_time_percent,
            incidents: tally.count,
            late: tally.late,
            per_1000_tasks,
            previous: PreviousReviewFigures::new(&line.previous),
            severe: tally.severe,
        }
    }
}

impl PreviousReviewFigures {
    fn new(figures: &LineFigures) -> Self {
        let [in_time_percent, per_1000_tasks] = shares(figures);
        Self {
            in_time_percent,
            incidents: figures.tally.count,
            per_1000_tasks,
        }
    }
}

/// The share of those in time, and the rate.
fn shares(figures: &LineFigures) -> [Option<f64>; 2] {
    [figures.in_time_percent, figures.per_1000_tasks].map(|share| share.map(Hundredths::number))
}

impl IncidentReview {
    fn new(review: &Review, lang: Lang, made_at: Time) -> Self {
        let text = |texts: [&'static str; 2]| texts[lang as usize];
        let classes = domain::IncidentClass::ALL.into_iter().map(|class| ReviewedClass {
            code: class.into(),
            name: text(class.names()),
            figures: ReviewFigures::new(review.class(class)),
        });
        let kinds = domain::IncidentKind::all().map(|kind| ReviewedKind {
            code: kind.into(),
            name: text(kind.row().symptom),
            figures: ReviewFigures::new(review.kind(kind)),
        });
        let top_causes = review.top_causes().into_iter().map(|kind| {
            let line = review.kind(kind);
            ReviewedCause {
                cause: text(kind.row().cause),
                code: kind.into(),
                incidents: line.now.tally.count,
                previous: line.previous.tally.count,
            }
        });
        Self {
            month: review.month.to_string(),
            made_at,
            kept: review.is_kept,
            tasks: review.figures.tasks,
            previous_tasks: review.previous.tasks,
            unserved: review.figures.unserved,
            previous_unserved: review.previous.unserved,
            all: ReviewFigures::new(review.all()),
            classes: classes.collect(),
            kinds: kinds.collect(),
            top_causes: top_causes.collect(),
        }
    }
}

/// The review of a month, as a document or as CSV; without a month, that of the present month so far.
#[utoipa::path(
    get,
    path = "/admin/v1/incidents/review",
    summary = "查询某月的异常汇总复盘，JSON 或 CSV / The review of a month, as JSON or CSV (§8.3.2)",
    params(WhichReview),
    responses((status = 200, content(
        (Success<IncidentReview> = "application/json"),
        (String = "text/csv"),
    ))),
    extensions(("x-reasons" = json!(codes(&[Reason::ParameterMalformed]))))
)]
pub(crate) async fn review(
    call: Call,
    _: Staff<rights::IncidentsReview>,
    Query(which): Query<WhichReview>,
) -> Result<Response, Refusal> {
    let review = review_incidents(&call.context(), which.month.map(Month::get)).await?;
    if which.format == Some(Format::Csv) {
        let file = CsvFile {
            name: format!("incidents-{}.csv", review.month),
            text: review_csv(&review, call.lang),
        };
        return Ok(file.into_response());
    }
    let made_at = call.time(review.made_at);
    Ok(Success::new(IncidentReview::new(&review, call.lang, made_at)).into_response())
}

#[cfg(test)]
mod tests {
    use domain::Month;
    use operations::{MonthFigures, Review};
    use serde_json::{Value, json};
    use store::incident::KindFigures;

    use super::{IncidentReview, Lang};
    use web::values::Time;

    /// Three silent numbers among eight applications, one severe, two in time; in the month before a faulty chip that
    /// was late, and no application.
    fn review() -> Value {
        let figures = |kind, count, severe, in_time, late| KindFigures {
            kind,
            count,
            severe,
            in_time,
            late,
        };
        let at = domain::Timestamp(1_785_542_400_000);
        let review = Review {
            month: Month::parse("2026-07").unwrap(),
            made_at: at,
            is_kept: true,
            figures: MonthFigures {
                tasks: 8,
                unserved: 2,
                kinds: vec![figures(domain::IncidentKind::NumberSilent, 3, 1, 2, 1)],
            },
            previous: MonthFigures {
                tasks: 0,
                unserved: 0,
                kinds: vec![figures(domain::IncidentKind::ChipFault, 1, 0, 0, 1)],
            },
        };
        let answer = IncidentReview::new(&review, Lang::En, Time::new(at, domain::Zone::UTC));
        serde_json::to_value(answer).unwrap()
    }

    #[test]
    fn a_review_has_the_figures_of_all_incidents_and_of_the_month_before() {
        let review = review();
        for (name, value) in [
            ("month", json!("2026-07")),
            ("made_at", json!("2026-08-01T00:00:00+00:00")),
            ("kept", json!(true)),
            ("tasks", json!(8)),
            ("previous_tasks", json!(0)),
            ("unserved", json!(2)),
            ("previous_unserved", json!(0)),
        ] {
            assert_eq!(review[name], value, "{name}");
        }
        let all = json!({
            "incidents": 3, "severe": 1, "per_1000_tasks": 375.0,
            "in_time": 2, "late": 1, "in_time_percent": 66.67,
            "previous": {"incidents": 1, "per_1000_tasks": null, "in_time_percent": 0.0},
        });
        assert_eq!(review["all"], all);
    }

    #[test]
    fn a_review_has_a_line_for_each_class_and_kind_and_names_the_causes() {
        let review = review();
        let count = |name: &str| review[name].as_array().unwrap().len();
        assert_eq!(
            (count("classes"), count("kinds"), count("top_causes")),
            (4, 16, 1)
        );
        let writing = &review["classes"][1];
        assert_eq!(
            (&writing["code"], &writing["name"]),
            (&json!("writing"), &json!("writing"))
        );
        assert_eq!((&writing["incidents"], &writing["late"]), (&json!(3), &json!(1)));
        assert_eq!(writing["previous"]["incidents"], 1);
        let cause = &review["top_causes"][0];
        assert_eq!(cause["code"], "number_silent");
        assert_eq!((&cause["incidents"], &cause["previous"]), (&json!(3), &json!(0)));
    }
}
