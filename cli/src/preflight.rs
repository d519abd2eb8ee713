//! What `xieka up` looks at before anything listens: the secrets, and the database that they belong to.
//!
//! Each problem is an error of its own. The database file is made if it is missing. It and the file of the secrets
//! become readable for their owner alone; a database without check values of its keys gets those of these. No other row
//! is changed.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use domain::Timestamp;
use domain::error::{Error, Lang, Reason};
use operations::Retention;
use ota_gateway::keys::{LinkKey, MasterKeys};
use ota_gateway::settings::Settings;
use store::Sqlite;
use vault::{MIN_SECRET_BYTES, Vault, VaultSettings};

use crate::language::{Language, text};
use crate::secrets::{NEXT_INDEX_KEY, Secrets};

/// The secrets of interfaces.
const SECRETS: [&str; 4] = ["ADMIN_SECRET", "GATEWAY_SECRET", "INGEST_SECRET", "CRON_SECRET"];
/// File whose lock keeps a second platform away from a data folder.
const LOCK_FILE: &str = "xieka.lock";
/// A platform that passes the check of the gateway's settings; its address is known only when it listens.
const ANY_PLATFORM: &str = "http://127.0.0.1:3000";
/// Reads every page of the database and names the first fault.
const CHECK: &str = "PRAGMA quick_check(1)";
/// Mode of the database file and of the secrets: their owner alone reads and writes them.
const OWNER_ONLY: u32 = 0o600;

/// Keeps other processes away from a data folder until it is dropped.
///
/// # Errors
/// Another process has it.
pub(crate) fn lock(data: &Path) -> Result<File> {
    let path = data.join(LOCK_FILE);
    let mut options = OpenOptions::new();
    let opened = options.create(true).write(true).truncate(false).mode(OWNER_ONLY);
    let file = opened
        .open(&path)
        .with_context(|| format!("{}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let data = data.display();
            bail!(text(
                format!("数据目录 {data} 正由另一个 xieka 进程使用"),
                format!("another xieka process uses the data folder {data}")
            ))
        }
        Err(TryLockError::Error(problem)) => Err(problem).with_context(|| format!("{}", path.display())),
    }
}

/// Two files of secrets that differ: nobody knows which of them the database belongs to.
///
/// # Errors
/// They differ.
pub(crate) fn same_secrets(current: &Path, stored: &Path) -> Result<()> {
    if !current.is_file() || !stored.is_file() || same_file(current, stored) {
        return Ok(());
    }
    if Secrets::read(current)?.is_same(&Secrets::read(stored)?) {
        return Ok(());
    }
    let (current, stored) = (current.display(), stored.display());
    bail!(text(
        format!("{current} 与 {stored} 内容不同：请只保留建库时的一份"),
        format!("{current} and {stored} differ: keep only the one that the database was made with")
    ))
}

pub(crate) fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The database is not being given another index key.
///
/// # Errors
/// One is: a run of `xieka reindex` was cut off.
pub(crate) fn no_reindex_begun(secrets: &Secrets) -> Result<()> {
    if secrets.get(NEXT_INDEX_KEY).is_err() {
        return Ok(());
    }
    bail!(text(
        format!("更换索引密钥尚未完成（{NEXT_INDEX_KEY}）：请先再次执行 `xieka reindex`"),
        format!("the index key is only half changed ({NEXT_INDEX_KEY}): run `xieka reindex` again first")
    ))
}

/// The keys, if all secrets are there and well formed.
///
/// # Errors
/// The first that is missing, too short or malformed, by its name.
pub(crate) fn keys(secrets: &Secrets) -> Result<Vault> {
    let get = |name: &str| secrets.get(&format!("SPIN_VARIABLE_{name}"));
    for name in SECRETS {
        let mut parts = get(name)?.split(',').map(str::trim);
        if parts.clone().count() > 2 {
            bail!(text(
                format!("{name} 至多填两个值（更换期间）"),
                format!("{name} has more than the two values of a change")
            ));
        }
        if parts.any(|part| part.len() < MIN_SECRET_BYTES) {
            bail!(text(
                format!("{name} 不足 {MIN_SECRET_BYTES} 个字节"),
                format!("{name} has fewer than {MIN_SECRET_BYTES} bytes")
            ));
        }
    }
    let settings = VaultSettings {
        sealing_keys: Some(get("SEALING_KEYS")?),
        index_key: get("INDEX_KEY")?,
        home_key: Some(get("HOME_KEY").unwrap_or_default()),
        link_key: Some(get("LINK_KEY")?),
        token_key: Some(get("TOKEN_KEY")?),
        transport_keys: Some(get("TRANSPORT_KEYS")?),
    };
    // The error names the setting and what is wrong with its form, never its value.
    Vault::from_settings(settings).with_context(|| text("密钥配置有误", "a secret is malformed").to_owned())
}

