//! Passwords of people: Argon2id (RFC 9106), stored as PHC strings with their parameters.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use super::{Random, VaultError, random_bytes};

/// Memory of one hash, in KiB: 19 MiB, as OWASP recommends with two passes.
const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Threads of one hash.
const THREADS: u32 = 1;
/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// The salt of an account that does not exist.
const NO_SALT: [u8; SALT_BYTES] = [0; SALT_BYTES];

/// The hash of a password, as a PHC string, with a random salt.
///
/// # Errors
/// [`VaultError::Password`] when it cannot be computed.
pub fn hash_password(random: &dyn Random, password: &str) -> Result<String, VaultError> {
    hash(password, &random_bytes::<SALT_BYTES>(random))
}

/// Whether `stored` is the hash of the password. Without a stored hash the answer is no, after as much work: the time does
/// not tell whether there is one.
///
/// # Errors
/// [`VaultError::Password`] when it cannot be computed, or what is stored is no hash.
pub fn verify_password(password: &str, stored: Option<&str>) -> Result<bool, VaultError> {
    let Some(stored) = stored else {
        return hash(password, &NO_SALT).map(|_| false);
    };
    let parsed = PasswordHash::new(stored).map_err(|_| VaultError::Password)?;
    Ok(hasher()?.verify_password(password.as_bytes(), &parsed).is_ok())
}

fn hash(password: &str, salt: &[u8]) -> Result<String, VaultError> {
    let hashed: PasswordHash = hasher()?
        .hash_password_with_salt(password.as_bytes(), salt)
        .map_err(|_| VaultError::Password)?;
    Ok(hashed.to_string())
}

fn hasher() -> Result<Argon2<'static>, VaultError> {
    let params =
        Params::new(MEMORY_KIB, PASSES, THREADS, Some(HASH_BYTES)).map_err(|_| VaultError::Password)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::{hash_password, verify_password};

    struct Ones;

    impl super::Random for Ones {
        fn fill(&self, out: &mut [u8]) {
            out.fill(1);
        }
    }

    // Computed with argon2-cffi 25.1 (the reference implementation): low_level.hash_secret(b"correct horse battery",
    // bytes([1])*16, time_cost=2, memory_cost=19456, parallelism=1, hash_len=32, type=Type.ID)
    const REFERENCE: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AQEBAQEBAQEBAQEBAQEBAQ$362lCOZRHrzOdFe2YoSxV6X5o4kNv7PvQZDLxCgKgSA";

    #[test]
    fn a_hash_is_argon2id_with_the_parameters_of_owasp() {
        assert_eq!(hash_password(&Ones, "correct horse battery").unwrap(), REFERENCE);
    }

    #[test]
    fn only_the_password_itself_matches_its_hash() {
        assert!(verify_password("correct horse battery", Some(REFERENCE)).unwrap());
        for wrong in ["", "Correct horse battery", "correct horse battery "] {
            assert!(!verify_password(wrong, Some(REFERENCE)).unwrap(), "{wrong}");
        }
        assert!(!verify_password("correct horse battery", None).unwrap());
        assert!(verify_password("x", Some("no hash")).is_err());
    }
}
