//! The same of a platform on PostgreSQL: its backup is that of one moment, is looked at in a database that stays empty, and
//! is restored into a new one as a whole or not at all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use domain::DAY_MS;
use domain::error::Reason;
use operations::{ActNote, Proven, end_quarantine};
use store::call_log::{NewCallRow, insert};
use test_support::inventory::NumberCsv;
use test_support::operations::{World, reason, run};
use test_support::postgres::PostgresDatabase;
use test_support::postgres_server::PostgresServer;
use test_support::settings::NOW;
use test_support::test_db::TestDb;

use super::forged::changed;
use super::{Platform, call_row, manifest, printed, problem};

/// A password that must be nowhere.
const PASSWORD: &str = "hunter2";

/// A platform on PostgreSQL, with its server.
pub(crate) struct OnServer {
    pub(crate) platform: Platform,
    pub(crate) server: &'static PostgresServer,
    pub(crate) url: String,
}

impl OnServer {
    /// `None` where PostgreSQL is not installed.
    pub(crate) fn new() -> Option<Self> {
        let server = PostgresServer::shared()?;
        let database = PostgresDatabase::new();
        let url = database.url();
        let platform = Platform::with(|_| World::on(TestDb::Postgres(database), 1));
        Some(Self {
            platform,
            server,
            // The server takes any password.
            url: with_password(&url),
        })
    }

    /// A new database without anything in it: its name and its address.
    pub(crate) fn empty(&self) -> (String, String) {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("empty_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.server.create_database(&name);
        let url = with_password(&self.server.url(&name));
        (name, url)
    }

    /// What makes a backup into `folder`.
    fn backup_command(&self, folder: &str) -> Command {
        let recipient = self.platform.identity.to_public().to_string();
        self.platform.command(&[
            "backup",
            folder,
            "--recipient",
            &recipient,
            "--database",
            &self.url,
        ])
    }

    /// Makes a backup, and returns its file.
    pub(crate) fn backup(&self) -> PathBuf {
        let _ = fs::remove_dir_all(self.platform.path("backups"));
        let text = printed(&self.backup_command("@backups").output().unwrap());
        PathBuf::from(text.lines().next().unwrap())
    }

    fn verify(&self, file: &Path) -> Output {
        let (name, url) = self.empty();
        let output = self.platform.verify(file, &["--scratch", &url]);
        assert_eq!(self.tables(&name), 0, "nothing stays");
        output
    }

    fn tables(&self, database: &str) -> u32 {
        let sql = "SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'";
        self.server.run_sql(database, sql).parse().unwrap()
    }

    /// A program in front of the real ones.
    fn program(&self, name: &str, script: &str) -> String {
        let folder = self.platform.path("bin");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o700)).unwrap();
        format!("{}:{}", folder.display(), std::env::var("PATH").unwrap())
    }
}

fn with_password(url: &str) -> String {
    url.replace("postgres@", &format!("postgres:{PASSWORD}@"))
}

#[test]
fn a_backup_of_postgresql_is_that_of_one_moment_while_the_platform_writes_and_shows_no_password() {
    let Some(on) = OnServer::new() else { return };
    let caller = on.platform.world.stocked(5, 5);
    on.platform.world.write_chip(&caller, 0);
    run(insert(
        &on.platform.world.db,
        &[(NOW.millis() << 22, &call_row())],
    ))
    .unwrap();
    // Writes when the snapshot was taken, and then copies.
    let script = format!(
        "if [ \"$1\" = --version ]; then exec /usr/bin/pg_dump --version; fi\n\
         tr '\\0' ' ' < /proc/$$/cmdline > '{0}/words'; echo \"$PGPASSWORD\" > '{0}/password'\n\
         psql -Xqc \"INSERT INTO pool_level (province, state, level, changed_at) VALUES ('99', 'ok', 1, 0); \
         DELETE FROM number WHERE status = 'available'\" || exit 1\nexec /usr/bin/pg_dump \"$@\"",
        on.platform.folder.path().display()
    );
    let path = on.program("pg_dump", &script);
    let output = on.backup_command("@backups").env("PATH", path).output().unwrap();
    let text = printed(&output);
    assert!(text.contains("with the call log"), "{text}");
    let file = PathBuf::from(text.lines().next().unwrap());
    let tables = &manifest(&file)["state"]["tables"];
    assert_eq!(
        (&tables["chip"]["rows"], &tables["number"]["rows"]),
        (&5.into(), &5.into())
    );
    assert_eq!(tables["pool_level"]["rows"], 1);
    let day = format!("call_log_{}", NOW.millis() / DAY_MS);
    assert_eq!(tables[day]["rows"], 1, "{tables}");
    assert_eq!(
        on.platform.world.count("SELECT COUNT(*) FROM number"),
        1,
        "written meanwhile"
    );
    let text = printed(&on.verify(&file));
    assert!(text.contains("is whole"), "{text}");

    let read = |name: &str| fs::read_to_string(on.platform.path(name)).unwrap();
    assert_eq!(read("password").trim(), PASSWORD);
    assert!(!read("words").contains(PASSWORD), "{}", read("words"));
    let beside = fs::read_to_string(file.with_extension("json")).unwrap();
    assert!(
        !beside.contains(PASSWORD) && beside.contains("\"engine\": \"postgresql\""),
        "{beside}"
    );
}