/// The retentions are days, and none is below its minimum.
///
/// # Errors
/// The first that is not, by its name, with the reason of the minimum.
pub(crate) fn retention(secrets: &Secrets) -> Result<()> {
    let variables = secrets.spin_variables();
    let read = Retention::read(|name| variables.get(name).map(String::as_str));
    read.map(drop).map_err(|problem| {
        let cause = problem.cause().unwrap_or_default();
        anyhow::anyhow!(text(
            format!("数据留存期限有误：{cause}"),
            format!("a retention is wrong: {cause}")
        ))
    })
}

/// The gateway's settings are well formed, and fit those of the platform.
///
/// # Errors
/// The first that is not, by its name.
pub(crate) fn gateway(secrets: &Secrets) -> Result<()> {
    let environment = secrets.gateway_environment();
    let platform = ("XIEKA_GATEWAY_PLATFORM_URL".to_owned(), ANY_PLATFORM.to_owned());
    let settings = Settings::load(None, environment.chain([platform]));
    let settings = settings.context(text("网关的设置有误", "a setting of the gateway is wrong"))?;
    LinkKey::parse(settings.link_key.expose())?;
    MasterKeys::parse(settings.master_keys.expose())?;
    for (name, own) in [
        ("GATEWAY_SECRET", &settings.gateway_secret),
        ("CRON_SECRET", &settings.cron_secret),
        ("LINK_KEY", &settings.link_key),
    ] {
        let of_gateway: Vec<&str> = own.expose().split(',').map(str::trim).collect();
        let platform = secrets.get(&format!("SPIN_VARIABLE_{name}"))?;
        // The platform uses the first link key; of the secrets it accepts all, and the gateway has one.
        let mut of_platform = platform.split(',').map(str::trim);
        let fits = match name {
            "LINK_KEY" => of_platform.next().is_some_and(|key| of_gateway.contains(&key)),
            _ => of_platform.any(|secret| of_gateway == [secret]),
        };
        // A gateway without a cron secret does not tick.
        if !fits && !own.is_empty() {
            bail!(text(
                format!("网关与平台的 {name} 不一致：XIEKA_GATEWAY_{name}、SPIN_VARIABLE_{name}"),
                format!("gateway and platform differ in {name}: XIEKA_GATEWAY_{name}, SPIN_VARIABLE_{name}")
            ));
        }
    }
    Ok(())
}

/// Takes a file from everybody but its owner.
///
/// # Errors
/// The file cannot be changed.
pub(crate) fn owner_only(file: &Path) -> Result<()> {
    let changed = std::fs::set_permissions(file, Permissions::from_mode(OWNER_ONLY));
    changed.with_context(|| format!("{}", file.display()))
}

/// The database in `file` is sound, of a schema that this program knows, and belongs to the keys. A file that is not
/// there yet is made, empty.
///
/// # Errors
/// Each of these that does not hold.
pub(crate) async fn database(file: &Path, keys: &Vault, now: Timestamp) -> Result<()> {
    let Some(db) = sound(file)? else { return Ok(()) };
    let name = file.display();
    let checked = match store::check(&db).await {
        // A component brings it up to the schema of this program, but only under the right keys.
        Err(behind) if behind.reason() == Reason::SchemaBehind => store::rows_fit(&db, keys).await.map(drop),
        Err(error) => Err(error),
        Ok(()) => store::check_keys(&db, keys, now).await.map(drop),
    };
    checked.map_err(|error| match error.reason() {
        Reason::SchemaAhead | Reason::KeysWrong | Reason::Unavailable => {
            described(&format!("{name}"), &error)
        }
        _ => anyhow::anyhow!("{}: {error}", damaged(file)),
    })
}

/// The file of the call log is sound. One that is not there yet is made, empty.
///
/// # Errors
/// It is damaged, or no database.
pub(crate) fn call_log(file: &Path) -> Result<()> {
    sound(file).map(drop)
}

/// The database in `file`, of which every page can be read. A file that is not there yet is made, empty.
///
/// # Errors
/// It is damaged, or no database.
pub(crate) fn sound(file: &Path) -> Result<Option<Sqlite>> {
    let name = file.display();
    if !file.exists() {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("{}", folder.display()))?;
        }
        let mut options = OpenOptions::new();
        let made = options.create_new(true).write(true).mode(OWNER_ONLY).open(file);
        return made.map(|_| None).with_context(|| format!("{name}"));
    }
    owner_only(file)?;
    let db = Sqlite::open(file).map_err(|problem| anyhow::anyhow!("{}: {problem}", damaged(file)))?;
    let sound = db
        .connection()
        .query_row(CHECK, [], |row| row.get::<_, String>(0));
    match sound {
        Ok(sound) if sound == "ok" => Ok(Some(db)),
        Ok(fault) => bail!("{}: {fault}", damaged(file)),
        Err(problem) => bail!("{}: {problem}", damaged(file)),
    }
}

