//! Reads the keys from the platform's secret variables.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::keyed::derived_home_key;
use super::{KEY_BYTES, Key, Vault, VaultError};

/// Most sealing keys that may be configured at once.
const MAX_SEALING_KEYS: usize = 16;
/// Most transport keys that may be configured at once.
const MAX_TRANSPORT_KEYS: usize = 64;
/// Longest name of a transport key, in bytes.
pub(super) const MAX_TRANSPORT_NAME_BYTES: usize = 32;
/// Most token keys or link keys that may be configured at once.
const MAX_KEYS_OF_ONE_KIND: usize = 4;
/// Marks a token key that is not accepted any more.
const REVOKED: char = '!';
/// Lengths of an AES key in bytes.
const AES_KEY_BYTES: [usize; 3] = [16, 24, 32];

/// The secret variables, as text; `None` for those that a component is not given.
#[derive(Clone, Copy, Default)]
pub struct VaultSettings<'a> {
    /// `2:<64 hex digits>[,1:<64 hex digits>]`: the first seals, all open.
    pub sealing_keys: Option<&'a str>,
    /// 64 hex digits: blind indexes.
    pub index_key: &'a str,
    /// 64 hex digits: gives cards their home; empty: it is made from the index key.
    pub home_key: Option<&'a str>,
    /// `<64 hex digits>[,<64 hex digits>]`: the first wraps key material for the gateway.
    pub link_key: Option<&'a str>,
    /// `<64 hex digits>[,[!]<64 hex digits>]`: the first signs tokens, all are accepted but those marked with `!`.
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
        let sealing = settings.sealing_keys.map(sealing_keys).transpose()?;
        let (seals, sealing) = sealing.unwrap_or_default();
        let (link, _) = list("link_key", settings.link_key, None)?;
        let index = key("index_key", settings.index_key)?;
        let home = settings.home_key.map(|text| match text.trim() {
            "" => Ok(derived_home_key(&index)),
            text => key("home_key", text),
        });
        let (token, revoked) = list("token_key", settings.token_key, Some(REVOKED))?;
        Ok(Self {
            sealing,
            seals,
            index,
            home: home.transpose()?,
            link,
            token,
            revoked,
            transport: settings
                .transport_keys
                .map(transport_keys)
                .transpose()?
                .unwrap_or_default(),
        })
    }
}

/// The home key of a platform that has only this index key, as text: what it has to be given before the index key
/// changes.
///
/// # Errors
/// [`VaultError::Setting`] for a malformed key.
pub fn home_key_of(index_key: &str) -> Result<Zeroizing<String>, VaultError> {
    let home = derived_home_key(&key("index_key", index_key)?);
    Ok(Zeroizing::new(hex::encode(home.as_slice())))
}

fn key(name: &'static str, text: &str) -> Result<Key, VaultError> {
    let mut out = Zeroizing::new([0; KEY_BYTES]);
    hex::decode_to_slice(text.trim(), out.as_mut_slice())
        .map_err(|_| VaultError::Setting(name, "64 hexadecimal digits are expected"))?;
    Ok(out)
}

/// Keys separated by commas, and those among them that the mark stands before.
fn list(
    name: &'static str,
    text: Option<&str>,
    mark: Option<char>,
) -> Result<(Vec<Key>, Vec<Key>), VaultError> {
    let (mut out, mut marked) = (Vec::new(), Vec::new());
    let Some(text) = text else {
        return Ok((out, marked));
    };
    for part in text.split(',').map(str::trim) {
        match mark.and_then(|mark| part.strip_prefix(mark)) {
            Some(part) => marked.push(key(name, part)?),
            None => out.push(key(name, part)?),
        }
    }
    if out.is_empty() || out.len() + marked.len() > MAX_KEYS_OF_ONE_KIND {
        return Err(VaultError::Setting(name, "one to four keys are expected"));
    }
    Ok((out, marked))
}

/// The number of the first key, and all by their numbers.
fn sealing_keys(text: &str) -> Result<(u8, BTreeMap<u8, Key>), VaultError> {
    const NAME: &str = "sealing_keys";
    let mut first = None;
    let mut out = BTreeMap::new();
    for (id, hex) in entries(NAME, text, MAX_SEALING_KEYS)? {
        let id = id
            .parse()
            .map_err(|_| VaultError::Setting(NAME, "a key id is a number from 0 to 255"))?;
        if out.insert(id, key(NAME, hex)?).is_some() {
            return Err(VaultError::Setting(NAME, "a key id appears twice"));
        }
        first = first.or(Some(id));
    }
    let first = first.ok_or(VaultError::Setting(NAME, "at least one key is needed"))?;
    Ok((first, out))
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
        let home = VaultSettings {
            index_key: HEX32,
            home_key: Some("zz"),
            ..VaultSettings::default()
        };
        let wrong = Vault::from_settings(home);
        assert!(matches!(wrong, Err(VaultError::Setting("home_key", _))));
        assert_eq!(problem(&good, HEX32, Some("tk1:0011")), "transport_keys");
        assert_eq!(
            problem(&good, HEX32, Some(":00112233445566778899aabbccddeeff")),
            "transport_keys"
        );
    }

    #[test]
    fn one_to_four_keys_sign_and_wrap() {
        let vault = |token: &str| {
            Vault::from_settings(VaultSettings {
                index_key: HEX32,
                token_key: Some(token),
                link_key: Some(token),
                ..VaultSettings::default()
            })
        };
        assert!(vault(HEX32).is_ok());
        assert!(vault(&[HEX32; 4].join(", ")).is_ok());
        for wrong in [
            "",
            "00",
            &format!("{HEX32},"),
            &[HEX32; 5].join(","),
            &format!("!{HEX32}"),
        ] {
            assert!(vault(wrong).is_err(), "{wrong}");
        }
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
