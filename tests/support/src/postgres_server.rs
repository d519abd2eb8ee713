//! A PostgreSQL server of Debian's packages, in a temporary folder, on an address of its own.
//!
//! It does not wait for the disk: an end of its processes loses nothing, only one of the machine would.

use std::io::Read as _;
use std::net::SocketAddr;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use crate::address::own_address;
use crate::server_process::{ServerProcess, find, text};

/// Where Debian keeps the programs, in a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// The account that runs the server where the tests run as root, which PostgreSQL refuses. It is the superuser of the
/// server everywhere.
const ACCOUNT: &str = "postgres";

/// How its data are made. Texts are not compared bytewise unless a column says so, as on most servers.
const INITIAL: [&str; 6] = [
    "--no-sync",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--locale-provider=icu",
    "--icu-locale=en-US",
];

/// What makes a server quick to test with.
const SETTINGS: [&str; 3] = ["fsync=off", "full_page_writes=off", "lc_messages=C"];

/// The line of the log that says that a server serves.
const READY: &str = "database system is ready to accept connections";
/// The same of one that follows another.
const READY_TO_FOLLOW: &str = "database system is ready to accept read-only connections";

/// The settings of the server that all tests of a process share.
const SHARED: [&str; 3] = [
    "max_connections=300",
    "synchronous_commit=off",
    "shared_buffers=64MB",
];

/// The environment variable that chooses the engine of tests: `postgres`, or SQLite.
const DATABASE: &str = "XIEKA_TEST_DATABASE";

/// Whether tests run on PostgreSQL.
#[must_use]
pub fn is_chosen() -> bool {
    std::env::var(DATABASE).is_ok_and(|engine| engine == "postgres")
}

/// A statement of a test with what SQLite calls otherwise.
#[cfg(feature = "native")]
pub(crate) fn in_its_words(sql: &str) -> String {
    sql.replace("rowid", "ctid").replace("x'", "'\\x")
}

