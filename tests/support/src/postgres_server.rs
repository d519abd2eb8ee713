//! A PostgreSQL server of Debian's packages, in a temporary folder, on an address of its own.
//!
//! It does not wait for the disk: an end of its processes loses nothing, only one of the machine would.

use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::address::own_address;
use crate::server_process::{ServerProcess, find, text};

/// Where Debian keeps the programs, in a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The account that runs the server where the tests run as root, which PostgreSQL refuses. It is the superuser of the
/// server everywhere.
const ACCOUNT: &str = "postgres";

/// What makes a server quick to test with.
const SETTINGS: [&str; 3] = ["fsync=off", "full_page_writes=off", "lc_messages=C"];

/// A running server without data; stopped at once when dropped.
pub struct PostgresServer {
    address: SocketAddr,
    programs: PathBuf,
    data: PathBuf,
    settings: Vec<String>,
    process: Option<ServerProcess>,
    _folder: TempDir,
}

impl PostgresServer {
    /// Starts a server with these settings besides its own, such as `max_connections=20`. `None`: PostgreSQL is not
    /// installed on this developer's machine.
    #[must_use]
    pub fn start(settings: &[&str]) -> Option<Self> {
        let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
        let mut folders: Vec<_> = versions.map(|entry| entry.path().join("bin")).collect();
        folders.sort();
        let programs = find("initdb", folders.into_iter().rev())?.parent()?.to_owned();
        let folder = tempfile::tempdir().unwrap();
        give_to_account(folder.path());
        let data = folder.path().join("data");
        run(as_account(&[
            &text(&programs.join("initdb")),
            "--no-sync",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--username",
            ACCOUNT,
            "--pgdata",
            &text(&data),
        ]));
        let mut server = Self {
            address: own_address().unwrap(),
            programs,
            data,
            settings: SETTINGS
                .iter()
                .chain(settings)
                .map(|setting| (*setting).to_owned())
                .collect(),
            process: None,
            _folder: folder,
        };
        server.start_again();
        Some(server)
    }

    /// Starts the server on its data and its address.
    fn start_again(&mut self) {
        let mut words = vec![
            text(&self.programs.join("postgres")),
            "-D".to_owned(),
            text(&self.data),
            "-h".to_owned(),
            self.address.ip().to_string(),
            "-p".to_owned(),
            self.address.port().to_string(),
            "-k".to_owned(),
            text(self.data.parent().unwrap()),
        ];
        words.extend(
            self.settings
                .iter()
                .flat_map(|setting| ["-c".to_owned(), setting.clone()]),
        );
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let ready = "database system is ready to accept connections";
        // SIGQUIT is PostgreSQL's immediate shutdown.
        self.process = Some(ServerProcess::start(as_account(&words), "QUIT", ready));
    }

    /// Creates a database.
    pub fn create_database(&self, name: &str) {
        self.run_sql("postgres", &format!("CREATE DATABASE {name}"));
    }

    /// The address of a database, without TLS.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://{ACCOUNT}@{}/{database}?sslmode=disable", self.address)
    }

    /// Host and port.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Runs statements in a database and returns what `psql` prints: values, a row on each line.
    pub fn run_sql(&self, database: &str, sql: &str) -> String {
        let words = [
            &text(&self.programs.join("psql")),
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url(database),
            "-c",
            sql,
        ];
        run(words.map(str::to_owned).to_vec()).trim_end().to_owned()
    }
}

/// The words of a command that runs as the account where this program runs as root.
fn as_account(words: &[&str]) -> Vec<String> {
    let prefix: &[&str] = if is_root() {
        &["setpriv", "--reuid", ACCOUNT, "--regid", ACCOUNT, "--init-groups"]
    } else {
        &[]
    };
    prefix
        .iter()
        .chain(words)
        .map(|word| (*word).to_owned())
        .collect()
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

fn give_to_account(folder: &Path) {
    if is_root() {
        let id = |option: &str| run(["id", option, ACCOUNT].map(str::to_owned).to_vec());
        let number = |text: String| Some(text.trim().parse().unwrap());
        chown(folder, number(id("-u")), number(id("-g"))).unwrap();
    }
}

/// Runs a command to its end, which must be a good one, and returns what it printed.
fn run(words: Vec<String>) -> String {
    let output = Command::new(&words[0])
        .args(&words[1..])
        .current_dir("/")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {errors}", words.join(" "));
    String::from_utf8(output.stdout).unwrap()
}
