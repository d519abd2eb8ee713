//! One-time codes of six digits from a shared secret and the time (TOTP, RFC 6238, on HOTP, RFC 4226), as authenticator
//! apps make them: HMAC-SHA1, a step of 30 s.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

/// Bytes of a secret: those of SHA-1's output (RFC 4226, section 4).
pub const TOTP_SECRET_BYTES: usize = 20;
/// Digits of a code.
const TOTP_DIGITS: usize = 6;
/// Length of a step, in milliseconds.
const STEP_MS: i64 = 30_000;
/// Codes of so many steps before and after the present one are accepted, for clocks that differ.
const WINDOW_STEPS: i64 = 1;

/// The step whose code was presented, of those around `now_ms` (milliseconds since 1970); none if it is of none of them.
#[must_use]
pub fn totp_step(secret: &[u8], code: &str, now_ms: i64) -> Option<i64> {
    let present = now_ms.div_euclid(STEP_MS);
    let steps = (present - WINDOW_STEPS)..=(present + WINDOW_STEPS);
    // All are computed, so that the time does not tell which it was.
    steps.fold(None, |found, step| {
        let is_right: bool = totp_code(secret, step).as_bytes().ct_eq(code.as_bytes()).into();
        if is_right { Some(step) } else { found }
    })
}

/// The code of a step.
#[must_use]
pub fn totp_code(secret: &[u8], step: i64) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(&step.to_be_bytes());
    let digest = mac.finalize().into_bytes();
    let at = usize::from(digest[digest.len() - 1] & 0x0F);
    let word = [digest[at] & 0x7F, digest[at + 1], digest[at + 2], digest[at + 3]];
    let digits = format!("{:010}", u32::from_be_bytes(word));
    digits[digits.len() - TOTP_DIGITS..].to_owned()
}

/// A secret as people type it into an app: base32 without padding.
#[must_use]
pub fn totp_text(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

#[cfg(test)]
mod tests {
    use super::{totp_code, totp_step, totp_text};

    // RFC 6238, appendix B (SHA1), the last six of the eight digits.
    #[test]
    fn codes_are_those_of_the_rfc() {
        let secret = b"12345678901234567890";
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(totp_code(secret, secs / 30), code, "{secs}");
            assert_eq!(totp_step(secret, code, secs * 1_000), Some(secs / 30));
        }
        assert_eq!(totp_text(secret), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    // RFC 4226, appendix D
    #[test]
    fn codes_are_those_of_hotp_by_counter() {
        let codes = ["755224", "287082", "359152", "969429", "338314", "254676"];
        for (counter, code) in (0..).zip(codes) {
            assert_eq!(totp_code(b"12345678901234567890", counter), code);
        }
    }

    #[test]
    fn a_code_of_one_step_before_or_after_is_accepted() {
        let (secret, at) = (b"12345678901234567890", 59_000);
        for (now, step) in [
            (at, Some(1)),
            (at + 30_000, Some(1)),
            (at - 30_000, Some(1)),
            (at + 60_000, None),
            (at - 60_000, None),
        ] {
            assert_eq!(totp_step(secret, "287082", now), step, "{now}");
        }
        for wrong in ["", "28708", "2870820", "287083", "28708２"] {
            assert_eq!(totp_step(secret, wrong, at), None, "{wrong}");
        }
    }
}
