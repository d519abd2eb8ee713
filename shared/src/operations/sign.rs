//! §7.3, §9.2.2: signatures of callbacks. Two of them, made with the same key:
//!
//! * `sign` in the body, as the standard has it: lower-case hex of HMAC-SHA256 over the canonical
//!   text of all other fields;
//! * the headers of Standard Webhooks 1.0.0, for receivers with a ready-made library.
//!
//! The key is what base64 makes of the callback secret without its prefix `whsec_`.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::Error;
use crate::vault::Zeroizing;

/// The field that carries the signature and is not itself signed.
pub const SIGN_FIELD: &str = "sign";
/// What a callback secret starts with, by Standard Webhooks.
const SECRET_PREFIX: &str = "whsec_";

/// The text of a callback secret.
pub(super) fn secret_text(key: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(format!("{SECRET_PREFIX}{}", STANDARD.encode(key)))
}

/// The key of a callback secret.
pub(super) fn secret_key(secret: &str) -> Result<Zeroizing<Vec<u8>>, Error> {
    let text = secret.strip_prefix(SECRET_PREFIX);
    let key = text.and_then(|text| STANDARD.decode(text).ok());
    key.map(Zeroizing::new)
        .ok_or_else(|| Error::internal("a stored callback secret is malformed"))
}

/// The text that is signed: `key=value` pairs joined by `&`, in ascending order of the keys' bytes;
/// keys and values as they stand in the JSON strings, UTF-8, without any escaping; fields that are
/// absent or empty, and `sign` itself, are left out.
#[must_use]
pub fn canonical(fields: &BTreeMap<&str, String>) -> String {
    let signed = fields
        .iter()
        .filter(|(key, value)| **key != SIGN_FIELD && !value.is_empty());
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

/// Value of `webhook-signature`: `v1,` and base64 of HMAC-SHA256(key, `id.timestamp.body`).
#[must_use]
pub fn standard_webhook_signature(key: &[u8], id: &str, timestamp_secs: i64, body: &[u8]) -> String {
    let signed = [format!("{id}.{timestamp_secs}.").as_bytes(), body].concat();
    format!("v1,{}", STANDARD.encode(hmac_sha256(key, &signed)))
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
