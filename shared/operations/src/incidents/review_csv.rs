//! A review as CSV, in the reader's language.

use super::review::{Review, Tally};
use super::review_lines::{Hundredths, LineFigures, ReviewLine};
use domain::error::Lang;
use domain::{IncidentClass, IncidentKind};

/// Lets spreadsheets read the file as UTF-8.
const BYTE_ORDER_MARK: char = '\u{feff}';

const COLUMNS: &str = "scope,code,name,incidents,severe,per_1000_tasks,in_time,late,in_time_percent,\
    previous_incidents,previous_per_1000_tasks,previous_in_time_percent,rank,cause\r\n";

/// The columns that say what a line is about.
#[derive(Default)]
struct Labels<'a> {
    scope: &'a str,
    code: &'a str,
    name: &'a str,
    rank: &'a str,
    cause: &'a str,
}

fn csv_line(line: &ReviewLine, labels: &Labels<'_>) -> String {
    let ([rate, share], [rate_before, share_before]) = (shares(&line.now), shares(&line.previous));
    let Tally {
        count,
        severe,
        in_time,
        late,
    } = line.now.tally;
    let before = line.previous.tally.count;
    let Labels {
        scope, code, rank, ..
    } = labels;
    let (name, cause) = (quoted(labels.name), quoted(labels.cause));
    format!(
        "{scope},{code},{name},{count},{severe},{rate},{in_time},{late},{share},{before},{rate_before},\
         {share_before},{rank},{cause}\r\n"
    )
}

/// The rate and the share; empty where there is none.
fn shares(figures: &LineFigures) -> [String; 2] {
    [figures.per_1000_tasks, figures.in_time_percent]
        .map(|share| share.map(Hundredths::text).unwrap_or_default())
}

/// A field by RFC 4180. The writer of the `csv` crate would add 28 kB to a component of at most 600 kB.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A review as CSV: the applications, all incidents, each class, each kind.
#[must_use]
pub fn review_csv(review: &Review, lang: Lang) -> String {
    let text = |texts: [&'static str; 2]| texts[lang as usize];
    let mut csv = format!("{BYTE_ORDER_MARK}{COLUMNS}");
    let (tasks, before) = (review.figures.tasks, review.previous.tasks);
    let name = quoted(text(["写卡申请", "applications"]));
    csv.push_str(&format!("tasks,,{name},{tasks},,,,,,{before},,,,\r\n"));
    let (unserved, before) = (review.figures.unserved, review.previous.unserved);
    let name = quoted(text([
        "未开放省份的申请",
        "applications for provinces that are not served",
    ]));
    csv.push_str(&format!("unserved,,{name},{unserved},,,,,,{before},,,,\r\n"));
    let labels = Labels {
        scope: "all",
        name: text(["全部异常", "all incidents"]),
        ..Labels::default()
    };
    csv.push_str(&csv_line(&review.all(), &labels));
    for class in IncidentClass::ALL {
        let labels = Labels {
            scope: "class",
            code: class.code(),
            name: text(class.names()),
            ..Labels::default()
        };
        csv.push_str(&csv_line(&review.class(class), &labels));
    }
    let top = review.top_causes();
    for kind in IncidentKind::all() {
        let rank = top.iter().position(|one| *one == kind);
        let rank = rank.map(|at| (at + 1).to_string()).unwrap_or_default();
        let row = kind.row();
        let labels = Labels {
            scope: "kind",
            code: row.code,
            name: text(row.symptom),
            rank: &rank,
            cause: text(row.cause),
        };
        csv.push_str(&csv_line(&review.kind(kind), &labels));
    }
    csv
}
