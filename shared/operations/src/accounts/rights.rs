//! What roles permit, and who may give it.

use std::collections::BTreeSet;

use crate::StaffMember;
use domain::error::{Error, Reason};
use domain::{AccountId, BuiltInRole, Right};
use store::{
    Database, Tx, lock,
    staff::{account, credential, role},
};

/// The rights of a role that is stored, from its JSON list. A right that this program does not know opens nothing.
pub(super) fn stored_rights(json: &str) -> Result<BTreeSet<Right>, Error> {
    let codes: Vec<String> = serde_json::from_str(json).map_err(Error::internal)?;
    Ok(codes.iter().filter_map(|code| Right::parse(code).ok()).collect())
}

/// The rights of a role, if there is such a role.
pub(super) async fn rights_of_role<D: Database>(
    db: &D,
    code: &str,
) -> Result<Option<BTreeSet<Right>>, Error> {
    if let Some(built_in) = BuiltInRole::from_code(code) {
        return Ok(Some(built_in.rights()));
    }
    let stored = role::find(db, code).await?;
    stored.map(|row| stored_rights(&row.rights)).transpose()
}

/// The rights of roles together.
///
/// # Errors
/// [`Reason::UnknownRole`], naming it.
pub(super) async fn rights_of_roles<D: Database>(db: &D, roles: &[String]) -> Result<BTreeSet<Right>, Error> {
    let mut all = BTreeSet::new();
    for code in roles {
        let rights = rights_of_role(db, code).await?;
        let unknown = || {
            Error::new(Reason::UnknownRole)
                .with_detail(code.as_str(), code.as_str())
                .with_field("roles")
        };
        all.extend(rights.ok_or_else(unknown)?);
    }
    Ok(all)
}

/// The roles of an account and their rights.
pub(crate) async fn rights_of_account<D: Database>(
    db: &D,
    id: AccountId,
) -> Result<(Vec<String>, BTreeSet<Right>), Error> {
    let roles = account::roles(db, id).await?;
    let mut rights = BTreeSet::new();
    for code in &roles {
        // A role that this program does not know opens nothing.
        rights.extend(rights_of_role(db, code).await?.unwrap_or_default());
    }
    Ok((roles, rights))
}

/// Takes the lock of staff, and reads the caller's state and rights again: both may have changed while the request arrived.
///
/// # Errors
/// [`Reason::CredentialEnded`].
pub(super) async fn lock_staff<D: Database>(
    tx: &Tx<'_, D>,
    actor: &StaffMember,
) -> Result<StaffMember, Error> {
    lock::staff(tx).await?;
    let mut present = actor.clone();
    let is_valid = match &mut present {
        StaffMember::Secret => !account::has_administrator(tx, None).await?,
        StaffMember::Account {
            id,
            credential,
            rights,
            ..
        } => {
            *rights = rights_of_account(tx, *id).await?.1;
            credential::is_valid(tx, *id, *credential).await?
        }
    };
    if is_valid {
        Ok(present)
    } else {
        Err(Reason::CredentialEnded.into())
    }
}

/// Accounts are opened, and people enrolled, by people: an API key that leaks cannot make itself a person.
///
/// # Errors
/// [`Reason::SessionNeeded`].
pub(super) fn no_key(actor: &StaffMember) -> Result<(), Error> {
    match actor {
        StaffMember::Account {
            is_session: false, ..
        } => Err(Reason::SessionNeeded.into()),
        StaffMember::Secret | StaffMember::Account { .. } => Ok(()),
    }
}

/// Whether `rights` permit a change that `before` did not.
pub(super) fn may_change_more(before: &BTreeSet<Right>, rights: &BTreeSet<Right>) -> bool {
    rights.difference(before).any(|right| right.changes())
}

/// Nobody gives a right that he does not have himself, and nobody changes who has more rights.
///
/// # Errors
/// [`Reason::RightNotHeld`], naming the first such right.
pub(super) fn has_all(actor: &StaffMember, rights: &BTreeSet<Right>) -> Result<(), Error> {
    match rights.iter().find(|right| !actor.may(**right)) {
        Some(right) => Err(Error::new(Reason::RightNotHeld).with_detail(right.code(), right.code())),
        None => Ok(()),
    }
}
