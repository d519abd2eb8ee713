//! Callback addresses (§5.3.2.2, §7.3): which ones an administrator may enter.
//!
//! The platform calls these addresses from inside its own network, so an address that points back inside is refused
//! when it is entered. Names are judged by their spelling only. What a public name resolves to is checked by the host
//! after resolution: `block_networks` in `runtime-config/` blocks every network that is refused here. Tests compare
//! both with `callback_url/addresses.txt`.

mod special_networks;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

pub use self::special_networks::special_addresses;

use self::special_networks::is_special;
use super::{Kind, Malformed, all_digits};

/// Longest callback address, in characters.
const MAX_CALLBACK_URL_CHARS: usize = 512;

/// Host names below this one are other components of the same Spin application; never a client's server.
const CHAINING_SUFFIX: &str = ".spin.internal";

/// By this name a Spin application calls itself.
const SELF_NAME: &str = "self.alt";

/// Top-level domains in which no public server is: reserved (RFC 6761, 6762 with its appendix G, 7686, 8375, 9476),
/// never to be delegated (ICANN: `corp`, `home`, `internal`, `mail`), or of the infrastructure (`arpa`). The reserved
/// `example` is not among them: it resolves to nothing, and manuals use it.
const PRIVATE_TOP_LEVELS: [&str; 15] = [
    "alt",
    "arpa",
    "corp",
    "home",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
];

/// What a callback address may be besides https to a public server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UrlRules {
    /// Plain http.
    pub http: bool,
    /// Addresses in special-purpose networks, and names of private ones.
    pub special: bool,
}

impl UrlRules {
    /// Those of a receiver that may have plain http or not; `callback_allow_http` allows every receiver everything.
    #[must_use]
    pub fn new(callback_allow_http: bool, allow_http: bool) -> Self {
        Self {
            http: callback_allow_http || allow_http,
            special: callback_allow_http,
        }
    }
}

/// An address that callbacks may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    /// Reads `https://host[:port]/path?query`, or what else `rules` allow; names of other components never are.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str, rules: UrlRules) -> Result<Self, Malformed> {
        if text.len() > MAX_CALLBACK_URL_CHARS || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed(
                "回调地址最长 512 个可见 ASCII 字符",
                "a callback address has at most 512 visible ASCII characters",
            ));
        }
        if text.contains('#') {
            return Err(malformed(
                "回调地址不得带片段（#）",
                "a callback address has no fragment (#)",
            ));
        }
        let uri: Uri = text.parse().map_err(|_| NOT_A_URL)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(NOT_A_URL);
        };
        match scheme {
            "https" => {}
            "http" if rules.http => {}
            "http" => return Err(NOT_HTTPS),
            _ => return Err(malformed("回调地址应为 https", "a callback address is https")),
        }
        if authority.as_str().contains('@') {
            return Err(malformed(
                "回调地址不得带用户名或口令",
                "a callback address carries no user name or password",
            ));
        }
        check_port(authority)?;
        check_host(authority.host(), rules.special)?;
        Ok(Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const NOT_A_URL: Malformed = malformed("回调地址不是完整的 URL", "a callback address is a complete URL");

const NOT_HTTPS: Malformed = malformed(
    "回调地址应为 https；须用 http 时，在 receivers:update 中为该接收方设置 allow_http",
    "a callback address is https; allow_http of receivers:update permits http for one receiver",
);

const NOT_PUBLIC: Malformed = malformed(
    "回调地址的主机应为公网可达的域名或地址",
    "the host of a callback address is a public name or address",
);

const fn malformed(zh: &'static str, en: &'static str) -> Malformed {
    Malformed::new(Kind::Value, zh, en)
}

fn check_port(authority: &http::uri::Authority) -> Result<(), Malformed> {
    // The library's own `port` returns none for a number that is too large.
    let rest = authority
        .as_str()
        .strip_prefix(authority.host())
        .unwrap_or_default();
    let digits = rest.strip_prefix(':').filter(|digits| all_digits(digits));
    match (rest, digits.map(str::parse::<u16>)) {
        ("", _) | (_, Some(Ok(1..))) => Ok(()),
        _ => Err(malformed(
            "回调地址的端口应为 1–65535",
            "the port of a callback address is 1 to 65535",
        )),
    }
}

fn check_host(host: &str, special: bool) -> Result<(), Malformed> {
    let host = host.to_ascii_lowercase();
    let name = host.strip_suffix('.').unwrap_or(&host);
    if name == SELF_NAME || name.ends_with(CHAINING_SUFFIX) {
        return Err(NOT_PUBLIC);
    }
    if let Some(address) = literal_address(name) {
        return if special || !is_special(address) {
            Ok(())
        } else {
            Err(NOT_PUBLIC)
        };
    }
    if !is_host_name(name) {
        return Err(NOT_A_URL);
    }
    let public = name
        .rsplit_once('.')
        .is_some_and(|(_, top)| !PRIVATE_TOP_LEVELS.contains(&top));
    if !public && !special {
        Err(NOT_PUBLIC)
    } else {
        Ok(())
    }
}

fn literal_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        None => host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
    }
}

/// Letters, digits and hyphens in labels; the last label is not a number, because URL libraries and resolvers
/// read `127.1`, `2130706433` and `0x7f.1` as addresses.
fn is_host_name(name: &str) -> bool {
    let label_is_sound = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let ends_in_number = name
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()) || label.starts_with("0x"));
    name.len() <= 253 && name.split('.').all(label_is_sound) && !ends_in_number
}

#[cfg(test)]
mod tests;
