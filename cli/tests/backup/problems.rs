//! What is wrong with a backup is named, each kind with a text and an exit code of its own.

use std::fs;
use std::path::{Path, PathBuf};

use age::x25519::Identity;
use rusqlite::Connection;

use super::forged::{changed, encrypted, plain};
use super::{Platform, printed, problem};

fn filled() -> (Platform, PathBuf) {
    let platform = Platform::new();
    let caller = platform.world.stocked(3, 4);
    platform.world.write_chip(&caller, 0);
    let file = platform.backup();
    (platform, file)
}

/// The problem of a backup with these bytes.
fn of_bytes(platform: &Platform, bytes: &[u8]) -> (i32, String) {
    let file = platform.path("changed.age");
    fs::write(&file, bytes).unwrap();
    let found = problem(&platform.verify(&file, &[]));
    let restored = problem(&platform.restore(&file, &["--into", "@new"]));
    assert_eq!(found, restored, "a restore refuses it, too");
    assert!(!platform.path("new/.spin/sqlite_db.db").exists());
    found
}

#[test]
fn a_byte_that_was_flipped_is_named_wherever_it_is() {
    let (platform, file) = filled();
    let bytes = fs::read(file).unwrap();
    let header = bytes.windows(5).position(|part| part == b"\n--- ").unwrap();
    // From the header of age to the last byte.
    for at in [
        header + 10,
        header + 200,
        70_000,
        bytes.len() / 2,
        bytes.len() - 70_000,
        bytes.len() - 1,
    ] {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let (code, text) = of_bytes(&platform, &changed);
        assert_eq!(code, 13, "{at}: {text}");
        assert!(text.contains("the backup was changed"), "{at}: {text}");
    }
}

#[test]
fn a_file_that_was_cut_is_named_wherever_it_ends() {
    let (platform, file) = filled();
    let bytes = fs::read(file).unwrap();
    let chunk = 65_552;
    for length in [
        0,
        10,
        100,
        300,
        1_000,
        chunk,
        2 * chunk + 300,
        bytes.len() - 1_000,
        bytes.len() - 1,
    ] {
        let (code, text) = of_bytes(&platform, &bytes[..length]);
        // Nothing is left of an empty file that says what it was.
        let expected = if length == 0 { 10 } else { 12 };
        assert_eq!(code, expected, "{length}: {text}");
        assert!(
            length == 0 || text.contains("the backup is cut"),
            "{length}: {text}"
        );
    }
}

#[test]
fn a_key_of_somebody_else_and_a_file_that_is_no_backup_are_named() {
    let (platform, file) = filled();
    let other = Identity::generate();
    let (code, text) = of_bytes(&platform, &encrypted(&plain(&platform, &file), &other));
    assert!(
        code == 11 && text.contains("no key of the identity file opens"),
        "{text}"
    );
    let long = vec![7; 200_000];
    for plain in [&b"SQLite format 3"[..], &long] {
        let (code, text) = of_bytes(&platform, plain);
        assert!(code == 10 && text.contains("no backup"), "{text}");
    }
    let mut archive = tar::Builder::new(Vec::new());
    archive
        .append_path_with_name(platform.path("env"), "manifest.json")
        .unwrap();
    let (code, text) = of_bytes(
        &platform,
        &encrypted(&archive.into_inner().unwrap(), &platform.identity),
    );
    assert!(code == 10 && text.contains("no backup"), "{text}");
}

/// A backup whose state was changed by `sql` after it was made, by somebody who can encrypt it again.
fn forged(platform: &Platform, file: &Path, sql: &str) -> PathBuf {
    let change = |folder: &Path| {
        let state = Connection::open(folder.join("state.db")).unwrap();
        state.execute_batch(sql).unwrap();
    };
    changed(platform, file, &["state.db", "calls.db"], change)
}

/// Exchanges the sealed values of two rows.
const SWAP: &str = "CREATE TEMP TABLE two AS SELECT iccid_index, k_sealed, row_number() OVER (ORDER BY iccid_index) AS n \
    FROM number ORDER BY iccid_index LIMIT 2; \
    UPDATE number SET k_sealed = (SELECT other.k_sealed FROM two JOIN two other ON other.n <> two.n \
    WHERE two.iccid_index = number.iccid_index) WHERE iccid_index IN (SELECT iccid_index FROM two); DROP TABLE two;";

#[test]
fn rows_that_were_swapped_are_named_whether_before_the_backup_or_in_it() {
    let (platform, file) = filled();
    let (code, text) = problem(&platform.verify(&forged(&platform, &file, SWAP), &[]));
    assert_eq!(code, 14, "{text}");
    assert!(text.contains("table number has another digest"), "{text}");
    assert!(text.contains("rows were swapped: number.k of row"), "{text}");

    platform.world.execute(SWAP);
    let (code, text) = problem(&platform.verify(&platform.backup_again(), &[]));
    assert_eq!(code, 17, "{text}");
    assert!(text.contains("rows were swapped: number.k of row"), "{text}");
}

