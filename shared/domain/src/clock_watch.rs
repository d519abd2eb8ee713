//! Watches the clock over the runs of the periodic work. A clock that jumps ahead looks the same as a platform that
//! stood still; in both cases nothing is destroyed until a person says what time it is. Pure: takes the time.

use crate::{DAY_MS, Timestamp};

/// Longest gap between two runs after which the time is still trusted, in milliseconds.
const MAX_CLOCK_GAP_MS: i64 = DAY_MS;

/// What is known of the clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockWatch {
    /// The last time that is trusted.
    pub trusted_at: Option<Timestamp>,
    /// The time that was trusted before the clock was set back.
    pub left_at: Option<Timestamp>,
    /// Since when the time is not trusted: it was the first after a gap that was too long.
    pub held_at: Option<Timestamp>,
    /// Whether the clock is watched by other means: then it is always believed.
    pub is_watched: bool,
}

impl ClockWatch {
    /// What is known after a run at `now`. A clock that was set back is believed, and so is one that comes back to
    /// the time it had before: neither destroys anything.
    #[must_use]
    pub fn seen(self, now: Timestamp) -> Self {
        let is_near = |at: Timestamp| (now.millis() - at.millis()).abs() <= MAX_CLOCK_GAP_MS;
        let trusted = match self.trusted_at {
            Some(trusted) if !self.is_watched => trusted,
            _ => return self.confirmed(now),
        };
        if is_near(trusted) {
            Self {
                // Small steps back are those of several nodes.
                trusted_at: Some(trusted.max(now)),
                held_at: None,
                ..self
            }
        } else if self.left_at.is_some_and(is_near) {
            self.confirmed(now)
        } else if now < trusted {
            Self {
                left_at: Some(trusted),
                ..self.confirmed(now)
            }
        } else {
            Self {
                held_at: Some(self.held_at.unwrap_or(now)),
                ..self
            }
        }
    }

    /// What is known once `now` is known to be right.
    #[must_use]
    pub fn confirmed(self, now: Timestamp) -> Self {
        Self {
            trusted_at: Some(now),
            left_at: None,
            held_at: None,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ClockWatch, MAX_CLOCK_GAP_MS};
    use crate::{DAY_MS, HOUR_MS, Timestamp};

    const START: Timestamp = Timestamp(1_782_864_000_000);

    fn after(times: &[i64]) -> ClockWatch {
        let seen = |watch: ClockWatch, ms: &i64| watch.seen(START.plus(*ms));
        times.iter().fold(ClockWatch::default(), seen)
    }

    fn is_held(times: &[i64]) -> bool {
        after(times).held_at.is_some()
    }

    #[test]
    fn a_gap_of_more_than_a_day_holds_and_of_a_day_does_not() {
        assert!(!is_held(&[0, MAX_CLOCK_GAP_MS]));
        assert!(is_held(&[0, MAX_CLOCK_GAP_MS + 1]));
        assert!(!is_held(&[0, 20 * HOUR_MS, 40 * HOUR_MS]));
    }

    #[test]
    fn a_clock_that_is_watched_by_other_means_is_never_held() {
        let watched = ClockWatch {
            is_watched: true,
            ..after(&[0, 30 * DAY_MS])
        };
        assert!(watched.held_at.is_some());
        assert!(watched.seen(START.plus(31 * DAY_MS)).held_at.is_none());
    }

    #[test]
    fn what_is_held_stays_held_until_it_is_confirmed_or_the_clock_comes_back() {
        assert!(is_held(&[0, 30 * DAY_MS, 30 * DAY_MS + 1, 31 * DAY_MS]));
        assert_eq!(
            after(&[0, 30 * DAY_MS, 31 * DAY_MS]).held_at,
            Some(START.plus(30 * DAY_MS))
        );
        let back = after(&[0, 30 * DAY_MS, HOUR_MS]);
        assert_eq!((back.held_at, back.trusted_at), (None, Some(START.plus(HOUR_MS))));
        let confirmed = after(&[0, 30 * DAY_MS]).confirmed(START.plus(30 * DAY_MS));
        assert!(confirmed.seen(START.plus(31 * DAY_MS)).held_at.is_none());
    }

    #[test]
    fn a_clock_that_was_set_back_may_return_and_protects_what_lies_between() {
        assert!(!is_held(&[0, -30 * DAY_MS]));
        assert!(!is_held(&[0, -30 * DAY_MS, -29 * DAY_MS, HOUR_MS]));
        // A platform that began in a wrong year is protected in the right one.
        assert!(is_held(&[0, -30 * DAY_MS, -20 * DAY_MS]));
    }
}
