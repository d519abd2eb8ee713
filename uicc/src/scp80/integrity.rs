//! RC and CC: computing and comparing (TS 102 225 §5.1.3).
//!
//! It must never compare a cryptographic checksum in a time that depends on where it differs.

use super::{Integrity, Key, SecurityError};

/// Bytes of an AES CMAC in a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MacLength {
    /// Four bytes.
    Four,
    /// Eight bytes, the usual length, and the only one with DES.
    #[default]
    Eight,
}

impl MacLength {
    const fn bytes(self) -> usize {
        match self {
            Self::Four => 4,
            Self::Eight => 8,
        }
    }
}

/// The keys of one key set of a card.
#[derive(Debug, Clone, Default)]
pub struct KeySet {
    /// KIc, if packets are ciphered.
    pub cipher: Option<Key>,
    /// KID, if packets have a cryptographic checksum.
    pub checksum: Option<Key>,
    /// Length of that checksum.
    pub mac_length: MacLength,
}

/// Low half of KID with a redundancy check.
const CRC_16: u8 = 0x1;
const CRC_32: u8 = 0x5;
/// Algorithm known to both sides without being named.
const IMPLICIT: u8 = 0x0;

/// How packets with one KID byte are protected.
pub(super) enum Check<'a> {
    None,
    Crc16,
    Crc32,
    Mac(&'a Key, MacLength),
}

impl<'a> Check<'a> {
    pub(super) fn new(integrity: Integrity, kid: u8, keys: &'a KeySet) -> Result<Self, SecurityError> {
        match (integrity, kid & 0xF) {
            (Integrity::None, _) => Ok(Self::None),
            (Integrity::Redundancy, CRC_16) => Ok(Self::Crc16),
            (Integrity::Redundancy, CRC_32) => Ok(Self::Crc32),
            (Integrity::Checksum, nibble) => {
                let key = key_for(keys.checksum.as_ref(), nibble)?;
                Ok(Self::Mac(
                    key,
                    if key.algorithm() == super::Algorithm::Aes {
                        keys.mac_length
                    } else {
                        MacLength::Eight
                    },
                ))
            }
            (Integrity::Redundancy | Integrity::Signature, _) => Err(SecurityError::Unsupported),
        }
    }

    /// Length of the check field.
    pub(super) const fn bytes(&self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc16 => 2,
            Self::Crc32 => 4,
            Self::Mac(_, length) => length.bytes(),
        }
    }

    pub(super) fn compute(&self, message: &[u8]) -> Vec<u8> {
        let mut check = match self {
            Self::None => Vec::new(),
            Self::Crc16 => crc16(message).to_be_bytes().to_vec(),
            Self::Crc32 => crc32(message).to_be_bytes().to_vec(),
            Self::Mac(key, _) => key.checksum(message),
        };
        check.truncate(self.bytes());
        check
    }

    pub(super) fn verify(&self, message: &[u8], received: &[u8]) -> Result<(), SecurityError> {
        let computed = self.compute(message);
        let difference = computed
            .iter()
            .zip(received)
            .fold(0, |all, (ours, theirs)| all | (ours ^ theirs));
        if computed.len() == received.len() && difference == 0 {
            Ok(())
        } else {
            Err(SecurityError::Integrity)
        }
    }
}

/// The key, if it is of the algorithm a KIc or KID byte names.
pub(super) fn key_for(key: Option<&Key>, nibble: u8) -> Result<&Key, SecurityError> {
    key.filter(|key| nibble == IMPLICIT || nibble == key.algorithm().nibble())
        .ok_or(SecurityError::NoKey)
}

/// CRC 16 of ISO/IEC 13239: reflected polynomial 1021, preset and inverted.
fn crc16(message: &[u8]) -> u16 {
    const REFLECTED: u32 = 0x8408;
    // Sixteen bits in, sixteen bits out: the cast keeps the value.
    crc(message, REFLECTED, 0xFFFF) as u16
}

/// CRC 32 of ISO/IEC 13239: reflected polynomial 04C11DB7, preset and inverted.
fn crc32(message: &[u8]) -> u32 {
    const REFLECTED: u32 = 0xEDB8_8320;
    crc(message, REFLECTED, 0xFFFF_FFFF)
}

fn crc(message: &[u8], polynomial: u32, ones: u32) -> u32 {
    let step = |register: u32| {
        if register & 1 == 1 {
            register >> 1 ^ polynomial
        } else {
            register >> 1
        }
    };
    let register = message.iter().fold(ones, |register, &byte| {
        (0..8).fold(register ^ u32::from(byte), |register, _| step(register))
    });
    register ^ ones
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checks_of_the_specification_s_example_string_agree() {
        // TS 102 225 §5.1.3.2 gives both for 01 02 03 04 05; recomputed with binascii.crc32 and crcmod's x-25.
        assert_eq!(crc32(&[1, 2, 3, 4, 5]), 0x470B_99F4);
        assert_eq!(crc16(&[1, 2, 3, 4, 5]), 0x22EC);
        // The check values of both algorithms in the RevEng catalogue (CRC-32/ISO-HDLC, CRC-16/IBM-SDLC).
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc16(b"123456789"), 0x906E);
    }
}
