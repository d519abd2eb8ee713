//! What staff presents: 256 random bits, with a prefix that says what it is and by which a leaked one is recognised.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::Context;
use vault::{Zeroizing, random_bytes};

/// Random bytes of each.
const SECRET_BYTES: usize = 32;
/// Prefix of the credential of a session.
pub(super) const SESSION_PREFIX: &str = "xkt_";
/// Prefix of an API key.
pub(super) const KEY_PREFIX: &str = "xkk_";
/// Prefix of an enrolment code.
pub(super) const ENROLMENT_PREFIX: &str = "xke_";
/// Longest text of one of them, in characters.
pub const MAX_CREDENTIAL_CHARS: usize = 47;

/// A new random one.
pub(super) fn new_secret<D>(cx: &Context<'_, D>, prefix: &str) -> Zeroizing<String> {
    let bytes = Zeroizing::new(random_bytes::<SECRET_BYTES>(cx.random));
    Zeroizing::new(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

/// Whether a text can be one with this prefix. Nothing else is looked up.
pub(super) fn is_secret(text: &str, prefix: &str) -> bool {
    let tail = text.strip_prefix(prefix);
    let bytes = tail.and_then(|tail| URL_SAFE_NO_PAD.decode(tail).ok());
    bytes.is_some_and(|bytes| bytes.len() == SECRET_BYTES)
}

#[cfg(test)]
mod tests {
    use super::{KEY_PREFIX, MAX_CREDENTIAL_CHARS, SESSION_PREFIX, is_secret};

    #[test]
    fn a_secret_is_its_prefix_and_43_characters() {
        let sound = format!("{SESSION_PREFIX}{}", "A".repeat(43));
        assert_eq!(sound.len(), MAX_CREDENTIAL_CHARS);
        assert!(is_secret(&sound, SESSION_PREFIX) && !is_secret(&sound, KEY_PREFIX));
        for wrong in [
            String::new(),
            "A".repeat(47),
            format!("{SESSION_PREFIX}{}", "A".repeat(42)),
            format!("{SESSION_PREFIX}{}", "A".repeat(44)),
            format!("{SESSION_PREFIX}{}=", "A".repeat(42)),
            format!("{SESSION_PREFIX}{}+", "A".repeat(42)),
        ] {
            assert!(!is_secret(&wrong, SESSION_PREFIX), "{wrong}");
        }
    }
}
