//! The account of a member of staff. The person chooses the password, with a code that is valid once and for a few days.

use super::rights::{has_all, lock_staff, no_key, rights_of_account, rights_of_roles};
use super::secrets::{ENROLMENT_PREFIX, new_secret};
use crate::clients::malformed;
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{AccountId, HOUR_MS, Timestamp};
use store::Database;
use store::staff::account::{self, NewAccountRow};
use vault::{Zeroizing, hash_secret, random_bytes};

/// How long an enrolment code is valid, in hours.
const ENROLMENT_HOURS: i64 = 72;
/// Most roles of an account.
const MAX_ROLES_PER_ACCOUNT: usize = 16;

/// The values of a new account.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// Name of the person.
    pub name: &'a str,
    /// What the person signs in with.
    pub sign_in_name: &'a str,
    /// The codes of its roles.
    pub roles: &'a [String],
}

/// A code with which a person chooses a password; shown only here.
pub struct Offer {
    /// The code.
    pub code: Zeroizing<String>,
    /// Its end.
    pub ends_at: Timestamp,
}

/// A new account.
pub struct CreatedAccount {
    /// Its identifier.
    pub id: AccountId,
    /// With what its person chooses a password.
    pub enrolment: Offer,
}

pub(super) fn new_offer<D>(cx: &Context<'_, D>) -> Offer {
    Offer {
        code: new_secret(cx, ENROLMENT_PREFIX),
        ends_at: cx.now.plus(ENROLMENT_HOURS * HOUR_MS),
    }
}

/// The roles in order, each once.
pub(super) fn checked_roles(roles: &[String]) -> Result<Vec<String>, Error> {
    let mut roles = roles.to_vec();
    roles.sort_unstable();
    roles.dedup();
    if roles.len() > MAX_ROLES_PER_ACCOUNT {
        return Err(malformed(
            "roles",
            &format!("最多 {MAX_ROLES_PER_ACCOUNT} 个角色"),
            &format!("at most {MAX_ROLES_PER_ACCOUNT} roles"),
        ));
    }
    Ok(roles)
}

/// Opens an account.
///
/// # Errors
/// [`Reason::SessionNeeded`] for an API key, [`Reason::UnknownRole`], [`Reason::RightNotHeld`], [`Reason::SignInNameTaken`],
/// [`Reason::ParameterMalformed`] for too many roles.
pub async fn create_account<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    new: &NewAccount<'_>,
) -> Result<CreatedAccount, Error> {
    no_key(actor)?;
    let roles = checked_roles(new.roles)?;
    let id = AccountId::new(cx.now, random_bytes(cx.random));
    let enrolment = new_offer(cx);
    let hash = hash_secret(&enrolment.code);
    let row = id.text();
    let name_sealed = cx
        .vault
        .seal(cx.random, account::NAME, row.as_bytes(), new.name.as_bytes())?;
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        has_all(&actor, &rights_of_roles(tx, &roles).await?)?;
        if account::by_sign_in_name(tx, new.sign_in_name).await?.is_some() {
            return Err(Reason::SignInNameTaken.into());
        }
        let stored = NewAccountRow {
            id,
            sign_in_name: new.sign_in_name,
            name_sealed: name_sealed.clone(),
            enrolment_hash: &hash,
            enrolment_ends_at: enrolment.ends_at,
        };
        account::insert(tx, &stored, cx.now).await?;
        cx.note_object("account_id", &row);
        Ok(account::set_roles(tx, id, &roles).await?)
    })
    .await?;
    Ok(CreatedAccount { id, enrolment })
}

/// Gives the person of an account another code to choose a password and a second factor. Until it is used, those that were
/// chosen before stay valid; a code that was given before does not.
///
/// # Errors
/// [`Reason::SessionNeeded`] for an API key, [`Reason::UnknownAccount`], [`Reason::OwnAccount`], [`Reason::RightNotHeld`].
pub async fn offer_enrolment<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    id: AccountId,
) -> Result<Offer, Error> {
    no_key(actor)?;
    if actor.account() == Some(id) {
        return Err(Reason::OwnAccount.into());
    }
    let offer = new_offer(cx);
    let hash = hash_secret(&offer.code);
    transaction(cx, async |tx| {
        let actor = lock_staff(tx, actor).await?;
        account::find(tx, id).await?.ok_or(Reason::UnknownAccount)?;
        has_all(&actor, &rights_of_account(tx, id).await?.1)?;
        account::offer_enrolment(tx, id, (&hash, offer.ends_at), cx.now).await?;
        Ok(())
    })
    .await?;
    Ok(offer)
}
