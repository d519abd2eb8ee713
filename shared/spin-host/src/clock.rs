//! The host's wall clock and random generator.

use std::time::{SystemTime, UNIX_EPOCH};

use spin_sdk::wasip3::random::random::get_random_bytes;

use domain::Timestamp;
use vault::Random;

/// The time now, to the millisecond. A clock before 1970 counts as 1970.
pub(crate) fn now() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

/// The host's cryptographically secure generator.
pub(crate) struct HostRandom;

impl Random for HostRandom {
    fn fill(&self, out: &mut [u8]) {
        let mut filled = 0;
        // The host may give fewer bytes than asked for, but never none for ever.
        while filled < out.len() {
            let expected = out.len() - filled;
            let bytes = get_random_bytes(expected as u64);
            let take = bytes.len().min(expected);
            out[filled..filled + take].copy_from_slice(&bytes[..take]);
            filled += take;
        }
    }
}
