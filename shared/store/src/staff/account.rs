//! Tables `staff_account` and `staff_account_role`: people and programs that run the platform, and their roles.

use crate::{Database, DbError, Row, Run as _, Tx, Value, first};
use domain::{AccountId, BuiltInRole, Timestamp};
use vault::Column;

/// Sealed column: the name of the person.
pub const NAME: Column = Column("staff_account.name");
/// Sealed column: the secret of the second factor.
pub const TOTP: Column = Column("staff_account.totp");

const INSERT: &str = "INSERT INTO staff_account (id, sign_in_name, name_sealed, status, enrolment_hash, \
    enrolment_ends_at, created_at, changed_at) VALUES ($1, $2, $3, 'active', $4, $5, $6, $6)";
const ADD_ROLE: &str = "INSERT INTO staff_account_role (account_id, role) VALUES ($1, $2)";
const REMOVE_ROLES: &str = "DELETE FROM staff_account_role WHERE account_id = $1";
const ROLES: &str = "SELECT role FROM staff_account_role WHERE account_id = $1 ORDER BY role";
const FIND: &str = "SELECT id, sign_in_name, name_sealed, status, password_hash, totp_sealed, totp_step, \
    enrolment_ends_at, signed_in_at, created_at, changed_at FROM staff_account WHERE id = $1";
const BY_SIGN_IN_NAME: &str = "SELECT id, sign_in_name, name_sealed, status, password_hash, totp_sealed, totp_step, \
    enrolment_ends_at, signed_in_at, created_at, changed_at FROM staff_account WHERE sign_in_name = $1";
const BY_ENROLMENT: &str = "SELECT id, sign_in_name, name_sealed, status, password_hash, totp_sealed, totp_step, \
    enrolment_ends_at, signed_in_at, created_at, changed_at FROM staff_account WHERE enrolment_hash = $1";
const LIST: &str = "SELECT id, sign_in_name, name_sealed, status, password_hash, totp_sealed, totp_step, \
    enrolment_ends_at, signed_in_at, created_at, changed_at FROM staff_account \
    WHERE (id = $1 OR $1 IS NULL) AND (sign_in_name > $2 OR $2 IS NULL) ORDER BY sign_in_name LIMIT $3";
const CHANGE: &str = "UPDATE staff_account SET name_sealed = COALESCE($1, name_sealed), \
    status = COALESCE($2, status), changed_at = $3 WHERE id = $4 RETURNING id";
const END_ENROLMENT: &str =
    "UPDATE staff_account SET enrolment_hash = NULL, enrolment_ends_at = NULL WHERE id = $1 RETURNING id";
const OFFER_ENROLMENT: &str = "UPDATE staff_account SET enrolment_hash = $1, enrolment_ends_at = $2, changed_at = $3 \
    WHERE id = $4 RETURNING id";
const ENROL: &str = "UPDATE staff_account SET password_hash = $1, totp_sealed = $2, totp_step = 0, \
    enrolment_hash = NULL, enrolment_ends_at = NULL, changed_at = $3 WHERE id = $4 AND enrolment_hash = $5 \
    AND status = 'active' RETURNING id";
const SIGN_IN: &str = "UPDATE staff_account SET signed_in_at = $1, totp_step = COALESCE($2, totp_step) WHERE id = $3 \
    AND status = 'active' AND password_hash = $4 AND (totp_step < $2 OR $2 IS NULL) RETURNING id";
const OTHER_ADMINISTRATORS: &str = "SELECT COUNT(*) AS n FROM staff_account a \
    JOIN staff_account_role r ON r.account_id = a.id WHERE r.role = $1 AND a.status = 'active' \
    AND a.signed_in_at IS NOT NULL AND (a.id <> $2 OR $2 IS NULL)";

/// An account as stored.
#[derive(Clone)]
pub struct AccountRow {
    /// Identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub sign_in_name: String,
    /// Sealed name of the person.
    pub name_sealed: Vec<u8>,
    /// False when it is disabled.
    pub active: bool,
    /// Hash of the password, if one was chosen.
    pub password_hash: Option<String>,
    /// Sealed secret of the second factor.
    pub totp_sealed: Option<Vec<u8>>,
    /// The last step of time whose one-time code was taken.
    pub totp_step: i64,
    /// When the enrolment code ends, if there is one.
    pub enrolment_ends_at: Option<Timestamp>,
    /// The last time that the person signed in.
    pub signed_in_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

/// The values of a new row.
pub struct NewAccountRow<'a> {
    /// Identifier.
    pub id: AccountId,
    /// What the person signs in with.
    pub sign_in_name: &'a str,
    /// Sealed name of the person.
    pub name_sealed: Vec<u8>,
    /// Hash of the enrolment code.
    pub enrolment_hash: &'a [u8],
    /// End of the enrolment code.
    pub enrolment_ends_at: Timestamp,
}

/// Adds an account without roles.
pub async fn insert<D: Database>(
    tx: &Tx<'_, D>,
    new: &NewAccountRow<'_>,
    now: Timestamp,
) -> Result<(), DbError> {
    let params = [
        new.id.text().into(),
        new.sign_in_name.into(),
        new.name_sealed.as_slice().into(),
        new.enrolment_hash.into(),
        new.enrolment_ends_at.into(),
        now.into(),
    ];
    tx.run(INSERT, &params).await.map(drop)
}

