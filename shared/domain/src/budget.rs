//! Rate limits as buckets of permits that refill at a steady rate (§7.1.2).
//!
//! A bucket is stored as one number: the time at which it is full again. Taking permits moves that time later. One
//! conditional statement moves it, so several nodes share a limit exactly.

use super::Timestamp;

/// One minute in microseconds.
const MINUTE_US: i64 = 60_000_000;
/// One second in microseconds.
const SECOND_US: i64 = 1_000_000;
/// One millisecond in microseconds.
const MILLISECOND_US: i64 = 1_000;

/// Highest limit, in calls a minute: one permit must take at least some microseconds to come back.
pub const MAX_CALLS_PER_MINUTE: u32 = 1_000_000;

/// Size and refill rate of a bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    capacity: u32,
    permit_us: i64,
}

impl Bucket {
    /// `calls` permits; an empty bucket is full again after one minute.
    #[must_use]
    pub const fn per_minute(calls: u32) -> Self {
        let capacity = if calls == 0 {
            1
        } else if calls > MAX_CALLS_PER_MINUTE {
            MAX_CALLS_PER_MINUTE
        } else {
            calls
        };
        Self {
            capacity,
            permit_us: MINUTE_US / capacity as i64,
        }
    }

    /// By how many microseconds `permits` move the time at which the bucket is full.
    #[must_use]
    pub fn cost_us(self, permits: u32) -> i64 {
        self.permit_us * i64::from(permits)
    }

    /// The latest time at which a bucket can be full, that of an empty one, in microseconds since 1970.
    #[must_use]
    pub fn empty_us(self, now: Timestamp) -> i64 {
        micros(now) + self.cost_us(self.capacity)
    }

    /// The latest time that a stored bucket can have, in microseconds since 1970: that of a bucket emptied by a node
    /// whose clock is a minute ahead.
    #[must_use]
    pub fn latest_credible_us(self, now: Timestamp) -> i64 {
        self.empty_us(now) + MINUTE_US
    }

    /// The budget of a bucket that is full at `full_us`, in microseconds since 1970.
    #[must_use]
    pub fn budget(self, full_us: i64, now: Timestamp) -> Budget {
        let missing_us = (full_us - micros(now)).max(0);
        let left = (self.cost_us(self.capacity) - missing_us).max(0) / self.permit_us;
        Budget {
            limit: self.capacity,
            left: u32::try_from(left).unwrap_or(self.capacity).min(self.capacity),
            full_in_secs: seconds(missing_us),
        }
    }

    /// Whole seconds, at least one, until a permit is back in a bucket that is full at `full_us` (microseconds since
    /// 1970).
    #[must_use]
    pub fn wait_secs(self, full_us: i64, now: Timestamp) -> u32 {
        seconds(full_us + self.permit_us - self.empty_us(now)).max(1)
    }
}

/// A time in microseconds since 1970.
#[must_use]
pub fn micros(at: Timestamp) -> i64 {
    at.millis().saturating_mul(MILLISECOND_US)
}

fn seconds(us: i64) -> u32 {
    let secs = us.max(0).saturating_add(SECOND_US - 1) / SECOND_US;
    u32::try_from(secs).unwrap_or(u32::MAX)
}

/// What is left of a caller's rate limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Permits of a full bucket: calls a minute.
    pub limit: u32,
    /// Permits left.
    pub left: u32,
    /// Whole seconds until the bucket is full again.
    pub full_in_secs: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_782_864_000_000);

    /// Takes permits as the SQL statement does.
    fn take(bucket: Bucket, full: &mut i64, now: Timestamp, permits: u32) -> bool {
        let moved = (*full).max(micros(now)) + bucket.cost_us(permits);
        let granted = moved <= bucket.empty_us(now);
        if granted {
            *full = moved;
        }
        granted
    }

    #[test]
    fn a_minute_grants_what_the_limit_says_and_then_one_at_a_time() {
        for limit in [1, 7, 30, 59, 61, 600, 7_000, 999_999, MAX_CALLS_PER_MINUTE] {
            let bucket = Bucket::per_minute(limit);
            let mut full = 0;
            assert!(take(bucket, &mut full, NOW, limit), "{limit}");
            assert_eq!(bucket.budget(full, NOW).left, 0);
            assert!(!take(bucket, &mut full, NOW, 1), "{limit}");
            let later = NOW.plus(i64::from(bucket.wait_secs(full, NOW)) * 1_000);
            assert!(take(bucket, &mut full, later, 1), "{limit}");
        }
        let bucket = Bucket::per_minute(30);
        assert_eq!(
            bucket.budget(micros(NOW) + 20 * SECOND_US, NOW),
            Budget {
                limit: 30,
                left: 20,
                full_in_secs: 20
            }
        );
    }

    proptest! {
        #[test]
        fn never_more_than_capacity_and_what_came_back(
            limit in 1..5_000_u32,
            calls in prop::collection::vec((0..2_000_i64, 1..20_u32), 1..200),
        ) {
            let bucket = Bucket::per_minute(limit);
            let (mut full, mut granted, mut now) = (0, 0_i64, NOW);
            for (pause, permits) in calls {
                now = now.plus(pause);
                if take(bucket, &mut full, now, permits) {
                    granted += i64::from(permits);
                }
                let passed_us = micros(now) - micros(NOW);
                prop_assert!(granted <= i64::from(limit) + passed_us / bucket.permit_us);
                prop_assert!(bucket.budget(full, now).left <= limit);
            }
        }
    }
}
