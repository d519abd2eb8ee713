//! Keys of chips: derived from a master key, or unwrapped from the platform's link (RFC 3394).
//!
//! Derivation of a chip's PSK and DEK from the 32-byte master key of key version KVN:
//!
//! ```text
//! HKDF-SHA256(ikm = master key, salt = "xieka.scp81.v1", info = label ‖ EID ‖ KVN), 16 bytes
//! ```
//!
//! with label `psk` or `dek`, the EID as its 16 BCD bytes and the KVN as one byte. No key of this module may ever be
//! shown in `Debug` output, logged or kept longer than it is used; all are wiped when dropped.

use std::collections::BTreeMap;
use std::fmt;

use aes::cipher::{BlockCipherEncrypt as _, BlockModeEncrypt as _, KeyInit as _, KeyIvInit as _};
use anyhow::{Context as _, bail, ensure};
use hkdf::Hkdf;
use sha2::Sha256;
use uicc::ident::{Aid, Eid};
use uicc::scp81::PskIdentity;
use zeroize::Zeroizing;

/// Salt of the derivation: the scheme and its version.
pub const SALT: &[u8] = b"xieka.scp81.v1";
/// Bytes of a derived key.
pub const DERIVED_BYTES: usize = 16;
/// Bytes of a master key and of the link key.
pub const MASTER_BYTES: usize = 32;
/// Key versions of SCP81 keys, '40' to '4F' (GlobalPlatform Amendment B).
pub const KEY_VERSIONS: std::ops::RangeInclusive<u8> = 0x40..=0x4F;
/// Bytes of a PSK: at least 128 bits (SGP.02 §2.4.4), at most what one wrapped key may hold here.
pub const PSK_BYTES: std::ops::RangeInclusive<usize> = 16..=64;
/// Block of AES in bytes.
const BLOCK_BYTES: usize = 16;
/// Bytes of a key check value.
pub const KCV_BYTES: usize = 3;

/// Key bytes; `Debug` output shows their number alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// The bytes. Use them where they are needed and keep no copy.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Key {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({} bytes)", self.0.len())
    }
}

/// What a derived key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The pre-shared key of the TLS session.
    Psk,
    /// The data encryption key that wraps key material within the session.
    Dek,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Psk => b"psk",
            Self::Dek => b"dek",
        }
    }
}

/// The key of one chip for one purpose.
#[must_use]
pub fn diversify(master: &[u8; MASTER_BYTES], purpose: Purpose, eid: &Eid, key_version: u8) -> Key {
    let mut okm = Zeroizing::new(vec![0; DERIVED_BYTES]);
    Hkdf::<Sha256>::new(Some(SALT), master)
        .expand_multi_info(&[purpose.label(), &eid.to_bcd(), &[key_version]], &mut okm)
        .expect("16 bytes are less than the 8,160 that HKDF-SHA256 gives");
    Key(okm)
}

/// Master keys by key version.
#[derive(Clone, Default)]
pub struct MasterKeys(BTreeMap<u8, Zeroizing<[u8; MASTER_BYTES]>>);

