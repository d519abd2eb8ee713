//! PostgreSQL from the packages of the system: one server for the process, and a database for each test.
//!
//! The server has its data and its socket in a temporary folder, and is stopped and removed when the process ends,
//! however it ends. Nothing that is in it survives, so it does not wait for the disk.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use store::{Database, DbError, Postgres, PostgresPool, Row, Statement, Value};
use tokio::runtime::Runtime;

/// The environment variable that chooses the engine of the tests: `postgres`, or SQLite.
const DATABASE: &str = "XIEKA_TEST_DATABASE";
/// Where Debian has the programs of a version.
const PROGRAMS: &str = "/usr/lib/postgresql";
/// The user as whom the server runs where the tests run as root, whom it refuses.
const USER: &str = "postgres";
/// How often it is tried whether the server answers, every 20 ms.
const START_TRIES: u32 = 1_000;
/// The database that has the schema; the others are copies of it.
const TEMPLATE: &str = "xieka";
/// What the tests ask of SQLite by these names.
const FUNCTIONS: &str = "CREATE FUNCTION hex(bytes BYTEA) RETURNS TEXT LANGUAGE sql IMMUTABLE \
    AS $$ SELECT upper(encode(bytes, 'hex')) $$";

/// Stops the server when the process ends: then its standard input ends, too.
const GUARD: &str = r#"folder="$1"; shift
"$@" </dev/null >"$folder/log" 2>&1 &
server=$!
read -r _
kill -QUIT $server
wait $server
rm -rf "$folder""#;

/// Whether the tests run on PostgreSQL.
#[must_use]
pub fn is_chosen() -> bool {
    std::env::var(DATABASE).is_ok_and(|engine| engine == "postgres")
}

/// Ends a test that is about SQLite where the tests run on PostgreSQL.
#[macro_export]
macro_rules! of_sqlite {
    () => {
        if $crate::postgres::is_chosen() {
            return;
        }
    };
}

/// The server of the process.
struct Server {
    folder: PathBuf,
    runtime: Runtime,
    // Its standard input stays open as long as the process.
    _guard: Child,
    databases: AtomicU32,
    of_files: Mutex<HashMap<PathBuf, String>>,
}

impl Server {
    fn get() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(Self::start)
    }

    fn start() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("xieka-pg-")
            .tempdir()
            .unwrap()
            .keep();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.join("data");
        let mut init = as_user(&program("initdb"));
        init.arg("-D")
            .arg(&data)
            .args(["-U", USER, "-A", "trust", "-N", "-E", "UTF8"]);
        // Texts are not compared bytewise unless a column says so.
        init.args(["--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US"]);
        let made = init.current_dir("/").output().unwrap();
        assert!(
            made.status.success(),
            "initdb: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        let server = as_user(&program("postgres"));
        let mut guard = Command::new("sh");
        guard.args(["-c", GUARD, "sh"]).arg(&folder);
        guard.arg(server.get_program()).args(server.get_args());
        guard.arg("-D").arg(&data).arg("-k").arg(&folder);
        for setting in [
            "listen_addresses=",
            "fsync=off",
            "synchronous_commit=off",
            "full_page_writes=off",
            "max_connections=200",
            "shared_buffers=64MB",
        ] {
            guard.args(["-c", setting]);
        }
        let guard = guard.current_dir("/").stdin(Stdio::piped()).spawn().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = Self {
            folder,
            runtime,
            _guard: guard,
            databases: AtomicU32::new(0),
            of_files: Mutex::default(),
        };
        server.wait();
        server.administer(&format!("CREATE DATABASE {TEMPLATE}"));
        let connection = server.connect(TEMPLATE).unwrap();
        futures::executor::block_on(store::migrate(&connection, Timestamp(1))).unwrap();
        server.batch(&connection, FUNCTIONS);
        server
    }

    fn wait(&self) {
        for _ in 0..START_TRIES {
            if self.connect(USER).is_ok() {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        panic!("PostgreSQL does not answer: {log}");
    }

    fn connect(&self, database: &str) -> Result<Postgres, DbError> {
        let pool = PostgresPool::new(&self.address(database), 1)?;
        self.runtime.block_on(pool.take())
    }

    fn address(&self, database: &str) -> String {
        format!("host={} user={USER} dbname={database}", self.folder.display())
    }

    fn batch(&self, connection: &Postgres, sql: &str) {
        let client = connection.client().unwrap();
        self.runtime.block_on(client.batch_execute(sql)).expect(sql);
    }

    fn administer(&self, sql: &str) {
        // A template is copied by one at a time.
        static ONE: Mutex<()> = Mutex::new(());
        let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        self.batch(&self.connect(USER).unwrap(), sql);
    }

    fn new_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.administer(&format!("CREATE DATABASE {name} TEMPLATE {TEMPLATE}"));
        name
    }
}

