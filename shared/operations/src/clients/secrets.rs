//! §9.2.1: rotation of client secrets: a new secret is made, both are valid for an overlap, then only the new one.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::Context;
use super::super::token::MAX_LIVE_SECRETS;
use super::checks::malformed;
use super::freeze::receives;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{ClientId, SECOND_MS, Timestamp};
use store::{Database, client, client_secret, lock};
use vault::{Zeroizing, hash_secret, random_bytes};

/// Random bytes in each secret.
const SECRET_BYTES: usize = 32;
/// Prefix of a client secret, by which a leaked one is recognised.
const SECRET_PREFIX: &str = "xks_";
/// Generation of a client's first secret.
pub(super) const FIRST_GENERATION: i64 = 1;
/// Default overlap of two secrets, in seconds.
pub const OVERLAP_SECS: u32 = 86_400;
/// Longest overlap, in seconds: 30 days.
pub(crate) const MAX_OVERLAP_SECS: u32 = 2_592_000;

/// A new secret, and the end of the previous one.
pub struct RotatedSecret {
    /// The new secret; shown only in this answer.
    pub client_secret: Zeroizing<String>,
    /// Number among the client's secrets, from 1.
    pub generation: i64,
    /// When the previous secret ends, if there is one.
    pub previous_expires_at: Option<Timestamp>,
}

/// A new random secret.
pub(super) fn new_secret<D>(cx: &Context<'_, D>) -> Zeroizing<String> {
    let key = Zeroizing::new(random_bytes::<SECRET_BYTES>(cx.random));
    Zeroizing::new(format!(
        "{SECRET_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(key.as_slice())
    ))
}

/// Gives a client a new secret. The previous one, and tokens taken with it, stay valid for `overlap_secs`; 0 ends them
/// at once.
///
/// # Errors
/// [`Reason::UnknownClient`]; [`Reason::ClientClosed`]; [`Reason::SecretsInRotation`] while two secrets are live; [`Reason::ParameterMalformed`]
/// for the overlap.
pub async fn rotate_secret<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    overlap_secs: u32,
) -> Result<RotatedSecret, Error> {
    if overlap_secs > MAX_OVERLAP_SECS {
        return Err(malformed(
            "overlap_secs",
            &format!("最多 {MAX_OVERLAP_SECS} 秒"),
            &format!("at most {MAX_OVERLAP_SECS} seconds"),
        ));
    }
    let secret = new_secret(cx);
    let hash = hash_secret(&secret);
    let (generation, previous_expires_at) = transaction(cx, async |tx| {
        lock::client(tx, client).await?;
        receives(tx, client).await?;
        let secrets = client_secret::of_client(tx, client).await?;
        let live: Vec<_> = secrets.iter().filter(|secret| secret.is_live(cx.now)).collect();
        if live.len() >= MAX_LIVE_SECRETS {
            return Err(Reason::SecretsInRotation.into());
        }
        let end = cx.now.plus(i64::from(overlap_secs) * SECOND_MS);
        let mut previous_expires_at = None;
        if let Some(previous) = live.first() {
            // A secret that ends earlier keeps its end.
            let expires = previous.expires_at.map_or(end, |earlier| earlier.min(end));
            client_secret::expire(tx, client, previous.generation, expires).await?;
            previous_expires_at = Some(expires);
        }
        let latest = secrets.first().map(|secret| secret.generation);
        let generation = latest.map_or(FIRST_GENERATION, |latest| latest + 1);
        client_secret::insert(tx, client, generation, &hash, cx.now).await?;
        Ok((generation, previous_expires_at))
    })
    .await?;
    Ok(RotatedSecret {
        client_secret: secret,
        generation,
        previous_expires_at,
    })
}

/// Revokes a secret, and every token taken with it, at once.
///
/// # Errors
/// [`Reason::UnknownSecret`] when the client has no such live secret.
pub async fn revoke_secret<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    generation: i64,
) -> Result<(), Error> {
    transaction(cx, async |tx| {
        if client_secret::revoke(tx, client, generation, cx.now).await? {
            Ok(())
        } else {
            Err(Reason::UnknownSecret.into())
        }
    })
    .await
}

/// Revokes every token of a client at once; its secrets stay valid for new tokens.
///
/// # Errors
/// [`Reason::UnknownClient`].
pub async fn revoke_tokens<D: Database>(cx: &Context<'_, D>, client: &ClientId) -> Result<(), Error> {
    transaction(cx, async |tx| {
        // A token of the same millisecond is revoked too.
        if client::refuse_tokens_before(tx, client, cx.now.plus(1), cx.now).await? {
            Ok(())
        } else {
            Err(Reason::UnknownClient.into())
        }
    })
    .await
}
