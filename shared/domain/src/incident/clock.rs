//! §8.2, §8.3.1: the clock of an incident. Its state determines what is overdue and when the clock has to run next.
//! Pure: takes the time, returns the notices that are due. Lateness never makes an incident severe (§8.1).
//!
//! Every deadline is computed from recorded times and never from the time of a run, so the result does not depend on
//! when the clock runs, until the final report ends all notices.

use super::{IncidentKind, Severity};
use crate::{DAY_MS, HOUR_MS, Timestamp};

/// Time from becoming severe to the report, in milliseconds (§8.3.1).
pub const REPORT_WITHIN_MS: i64 = HOUR_MS;
/// Time from the end of a severe incident to the final report, in milliseconds (§8.3.1).
pub const FINAL_REPORT_WITHIN_MS: i64 = DAY_MS;

/// A notice about an incident: it became severe or something is overdue. Each is given once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// It is severe.
    Severe,
    /// It was not settled in time.
    Handling,
    /// It is severe and was not reported in time.
    Report,
    /// It was severe and its final report did not come in time.
    FinalReport,
}

impl Notice {
    /// Every notice.
    pub const ALL: [Self; 4] = [Self::Severe, Self::Handling, Self::Report, Self::FinalReport];

    fn bit(self) -> i64 {
        match self {
            Self::Severe => 1,
            Self::Handling => 2,
            Self::Report => 4,
            Self::FinalReport => 8,
        }
    }
}

/// The state of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IncidentState {
    /// Its kind.
    pub kind: IncidentKind,
    /// How grave it is.
    pub severity: Severity,
    /// When the trouble began.
    pub since: Timestamp,
    /// When it became severe.
    pub severe_at: Option<Timestamp>,
    /// When it was settled.
    pub closed_at: Option<Timestamp>,
    /// When it was reported.
    pub reported_at: Option<Timestamp>,
    /// When its final report came.
    pub final_report_at: Option<Timestamp>,
    /// The notices that were given, a bit for each [`Notice`].
    pub notices: i64,
}

impl IncidentState {
    /// The state of an incident that was just opened.
    #[must_use]
    pub fn new(kind: IncidentKind, severity: Severity, since: Timestamp, opened_at: Timestamp) -> Self {
        Self {
            kind,
            severity,
            since,
            severe_at: (severity == Severity::Severe).then_some(opened_at),
            closed_at: None,
            reported_at: None,
            final_report_at: None,
            notices: 0,
        }
    }

    /// By when it has to be settled, by the severity that it had: one that became severe only after the limit of a
    /// general one keeps that limit.
    #[must_use]
    pub fn handle_by(&self) -> Option<Timestamp> {
        let limit = self.kind.row().limit;
        let by = |severity| Some(self.since.plus(limit.for_severity(severity)?));
        let general = by(Severity::General)?;
        match self.severe_at {
            Some(at) if at < general => by(Severity::Severe),
            _ => Some(general),
        }
    }

    /// By when it has to be reported, once it is severe.
    #[must_use]
    pub fn report_by(&self) -> Option<Timestamp> {
        Some(self.severe_at?.plus(REPORT_WITHIN_MS))
    }

    /// By when the final report has to come, once it was severe and is settled.
    #[must_use]
    pub fn final_report_by(&self) -> Option<Timestamp> {
        self.severe_at?;
        Some(self.closed_at?.plus(FINAL_REPORT_WITHIN_MS))
    }

    /// The time that `notice` is about: when the incident became severe, or the deadline that has passed.
    #[must_use]
    pub fn moment(&self, notice: Notice) -> Option<Timestamp> {
        match notice {
            Notice::Severe => self.severe_at,
            Notice::Handling => self.handle_by(),
            Notice::Report => self.report_by(),
            Notice::FinalReport => self.final_report_by(),
        }
    }