#[test]
fn the_secrets_name_the_database_of_backup_drill_and_restore() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(2, 2);
    let secrets = fs::read_to_string(on.platform.path("env")).unwrap();
    let with = |url: &str| {
        fs::write(
            on.platform.path("env"),
            format!("{secrets}SPIN_VARIABLE_DATABASE={url}\n"),
        )
    };
    with(&on.url).unwrap();
    let recipient = on.platform.identity.to_public().to_string();
    let words = ["backup", "@backups", "--recipient", &recipient, "--env", "@env"];
    let text = printed(&on.platform.xieka(&words));
    let kinds = "SELECT kind FROM backup_record ORDER BY kind";
    assert_eq!(on.platform.world.column(kinds), ["backup"]);

    // A folder stands for the last backup in it.
    let (_, scratch) = on.empty();
    let folder = on.platform.path("backups");
    printed(&on.platform.verify(&folder, &["--scratch", &scratch, "--record"]));
    assert_eq!(on.platform.world.column(kinds), ["backup", "drill"]);

    let (name, url) = on.empty();
    // A server without TLS is reached when the address does not say that there is none.
    with(&url.replace("?sslmode=disable", "")).unwrap();
    let file = PathBuf::from(text.lines().next().unwrap());
    let text = printed(&on.platform.restore(&file, &[]));
    assert!(
        text.contains("2 numbers are quarantined") && text.contains(&name),
        "{text}"
    );
    assert!(!text.contains(PASSWORD), "{text}");
}

#[test]
fn none_of_fifty_numbers_written_after_a_backup_of_postgresql_reappears_until_it_is_released() {
    let Some(on) = OnServer::new() else { return };
    let world = &on.platform.world;
    let caller = world.stocked(100, 50);
    world.pass(1_000);
    let later = world.numbers(&(50..100).map(NumberCsv::new).collect::<Vec<_>>());
    let file = on.backup();
    for chip in 0..50 {
        world.write_chip(&caller, chip);
    }
    let written = "SELECT hex(imsi_index) FROM number WHERE written_at IS NOT NULL";
    let imsis = |world: &World| world.column(written).into_iter().collect::<BTreeSet<_>>();
    let lost = imsis(world);
    assert_eq!(lost.len(), 50);

    let (name, url) = on.empty();
    let text = printed(&on.platform.restore(&file, &["--database", &url]));
    assert!(text.contains("100 numbers are quarantined"), "{text}");
    let restored = World::on(TestDb::Postgres(PostgresDatabase::existing(&name)), 2);
    for chip in 50..100 {
        let refused = reason(restored.apply_auto(&caller, chip));
        assert_eq!(refused, Reason::ProvinceWithoutNumber);
    }
    let note = ActNote {
        person: "王芳",
        text: "运营商核对单 2026-118",
    };
    let proven = Proven::Import(later.id.unwrap());
    assert_eq!(run(end_quarantine(&restored.cx(), proven, &note)).unwrap(), 50);
    for chip in 50..100 {
        restored.write_chip(&caller, chip);
    }
    assert!(imsis(&restored).is_disjoint(&lost));
}

#[test]
fn a_restore_into_postgresql_is_never_over_anything_and_states_what_was_stated() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(1, 2);
    let file = on.backup();
    let (name, url) = on.empty();
    on.server.run_sql(&name, "CREATE TABLE somebody (a INTEGER)");
    let (code, text) = problem(&on.platform.restore(&file, &["--database", &url]));
    assert!(
        code == 1 && text.contains("is not empty") && !text.contains(PASSWORD),
        "{text}"
    );
    assert_eq!(on.tables(&name), 1);

    let (name, url) = on.empty();
    let late = ["--database", &url, "--no-writes-since", "2999-01-01T00:00:00Z"];
    let (_, text) = problem(&on.platform.restore(&file, &late));
    assert!(text.contains("cards may have been written in between"), "{text}");
    assert_eq!(on.tables(&name), 0);
    let since = [
        "--database",
        &url,
        "--no-writes-since",
        "2026-07-01T08:00:00+08:00",
    ];
    let text = printed(&on.platform.restore(&file, &since));
    assert!(text.contains("no number is quarantined"), "{text}");
    let rows = on
        .server
        .run_sql(&name, "SELECT kind, no_writes_since FROM backup_record");
    assert_eq!(rows, format!("restore|{}", NOW.millis()));
    assert_eq!(
        on.server
            .run_sql(&name, "SELECT COUNT(*) FROM number WHERE quarantined = 1"),
        "0"
    );
}

