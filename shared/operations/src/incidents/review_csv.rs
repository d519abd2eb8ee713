//! A review as a JSON document and as CSV, in the reader's language.

use serde_json::{Map, Value};

use super::review::{Review, Tally};
use domain::error::Lang;
use domain::{IncidentClass, IncidentKind, Zone};
use store::incident::KindFigures;

/// Causes that count as frequent.
const TOP_CAUSES: usize = 5;
/// Lets spreadsheets read the file as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

const COLUMNS: &str = "scope,code,name,incidents,severe,per_1000_tasks,in_time,late,in_time_percent,\
    previous_incidents,previous_per_1000_tasks,previous_in_time_percent,rank,cause\r\n";

/// A number with two decimals, stored in hundredths.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hundredths(i64);

impl Hundredths {
    /// `part / whole * scale`; `None` when `whole` is 0.
    fn of(part: i64, whole: i64, scale: i64) -> Option<Self> {
        (whole > 0).then(|| {
            let part = i128::from(part) * i128::from(scale) * 100 + i128::from(whole) / 2;
            Self(i64::try_from(part / i128::from(whole)).unwrap_or(i64::MAX))
        })
    }

    fn per_1000(count: i64, tasks: i64) -> Option<Self> {
        Self::of(count, tasks, 1_000)
    }

    fn in_time(tally: Tally) -> Option<Self> {
        Self::of(tally.in_time, tally.in_time + tally.late, 100)
    }

    fn text(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }

    fn json(self) -> Value {
        Value::from(self.0 as f64 / 100.0)
    }
}

/// One line: a class, a kind or all together, and the month before.
struct Line<'a> {
    review: &'a Review,
    now: Tally,
    before: Tally,
}

impl<'a> Line<'a> {
    fn new(review: &'a Review, included: impl Fn(IncidentKind) -> bool + Copy) -> Self {
        Self {
            review,
            now: review.figures.tally(included),
            before: review.previous.tally(included),
        }
    }

    /// Rates and shares of this month and of the month before.
    fn shares(&self) -> [Option<Hundredths>; 4] {
        [
            Hundredths::per_1000(self.now.count, self.review.figures.tasks),
            Hundredths::in_time(self.now),
            Hundredths::per_1000(self.before.count, self.review.previous.tasks),
            Hundredths::in_time(self.before),
        ]
    }

    /// The figures, with `names` beside them.
    fn json(&self, names: &[(&str, &str)]) -> Value {
        let [rate, share, rate_before, share_before] = self
            .shares()
            .map(|share| share.map_or(Value::Null, Hundredths::json));
        let mut line = object([
            ("incidents", self.now.count.into()),
            ("severe", self.now.severe.into()),
            ("per_1000_tasks", rate),
            ("in_time", self.now.in_time.into()),
            ("late", self.now.late.into()),
            ("in_time_percent", share),
        ]);
        line["previous"] = object([
            ("incidents", self.before.count.into()),
            ("per_1000_tasks", rate_before),
            ("in_time_percent", share_before),
        ]);
        for (name, text) in names {
            line[*name] = (*text).into();
        }
        line
    }

    fn csv(&self, scope: &str, code: &str, name: &str, rank: &str, cause: &str) -> String {
        let [rate, share, rate_before, share_before] = self
            .shares()
            .map(|share| share.map(Hundredths::text).unwrap_or_default());
        let Tally {
            count,
            severe,
            in_time,
            late,
        } = self.now;
        let before = self.before.count;
        let (name, cause) = (quoted(name), quoted(cause));
        format!(
            "{scope},{code},{name},{count},{severe},{rate},{in_time},{late},{share},{before},{rate_before},\
             {share_before},{rank},{cause}\r\n"
        )
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

/// A field by RFC 4180. The writer of the `csv` crate would add 28 kB to a component of at most 600 kB.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// The most frequent kinds, the most frequent first; of equals, the first in the tables.
fn top_causes(review: &Review) -> Vec<IncidentKind> {
    let mut top: Vec<KindFigures> = Vec::new();
    for kind in IncidentKind::all() {
        let figures = review.figures.kinds.iter().find(|row| row.kind == kind);
        if let Some(figures) = figures.filter(|row| row.count > 0) {
            let place = top.iter().position(|above| above.count < figures.count);
            top.insert(place.unwrap_or(top.len()), *figures);
            top.truncate(TOP_CAUSES);
        }
    }
    top.iter().map(|row| row.kind).collect()
}

/// The fields of a review as a document.
#[must_use]
pub fn review_fields(review: &Review, lang: Lang, zone: &Zone) -> Vec<(&'static str, Value)> {
    let text = |texts: [&'static str; 2]| texts[lang as usize];
    let classes: Vec<Value> = IncidentClass::ALL
        .into_iter()
        .map(|class| {
            let line = Line::new(review, |kind| kind.row().class == class);
            line.json(&[("code", class.code()), ("name", text(class.names()))])
        })
        .collect();
    let kinds: Vec<Value> = IncidentKind::all()
        .map(|kind| {
            let line = Line::new(review, |one| one == kind);
            line.json(&[("code", kind.code()), ("name", text(kind.row().symptom))])
        })
        .collect();
    let causes: Vec<Value> = top_causes(review)
        .into_iter()
        .map(|kind| {
            let line = Line::new(review, |one| one == kind);
            object([
                ("code", kind.code().into()),
                ("cause", text(kind.row().cause).into()),
                ("incidents", line.now.count.into()),
                ("previous", line.before.count.into()),
            ])
        })
        .collect();
    vec![
        ("month", review.month.to_string().into()),
        ("made_at", review.made_at.to_rfc3339(zone).into()),
        ("kept", review.is_kept.into()),
        ("tasks", review.figures.tasks.into()),
        ("previous_tasks", review.previous.tasks.into()),
        ("all", Line::new(review, |_| true).json(&[])),
        ("classes", classes.into()),
        ("kinds", kinds.into()),
        ("top_causes", causes.into()),
    ]
}

/// A review as CSV: the applications, all incidents, each class, each kind.
#[must_use]
pub fn review_csv(review: &Review, lang: Lang) -> String {
    let text = |texts: [&'static str; 2]| texts[lang as usize];
    let mut csv = format!("{BYTE_ORDER_MARK}{COLUMNS}");
    let (tasks, before) = (review.figures.tasks, review.previous.tasks);
    let name = quoted(text(["写卡申请", "applications"]));
    csv.push_str(&format!("tasks,,{name},{tasks},,,,,,{before},,,,\r\n"));
    let all = Line::new(review, |_| true);
    csv.push_str(&all.csv("all", "", text(["全部异常", "all incidents"]), "", ""));
    for class in IncidentClass::ALL {
        let line = Line::new(review, |kind| kind.row().class == class);
        csv.push_str(&line.csv("class", class.code(), text(class.names()), "", ""));
    }
    let top = top_causes(review);
    for kind in IncidentKind::all() {
        let line = Line::new(review, |one| one == kind);
        let rank = top.iter().position(|one| *one == kind);
        let rank = rank.map(|at| (at + 1).to_string()).unwrap_or_default();
        let row = kind.row();
        csv.push_str(&line.csv("kind", row.code, text(row.symptom), &rank, text(row.cause)));
    }
    csv
}
