//! The statements that set up a SQLite connection. Other engines know none of them.

use super::Statement;

/// The engine waits for a lock as long as a commit takes; after that the caller waits. SQLite's own pauses grow to 100
/// ms, so later connections overtake earlier ones, and the whole instance of a component waits meanwhile.
pub const WAIT_SHORTLY_FOR_LOCKS: Statement = Statement::of_sqlite("PRAGMA busy_timeout = 3");

/// Commits do not wait for the disk. The file stays consistent; a power failure may undo the latest commits, a killed
/// process none.
pub const DO_NOT_WAIT_FOR_THE_DISK: Statement = Statement::of_sqlite("PRAGMA synchronous = NORMAL");

/// The write-ahead log is copied into the file when it has 16 MB, not 4: a page that many commits change is copied once,
/// and fewer commits wait for a copy.
pub const COPY_THE_LOG_LATER: Statement = Statement::of_sqlite("PRAGMA wal_autocheckpoint = 4000");
