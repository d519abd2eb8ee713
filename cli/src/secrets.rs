//! The secrets of a platform: generated, stored in a `.env` file, passed to platform and gateway.
//!
//! The file uses Spin's own names (`SPIN_VARIABLE_*`, which `spin up` reads from `.env` too) and the gateway's
//! (`XIEKA_GATEWAY_*`). A value must never reach a log; the file is readable by its owner alone.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::language::text;

/// Prefix of the variables that belong to the Spin application.
const SPIN_PREFIX: &str = "SPIN_VARIABLE_";
/// Name of the transport key that `xieka init` makes for the first import.
pub const TRANSPORT_KEY_NAME: &str = "tk1";
/// Key version of the first master key of card keys; SCP81 keys live in key versions 0x40 to 0x4F.
pub const CARD_KEY_VERSION: u8 = 0x40;

/// First lines of the file in Chinese.
const HEADER_ZH: &str = "\
# 一个 xieka 平台的密钥。请在安全的地方保存一份副本：没有 SEALING_KEYS 与 INDEX_KEY
# 就无法读取数据库，没有 MASTER_KEYS 就无法与任何芯片通信。
";
/// First lines of the file in English.
const HEADER_EN: &str = "\
# Secrets of one xieka platform. Keep a copy in a safe place: without SEALING_KEYS and
# INDEX_KEY the database cannot be read, without MASTER_KEYS no chip can be reached.
";

/// All secrets of one platform, by the name of their environment variable.
#[derive(Clone)]
pub struct Secrets(BTreeMap<String, String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// Generates a complete set from the operating system's random source.
    pub fn generate() -> Result<Self> {
        let mut all = BTreeMap::new();
        let mut spin = |name: &str, value: String| all.insert(format!("{SPIN_PREFIX}{name}"), value);
        let gateway_secret = random_hex::<32>()?;
        let cron_secret = random_hex::<32>()?;
        let link_key = random_hex::<32>()?;
        spin("ADMIN_SECRET", random_hex::<32>()?);
        spin("GATEWAY_SECRET", gateway_secret.clone());
        spin("INGEST_SECRET", random_hex::<32>()?);
        spin("CRON_SECRET", cron_secret.clone());
        spin("TOKEN_KEY", random_hex::<32>()?);
        spin("SEALING_KEYS", format!("1:{}", random_hex::<32>()?));
        spin("INDEX_KEY", random_hex::<32>()?);
        spin("LINK_KEY", link_key.clone());
        spin(
            "TRANSPORT_KEYS",
            format!("{TRANSPORT_KEY_NAME}:{}", random_hex::<32>()?),
        );
        all.insert("XIEKA_GATEWAY_GATEWAY_SECRET".into(), gateway_secret);
        all.insert("XIEKA_GATEWAY_CRON_SECRET".into(), cron_secret);
        all.insert("XIEKA_GATEWAY_LINK_KEY".into(), link_key);
        all.insert(
            "XIEKA_GATEWAY_MASTER_KEYS".into(),
            format!("{CARD_KEY_VERSION}:{}", random_hex::<32>()?),
        );
        Ok(Self(all))
    }

    /// Reads a `.env` file.
    pub fn read(path: &Path) -> Result<Self> {
        let file = path.display();
        let entries = dotenvy::from_path_iter(path)
            .with_context(|| text(format!("无法读取 {file}"), format!("cannot read {file}")))?;
        // The parse error of the library quotes the line, which may hold a secret, so it is dropped.
        let all = entries.collect::<Result<_, _>>().ok();
        Ok(Self(all.with_context(|| {
            text(
                format!("{file} 中有一行不是 NAME=value"),
                format!("{file} has a line that is not NAME=value"),
            )
        })?))
    }

    /// Writes the set to a new file that only its owner may read; an existing file is never overwritten.
    pub fn write_new(&self, path: &Path) -> Result<()> {
        let name = path.display();
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .with_context(|| {
                text(
                    format!("无法创建 {name}（已有的文件不会被覆盖）"),
                    format!("cannot create {name} (an existing file is never overwritten)"),
                )
            })?;
        file.write_all(text(HEADER_ZH, HEADER_EN).as_bytes())?;
        for (name, value) in &self.0 {
            writeln!(file, "{name}={value}")?;
        }
        file.sync_all()?;
        Ok(())
    }

    /// Whether both sets have the same names and values.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// Sets or replaces one value.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// Returns one value.
    ///
    /// # Errors
    /// The name of a value that is not set.
    pub fn get(&self, name: &str) -> Result<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .with_context(|| text(format!("{name} 未设置"), format!("{name} is not set")))
    }

    /// The first of the values that a setting lists while it is changed: the one in use.
    ///
    /// # Errors
    /// The name of a value that is not set.
    pub fn first(&self, name: &str) -> Result<&str> {
        Ok(self.get(name)?.split(',').next().unwrap_or_default().trim())
    }

    /// The application's variables by their lower-case Spin names.
    pub fn spin_variables(&self) -> BTreeMap<String, String> {
        self.0
            .iter()
            .filter_map(|(name, value)| Some((name.strip_prefix(SPIN_PREFIX)?.to_lowercase(), value.clone())))
            .collect()
    }

    /// The first transport key: its name and its bytes.
    pub fn transport_key(&self) -> Result<(String, Vec<u8>)> {
        let all = self.get("SPIN_VARIABLE_TRANSPORT_KEYS")?;
        let first = all.split(',').next().unwrap_or_default();
        let problem = text(
            "TRANSPORT_KEYS 的形式应为 名称:十六进制",
            "TRANSPORT_KEYS must be name:hex",
        );
        let (name, key) = first.split_once(':').context(problem)?;
        Ok((name.to_owned(), hex::decode(key).context(problem)?))
    }

    /// The gateway's settings by the names of its environment variables.
    pub fn gateway_environment(&self) -> impl Iterator<Item = (String, String)> + '_ {
        self.0
            .iter()
            .filter(|(name, _)| name.starts_with(ota_gateway::settings::ENV_PREFIX))
            .map(|(name, value)| (name.clone(), value.clone()))
    }
}

/// `N` random bytes as lower-case hex.
pub fn random_hex<const N: usize>() -> Result<String> {
    Ok(hex::encode(random_bytes::<N>()?))
}

/// `N` bytes from the operating system's random source.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    openssl::rand::rand_bytes(&mut bytes).context(text(
        "操作系统未提供随机数",
        "no randomness from the operating system",
    ))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_back_and_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let secrets = Secrets::generate().unwrap();
        secrets.write_new(&path).unwrap();
        assert_eq!(Secrets::read(&path).unwrap().0, secrets.0);
        assert!(Secrets::generate().unwrap().write_new(&path).is_err());
        assert_eq!(Secrets::read(&path).unwrap().0, secrets.0);
        assert!(secrets.spin_variables().contains_key("sealing_keys"));
    }

    #[test]
    fn only_the_owner_may_read_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        Secrets::generate().unwrap().write_new(&path).unwrap();
        assert_eq!(
            std::fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }

    #[test]
    fn a_debug_print_shows_names_and_no_values() {
        let secrets = Secrets::generate().unwrap();
        let printed = format!("{secrets:?}");
        assert!(printed.contains("SPIN_VARIABLE_TOKEN_KEY"));
        assert!(!printed.contains(secrets.get("SPIN_VARIABLE_TOKEN_KEY").unwrap()));
    }
}
