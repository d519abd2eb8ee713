//! Entering addresses.

use super::super::Context;
use super::super::clients::checked_url;
use super::super::incidents::close_incident;
use super::secrets::add_secret;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{IncidentKind, Receiver};
use store::{Database, Subject, Tx, message, receiver};
use vault::Zeroizing;

/// Enters the address of a receiver, or none. The operator's first comes with a secret, which is shown this
/// once; a client has had its own since it was made.
///
/// # Errors
/// [`Reason::UnknownReceiver`] for a client that there is not; [`Reason::ParameterMalformed`] for an address that is
/// not public https, see `CallbackUrl`.
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

/// Adds a receiver with its first secret to the transaction under way; the secret.
pub(crate) async fn add_receiver<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    to: &Receiver,
    url: Option<&str>,
) -> Result<Zeroizing<String>, Error> {
    receiver::insert(tx, to, url, cx.now).await?;
    add_secret(cx, tx, to, 1).await
}

/// Enters an address, or none, in the transaction under way. Also the same again starts it afresh: what waited is sent,
/// from the beginning of the schedule.
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
