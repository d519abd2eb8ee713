//! RFC 3394 key wrap, for imported key material (transport keys) and key material for the gateway (link key).

use aes_kw::{KeyInit, KwAes128, KwAes192, KwAes256};

use super::{Vault, VaultError, Zeroizing};

/// Bytes that wrapping adds.
const WRAP_OVERHEAD_BYTES: usize = 8;
/// Lengths of key material that can be wrapped, in bytes.
const KEY_MATERIAL_BYTES: std::ops::RangeInclusive<usize> = 16..=64;

impl Vault {
    /// Unwraps imported key material under the transport key `name`.
    ///
    /// # Errors
    /// [`VaultError::UnknownTransportKey`], or [`VaultError::Unwrap`] when the integrity check fails.
    pub fn unwrap_transport(&self, name: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        unwrap(
            self.transport.get(name).ok_or(VaultError::UnknownTransportKey)?,
            wrapped,
        )
    }

    /// Wraps key material under the first link key, for the gateway.
    ///
    /// # Errors
    /// [`VaultError::Absent`] without a link key, [`VaultError::Wrap`] for an impossible length.
    pub fn wrap_for_link(&self, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        wrap(
            self.link
                .first()
                .ok_or(VaultError::Absent("link_key"))?
                .as_slice(),
            plain,
        )
    }
}

/// Wraps `plain` under an AES key of 16, 24 or 32 bytes.
///
/// # Errors
/// [`VaultError::Wrap`] for a key or a plain text of an impossible length.
pub fn wrap(key: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    if !KEY_MATERIAL_BYTES.contains(&plain.len()) {
        return Err(VaultError::Wrap);
    }
    let mut out = vec![0; plain.len() + WRAP_OVERHEAD_BYTES];
    let done = match key.len() {
        16 => KwAes128::new_from_slice(key).is_ok_and(|kw| kw.wrap_key(plain, &mut out).is_ok()),
        24 => KwAes192::new_from_slice(key).is_ok_and(|kw| kw.wrap_key(plain, &mut out).is_ok()),
        32 => KwAes256::new_from_slice(key).is_ok_and(|kw| kw.wrap_key(plain, &mut out).is_ok()),
        _ => false,
    };
    if done { Ok(out) } else { Err(VaultError::Wrap) }
}

/// Unwraps `wrapped` under an AES key of 16, 24 or 32 bytes.
///
/// # Errors
/// [`VaultError::Unwrap`] when the integrity check fails or a length is impossible.
pub fn unwrap(key: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
    let length = wrapped.len().saturating_sub(WRAP_OVERHEAD_BYTES);
    if !KEY_MATERIAL_BYTES.contains(&length) {
        return Err(VaultError::Unwrap);
    }
    let mut out = Zeroizing::new(vec![0; length]);
    let done = match key.len() {
        16 => KwAes128::new_from_slice(key).is_ok_and(|kw| kw.unwrap_key(wrapped, &mut out).is_ok()),
        24 => KwAes192::new_from_slice(key).is_ok_and(|kw| kw.unwrap_key(wrapped, &mut out).is_ok()),
        32 => KwAes256::new_from_slice(key).is_ok_and(|kw| kw.unwrap_key(wrapped, &mut out).is_ok()),
        _ => false,
    };
    if done { Ok(out) } else { Err(VaultError::Unwrap) }
}

#[cfg(test)]
mod tests {
    use super::{unwrap, wrap};

    // RFC 3394 §4.1, §4.2, §4.3 and §4.6
    #[test]
    fn the_vectors_of_the_rfc_hold_both_ways() {
        for (key, plain, wrapped) in [
            (
                "000102030405060708090A0B0C0D0E0F",
                "00112233445566778899AABBCCDDEEFF",
                "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5",
            ),
            (
                "000102030405060708090A0B0C0D0E0F1011121314151617",
                "00112233445566778899AABBCCDDEEFF",
                "96778B25AE6CA435F92B5B97C050AED2468AB8A17AD84E5D",
            ),
            (
                "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
                "00112233445566778899AABBCCDDEEFF",
                "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
            ),
            (
                "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
                "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
                "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
            ),
        ] {
            let [key, plain, wrapped] = [key, plain, wrapped].map(|text| hex::decode(text).unwrap());
            assert_eq!(wrap(&key, &plain).unwrap(), wrapped);
            assert_eq!(unwrap(&key, &wrapped).unwrap().as_slice(), plain);
        }
    }

    #[test]
    fn damage_and_impossible_lengths_are_refused() {
        let wrapped = wrap(&[7; 32], &[5; 16]).unwrap();
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 0x80;
            assert!(unwrap(&[7; 32], &changed).is_err());
        }
        for length in [0, 7, 8, 16, 23, 25, 80] {
            assert!(unwrap(&[7; 32], &vec![0; length]).is_err(), "{length}");
        }
        for length in [0, 8, 15, 17, 72] {
            assert!(wrap(&[7; 32], &vec![0; length]).is_err(), "{length}");
        }
        assert!(unwrap(&[7; 31], &wrapped).is_err());
        assert!(unwrap(&[8; 32], &wrapped).is_err());
    }
}
