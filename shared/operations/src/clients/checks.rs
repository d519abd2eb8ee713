//! The rules for the fields of an account; each refusal names the field.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ipnet::IpNet;

use domain::error::{Error, Reason};
use domain::{CallbackUrl, MAX_CALLS_PER_MINUTE, Permission, UrlRules};

/// Longest name, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Most networks of one client.
const MAX_NETWORKS: usize = 64;
/// Digits of a telephone number, without `+`.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 5..=15;
/// The interface that needs no permission but has a limit.
const TOKEN_INTERFACE: &str = "token";

pub(crate) fn malformed(field: &'static str, zh: &str, en: &str) -> Error {
    Error::new(Reason::ParameterMalformed)
        .with_detail(format!("{field}，{zh}"), format!("{field}, {en}"))
        .with_field(field)
}

fn missing(field: &'static str) -> Error {
    Error::new(Reason::ParameterMissing).with_field(field)
}

fn too_long(field: &'static str) -> Error {
    Error::new(Reason::ParameterTooLong).with_field(field)
}

pub(super) fn checked_name(name: &str) -> Result<&str, Error> {
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

pub(super) fn checked_phone(phone: &str) -> Result<&str, Error> {
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

/// Networks in their canonical form; a single address is a network of one.
pub(super) fn checked_networks(ips: &[String]) -> Result<Vec<String>, Error> {
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

pub(super) fn checked_permissions(names: &[String]) -> Result<Vec<&'static str>, Error> {
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

pub(crate) fn checked_url<'a>(field: &'static str, url: &'a str, rules: UrlRules) -> Result<&'a str, Error> {
    match CallbackUrl::parse(url, rules) {
        Ok(_) => Ok(url),
        Err(wrong) => Err(malformed(field, wrong.zh, wrong.en)),
    }
}

/// Limits in calls a minute by interface, as they are stored.
pub(super) fn checked_limits(limits: &BTreeMap<String, u32>) -> Result<String, Error> {
    for (interface, calls) in limits {
        if interface != TOKEN_INTERFACE {
            Permission::parse(interface).map_err(|wrong| malformed("limits", wrong.zh, wrong.en))?;
        }
        if !(1..=MAX_CALLS_PER_MINUTE).contains(calls) {
            return Err(malformed(
                "limits",
                &format!("每分钟次数应为 1 至 {MAX_CALLS_PER_MINUTE}"),
                &format!("1 to {MAX_CALLS_PER_MINUTE} calls a minute"),
            ));
        }
    }
    serde_json::to_string(limits).map_err(Error::internal)
}
