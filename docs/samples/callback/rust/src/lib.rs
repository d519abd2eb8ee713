//! How a business system checks a callback of the platform (§7.3): see docs/callbacks.md.

use std::collections::BTreeMap;
use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

/// How far `timestamp` may be from the receiver's clock, in seconds.
pub const TOLERANCE_SECS: u64 = 300;

/// The fields of a genuine, recent callback, and `None` for anything else. Only fields that the signature covers are
/// returned, so an empty one counts as absent.
///
/// `body` is what arrived, byte for byte; `secrets` are the callback secrets held (`whsec_…`); `now` is in seconds
/// since 1970.
pub fn verify(body: &[u8], secrets: &[impl AsRef<str>], now: i64) -> Option<BTreeMap<String, String>> {
    let Fields(mut fields) = serde_json::from_slice(body).ok()?;
    let signs = [fields.remove("sign"), fields.remove("sign_previous")];
    fields.retain(|_, value| !value.is_empty());
    let text = canonical(&fields);
    let genuine = secrets
        .iter()
        .filter_map(|secret| key_of(secret.as_ref()))
        .any(|key| {
            let expected = sign(&key, &text);
            let equal = |given: &String| given.as_bytes().ct_eq(expected.as_bytes()).into();
            signs.iter().flatten().any(equal)
        });
    let recent = seconds(fields.get("timestamp")?)?.abs_diff(now) <= TOLERANCE_SECS;
    (genuine && recent).then_some(fields)
}

/// The text that is signed. A `BTreeMap` of strings is in ascending order of its keys' bytes.
#[must_use]
pub fn canonical(fields: &BTreeMap<String, String>) -> String {
    let pairs = fields.iter().map(|(key, value)| format!("{key}={value}"));
    pairs.collect::<Vec<_>>().join("&")
}

/// The signature of a text under the key of a callback secret.
#[must_use]
pub fn sign(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(text.as_bytes());
    hex::encode(mac.finalize().into_bytes())
}

/// A secret that is not `whsec_` and base64 has no key, and nothing is genuine by it.
#[must_use]
pub fn key_of(secret: &str) -> Option<Vec<u8>> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_")?).ok()?;
    (!key.is_empty()).then_some(key)
}

fn seconds(text: &str) -> Option<i64> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

/// A JSON object of strings. `serde_json` alone would keep the last of several equal keys.
struct Fields(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(FieldsVisitor)
    }
}

struct FieldsVisitor;

impl<'de> Visitor<'de> for FieldsVisitor {
    type Value = Fields;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object of strings, each key once")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut pairs: A) -> Result<Fields, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((key, value)) = pairs.next_entry::<String, String>()? {
            if fields.insert(key, value).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(Fields(fields))
    }
}
