//! §7.2.1 and §7.1.2: access tokens. They are stateless and signed. Each use reads the client again, so that disabling
//! a client or changing its secret stops its tokens at once.
//!
//! Form: `v1.<client_id>.<secret generation>.<expiry, ms>.<base64url of the signature>`. Safe in a query.

use std::collections::BTreeMap;
use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipnet::IpNet;

use super::Context;
use super::call_rate::spend_calls;
use super::limits::{check_wrong_secrets, count_wrong_secret};
use super::transaction;
use domain::error::{Error, Reason};
use domain::{Budget, ClientId, MAX_CLOCK_SKEW_MS, Permission, Receiver, SECOND_MS, Timestamp};
use store::{
    Database,
    client::{self, ClientRow},
    client_secret::{self, SecretRow},
    receiver,
};
use vault::{hash_secret, is_keyed_hash};

/// How long a token is valid, in seconds (§7.1.2: 24 h).
pub const TOKEN_LIFETIME_SECS: i64 = 86_400;
/// Default limit of tokens a minute of a client.
pub const TOKENS_PER_MINUTE: u32 = 60;
/// Longest token, in bytes.
const MAX_TOKEN_BYTES: usize = 256;
/// Longest secret, in bytes.
const MAX_SECRET_BYTES: usize = 128;
/// Most live secrets of a client: the latest, and during a rotation the previous one.
pub(super) const MAX_LIVE_SECRETS: usize = 2;
const VERSION: &str = "v1";
/// Name of the token interface, in limits.
const TOKEN_INTERFACE: &str = "token";

/// A new token.
pub struct IssuedToken {
    /// What the client sends with its calls. Safe in a query string.
    pub token: String,
    /// Validity from now, in seconds.
    pub expire_time: i64,
    /// How many tokens the client may still take now.
    pub budget: Budget,
    /// Since when messages to the client's callback address are stopped, if they are.
    pub callbacks_stopped_at: Option<Timestamp>,
}

/// An authenticated client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its identifier.
    pub id: ClientId,
}

/// The client of a token.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who it is.
    pub caller: Caller,
    permissions: Vec<String>,
    limits: BTreeMap<String, u32>,
}

impl Verified {
    /// Whether the client may call what `permission` names.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.iter().any(|code| code == permission.code())
    }

    /// The client's own limit for an interface, in calls a minute, if it has one.
    #[must_use]
    pub fn calls_per_minute(&self, interface: &str) -> Option<u32> {
        self.limits.get(interface).copied()
    }
}

/// Exchanges identifier and secret for a token. During a rotation both live secrets are valid (§9.2.1). An address
/// that presents too many wrong secrets has to wait; other addresses of the same client do not.
///
/// # Errors
/// [`Reason::ClientUnknownOrSecretWrong`]; with the right secret [`Reason::ClientDisabled`] and
/// [`Reason::IpNotAllowed`]; [`Reason::RateLimited`].
pub async fn issue_token<D: Database>(
    cx: &Context<'_, D>,
    client_id: &str,
    client_secret: &str,
    ip: IpAddr,
) -> Result<IssuedToken, Error> {
    check_wrong_secrets(cx, ip)?;
    let id = ClientId::parse(client_id)
        .ok()
        .filter(|_| client_secret.len() <= MAX_SECRET_BYTES);
    let secrets = match &id {
        Some(id) => client_secret::of_client(cx.db, id).await?,
        None => Vec::new(),
    };
    let proven = proven(cx, client_secret, &secrets);
    let client = match (&id, proven) {
        (Some(id), Some(_)) => client::by_id(cx.db, id).await?,
        _ => None,
    };
    let (Some(client), Some(proven)) = (client, proven) else {
        count_wrong_secret(cx, ip)?;
        return Err(Error::new(Reason::ClientUnknownOrSecretWrong).with_cause("wrong credentials"));
    };
    let generation = proven.generation;
    cx.found.recognise(&client.id, generation);
    admitted(&client, ip)?;
    let limit = limit_of(&client, TOKEN_INTERFACE)?.unwrap_or(TOKENS_PER_MINUTE);
    let (_, budget) = spend_calls(cx, &client.id, TOKEN_INTERFACE, limit, 1)?;
    let address = receiver::find(cx.db, &Receiver::Client(client.id.clone())).await?;
    let expires = cx.now.plus(TOKEN_LIFETIME_SECS * SECOND_MS).millis();
    let payload = format!("{VERSION}.{}.{generation}.{expires}", client.id.as_str());
    let signature = URL_SAFE_NO_PAD.encode(cx.vault.sign_token(payload.as_bytes())?);
    if is_keyed_hash(&proven.hash) {
        // What could not be stored now is stored with the next token.
        let _ = store_anew(cx, &client.id, proven, client_secret).await;
    }
    Ok(IssuedToken {
        token: format!("{payload}.{signature}"),
        expire_time: TOKEN_LIFETIME_SECS,
        budget,
        callbacks_stopped_at: address.and_then(|row| row.stopped).map(|(at, _)| at),
    })
}

