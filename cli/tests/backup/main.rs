//! `xieka backup`, `xieka verify`, `xieka restore`: what is backed up while a platform runs is whole, what is not whole is
//! named, and what is restored gives no number to two chips.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

mod audit;
mod bad_input;
mod forged;
mod http;
mod migrate;
mod postgres;
mod postgres_input;
mod problems;
mod units;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use serde_json::Value;
use store::call_log::{NewCallRow, insert, set_up};
use store::{Sqlite, check_keys};
use tempfile::TempDir;
use test_support::operations::{World, run};
use test_support::settings::{NOW, variables};
use vault::Zeroizing;

/// The data folder of a platform that runs, a folder for its backups, and who opens them.
struct Platform {
    folder: TempDir,
    world: World,
    identity: Identity,
}

impl Platform {
    fn new() -> Self {
        let platform = Self::with(|folder| World::in_file(&folder.join("data/.spin/sqlite_db.db"), 1));
        let calls = Sqlite::open(&platform.path("data/.spin/calls.db")).unwrap();
        run(set_up(&calls)).unwrap();
        platform
    }

    fn with(world: impl FnOnce(&Path) -> World) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir_all(folder.path().join("data/.spin")).unwrap();
        let world = world(folder.path());
        assert!(run(check_keys(&world.db, &world.vault, NOW)).unwrap());
        let platform = Self {
            folder,
            world,
            identity: Identity::generate(),
        };
        let known = variables();
        let value = |secret: &Option<Zeroizing<String>>| secret.as_ref().unwrap().as_str().to_owned();
        let content = format!(
            "SPIN_VARIABLE_SEALING_KEYS={}\nSPIN_VARIABLE_INDEX_KEY={}\nSPIN_VARIABLE_TOKEN_KEY={}\n\
             SPIN_VARIABLE_LINK_KEY={}\n",
            value(&known.sealing_keys),
            known.index_key.as_str(),
            value(&known.token_key),
            value(&known.link_key),
        );
        fs::write(platform.path("env"), content).unwrap();
        let secret = platform.identity.to_string();
        fs::write(platform.path("identity"), secret.expose_secret()).unwrap();
        platform
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a command; words that begin with `@` are paths in the folder of the test.
    fn xieka(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn command(&self, words: &[&str]) -> Command {
        let words = words.iter().map(|word| match word.strip_prefix('@') {
            Some(name) => self.path(name).into_os_string(),
            None => (*word).into(),
        });
        let mut command = Command::new(env!("CARGO_BIN_EXE_xieka"));
        command
            .env("LC_ALL", "en")
            .current_dir(self.folder.path())
            .args(words);
        command
    }

    /// Makes a backup, and returns its file.
    fn backup(&self) -> PathBuf {
        let recipient = self.identity.to_public().to_string();
        let output = self.xieka(&["backup", "@backups", "--recipient", &recipient, "--data", "@data"]);
        let text = printed(&output);
        PathBuf::from(text.lines().next().unwrap())
    }

    fn verify(&self, file: &Path, others: &[&str]) -> Output {
        let file = file.to_string_lossy();
        let mut words = vec!["verify", &file, "--identity", "@identity", "--env", "@env"];
        words.extend(others);
        self.xieka(&words)
    }

    fn restore(&self, file: &Path, others: &[&str]) -> Output {
        let file = file.to_string_lossy();
        let mut words = vec!["restore", &file, "--identity", "@identity", "--env", "@env"];
        words.extend(others);
        self.xieka(&words)
    }
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The exit code and what was written to standard error.
fn problem(output: &Output) -> (i32, String) {
    assert!(!output.status.success(), "{output:?}");
    (
        output.status.code().unwrap(),
        String::from_utf8(output.stderr.clone()).unwrap(),
    )
}

fn mode(file: &Path) -> u32 {
    fs::metadata(file).unwrap().permissions().mode() & 0o777
}

fn manifest(file: &Path) -> Value {
    serde_json::from_slice(&fs::read(file.with_extension("json")).unwrap()).unwrap()
}

#[test]
fn a_backup_of_a_platform_that_runs_is_whole_and_counts_what_is_in_it() {
    let platform = Platform::new();
    let caller = platform.world.stocked(5, 5);
    platform.world.write_chip(&caller, 0);
    let calls = Sqlite::open(&platform.path("data/.spin/calls.db")).unwrap();
    run(insert(&calls, &[(NOW.millis() << 22, &call_row())])).unwrap();
    // Another connection is in the middle of a transaction.
    platform
        .world
        .execute("BEGIN IMMEDIATE; UPDATE number SET smsc = 'x'");
    let file = platform.backup_while_busy();
    platform.world.execute("ROLLBACK");
    let manifest = manifest(&file);
    let tables = &manifest["state"]["tables"];
    assert_eq!(tables["chip"]["rows"], 5);
    assert_eq!(tables["number"]["rows"], 5);
    assert_eq!(manifest["schema_version"], store::SCHEMA_VERSION);
    assert_eq!(tables["number"]["sha256"].as_str().unwrap().len(), 64);
    let days = manifest["calls"]["tables"].as_object().unwrap();
    let rows: u64 = days
        .iter()
        .filter(|(name, _)| name.starts_with("call_log_2"))
        .map(|(_, table)| table["rows"].as_u64().unwrap())
        .sum();
    assert_eq!(rows, 1, "{days:?}");
    let names: Vec<&str> = manifest["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| key["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"index_key") && names.contains(&"sealing_key:1"),
        "{names:?}"
    );

    let text = printed(&platform.verify(&file, &[]));
    assert!(text.contains("is whole"), "{text}");
}

#[test]
fn files_of_a_backup_are_their_owners_alone_and_nothing_else_is_left() {
    let platform = Platform::new();
    platform.world.stocked(1, 1);
    let file = platform.backup();
    assert_eq!((mode(&file), mode(&file.with_extension("json"))), (0o600, 0o600));
    printed(&platform.verify(&file, &[]));
    let names: Vec<_> = fs::read_dir(platform.path("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
    // Neither identifiers nor keys are readable in the manifest.
    let text = fs::read_to_string(file.with_extension("json")).unwrap();
    assert!(
        !text.contains("8986") && !text.contains(&hex::encode([1; 32])),
        "{text}"
    );
}

#[test]
fn backup_and_drill_are_recorded_in_the_database_that_runs() {
    let platform = Platform::new();
    platform.world.stocked(1, 1);
    let file = platform.backup();
    let kinds = "SELECT kind FROM backup_record ORDER BY kind";
    assert_eq!(platform.world.column(kinds), ["backup"]);
    printed(&platform.verify(&file, &[]));
    assert_eq!(platform.world.column(kinds), ["backup"]);
    let text = printed(&platform.verify(&file, &["--record", "--data", "@data"]));
    assert!(text.contains("the drill is recorded"), "{text}");
    assert_eq!(platform.world.column(kinds), ["backup", "drill"]);
    let same = "SELECT COUNT(DISTINCT backup_id) FROM backup_record";
    assert_eq!(platform.world.count(same), 1);
}

#[test]
fn a_backup_is_opened_with_age_and_tar_alone() {
    let platform = Platform::new();
    platform.world.stocked(1, 1);
    let file = platform.backup();
    let Ok(plain) = Command::new("age")
        .arg("--decrypt")
        .arg("--identity")
        .arg(platform.path("identity"))
        .arg(&file)
        .output()
    else {
        eprintln!("age is not installed (apt-get install age): that it opens a backup was not tested");
        return;
    };
    assert!(plain.status.success(), "{plain:?}");
    fs::write(platform.path("backup.tar"), plain.stdout).unwrap();
    let listed = Command::new("tar")
        .arg("--list")
        .arg("--file")
        .arg(platform.path("backup.tar"))
        .output()
        .unwrap();
    assert_eq!(printed(&listed), "manifest.json\nstate.db\ncalls.db\n");
}

#[test]
fn a_restored_platform_is_as_it_was_but_for_the_quarantine_and_is_never_written_over_another() {
    let platform = Platform::new();
    let caller = platform.world.stocked(3, 4);
    platform.world.write_chip(&caller, 0);
    let file = platform.backup();
    let text = printed(&platform.restore(&file, &["--into", "@new"]));
    assert!(text.contains("4 numbers are quarantined"), "{text}");
    let restored = platform.path("new/.spin/sqlite_db.db");
    assert_eq!(mode(&restored), 0o600);
    assert!(platform.path("new/.spin/calls.db").is_file());
    let db = Sqlite::open(&restored).unwrap();
    let text = |sql| {
        db.connection()
            .query_row(sql, [], |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(text("PRAGMA journal_mode"), "wal");
    assert_eq!(text("PRAGMA integrity_check"), "ok");
    assert_eq!(text("SELECT group_concat(kind) FROM backup_record"), "restore");
    assert_eq!(text("SELECT CAST(COUNT(*) AS TEXT) FROM chip"), "3");
    let left: Vec<_> = fs::read_dir(platform.path("new"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(left.len(), 2, "database folder and lock alone: {left:?}");

    let before = fs::read(&restored).unwrap();
    let (code, text) = problem(&platform.restore(&file, &["--into", "@new"]));
    assert!(code == 1 && text.contains("never overwrites"), "{text}");
    assert_eq!(fs::read(&restored).unwrap(), before);
}

#[test]
fn numbers_are_not_quarantined_where_it_is_stated_that_nothing_was_written_since_before_the_backup() {
    let platform = Platform::new();
    platform.world.stocked(1, 2);
    let file = platform.backup();
    for (since, refused) in [
        ("2999-01-01T00:00:00Z", "cards may have been written in between"),
        ("yesterday", "no time"),
        ("2026-07-01", "no time"),
    ] {
        let (code, text) = problem(&platform.restore(&file, &["--into", "@new", "--no-writes-since", since]));
        assert!(code == 1 && text.contains(refused), "{since}: {text}");
        assert!(!platform.path("new/.spin/sqlite_db.db").exists());
    }
    let since = "2026-07-01T08:00:00+08:00";
    let text = printed(&platform.restore(&file, &["--into", "@new", "--no-writes-since", since]));
    assert!(text.contains("no number is quarantined"), "{text}");
    let db = Sqlite::open(&platform.path("new/.spin/sqlite_db.db")).unwrap();
    let count = |sql| {
        db.connection()
            .query_row(sql, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    assert_eq!(count("SELECT COUNT(*) FROM number WHERE quarantined = 1"), 0);
    assert_eq!(
        count("SELECT no_writes_since FROM backup_record WHERE kind = 'restore'"),
        NOW.millis()
    );
}

impl Platform {
    /// A backup while another connection writes. It cannot be recorded meanwhile, and is good all the same.
    fn backup_while_busy(&self) -> PathBuf {
        let recipient = self.identity.to_public().to_string();
        let output = self.xieka(&["backup", "@backups", "--recipient", &recipient, "--data", "@data"]);
        let (code, text) = problem(&output);
        assert!(
            code == 1 && text.contains("the backup is good, and could not be recorded"),
            "{text}"
        );
        let files = fs::read_dir(self.path("backups")).unwrap();
        let mut files = files.map(|entry| entry.unwrap().path());
        files
            .find(|file| file.extension().is_some_and(|end| end == "age"))
            .unwrap()
    }
}

fn call_row() -> NewCallRow {
    NewCallRow {
        at: NOW,
        client_id: None,
        secret_generation: None,
        interface: "token".to_owned(),
        code: 200,
        reason: None,
        address: None,
        duration: std::time::Duration::ZERO,
        request_id: "r1".into(),
        eid_index: None,
        task_id: None,
        subject: None,
    }
}
