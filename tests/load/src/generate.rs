//! Fills a database with many chips and numbers through the platform's own import operations, in process and without
//! waiting for the disk. The result equals that of an import over HTTP.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow, ensure};
use domain::{Permission, Timestamp, Zone};
use operations::{
    Context, ImportChoices, MAX_IMPORT_ROWS, NewClient, create_client, import_chips, import_numbers,
};
use serde_json::{Value, json};
use store::{Database, Sqlite, migrate};
use vault::{Random, Vault, VaultSettings};
use xieka::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use xieka::secrets::{Secrets, random_bytes};

/// Pragmas of the import: nobody reads the file meanwhile, and a failed run starts again.
const IMPORT_PRAGMAS: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
    PRAGMA cache_size = -4000000; PRAGMA temp_store = MEMORY";
/// Pragmas of the finished file, as the platform expects it.
const FINAL_PRAGMAS: &str =
    "PRAGMA locking_mode = NORMAL; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL";

/// The operating system's random source.
pub(crate) struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(16) {
            let bytes = random_bytes::<16>().expect("the operating system's random source");
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

/// New secrets with the sample's transport key.
pub(crate) fn secrets() -> Result<Secrets> {
    let mut secrets = Secrets::generate()?;
    let transport: String = SAMPLE_TRANSPORT_KEY
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    secrets.set(
        "SPIN_VARIABLE_TRANSPORT_KEYS",
        format!("{SAMPLE_TRANSPORT_KEY_NAME}:{transport}"),
    );
    Ok(secrets)
}

/// The vault of the native server.
pub(crate) fn vault(secrets: &Secrets) -> Result<Vault> {
    let get = |name: &str| secrets.get(&format!("SPIN_VARIABLE_{name}"));
    Vault::from_settings(VaultSettings {
        sealing_keys: Some(get("SEALING_KEYS")?),
        index_key: get("INDEX_KEY")?,
        home_key: Some(get("HOME_KEY")?),
        link_key: Some(get("LINK_KEY")?),
        token_key: Some(get("TOKEN_KEY")?),
        transport_keys: Some(get("TRANSPORT_KEYS")?),
    })
    .map_err(|problem| anyhow!("{problem}"))
}

/// The present time.
pub(crate) fn now() -> Timestamp {
    std::time::SystemTime::now().into()
}

/// Fills a new database file; see [`fill_database`].
pub(crate) async fn fill(file: &Path, secrets: &Secrets, count: u32) -> Result<Value> {
    let db = Sqlite::open(file).map_err(|problem| anyhow!("{problem}"))?;
    migrate(&db, now())
        .await
        .map_err(|problem| anyhow!("{problem}"))?;
    db.connection().execute_batch(IMPORT_PRAGMAS)?;
    let client = fill_database(&db, secrets, count).await?;
    db.connection().execute_batch(FINAL_PRAGMAS)?;
    Ok(client)
}

/// Fills a migrated database without rows with a client that owns `count` chips, and with as many numbers. Returns the
/// client's credentials.
pub(crate) async fn fill_database<D: Database>(db: &D, secrets: &Secrets, count: u32) -> Result<Value> {
    let started = Instant::now();
    let vault = vault(secrets)?;
    let cx = Context::new((db, db), &vault, now(), &OsRandom, Zone::UTC);
    let permissions = Permission::ALL.map(|permission| permission.code().to_owned());
    let new = NewClient {
        name: "load",
        phone: "13800000000",
        ips: &["127.0.0.1".to_owned()],
        permissions: &permissions,
        callback_url: None,
        allow_http_callback: false,
    };
    let client = create_client(&cx, &new)
        .await
        .map_err(|problem| anyhow!("{problem}"))?;
    let batch = u32::try_from(MAX_IMPORT_ROWS)?;
    for first in (1..=count).step_by(MAX_IMPORT_ROWS) {
        let size = batch.min(count + 1 - first);
        let part = Inventory::generate(first, size, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
        let (chips, numbers) = (part.chips_csv()?, part.numbers_csv()?);
        let (owner, choices) = (Some(&client.client_id), ImportChoices::default());
        let chips = import_chips(&cx, chips.as_bytes(), owner, &choices).await;
        let numbers = import_numbers(&cx, numbers.as_bytes(), &choices).await;
        for report in [chips, numbers] {
            let report = report.map_err(|problem| anyhow!("{problem}"))?;
            ensure!(report.imported == size as usize, "{:?}", report.errors.first());
        }
    }
    if count > 100_000 {
        let secs = started.elapsed().as_secs_f64();
        eprintln!(
            "{count} chips and {count} numbers in {secs:.0} s, {:.0} rows/s",
            f64::from(count) * 2.0 / secs
        );
    }
    Ok(json!({"id": client.client_id.as_str(), "secret": client.client_secret.as_str()}))
}

/// Creates a folder with a database and its `.env` that `xieka up` can run on.
pub(crate) async fn into_folder(count: u32, out: &Path) -> Result<()> {
    std::fs::create_dir_all(out)?;
    let file = out.join("sqlite_db.db");
    ensure!(!file.exists(), "{} is there already", file.display());
    let secrets = secrets()?;
    secrets.write_new(&out.join(".env")).context("the secrets")?;
    let client = fill(&file, &secrets, count).await?;
    println!("{client}");
    Ok(())
}
