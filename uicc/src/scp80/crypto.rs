//! Block ciphers in CBC mode with zero initial value, and the checksums built on them (TS 102 225 §5.1.2,
//! §5.1.3.1). DES and 3DES are for cards in the field only: Release 18 no longer has them.
//!
//! It must never show a key, and wipes it when dropped.

use core::fmt;

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cmac::{Cmac, KeyInit, Mac};
use des::{Des, TdesEde2, TdesEde3};
use zeroize::Zeroizing;

use crate::{Error, Result};

/// Algorithms of KIc and KID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// DES, key of 8 bytes.
    Des,
    /// Triple DES with two keys, 16 bytes.
    TripleDes2,
    /// Triple DES with three keys, 24 bytes.
    TripleDes3,
    /// AES, key of 16, 24 or 32 bytes: CBC for ciphering, CMAC for checksums.
    Aes,
}

impl Algorithm {
    /// Low half of KIc, or of KID with a cryptographic checksum.
    #[must_use]
    pub const fn nibble(self) -> u8 {
        match self {
            Self::Des => 0x1,
            Self::Aes => 0x2,
            Self::TripleDes2 => 0x5,
            Self::TripleDes3 => 0x9,
        }
    }

    pub(super) const fn block_bytes(self) -> usize {
        match self {
            Self::Aes => 16,
            Self::Des | Self::TripleDes2 | Self::TripleDes3 => 8,
        }
    }

    const fn takes(self, key_bytes: usize) -> bool {
        matches!(
            (self, key_bytes),
            (Self::Des, 8) | (Self::TripleDes2, 16) | (Self::TripleDes3, 24) | (Self::Aes, 16 | 24 | 32)
        )
    }
}

/// A key and its algorithm.
#[derive(Clone)]
pub struct Key {
    algorithm: Algorithm,
    bytes: Zeroizing<Vec<u8>>,
}

impl Key {
    /// A key of a length the algorithm takes.
    pub fn new(algorithm: Algorithm, bytes: &[u8]) -> Result<Self> {
        if !algorithm.takes(bytes.len()) {
            return Err(Error::new(bytes.len(), "a key of a length the algorithm takes"));
        }
        Ok(Self {
            algorithm,
            bytes: Zeroizing::new(bytes.to_vec()),
        })
    }

    /// Algorithm of the key.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Ciphers whole blocks in place.
    pub(super) fn encrypt(&self, blocks: &mut [u8]) {
        match (self.algorithm, self.bytes.len()) {
            (Algorithm::Des, _) => cbc_encrypt::<cbc::Encryptor<Des>>(&self.bytes, blocks),
            (Algorithm::TripleDes2, _) => cbc_encrypt::<cbc::Encryptor<TdesEde2>>(&self.bytes, blocks),
            (Algorithm::TripleDes3, _) => cbc_encrypt::<cbc::Encryptor<TdesEde3>>(&self.bytes, blocks),
            (Algorithm::Aes, 16) => cbc_encrypt::<cbc::Encryptor<Aes128>>(&self.bytes, blocks),
            (Algorithm::Aes, 24) => cbc_encrypt::<cbc::Encryptor<Aes192>>(&self.bytes, blocks),
            (Algorithm::Aes, _) => cbc_encrypt::<cbc::Encryptor<Aes256>>(&self.bytes, blocks),
        }
    }

    /// Deciphers in place. Fails if `blocks` are not whole blocks.
    pub(super) fn decrypt(&self, blocks: &mut [u8]) -> Result<()> {
        if !blocks.len().is_multiple_of(self.algorithm.block_bytes()) {
            return Err(Error::new(blocks.len(), "ciphered data of whole blocks"));
        }
        match (self.algorithm, self.bytes.len()) {
            (Algorithm::Des, _) => cbc_decrypt::<cbc::Decryptor<Des>>(&self.bytes, blocks),
            (Algorithm::TripleDes2, _) => cbc_decrypt::<cbc::Decryptor<TdesEde2>>(&self.bytes, blocks),
            (Algorithm::TripleDes3, _) => cbc_decrypt::<cbc::Decryptor<TdesEde3>>(&self.bytes, blocks),
            (Algorithm::Aes, 16) => cbc_decrypt::<cbc::Decryptor<Aes128>>(&self.bytes, blocks),
            (Algorithm::Aes, 24) => cbc_decrypt::<cbc::Decryptor<Aes192>>(&self.bytes, blocks),
            (Algorithm::Aes, _) => cbc_decrypt::<cbc::Decryptor<Aes256>>(&self.bytes, blocks),
        }
        Ok(())
    }

    /// Cryptographic checksum: CMAC with AES, else the last block of CBC over zero-padded `message`.
    pub(super) fn checksum(&self, message: &[u8]) -> Vec<u8> {
        match (self.algorithm, self.bytes.len()) {
            (Algorithm::Aes, 16) => cmac::<Cmac<Aes128>>(&self.bytes, message),
            (Algorithm::Aes, 24) => cmac::<Cmac<Aes192>>(&self.bytes, message),
            (Algorithm::Aes, _) => cmac::<Cmac<Aes256>>(&self.bytes, message),
            _ => {
                let block = self.algorithm.block_bytes();
                let mut blocks = message.to_vec();
                blocks.resize(message.len().next_multiple_of(block).max(block), 0);
                self.encrypt(&mut blocks);
                blocks.split_off(blocks.len() - block)
            }
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.algorithm)
    }
}

/// Longest block of the ciphers above, for the zero initial value.
const MAX_BLOCK_BYTES: usize = 16;

fn cbc_encrypt<C: BlockModeEncrypt + KeyIvInit>(key: &[u8], blocks: &mut [u8]) {
    let iv = &[0; MAX_BLOCK_BYTES][..C::iv_size()];
    let cipher = C::new_from_slices(key, iv).expect("Key::new() checked the length");
    let length = blocks.len();
    cipher
        .encrypt_padded::<NoPadding>(blocks, length)
        .expect("the caller pads to whole blocks");
}

fn cbc_decrypt<C: BlockModeDecrypt + KeyIvInit>(key: &[u8], blocks: &mut [u8]) {
    let iv = &[0; MAX_BLOCK_BYTES][..C::iv_size()];
    let cipher = C::new_from_slices(key, iv).expect("Key::new() checked the length");
    cipher
        .decrypt_padded::<NoPadding>(blocks)
        .expect("Key::decrypt() checked for whole blocks");
}

fn cmac<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = <M as KeyInit>::new_from_slice(key).expect("Key::new() checked the length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
