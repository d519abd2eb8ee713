//! Who of the staff calls. Account, roles and state are read anew with every call, so that taking a role away or disabling
//! an account stops a session in the middle.

use super::rights::stored_rights;
use super::secrets::{KEY_PREFIX, SESSION_PREFIX, is_secret};
use crate::{Context, StaffMember};
use domain::error::{Error, Reason};
use domain::{BuiltInRole, MINUTE_MS};
use store::staff::credential::{self, CredentialKind, PresentedRow};
use store::{Database, staff::account};
use vault::hash_secret;

/// The last use of a credential is recorded at most once in so many milliseconds: not each call writes.
const USE_RECORDED_MS: i64 = MINUTE_MS;

/// Whether a text can be the credential of a session or an API key. Nothing else is looked up.
#[must_use]
pub fn is_credential_of_staff(presented: &str) -> bool {
    [SESSION_PREFIX, KEY_PREFIX]
        .iter()
        .any(|prefix| is_secret(presented, prefix))
}

/// Recognises a session or an API key, by one statement. Its use is recorded once a minute.
///
/// # Errors
/// [`Reason::CredentialWrong`] for an unknown one; [`Reason::CredentialEnded`] for one that has expired, was revoked or lay
/// unused for too long, and when the account is disabled.
pub async fn verify_staff<D: Database>(cx: &Context<'_, D>, presented: &str) -> Result<StaffMember, Error> {
    if !is_credential_of_staff(presented) {
        return Err(Reason::CredentialWrong.into());
    }
    let hash = hash_secret(presented);
    let found = credential::with_account(cx.db, &hash).await?;
    let found = found.ok_or(Reason::CredentialWrong)?;
    if !is_live(cx, &found) {
        return Err(Reason::CredentialEnded.into());
    }
    if found.used_at.plus(USE_RECORDED_MS) <= cx.now {
        // What could not be recorded now is recorded with the next call.
        let _ = credential::touch(cx.journal, &hash, cx.now).await;
    }
    let mut rights = std::collections::BTreeSet::new();
    for (code, stored) in &found.roles {
        match (BuiltInRole::from_code(code), stored) {
            (Some(built_in), _) => rights.extend(built_in.rights()),
            (None, Some(json)) => rights.extend(stored_rights(json)?),
            (None, None) => {}
        }
    }
    Ok(StaffMember::Account {
        id: found.account,
        credential: found.id,
        rights,
        is_session: found.kind == CredentialKind::Session,
    })
}

fn is_live<D>(cx: &Context<'_, D>, found: &PresentedRow) -> bool {
    let lies_unused = |idle_ms: i64| found.used_at.plus(idle_ms) <= cx.now;
    found.active
        && found.revoked_at.is_none()
        && cx.now < found.ends_at
        && !found.idle_ms.is_some_and(lies_unused)
}

/// Lets whoever has `admin_secret` in, as long as no system administrator has signed in: it makes the first account, and
/// opens nothing afterwards.
///
/// # Errors
/// [`Reason::CredentialWrong`].
pub async fn admit_secret<D: Database>(cx: &Context<'_, D>) -> Result<StaffMember, Error> {
    if account::has_administrator(cx.db, None).await? {
        return Err(Error::new(Reason::CredentialWrong)
            .with_cause("admin_secret after the first administrator signed in"));
    }
    Ok(StaffMember::Secret)
}
