//! §6.2.1.1: the account of a business system, with its secrets, addresses and permissions.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ipnet::IpNet;

use super::Context;
use super::sign::secret_text;
use crate::domain::{CallbackUrl, ClientId, Permission};
use crate::error::{Error, Reason};
use crate::store::{
    Database,
    client::{self, NewClientRow},
    client_secret, transaction,
};
use crate::vault::{IndexKind, Zeroizing, random_bytes};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Most networks of one client.
const MAX_NETWORKS: usize = 64;
/// Digits of a telephone number, without `+`.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;
/// Random bytes in each secret.
const SECRET_BYTES: usize = 32;
/// What a client secret starts with, so that a leaked one is recognised.
const SECRET_PREFIX: &str = "xks_";
/// Generation of a client's first secret.
const FIRST_GENERATION: i64 = 1;

/// What an account is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewClient<'a> {
    /// Name of the business system or its company.
    pub name: &'a str,
    /// Telephone number it registers with.
    pub phone: &'a str,
    /// Addresses or networks (CIDR) it may call from; at least one.
    pub ips: &'a [String],
    /// Names of the interfaces it may call; at least one.
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

/// Creates an account with its first secret.
///
/// # Errors
/// [`Reason::ParameterMissing`], [`Reason::ParameterTooLong`], [`Reason::ParameterMalformed`], naming the field.
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
        .map(|url| checked_url(url, new.allow_http_callback))
        .transpose()?;

    let id = ClientId::new(random_bytes(cx.random));
    let row = id.as_str().as_bytes();
    let client_key = Zeroizing::new(random_bytes::<SECRET_BYTES>(cx.random));
    let secret = Zeroizing::new(format!(
        "{SECRET_PREFIX}{}",
        URL_SAFE_NO_PAD.encode(client_key.as_slice())
    ));
    let callback_key = Zeroizing::new(random_bytes::<SECRET_BYTES>(cx.random));
    let callback_secret = secret_text(callback_key.as_slice());
    let stored = NewClientRow {
        id: &id,
        name,
        phone_index: cx.vault.blind_index(IndexKind::Phone, phone.as_bytes()).into(),
        phone_sealed: cx.vault.seal(cx.random, client::PHONE, row, phone.as_bytes())?,
        ips: serde_json::to_string(&ips).map_err(Error::internal)?,
        permissions: serde_json::to_string(&permissions).map_err(Error::internal)?,
        callback_url,
        callback_secret_sealed: cx.vault.seal(
            cx.random,
            client::CALLBACK_SECRET,
            row,
            callback_secret.as_bytes(),
        )?,
    };
    let hash = cx.vault.hash_secret(&secret);
    transaction(cx.db, async |db| {
        client::insert(db, stored, cx.now).await?;
        client_secret::insert(db, &id, FIRST_GENERATION, &hash, cx.now).await
    })
    .await?;
    Ok(CreatedClient {
        client_id: id,
        client_secret: secret,
        callback_secret,
    })
}

fn malformed(field: &str, zh: &str, en: &str) -> Error {
    Error::new(Reason::ParameterMalformed).with_detail(format!("{field}，{zh}"), format!("{field}, {en}"))
}

fn missing(field: &str) -> Error {
    Error::new(Reason::ParameterMissing).with_detail(field, field)
}

fn too_long(field: &str) -> Error {
    Error::new(Reason::ParameterTooLong).with_detail(field, field)
}

fn checked_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if name.is_empty() {
        return Err(missing("name"));
    }
    if name.chars().count() > MAX_NAME_CHARS {
        return Err(too_long("name"));
    }
    if name.chars().any(char::is_control) {
        return Err(malformed(
            "name",
            "不得含控制字符",
            "control characters are not allowed",
        ));
    }
    Ok(name)
}

fn checked_phone(phone: &str) -> Result<&str, Error> {
    let phone = phone.trim();
    if phone.is_empty() {
        return Err(missing("phone"));
    }
    let digits = phone.strip_prefix('+').unwrap_or(phone);
    if PHONE_DIGITS.contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) {
        Ok(phone)
    } else {
        Err(malformed(
            "phone",
            "应为 5 至 15 位数字，可以 + 开头",
            "5 to 15 digits, optionally after +",
        ))
    }
}

/// Networks in their canonical form; a lone address is a network of one.
fn checked_networks(ips: &[String]) -> Result<Vec<String>, Error> {
    if ips.is_empty() {
        return Err(missing("ips"));
    }
    if ips.len() > MAX_NETWORKS {
        return Err(too_long("ips"));
    }
    let parse = |text: &String| {
        let text = text.trim();
        let network = text.parse::<IpNet>().ok();
        let network = network.or_else(|| {
            text.parse::<IpAddr>()
                .ok()
                .map(|ip| IpNet::from(ip.to_canonical()))
        });
        let wrong = || malformed("ips", "应为 IP 地址或 CIDR 网段", "IP addresses or CIDR networks");
        network
            .map(|network| network.trunc().to_string())
            .ok_or_else(wrong)
    };
    ips.iter().map(parse).collect()
}

fn checked_permissions(names: &[String]) -> Result<Vec<&'static str>, Error> {
    if names.is_empty() {
        return Err(missing("permissions"));
    }
    let mut permissions = Vec::new();
    for name in names {
        let permission =
            Permission::parse(name).map_err(|wrong| malformed("permissions", wrong.zh, wrong.en))?;
        if !permissions.contains(&permission.code()) {
            permissions.push(permission.code());
        }
    }
    Ok(permissions)
}

fn checked_url(url: &str, allow_http: bool) -> Result<&str, Error> {
    match CallbackUrl::parse(url, allow_http) {
        Ok(_) => Ok(url),
        Err(wrong) => Err(malformed("callback_url", wrong.zh, wrong.en)),
    }
}
