//! Table `staff_credential`: the sessions of people who signed in, and API keys. Only their hashes are stored.

use crate::{Database, DbError, Row, Run as _, Tx, Value, first};
use domain::{AccountId, ApiKeyId, Timestamp};

const INSERT: &str = "INSERT INTO staff_credential (hash, id, account_id, kind, label, created_at, ends_at, idle_ms, \
    used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $6)";
// Read by every call of staff: the credential, its account, and the account's roles, a row for each.
const WITH_ACCOUNT: &str = "SELECT c.kind AS kind, c.ends_at AS ends_at, c.idle_ms AS idle_ms, c.used_at AS used_at, \
    c.revoked_at AS revoked_at, a.id AS account_id, c.id AS id, a.status AS status, r.role AS role, \
    o.rights AS rights FROM staff_credential c JOIN staff_account a ON a.id = c.account_id \
    LEFT JOIN staff_account_role r ON r.account_id = a.id LEFT JOIN staff_role o ON o.code = r.role WHERE c.hash = $1";
const USE: &str = "UPDATE staff_credential SET used_at = $1 WHERE hash = $2 AND used_at < $1";
const KEYS: &str = "SELECT id, label, created_at, ends_at, used_at, revoked_at FROM staff_credential \
    WHERE account_id = $1 AND kind = 'key' ORDER BY created_at, id LIMIT $2";
const COUNT_KEYS: &str = "SELECT COUNT(*) AS n FROM staff_credential WHERE account_id = $1 AND kind = 'key' \
    AND revoked_at IS NULL AND ends_at > $2";
const REVOKE_KEY: &str = "UPDATE staff_credential SET revoked_at = $1 WHERE account_id = $2 AND id = $3 \
    AND kind = 'key' AND revoked_at IS NULL AND ends_at > $1 RETURNING id";
const REVOKE_SESSION: &str = "UPDATE staff_credential SET revoked_at = $1 WHERE hash = $2 AND kind = 'session' \
    AND revoked_at IS NULL AND ends_at > $1 RETURNING id";
const REVOKE_ALL: &str = "UPDATE staff_credential SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL \
    AND ends_at > $1 RETURNING id";
const END_SESSIONS: &str = "UPDATE staff_credential SET revoked_at = $1 WHERE kind = 'session' AND revoked_at IS NULL \
    AND ends_at > $1 AND account_id = $2 RETURNING id";
const END_SESSIONS_OF_ROLE: &str = "UPDATE staff_credential SET revoked_at = $1 WHERE kind = 'session' \
    AND revoked_at IS NULL AND ends_at > $1 AND account_id IN (SELECT account_id FROM staff_account_role \
    WHERE role = $2) RETURNING id";
const IS_VALID: &str = "SELECT 1 AS n FROM staff_credential c JOIN staff_account a ON a.id = c.account_id \
    WHERE c.account_id = $1 AND c.id = $2 AND c.revoked_at IS NULL AND a.status = 'active'";
const FORGET: &str =
    "DELETE FROM staff_credential WHERE account_id = $1 AND (ends_at < $2 OR revoked_at < $2)";

/// What a credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialKind {
    /// A session of a person who signed in.
    Session,
    /// An API key.
    Key,
}

impl CredentialKind {
    const fn code(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Key => "key",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        [Self::Session, Self::Key]
            .into_iter()
            .find(|kind| kind.code() == code)
    }
}

/// The values of a new row.
pub struct NewCredentialRow<'a> {
    /// Hash of what is presented.
    pub hash: &'a [u8],
    /// Identifier, with which it is named.
    pub id: ApiKeyId,
    /// Whose it is.
    pub account: AccountId,
    /// What it is.
    pub kind: CredentialKind,
    /// Of a key, for people.
    pub label: Option<&'a str>,
    /// Its end.
    pub ends_at: Timestamp,
    /// How long it may lie unused, in milliseconds.
    pub idle_ms: Option<i64>,
}

/// A credential that was presented, with its account.
pub struct PresentedRow {
    /// What it is.
    pub kind: CredentialKind,
    /// Its end.
    pub ends_at: Timestamp,
    /// How long it may lie unused, in milliseconds.
    pub idle_ms: Option<i64>,
    /// Its last use, to a minute.
    pub used_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whose it is.
    pub account: AccountId,
    /// Identifier, with which it is named.
    pub id: ApiKeyId,
    /// False when the account is disabled.
    pub active: bool,
    /// The codes of the account's roles; with the JSON list of its rights where the role is not built in.
    pub roles: Vec<(String, Option<String>)>,
}

