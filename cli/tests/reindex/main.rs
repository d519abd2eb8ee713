//! `xieka reindex`: another index key for the database of a platform, whenever it is cut off.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

mod call_log;
mod home_key;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use axum::Router;
use axum::http::Request;
use domain::ClientId;
use hmac::{Hmac, KeyInit as _, Mac as _};
use native_host::NativeHost;
use sha2::Sha256;
use store::{Sqlite, check_keys};
use tempfile::TempDir;
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{World, run};
use test_support::random::SeededRandom;
use test_support::router::call;
use test_support::settings::{NOW, variables};
use vault::{Vault, VaultSettings, Zeroizing};
use web::{App, Settings, Variables, service};

const INDEX_KEY: &str = "SPIN_VARIABLE_INDEX_KEY";
const HOME_KEY: &str = "SPIN_VARIABLE_HOME_KEY";
const NEXT: &str = "XIEKA_NEXT_INDEX_KEY";
/// The index key of the tests.
const OLD: [u8; 32] = [0x1d; 32];

/// The data folder of a platform that is stopped.
struct Platform {
    folder: TempDir,
}

impl Platform {
    fn new() -> Self {
        Self::with(|_| ())
    }

    /// A platform on whose database `fill` has worked.
    fn with(fill: impl FnOnce(&World)) -> Self {
        let platform = Self {
            folder: TempDir::new().unwrap(),
        };
        fs::create_dir(platform.folder.path().join(".spin")).unwrap();
        let world = World::in_file(&platform.database(), 1);
        assert!(run(check_keys(&world.db, &world.vault, NOW)).unwrap());
        fill(&world);
        let known = variables();
        let value = |secret: &Option<Zeroizing<String>>| secret.as_ref().unwrap().as_str().to_owned();
        let content = format!(
            "# 本平台的密钥\nSPIN_VARIABLE_SEALING_KEYS={}\n{INDEX_KEY}={}\n\nSPIN_VARIABLE_TOKEN_KEY={}\n\
             SPIN_VARIABLE_LINK_KEY={}\n{HOME_KEY}={}\n",
            value(&known.sealing_keys),
            known.index_key.as_str(),
            value(&known.token_key),
            value(&known.link_key),
            value(&known.home_key),
        );
        fs::write(platform.env(), content).unwrap();
        platform
    }

    fn database(&self) -> PathBuf {
        self.folder.path().join(".spin/sqlite_db.db")
    }

    fn calls(&self) -> PathBuf {
        self.folder.path().join(".spin/calls.db")
    }

    fn env(&self) -> PathBuf {
        self.folder.path().join(".env")
    }

    fn content(&self) -> String {
        fs::read_to_string(self.env()).unwrap()
    }

