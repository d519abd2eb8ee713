//! Tables `clock` and `clock_confirmation`: the last trusted time, and who confirmed the time after a jump; and stored
//! times that a clock put too far ahead before it was set back.

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::{ClockWatch, Timestamp};
use vault::Column;

/// Sealed column: who confirmed the time.
pub const PERSON: Column = Column("clock_confirmation.person");
/// Sealed column: why.
pub const NOTE: Column = Column("clock_confirmation.note");

const FIND: &str = "SELECT trusted_at, left_at, held_at, watched FROM clock WHERE id = 1";
const PUT: &str = "INSERT INTO clock (id, trusted_at, left_at, held_at, watched) VALUES (1, $1, $2, $3, $4) \
    ON CONFLICT (id) DO UPDATE SET trusted_at = excluded.trusted_at, left_at = excluded.left_at, \
    held_at = excluded.held_at, watched = excluded.watched";
const CONFIRM: &str =
    "INSERT INTO clock_confirmation (id, confirmed_at, person_sealed, note_sealed) VALUES ($1, $2, $3, $4)";

/// What is known of the clock; nothing before the first run of the periodic work.
pub async fn find<D: Database>(db: &D) -> Result<ClockWatch, DbError> {
    let found = first(&db.run(FIND, &[]).await?, |row| {
        Ok(ClockWatch {
            trusted_at: row.optional(0, Row::time)?,
            left_at: row.optional(1, Row::time)?,
            held_at: row.optional(2, Row::time)?,
            is_watched: row.flag(3)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}

/// Stores what is known of the clock.
pub async fn put<D: Database>(tx: &Tx<'_, D>, watch: &ClockWatch) -> Result<(), DbError> {
    let params = [
        watch.trusted_at.into(),
        watch.left_at.into(),
        watch.held_at.into(),
        watch.is_watched.into(),
    ];
    tx.run(PUT, &params).await.map(drop)
}

/// The row identity of a confirmation: the time since which the clock was held.
#[must_use]
pub fn confirmation_id(held_at: Timestamp) -> String {
    held_at.millis().to_string()
}

/// Stores who confirmed the time and why, both sealed.
pub async fn confirm<D: Database>(
    tx: &Tx<'_, D>,
    id: String,
    [person, note]: [Vec<u8>; 2],
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [id.into(), now.into(), person.into(), note.into()];
    tx.run(CONFIRM, &params).await.map(drop)
}

/// How far ahead of the present stored times may lie, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Ahead {
    /// Times of what has happened.
    pub past: i64,
    /// The lease of a message's attempt.
    pub lease: i64,
    /// The next attempt at a message.
    pub attempt: i64,
    /// The end of a secret's overlap with its successor.
    pub overlap: i64,
}

const IS_ANY_AHEAD: &str = "SELECT EXISTS (SELECT 1 FROM client WHERE tokens_from > $1) \
    OR EXISTS (SELECT 1 FROM task WHERE state = 'writing' AND started_at > $1) \
    OR EXISTS (SELECT 1 FROM task WHERE state = 'writing' AND stuck = 0 AND changed_at > $1) \
    OR EXISTS (SELECT 1 FROM incident WHERE closed_at IS NULL AND since > $1) \
    OR EXISTS (SELECT 1 FROM incident WHERE closed_at IS NULL AND severe_at > $1) \
    OR EXISTS (SELECT 1 FROM incident WHERE next_check_at > $1 AND closed_at > $1) \
    OR EXISTS (SELECT 1 FROM receiver WHERE failing_since > $1) \
    OR EXISTS (SELECT 1 FROM key_check WHERE used_at > $1) \
    OR EXISTS (SELECT 1 FROM message WHERE state = 'pending' AND lease_until > 0 AND lease_until > $2) \
    OR EXISTS (SELECT 1 FROM message WHERE state = 'pending' AND next_at > $3) \
    OR EXISTS (SELECT 1 FROM client_secret WHERE expires_at > $4) \
    OR EXISTS (SELECT 1 FROM receiver_secret WHERE expires_at > $4) AS is_any";

// Each takes the time that is stored instead, and the latest time that is left as it is.
const TASKS: &str = "UPDATE task SET changed_at = $1, \
    started_at = CASE WHEN started_at <= $2 THEN started_at ELSE $1 END \
    WHERE state = 'writing' AND (started_at > $2 OR changed_at > $2)";
const TOKENS: &str = "UPDATE client SET tokens_from = $1 WHERE tokens_from > $2";
const INCIDENTS: &str = "UPDATE incident SET handle_by = handle_by - since + $1, severe_at = severe_at - since + $1, \
    opened_at = $1, since = $1, next_check_at = $1 WHERE closed_at IS NULL AND since > $2";
const SEVERE: &str =
    "UPDATE incident SET severe_at = $1, next_check_at = $1 WHERE closed_at IS NULL AND severe_at > $2";
const CLOSED: &str =
    "UPDATE incident SET closed_at = $1, next_check_at = $1 WHERE next_check_at > $2 AND closed_at > $2";
const FAILING: &str = "UPDATE receiver SET failing_since = $1 WHERE failing_since > $2";
const KEYS: &str = "UPDATE key_check SET used_at = $1 WHERE used_at > $2";
const LEASES: &str =
    "UPDATE message SET lease_until = $1 WHERE state = 'pending' AND lease_until > 0 AND lease_until > $2";
const ATTEMPTS: &str = "UPDATE message SET next_at = $1 WHERE state = 'pending' AND next_at > $2";
const CLIENT_SECRETS: &str = "UPDATE client_secret SET expires_at = $1 WHERE expires_at > $2";
const RECEIVER_SECRETS: &str = "UPDATE receiver_secret SET expires_at = $1 WHERE expires_at > $2";

/// Whether any stored time lies further ahead than it can.
pub async fn is_any_ahead<D: Database>(db: &D, ahead: Ahead, now: Timestamp) -> Result<bool, DbError> {
    let params = [ahead.past, ahead.lease, ahead.attempt, ahead.overlap].map(|ms| now.plus(ms).into());
    Ok(first(&db.run(IS_ANY_AHEAD, &params).await?, |row| row.flag(0))?.unwrap_or(false))
}

/// Puts every stored time that lies further ahead than it can at the present, and the ends of overlaps at the longest
/// overlap.
pub async fn take_back<D: Database>(tx: &Tx<'_, D>, ahead: Ahead, now: Timestamp) -> Result<(), DbError> {
    let ends = now.plus(ahead.overlap);
    for (sql, to, ms) in [
        // As after revoking: of this millisecond, too, nothing is valid.
        (TOKENS, now.plus(1), ahead.past),
        (TASKS, now, ahead.past),
        (INCIDENTS, now, ahead.past),
        (SEVERE, now, ahead.past),
        (CLOSED, now, ahead.past),
        (FAILING, now, ahead.past),
        (KEYS, now, ahead.past),
        (LEASES, now, ahead.lease),
        (ATTEMPTS, now, ahead.attempt),
        (CLIENT_SECRETS, ends, ahead.overlap),
        (RECEIVER_SECRETS, ends, ahead.overlap),
    ] {
        tx.run(sql, &[to.into(), now.plus(ms).into()]).await?;
    }
    Ok(())
}