#[test]
fn rows_that_are_missing_added_or_contradict_each_other_are_named() {
    let (platform, file) = filled();
    for (sql, code, expected) in [
        (
            "DELETE FROM number WHERE status = 'available' AND iccid_index = (SELECT MIN(iccid_index) FROM number WHERE status = 'available')",
            14,
            "table number has 3 rows, in the manifest 4",
        ),
        (
            "INSERT INTO pool_level (province, state, level, changed_at) VALUES ('99', 'ok', 1, 0)",
            14,
            "table pool_level has 2 rows, in the manifest 1",
        ),
        ("CREATE TABLE other (a INTEGER)", 14, ""),
        (
            "UPDATE chip SET used_bytes = used_bytes + 1",
            14,
            "table chip has another digest",
        ),
    ] {
        let (found, text) = problem(&platform.verify(&forged(&platform, &file, sql), &[]));
        assert_eq!(found, code, "{sql}: {text}");
        assert!(text.contains(expected), "{sql}: {text}");
    }
    for (sql, code, expected) in [
        (
            "UPDATE number SET k_sealed = zeroblob(60) WHERE written_at IS NOT NULL",
            18,
            "a sealed value does not open: number.k of row",
        ),
        (
            "UPDATE number SET k_sealed = (SELECT k_sealed FROM number WHERE status = 'available' LIMIT 1) WHERE written_at IS NOT NULL; \
          UPDATE number SET status = 'reserved' WHERE status = 'available'",
            18,
            "a reserved number belongs to a chip",
        ),
    ] {
        platform.world.execute(sql);
        let (found, text) = problem(&platform.verify(&platform.backup_again(), &[]));
        assert_eq!(found, code, "{sql}: {text}");
        assert!(text.contains(expected), "{sql}: {text}");
    }
    // A platform that has lost its data needs the rows that are right.
    let output = platform.restore(&platform.backup_again(), &["--into", "@new"]);
    printed(&output);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(
        warned.contains("warning: a sealed value does not open"),
        "{warned}"
    );
}

#[test]
fn rows_that_contradict_each_other_alone_have_a_code_of_their_own() {
    let (platform, _) = filled();
    platform
        .world
        .execute("UPDATE number SET status = 'reserved' WHERE status = 'available'");
    let (code, text) = problem(&platform.verify(&platform.backup_again(), &[]));
    assert!(
        code == 19 && text.contains("does not hold (3 rows)"),
        "{code} {text}"
    );
}

#[test]
fn the_keys_of_another_platform_and_a_newer_schema_are_named() {
    let (platform, file) = filled();
    let content = fs::read_to_string(platform.path("env")).unwrap();
    let other = content.replace(&hex::encode([0x1d; 32]), &hex::encode([0x1e; 32]));
    fs::write(platform.path("env"), other).unwrap();
    let (code, text) = problem(&platform.verify(&file, &[]));
    assert!(
        code == 16 && text.contains("belongs to other keys") && text.contains("index_key"),
        "{text}"
    );
    let (code, _) = problem(&platform.restore(&file, &["--into", "@new"]));
    assert!(code == 16 && !platform.path("new/.spin/sqlite_db.db").exists());
    fs::write(platform.path("env"), content).unwrap();
    platform
        .world
        .execute("INSERT INTO schema_version VALUES (999, 0)");
    let output = platform.backup_as_it_is();
    let (code, text) = problem(&platform.verify(&output, &[]));
    assert!(code == 15 && text.contains("of a newer version"), "{text}");
}

#[test]
fn each_text_is_in_chinese_too() {
    let (platform, file) = filled();
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_xieka"))
        .env("LC_ALL", "zh_CN.UTF-8")
        .arg("verify")
        .arg(&file)
        .arg("--identity")
        .arg(platform.path("identity"))
        .arg("--env")
        .arg(platform.path("env"))
        .output()
        .unwrap();
    assert!(problem(&output).1.contains("备份已被改动"));
}

impl Platform {
    /// A backup into a folder of its own: two within a second would have one name.
    fn backup_again(&self) -> PathBuf {
        let _ = fs::remove_dir_all(self.path("backups"));
        self.backup()
    }

    /// A backup of a database that a newer program has used: it is not recorded in it.
    fn backup_as_it_is(&self) -> PathBuf {
        let file = self.backup_again();
        assert!(super::manifest(&file)["schema_version"] == 999);
        file
    }
}
