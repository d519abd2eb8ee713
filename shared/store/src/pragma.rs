//! How a SQLite connection is set up, statement by statement. Another engine knows none of these.

use super::Statement;

/// Locks that another connection holds are waited for by the engine for as long as a commit takes, and then by the
/// caller: SQLite's own pauses double up to a tenth of a second, so that late comers overtake whoever waits longest,
/// and a component's whole instance waits with it.
pub const WAIT_SHORTLY_FOR_LOCKS: Statement = Statement("PRAGMA busy_timeout = 3");

/// Commits do not wait for the disk. SQLite keeps the file sound all the same; a power failure may undo the latest
/// commits, a killed process none.
pub const DO_NOT_WAIT_FOR_THE_DISK: Statement = Statement("PRAGMA synchronous = NORMAL");
