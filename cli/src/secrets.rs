//! The secrets of a platform: generated, stored in a `.env` file, passed to platform and gateway.
//!
//! The file uses Spin's own names (`SPIN_VARIABLE_*`, which `spin up` reads from `.env` too) and the gateway's
//! (`XIEKA_GATEWAY_*`). A value must never reach a log; the file is readable by its owner alone.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use vault::{Vault, VaultSettings};

use crate::language::text;

/// Prefix of the variables that belong to the Spin application.
const SPIN_PREFIX: &str = "SPIN_VARIABLE_";
/// Name of the transport key that `xieka init` makes for the first import.
pub const TRANSPORT_KEY_NAME: &str = "tk1";
/// Key version of the first master key of card keys; SCP81 keys live in key versions 0x40 to 0x4F.
pub const CARD_KEY_VERSION: u8 = 0x40;
/// The index key that a database is getting, while `xieka reindex` runs.
pub(crate) const NEXT_INDEX_KEY: &str = "XIEKA_NEXT_INDEX_KEY";

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
        spin("HOME_KEY", random_hex::<32>()?);
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

    /// Changes values in a file, `None` takes one out, and returns what the file says then. Everything else in the file
    /// stays as it is. The file has its old or its new content, whenever the process or the machine stops.
    ///
    /// # Errors
    /// The file cannot be written, or says something else afterwards; then it is as it was.
    pub(crate) fn change(path: &Path, values: &[(&str, Option<&str>)]) -> Result<Self> {
        // Where it is a link, what it leads to is replaced.
        let path = path.canonicalize().with_context(|| path.display().to_string())?;
        let mut expected = Self::read(&path)?;
        let mut content = fs::read_to_string(&path)?;
        for (name, value) in values {
            match value {
                Some(value) => expected.set(name, *value),
                None => drop(expected.0.remove(*name)),
            }
            content = with_value(&content, name, *value);
        }
        let mut beside = path.clone().into_os_string();
        beside.push(".new");
        let beside = Path::new(&beside);
        let written = write_like(&path, beside, &content).and_then(|()| {
            let is_right = Self::read(beside)?.is_same(&expected);
            let name = path.display();
            ensure!(
                is_right,
                text(
                    format!("无法自动修改 {name}：请为每个值单独写一行 NAME=value"),
                    format!("{name} cannot be changed by itself: write each value as one line NAME=value")
                )
            );
            Ok(fs::rename(beside, &path)?)
        });
        if written.is_err() {
            let _ = fs::remove_file(beside);
        }
        written.with_context(|| path.display().to_string())?;
        // The new name is on the disk, too.
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)?.sync_all()?;
        Ok(expected)
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

    /// The keys that a database knows, with this index key.
    ///
    /// # Errors
    /// The first that is missing or malformed, by its name.
    pub(crate) fn stored_keys(&self, index_key: &str) -> Result<Vault> {
        let get = |name: &str| self.get(&format!("{SPIN_PREFIX}{name}"));
        let settings = VaultSettings {
            sealing_keys: Some(get("SEALING_KEYS")?),
            index_key,
            home_key: get("HOME_KEY").ok(),
            link_key: get("LINK_KEY").ok(),
            token_key: get("TOKEN_KEY").ok(),
            transport_keys: None,
        };
        Vault::from_settings(settings)
            .with_context(|| text("密钥配置有误", "a secret is malformed").to_owned())
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

/// The content of a file with another value, at its place or at the end, or without it.
fn with_value(content: &str, name: &str, value: Option<&str>) -> String {
    let mut new = value.map(|value| format!("{name}={value}\n"));
    let mut out = String::with_capacity(content.len());
    for line in content.split_inclusive('\n') {
        let stated = line.trim_start();
        let stated = stated.strip_prefix("export ").unwrap_or(stated);
        if stated.split('=').next().is_some_and(|own| own.trim() == name) && stated.contains('=') {
            out.push_str(&new.take().unwrap_or_default());
        } else {
            out.push_str(line);
        }
    }
    if let Some(new) = new {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&new);
    }
    out
}

/// Writes a file that the owner of `like`, and nobody else, may read.
fn write_like(like: &Path, path: &Path, content: &str) -> Result<()> {
    // What a run that was cut off has left.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
    let (own, owner) = (file.metadata()?, fs::metadata(like)?);
    if (own.uid(), own.gid()) != (owner.uid(), owner.gid()) {
        fchown(&file, Some(owner.uid()), Some(owner.gid()))?;
    }
    file.write_all(content.as_bytes())?;
    Ok(file.sync_all()?)
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
    fn a_changed_value_leaves_everything_else_in_the_file_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        let before = "# 注释\nA=1\n\n  export B = 'two words'\n#B=3\nBB=4\nC=5";
        fs::write(&path, before).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let changed = Secrets::change(&link, &[("B", Some("x")), ("C", None), ("D", Some("y"))]).unwrap();
        let content = fs::read_to_string(&path).unwrap();
        assert_eq!(content, "# 注释\nA=1\n\nB=x\n#B=3\nBB=4\nD=y\n");
        assert!(changed.is_same(&Secrets::read(&path).unwrap()) && changed.get("C").is_err());
        assert!(link.is_symlink());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing else is left"
        );
    }

    #[test]
    fn a_file_that_would_say_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        // Another value follows the one that is changed.
        let before = "A=1\nB=${A}2\n";
        fs::write(&path, before).unwrap();
        fs::write(folder.path().join(".env.new"), "of a run that was cut off").unwrap();
        assert!(Secrets::change(&path, &[("A", Some("3"))]).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_debug_print_shows_names_and_no_values() {
        let secrets = Secrets::generate().unwrap();
        let printed = format!("{secrets:?}");
        assert!(printed.contains("SPIN_VARIABLE_TOKEN_KEY"));
        assert!(!printed.contains(secrets.get("SPIN_VARIABLE_TOKEN_KEY").unwrap()));
    }
}
