//! Digests: blind indexes, row digests, check values of keys and token signatures are HMAC-SHA256 under a key; hashes of
//! client secrets are SHA-256 without one. A label in front of the value separates the uses.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::{Key, Vault, VaultError};

/// Bytes of a blind index.
const INDEX_BYTES: usize = 16;
/// Bytes of a check value in the name of a key.
const NAME_BYTES: usize = 4;
/// Bytes of a full digest.
pub(crate) const DIGEST_BYTES: usize = 32;
/// Bytes of the hash of a secret: the form and the digest.
const SECRET_HASH_BYTES: usize = 1 + DIGEST_BYTES;
/// First byte of a hash that needs no key.
const UNKEYED: u8 = 1;
/// In front of what is hashed: no other hash of the same text is equal.
const SECRET_LABEL: &[u8] = b"xieka.client_secret\0";

/// What kind of value an index is of. The same value has a different index in each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IndexKind {
    /// Chip identifier.
    Eid,
    /// Card identifier.
    Iccid,
    /// Subscriber number.
    Msisdn,
    /// Subscriber identity.
    Imsi,
    /// Telephone number of a client's contact.
    Phone,
    /// PSK identity as the chip sends it.
    PskIdentity,
    /// The content of an imported row, to recognise a repeated import.
    ImportedRow,
    /// What a member of staff signs in with, to count attempts by it.
    SignInName,
}

impl IndexKind {
    fn label(self) -> &'static str {
        match self {
            Self::Eid => "eid",
            Self::Iccid => "iccid",
            Self::Msisdn => "msisdn",
            Self::Imsi => "imsi",
            Self::Phone => "phone",
            Self::PskIdentity => "psk_identity",
            Self::ImportedRow => "imported_row",
            Self::SignInName => "sign_in_name",
        }
    }
}

/// Stands for a value in look-ups without revealing it: the first 16 bytes of HMAC-SHA256(index key, kind ‖ 0 ‖
/// value).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlindIndex([u8; INDEX_BYTES]);

impl BlindIndex {
    /// The index as stored.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The index stored as `bytes`, if they are one.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Hexadecimal text, to name the row in columns that are not sealed.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl std::fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlindIndex({})", self.hex())
    }
}

impl Vault {
    /// The index under which `value` is looked up.
    #[must_use]
    pub fn blind_index(&self, kind: IndexKind, value: &[u8]) -> BlindIndex {
        let digest = digest(&self.index, kind.label(), value);
        let mut out = [0; INDEX_BYTES];
        out.copy_from_slice(&digest[..INDEX_BYTES]);
        BlindIndex(out)
    }

    /// The home of a card: the first byte of HMAC-SHA256(home key, `home` ‖ 0 ‖ EID).
    ///
    /// # Errors
    /// [`VaultError::Absent`] without a home key.
    pub fn home(&self, eid: &[u8]) -> Result<u8, VaultError> {
        let key = self.home.as_ref().ok_or(VaultError::Absent("home_key"))?;
        Ok(digest(key, "home", eid)[0])
    }

    /// True when `hash` is the hash of `secret`, compared in constant time. Hashes of earlier versions, under the index
    /// key, are accepted too; both are always computed, so that the time does not tell which it is.
    #[must_use]
    pub fn verify_secret(&self, secret: &str, hash: &[u8]) -> bool {
        let keyed = digest(&self.index, "secret", secret.as_bytes());
        (hash_secret(secret).ct_eq(hash) | keyed.ct_eq(hash)).into()
    }

    /// Signature of a token's payload.
    ///
    /// # Errors
    /// [`VaultError::Absent`] without a token key.
    pub fn sign_token(&self, payload: &[u8]) -> Result<[u8; DIGEST_BYTES], VaultError> {
        let key = self.token.first().ok_or(VaultError::Absent("token_key"))?;
        Ok(digest(key, "token", payload))
    }

    /// True when `signature` is that of `payload` under a token key that is accepted, compared in constant time.
    ///
    /// # Errors
    /// [`VaultError::Absent`] without a token key.
    pub fn verify_token_signature(&self, payload: &[u8], signature: &[u8]) -> Result<bool, VaultError> {
        if self.token.is_empty() {
            return Err(VaultError::Absent("token_key"));
        }
        let is_of = |key: &Key| digest(key, "token", payload).ct_eq(signature).into();
        Ok(self.token.iter().any(is_of))
    }
}

/// The hash that is stored in place of a secret: 1 ‖ SHA-256(label ‖ secret). It suits secrets of at least 256 random
/// bits, which nobody can guess, not passwords. It needs no key, so that it outlives every one.
#[must_use]
pub fn hash_secret(secret: &str) -> [u8; SECRET_HASH_BYTES] {
    let digest = Sha256::new().chain_update(SECRET_LABEL).chain_update(secret);
    let mut out = [UNKEYED; SECRET_HASH_BYTES];
    out[1..].copy_from_slice(&digest.finalize());
    out
}

