//! Table `receiver`: the addresses of clients and of the operator, which changes of state they get, and since when they
//! fail.

use super::{Database, DbError, Row, Run as _, Tx, first};
use domain::{CardChange, Receiver, StopCause, Timestamp};

const INSERT: &str = "INSERT INTO receiver (id, client_id, url, entered_at, changed_at) VALUES ($1, $2, $3, $4, $4) \
    ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT id, url, entered_at, failing_since, stopped_at, stopped_for, changes, allow_http, \
    held_at FROM receiver WHERE id = $1";
const ENTER: &str = "UPDATE receiver SET url = $1, entered_at = $2, failing_since = NULL, stopped_at = NULL, \
    stopped_for = NULL, changed_at = $2 WHERE id = $3 RETURNING id";
const SELECT_CHANGES: &str = "UPDATE receiver SET changes = $1, changed_at = $2 WHERE id = $3 RETURNING id";
const SET_ALLOW_HTTP: &str =
    "UPDATE receiver SET allow_http = $1, changed_at = $2 WHERE id = $3 RETURNING id";
const FAILED: &str = "UPDATE receiver SET failing_since = COALESCE(failing_since, $1) WHERE id = $2 \
    AND entered_at <= $1 RETURNING failing_since";
const SUCCEEDED: &str = "UPDATE receiver SET failing_since = NULL WHERE id = $1 AND failing_since IS NOT NULL \
    AND entered_at <= $2 RETURNING id";
const STOP: &str = "UPDATE receiver SET stopped_at = $1, stopped_for = $2, changed_at = $1 WHERE id = $3 \
    AND stopped_at IS NULL RETURNING id";
const HOLD: &str =
    "UPDATE receiver SET held_at = $1, changed_at = $1 WHERE id = $2 AND held_at IS NULL RETURNING id";
// What failed before says nothing about the attempts that follow.
const RELEASE: &str = "UPDATE receiver SET held_at = NULL, failing_since = NULL, changed_at = $1 WHERE id = $2 \
    AND held_at IS NOT NULL RETURNING id";

/// Separates the codes of the selected changes.
const SEPARATOR: &str = ",";

/// Whether a receiver has an address, and which changes of state it gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// Whether it has an address.
    pub is_addressed: bool,
    /// The codes of the selected changes, or none for the outcomes.
    changes: Option<String>,
}

impl Selection {
    /// Whether the receiver gets this change.
    #[must_use]
    pub fn wants(&self, change: CardChange) -> bool {
        match &self.changes {
            None => change.is_outcome(),
            Some(codes) => codes.split(SEPARATOR).any(|code| code == change.code()),
        }
    }

    /// The changes that the receiver gets.
    #[must_use]
    pub fn selected(&self) -> Vec<CardChange> {
        let all = CardChange::ALL.into_iter();
        all.filter(|change| self.wants(*change)).collect()
    }

    /// Reads whether there is an address and which changes are selected, in columns `at` and `at + 1`.
    pub(super) fn read(row: &Row, at: usize) -> Result<Self, DbError> {
        Ok(Self {
            is_addressed: row.optional(at, Row::text)?.is_some(),
            changes: row.optional(at + 1, Row::text)?.map(str::to_owned),
        })
    }
}

/// A receiver as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiverRow {
    /// The receiver.
    pub receiver: Receiver,
    /// Where messages go; none are sent without it.
    pub url: Option<String>,
    /// When the address was entered.
    pub entered_at: Timestamp,
    /// Since when every message to it has failed.
    pub failing_since: Option<Timestamp>,
    /// Since when messages to it are stopped, and why.
    pub stopped: Option<(Timestamp, StopCause)>,
    /// Which changes of state it gets.
    pub selection: Selection,
    /// Whether its address may be plain http.
    pub allow_http: bool,
    /// Since when nothing is sent to it, because its client is frozen.
    pub held_at: Option<Timestamp>,
}

/// Adds a receiver. An existing one stays as it is.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    url: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [receiver.into(), receiver.client().into(), url.into(), now.into()];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds a receiver.
pub async fn find<D: Database>(db: &D, receiver: &Receiver) -> Result<Option<ReceiverRow>, DbError> {
    first(&db.run(FIND, &[receiver.into()]).await?, read)
}

/// Sets or removes an address and resets its failures. False when there is no such receiver.
pub async fn enter<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    url: Option<&str>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [url.into(), now.into(), receiver.into()];
    Ok(!tx.run(ENTER, &params).await?.is_empty())
}

/// Selects the changes of state that a receiver gets. False when there is no such receiver.
pub async fn select_changes<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    changes: &[CardChange],
    now: Timestamp,
) -> Result<bool, DbError> {
    let codes: Vec<_> = changes.iter().map(|change| change.code()).collect();
    let params = [codes.join(SEPARATOR).into(), now.into(), receiver.into()];
    Ok(!tx.run(SELECT_CHANGES, &params).await?.is_empty())
}

/// Sets whether a receiver's address may be plain http. False when there is no such receiver.
pub async fn set_allow_http<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    allow_http: bool,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [allow_http.into(), now.into(), receiver.into()];
    Ok(!tx.run(SET_ALLOW_HTTP, &params).await?.is_empty())
}

/// Records that an attempt begun at `started` failed. Returns since when every attempt has failed; `None` when the
/// address was entered after `started`.
pub async fn failed<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    started: Timestamp,
) -> Result<Option<Timestamp>, DbError> {
    let rows = tx.run(FAILED, &[started.into(), receiver.into()]).await?;
    first(&rows, |row| row.time(0))
}

/// Records that an attempt begun at `started` succeeded. True when the receiver had been failing.
pub async fn succeeded<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    started: Timestamp,
) -> Result<bool, DbError> {
    Ok(!tx
        .run(SUCCEEDED, &[receiver.into(), started.into()])
        .await?
        .is_empty())
}

/// Stops messages to the address until another is entered. False when it is stopped already.
pub async fn stop<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    cause: StopCause,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), cause.code().into(), receiver.into()];
    Ok(!tx.run(STOP, &params).await?.is_empty())
}

/// Holds all messages to a receiver back. False when they are held already, or there is no such receiver.
pub async fn hold<D: Database>(tx: &Tx<'_, D>, receiver: &Receiver, now: Timestamp) -> Result<bool, DbError> {
    Ok(!tx.run(HOLD, &[now.into(), receiver.into()]).await?.is_empty())
}

/// Lets messages to a receiver go again, and forgets its failures. False when none are held.
pub async fn release<D: Database>(
    tx: &Tx<'_, D>,
    receiver: &Receiver,
    now: Timestamp,
) -> Result<bool, DbError> {
    Ok(!tx.run(RELEASE, &[now.into(), receiver.into()]).await?.is_empty())
}

fn read(row: &Row) -> Result<ReceiverRow, DbError> {
    Ok(ReceiverRow {
        receiver: row.receiver(0)?,
        url: row.optional(1, Row::text)?.map(str::to_owned),
        entered_at: row.time(2)?,
        failing_since: row.optional(3, Row::time)?,
        stopped: row
            .optional(4, Row::time)?
            .zip(row.optional(5, |row, at| row.code(at, StopCause::from_code))?),
        selection: Selection {
            is_addressed: row.optional(1, Row::text)?.is_some(),
            changes: row.optional(6, Row::text)?.map(str::to_owned),
        },
        allow_http: row.flag(7)?,
        held_at: row.optional(8, Row::time)?,
    })
}
