//! Sealed values: XChaCha20-Poly1305, bound to their column and row.
//!
//! Layout: version (1 byte) ‖ key id (1) ‖ nonce (24) ‖ ciphertext with its 16-byte tag. Associated data:
//! `table.column` ‖ 0 ‖ row identity, so that a value copied to another place cannot be opened.

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};

use super::{Column, Random, Vault, VaultError, Zeroizing, random_bytes};

/// The only layout so far.
const VERSION: u8 = 1;
/// Bytes of the nonce.
const NONCE_BYTES: usize = 24;
/// Bytes in front of the ciphertext.
const HEADER_BYTES: usize = 2 + NONCE_BYTES;

impl Vault {
    /// The number of the key that seals; 0 without any.
    #[must_use]
    pub fn sealing_id(&self) -> u8 {
        self.seals
    }

    /// The number of the key under which a value was sealed, if it is a sealed value.
    #[must_use]
    pub fn key_of(sealed: &[u8]) -> Option<u8> {
        let is_sealed = sealed.first() == Some(&VERSION) && sealed.len() >= HEADER_BYTES;
        sealed.get(1).copied().filter(|_| is_sealed)
    }

    /// Seals `plain` for one column of one row, with the first key.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when the cipher refuses, which only a value of gigabytes causes.
    pub fn seal(
        &self,
        random: &dyn Random,
        column: Column,
        row: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let key = self
            .sealing
            .get(&self.seals)
            .ok_or(VaultError::Setting("sealing_keys", "at least one key is needed"))?;
        let nonce: [u8; NONCE_BYTES] = random_bytes(random);
        let payload = Payload {
            msg: plain,
            aad: &associated_data(column, row),
        };
        let ciphertext = XChaCha20Poly1305::new((&**key).into())
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| VaultError::Sealed(column.0, "the value is too long"))?;
        let mut out = Vec::with_capacity(HEADER_BYTES + ciphertext.len());
        out.extend([VERSION, self.seals]);
        out.extend(nonce);
        out.extend(ciphertext);
        Ok(out)
    }

    /// Opens a value that was sealed for one column of one row with any configured key.
    ///
    /// # Errors
    /// [`VaultError::Sealed`] when it was sealed for another place, was changed, or its key is missing.
    pub fn open(&self, column: Column, row: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let refuse = |why| VaultError::Sealed(column.0, why);
        let (header, ciphertext) = sealed.split_at_checked(HEADER_BYTES).ok_or(refuse("too short"))?;
        if header[0] != VERSION {
            return Err(refuse("unknown layout"));
        }
        let key = self
            .sealing
            .get(&header[1])
            .ok_or(refuse("its key is not configured"))?;
        let nonce = XNonce::try_from(&header[2..]).map_err(|_| refuse("too short"))?;
        let payload = Payload {
            msg: ciphertext,
            aad: &associated_data(column, row),
        };
        XChaCha20Poly1305::new((&**key).into())
            .decrypt(&nonce, payload)
            .map(Zeroizing::new)
            .map_err(|_| refuse("it was changed or moved"))
    }

    /// [`Vault::open`] for a value that is text.
    ///
    /// # Errors
    /// Those of [`Vault::open`], and [`VaultError::Sealed`] when the value is not UTF-8.
    pub fn open_text(
        &self,
        column: Column,
        row: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<String>, VaultError> {
        let plain = self.open(column, row, sealed)?;
        let text = std::str::from_utf8(&plain).map_err(|_| VaultError::Sealed(column.0, "not UTF-8"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// [`Vault::open_text`] for an identifier that is shown to an authorised reader.
    ///
    /// # Errors
    /// Those of [`Vault::open_text`].
    pub fn open_identifier(&self, column: Column, row: &[u8], sealed: &[u8]) -> Result<String, VaultError> {
        self.open_text(column, row, sealed)
            .map(|text| text.as_str().to_owned())
    }
}

fn associated_data(column: Column, row: &[u8]) -> Vec<u8> {
    [column.0.as_bytes(), &[0], row].concat()
}

#[cfg(test)]
mod tests {
    use super::super::{Column, Random, Vault, VaultSettings};

    struct Counting(std::cell::Cell<u8>);

    impl Random for Counting {
        fn fill(&self, out: &mut [u8]) {
            for byte in out {
                self.0.set(self.0.get().wrapping_add(1));
                *byte = self.0.get();
            }
        }
    }

    const CHIP: Column = Column("chip.eid");

    fn vault(ids: &[u8]) -> Vault {
        let sealing: Vec<String> = ids
            .iter()
            .map(|id| format!("{id}:{}", hex::encode([*id; 32])))
            .collect();
        let index = hex::encode([9; 32]);
        let settings = VaultSettings {
            sealing_keys: Some(&sealing.join(",")),
            index_key: &index,
            ..VaultSettings::default()
        };
        Vault::from_settings(settings).unwrap()
    }

    fn seal(vault: &Vault, plain: &[u8]) -> Vec<u8> {
        vault.seal(&Counting(0.into()), CHIP, b"row", plain).unwrap()
    }

    #[test]
    fn a_sealed_value_opens_only_where_it_was_sealed() {
        let vault = vault(&[1]);
        let sealed = seal(&vault, b"89086030202200000022000000000090");
        assert_eq!(
            vault.open_text(CHIP, b"row", &sealed).unwrap().as_str(),
            "89086030202200000022000000000090"
        );
        assert!(vault.open(CHIP, b"other", &sealed).is_err());
        assert!(vault.open(Column("chip.temp_iccid"), b"row", &sealed).is_err());
    }

    #[test]
    fn any_changed_byte_is_noticed() {
        let vault = vault(&[1]);
        let sealed = seal(&vault, b"value");
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault.open(CHIP, b"row", &changed).is_err(), "byte {at}");
            assert!(vault.open(CHIP, b"row", &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_value_sealed_under_an_old_key_still_opens_and_the_first_key_seals() {
        let old = seal(&vault(&[1]), b"value");
        let both = vault(&[2, 1]);
        assert_eq!(both.open(CHIP, b"row", &old).unwrap().as_slice(), b"value");
        assert_eq!(Vault::key_of(&seal(&both, b"value")), Some(2));
        // A key that is only accepted yet, whatever its number.
        assert_eq!(Vault::key_of(&seal(&vault(&[1, 2]), b"value")), Some(1));
        assert_eq!(Vault::key_of(&[1, 2]), None);
        assert!(vault(&[2]).open(CHIP, b"row", &old).is_err());
    }
}
