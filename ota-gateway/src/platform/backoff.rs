//! The waits before calls to the platform are repeated.
//!
//! The waits double from [`FIRST`] to [`LONGEST`] and end when their sum would pass a bound. They need no randomness:
//! sessions of many chips begin at different times as it is.

use std::time::Duration;

/// First wait.
const FIRST: Duration = Duration::from_millis(100);
/// Longest wait.
const LONGEST: Duration = Duration::from_secs(5);

/// The waits, in order, that fit into `bound`.
pub(super) fn waits(bound: Duration) -> impl Iterator<Item = Duration> {
    let doubling = std::iter::successors(Some(FIRST), |wait| Some((*wait * 2).min(LONGEST)));
    doubling.scan(Duration::ZERO, move |sum, wait| {
        *sum += wait;
        (*sum <= bound).then_some(wait)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_end_at_the_bound() {
        let waited: Vec<u128> = waits(Duration::from_secs(15))
            .map(|wait| wait.as_millis())
            .collect();
        assert_eq!(waited, [100, 200, 400, 800, 1600, 3200, 5000]);
        assert_eq!(waits(Duration::from_millis(50)).count(), 0);
    }
}
