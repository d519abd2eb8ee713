//! Randomness with a fixed seed, so that the same test makes the same identifiers.
//!
//! It must not stand where a test needs two values to be equal, or one to be foreseen.

use std::cell::Cell;

use vault::Random;

/// A small generator with a fixed seed (SplitMix64).
pub struct SeededRandom(Cell<u64>);

impl SeededRandom {
    /// A generator that repeats what every other one with this seed makes.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Cell::new(seed))
    }
}

impl Random for SeededRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mut word = self.0.get();
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}