/// Stores the hash of a secret of an earlier version without the index key, so that this key can be changed.
async fn store_anew<D: Database>(
    cx: &Context<'_, D>,
    client: &ClientId,
    proven: &SecretRow,
    secret: &str,
) -> Result<(), Error> {
    let hash = hash_secret(secret);
    transaction(cx, async |tx| {
        Ok(client_secret::store_anew(tx, client, proven, &hash).await?)
    })
    .await
}

/// The live secret that was presented. An unknown client takes as many comparisons as a known one, so that the time
/// taken reveals nothing.
fn proven<'a, D>(cx: &Context<'_, D>, presented: &str, secrets: &'a [SecretRow]) -> Option<&'a SecretRow> {
    let mut live = secrets.iter().filter(|secret| secret.is_live(cx.now));
    let mut found = None;
    for _ in 0..MAX_LIVE_SECRETS {
        let secret = live.next();
        let hash = secret.map_or(&[][..], |secret| &secret.hash);
        if cx.vault.verify_secret(presented, hash) {
            found = found.or(secret);
        }
    }
    found
}

/// Authenticates the client of a token and checks that it may call from `ip`.
///
/// # Errors
/// [`Reason::TokenInvalid`] (also when the client does not exist any more, or the token or its secret was revoked),
/// [`Reason::TokenExpired`], [`Reason::ClientDisabled`], [`Reason::IpNotAllowed`].
pub async fn verify_token<D: Database>(
    cx: &Context<'_, D>,
    token: &str,
    ip: IpAddr,
) -> Result<Verified, Error> {
    let claims = read(cx, token)?;
    cx.found.recognise(&claims.client, claims.generation);
    let issued = claims.expires.plus(-TOKEN_LIFETIME_SECS * SECOND_MS);
    // One that was issued in the future comes from a clock that was set back since; it would be valid for too long.
    if cx.now >= claims.expires || issued > cx.now.plus(MAX_CLOCK_SKEW_MS) {
        return Err(Reason::TokenExpired.into());
    }
    let found = client_secret::with_client(cx.db, &claims.client, claims.generation).await?;
    let (client, secret) = found.ok_or(Reason::TokenInvalid)?;
    if !secret.is_live(cx.now) || issued < client.tokens_from {
        return Err(Reason::TokenInvalid.into());
    }
    admitted(&client, ip)?;
    Ok(Verified {
        permissions: serde_json::from_str(&client.permissions).map_err(Error::internal)?,
        limits: serde_json::from_str(&client.limits).map_err(Error::internal)?,
        caller: Caller { id: client.id },
    })
}

/// The client's own limit for an interface, if it has one.
pub(super) fn limit_of(client: &ClientRow, interface: &str) -> Result<Option<u32>, Error> {
    let limits: BTreeMap<&str, u32> = serde_json::from_str(&client.limits).map_err(Error::internal)?;
    Ok(limits.get(interface).copied())
}

/// The content of a token.
struct Claims {
    client: ClientId,
    generation: i64,
    expires: Timestamp,
}

/// Reads a token. Its content is used only after its signature is verified.
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
            expires: Timestamp(expires.parse().map_err(|_| Reason::TokenInvalid)?),
        }),
        _ => Err(Reason::TokenInvalid.into()),
    }
}

/// Checks that the client is active and calls from an address on its list (§5.3.2.2). An IPv4 address in IPv6 form
/// counts as IPv4.
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
