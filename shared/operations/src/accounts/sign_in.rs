//! A person signs in with password and one-time code, and gets a session.
//!
//! Whatever is wrong has the same answer: an unknown name, a wrong password, a wrong or used code, a disabled account. An
//! unknown name takes as long as a wrong password.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::rights::rights_of_account;
use super::secrets::{SESSION_PREFIX, is_secret, new_secret};
use super::throttle::attempt;
use crate::audit::record_of_person;
use crate::staff::account_text;
use crate::{Context, transaction};
use domain::error::{Error, Reason};
use domain::{AccountId, ApiKeyId, DAY_MS, Right, Timestamp};
use store::staff::account::{self, AccountRow};
use store::staff::credential::{self, CredentialKind, NewCredentialRow};
use store::{Database, lock};
use vault::{Zeroizing, hash_secret, random_bytes, totp_step, verify_password};

/// Sessions and API keys are forgotten so many days after their end, when their person signs in.
const ENDED_KEPT_DAYS: i64 = 90;

/// Of whom a one-time code is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactor {
    /// Of accounts with a right to change something.
    Changes,
    /// Of every account.
    All,
    /// Of none.
    Off,
}

impl SecondFactor {
    fn is_needed(self, rights: &BTreeSet<Right>) -> bool {
        match self {
            Self::Changes => rights.iter().any(|right| right.changes()),
            Self::All => true,
            Self::Off => false,
        }
    }
}

/// How people sign in.
#[derive(Clone, Copy, Debug)]
pub struct SignInSettings {
    /// How long a session is valid, in milliseconds.
    pub session_ms: i64,
    /// How long it may lie unused, in milliseconds.
    pub idle_ms: i64,
    /// How long an API key is valid at most, in days.
    pub api_key_days: u32,
    /// Of whom a one-time code is asked.
    pub second_factor: SecondFactor,
}

/// What a person presents.
#[derive(Clone, Copy)]
pub struct SignIn<'a> {
    /// Sign-in name.
    pub sign_in_name: &'a str,
    /// Password.
    pub password: &'a str,
    /// One-time code of the second factor.
    pub code: Option<&'a str>,
    /// Address of the caller.
    pub from: IpAddr,
}

/// A session.
pub struct SignedIn {
    /// What the person sends with its calls; shown only here.
    pub session: Zeroizing<String>,
    /// Its end.
    pub ends_at: Timestamp,
    /// How long it may lie unused, in milliseconds.
    pub idle_ms: i64,
    /// Whose it is.
    pub account: AccountId,
    /// Name of the person.
    pub name: String,
    /// The codes of the account's roles.
    pub roles: Vec<String>,
    /// What they permit.
    pub rights: BTreeSet<Right>,
}

/// Signs a person in. Each one-time code is taken once.
///
/// # Errors
/// [`Reason::SignInRefused`]; [`Reason::RateLimited`] after too many failed attempts with the name or from the address.
pub async fn sign_in<D: Database>(
    cx: &Context<'_, D>,
    presented: SignIn<'_>,
    settings: &SignInSettings,
) -> Result<SignedIn, Error> {
    let attempt = attempt(cx, Some(presented.sign_in_name), presented.from)?;
    let found = account::by_sign_in_name(cx.db, presented.sign_in_name).await?;
    let hash = found.as_ref().and_then(|row| row.password_hash.as_deref());
    let is_right = verify_password(presented.password, hash)?;
    let found = found.filter(|row| is_right && row.active);
    let found = found.ok_or(Reason::SignInRefused)?;
    let (roles, rights) = rights_of_account(cx.db, found.id).await?;
    let step = match presented.code {
        Some(code) => Some(step(cx, &found, code)?),
        None if settings.second_factor.is_needed(&rights) => return Err(Reason::SignInRefused.into()),
        None => None,
    };
    let row = found.id.text();
    let name = cx
        .vault
        .open_identifier(account::NAME, row.as_bytes(), &found.name_sealed)?;
    let session = new_secret(cx, SESSION_PREFIX);
    let ends_at = cx.now.plus(settings.session_ms);
    let stored = NewCredentialRow {
        hash: &hash_secret(&session),
        id: ApiKeyId::new(cx.now, random_bytes(cx.random)),
        account: found.id,
        kind: CredentialKind::Session,
        label: None,
        ends_at,
        idle_ms: Some(settings.idle_ms),
    };
    transaction(cx, async |tx| {
        // Who is the first system administrator to sign in decides what admin_secret opens.
        lock::staff(tx).await?;
        if !account::sign_in(tx, &found, step, cx.now).await? {
            return Err(Reason::SignInRefused.into());
        }
        let person = account_text(found.id);
        let sign_in = (person.as_str(), "sign_in", Some(presented.from));
        credential::forget(tx, found.id, cx.now.plus(-ENDED_KEPT_DAYS * DAY_MS)).await?;
        credential::insert(tx, &stored, cx.now).await?;
        record_of_person(cx, tx, sign_in, found.id).await
    })
    .await?;
    attempt.succeeded(cx);
    Ok(SignedIn {
        session,
        ends_at,
        idle_ms: settings.idle_ms,
        account: found.id,
        name,
        roles,
        rights,
    })
}

/// The step of time of a one-time code that was not taken before.
fn step<D>(cx: &Context<'_, D>, found: &AccountRow, code: &str) -> Result<i64, Error> {
    let sealed = found.totp_sealed.as_deref().ok_or(Reason::SignInRefused)?;
    let secret = cx.vault.open(account::TOTP, found.id.text().as_bytes(), sealed)?;
    let step = totp_step(&secret, code, cx.now.millis());
    Ok(step
        .filter(|step| *step > found.totp_step)
        .ok_or(Reason::SignInRefused)?)
}

/// Ends a session.
///
/// # Errors
/// [`Reason::CredentialEnded`] when there is no such session.
pub async fn sign_out<D: Database>(cx: &Context<'_, D>, session: &str) -> Result<(), Error> {
    if !is_secret(session, SESSION_PREFIX) {
        return Err(Reason::CredentialEnded.into());
    }
    let hash = hash_secret(session);
    transaction(cx, async |tx| {
        if credential::revoke_session(tx, &hash, cx.now).await? {
            Ok(())
        } else {
            Err(Reason::CredentialEnded.into())
        }
    })
    .await
}