    /// A value in the file of the secrets.
    fn value(&self, name: &str) -> Option<String> {
        let content = self.content();
        let line = content
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}=")));
        line.map(str::to_owned)
    }

    /// Runs the command in a folder without a file of secrets.
    fn reindex(&self, options: &[&str]) -> Output {
        let elsewhere = TempDir::new().unwrap();
        self.command(elsewhere.path(), options).output().unwrap()
    }

    fn command(&self, folder: &Path, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xieka"));
        command
            .current_dir(folder)
            .env("LC_ALL", "en")
            .args(["reindex", "--data"])
            .arg(self.folder.path())
            .args(options);
        command
    }

    /// Whether the database belongs to this index key.
    fn belongs_to(&self, index_key: &str) -> bool {
        let known = variables();
        let keys = Vault::from_settings(VaultSettings {
            sealing_keys: known.sealing_keys.as_ref().map(|keys| keys.as_str()),
            index_key,
            ..VaultSettings::default()
        });
        let db = Sqlite::open(&self.database()).unwrap();
        run(check_keys(&db, &keys.unwrap(), NOW)).is_ok()
    }

    /// The key was changed as a whole, in the database and in the file.
    fn is_changed(&self) {
        let key = self.value(INDEX_KEY).unwrap();
        assert_ne!(key, hex::encode(OLD));
        assert!(self.belongs_to(&key) && !self.belongs_to(&hex::encode(OLD)));
        let content = self.content();
        assert_eq!(self.value(NEXT), None);
        assert!(
            content.starts_with("# 本平台的密钥\nSPIN_VARIABLE_SEALING_KEYS="),
            "{content}"
        );
        assert!(content.contains("\n\nSPIN_VARIABLE_TOKEN_KEY="), "{content}");
        let mode = fs::metadata(self.env()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let db = Sqlite::open(&self.database()).unwrap();
        let text = |sql| {
            db.connection()
                .query_row(sql, [], |row| row.get::<_, String>(0))
                .unwrap()
        };
        assert_eq!(text("PRAGMA journal_mode"), "wal");
        assert_eq!(text("PRAGMA integrity_check"), "ok");
        assert!(!self.folder.path().join(".env.new").exists());
    }

    /// Nothing was changed.
    fn is_as_before(&self, content: &str) {
        assert_eq!(self.content(), content);
        assert!(self.belongs_to(&hex::encode(OLD)));
    }

    /// The routes of tokens on this database, under this index key.
    fn tokens(&self, index_key: &str) -> Router {
        let variables = Variables {
            index_key: Zeroizing::new(index_key.to_owned()),
            // No row of the call log waits, and with it a connection.
            call_log_interval_ms: Some("0".to_owned()),
            ..variables()
        };
        let settings = Settings::from_variables(&variables).unwrap();
        let host = NativeHost::new(self.database(), settings, || NOW, SeededRandom::new(1));
        service(token_router::router(), App::new(host))
    }
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn problem(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Chips and numbers.
fn stocked(world: &World) {
    let caller = world.stocked(3, 3);
    world.write_chip(&caller, 0);
}

/// A client that may call from the peer of [`call`], with its secret. `is_old`: the secret is stored as earlier versions
/// did.
fn client(world: &World, is_old: bool) -> (ClientId, String) {
    let created = world.client_at("203.0.113.0/24");
    let (id, secret) = (created.client_id, created.client_secret.as_str().to_owned());
    if is_old {
        let mut mac = Hmac::<Sha256>::new_from_slice(&OLD).unwrap();
        mac.update(b"secret\0");
        mac.update(secret.as_bytes());
        let hash = hex::encode(mac.finalize().into_bytes());
        let id = id.as_str();
        world.execute(&format!(
            "UPDATE client_secret SET hash = x'{hash}' WHERE client_id = '{id}'"
        ));
    }
    (id, secret)
}

/// The status with which a client's request for a token is answered, over HTTP.
async fn token(router: &Router, (id, secret): &(ClientId, String)) -> u16 {
    let target = format!("/v1/token?client_id={}&client_secret={secret}", id.as_str());
    let request = Request::get(target).body(Default::default()).unwrap();
    call(router, request).await.status
}

#[test]
fn the_key_is_changed_in_the_database_and_in_the_file_and_is_never_printed() {
    let platform = Platform::with(stocked);
    let output = platform.reindex(&[]);
    let text = printed(&output);
    assert!(text.starts_with("made "), "{text}");
    platform.is_changed();
    let key = platform.value(INDEX_KEY).unwrap();
    for stream in [&output.stdout, &output.stderr] {
        let stream = String::from_utf8_lossy(stream);
        assert!(!stream.contains(&key) && !stream.contains(&hex::encode(OLD)));
    }
    // Once more: another key again.
    printed(&platform.reindex(&[]));
    assert_ne!(platform.value(INDEX_KEY).unwrap(), key);
    platform.is_changed();
}

#[test]
fn no_old_index_is_left_in_the_file() {
    let platform = Platform::with(stocked);
    let old = {
        let db = Sqlite::open(&platform.database()).unwrap();
        let sql = "SELECT eid_index FROM chip UNION SELECT temp_imsi_index FROM chip \
                   UNION SELECT iccid_index FROM number UNION SELECT imsi_index FROM number";
        let mut statement = db.connection().prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
        rows.collect::<Result<Vec<_>, _>>().unwrap()
    };
    let has = |needle: &[u8]| {
        let file = fs::read(platform.database()).unwrap();
        file.windows(needle.len()).any(|window| window == needle)
    };
    assert!(old.len() > 10 && old.iter().all(|index| has(index)));
    printed(&platform.reindex(&[]));
    assert!(!old.iter().any(|index| has(index)));
}

#[test]
fn a_run_that_was_cut_off_is_finished_by_the_next() {
    // After the next key was written, before the database was changed.
    let platform = Platform::with(stocked);
    let next = "ab".repeat(32);
    fs::write(platform.env(), format!("{}{NEXT}={next}\n", platform.content())).unwrap();
    fs::write(platform.folder.path().join(".env.new"), "half of a file").unwrap();
    assert!(printed(&platform.reindex(&[])).starts_with("made "));
    assert_eq!(platform.value(INDEX_KEY).as_deref(), Some(next.as_str()));
    platform.is_changed();

    // After the database was changed, before the key took its place.
    let done = platform.content();
    let cut_off = format!("{}{NEXT}={next}\n", done.replace(&next, &hex::encode(OLD)));
    fs::write(platform.env(), cut_off).unwrap();
    let db = Sqlite::open(&platform.database()).unwrap();
    db.connection()
        .query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))
        .unwrap();
    drop(db);
    assert!(printed(&platform.reindex(&[])).starts_with("the database has the new index key already\n"));
    assert_eq!(platform.content(), done);
    platform.is_changed();
}

