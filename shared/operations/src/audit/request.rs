//! What a request says, as the audit trail keeps it: identifiers masked and to be searched for by their blind indexes,
//! secrets not at all, long values cut.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use domain::{Eid, Iccid, Imsi, Msisdn, mask_identifiers, masked};
use store::audit::AuditObject;
use vault::{IndexKind, Vault};

/// Most characters of a text that are kept.
const MAX_TEXT_CHARS: usize = 4_000;
/// Most characters of a name or of an identifier that are kept.
const MAX_NAME_CHARS: usize = 64;
/// Most entries of a list that are kept.
const MAX_ENTRIES: usize = 20;
/// Most objects that one row can be searched for by.
pub(super) const MAX_OBJECTS: usize = 1_000;
/// Parts of the names of fields whose values are not kept.
const SECRET: [&str; 8] = [
    "secret",
    "password",
    "token",
    "totp",
    "otp",
    "code_verifier",
    "wrapped",
    "psk",
];
/// Characters of a UUID.
const UUID_CHARS: usize = 36;
/// What stands for a value that is not kept.
const HIDDEN: &str = "****";
/// Names of fields with identifiers that are not sealed, and the ends of such names.
const NAMES: [&str; 12] = [
    "id",
    "ids",
    "receiver",
    "province_code",
    "account",
    "role",
    "roles",
    "sign_in_name",
    "project",
    "who",
    "asked_by",
    "object",
];

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// The request.
    pub(super) fields: Map<String, Value>,
    /// Objects that it names, as they are shown.
    pub(super) names: Vec<String>,
    /// The same, to be searched for.
    pub(super) objects: Vec<AuditObject>,
}

impl Asked {
    pub(super) fn add(&mut self, vault: &Vault, fields: Map<String, Value>) {
        for (name, value) in fields {
            let name = cut(&mask_identifiers(&name), MAX_NAME_CHARS);
            for text in text_fields(&value) {
                if self.objects.len() < MAX_OBJECTS
                    && let Some((text, object)) = object(vault, &name, text)
                {
                    self.names.push(format!("{name}={text}"));
                    self.objects.push(object);
                }
            }
            let kept = shown(&name, &value);
            self.fields.insert(name, kept);
        }
    }
}

