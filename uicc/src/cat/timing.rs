//! Timers and poll intervals (TS 102 223 §8.8, §8.37, §8.38).
//!
//! It must never look at a clock.

use crate::byte_enum::byte_enum;
use crate::tlv::comprehension::Object;
use crate::{Error, Result};

/// One of the eight timers of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimerId(u8);

impl TimerId {
    /// Timer `number`, 1 to 8.
    pub const fn new(number: u8) -> Result<Self> {
        match number {
            1..=8 => Ok(Self(number)),
            _ => Err(Error::new(0, "a timer number of 1 to 8")),
        }
    }

    /// The number, 1 to 8.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        Self::new(object.byte("a timer identifier of one byte")?)
            .map_err(|error| error.shifted(object.offset))
    }
}

/// Hours, minutes and seconds of a timer, swapped BCD on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerValue {
    seconds: u32,
}

impl TimerValue {
    /// Longest time a timer can run, in seconds: 23:59:59 (TS 102 223 §6.4.21).
    pub const MAX_SECONDS: u32 = 24 * 3600 - 1;

    /// A time of 0 to [`Self::MAX_SECONDS`] seconds.
    pub const fn from_seconds(seconds: u32) -> Result<Self> {
        if seconds > Self::MAX_SECONDS {
            return Err(Error::new(0, "a time of at most 23:59:59"));
        }
        Ok(Self { seconds })
    }

    /// The time in seconds.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.seconds
    }

    /// The time of three swapped BCD bytes: hours, minutes, seconds.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        const EXPECTED: &str = "hours, minutes and seconds in swapped BCD";
        let [hours, minutes, seconds]: [u8; 3] = bytes.try_into().map_err(|_| Error::new(0, EXPECTED))?;
        let unit = |at: usize, byte: u8, limit: u32| {
            let (tens, ones) = (byte & 0xF, byte >> 4);
            let value = u32::from(tens) * 10 + u32::from(ones);
            if tens > 9 || ones > 9 || value >= limit {
                Err(Error::new(at, EXPECTED))
            } else {
                Ok(value)
            }
        };
        let seconds = unit(0, hours, 24)? * 3600 + unit(1, minutes, 60)? * 60 + unit(2, seconds, 60)?;
        Ok(Self { seconds })
    }

    /// Three swapped BCD bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Each unit is below 100: the casts keep the values.
        let swapped = |value: u32| (value % 10) as u8 * 16 + (value / 10) as u8;
        [self.seconds / 3600, self.seconds / 60 % 60, self.seconds % 60]
            .map(swapped)
            .to_vec()
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        Self::parse(object.value).map_err(|error| error.shifted(object.offset))
    }
}

byte_enum! {
    /// Unit of a duration.
    pub enum TimeUnit {
        /// Minutes.
        Minutes = 0x00,
        /// Seconds.
        Seconds = 0x01,
        /// Tenths of a second.
        Tenths = 0x02,
    }
}

/// Duration object, as POLL INTERVAL uses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollDuration {
    /// Unit of the interval.
    pub unit: TimeUnit,
    /// 1 to 255 units; 0 is reserved.
    pub interval: u8,
}

impl PollDuration {
    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        let [unit, interval] = object.array("a duration of two bytes")?;
        Ok(Self {
            unit: TimeUnit::from_byte(unit),
            interval,
        })
    }

    pub(super) fn value(self) -> [u8; 2] {
        [self.unit.byte(), self.interval]
    }
}