#[test]
fn a_process_that_is_killed_while_it_changes_the_database_is_followed_by_one_that_finishes() {
    let platform = Platform::with(|world| {
        let client = world.client().client_id;
        let chips: Vec<ChipCsv> = (0..400).map(ChipCsv::new).collect();
        assert_eq!(world.chips(&client, &chips).imported, chips.len());
        let numbers: Vec<NumberCsv> = (0..400).map(NumberCsv::new).collect();
        assert_eq!(world.numbers(&numbers).imported, numbers.len());
    });
    let elsewhere = TempDir::new().unwrap();
    let journal = platform.folder.path().join(".spin/sqlite_db.db-journal");
    let mut child = platform
        .command(elsewhere.path(), &[])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while child.try_wait().unwrap().is_none() && !journal.exists() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let begun = platform.value(NEXT);
    printed(&platform.reindex(&[]));
    platform.is_changed();
    if let Some(begun) = begun {
        assert_eq!(platform.value(INDEX_KEY), Some(begun));
    }
    let db = Sqlite::open(&platform.database()).unwrap();
    let count = |sql| {
        db.connection()
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT COUNT(*) FROM chip"), 400);
    assert_eq!(count("SELECT COUNT(*) FROM number"), 400);
}

#[test]
fn keys_of_another_database_and_a_missing_database_are_refused() {
    let platform = Platform::with(stocked);
    let good = platform.content();
    for (name, right) in [
        ("index_key", hex::encode(OLD)),
        ("sealing_key", hex::encode([1; 32])),
    ] {
        let wrong = good.replace(&right, &"cd".repeat(32));
        fs::write(platform.env(), &wrong).unwrap();
        let text = problem(&platform.reindex(&[]));
        assert!(text.contains("keys_wrong") && text.contains(name), "{text}");
        platform.is_as_before(&wrong);
    }
    let [key, next] = ["cd", "ab"].map(|digits| digits.repeat(32));
    let begun = format!("{}{NEXT}={next}\n", good.replace(&hex::encode(OLD), &key));
    fs::write(platform.env(), &begun).unwrap();
    assert!(problem(&platform.reindex(&[])).contains("keys_wrong"));
    platform.is_as_before(&begun);
    fs::write(platform.env(), &good).unwrap();
    fs::remove_file(platform.database()).unwrap();
    assert!(problem(&platform.reindex(&[])).contains("there is no database"));
    assert!(!platform.database().exists());
    assert_eq!(platform.content(), good);
}

#[test]
fn a_database_of_an_earlier_version_is_refused() {
    let platform = Platform::new();
    let db = Sqlite::open(&platform.database()).unwrap();
    db.connection()
        .execute_batch("DELETE FROM schema_version WHERE version > 10")
        .unwrap();
    drop(db);
    let before = platform.content();
    let text = problem(&platform.reindex(&[]));
    assert!(text.contains("is of an earlier version"), "{text}");
    assert_eq!(platform.content(), before);
}

#[test]
fn a_refused_change_leaves_the_file_as_it_was() {
    let platform = Platform::with(stocked);
    let db = Sqlite::open(&platform.database()).unwrap();
    db.connection()
        .execute_batch("UPDATE number SET iccid_sealed = msisdn_sealed WHERE status = 'available'")
        .unwrap();
    drop(db);
    let before = platform.content();
    let text = problem(&platform.reindex(&[]));
    assert!(
        text.contains("values of number.iccid_sealed cannot be opened"),
        "{text}"
    );
    platform.is_as_before(&before);
}

#[test]
fn two_files_of_secrets_are_refused() {
    let platform = Platform::with(stocked);
    let elsewhere = TempDir::new().unwrap();
    let before = platform.content();
    fs::write(elsewhere.path().join(".env"), &before).unwrap();
    let both = platform.command(elsewhere.path(), &[]).output().unwrap();
    assert!(problem(&both).contains("there are both .env and "));
    platform.is_as_before(&before);
    // The folder's own file is one file.
    printed(&platform.command(platform.folder.path(), &[]).output().unwrap());
    platform.is_changed();
}

#[test]
fn a_platform_that_runs_is_refused_by_the_lock_of_its_folder() {
    let platform = Platform::with(stocked);
    let lock = fs::File::create(platform.folder.path().join("xieka.lock")).unwrap();
    lock.try_lock().unwrap();
    let before = platform.content();
    let text = problem(&platform.reindex(&[]));
    assert!(
        text.contains("another xieka process uses the data folder"),
        "{text}"
    );
    platform.is_as_before(&before);
}

#[tokio::test]
async fn clients_keep_their_secrets_and_a_platform_that_runs_is_refused() {
    let mut clients = Vec::new();
    let platform = Platform::with(|world| clients = vec![client(world, true), client(world, false)]);
    let before = platform.content();
    // As a platform that `xieka up` does not run.
    let (database, env) = (platform.database(), platform.env());
    let run = |options: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_xieka"))
            .env("LC_ALL", "en")
            .args(["reindex", "--database"])
            .arg(&database)
            .arg("--env")
            .arg(&env)
            .args(options)
            .output()
            .unwrap()
    };
    let text = problem(&run(&[]));
    assert!(text.contains(clients[0].0.as_str()), "{text}");
    assert!(!text.contains(clients[1].0.as_str()), "{text}");
    platform.is_as_before(&before);

    let old = platform.tokens(&hex::encode(OLD));
    for client in &clients {
        assert_eq!(token(&old, client).await, 200);
    }
    let text = problem(&run(&[]));
    assert!(text.contains("another process uses"), "{text}");
    platform.is_as_before(&before);
    drop(old);
    printed(&run(&[]));
    platform.is_changed();

    let new = platform.tokens(&platform.value(INDEX_KEY).unwrap());
    for client in &clients {
        assert_eq!(token(&new, client).await, 200);
    }
}

#[test]
fn secrets_of_earlier_versions_are_ended_on_demand() {
    let platform = Platform::with(|world| drop(client(world, true)));
    let text = printed(&platform.reindex(&["--end-old-secrets"]));
    assert!(text.contains("\n1 secrets of clients were revoked\n"), "{text}");
    platform.is_changed();
}

#[test]
fn what_was_done_is_printed_in_chinese_too() {
    let platform = Platform::with(stocked);
    let elsewhere = TempDir::new().unwrap();
    let output = platform
        .command(elsewhere.path(), &[])
        .env("LC_ALL", "zh_CN.UTF-8")
        .output();
    let text = printed(&output.unwrap());
    assert!(
        text.starts_with("已重建 ") && text.contains("新的索引密钥"),
        "{text}"
    );
}
