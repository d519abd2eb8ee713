//! §9.2.2: rotation of signing secrets: a new secret is made, both sign for an overlap, then only the new one.

use super::super::Context;
use super::super::clients::{MAX_OVERLAP_SECS, malformed};
use super::super::messages::{Key, secret_key, secret_text};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Receiver, SECOND_MS, Timestamp};
use store::{Database, Tx, lock, receiver, receiver_secret};
use vault::{Zeroizing, random_bytes};

/// Random bytes in each secret.
const SECRET_BYTES: usize = 32;

/// A new secret, and the end of the previous one.
pub struct RotatedReceiverSecret {
    /// The new secret, `whsec_…`; shown only in this answer.
    pub secret: Zeroizing<String>,
    /// Number among the receiver's secrets, from 1.
    pub generation: i64,
    /// Until when the previous secret signs too.
    pub previous_expires_at: Option<Timestamp>,
}

/// Gives a receiver a new secret. The previous one also signs for `overlap_secs`; 0 ends it at once. While two are
/// live, `replace` puts the new secret in the place of the newest, which was lost or leaked; the other one keeps its
/// end.
///
/// # Errors
/// [`Reason::UnknownReceiver`]; [`Reason::SecretsInRotation`] while two secrets are live;
/// [`Reason::ParameterMalformed`] for the overlap.
pub async fn rotate_receiver_secret<D: Database>(
    cx: &Context<'_, D>,
    to: &Receiver,
    overlap_secs: u32,
    replace: bool,
) -> Result<RotatedReceiverSecret, Error> {
    if overlap_secs > MAX_OVERLAP_SECS {
        return Err(malformed(
            "overlap_secs",
            &format!("最多 {MAX_OVERLAP_SECS} 秒"),
            &format!("at most {MAX_OVERLAP_SECS} seconds"),
        ));
    }
    transaction(cx, async |tx| {
        lock::receiver(tx, to).await?;
        receiver::find(tx, to).await?.ok_or(Reason::UnknownReceiver)?;
        let secrets = receiver_secret::latest(tx, to).await?;
        let live: Vec<_> = secrets.iter().filter(|secret| secret.is_live(cx.now)).collect();
        let mut previous_expires_at = None;
        match live.as_slice() {
            [newest, before, ..] if replace => {
                receiver_secret::expire(tx, to, newest.generation, cx.now).await?;
                previous_expires_at = before.expires_at;
            }
            [_, _, ..] => return Err(Reason::SecretsInRotation.into()),
            [previous] => {
                let end = cx.now.plus(i64::from(overlap_secs) * SECOND_MS);
                receiver_secret::expire(tx, to, previous.generation, end).await?;
                previous_expires_at = Some(end);
            }
            [] => {}
        }
        let generation = secrets.first().map_or(1, |latest| latest.generation + 1);
        Ok(RotatedReceiverSecret {
            secret: add_secret(cx, tx, to, generation).await?,
            generation,
            previous_expires_at,
        })
    })
    .await
}

/// Adds a new random secret in the open transaction.
pub(super) async fn add_secret<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    generation: i64,
) -> Result<Zeroizing<String>, Error> {
    let key = Zeroizing::new(random_bytes::<SECRET_BYTES>(cx.random));
    let text = secret_text(key.as_slice());
    let row = to.code().as_bytes();
    let sealed = cx
        .vault
        .seal(cx.random, receiver_secret::SECRET, row, text.as_bytes())?;
    receiver_secret::insert(tx, to, generation, sealed, cx.now).await?;
    Ok(text)
}

/// The keys that sign messages to a receiver now, the newest first.
pub(crate) async fn live_keys<D: Database>(cx: &Context<'_, D>, to: &Receiver) -> Result<Vec<Key>, Error> {
    let row = to.code().as_bytes();
    let secrets = receiver_secret::latest(cx.db, to).await?;
    let live = secrets.iter().filter(|secret| secret.is_live(cx.now));
    live.map(|secret| {
        let text = cx
            .vault
            .open_text(receiver_secret::SECRET, row, &secret.secret_sealed)?;
        secret_key(&text)
    })
    .collect()
}
