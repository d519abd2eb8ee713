//! Changes of accounts: name, roles, disabling, and the end of everything that was handed out.

use super::create::checked_roles;
use super::rights::{has_all, lock_staff, may_change_more, rights_of_account, rights_of_roles};
use crate::staff::account_text;
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{AccountId, BuiltInRole};
use store::approval;
use store::staff::account::{self, AccountRow};
use store::staff::credential;
use store::{Database, Tx};

/// What to change; what is `None` stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountChange<'a> {
    /// Name of the person.
    pub name: Option<&'a str>,
    /// The codes of all its roles.
    pub roles: Option<&'a [String]>,
    /// Whether it may be used at all. Disabling it ends its sessions and API keys for good.
    pub active: Option<bool>,
}

/// Changes an account, from the next call on. Roles that permit more changes end its sessions: a one-time code is asked for
/// by what an account may do.
///
/// # Errors
/// [`Reason::UnknownAccount`], [`Reason::UnknownRole`], [`Reason::OwnAccount`], [`Reason::RightNotHeld`],
/// [`Reason::LastAdministrator`], [`Reason::ParameterMalformed`] for too many roles.
pub async fn change_account<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    id: AccountId,
    change: &AccountChange<'_>,
) -> Result<(), Error> {
    let roles = change.roles.map(checked_roles).transpose()?;
    let is_own = actor.account() == Some(id);
    if is_own && (roles.is_some() || change.active == Some(false)) {
        return Err(Reason::OwnAccount.into());
    }
    let row = id.text();
    let seal = |name: &str| {
        cx.vault
            .seal(cx.random, account::NAME, row.as_bytes(), name.as_bytes())
    };
    let name_sealed = change.name.map(seal).transpose()?;
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        let found = account::find(tx, id).await?.ok_or(Reason::UnknownAccount)?;
        let (present, rights) = rights_of_account(tx, id).await?;
        has_all(&actor, &rights)?;
        if let Some(roles) = &roles {
            let new = rights_of_roles(tx, roles).await?;
            has_all(&actor, &new)?;
            if may_change_more(&rights, &new) {
                credential::end_sessions(tx, id, cx.now).await?;
            }
            cx.note_change("roles", present.clone(), roles.clone());
        }
        if let Some(active) = change.active {
            cx.note_change("active", found.active, active);
        }
        let stays =
            change.active.unwrap_or(found.active) && is_administrator(roles.as_deref().unwrap_or(&present));
        if !stays && is_usable_administrator(&found, &present) {
            another_administrator(tx, id).await?;
        }
        account::change(tx, id, (name_sealed.clone(), change.active), cx.now).await?;
        if let Some(roles) = &roles {
            account::set_roles(tx, id, roles).await?;
        }
        if change.active == Some(false) {
            end_everything(cx, tx, id).await?;
        }
        Ok(())
    })
    .await
}

/// Freezes an account: it is disabled, and its sessions, its API keys and its enrolment code end for good. Returns how many
/// sessions and API keys ended.
///
/// # Errors
/// [`Reason::UnknownAccount`], [`Reason::OwnAccount`], [`Reason::RightNotHeld`], [`Reason::LastAdministrator`].
pub async fn freeze_account<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    id: AccountId,
) -> Result<usize, Error> {
    if actor.account() == Some(id) {
        return Err(Reason::OwnAccount.into());
    }
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        let found = account::find(tx, id).await?.ok_or(Reason::UnknownAccount)?;
        let (present, rights) = rights_of_account(tx, id).await?;
        has_all(&actor, &rights)?;
        if is_usable_administrator(&found, &present) {
            another_administrator(tx, id).await?;
        }
        account::change(tx, id, (None, Some(false)), cx.now).await?;
        cx.note_change("active", found.active, false);
        let revoked = end_everything(cx, tx, id).await?;
        cx.note_result("revoked", revoked as u64);
        Ok(revoked)
    })
    .await
}

/// Ends the sessions, API keys and the enrolment code of an account that is disabled, and refuses what it asks for. Returns
/// how many sessions and API keys there were.
async fn end_everything<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    id: AccountId,
) -> Result<usize, Error> {
    let revoked = credential::revoke_all(tx, id, cx.now).await?;
    account::end_enrolment(tx, id).await?;
    approval::refuse_of(tx, &account_text(id), cx.now).await?;
    Ok(revoked)
}

/// Ends every session and API key of an account at once. Returns how many there were.
///
/// # Errors
/// [`Reason::UnknownAccount`], [`Reason::RightNotHeld`].
pub async fn revoke_account<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    id: AccountId,
) -> Result<usize, Error> {
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        account::find(tx, id).await?.ok_or(Reason::UnknownAccount)?;
        has_all(&actor, &rights_of_account(tx, id).await?.1)?;
        let revoked = credential::revoke_all(tx, id, cx.now).await?;
        cx.note_result("revoked", revoked as u64);
        Ok(revoked)
    })
    .await
}

fn is_administrator(roles: &[String]) -> bool {
    let code = BuiltInRole::SystemAdministrator.code();
    roles.iter().any(|role| role == code)
}

fn is_usable_administrator(found: &AccountRow, roles: &[String]) -> bool {
    found.active && found.signed_in_at.is_some() && is_administrator(roles)
}

async fn another_administrator<D: Database>(tx: &Tx<'_, D>, id: AccountId) -> Result<(), Error> {
    if account::has_administrator(tx, Some(id)).await? {
        Ok(())
    } else {
        Err(Reason::LastAdministrator.into())
    }
}
