//! §7.3, §9.2.2: signatures of callbacks. There are two, made with the same key:
//!
//! * `sign` in the body, as the standard has it: lower-case hex of HMAC-SHA256 over the canonical text of all other
//!   fields;
//! * the headers of Standard Webhooks 1.0.0, for receivers with a ready-made library.
//!
//! The key is what base64 decodes from the callback secret without its prefix `whsec_`. During a rotation both secrets
//! sign: `sign` is under the new one, `sign_previous` under the old one, and the header has both signatures.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use domain::error::Error;
use vault::Zeroizing;

/// The field of the signature; it is not signed.
pub(crate) const SIGN_FIELD: &str = "sign";
/// The field of the signature under the previous secret, while both are valid; it is not signed either.
pub(crate) const SIGN_PREVIOUS_FIELD: &str = "sign_previous";
/// Prefix of a callback secret, by Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";

/// A key that signs messages.
pub(crate) type Key = Zeroizing<Vec<u8>>;

/// The text of a callback secret.
pub(crate) fn secret_text(key: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(key)))
}

/// The key of a callback secret.
pub(crate) fn secret_key(secret: &str) -> Result<Key, Error> {
    let text = secret.strip_prefix(SECRET_PREFIX);
    let key = text.and_then(|text| STANDARD.decode(text).ok());
    key.map(Zeroizing::new)
        .ok_or_else(|| Error::internal("a stored callback secret is malformed"))
}

/// The text that is signed: `key=value` pairs joined by `&`, in ascending order of the keys' bytes;
/// keys and values as they stand in the JSON strings, UTF-8, without any escaping; fields that are
/// absent or empty, and `sign` and `sign_previous` themselves, are left out.
#[must_use]
pub fn canonical(fields: &BTreeMap<&str, String>) -> String {
    let signed = fields
        .iter()
        .filter(|(key, value)| ![SIGN_FIELD, SIGN_PREVIOUS_FIELD].contains(key) && !value.is_empty());
    signed
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// Value of `sign`: lower-case hex of HMAC-SHA256(key, canonical text).
#[must_use]
pub fn sign(key: &[u8], fields: &BTreeMap<&str, String>) -> String {
    hex::encode(hmac_sha256(key, canonical(fields).as_bytes()))
}

/// Value of `webhook-signature`: for each key `v1,` and base64 of HMAC-SHA256(key, `id.timestamp.body`), separated by
/// spaces.
#[must_use]
pub(crate) fn standard_webhook_signatures<K: AsRef<[u8]>>(
    keys: &[K],
    id: &str,
    timestamp_secs: i64,
    body: &[u8],
) -> String {
    let signed = [format!("{id}.{timestamp_secs}.").as_bytes(), body].concat();
    let one = |key: &K| format!("v1,{}", STANDARD.encode(hmac_sha256(key.as_ref(), &signed)));
    keys.iter().map(one).collect::<Vec<_>>().join(" ")
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::{BTreeMap, canonical, secret_key, secret_text, sign};

    #[test]
    fn fields_are_sorted_and_empty_ones_and_the_signature_left_out() {
        let fields = BTreeMap::from([
            ("write_result", "成功".to_owned()),
            ("sign", "ff".to_owned()),
            ("sign_previous", "ff".to_owned()),
            ("eid", "1".to_owned()),
            ("iccid", String::new()),
        ]);
        assert_eq!(canonical(&fields), "eid=1&write_result=成功");
        // Computed with Python: hmac.new(bytes([7])*32, "eid=1&write_result=成功".encode(), "sha256").hexdigest()
        assert_eq!(
            sign(&[7; 32], &fields),
            "5cee933d0d2da8bc6d4e0594bdfb385348572d9b7fa6a650d4e4794d29f30325"
        );
    }

    #[test]
    fn a_secret_gives_its_key_back() {
        assert_eq!(secret_key(&secret_text(&[7; 32])).unwrap().as_slice(), [7; 32]);
        assert!(secret_key("BwcH").is_err());
        assert!(secret_key("whsec_*").is_err());
    }
}
