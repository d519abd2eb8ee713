//! §6.2.1.1: the account of a business system, with its secrets, addresses and permissions.

use super::super::Context;
use super::super::receivers::add_receiver;
use super::checks::{checked_name, checked_networks, checked_permissions, checked_phone, checked_url};
use super::secrets::{FIRST_GENERATION, new_secret};
use crate::transaction;
use domain::error::Error;
use domain::{ClientId, Receiver, UrlRules};
use store::{
    Database,
    client::{self, NewClientRow},
    client_secret,
};
use vault::{IndexKind, Zeroizing, hash_secret, random_bytes};

/// The values of a new account.
#[derive(Clone, Copy, Debug)]
pub struct NewClient<'a> {
    /// Name of the business system or its company.
    pub name: &'a str,
    /// Telephone number of its contact.
    pub phone: &'a str,
    /// Addresses or networks (CIDR) it may call from; at least one.
    pub ips: &'a [String],
    /// Names of the interfaces it may call; at least one.
    pub permissions: &'a [String],
    /// Where callbacks go; without it they are kept and not sent.
    pub callback_url: Option<&'a str>,
    /// Whether callbacks may use plain HTTP and special-purpose networks; for tests on one machine.
    pub allow_http_callback: bool,
}

/// A new account. Both secrets are shown only in this answer.
pub struct CreatedClient {
    /// Its identifier.
    pub client_id: ClientId,
    /// The secret with which it takes tokens.
    pub client_secret: Zeroizing<String>,
    /// The secret that signs callbacks to it, in the form of Standard Webhooks: `whsec_…`.
    pub callback_secret: Zeroizing<String>,
}

/// Creates an account with its first secret.
///
/// # Errors
/// `parameter_missing`, `parameter_too_long`, `parameter_malformed`, naming the field.
pub async fn create_client<D: Database>(
    cx: &Context<'_, D>,
    new: &NewClient<'_>,
) -> Result<CreatedClient, Error> {
    let name = checked_name(new.name)?;
    let phone = checked_phone(new.phone)?;
    let ips = checked_networks(new.ips)?;
    let permissions = checked_permissions(new.permissions)?;
    let callback_url = new
        .callback_url
        .map(|url| checked_url("callback_url", url, UrlRules::new(new.allow_http_callback, false)))
        .transpose()?;

    let id = ClientId::new(random_bytes(cx.random));
    let row = id.as_str().as_bytes();
    let secret = new_secret(cx);
    let stored = NewClientRow {
        id: &id,
        name,
        phone_index: cx.vault.blind_index(IndexKind::Phone, phone.as_bytes()).into(),
        phone_sealed: cx.vault.seal(cx.random, client::PHONE, row, phone.as_bytes())?,
        ips: serde_json::to_string(&ips).map_err(Error::internal)?,
        permissions: serde_json::to_string(&permissions).map_err(Error::internal)?,
    };
    let hash = hash_secret(&secret);
    let callback_secret = transaction(cx, async |tx| {
        client::insert(tx, &stored, cx.now).await?;
        client_secret::insert(tx, &id, FIRST_GENERATION, &hash, cx.now).await?;
        cx.note_object("client_id", id.as_str());
        add_receiver(cx, tx, &Receiver::Client(id.clone()), callback_url).await
    })
    .await?;
    Ok(CreatedClient {
        client_id: id,
        client_secret: secret,
        callback_secret,
    })
}