impl MasterKeys {
    /// Parses `64:<64 hex digits>[,65:…]`; an empty text holds no key.
    ///
    /// # Errors
    /// What is malformed, with the key version; never a key.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut keys = BTreeMap::new();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (version, key) = entry
                .split_once(':')
                .context("master_keys: expected version:key")?;
            let version: u8 = version
                .trim()
                .parse()
                .context("master_keys: a key version is a decimal number")?;
            ensure!(
                KEY_VERSIONS.contains(&version),
                "master_keys: version {version} is outside 64 to 79"
            );
            let key = parse_key(key).with_context(|| format!("master_keys: version {version}"))?;
            ensure!(
                keys.insert(version, key).is_none(),
                "master_keys: version {version} is given twice"
            );
        }
        Ok(Self(keys))
    }

    /// The versions of the keys, in order.
    pub(crate) fn versions(&self) -> impl Iterator<Item = u8> {
        self.0.keys().copied()
    }

    /// The key of one chip for one purpose, if there is a master key of `key_version`.
    #[must_use]
    pub fn derive(&self, purpose: Purpose, eid: &Eid, key_version: u8) -> Option<Key> {
        self.0
            .get(&key_version)
            .map(|master| diversify(master, purpose, eid, key_version))
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

fn parse_key(text: &str) -> anyhow::Result<Zeroizing<[u8; MASTER_BYTES]>> {
    let mut key = Zeroizing::new([0; MASTER_BYTES]);
    // The error of the hex crate names the offending character: keep it to ourselves.
    match hex::decode_to_slice(text.trim(), key.as_mut()) {
        Ok(()) => Ok(key),
        Err(_) => bail!("a key of 64 hexadecimal digits is expected"),
    }
}

/// The keys that wrap key material between platform and gateway: the present one, and while it is changed another.
#[derive(Clone)]
pub struct LinkKey(Vec<Zeroizing<[u8; MASTER_BYTES]>>);

impl LinkKey {
    /// Parses 64 hexadecimal digits, or two such keys separated by a comma.
    ///
    /// # Errors
    /// For any other text; never with a part of it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        /// Most keys that are accepted at once.
        const MAX_KEYS: usize = 2;
        let keys = text.split(',').map(parse_key).collect::<Result<Vec<_>, _>>();
        let keys = keys.context("link_key")?;
        ensure!(keys.len() <= MAX_KEYS, "link_key: at most {MAX_KEYS} keys");
        Ok(Self(keys))
    }

    /// Unwraps hexadecimal RFC 3394 text.
    ///
    /// # Errors
    /// For a text that is too long or not hexadecimal, and for a key that was wrapped under neither link key.
    pub fn unwrap_hex(&self, wrapped: &str) -> anyhow::Result<Key> {
        /// Most bytes of a wrapped key: the longest PSK and the integrity block.
        const MAX_WRAPPED_BYTES: usize = *PSK_BYTES.end() + aes_kw::IV_LEN;
        ensure!(
            wrapped.len() <= 2 * MAX_WRAPPED_BYTES,
            "a wrapped key is longer than {MAX_WRAPPED_BYTES} bytes"
        );
        let wrapped =
            hex::decode(wrapped).map_err(|_| anyhow::anyhow!("a wrapped key is not hexadecimal"))?;
        let Some(length) = wrapped.len().checked_sub(aes_kw::IV_LEN) else {
            bail!("a wrapped key is too short")
        };
        let mut key = Zeroizing::new(vec![0; length]);
        let is_opened = self
            .ciphers()
            .any(|cipher| cipher.unwrap_key(&wrapped, &mut key).is_ok());
        ensure!(is_opened, "a wrapped key does not open under the link key");
        Ok(Key(key))
    }

    /// Wraps a key to hexadecimal RFC 3394 text, under the first link key.
    ///
    /// # Errors
    /// When the length is not a multiple of 8 bytes.
    pub fn wrap_hex(&self, key: &[u8]) -> anyhow::Result<String> {
        let mut out = vec![0; key.len() + aes_kw::IV_LEN];
        let is_wrapped = self
            .ciphers()
            .next()
            .is_some_and(|cipher| cipher.wrap_key(key, &mut out).is_ok());
        ensure!(is_wrapped, "a key to wrap must have a multiple of 8 bytes");
        Ok(hex::encode(out))
    }

    fn ciphers(&self) -> impl Iterator<Item = aes_kw::KwAes256> + '_ {
        self.0.iter().map(|key| aes_kw::KwAes256::new(&(**key).into()))
    }
}

impl fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKey(****)")
    }
}

/// The PSK identity of a chip in the layout of SGP.02 table 4: 90 characters with an AID of 16 bytes.
#[must_use]
pub fn psk_identity(eid: Eid, aid: Aid, key_id: u8, key_version: u8) -> Vec<u8> {
    PskIdentity {
        eid,
        aid,
        key_id,
        key_version,
    }
    .encode()
}

/// The EID that an identity carries, if it has the layout of SGP.02 table 4. Any other identity is valid and carries
/// none.
#[must_use]
pub fn eid_of_identity(identity: &[u8]) -> Option<Eid> {
    PskIdentity::parse(identity).ok().map(|identity| identity.eid)
}