fn damaged(file: &Path) -> String {
    let name = file.display();
    text(
        format!("数据库 {name} 已损坏或不是数据库"),
        format!("{name} is damaged or no database"),
    )
}

/// A database has the schema of this program.
///
/// # Errors
/// It has an older one, to which a platform of this version brings it.
pub(crate) async fn current_schema(file: &Path) -> Result<()> {
    let name = file.display();
    let db = Sqlite::open(file).with_context(|| format!("{name}"))?;
    if store::check(&db).await.is_err() {
        bail!(text(
            format!("数据库 {name} 属于较早的版本：请先启动一次本版本的平台"),
            format!("{name} is of an earlier version: start the platform of this version once first")
        ));
    }
    Ok(())
}

/// What the error says, in the language of this process.
fn described(file: &str, error: &Error) -> anyhow::Error {
    let lang = match Language::of_this_process() {
        Language::Zh => Lang::Zh,
        Language::En => Lang::En,
    };
    let reason = error.reason();
    anyhow::anyhow!("{file}: {} ({error})", reason.message(lang)).context(reason.remedy(lang))
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use tempfile::TempDir;

    use super::*;

    const NOW: Timestamp = Timestamp(1_782_864_000_000);

    fn check(folder: &TempDir, secrets: &Secrets) -> Result<()> {
        let keys = keys(secrets)?;
        block_on(database(&folder.path().join("a.db"), &keys, NOW))
    }

    /// A migrated database that was used with these secrets.
    fn used(secrets: &Secrets) -> TempDir {
        let folder = TempDir::new().unwrap();
        check(&folder, secrets).unwrap();
        let db = Sqlite::open(&folder.path().join("a.db")).unwrap();
        block_on(store::migrate(&db, NOW)).unwrap();
        check(&folder, secrets).unwrap();
        folder
    }

    #[test]
    fn a_database_is_made_for_its_owner_alone_and_opens_under_its_own_keys_only() {
        let (own, other) = (Secrets::generate().unwrap(), Secrets::generate().unwrap());
        let folder = used(&own);
        let mode = std::fs::metadata(folder.path().join("a.db"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        check(&folder, &own).unwrap();
        let problem = format!("{:#}", check(&folder, &other).unwrap_err());
        assert!(problem.contains("index_key"), "{problem}");
    }

    #[test]
    fn a_database_of_a_newer_program_and_a_damaged_one_are_refused() {
        let secrets = Secrets::generate().unwrap();
        let folder = used(&secrets);
        let file = folder.path().join("a.db");
        let db = Sqlite::open(&file).unwrap();
        db.connection()
            .execute_batch("INSERT INTO schema_version VALUES (1000, 0)")
            .unwrap();
        drop(db);
        let newer = format!("{:#}", check(&folder, &secrets).unwrap_err());
        std::fs::write(&file, "this is no database, whatever its name says").unwrap();
        let damaged = format!("{:#}", check(&folder, &secrets).unwrap_err());
        assert!(
            newer.contains("schema_ahead") && !damaged.contains("schema_ahead"),
            "{newer} {damaged}"
        );
    }

    #[test]
    fn the_file_of_the_call_log_is_made_for_its_owner_alone_and_a_damaged_one_is_refused() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("calls.db");
        for _ in 0..2 {
            call_log(&file).unwrap();
        }
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&file, "this is no database, whatever its name says").unwrap();
        let problem = format!("{:#}", call_log(&file).unwrap_err());
        assert!(problem.contains("calls.db"), "{problem}");
    }

    #[test]
    fn a_database_with_a_damaged_page_is_refused() {
        let secrets = Secrets::generate().unwrap();
        let folder = used(&secrets);
        let file = folder.path().join("a.db");
        let db = Sqlite::open(&file).unwrap();
        db.connection()
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .unwrap();
        drop(db);
        check(&folder, &secrets).unwrap();
        let mut bytes = std::fs::read(&file).unwrap();
        // The last page, far from header and schema.
        let at = bytes.len() - 4096;
        bytes[at..].fill(0x5a);
        std::fs::write(&file, bytes).unwrap();
        let problem = format!("{:#}", check(&folder, &secrets).unwrap_err());
        assert!(
            problem.contains("a.db") && !problem.contains("keys_wrong"),
            "{problem}"
        );
    }

    #[test]
    fn every_key_is_compared_with_the_database() {
        let own = Secrets::generate().unwrap();
        let folder = used(&own);
        for name in ["SEALING_KEYS", "TOKEN_KEY", "LINK_KEY", "INDEX_KEY", "HOME_KEY"] {
            let (mut other, name) = (own.clone(), format!("SPIN_VARIABLE_{name}"));
            let value = Secrets::generate().unwrap();
            other.set(&name, value.get(&name).unwrap());
            let problem = format!("{:#}", check(&folder, &other).unwrap_err());
            assert!(problem.contains("keys_wrong"), "{name}: {problem}");
        }
    }

    #[test]
    fn the_settings_of_the_gateway_are_checked_and_fit_those_of_the_platform() {
        let good = Secrets::generate().unwrap();
        gateway(&good).unwrap();
        let link = good.get("XIEKA_GATEWAY_LINK_KEY").unwrap().to_owned();
        let another = "ab".repeat(32);
        let mut changing = good.clone();
        changing.set("XIEKA_GATEWAY_LINK_KEY", format!("{link},{another}"));
        changing.set(
            "SPIN_VARIABLE_GATEWAY_SECRET",
            format!("{another},{}", good.get("XIEKA_GATEWAY_GATEWAY_SECRET").unwrap()),
        );
        gateway(&changing).unwrap();
        keys(&changing).unwrap();
        for (name, value) in [
            ("MASTER_KEYS", "64:00"),
            ("LINK_KEY", "zz"),
            ("LINK_KEY", another.as_str()),
            ("GATEWAY_SECRET", another.as_str()),
            ("CRON_SECRET", another.as_str()),
            ("MAX_SESSIONS", "many"),
        ] {
            let mut secrets = good.clone();
            secrets.set(&format!("XIEKA_GATEWAY_{name}"), value);
            let problem = format!("{:#}", gateway(&secrets).unwrap_err()).to_uppercase();
            assert!(problem.contains(name), "{name}: {problem}");
        }
    }

    #[test]
    fn secrets_become_readable_for_their_owner_alone() {
        let folder = TempDir::new().unwrap();
        let file = folder.path().join(".env");
        Secrets::generate().unwrap().write_new(&file).unwrap();
        std::fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        owner_only(&file).unwrap();
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn secrets_that_are_missing_short_or_malformed_are_named() {
        for (name, value) in [
            ("ADMIN_SECRET", "short"),
            ("INDEX_KEY", "zz"),
            ("SEALING_KEYS", "1:00"),
            ("TOKEN_KEY", ""),
            ("CRON_SECRET", "0123456789abcdef0123456789abcdef,short"),
        ] {
            let mut secrets = Secrets::generate().unwrap();
            secrets.set(&format!("SPIN_VARIABLE_{name}"), value);
            let problem = format!("{:#}", keys(&secrets).unwrap_err()).to_uppercase();
            assert!(problem.contains(name), "{name}: {problem}");
        }
    }

    // §9.2.2
    #[test]
    fn a_call_log_that_would_be_kept_for_less_than_six_months_is_refused_before_anything_starts() {
        let mut secrets = Secrets::generate().unwrap();
        retention(&secrets).unwrap();
        let name = "SPIN_VARIABLE_CALL_LOG_DAYS";
        secrets.set(name, "185");
        retention(&secrets).unwrap();
        for (days, expected) in [("184", "six months"), ("long", "not a number")] {
            secrets.set(name, days);
            let problem = format!("{:#}", retention(&secrets).unwrap_err());
            assert!(
                problem.contains("call_log_days") && problem.contains(expected),
                "{problem}"
            );
        }
    }

    #[test]
    fn a_change_of_the_index_key_that_was_cut_off_is_finished_first() {
        let mut secrets = Secrets::generate().unwrap();
        no_reindex_begun(&secrets).unwrap();
        let key = "ab".repeat(32);
        secrets.set(NEXT_INDEX_KEY, key.as_str());
        let problem = format!("{:#}", no_reindex_begun(&secrets).unwrap_err());
        assert!(
            problem.contains("xieka reindex") && !problem.contains(&key),
            "{problem}"
        );
    }

    #[test]
    fn two_files_of_secrets_must_be_the_same() {
        let folder = TempDir::new().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        let secrets = Secrets::generate().unwrap();
        secrets.write_new(&one).unwrap();
        same_secrets(&one, &other).unwrap();
        secrets.write_new(&other).unwrap();
        same_secrets(&one, &other).unwrap();
        std::fs::remove_file(&other).unwrap();
        Secrets::generate().unwrap().write_new(&other).unwrap();
        assert!(same_secrets(&one, &other).is_err());
        same_secrets(&one, &one).unwrap();
    }

    #[test]
    fn a_data_folder_has_one_platform() {
        let folder = TempDir::new().unwrap();
        let held = lock(folder.path()).unwrap();
        assert!(lock(folder.path()).is_err());
        drop(held);
        lock(folder.path()).unwrap();
    }
}