    /// Makes a general incident severe at `at`.
    pub fn escalate(&mut self, at: Timestamp) {
        if self.severity == Severity::General {
            self.severity = Severity::Severe;
            self.severe_at = Some(at);
        }
    }

    /// Settles an incident that is open.
    pub fn settle(&mut self, at: Timestamp) {
        self.closed_at = Some(at);
    }

    /// When the clock has to run next; `None` when nothing is left. May lie in the past.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Timestamp> {
        self.next_notice().map(|(at, _)| at)
    }

    /// Advances the state to `now` and returns the notices that became due, in the order of their times.
    pub fn advance(&mut self, now: Timestamp) -> Vec<Notice> {
        let mut notices = Vec::new();
        // Each round gives a notice for the first time.
        while let Some((_, notice)) = self.next_notice().filter(|(at, _)| *at <= now) {
            self.notices |= notice.bit();
            notices.push(notice);
        }
        notices
    }

    fn next_notice(&self) -> Option<(Timestamp, Notice)> {
        // What is settled and has its final report alarms nobody any more.
        if self.closed_at.is_some() && self.final_report_at.is_some() {
            return None;
        }
        let notices = Notice::ALL.into_iter().filter_map(|notice| {
            let at = self.notice_at(notice)?;
            (self.notices & notice.bit() == 0).then_some((at, notice))
        });
        notices.min_by_key(|(at, _)| *at)
    }

    /// When `notice` is due, unless the required act is done by then.
    fn notice_at(&self, notice: Notice) -> Option<Timestamp> {
        let done = match notice {
            Notice::Severe => None,
            Notice::Handling => self.closed_at,
            Notice::Report => self.reported_at,
            Notice::FinalReport => self.final_report_at,
        };
        let at = self.moment(notice)?;
        done.is_none_or(|done| done > at).then_some(at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{FINAL_REPORT_WITHIN_MS, IncidentState, Notice, REPORT_WITHIN_MS};
    use crate::{DAY_MS, HOUR_MS, IncidentKind, Limit, MINUTE_MS, Severity, Timestamp};

    const BEGAN: Timestamp = Timestamp(1_782_864_000_000);

    fn general(kind: IncidentKind) -> IncidentState {
        IncidentState::new(kind, Severity::General, BEGAN, BEGAN)
    }

    fn after(ms: i64) -> Timestamp {
        BEGAN.plus(ms)
    }

    // §8.1: whether an incident is severe is a matter of its effect, not of how long it takes
    #[test]
    fn an_incident_with_two_limits_is_overdue_after_the_first_and_stays_general() {
        let mut province = general(IncidentKind::ProvinceWithoutNumber);
        assert_eq!(province.next_deadline(), Some(after(2 * HOUR_MS)));
        assert!(province.advance(after(2 * HOUR_MS - 1)).is_empty());
        assert_eq!(province.advance(after(2 * HOUR_MS)), [Notice::Handling]);
        assert_eq!((province.severity, province.severe_at), (Severity::General, None));
        assert_eq!(province.next_deadline(), None);
    }

    #[test]
    fn an_incident_that_becomes_severe_in_time_has_the_limit_of_severe_ones() {
        let mut timeout = general(IncidentKind::CallTimeout);
        timeout.escalate(after(30 * MINUTE_MS - 1));
        assert_eq!(timeout.handle_by(), Some(after(HOUR_MS)));
        assert_eq!(
            timeout.advance(after(HOUR_MS)),
            [Notice::Severe, Notice::Handling]
        );
    }

    #[test]
    fn what_becomes_severe_when_it_is_late_already_stays_late() {
        let mut timeout = general(IncidentKind::CallTimeout);
        timeout.escalate(after(30 * MINUTE_MS));
        assert_eq!(timeout.handle_by(), Some(after(30 * MINUTE_MS)));
        timeout.settle(after(40 * MINUTE_MS));
        assert_eq!(
            timeout.advance(after(41 * MINUTE_MS)),
            [Notice::Severe, Notice::Handling]
        );
    }

    #[test]
    fn an_incident_with_one_limit_is_overdue_after_it_and_stays_general() {
        let mut silent = general(IncidentKind::NumberSilent);
        assert_eq!(silent.advance(after(HOUR_MS)), [Notice::Handling]);
        assert_eq!(
            (silent.severity, silent.next_deadline()),
            (Severity::General, None)
        );
    }

    #[test]
    fn an_incident_without_a_limit_has_no_deadline() {
        let mut rejected = general(IncidentKind::TokenRejected);
        assert_eq!(rejected.next_deadline(), None);
        assert!(rejected.advance(Timestamp(i64::MAX)).is_empty());
    }

    #[test]
    fn a_stuck_card_has_half_an_hour_from_when_it_was_stuck() {
        let opened = after(MINUTE_MS);
        let mut stuck = IncidentState::new(IncidentKind::StuckWriting, Severity::General, BEGAN, opened);
        assert_eq!(stuck.next_deadline(), Some(after(30 * MINUTE_MS)));
        assert_eq!(stuck.advance(after(DAY_MS)), [Notice::Handling]);
    }

    #[test]
    fn the_final_report_is_due_a_day_after_the_end_of_a_severe_incident() {
        let mut severe = IncidentState::new(IncidentKind::ChipFault, Severity::Severe, BEGAN, BEGAN);
        assert_eq!(severe.advance(BEGAN), [Notice::Severe]);
        severe.reported_at = Some(after(REPORT_WITHIN_MS));
        severe.closed_at = Some(after(2 * HOUR_MS));
        assert_eq!(severe.next_deadline(), Some(after(2 * HOUR_MS + DAY_MS)));
        severe.final_report_at = Some(after(3 * HOUR_MS));
        assert_eq!(severe.next_deadline(), None);
    }

    // §8.3.1
    #[test]
    fn a_settled_incident_alarms_no_more_once_its_final_report_is_in() {
        let mut severe = IncidentState::new(IncidentKind::CallTimeout, Severity::Severe, BEGAN, BEGAN);
        assert_eq!(severe.advance(BEGAN), [Notice::Severe]);
        severe.settle(after(20 * MINUTE_MS));
        assert_eq!(
            severe.next_deadline(),
            Some(after(REPORT_WITHIN_MS)),
            "the report"
        );
        severe.final_report_at = Some(after(30 * MINUTE_MS));
        assert_eq!(severe.next_deadline(), None);
        assert!(severe.advance(after(100 * DAY_MS)).is_empty());
    }

    #[test]
    fn a_final_report_that_is_missing_alarms_a_day_after_the_end() {
        let mut severe = IncidentState::new(IncidentKind::CallTimeout, Severity::Severe, BEGAN, BEGAN);
        severe.settle(after(20 * MINUTE_MS));
        let due = 20 * MINUTE_MS + DAY_MS;
        assert_eq!(severe.advance(after(due - 1)), [Notice::Severe, Notice::Report]);
        assert_eq!(severe.advance(after(due)), [Notice::FinalReport]);
    }

    #[test]
    fn a_notice_is_given_late_rather_than_never() {
        let mut late = general(IncidentKind::NumberSilent);
        late.closed_at = Some(after(HOUR_MS + 1));
        assert_eq!(late.advance(after(DAY_MS)), [Notice::Handling]);
    }

    prop_compose! {
        /// An incident, and the acts of administrators as (when, what), in the order of time.
        fn story()(
            kind in prop::sample::select(IncidentKind::all().collect::<Vec<_>>()),
            severe in any::<bool>(),
            opened in 0..3 * HOUR_MS,
            acts in prop::collection::vec((0..40 * HOUR_MS, 0_u8..4), 0..6),
            looks in prop::collection::vec(0..80 * HOUR_MS, 0..40),
        ) -> (IncidentState, Vec<(i64, Option<u8>)>) {
            let severity = if severe { Severity::Severe } else { kind.row().severity };
            let state = IncidentState::new(kind, severity, BEGAN, after(opened));
            let acts = acts.into_iter().map(|(at, act)| (opened + at, Some(act)));
            let looks = looks.into_iter().map(|at| (opened + at, None));
            let mut steps: Vec<_> = acts.chain(looks).collect();
            steps.sort();
            (state, steps)
        }
    }

    /// One act of an administrator; each has an effect once.
    fn act(state: &mut IncidentState, what: u8, now: Timestamp) {
        let is_severe = state.severity == Severity::Severe;
        match what {
            0 if state.closed_at.is_none() => state.settle(now),
            1 if state.closed_at.is_none() => state.escalate(now),
            2 if is_severe && state.reported_at.is_none() => state.reported_at = Some(now),
            3 if is_severe && state.closed_at.is_some() && state.final_report_at.is_none() => {
                state.final_report_at = Some(now);
            }
            _ => (),
        }
    }

    proptest! {
        #[test]
        fn each_notice_is_given_once_and_never_early((mut state, steps) in story()) {
            let mut notices = Vec::new();
            for (at, what) in steps {
                let now = after(at);
                if let Some(what) = what {
                    act(&mut state, what, now);
                    continue;
                }
                for notice in state.advance(now) {
                    prop_assert!(!notices.contains(&notice), "{notice:?} twice");
                    prop_assert!(state.moment(notice).is_some_and(|due| due <= now), "{notice:?} early");
                    notices.push(notice);
                }
                prop_assert!(state.next_deadline().is_none_or(|next| next > now));
            }
        }

        #[test]
        fn advancing_seldom_gives_the_same_notices_as_advancing_often((start, steps) in story()) {
            let (mut often, mut seldom, mut at_last) = (start, start, start);
            let (mut often_notices, mut seldom_notices) = (Vec::new(), Vec::new());
            let mut last = 0;
            for (at, what) in steps.into_iter().chain([(200 * HOUR_MS, None)]) {
                for minute in (last..at).step_by(usize::try_from(10 * MINUTE_MS).unwrap()) {
                    often_notices.extend(often.advance(after(minute)));
                }
                while let Some(next) = seldom.next_deadline().filter(|next| *next < after(at)) {
                    // The incident is opened before the clock first runs.
                    seldom_notices.extend(seldom.advance(next.max(BEGAN)));
                }
                often_notices.extend(often.advance(after(at)));
                seldom_notices.extend(seldom.advance(after(at)));
                if let Some(what) = what {
                    act(&mut often, what, after(at));
                    act(&mut seldom, what, after(at));
                    act(&mut at_last, what, after(at));
                }
                last = at;
            }
            let notices_at_last = at_last.advance(after(last));
            prop_assert_eq!(often, seldom);
            prop_assert_eq!(&often_notices, &seldom_notices);
            if often.final_report_at.is_some() {
                prop_assert!(notices_at_last.is_empty());
            } else {
                prop_assert_eq!(often, at_last);
                prop_assert_eq!(often_notices, notices_at_last);
            }
        }

        #[test]
        fn a_limit_that_passes_is_always_noticed((mut state, _) in story()) {
            let end = after(1_000 * HOUR_MS);
            state.closed_at = None;
            let notices = state.advance(end);
            let has_limit = state.kind.row().limit != Limit::Immediate;
            prop_assert_eq!(notices.contains(&Notice::Handling), has_limit);
            prop_assert_eq!(notices.contains(&Notice::Report), state.severity == Severity::Severe);
            state.closed_at = Some(end);
            let notices = state.advance(end.plus(FINAL_REPORT_WITHIN_MS));
            prop_assert_eq!(notices.contains(&Notice::FinalReport), state.severity == Severity::Severe);
        }
    }
}
