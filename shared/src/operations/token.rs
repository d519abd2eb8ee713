//! §7.2.1 and §7.1.2: tokens. Stateless and signed; the client behind one is read again on each use, so
//! that disabling a client or changing its secret stops its tokens at once.
//!
//! Form: `v1.<client_id>.<secret generation>.<expiry, s>.<base64url of the signature>`. Safe in a query.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipnet::IpNet;

use super::Context;
use crate::domain::{ClientId, Permission};
use crate::error::{Error, Reason};
use crate::store::{
    Database,
    client::{self, ClientRow},
};

/// How long a token is valid, in seconds (§7.1.2: 24 h).
pub const TOKEN_LIFETIME_SECS: i64 = 86_400;
/// Longest token, in bytes.
pub const MAX_TOKEN_BYTES: usize = 256;
/// Longest secret, in bytes.
const MAX_SECRET_BYTES: usize = 128;
const VERSION: &str = "v1";

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
/// [`Reason::ClientUnknownOrSecretWrong`], and only with the right secret [`Reason::ClientDisabled`] and
/// [`Reason::IpNotAllowed`].
pub async fn issue_token<D: Database>(
    cx: &Context<'_, D>,
    client_id: &str,
    client_secret: &str,
    ip: IpAddr,
) -> Result<IssuedToken, Error> {
    let client = match ClientId::parse(client_id) {
        Ok(id) if client_secret.len() <= MAX_SECRET_BYTES => client::by_id(cx.db, &id).await?,
        _ => None,
    };
    // Compared also when there is no such client, so that the time taken does not tell.
    let hash = client.as_ref().map_or(&[][..], |client| &client.secret_hash);
    let right = cx.vault.verify_secret(client_secret, hash);
    let client = client
        .filter(|_| right)
        .ok_or(Reason::ClientUnknownOrSecretWrong)?;
    admitted(&client, ip)?;
    let expires = cx.now.seconds().saturating_add(TOKEN_LIFETIME_SECS);
    let payload = format!(
        "{VERSION}.{}.{}.{expires}",
        client.id.as_str(),
        client.secret_generation
    );
    let signature = URL_SAFE_NO_PAD.encode(cx.vault.sign_token(payload.as_bytes())?);
    Ok(IssuedToken {
        token: format!("{payload}.{signature}"),
        expire_time: TOKEN_LIFETIME_SECS,
    })
}

/// Recognises the client behind a token and verifies that it may call from `ip` what `permission` names.
///
/// # Errors
/// [`Reason::TokenInvalid`] (also when the client is gone or has a new secret), [`Reason::TokenExpired`],
/// [`Reason::ClientDisabled`], [`Reason::IpNotAllowed`], [`Reason::PermissionMissing`].
pub async fn verify_token<D: Database>(
    cx: &Context<'_, D>,
    token: &str,
    ip: IpAddr,
    permission: Permission,
) -> Result<Caller, Error> {
    let claims = read(cx, token)?;
    if cx.now.seconds() >= claims.expires {
        return Err(Reason::TokenExpired.into());
    }
    let client = client::by_id(cx.db, &claims.client)
        .await?
        .ok_or(Reason::TokenInvalid)?;
    if client.secret_generation != claims.generation {
        return Err(Reason::TokenInvalid.into());
    }
    admitted(&client, ip)?;
    let permissions: Vec<String> = serde_json::from_str(&client.permissions).map_err(Error::internal)?;
    if !permissions.iter().any(|name| name == permission.code()) {
        return Err(Error::new(Reason::PermissionMissing).with_detail(permission.code(), permission.code()));
    }
    Ok(Caller { id: client.id })
}

/// What a token says.
struct Claims {
    client: ClientId,
    generation: i64,
    expires: i64,
}

/// Reads a token; nothing in it is believed before its signature is verified.
fn read<D>(cx: &Context<'_, D>, token: &str) -> Result<Claims, Error> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Reason::TokenInvalid.into());
    }
    let (payload, signature) = token.rsplit_once('.').ok_or(Reason::TokenInvalid)?;
    let signature = URL_SAFE_NO_PAD
        .decode(signature)
        .map_err(|_| Reason::TokenInvalid)?;
    if !cx.vault.verify_token_signature(payload.as_bytes(), &signature)? {
        return Err(Reason::TokenInvalid.into());
    }
    let mut parts = payload.split('.');
    match (
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
        parts.next(),
    ) {
        (Some(VERSION), Some(client), Some(generation), Some(expires), None) => Ok(Claims {
            client: ClientId::parse(client).map_err(|_| Reason::TokenInvalid)?,
            generation: generation.parse().map_err(|_| Reason::TokenInvalid)?,
            expires: expires.parse().map_err(|_| Reason::TokenInvalid)?,
        }),
        _ => Err(Reason::TokenInvalid.into()),
    }
}

/// An active client that calls from an address on its list (§5.3.2.2). An IPv4 address that arrives in
/// IPv6 form counts as itself.
fn admitted(client: &ClientRow, ip: IpAddr) -> Result<(), Error> {
    if !client.active {
        return Err(Reason::ClientDisabled.into());
    }
    let networks: Vec<IpNet> = serde_json::from_str::<Vec<String>>(&client.ips)
        .map_err(Error::internal)?
        .iter()
        .map(|text| text.parse().map_err(Error::internal))
        .collect::<Result<_, Error>>()?;
    let ip = ip.to_canonical();
    if networks.iter().any(|network| network.contains(&ip)) {
        Ok(())
    } else {
        Err(Reason::IpNotAllowed.into())
    }
}
