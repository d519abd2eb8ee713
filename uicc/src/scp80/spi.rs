//! Security parameter indication: protection of a packet, and of its response
//! (TS 102 225 §5.1.1).
//!
//! It must never be changed between computing a checksum and sending the packet.

/// Protection of the integrity of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Integrity {
    /// No protection.
    None,
    /// Redundancy check: CRC.
    Redundancy,
    /// Cryptographic checksum.
    Checksum,
    /// Digital signature; not supported here.
    Signature,
}

impl Integrity {
    const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::None,
            1 => Self::Redundancy,
            2 => Self::Checksum,
            _ => Self::Signature,
        }
    }
}

/// How the receiver checks the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CounterMode {
    /// No counter; the field is zero.
    None,
    /// The counter is not checked.
    NotChecked,
    /// The counter must be higher than the last one.
    Higher,
    /// The counter must be exactly one higher than the last one.
    OneHigher,
}

/// When the receiver sends a proof of receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Por {
    /// It is never sent.
    No,
    /// It is always sent.
    Always,
    /// It is sent after an error.
    OnError,
    /// Reserved value.
    Reserved,
}

/// SPI, two bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Spi(pub [u8; 2]);

impl Spi {
    /// CC, ciphering, higher counter; PoR always, with CC, ciphered, by SMS-SUBMIT: the profile of SGP.02.
    pub const SGP02: Self = Self([0x16, 0x39]);

    /// Integrity of the command.
    #[must_use]
    pub const fn integrity(self) -> Integrity {
        Integrity::from_bits(self.0[0])
    }

    /// The command is ciphered.
    #[must_use]
    pub const fn ciphered(self) -> bool {
        self.0[0] & 0b100 != 0
    }

    /// How the counter is checked.
    #[must_use]
    pub const fn counter_mode(self) -> CounterMode {
        match self.0[0] >> 3 & 0b11 {
            0 => CounterMode::None,
            1 => CounterMode::NotChecked,
            2 => CounterMode::Higher,
            _ => CounterMode::OneHigher,
        }
    }

    /// When the receiver sends a proof of receipt.
    #[must_use]
    pub const fn por(self) -> Por {
        match self.0[1] & 0b11 {
            0 => Por::No,
            1 => Por::Always,
            2 => Por::OnError,
            _ => Por::Reserved,
        }
    }

    /// Integrity of the proof of receipt.
    #[must_use]
    pub const fn por_integrity(self) -> Integrity {
        Integrity::from_bits(self.0[1] >> 2)
    }

    /// The proof of receipt is ciphered.
    #[must_use]
    pub const fn por_ciphered(self) -> bool {
        self.0[1] & 0b1_0000 != 0
    }

    /// The proof of receipt comes as SMS-SUBMIT, not in the delivery report.
    #[must_use]
    pub const fn por_by_submit(self) -> bool {
        self.0[1] & 0b10_0000 != 0
    }
}
