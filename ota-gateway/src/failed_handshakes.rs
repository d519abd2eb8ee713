//! Counts the handshakes that failed with the identity of a known chip, until they are announced to the platform.
//!
//! Nobody has authenticated such an identity: the counts are bounded, and decide nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use gateway_protocol::{FailedHandshakes, MAX_FAILED_HANDSHAKES, MAX_HANDSHAKE_COUNT};
use uicc::Eid;

/// Most chips whose counts wait to be announced; failures of further ones are not counted.
const MAX_CHIPS: usize = 4_096;

/// Failed handshakes by chip: how many, and why the last one failed.
#[derive(Debug, Default)]
pub(crate) struct FailureCounts(Mutex<HashMap<Eid, (u32, &'static str)>>);

impl FailureCounts {
    /// Counts one; `failure` is a stable snake_case word.
    pub(crate) fn add(&self, eid: Eid, failure: &'static str) {
        let mut counts = self.locked();
        if counts.len() < MAX_CHIPS || counts.contains_key(&eid) {
            let (count, last) = counts.entry(eid).or_insert((0, failure));
            *count = (*count + 1).min(MAX_HANDSHAKE_COUNT);
            *last = failure;
        }
    }

    /// Takes the counts of as many chips as one announcement may hold.
    pub(crate) fn take(&self) -> Vec<FailedHandshakes> {
        let mut counts = self.locked();
        let chips: Vec<Eid> = counts.keys().take(MAX_FAILED_HANDSHAKES).copied().collect();
        let taken = chips.into_iter().filter_map(|eid| {
            let (count, failure) = counts.remove(&eid)?;
            Some(FailedHandshakes {
                eid: eid.as_str().to_owned(),
                count,
                failure: failure.to_owned(),
            })
        });
        taken.collect()
    }

    fn locked(&self) -> MutexGuard<'_, HashMap<Eid, (u32, &'static str)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eid(n: usize) -> Eid {
        let body = format!("890860302022000000220000{n:06}");
        let rest = body
            .bytes()
            .chain(*b"00")
            .fold(0, |rest, digit| (rest * 10 + u32::from(digit - b'0')) % 97);
        format!("{body}{:02}", 98 - rest).parse().unwrap()
    }

    #[test]
    fn failures_are_counted_by_chip_with_the_last_reason_and_taken_once() {
        let counts = FailureCounts::default();
        for failure in ["closed", "wrong_key"] {
            counts.add(eid(1), failure);
        }
        let taken = counts.take();
        let [failed] = taken.as_slice() else {
            panic!("{taken:?}")
        };
        assert_eq!(
            (failed.eid.as_str(), failed.count, failed.failure.as_str()),
            (eid(1).as_str(), 2, "wrong_key")
        );
        assert!(counts.take().is_empty());
    }

    #[test]
    fn an_announcement_and_the_counts_that_wait_are_bounded() {
        let counts = FailureCounts::default();
        for n in 0..MAX_CHIPS + 5 {
            counts.add(eid(n), "wrong_key");
        }
        counts.add(eid(0), "wrong_key");
        assert_eq!(counts.locked().len(), MAX_CHIPS);
        assert_eq!(counts.locked()[&eid(0)].0, 2, "a known one still counts");
        assert_eq!(counts.take().len(), MAX_FAILED_HANDSHAKES);
        assert_eq!(counts.locked().len(), MAX_CHIPS - MAX_FAILED_HANDSHAKES);
    }
}
