//! API keys: with them a program does what its person may do. A person makes them for the own account, in a session: a key
//! that leaks cannot make others.

use super::rights::lock_staff;
use super::secrets::{KEY_PREFIX, new_secret};
use crate::clients::malformed;
use crate::{Context, StaffMember, transaction};
use domain::error::{Error, Reason};
use domain::{AccountId, ApiKeyId, DAY_MS, Timestamp};
use store::Database;
use store::staff::credential::{self, CredentialKind, NewCredentialRow};
use vault::{Zeroizing, hash_secret, random_bytes};

/// Most valid API keys of an account.
const MAX_API_KEYS: u32 = 16;
/// Most API keys that are shown, those that ended lately among them.
const MAX_SHOWN: u32 = 256;

/// A new API key.
pub struct CreatedApiKey {
    /// Its identifier.
    pub id: ApiKeyId,
    /// The key; shown only here.
    pub key: Zeroizing<String>,
    /// Its end.
    pub ends_at: Timestamp,
}

/// An API key, without its value.
#[derive(Clone, Debug)]
pub struct ApiKeyView {
    /// Its identifier.
    pub id: ApiKeyId,
    /// What it is for.
    pub label: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its end.
    pub ends_at: Timestamp,
    /// Its last use, to a minute.
    pub used_at: Option<Timestamp>,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// Whether it is valid.
    pub live: bool,
}

/// Makes an API key that is valid for `days`, at most for `max_days`.
///
/// # Errors
/// [`Reason::SessionNeeded`], [`Reason::ParameterMalformed`] for the days, [`Reason::TooMany`].
pub async fn create_api_key<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    label: &str,
    (days, max_days): (u32, u32),
) -> Result<CreatedApiKey, Error> {
    let StaffMember::Account {
        id: account,
        is_session: true,
        ..
    } = actor
    else {
        return Err(Reason::SessionNeeded.into());
    };
    if !(1..=max_days).contains(&days) {
        return Err(malformed(
            "days",
            &format!("应为 1 至 {max_days}"),
            &format!("1 to {max_days}"),
        ));
    }
    let key = new_secret(cx, KEY_PREFIX);
    let (id, ends_at) = (
        ApiKeyId::new(cx.now, random_bytes(cx.random)),
        cx.now.plus(i64::from(days) * DAY_MS),
    );
    let stored = NewCredentialRow {
        hash: &hash_secret(&key),
        id,
        account: *account,
        kind: CredentialKind::Key,
        label: Some(label),
        ends_at,
        idle_ms: None,
    };
    transaction(cx, async |tx| {
        lock_staff(tx, actor).await?;
        if credential::count_keys(tx, *account, cx.now).await? >= u64::from(MAX_API_KEYS) {
            let most = MAX_API_KEYS.to_string();
            return Err(Error::new(Reason::TooMany).with_detail(most.as_str(), most.as_str()));
        }
        cx.note_object("key_id", &id.text());
        Ok(credential::insert(tx, &stored, cx.now).await?)
    })
    .await?;
    Ok(CreatedApiKey { id, key, ends_at })
}

/// One's own API keys, the oldest first.
///
/// # Errors
/// [`Reason::SessionNeeded`] for whoever has no account.
pub async fn list_api_keys<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
) -> Result<Vec<ApiKeyView>, Error> {
    let rows = credential::keys(cx.db, own(actor)?, MAX_SHOWN).await?;
    let view = |row: credential::KeyRow| ApiKeyView {
        id: row.id,
        label: row.label,
        created_at: row.created_at,
        ends_at: row.ends_at,
        used_at: (row.used_at > row.created_at).then_some(row.used_at),
        revoked_at: row.revoked_at,
        live: row.revoked_at.is_none() && cx.now < row.ends_at,
    };
    Ok(rows.into_iter().map(view).collect())
}

/// Ends one of one's own API keys at once.
///
/// # Errors
/// [`Reason::UnknownApiKey`]; [`Reason::SessionNeeded`] for whoever has no account.
pub async fn revoke_api_key<D: Database>(
    cx: &Context<'_, D>,
    actor: &StaffMember,
    id: ApiKeyId,
) -> Result<(), Error> {
    let account = own(actor)?;
    transaction(cx, async |tx| {
        if credential::revoke_key(tx, account, id, cx.now).await? {
            Ok(())
        } else {
            Err(Reason::UnknownApiKey.into())
        }
    })
    .await
}

fn own(actor: &StaffMember) -> Result<AccountId, Error> {
    Ok(actor.account().ok_or(Reason::SessionNeeded)?)
}