/// Encrypts key material for the card: AES-128-CBC under the DEK, zero ICV, no padding (GlobalPlatform
/// Amendment B: the DEK wraps sensitive data).
///
/// # Errors
/// When `plain` is not whole blocks of 16 bytes, or the DEK does not have 16 bytes.
pub fn wrap_with_dek(dek: &Key, plain: &[u8]) -> anyhow::Result<Vec<u8>> {
    ensure!(
        !plain.is_empty() && plain.len().is_multiple_of(BLOCK_BYTES),
        "key material must be whole blocks of 16 bytes"
    );
    let cipher = cbc::Encryptor::<aes::Aes128>::new_from_slices(dek.expose(), &[0; BLOCK_BYTES])
        .map_err(|_| anyhow::anyhow!("a DEK must have 16 bytes"))?;
    Ok(cipher.encrypt_padded_vec::<cbc::cipher::block_padding::NoPadding>(plain))
}

/// Key check value of an AES key: the first 3 bytes of AES-ECB over sixteen bytes `01` (GlobalPlatform
/// card specification, annex B.6).
///
/// # Errors
/// When the key does not have 16 bytes.
pub fn kcv(key: &[u8]) -> anyhow::Result<[u8; KCV_BYTES]> {
    let cipher =
        aes::Aes128::new_from_slice(key).map_err(|_| anyhow::anyhow!("an AES-128 key must have 16 bytes"))?;
    let mut block = aes::Block::from([1; BLOCK_BYTES]);
    cipher.encrypt_block(&mut block);
    Ok([block[0], block[1], block[2]])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Printed by Python, with `cryptography` 48.0.0:
    ///
    /// ```text
    /// from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    /// from cryptography.hazmat.primitives import hashes
    /// for label in (b"psk", b"dek"):
    ///     info = label + bytes.fromhex("89086030202200000022000000000090") + bytes([0x40])
    ///     print(HKDF(hashes.SHA256(), 16, b"xieka.scp81.v1", info).derive(bytes(range(32))).hex())
    /// ```
    const GOLDEN: [(Purpose, &str); 2] = [
        (Purpose::Psk, "82043f500b9aa7fa7800fb547a7e7cc9"),
        (Purpose::Dek, "927bcc6038ed659d7de9202f4cdb662c"),
    ];

    fn eid() -> Eid {
        "89086030202200000022000000000090".parse().unwrap()
    }

    fn counting() -> [u8; MASTER_BYTES] {
        std::array::from_fn(|at| at as u8)
    }

    #[test]
    fn the_derivation_agrees_with_an_independent_implementation() {
        for (purpose, expected) in GOLDEN {
            assert_eq!(
                hex::encode(diversify(&counting(), purpose, &eid(), 0x40).expose()),
                expected
            );
        }
    }

    #[test]
    fn an_identity_of_sgp_02_is_the_published_example_and_names_its_chip() {
        let aid = "A0000005591010FFFFFFFF8900000100".parse().unwrap();
        let identity = psk_identity(eid(), aid, 0x01, 0x40);
        let example: &[u8] =
            b"8001028110890860302022000000220000000000904F10A0000005591010FFFFFFFF8900000100820101830140";
        assert_eq!(identity, example);
        assert_eq!(eid_of_identity(&identity), Some(eid()));
        assert_eq!(eid_of_identity(b"opaque"), None);
    }

    #[test]
    fn every_input_changes_the_key() {
        let other: Eid = "89049032123451234512345678901235".parse().unwrap();
        let keys = [
            diversify(&counting(), Purpose::Psk, &eid(), 0x40),
            diversify(&counting(), Purpose::Dek, &eid(), 0x40),
            diversify(&counting(), Purpose::Psk, &eid(), 0x41),
            diversify(&counting(), Purpose::Psk, &other, 0x40),
            diversify(&[0; MASTER_BYTES], Purpose::Psk, &eid(), 0x40),
        ];
        for (at, key) in keys.iter().enumerate() {
            assert!(keys[..at].iter().all(|earlier| earlier != key));
        }
    }

    #[test]
    fn master_keys_are_found_by_version_and_faults_never_show_a_key() {
        let key = hex::encode(counting());
        let keys = MasterKeys::parse(&format!("64:{key}, 65:{}", "11".repeat(32))).unwrap();
        assert_eq!(
            keys.derive(Purpose::Psk, &eid(), 64),
            Some(diversify(&counting(), Purpose::Psk, &eid(), 64))
        );
        assert!(keys.derive(Purpose::Psk, &eid(), 66).is_none());
        assert_eq!(format!("{keys:?}"), "{64, 65}");
        for (text, expected) in [
            ("64".to_owned(), "version:key"),
            (format!("x:{key}"), "decimal number"),
            (format!("63:{key}"), "outside 64 to 79"),
            (format!("64:{key}00"), "64 hexadecimal digits"),
            (format!("64:zz{}", &key[2..]), "64 hexadecimal digits"),
            (format!("64:{key},64:{key}"), "given twice"),
        ] {
            let error = format!("{:#}", MasterKeys::parse(&text).unwrap_err());
            assert!(error.contains(expected) && !error.contains(&key[2..]), "{error}");
        }
    }

    #[test]
    fn key_wrap_agrees_with_rfc_3394_section_4_6() {
        let link = LinkKey(vec![Zeroizing::new(counting())]);
        let key = hex::decode("00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f").unwrap();
        let wrapped = "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21";
        assert_eq!(link.wrap_hex(&key).unwrap(), wrapped);
        assert_eq!(link.unwrap_hex(wrapped).unwrap().expose(), key);
    }

    #[test]
    fn while_the_link_key_is_changed_either_opens_and_the_first_wraps() {
        let [old, new] = [[1; MASTER_BYTES], [2; MASTER_BYTES]].map(hex::encode);
        let link = |text: &str| LinkKey::parse(text).unwrap();
        let both = link(&format!("{new},{old}"));
        for key in [&old, &new] {
            let wrapped = link(key).wrap_hex(&[7; 16]).unwrap();
            assert_eq!(both.unwrap_hex(&wrapped).unwrap().expose(), [7; 16]);
        }
        assert_eq!(
            both.wrap_hex(&[7; 16]).unwrap(),
            link(&new).wrap_hex(&[7; 16]).unwrap()
        );
        for text in ["", &format!("{new},"), &format!("{new},{old},{old}"), "00"] {
            assert!(LinkKey::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_was_not_wrapped_under_the_link_key_does_not_open() {
        let link = LinkKey(vec![Zeroizing::new(counting())]);
        let good = link.wrap_hex(&[7; 16]).unwrap();
        let flipped = format!("{}{}", if good.starts_with('0') { '1' } else { '0' }, &good[1..]);
        for wrapped in [
            "",
            "00",
            "zz",
            &flipped,
            &good[..good.len() - 2],
            &"00".repeat(80),
        ] {
            assert!(link.unwrap_hex(wrapped).is_err(), "{wrapped}");
        }
    }

    #[test]
    fn key_material_is_wrapped_in_whole_blocks_with_a_zero_icv() {
        // FIPS 197 appendix C.1: one block, so CBC with a zero ICV is the block cipher itself.
        let dek = Key::from(hex::decode("000102030405060708090a0b0c0d0e0f").unwrap());
        let plain = hex::decode("00112233445566778899aabbccddeeff").unwrap();
        assert_eq!(
            hex::encode(wrap_with_dek(&dek, &plain).unwrap()),
            "69c4e0d86a7b0430d8cdb78070b4c55a"
        );
        assert!(wrap_with_dek(&dek, &plain[1..]).is_err());
        assert!(wrap_with_dek(&Key::from(vec![0; 8]), &plain).is_err());
    }

    #[test]
    fn a_check_value_is_three_bytes_of_an_encrypted_block_of_ones() {
        // cryptography 48.0.0: Cipher(algorithms.AES(bytes(range(16))), modes.ECB()) over b"\x01" * 16.
        let key: Vec<u8> = (0..16).collect();
        assert_eq!(hex::encode(kcv(&key).unwrap()), "c35280");
        assert!(kcv(&key[1..]).is_err());
    }
}
