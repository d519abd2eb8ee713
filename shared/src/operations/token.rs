//! §7.2.1 and §7.1.2: tokens. Stateless and signed; the client behind one is read again on each use.

use std::net::IpAddr;

use super::Context;
use crate::domain::{ClientId, Permission};
use crate::error::{Error, Reason};
use crate::store::Database;

/// How long a token is valid, in seconds (§7.1.2: 24 h).
pub const TOKEN_LIFETIME_SECS: i64 = 86_400;

/// A fresh token.
pub struct IssuedToken {
    /// What the client sends with its calls. Safe in a query string.
    pub token: String,
    /// Validity from now, in seconds.
    pub expire_time: i64,
}

/// A client that proved who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its identifier.
    pub id: ClientId,
}

/// Exchanges identifier and secret for a token.
///
/// # Errors
/// [`Reason::ClientUnknownOrSecretWrong`], [`Reason::ClientDisabled`], [`Reason::IpNotAllowed`].
pub async fn issue_token<D: Database>(
    cx: &Context<'_, D>,
    client_id: &str,
    client_secret: &str,
    ip: IpAddr,
) -> Result<IssuedToken, Error> {
    let _ = (cx, client_id, client_secret, ip);
    Err(Reason::Unavailable.into())
}

/// Recognises the client behind a token and verifies that it may call from `ip` what `permission` names.
///
/// # Errors
/// [`Reason::TokenInvalid`], [`Reason::TokenExpired`], [`Reason::ClientDisabled`],
/// [`Reason::IpNotAllowed`], [`Reason::PermissionMissing`].
pub async fn verify_token<D: Database>(
    cx: &Context<'_, D>,
    token: &str,
    ip: IpAddr,
    permission: Permission,
) -> Result<Caller, Error> {
    let _ = (cx, token, ip, permission);
    Err(Reason::Unavailable.into())
}