/// The texts of a value that may be identifiers.
fn text_fields(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(entries) => entries.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// What a field names, as it is shown and as it is searched for.
fn object(vault: &Vault, name: &str, text: &str) -> Option<(String, AuditObject)> {
    if let Some(kind) = kind_of(name) {
        let read = match kind {
            IndexKind::Eid => Eid::parse(text).ok().map(|eid| eid.as_str().to_owned()),
            IndexKind::Iccid => Iccid::parse(text).ok().map(|iccid| iccid.as_str().to_owned()),
            IndexKind::Msisdn => Msisdn::parse(text).ok().map(|msisdn| msisdn.as_str().to_owned()),
            _ => Imsi::parse(text).ok().map(|imsi| imsi.as_str().to_owned()),
        }?;
        let index = vault.blind_index(kind, read.as_bytes());
        return Some((masked(&read), AuditObject::Index(index)));
    }
    let is_sound = text.len() <= MAX_NAME_CHARS && text.bytes().all(|byte| byte.is_ascii_graphic());
    (is_name(name) && is_sound && !text.is_empty()).then(|| {
        let shown = named(text);
        (shown.clone(), AuditObject::Text(shown))
    })
}

/// Whether a field has identifiers that are not sealed.
fn is_name(name: &str) -> bool {
    NAMES.contains(&name) || name.ends_with("_id") || name.ends_with("_ids")
}

/// Such an identifier; masked if it looks like one that is sealed: those have hexadecimal digits only, perhaps small ones.
fn named(text: &str) -> String {
    let is_uuid = text.len() == UUID_CHARS && text.matches('-').count() == 4;
    if is_uuid || text.bytes().any(|byte| matches!(byte, b'g'..=b'z')) {
        text.to_owned()
    } else {
        mask_identifiers(text)
    }
}

/// The kind of sealed identifier that a field has.
fn kind_of(name: &str) -> Option<IndexKind> {
    let name = name.strip_suffix('s').unwrap_or(name);
    [
        ("eid", IndexKind::Eid),
        ("iccid", IndexKind::Iccid),
        ("msisdn", IndexKind::Msisdn),
        ("imsi", IndexKind::Imsi),
    ]
    .into_iter()
    .find(|(end, _)| name.ends_with(end))
    .map(|(_, kind)| kind)
}

/// A value as it is kept.
pub(super) fn shown(name: &str, value: &Value) -> Value {
    let small = name.to_ascii_lowercase();
    if SECRET.iter().any(|part| small.contains(part)) && !small.ends_with("_secs") {
        return HIDDEN.into();
    }
    match value {
        Value::String(text) if kind_of(name).is_some() => masked(text).into(),
        Value::String(text) => {
            let text = if is_name(name) && text.len() <= MAX_NAME_CHARS {
                named(text)
            } else {
                mask_identifiers(text)
            };
            cut(&text, MAX_TEXT_CHARS).into()
        }
        Value::Number(number) => match mask_identifiers(&number.to_string()) {
            masked if masked != number.to_string() => masked.into(),
            _ => value.clone(),
        },
        Value::Array(entries) => {
            let mut kept: Vec<Value> = entries
                .iter()
                .take(MAX_ENTRIES)
                .map(|entry| shown(name, entry))
                .collect();
            if entries.len() > MAX_ENTRIES {
                kept.push(json!({"more": entries.len() - MAX_ENTRIES}));
            }
            kept.into()
        }
        Value::Object(fields) => {
            let fields = fields.iter().take(MAX_ENTRIES);
            let kept = fields
                .map(|(name, value)| (cut(&mask_identifiers(name), MAX_NAME_CHARS), shown(name, value)));
            Value::Object(kept.collect())
        }
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

/// The beginning of a text, without control characters.
fn cut(text: &str, most: usize) -> String {
    let plain = text
        .chars()
        .filter(|character| !character.is_control() || *character == '\n');
    plain.take(most).collect()
}

/// What a row says of a file that was sent: its size in bytes, and its SHA-256.
pub(super) fn file_figures(file: &[u8]) -> Map<String, Value> {
    let digest = hex::encode(Sha256::digest(file));
    Map::from_iter([
        ("file_bytes".to_owned(), file.len().into()),
        ("file_sha256".to_owned(), digest.into()),
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::shown;

    #[test]
    fn identifiers_are_masked_and_secrets_are_not_kept() {
        let request = json!({
            "eid": "89086030202200000022000000000090",
            "iccids": ["898604071120C0015291"],
            "note": "about 13800138000",
            "new_password": "hunter2 hunter2",
            "client_secret": "xks_abcdefgh",
            "overlap_secs": 60,
            "number": 13_800_138_000_u64,
            "client_id": "cl_0b14a3f9c2d84e6f8a1b",
            "object": "898604071120c0015291",
            "Password": "hunter2 hunter2",
            "89086030202200000022000000000090": true,
            "nested": {"totp": "123456", "imsi": "460001357924680"},
        });
        assert_eq!(
            shown("", &request),
            json!({
                "eid": "890860****0090",
                "iccids": ["898604****5291"],
                "note": "about 138****8000",
                "new_password": "****",
                "client_secret": "****",
                "overlap_secs": 60,
                "number": "138****8000",
                "client_id": "cl_0b14a3f9c2d84e6f8a1b",
                "object": "898604****5291",
                "Password": "****",
                "890860****0090": true,
                "nested": {"totp": "****", "imsi": "460****4680"},
            })
        );
    }

    #[test]
    fn long_values_are_cut() {
        let list: Vec<u32> = (0..30).collect();
        let kept = shown("list", &json!(list));
        assert_eq!(kept.as_array().unwrap().len(), 21);
        assert_eq!(kept[20], json!({"more": 10}));
        let text = shown("text", &json!("x\u{0}".repeat(5_000)));
        assert_eq!(text.as_str().unwrap().len(), 4_000);
    }
}
