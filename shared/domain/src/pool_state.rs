//! The states of a pool of operator numbers (§5.3.1.1 码号管理).

/// State of a province's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolState {
    /// 充足: enough numbers.
    Ok,
    /// 不足: at or below its low-water mark, or not yet clearly above it again.
    Low,
    /// 无号: no number.
    Empty,
}

impl PoolState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Ok, Self::Low, Self::Empty];

    /// The state that follows when `level` numbers are counted and the low-water mark is `low_water`; 0 means no mark.
    /// A pool that was low stays low until it is a tenth above its mark, so that the state does not change with every
    /// number.
    #[must_use]
    pub fn next(self, level: u32, low_water: u32) -> Self {
        let is_low = match self {
            Self::Ok => level <= low_water,
            Self::Low | Self::Empty => level < enough(low_water),
        };
        match level {
            0 => Self::Empty,
            _ if low_water > 0 && is_low => Self::Low,
            _ => Self::Ok,
        }
    }

    /// Text stored in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Low => "low",
            Self::Empty => "empty",
        }
    }

    /// The state stored under `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// The level at which a pool with this low-water mark is `Ok`, whatever its state was. Counting further makes no
/// difference.
#[must_use]
pub fn enough(low_water: u32) -> u32 {
    low_water.saturating_add((low_water / 10).max(1))
}

#[cfg(test)]
mod tests {
    use super::PoolState::{Empty, Low, Ok};
    use super::{PoolState, enough};

    #[test]
    fn a_pool_is_low_at_its_mark_and_well_again_a_tenth_above_it() {
        assert_eq!(
            [101, 100, 1, 0].map(|level| Ok.next(level, 100)),
            [Ok, Low, Low, Empty]
        );
        assert_eq!([101, 109, 110].map(|level| Low.next(level, 100)), [Low, Low, Ok]);
        assert_eq!(
            [0, 1, 109, 110].map(|level| Empty.next(level, 100)),
            [Empty, Low, Low, Ok]
        );
        assert_eq!([1, 2].map(|level| Low.next(level, 1)), [Low, Ok]);
    }

    #[test]
    fn without_a_mark_a_pool_is_empty_or_well() {
        for state in PoolState::ALL {
            assert_eq!([0, 1].map(|level| state.next(level, 0)), [Empty, Ok]);
        }
    }

    #[test]
    fn counting_up_to_enough_is_enough() {
        for low_water in [0, 1, 9, 10, 15, 100, 1_000_000, u32::MAX - 1] {
            for state in PoolState::ALL {
                assert_eq!(state.next(enough(low_water), low_water), Ok, "{low_water}");
            }
        }
    }
}