/// Exchanges the sealed values of two rows.
const SWAP: &str = "UPDATE number n SET k_sealed = o.k_sealed FROM number o WHERE n.iccid_index <> o.iccid_index \
    AND n.status = 'available' AND o.status = 'available'";

#[test]
fn what_is_wrong_with_a_backup_of_postgresql_is_named_and_nothing_of_it_is_restored() {
    let Some(on) = OnServer::new() else { return };
    let caller = on.platform.world.stocked(3, 3);
    on.platform.world.write_chip(&caller, 0);
    let file = on.backup();
    let dump_of = |folder: &Path| folder.join("state.dump");
    // Somebody who can encrypt changes a row, and leaves the manifest.
    for (sql, expected) in [
        (SWAP, "rows were swapped: number.k of row"),
        (
            "DELETE FROM number WHERE status = 'available'",
            "table number has 1 rows, in the manifest 3",
        ),
        (
            "UPDATE chip SET used_bytes = used_bytes + 1",
            "table chip has another digest",
        ),
        (
            "CREATE TABLE other (a BIGINT); INSERT INTO other VALUES (1)",
            "table other has 1 rows, in the manifest 0",
        ),
        (
            "UPDATE number SET status = 'reserved' WHERE status = 'available'",
            "a reserved number belongs to a chip",
        ),
    ] {
        let forged = changed(&on.platform, &file, &["state.dump"], |folder| {
            let (name, url) = on.empty();
            let run = |program: &str, words: &[&str]| {
                let status = Command::new(program)
                    .args(words)
                    .arg(dump_of(folder))
                    .status()
                    .unwrap();
                assert!(status.success(), "{program}");
            };
            run("pg_restore", &["--no-owner", "--dbname", &url]);
            on.server.run_sql(&name, sql);
            run("pg_dump", &["--format=custom", "--dbname", &url, "--file"]);
        });
        let (code, text) = problem(&on.verify(&forged));
        assert!(code == 14 && text.contains(expected), "{sql}: {code} {text}");
        let (name, url) = on.empty();
        let (code, _) = problem(&on.platform.restore(&forged, &["--database", &url]));
        assert_eq!((code, on.tables(&name)), (14, 0), "{sql}");
    }
}

#[test]
fn rows_that_were_wrong_before_a_backup_of_postgresql_have_their_code_and_are_restored_with_a_warning() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(3, 3);
    on.platform.world.execute(SWAP);
    let file = on.backup();
    let (code, text) = problem(&on.verify(&file));
    assert!(
        code == 17 && text.contains("rows were swapped: number.k of row"),
        "{text}"
    );
    let (_, url) = on.empty();
    let output = on.platform.restore(&file, &["--database", &url]);
    printed(&output);
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("warning: rows were swapped"), "{warned}");
    on.platform
        .world
        .execute("UPDATE number SET status = 'reserved' WHERE status = 'available'");
    let (code, text) = problem(&on.verify(&on.backup()));
    assert!(
        code == 17 && text.contains("a reserved number belongs to a chip"),
        "{text}"
    );
}

#[test]
fn a_damaged_copy_in_a_backup_of_postgresql_is_named_and_so_is_a_damaged_backup() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(3, 3);
    let file = on.backup();
    for (what, change) in [
        (
            "cut",
            (|bytes| bytes.truncate(bytes.len() / 2)) as fn(&mut Vec<u8>),
        ),
        ("another file", |bytes| *bytes = b"SELECT 1;".to_vec()),
        ("other rows", |bytes| {
            let rows = bytes.len() / 3 * 2;
            bytes[rows..].iter_mut().for_each(|byte| *byte ^= 0xff);
        }),
    ] {
        let forged = changed(&on.platform, &file, &["state.dump"], |folder| {
            let dump = folder.join("state.dump");
            let mut bytes = fs::read(&dump).unwrap();
            change(&mut bytes);
            fs::write(dump, bytes).unwrap();
        });
        let (code, text) = problem(&on.verify(&forged));
        assert!(code == 14 && text.contains("state.dump"), "{what}: {code} {text}");
    }
    // The file itself.
    let mut bytes = fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(problem(&on.verify(&file)).0, 13);
}

