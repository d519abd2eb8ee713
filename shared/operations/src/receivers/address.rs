//! Entering and removing the addresses of receivers.

use super::super::Context;
use super::super::clients::checked_url;
use super::super::incidents::close_incident;
use super::secrets::add_secret;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{IncidentKind, Receiver};
use store::{Database, Subject, Tx, message, receiver};
use vault::Zeroizing;

/// Sets or removes the address of a receiver. The operator's first address comes with a secret, which is shown only in
/// this answer; a client has its secret since it was created.
///
/// # Errors
/// [`Reason::UnknownReceiver`] for an unknown client; [`Reason::ParameterMalformed`] for an address that is not public
/// https, see `CallbackUrl`.
pub async fn enter_receiver_address<D: Database>(
    cx: &Context<'_, D>,
    to: &Receiver,
    url: Option<&str>,
    allow_http: bool,
) -> Result<Option<Zeroizing<String>>, Error> {
    let url = url.map(|url| checked_url("url", url, allow_http)).transpose()?;
    transaction(cx, async |tx| {
        if *to == Receiver::Operator && receiver::find(tx, to).await?.is_none() {
            return add_receiver(cx, tx, to, url).await.map(Some);
        }
        enter_address(cx, tx, to, url).await?;
        Ok(None)
    })
    .await
}

/// Adds a receiver with its first secret in the open transaction; returns the secret.
pub(crate) async fn add_receiver<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    url: Option<&str>,
) -> Result<Zeroizing<String>, Error> {
    receiver::insert(tx, to, url, cx.now).await?;
    add_secret(cx, tx, to, 1).await
}

/// Sets or removes an address in the open transaction. Entering the same address again resets its failures too:
/// waiting messages are sent from the beginning of the schedule.
pub(crate) async fn enter_address<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    url: Option<&str>,
) -> Result<(), Error> {
    if !receiver::enter(tx, to, url, cx.now).await? {
        return Err(Reason::UnknownReceiver.into());
    }
    if url.is_some() {
        message::restart(tx, to, cx.now).await?;
    }
    close_incident(
        cx,
        tx,
        IncidentKind::CallbackUndeliverable,
        &Subject::receiver(to),
    )
    .await
}
