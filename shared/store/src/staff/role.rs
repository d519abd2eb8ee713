//! Table `staff_role`: roles besides those that are built in.

use crate::{Database, DbError, Row, Run as _, Tx, first};
use domain::Timestamp;

const INSERT: &str = "INSERT INTO staff_role (code, name_zh, name_en, rights, created_at, changed_at) \
    VALUES ($1, $2, $3, $4, $5, $5)";
const FIND: &str =
    "SELECT code, name_zh, name_en, rights, created_at, changed_at FROM staff_role WHERE code = $1";
const LIST: &str =
    "SELECT code, name_zh, name_en, rights, created_at, changed_at FROM staff_role ORDER BY code LIMIT $1";
const CHANGE: &str = "UPDATE staff_role SET name_zh = COALESCE($1, name_zh), name_en = COALESCE($2, name_en), \
    rights = COALESCE($3, rights), changed_at = $4 WHERE code = $5 RETURNING code";
const DELETE: &str = "DELETE FROM staff_role WHERE code = $1 \
    AND NOT EXISTS (SELECT 1 FROM staff_account_role r WHERE r.role = $1) RETURNING code";

/// A role as stored.
#[derive(Clone, Debug)]
pub struct RoleRow {
    /// Stable name.
    pub code: String,
    /// Name for people, in Chinese.
    pub name_zh: String,
    /// Name for people, in English.
    pub name_en: String,
    /// JSON list of the names of rights.
    pub rights: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// What to change in a role; `None` leaves a column alone.
#[derive(Clone, Copy, Debug)]
pub struct RoleChangeRow<'a> {
    /// Name for people, in Chinese.
    pub name_zh: Option<&'a str>,
    /// Name for people, in English.
    pub name_en: Option<&'a str>,
    /// JSON list of the names of rights.
    pub rights: Option<&'a str>,
}

/// Adds a role.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    code: &str,
    (name_zh, name_en): (&str, &str),
    rights: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        code.into(),
        name_zh.into(),
        name_en.into(),
        rights.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Finds a role.
pub async fn find<D: Database>(db: &D, code: &str) -> Result<Option<RoleRow>, DbError> {
    first(&db.run(FIND, &[code.into()]).await?, read)
}

/// Up to `limit` roles, by their codes.
pub async fn list<D: Database>(db: &D, limit: u32) -> Result<Vec<RoleRow>, DbError> {
    let rows = db.run(LIST, &[i64::from(limit).into()]).await?;
    rows.iter().map(read).collect()
}

/// Changes a role. False when there is no such role.
pub async fn change<D: Database>(
    tx: &Tx<'_, D>,
    code: &str,
    change: RoleChangeRow<'_>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        change.name_zh.into(),
        change.name_en.into(),
        change.rights.into(),
        now.into(),
        code.into(),
    ];
    Ok(!tx.run(CHANGE, &params).await?.is_empty())
}

/// Deletes a role that no account has. False when one has it, or there is no such role.
pub async fn delete<D: Database>(tx: &Tx<'_, D>, code: &str) -> Result<bool, DbError> {
    Ok(!tx.run(DELETE, &[code.into()]).await?.is_empty())
}

fn read(row: &Row) -> Result<RoleRow, DbError> {
    Ok(RoleRow {
        code: row.text(0)?.to_owned(),
        name_zh: row.text(1)?.to_owned(),
        name_en: row.text(2)?.to_owned(),
        rights: row.text(3)?.to_owned(),
        created_at: row.time(4)?,
        changed_at: row.time(5)?,
    })
}
