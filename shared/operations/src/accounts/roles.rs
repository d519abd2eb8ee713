//! Roles: those that are built in, and those that administrators make.

use std::collections::BTreeSet;

use super::rights::{has_all, lock_staff, may_change_more, stored_rights};
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{BuiltInRole, Right};
use store::staff::role::{self, RoleChangeRow, RoleRow};
use store::{Database, staff::credential};

/// Most roles besides those that are built in.
const MAX_OWN_ROLES: u32 = 100;

/// A role.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// Stable name.
    pub code: String,
    /// Name for people, in Chinese.
    pub name_zh: String,
    /// Name for people, in English.
    pub name_en: String,
    /// What it permits.
    pub rights: BTreeSet<Right>,
    /// Whether every platform has it; then it cannot be changed.
    pub built_in: bool,
}

/// The values of a new role.
#[derive(Clone, Copy, Debug)]
pub struct NewRole<'a> {
    /// Stable name.
    pub code: &'a str,
    /// Name for people, in Chinese.
    pub name_zh: &'a str,
    /// Name for people, in English.
    pub name_en: &'a str,
    /// What it permits.
    pub rights: &'a BTreeSet<Right>,
}

/// What to change in a role; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct RoleChange<'a> {
    /// Name for people, in Chinese.
    pub name_zh: Option<&'a str>,
    /// Name for people, in English.
    pub name_en: Option<&'a str>,
    /// What it permits.
    pub rights: Option<&'a BTreeSet<Right>>,
}

/// Every role: those that are built in first, then the others by their codes.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn list_roles<D: Database>(cx: &Context<'_, D>) -> Result<Vec<RoleView>, Error> {
    let built_in = BuiltInRole::ALL.iter().map(|role| RoleView {
        code: role.code().to_owned(),
        name_zh: role.names().0.to_owned(),
        name_en: role.names().1.to_owned(),
        rights: role.rights(),
        built_in: true,
    });
    let mut all: Vec<_> = built_in.collect();
    for row in role::list(cx.db, MAX_OWN_ROLES).await? {
        all.push(view(row)?);
    }
    Ok(all)
}

fn view(row: RoleRow) -> Result<RoleView, Error> {
    Ok(RoleView {
        rights: stored_rights(&row.rights)?,
        code: row.code,
        name_zh: row.name_zh,
        name_en: row.name_en,
        built_in: false,
    })
}

fn json(rights: &BTreeSet<Right>) -> Result<String, Error> {
    let codes: Vec<&str> = rights.iter().map(|right| right.code()).collect();
    serde_json::to_string(&codes).map_err(Error::internal)
}

/// Makes a role of rights that its maker has.
///
/// # Errors
/// [`Reason::RightNotHeld`], [`Reason::RoleExists`], [`Reason::TooMany`].
pub async fn create_role<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    new: &NewRole<'_>,
) -> Result<(), Error> {
    let rights = json(new.rights)?;
    transaction(cx, async |tx| {
        has_all(&lock_staff(tx, actor).await?, new.rights)?;
        if BuiltInRole::from_code(new.code).is_some() || role::find(tx, new.code).await?.is_some() {
            return Err(Reason::RoleExists.into());
        }
        if role::list(tx, MAX_OWN_ROLES).await?.len() >= MAX_OWN_ROLES as usize {
            let most = MAX_OWN_ROLES.to_string();
            return Err(Error::new(Reason::TooMany).with_detail(most.as_str(), most.as_str()));
        }
        Ok(role::insert(tx, new.code, (new.name_zh, new.name_en), &rights, cx.now).await?)
    })
    .await
}

/// Changes a role that is not built in, for every account that has it; where it permits more changes, their sessions end. Its
/// rights before and after must be rights of the
/// one who changes it.
///
/// # Errors
/// [`Reason::UnknownRole`], [`Reason::RightNotHeld`]; [`Reason::RoleInUse`] for a built-in one.
pub async fn change_role<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    code: &str,
    change: &RoleChange<'_>,
) -> Result<(), Error> {
    let rights = change.rights.map(json).transpose()?;
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        let present = own_role(role::find(tx, code).await?, code)?;
        let before = stored_rights(&present.rights)?;
        has_all(&actor, &before)?;
        if let (Some(new), Some(json)) = (change.rights, &rights) {
            has_all(&actor, new)?;
            if may_change_more(&before, new) {
                credential::end_sessions_of_role(tx, code, cx.now).await?;
            }
            cx.note_change("rights", present.rights.as_str(), json.as_str());
        }
        let row = RoleChangeRow {
            name_zh: change.name_zh,
            name_en: change.name_en,
            rights: rights.as_deref(),
        };
        role::change(tx, code, row, cx.now).await?;
        Ok(())
    })
    .await
}

/// Deletes a role that no account has.
///
/// # Errors
/// [`Reason::UnknownRole`], [`Reason::RightNotHeld`]; [`Reason::RoleInUse`], also for a built-in one.
pub async fn delete_role<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    code: &str,
) -> Result<(), Error> {
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        let present = own_role(role::find(tx, code).await?, code)?;
        has_all(&actor, &stored_rights(&present.rights)?)?;
        cx.note_change("rights", present.rights.as_str(), serde_json::Value::Null);
        if role::delete(tx, code).await? {
            Ok(())
        } else {
            Err(Reason::RoleInUse.into())
        }
    })
    .await
}

fn own_role(found: Option<RoleRow>, code: &str) -> Result<RoleRow, Error> {
    if BuiltInRole::from_code(code).is_some() {
        return Err(
            Error::new(Reason::RoleInUse).with_detail("内置角色不能变更", "a built-in role does not change")
        );
    }
    Ok(found.ok_or(Reason::UnknownRole)?)
}