#[test]
fn a_client_program_that_is_missing_or_older_is_refused_with_both_versions() {
    let Some(on) = OnServer::new() else { return };
    on.platform.world.stocked(1, 1);
    let file = on.backup();
    let (_, scratch) = on.empty();
    let server = on.server.run_sql(
        "postgres",
        "SELECT current_setting('server_version_num')::int / 10000",
    );
    let verify = |path: &str| {
        let file = file.to_string_lossy();
        let words = [
            "verify",
            &file,
            "--identity",
            "@identity",
            "--env",
            "@env",
            "--scratch",
            &scratch,
        ];
        on.platform.command(&words).env("PATH", path).output().unwrap()
    };
    let backup = |path: &str, language: &str| {
        let mut command = on.backup_command("@out");
        command
            .env("PATH", path)
            .env("LC_ALL", language)
            .output()
            .unwrap()
    };
    for (program, of) in [
        ("pg_dump", "the server"),
        ("pg_restore", "the pg_dump of the backup"),
    ] {
        let path = on.program(program, &format!("echo '{program} (PostgreSQL) 9.6.24'"));
        let output = if program == "pg_dump" {
            backup(&path, "en")
        } else {
            verify(&path)
        };
        let (code, text) = problem(&output);
        let expected = format!("{program} is of version 9, and {of} of version {server}");
        assert!(code == 1 && text.contains(&expected), "{text}");
    }
    let path = on.program("pg_dump", "echo 'pg_dump (PostgreSQL) 9.6.24'");
    let (_, text) = problem(&backup(&path, "zh_CN.UTF-8"));
    assert!(
        text.contains(&format!("pg_dump 的版本是 9，数据库服务器的版本是 {server}")),
        "{text}"
    );
    let nowhere = on.platform.path("nowhere").to_string_lossy().into_owned();
    for (output, program) in [
        (backup(&nowhere, "en"), "pg_dump"),
        (verify(&nowhere), "pg_restore"),
    ] {
        let (code, text) = problem(&output);
        assert!(
            code == 1 && text.contains(&format!("{program} is not installed")),
            "{text}"
        );
    }
    let left = fs::read_dir(on.platform.path("out")).map_or(0, Iterator::count);
    assert_eq!(left, 0, "no half of a backup is left");
}

/// The whole schema of version 19.
const SCHEMA_19: &str = include_str!("../../../shared/store/migrations/postgres/0019_baseline.sql");

#[test]
fn a_backup_of_an_earlier_schema_is_brought_to_this_one_before_it_is_restored() {
    let Some(on) = OnServer::new() else { return };
    let (name, url) = on.empty();
    let versions = "CREATE TABLE schema_version (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL); \
        INSERT INTO schema_version SELECT version, 1 FROM generate_series(1, 19) AS version";
    on.server.run_sql(&name, &format!("{SCHEMA_19};\n{versions}"));
    let older = OnServer { url, ..on };
    let output = older.backup_command("@backups").output().unwrap();
    let text = printed(&output);
    assert!(text.contains("the database is of an earlier version"), "{text}");
    let file = PathBuf::from(text.lines().next().unwrap());
    assert_eq!(manifest(&file)["schema_version"], 19);
    printed(&older.verify(&file));
    let (name, url) = older.empty();
    printed(&older.platform.restore(&file, &["--database", &url]));
    let version = older
        .server
        .run_sql(&name, "SELECT MAX(version) FROM schema_version");
    assert_eq!(version, store::SCHEMA_VERSION.to_string());
    assert_eq!(
        older.server.run_sql(&name, "SELECT kind FROM backup_record"),
        "restore"
    );
}

#[test]
fn a_server_with_too_few_locks_is_named() {
    let Some(on) = OnServer::new() else { return };
    for day in 0..80 {
        let row = NewCallRow {
            at: NOW.plus(-day * DAY_MS),
            ..call_row()
        };
        run(insert(&on.platform.world.db, &[(row.at.millis() << 22, &row)])).unwrap();
    }
    let file = on.backup();
    let small = PostgresServer::start(&["max_connections=10", "max_locks_per_transaction=10"]).unwrap();
    let (_, text) = problem(
        &on.platform
            .restore(&file, &["--database", &small.url("postgres")]),
    );
    assert!(text.contains("max_locks_per_transaction"), "{text}");
}
