//! The host's wall clock and random generator.

use std::time::SystemTime;

use spin_sdk::wasip3::random::random::get_random_bytes;

use domain::Timestamp;
use vault::Random;

/// The time now.
pub(crate) fn now() -> Timestamp {
    SystemTime::now().into()
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
