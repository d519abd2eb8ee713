//! §8.3.2: the monthly review: how many incidents there were per application, how many were settled in time, and which
//! causes are frequent, compared with the month before.

use serde_json::{Map, Value, json};

use super::super::Context;
use super::super::alerts::{NewAlert, raise};
use super::super::job_run::Done;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{AlertKind, DAY_MS, HOUR_MS, IncidentKind, Month, TaskId, Timestamp};
use store::{
    Database, Subject,
    incident::{self, KindFigures},
    monthly_review::{self, ReviewRow},
    task, unserved_application,
};

/// Time from the end of a month until each of its incidents was settled in time or is late, in milliseconds: the
/// longest limit of Tables 3–6, and an hour for the clock to run.
pub const SETTLED_AFTER_MS: i64 = DAY_MS + HOUR_MS;
/// Most reviews that one run makes.
pub const MAX_REVIEWS: usize = 12;

/// Sums of the figures of several kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Incidents that were opened.
    pub count: i64,
    /// Those of them that are severe.
    pub severe: i64,
    /// Those that were settled within their time limit.
    pub in_time: i64,
    /// Those that were settled late, or are open and past the limit.
    pub late: i64,
}

/// Figures of a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MonthFigures {
    /// Applications that were accepted.
    pub tasks: i64,
    /// Applications for provinces that are not served.
    pub unserved: i64,
    /// Incidents by kind; only kinds that occurred.
    pub kinds: Vec<KindFigures>,
}

impl MonthFigures {
    /// The sums over the kinds for which `included` is true.
    pub fn tally(&self, included: impl Fn(IncidentKind) -> bool) -> Tally {
        let mut tally = Tally::default();
        for row in self.kinds.iter().filter(|row| included(row.kind)) {
            tally.count += row.count;
            tally.severe += row.severe;
            tally.in_time += row.in_time;
            tally.late += row.late;
        }
        tally
    }

    fn is_empty(&self) -> bool {
        self.tasks == 0 && self.unserved == 0 && self.kinds.is_empty()
    }

    fn to_json(&self) -> Value {
        let kinds: Map<String, Value> = self
            .kinds
            .iter()
            .map(|row| {
                let figures = json!([row.count, row.severe, row.in_time, row.late]);
                (row.kind.code().to_owned(), figures)
            })
            .collect();
        json!({"tasks": self.tasks, "unserved": self.unserved, "kinds": kinds})
    }

    fn from_json(value: &Value) -> Option<Self> {
        let kinds = value["kinds"].as_object()?.iter().map(|(code, figures)| {
            Some(KindFigures {
                kind: IncidentKind::from_code(code)?,
                count: figures[0].as_i64()?,
                severe: figures[1].as_i64()?,
                in_time: figures[2].as_i64()?,
                late: figures[3].as_i64()?,
            })
        });
        Some(Self {
            tasks: value["tasks"].as_i64()?,
            // Older reviews did not count them.
            unserved: value["unserved"].as_i64().unwrap_or_default(),
            kinds: kinds.collect::<Option<_>>()?,
        })
    }
}

/// A month's figures and those of the month before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The month.
    pub month: Month,
    /// When it was counted.
    pub made_at: Timestamp,
    /// True when the month is over and the review is stored.
    pub is_kept: bool,
    /// The month's figures.
    pub figures: MonthFigures,
    /// The figures of the month before, as they were when this review was counted.
    pub previous: MonthFigures,
}

/// The review of a month: the stored one, or one counted now. Without a month, the present month.
///
/// # Errors
/// [`Reason::ParameterMalformed`] for a month that has not begun.
pub async fn review_incidents<D: Database>(
    cx: &Context<'_, D>,
    month: Option<Month>,
) -> Result<Review, Error> {
    let present = Month::of(cx.now, cx.zone);
    let month = month.unwrap_or(present);
    if month > present {
        return Err(
            Error::new(Reason::ParameterMalformed).with_detail("month 尚未开始", "month has not begun")
        );
    }
    match monthly_review::find(cx.db, month).await? {
        Some(row) => kept(month, &row),
        None => count(cx, month).await,
    }
}

/// Reads a review that was kept.
fn kept(month: Month, row: &ReviewRow) -> Result<Review, Error> {
    let body: Value = serde_json::from_str(&row.body).map_err(Error::internal)?;
    let read = |name: &str| {
        MonthFigures::from_json(&body[name]).ok_or_else(|| Error::internal("a review cannot be read"))
    };
    Ok(Review {
        month,
        made_at: row.made_at,
        is_kept: true,
        figures: read("figures")?,
        previous: read("previous")?,
    })
}

/// The months that were to be reviewed at a time and were not: the first and the last one. Without any application or
/// incident there is nothing to review.
pub(crate) async fn months_without_review<D: Database>(
    cx: &Context<'_, D>,
    at: Timestamp,
) -> Result<Option<(Month, Month)>, Error> {
    let span = monthly_review::span(cx.db).await?;
    let last = Month::of(at.plus(-SETTLED_AFTER_MS), cx.zone).previous();
    let began = span.began.map(|at| Month::of(at, cx.zone));
    let first = span.latest.map(Month::following).or(began);
    Ok(first.filter(|month| *month <= last).map(|first| (first, last)))
}

/// Stores the review of each past month that has none, the earliest first, and raises an alert for each.
pub(crate) async fn review_past_months<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    let mut done = Done::default();
    let Some((mut month, last)) = months_without_review(cx, cx.now).await? else {
        return Ok(done);
    };
    for _ in 0..MAX_REVIEWS {
        if month > last {
            break;
        }
        done.count += usize::from(keep(cx, month).await?);
        month = month.following();
    }
    done.more = month <= last;
    Ok(done)
}

/// Stores the review of a month; false when another node has stored it.
async fn keep<D: Database>(cx: &Context<'_, D>, month: Month) -> Result<bool, Error> {
    let review = count(cx, month).await?;
    let body = json!({"figures": review.figures.to_json(), "previous": review.previous.to_json()});
    transaction(cx, async |tx| {
        if !monthly_review::insert(tx, month, body.to_string(), cx.now).await? {
            return Ok(false);
        }
        if !review.figures.is_empty() || !review.previous.is_empty() {
            let all = review.figures.tally(|_| true);
            let fields = vec![
                ("month", month.to_string()),
                ("tasks", review.figures.tasks.to_string()),
                ("incidents", all.count.to_string()),
                ("late", all.late.to_string()),
            ];
            let alert = NewAlert {
                kind: AlertKind::MonthlyReview,
                subject: &Subject::platform(),
                fields,
            };
            raise(cx, tx, alert).await?;
        }
        Ok(true)
    })
    .await
}

async fn count<D: Database>(cx: &Context<'_, D>, month: Month) -> Result<Review, Error> {
    Ok(Review {
        month,
        made_at: cx.now,
        is_kept: false,
        figures: figures(cx, month).await?,
        previous: figures(cx, month.previous()).await?,
    })
}

/// A month's figures. Incidents whose limit ran beyond the month count by their state now.
async fn figures<D: Database>(cx: &Context<'_, D>, month: Month) -> Result<MonthFigures, Error> {
    let (from, to) = (month.begins(cx.zone), month.following().begins(cx.zone));
    Ok(MonthFigures {
        tasks: task::count(cx.db, TaskId::first(from), TaskId::first(to)).await?,
        unserved: unserved_application::count(cx.db, month).await?,
        kinds: incident::figures(cx.db, from, to, cx.now).await?,
    })
}