/// An API key as its owner sees it.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// Identifier.
    pub id: ApiKeyId,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Its last use, to a minute; that of a key that was never used is when it was made.
    pub used_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Adds a credential.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &NewCredentialRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params: [Value; 8] = [
        new.hash.into(),
        new.id.text().into(),
        new.account.text().into(),
        new.kind.code().into(),
        new.label.into(),
        now.into(),
        new.ends_at.into(),
        new.idle_ms.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds a credential by its hash, with its account and its roles.
pub async fn with_account<D: Database>(db: &D, hash: &[u8]) -> Result<Option<PresentedRow>, DbError> {
    let rows = db.run(WITH_ACCOUNT, &[hash.into()]).await?;
    let Some(mut found) = first(&rows, read)? else {
        return Ok(None);
    };
    for row in &rows {
        if let Some(role) = row.optional(8, Row::text)? {
            let rights = row.optional(9, Row::text)?.map(str::to_owned);
            found.roles.push((role.to_owned(), rights));
        }
    }
    Ok(Some(found))
}

/// Records that a credential was used.
pub async fn touch<D: Database>(db: &D, hash: &[u8], now: Timestamp) -> Result<(), DbError> {
    db.run(USE, &[now.into(), hash.into()]).await.map(drop)
}

/// Up to `limit` API keys of an account, the oldest first.
pub async fn keys<D: Database>(db: &D, account: AccountId, limit: u32) -> Result<Vec<KeyRow>, DbError> {
    let params = [account.text().into(), i64::from(limit).into()];
    db.run(KEYS, &params).await?.iter().map(read_key).collect()
}

/// How many API keys of an account are valid.
pub async fn count_keys<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    now: Timestamp,
) -> Result<u64, DbError> {
    let rows = tx.run(COUNT_KEYS, &[account.text().into(), now.into()]).await?;
    Ok(first(&rows, |row| row.unsigned(0))?.unwrap_or_default())
}

/// Ends a valid API key of an account. False when there is none.
pub async fn revoke_key<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    id: ApiKeyId,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [now.into(), account.text().into(), id.text().into()];
    Ok(!tx.run(REVOKE_KEY, &params).await?.is_empty())
}

/// Ends a session. False when there is none.
pub async fn revoke_session<D: Database>(
    tx: &Tx<'_, D>,
    hash: &[u8],
    now: Timestamp,
) -> Result<bool, DbError> {
    let rows = tx.run(REVOKE_SESSION, &[now.into(), hash.into()]).await?;
    Ok(!rows.is_empty())
}

/// Ends every credential of an account. Returns how many.
pub async fn revoke_all<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    now: Timestamp,
) -> Result<usize, DbError> {
    let rows = tx.run(REVOKE_ALL, &[now.into(), account.text().into()]).await?;
    Ok(rows.len())
}

/// Ends every session of an account; its API keys stay.
pub async fn end_sessions<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [now.into(), account.text().into()];
    tx.run(END_SESSIONS, &params).await.map(drop)
}

/// Ends every session of the accounts that have a role.
pub async fn end_sessions_of_role<D: Database>(
    tx: &Tx<'_, D>,
    role: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    tx.run(END_SESSIONS_OF_ROLE, &[now.into(), role.into()])
        .await
        .map(drop)
}

/// Whether a credential of an account was not revoked, and the account is not disabled.
pub async fn is_valid<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    id: ApiKeyId,
) -> Result<bool, DbError> {
    let params = [account.text().into(), id.text().into()];
    Ok(!tx.run(IS_VALID, &params).await?.is_empty())
}

/// Deletes the credentials of an account that ended before `before`.
pub async fn forget<D: Database>(
    tx: &Tx<'_, D>,
    account: AccountId,
    before: Timestamp,
) -> Result<(), DbError> {
    tx.run(FORGET, &[account.text().into(), before.into()])
        .await
        .map(drop)
}

fn read(row: &Row) -> Result<PresentedRow, DbError> {
    Ok(PresentedRow {
        kind: row.code(0, CredentialKind::from_code)?,
        ends_at: row.time(1)?,
        idle_ms: row.optional(2, Row::integer)?,
        used_at: row.time(3)?,
        revoked_at: row.optional(4, Row::time)?,
        account: row.code(5, |text| AccountId::parse(text).ok())?,
        id: row.code(6, |text| ApiKeyId::parse(text).ok())?,
        active: row.text(7)? == "active",
        roles: Vec::new(),
    })
}

fn read_key(row: &Row) -> Result<KeyRow, DbError> {
    Ok(KeyRow {
        id: row.code(0, |text| ApiKeyId::parse(text).ok())?,
        label: row.text(1)?.to_owned(),
        created_at: row.time(2)?,
        ends_at: row.time(3)?,
        used_at: row.time(4)?,
        revoked_at: row.optional(5, Row::time)?,
    })
}
