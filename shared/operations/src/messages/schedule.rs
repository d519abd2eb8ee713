//! §7.3: the schedule of retries, which no other module knows.

use domain::{HOUR_MS, MINUTE_MS, SECOND_MS, Timestamp};

/// Wait after attempt 1, 2, … in milliseconds: 8 attempts over at least 27 h.
pub const RETRY_AFTER_MS: [i64; 7] = [
    5 * SECOND_MS,
    5 * MINUTE_MS,
    30 * MINUTE_MS,
    2 * HOUR_MS,
    5 * HOUR_MS,
    10 * HOUR_MS,
    10 * HOUR_MS,
];

/// Attempts a message gets.
pub const MAX_ATTEMPTS: u32 = RETRY_AFTER_MS.len() as u32 + 1;

/// A wait grows by at most one part in this many, so that receivers that failed together are not called together
/// again.
const JITTER_PARTS: i64 = 10;

/// When the next attempt is made if attempt `attempt` of the schedule (from 1) fails at `now` and the receiver asks
/// for a pause of `put_off_ms` milliseconds. `spread` lengthens the wait: zeros by nothing, other values by up to a
/// tenth. `None` after the last attempt.
pub(super) fn next_attempt(
    attempt: u32,
    now: Timestamp,
    put_off_ms: i64,
    spread: [u8; 4],
) -> Option<Timestamp> {
    let at = usize::try_from(attempt.checked_sub(1)?).ok()?;
    let wait = put_off_ms.max(*RETRY_AFTER_MS.get(at)?);
    Some(now.plus(wait + jitter(wait, spread)))
}

/// From nothing to a tenth of `wait`, by `random`.
fn jitter(wait: i64, random: [u8; 4]) -> i64 {
    let most = wait / JITTER_PARTS;
    i64::from(u32::from_be_bytes(random)) % (most + 1)
}

#[cfg(test)]
mod tests {
    use super::{HOUR_MS, MAX_ATTEMPTS, RETRY_AFTER_MS, jitter};

    #[test]
    fn eight_attempts_are_spread_over_more_than_a_day() {
        assert_eq!(MAX_ATTEMPTS, 8);
        assert!(RETRY_AFTER_MS.iter().sum::<i64>() >= 24 * HOUR_MS);
    }

    #[test]
    fn jitter_only_adds_and_at_most_a_tenth() {
        for wait in RETRY_AFTER_MS {
            for random in [[0; 4], [0xff; 4], [0x12, 0x34, 0x56, 0x78]] {
                assert!((0..=wait / 10).contains(&jitter(wait, random)));
            }
        }
    }
}
