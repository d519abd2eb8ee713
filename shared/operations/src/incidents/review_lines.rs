//! The lines of a review: the figures of all incidents, of a class or of a kind, with rates and shares, beside those
//! of the month before.

use super::review::{MonthFigures, Review, Tally};
use domain::{IncidentClass, IncidentKind};
use store::incident::KindFigures;

/// Causes that count as frequent.
const TOP_CAUSES: usize = 5;

/// A number with two decimals, stored in hundredths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hundredths(i64);

impl Hundredths {
    /// `part / whole * scale`; `None` when `whole` is 0.
    fn of(part: i64, whole: i64, scale: i64) -> Option<Self> {
        (whole > 0).then(|| {
            let part = i128::from(part) * i128::from(scale) * 100 + i128::from(whole) / 2;
            Self(i64::try_from(part / i128::from(whole)).unwrap_or(i64::MAX))
        })
    }

    /// The number with its decimals, `12.50`.
    #[must_use]
    pub fn text(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }

    /// The number as a floating-point number.
    #[must_use]
    pub fn number(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

/// Sums of several kinds in one month, with rates and shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineFigures {
    /// The sums.
    pub tally: Tally,
    /// Incidents per 1,000 applications; none without an application.
    pub per_1000_tasks: Option<Hundredths>,
    /// Those settled in time, in percent of those that are in time or late; none without any of these.
    pub in_time_percent: Option<Hundredths>,
}

impl MonthFigures {
    fn line(&self, included: impl Fn(IncidentKind) -> bool) -> LineFigures {
        let tally = self.tally(included);
        LineFigures {
            tally,
            per_1000_tasks: Hundredths::of(tally.count, self.tasks, 1_000),
            in_time_percent: Hundredths::of(tally.in_time, tally.in_time + tally.late, 100),
        }
    }
}

/// One line of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewLine {
    /// The month.
    pub now: LineFigures,
    /// The month before.
    pub previous: LineFigures,
}

impl Review {
    /// The line of all incidents.
    #[must_use]
    pub fn all(&self) -> ReviewLine {
        self.line(|_| true)
    }

    /// The line of a class.
    #[must_use]
    pub fn class(&self, class: IncidentClass) -> ReviewLine {
        self.line(|kind| kind.row().class == class)
    }

    /// The line of a kind.
    #[must_use]
    pub fn kind(&self, kind: IncidentKind) -> ReviewLine {
        self.line(|one| one == kind)
    }

    fn line(&self, included: impl Fn(IncidentKind) -> bool) -> ReviewLine {
        ReviewLine {
            now: self.figures.line(&included),
            previous: self.previous.line(&included),
        }
    }

    /// The most frequent kinds, the most frequent first; of equals, the first in the tables.
    #[must_use]
    pub fn top_causes(&self) -> Vec<IncidentKind> {
        let mut top: Vec<KindFigures> = Vec::new();
        for kind in IncidentKind::all() {
            let figures = self.figures.kinds.iter().find(|row| row.kind == kind);
            if let Some(figures) = figures.filter(|row| row.count > 0) {
                let place = top.iter().position(|above| above.count < figures.count);
                top.insert(place.unwrap_or(top.len()), *figures);
                top.truncate(TOP_CAUSES);
            }
        }
        top.iter().map(|row| row.kind).collect()
    }
}
