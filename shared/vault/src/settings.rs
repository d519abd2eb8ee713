//! Reads the keys from the platform's secret variables.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{KEY_BYTES, Key, Vault, VaultError};

/// Most sealing keys that may be configured at once.
const MAX_SEALING_KEYS: usize = 16;
/// Most transport keys that may be configured at once.
const MAX_TRANSPORT_KEYS: usize = 64;
/// Longest name of a transport key, in bytes.
pub(super) const MAX_TRANSPORT_NAME_BYTES: usize = 32;
/// Lengths of an AES key in bytes.
const AES_KEY_BYTES: [usize; 3] = [16, 24, 32];

/// The secret variables, as text; `None` for those that a component is not given.
#[derive(Clone, Copy, Default)]
pub struct VaultSettings<'a> {
    /// `1:<64 hex digits>[,2:<64 hex digits>]`: the highest id seals, all open.
    pub sealing_keys: Option<&'a str>,
    /// 64 hex digits: blind indexes, secret hashes.
    pub index_key: &'a str,
    /// 64 hex digits: wraps key material for the gateway.
    pub link_key: Option<&'a str>,
    /// 64 hex digits: signs tokens.
    pub token_key: Option<&'a str>,
    /// `name:<32, 48 or 64 hex digits>[,…]`: unwraps key material on import.
    pub transport_keys: Option<&'a str>,
}

impl Vault {
    /// Makes the vault that `settings` describe.
    ///
    /// # Errors
    /// [`VaultError::Setting`] naming the setting and what is wrong with it.
    pub fn from_settings(settings: VaultSettings<'_>) -> Result<Self, VaultError> {
        let optional = |name, text: Option<&str>| text.map(|text| key(name, text)).transpose();
        Ok(Self {
            sealing: settings
                .sealing_keys
                .map(sealing_keys)
                .transpose()?
                .unwrap_or_default(),
            index: key("index_key", settings.index_key)?,
            link: optional("link_key", settings.link_key)?,
            token: optional("token_key", settings.token_key)?,
            transport: settings
                .transport_keys
                .map(transport_keys)
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

fn key(name: &'static str, text: &str) -> Result<Key, VaultError> {
    let mut out = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(text.trim(), out.as_mut_slice())
        .map_err(|_| VaultError::Setting(name, "64 hexadecimal digits are expected"))?;
    Ok(out)
}

fn sealing_keys(text: &str) -> Result<BTreeMap<u8, Key>, VaultError> {
    const NAME: &str = "sealing_keys";
    let mut out = BTreeMap::new();
    for (id, hex) in entries(NAME, text, MAX_SEALING_KEYS)? {
        let id = id
            .parse()
            .map_err(|_| VaultError::Setting(NAME, "a key id is a number from 0 to 255"))?;
        if out.insert(id, key(NAME, hex)?).is_some() {
            return Err(VaultError::Setting(NAME, "a key id appears twice"));
        }
    }
    if out.is_empty() {
        return Err(VaultError::Setting(NAME, "at least one key is needed"));
    }
    Ok(out)
}

fn transport_keys(text: &str) -> Result<BTreeMap<String, Zeroizing<Vec<u8>>>, VaultError> {
    const NAME: &str = "transport_keys";
    let mut out = BTreeMap::new();
    for (name, hex) in entries(NAME, text, MAX_TRANSPORT_KEYS)? {
        if name.is_empty() || name.len() > MAX_TRANSPORT_NAME_BYTES {
            return Err(VaultError::Setting(NAME, "a name has 1 to 32 bytes"));
        }
        let bytes = hex::decode(hex).map(Zeroizing::new).unwrap_or_default();
        if !AES_KEY_BYTES.contains(&bytes.len()) {
            return Err(VaultError::Setting(
                NAME,
                "a key has 32, 48 or 64 hexadecimal digits",
            ));
        }
        if out.insert(name.to_owned(), bytes).is_some() {
            return Err(VaultError::Setting(NAME, "a name appears twice"));
        }
    }
    Ok(out)
}

fn entries<'a>(
    name: &'static str,
    text: &'a str,
    most: usize,
) -> Result<Vec<(&'a str, &'a str)>, VaultError> {
    let parts: Vec<&str> = text
        .split(',')
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect();
    if parts.len() > most {
        return Err(VaultError::Setting(name, "too many keys"));
    }
    let pair = |part: &'a str| {
        part.split_once(':')
            .map(|(left, right)| (left.trim(), right.trim()))
    };
    parts
        .into_iter()
        .map(|part| pair(part).ok_or(VaultError::Setting(name, "entries are written name:hex")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Vault, VaultError, VaultSettings};

    const HEX32: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn problem(sealing: &str, index: &str, transport: Option<&str>) -> &'static str {
        let settings = VaultSettings {
            sealing_keys: Some(sealing),
            index_key: index,
            transport_keys: transport,
            ..VaultSettings::default()
        };
        match Vault::from_settings(settings) {
            Err(VaultError::Setting(name, _)) => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let good = format!("1:{HEX32}");
        assert_eq!(problem("", HEX32, None), "sealing_keys");
        assert_eq!(problem(HEX32, HEX32, None), "sealing_keys");
        assert_eq!(problem(&format!("256:{HEX32}"), HEX32, None), "sealing_keys");
        assert_eq!(problem(&format!("{good},{good}"), HEX32, None), "sealing_keys");
        assert_eq!(problem(&good, "00", None), "index_key");
        assert_eq!(problem(&good, HEX32, Some("tk1:0011")), "transport_keys");
        assert_eq!(
            problem(&good, HEX32, Some(":00112233445566778899aabbccddeeff")),
            "transport_keys"
        );
    }

    #[test]
    fn a_vault_does_not_print_its_keys() {
        let sealing = format!("1:{HEX32}, 2:{HEX32}");
        let settings = VaultSettings {
            sealing_keys: Some(&sealing),
            index_key: HEX32,
            ..VaultSettings::default()
        };
        assert_eq!(
            format!("{:?}", Vault::from_settings(settings).unwrap()),
            "Vault(…)"
        );
    }
}