/// Whether a stored hash of a secret is of an earlier version: HMAC-SHA256 under the index key.
#[must_use]
pub fn is_keyed_hash(hash: &[u8]) -> bool {
    hash.len() == DIGEST_BYTES
}

/// A value by which a key is recognised. It reveals nothing about the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyCheck {
    /// What the key is for: `index_key`, `home_key`, `sealing_key`, `token_key` or `link_key`.
    pub kind: &'static str,
    /// Name of the key: its kind, of sealing keys with the number, of token and link keys with the first eight
    /// hexadecimal digits of the value.
    pub name: String,
    /// HMAC-SHA256(key, `key_check` ‖ 0 ‖ name without those digits).
    pub value: [u8; DIGEST_BYTES],
    /// Whether the key is the one in use: the first of its kind. The others are only accepted.
    pub is_used: bool,
}

impl KeyCheck {
    fn of(kind: &'static str, name: String, key: &Key, is_used: bool) -> Self {
        let value = digest(key, "key_check", name.as_bytes());
        Self {
            kind,
            name,
            value,
            is_used,
        }
    }

    /// The check value of a key that has no number.
    fn unnumbered(kind: &'static str, key: &Key, is_used: bool) -> Self {
        let check = Self::of(kind, kind.to_owned(), key, is_used);
        let name = [kind, ":", &hex::encode(&check.value[..NAME_BYTES])].concat();
        Self { name, ..check }
    }

    /// True when `stored` is the value of this key, compared in constant time.
    #[must_use]
    pub fn is(&self, stored: &[u8]) -> bool {
        self.value.ct_eq(stored).into()
    }
}

impl Vault {
    /// The check values of all keys but those of transport, which are in no stored value.
    #[must_use]
    pub fn key_checks(&self) -> Vec<KeyCheck> {
        const INDEX: &str = "index_key";
        const HOME: &str = "home_key";
        const SEALING: &str = "sealing_key";
        let mut all = vec![KeyCheck::of(INDEX, INDEX.to_owned(), &self.index, true)];
        let home = self.home.iter();
        all.extend(home.map(|key| KeyCheck::of(HOME, HOME.to_owned(), key, true)));
        for (id, key) in &self.sealing {
            all.push(KeyCheck::of(
                SEALING,
                format!("{SEALING}:{id}"),
                key,
                *id == self.seals,
            ));
        }
        let token = self.token.iter().chain(&self.revoked);
        for (at, key) in token.enumerate() {
            all.push(KeyCheck::unnumbered("token_key", key, at == 0));
        }
        for (at, key) in self.link.iter().enumerate() {
            all.push(KeyCheck::unnumbered("link_key", key, at == 0));
        }
        all
    }

    /// Whether there is a key that opens sealed values.
    #[must_use]
    pub fn can_open(&self) -> bool {
        !self.sealing.is_empty()
    }
}

