//! §6.2.1.1: the account of a business system, with its secrets, addresses and permissions.

use super::Context;
use crate::domain::ClientId;
use crate::error::{Error, Reason};
use crate::store::Database;
use crate::vault::Zeroizing;

/// What an account is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewClient<'a> {
    /// Name of the business system or its company.
    pub name: &'a str,
    /// Telephone number it registers with.
    pub phone: &'a str,
    /// Addresses or networks (CIDR) it may call from.
    pub ips: &'a [String],
    /// Names of the interfaces it may call.
    pub permissions: &'a [String],
    /// Where callbacks go; without one there are none.
    pub callback_url: Option<&'a str>,
    /// Whether a callback may go over plain HTTP; for tests on one machine.
    pub allow_http_callback: bool,
}

/// A new account. Both secrets are shown this once and can never be read again.
pub struct CreatedClient {
    /// Its identifier.
    pub client_id: ClientId,
    /// What it proves itself with when taking a token.
    pub client_secret: Zeroizing<String>,
    /// What callbacks to it are signed with, in the form of Standard Webhooks: `whsec_…`.
    pub callback_secret: Zeroizing<String>,
}

/// Creates an account.
///
/// # Errors
/// Parameter reasons that name the parameter.
pub async fn create_client<D: Database>(cx: &Context<'_, D>, new: &NewClient<'_>) -> Result<CreatedClient, Error> {
    let _ = (cx, new);
    Err(Reason::Unavailable.into())
}