/// Ends the enrolment code of an account, if it has one.
pub async fn end_enrolment<D: Database>(tx: &Tx<'_, D>, id: AccountId) -> Result<(), DbError> {
    tx.run(END_ENROLMENT, &[id.text().into()]).await.map(drop)
}

/// Gives an account these roles and no others.
pub async fn set_roles<D: Database>(tx: &Tx<'_, D>, id: AccountId, roles: &[String]) -> Result<(), DbError> {
    tx.run(REMOVE_ROLES, &[id.text().into()]).await?;
    for role in roles {
        tx.run(ADD_ROLE, &[id.text().into(), role.as_str().into()])
            .await?;
    }
    Ok(())
}

/// The codes of an account's roles.
pub async fn roles<D: Database>(db: &D, id: AccountId) -> Result<Vec<String>, DbError> {
    let rows = db.run(ROLES, &[id.text().into()]).await?;
    rows.iter().map(|row| row.text(0).map(str::to_owned)).collect()
}

/// Finds an account.
pub async fn find<D: Database>(db: &D, id: AccountId) -> Result<Option<AccountRow>, DbError> {
    first(&db.run(FIND, &[id.text().into()]).await?, read)
}

/// Finds an account by what its person signs in with.
pub async fn by_sign_in_name<D: Database>(db: &D, name: &str) -> Result<Option<AccountRow>, DbError> {
    first(&db.run(BY_SIGN_IN_NAME, &[name.into()]).await?, read)
}

/// Finds an account by the hash of its enrolment code.
pub async fn by_enrolment<D: Database>(db: &D, hash: &[u8]) -> Result<Option<AccountRow>, DbError> {
    first(&db.run(BY_ENROLMENT, &[hash.into()]).await?, read)
}

/// The account with the given identifier, or accounts that follow `after` in the order of their sign-in names.
pub async fn list<D: Database>(
    db: &D,
    only: Option<AccountId>,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<AccountRow>, DbError> {
    let params = [
        only.map(|id| id.text()).into(),
        after.into(),
        i64::from(limit).into(),
    ];
    db.run(LIST, &params).await?.iter().map(read).collect()
}

/// Changes name or state of an account; `None` leaves a column alone. False when there is no such account.
pub async fn change<D: Database>(
    tx: &Tx<'_, D>,
    id: AccountId,
    (name_sealed, active): (Option<Vec<u8>>, Option<bool>),
    now: Timestamp,
) -> Result<bool, DbError> {
    let status = active.map(|active| if active { "active" } else { "disabled" });
    let params: [Value; 4] = [name_sealed.into(), status.into(), now.into(), id.text().into()];
    Ok(!tx.run(CHANGE, &params).await?.is_empty())
}

/// Gives an account an enrolment code in place of the one that it had. False when there is no such account.
pub async fn offer_enrolment<D: Database>(
    tx: &Tx<'_, D>,
    id: AccountId,
    (hash, ends_at): (&[u8], Timestamp),
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [hash.into(), ends_at.into(), now.into(), id.text().into()];
    Ok(!tx.run(OFFER_ENROLMENT, &params).await?.is_empty())
}

/// Stores what a person has chosen, and uses the enrolment code up. False when it was used or replaced meanwhile.
pub async fn enrol<D: Database>(
    tx: &Tx<'_, D>,
    id: AccountId,
    code_hash: &[u8],
    (password_hash, totp_sealed): (&str, &[u8]),
    now: Timestamp,
) -> Result<bool, DbError> {
    let params = [
        password_hash.into(),
        totp_sealed.into(),
        now.into(),
        id.text().into(),
        code_hash.into(),
    ];
    Ok(!tx.run(ENROL, &params).await?.is_empty())
}

/// Records that a person signs in with the password that was checked, and uses the step of a one-time code up, if there is
/// one. False when the account was changed meanwhile, or a code of that step or of a later one was taken already.
pub async fn sign_in<D: Database>(
    tx: &Tx<'_, D>,
    account: &AccountRow,
    totp_step: Option<i64>,
    now: Timestamp,
) -> Result<bool, DbError> {
    let params: [Value; 4] = [
        now.into(),
        totp_step.into(),
        account.id.text().into(),
        account.password_hash.clone().into(),
    ];
    Ok(!tx.run(SIGN_IN, &params).await?.is_empty())
}

/// Whether a system administrator other than `except` is active and has signed in before.
pub async fn has_administrator<D: Database>(db: &D, except: Option<AccountId>) -> Result<bool, DbError> {
    let params: [Value; 2] = [
        BuiltInRole::SystemAdministrator.code().into(),
        except.map(|id| id.text()).into(),
    ];
    let rows = db.run(OTHER_ADMINISTRATORS, &params).await?;
    Ok(first(&rows, |row| row.unsigned(0))?.is_some_and(|count| count > 0))
}

fn read(row: &Row) -> Result<AccountRow, DbError> {
    Ok(AccountRow {
        id: row.code(0, |text| AccountId::parse(text).ok())?,
        sign_in_name: row.text(1)?.to_owned(),
        name_sealed: row.blob(2)?.to_owned(),
        active: row.text(3)? == "active",
        password_hash: row.optional(4, Row::text)?.map(str::to_owned),
        totp_sealed: row.optional(5, Row::blob)?.map(<[u8]>::to_owned),
        totp_step: row.integer(6)?,
        enrolment_ends_at: row.optional(7, Row::time)?,
        signed_in_at: row.optional(8, Row::time)?,
        created_at: row.time(9)?,
        changed_at: row.time(10)?,
    })
}