/// A running server without data; stopped at once, and removed, when dropped or when the process ends.
pub struct PostgresServer {
    address: SocketAddr,
    programs: PathBuf,
    folder: PathBuf,
    command: Vec<String>,
    process: Mutex<Option<ServerProcess>>,
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
        let (folder, data) = folder_of_account();
        let initdb = text(&programs.join("initdb"));
        let mut words = vec![initdb.as_str()];
        words.extend(INITIAL);
        words.extend(["--username", ACCOUNT, "--pgdata", &data]);
        run(as_account(&words));
        Some(Self::on_data(programs, folder, &data, settings, READY))
    }

    /// Starts a server that follows this one, on an address of its own, and lets commits of this one wait for it.
    #[must_use]
    pub fn with_standby(&self) -> Self {
        let (folder, data) = folder_of_account();
        let (host, port) = (self.address.ip().to_string(), self.address.port().to_string());
        let pg_basebackup = text(&self.programs.join("pg_basebackup"));
        let words = [
            &pg_basebackup,
            "-h",
            &host,
            "-p",
            &port,
            "-U",
            ACCOUNT,
            "-D",
            &data,
        ];
        let options = ["--write-recovery-conf", "--checkpoint=fast", "--no-sync"];
        run(as_account(&[&words[..], &options].concat()));
        let standby = Self::on_data(self.programs.clone(), folder, &data, &[], READY_TO_FOLLOW);
        self.run_sql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.run_sql("postgres", "SELECT pg_reload_conf()");
        standby
    }

    /// Lets a server that follows another one take its place.
    pub fn promote(&self) {
        assert_eq!(self.run_sql("postgres", "SELECT pg_promote()"), "t");
    }

    fn on_data(
        programs: PathBuf,
        folder: PathBuf,
        data: &str,
        settings: &[&str],
        ready: &'static str,
    ) -> Self {
        let address = own_address().unwrap();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let (postgres, socket) = (text(&programs.join("postgres")), text(&folder));
        let mut words = vec![postgres.as_str(), "-D", data, "-k", &socket];
        words.extend(["-h", &host, "-p", &port]);
        let settings = SETTINGS.iter().chain(settings);
        words.extend(settings.flat_map(|setting| ["-c", setting]));
        let server = Self {
            address,
            command: as_account(&words),
            programs,
            folder,
            process: Mutex::default(),
        };
        server.serve(ready);
        server
    }

    fn serve(&self, ready: &'static str) {
        // SIGQUIT is PostgreSQL's immediate shutdown.
        let process = ServerProcess::start(&self.command, "QUIT", ready, Some(&self.folder));
        *self.process.lock().unwrap() = Some(process);
    }

    /// Ends the server at once, as a crash does, and starts it again on its data and its address.
    pub fn crash(&self) {
        let process = self.process.lock().unwrap().take();
        if let Some(process) = process {
            process.end_and_keep();
        }
        self.serve(READY);
    }

    /// Ends the server at once, for good.
    pub fn stop(&self) {
        drop(self.process.lock().unwrap().take());
    }

    /// Lets the server take no new connection until [`PostgresServer::thaw`]; those that it has go on.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    /// Ends [`PostgresServer::freeze`].
    pub fn thaw(&self) {
        self.signal("CONT");
    }

    fn signal(&self, signal: &str) {
        let lines = std::fs::read_to_string(self.folder.join("data/postmaster.pid")).unwrap();
        let pid = lines.lines().next().unwrap();
        run(["kill", "-s", signal, pid].map(str::to_owned).to_vec());
    }

    /// Takes every connection that the server has room for, until the value is dropped. Those that others have are waited
    /// for: whoever has one at this moment may give it back at the next.
    #[must_use]
    pub fn occupy(&self) -> OccupiedConnections {
        let room: usize = self.run_sql("postgres", "SHOW max_connections").parse().unwrap();
        let mut taken = OccupiedConnections(Vec::new());
        while taken.0.len() < room {
            taken.0.extend(self.take_connection());
        }
        taken
    }

    /// Takes a connection; none when there is no room.
    fn take_connection(&self) -> Option<Child> {
        // The words of a shell are not kept back in a buffer.
        let mut holder = self.psql("postgres", r"\! echo taken");
        holder.args(["-c", "SELECT pg_sleep(600)"]);
        holder.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut holder = holder.spawn().unwrap();
        let is_taken = holder.stdout.as_mut().unwrap().read_exact(&mut [0]).is_ok();
        if !is_taken {
            holder.wait().unwrap();
        }
        is_taken.then_some(holder)
    }

    /// The server that all tests of this process share. `None` as of [`PostgresServer::start`].
    #[must_use]
    pub fn shared() -> Option<&'static Self> {
        static SERVER: OnceLock<Option<PostgresServer>> = OnceLock::new();
        SERVER.get_or_init(|| Self::start(&SHARED)).as_ref()
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
        printed(self.psql(database, sql)).trim_end().to_owned()
    }

    fn psql(&self, database: &str, sql: &str) -> Command {
        let mut command = Command::new(self.programs.join("psql"));
        command.args([
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
            "-d",
            &self.url(database),
            "-c",
            sql,
        ]);
        command
    }
}

/// Connections that nobody else can have meanwhile.
pub struct OccupiedConnections(Vec<Child>);

impl Drop for OccupiedConnections {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // The server may have ended, and the holder with it.
            let _ = child.kill();
            let _ = child.wait();
        }
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

/// A folder of the account for a server, and the path of its data in it. It goes with the server.
fn folder_of_account() -> (PathBuf, String) {
    let folder = tempfile::tempdir().unwrap().keep();
    if is_root() {
        let id = |option: &str| run(["id", option, ACCOUNT].map(str::to_owned).to_vec());
        let number = |text: String| Some(text.trim().parse().unwrap());
        chown(&folder, number(id("-u")), number(id("-g"))).unwrap();
    }
    let data = text(&folder.join("data"));
    (folder, data)
}

/// Runs a command to its end, which must be a good one, and returns what it printed.
fn run(words: Vec<String>) -> String {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    printed(command)
}

fn printed(mut command: Command) -> String {
    let output = command.current_dir("/").output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}