/// A statement of a test with what SQLite calls otherwise.
fn in_its_words(sql: &str) -> String {
    sql.replace("rowid", "ctid").replace("x'", "'\\x")
}

/// A command that runs as a user whom the server accepts.
fn as_user(program: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid", USER, "--regid", USER, "--clear-groups"])
        .arg(program);
    command
}

fn program(name: &str) -> PathBuf {
    let versions = fs::read_dir(PROGRAMS).expect("PostgreSQL from the package postgresql");
    let mut found: Vec<PathBuf> = versions
        .map(|version| version.unwrap().path().join("bin").join(name))
        .filter(|path| path.exists())
        .collect();
    found.sort();
    found.pop().expect("PostgreSQL from the package postgresql")
}

/// A database of the server, and a connection to it.
pub struct PostgresDatabase {
    connection: Option<Postgres>,
    name: String,
    // The database of a file stays for others.
    is_own: bool,
}

impl PostgresDatabase {
    /// A database of its own, which goes with this value.
    #[must_use]
    pub fn new() -> Self {
        Self::named(Server::get().new_database(), true)
    }

    /// The database that stands for a file of SQLite.
    #[must_use]
    pub fn in_file(path: &Path) -> Self {
        let server = Server::get();
        let mut of_files = server.of_files.lock().unwrap_or_else(PoisonError::into_inner);
        let name = of_files
            .entry(path.to_owned())
            .or_insert_with(|| server.new_database())
            .clone();
        Self::named(name, false)
    }

    fn named(name: String, is_own: bool) -> Self {
        Self {
            connection: Some(Server::get().connect(&name).unwrap()),
            name,
            is_own,
        }
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &Postgres {
        self.connection.as_ref().expect("it stays until this is dropped")
    }

    /// Runs statements that no operation has.
    pub fn batch(&self, sql: &str) {
        Server::get().batch(self.connection(), &in_its_words(sql));
    }

    /// Another connection to it.
    ///
    /// # Errors
    /// That of the server.
    pub fn connect(&self) -> Result<Postgres, DbError> {
        Server::get().connect(&self.name)
    }

    /// The rows of a query, each value as text.
    #[must_use]
    pub fn rows(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let sql = in_its_words(sql);
        let client = self.connection().client().unwrap();
        let answer = Server::get()
            .runtime
            .block_on(client.simple_query(&sql))
            .expect(&sql);
        let rows = answer.iter().filter_map(|part| match part {
            tokio_postgres::SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| (0..row.len()).map(|at| row.get(at).map(str::to_owned)).collect())
            .collect()
    }
}

impl Default for PostgresDatabase {
    fn default() -> Self {
        Self::new()
    }
}

impl Database for PostgresDatabase {
    async fn execute(&self, statement: Statement, params: &[Value]) -> Result<Vec<Row>, DbError> {
        self.connection().execute(statement, params).await
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        self.connection = None;
        if self.is_own && !std::thread::panicking() {
            Server::get().administer(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}