/// True when both texts are equal, compared in constant time. For bearer credentials that come from settings.
#[must_use]
pub fn equal_in_constant_time(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

/// The home key of a platform that has none configured: HMAC-SHA256(index key, `home_key` ‖ 0).
pub(crate) fn derived_home_key(index: &Key) -> Key {
    Key::new(digest(index, "home_key", &[]))
}

fn digest(key: &Key, label: &str, value: &[u8]) -> [u8; DIGEST_BYTES] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_slice()).expect("HMAC takes keys of any length");
    mac.update(label.as_bytes());
    mac.update(&[0]);
    mac.update(value);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::super::{Vault, VaultSettings};
    use super::{IndexKind, hash_secret, is_keyed_hash};

    fn vault(index: u8) -> Vault {
        let sealing = format!("1:{}", hex::encode([1; 32]));
        let index = hex::encode([index; 32]);
        let settings = VaultSettings {
            sealing_keys: Some(&sealing),
            index_key: &index,
            ..VaultSettings::default()
        };
        Vault::from_settings(settings).unwrap()
    }

    // Computed with Python: hmac.new(bytes([9])*32, b"msisdn\0" + b"1440193898523", "sha256").hexdigest()[:32]
    #[test]
    fn an_index_is_hmac_sha256_over_kind_and_value() {
        assert_eq!(
            vault(9).blind_index(IndexKind::Msisdn, b"1440193898523").hex(),
            "2d497ec5327451187ce7e75abb813475"
        );
    }

    #[test]
    fn kind_and_key_separate_indexes() {
        let one = vault(9).blind_index(IndexKind::Msisdn, b"1440193898523");
        assert_ne!(one, vault(9).blind_index(IndexKind::Iccid, b"1440193898523"));
        assert_ne!(one, vault(8).blind_index(IndexKind::Msisdn, b"1440193898523"));
    }

    // Computed with Python: hmac.new(key, b"home\0" + eid, "sha256").digest()[0], where key is bytes([5])*32, or
    // hmac.new(bytes([9])*32, b"home_key\0", "sha256").digest() for a platform that has none configured.
    #[test]
    fn a_home_is_one_byte_under_a_key_of_its_own_or_one_made_from_the_index_key() {
        let index = hex::encode([9; 32]);
        let home = |home_key: Option<&str>| {
            let settings = VaultSettings {
                index_key: &index,
                home_key,
                ..VaultSettings::default()
            };
            let vault = Vault::from_settings(settings).unwrap();
            vault.home(b"89086030202200000022000000000090").ok()
        };
        assert_eq!(home(Some(&hex::encode([5; 32]))), Some(0x6f));
        assert_eq!(home(Some("")), Some(0x34));
        let derived = super::super::home_key_of(&index).unwrap();
        assert_eq!(home(Some(&derived)), Some(0x34));
        assert_eq!(home(None), None);
    }

    #[test]
    fn only_the_secret_itself_matches_its_hash() {
        let vault = vault(9);
        let hash = hash_secret("secret");
        // Computed with Python: hashlib.sha256(b"xieka.client_secret\0secret").hexdigest()
        assert_eq!(
            hex::encode(hash),
            "01544f24a6956ee634ffd7923b98dd01d84441ef9d4be749d3fb57bba38e48f7e2"
        );
        // Computed with Python: hmac.new(bytes([9])*32, b"secret\0secret", "sha256").hexdigest()
        let keyed = hex::decode("c5239d8e9c8bfa754fc60701f2c8fc98d82fad4da76d3200df4edec922c3d590").unwrap();
        assert!(is_keyed_hash(&keyed) && !is_keyed_hash(&hash));
        for hash in [&hash[..], &keyed] {
            assert!(vault.verify_secret("secret", hash));
            assert!(!vault.verify_secret("Secret", hash));
            assert!(!vault.verify_secret("secret", &hash[..31]));
            assert!(!vault.verify_secret("secret", &hash[1..]));
        }
        assert!(!vault.verify_secret("secret", &[]));
        // Only that of earlier versions depends on the index key.
        let other = super::tests::vault(8);
        assert!(other.verify_secret("secret", &hash) && !other.verify_secret("secret", &keyed));
    }

    #[test]
    fn tokens_of_every_accepted_key_are_verified_and_the_first_signs() {
        let keys = |text: &str| {
            let index = hex::encode([9; 32]);
            Vault::from_settings(VaultSettings {
                index_key: &index,
                token_key: Some(text),
                ..VaultSettings::default()
            })
            .unwrap()
        };
        let [old, new] = [[1; 32], [2; 32]].map(hex::encode);
        let signature = keys(&old).sign_token(b"payload").unwrap();
        let accepts = |text: &str| keys(text).verify_token_signature(b"payload", &signature).unwrap();
        assert!(accepts(&old) && accepts(&format!("{new},{old}")) && accepts(&format!("{old},{new}")));
        assert!(!accepts(&new) && !accepts(&format!("{new},!{old}")));
        let both = keys(&format!("{new},{old}")).sign_token(b"payload").unwrap();
        assert_eq!(both, keys(&new).sign_token(b"payload").unwrap());
    }

    #[test]
    fn keys_are_named_by_kind_and_number_or_value_and_the_first_is_the_one_in_use() {
        let keys = [[1; 32], [2; 32]].map(hex::encode);
        let vault = Vault::from_settings(VaultSettings {
            sealing_keys: Some(&format!("7:{},3:{}", keys[0], keys[1])),
            index_key: &keys[0],
            token_key: Some(&format!("{},!{}", keys[0], keys[1])),
            link_key: Some(&keys[0]),
            ..VaultSettings::default()
        })
        .unwrap();
        let checks = vault.key_checks();
        let used: Vec<_> = checks.iter().map(|check| (check.kind, check.is_used)).collect();
        assert_eq!(
            used,
            [
                ("index_key", true),
                ("sealing_key", false),
                ("sealing_key", true),
                ("token_key", true),
                ("token_key", false),
                ("link_key", true)
            ]
        );
        assert_eq!(
            (checks[1].name.as_str(), checks[2].name.as_str()),
            ("sealing_key:3", "sealing_key:7")
        );
        assert_eq!(checks[3].name.len(), "token_key:".len() + 8);
        assert_ne!(checks[3].name, checks[4].name);
    }

    #[test]
    fn a_component_without_token_key_cannot_sign() {
        assert!(vault(9).sign_token(b"payload").is_err());
    }
}
