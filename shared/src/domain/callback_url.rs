//! Where a client wants its callbacks (§5.3.2.2, §7.3): which addresses an administrator may enter.
//!
//! The platform calls whatever stands here from inside its own network, so an address that points back inside is
//! refused when it is entered. Names are judged by their spelling only; what a public name resolves to is the
//! business of the host's outbound policy (`block_networks`), which looks after resolution.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

use super::{Kind, Malformed, all_digits};

/// Longest callback address, in characters.
pub const MAX_CALLBACK_URL_CHARS: usize = 512;

/// Names by which one component of a Spin application calls another; never a client's server.
const CHAINING_SUFFIXES: [&str; 2] = [".spin.internal", "self.alt"];

/// Endings that no public server has (RFC 6761, RFC 6762, RFC 8375, ICANN's `.internal`).
const PRIVATE_SUFFIXES: [&str; 5] = [".localhost", ".local", ".internal", ".home.arpa", ".test"];

/// Special-purpose IPv4 networks (RFC 6890 and its registry), as address and prefix length.
const SPECIAL_V4: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// An address that callbacks may be sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackUrl(String);

impl CallbackUrl {
    /// Reads `https://host[:port]/path?query`. With `test_rig`, plain `http` and addresses inside special-purpose
    /// networks are accepted too; names of other components never are.
    ///
    /// # Errors
    /// [`Malformed`] with the rule that the text breaks.
    pub fn parse(text: &str, test_rig: bool) -> Result<Self, Malformed> {
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
        if scheme != "https" && !(test_rig && scheme == "http") {
            return Err(malformed("回调地址应为 https", "a callback address is https"));
        }
        if authority.as_str().contains('@') {
            return Err(malformed(
                "回调地址不得带用户名或口令",
                "a callback address carries no user name or password",
            ));
        }
        check_port(authority)?;
        check_host(authority.host(), test_rig)?;
        Ok(Self(text.to_owned()))
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const NOT_A_URL: Malformed = malformed("回调地址不是完整的 URL", "a callback address is a complete URL");

const NOT_PUBLIC: Malformed = malformed(
    "回调地址的主机应为公网可达的域名或地址",
    "the host of a callback address is a public name or address",
);

const fn malformed(zh: &'static str, en: &'static str) -> Malformed {
    Malformed::new(Kind::Value, zh, en)
}

fn check_port(authority: &http::uri::Authority) -> Result<(), Malformed> {
    // The library's own `port` takes a number that is too large for none at all.
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

fn check_host(host: &str, test_rig: bool) -> Result<(), Malformed> {
    let host = host.to_ascii_lowercase();
    let name = host.strip_suffix('.').unwrap_or(&host);
    if CHAINING_SUFFIXES.iter().any(|suffix| name.ends_with(suffix)) {
        return Err(NOT_PUBLIC);
    }
    if let Some(address) = literal_address(name) {
        return if test_rig || !is_special(address) {
            Ok(())
        } else {
            Err(NOT_PUBLIC)
        };
    }
    if !is_host_name(name) {
        return Err(NOT_A_URL);
    }
    let private = !name.contains('.') || PRIVATE_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    if private && !test_rig {
        Err(NOT_PUBLIC)
    } else {
        Ok(())
    }
}

fn literal_address(host: &str) -> Option<IpAddr> {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inner) => inner
            .parse::<Ipv6Addr>()
            .ok()
            .map(|address| IpAddr::V6(address).to_canonical()),
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

fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => SPECIAL_V4.iter().any(|(network, length)| {
            let mask = u32::MAX << (u32::BITS - length);
            v4.to_bits() & mask == network.to_bits()
        }),
        // Of IPv6 only global unicast 2000::/3 is public; in it, 2001::/23 and 2002::/16 tunnel to elsewhere
        // (Teredo, 6to4) and 2001:db8::/32 is for documentation.
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            first & 0xe000 != 0x2000
                || first == 0x2002
                || (first == 0x2001 && (second < 0x0200 || second == 0x0db8))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CallbackUrl;

    #[test]
    fn public_https_addresses_are_accepted() {
        for text in [
            "https://crm.example.com/esim/callback?source=1",
            "https://crm.example.com:8443",
            "https://CRM.Example.COM./x",
            "https://8.8.8.8/x",
            "https://[2606:4700::1111]:8443/x",
            "https://xn--fiqs8s.cn/x",
        ] {
            assert_eq!(
                CallbackUrl::parse(text, false).map(|url| url.as_str().to_owned()),
                Ok(text.to_owned())
            );
        }
    }

    #[test]
    fn addresses_that_are_not_a_clients_public_server_are_refused() {
        let long = format!("https://a.example/{}", "x".repeat(512));
        for text in [
            "",
            "crm.example.com/x",
            "/x",
            "https://",
            "ftp://crm.example.com/x",
            "http://crm.example.com/x",
            "https://user:pass@crm.example.com/x",
            "https://crm.example.com@10.0.0.1/x",
            "https://crm.example.com/x#part",
            "https://crm.example.com:0/x",
            "https://crm.example.com:65536/x",
            "https://crm.example.com:+443/x",
            "https://crm.example.com:/x",
            "https://crm_1.example.com/x",
            "https://-a.example.com/x",
            "https://a..example.com/x",
            "https://crm.example.com/a b",
            "https://crm.example.com/写",
            long.as_str(),
            // Inside the platform's own network.
            "https://localhost/x",
            "https://LOCALHOST./x",
            "https://redis:6379/x",
            "https://db.internal/x",
            "https://gateway.spin.internal/internal/gateway/keys",
            "https://self.alt/internal/cron",
            "https://127.0.0.1/x",
            "https://127.1/x",
            "https://2130706433/x",
            "https://0x7f000001/x",
            "https://0x7f.1/x",
            "https://10.1.2.3/x",
            "https://172.31.255.255/x",
            "https://192.168.1.1/x",
            "https://169.254.169.254/latest/meta-data",
            "https://100.64.0.1/x",
            "https://0.0.0.0/x",
            "https://224.0.0.1/x",
            "https://255.255.255.255/x",
            "https://[::1]/x",
            "https://[::]/x",
            "https://[::ffff:10.0.0.1]/x",
            "https://[fe80::1]/x",
            "https://[fd00::1]/x",
            "https://[2002:7f00:1::]/x",
            "https://[64:ff9b::7f00:1]/x",
            "https://[2001:db8::1]/x",
        ] {
            assert!(CallbackUrl::parse(text, false).is_err(), "{text}");
        }
    }

    #[test]
    fn a_test_rig_may_use_http_and_its_own_machine_but_never_another_component() {
        for text in [
            "http://127.0.0.1:9000/callback",
            "http://localhost:9000/",
            "https://10.0.0.1/x",
            "http://crm/x",
        ] {
            assert!(CallbackUrl::parse(text, true).is_ok(), "{text}");
        }
        for text in [
            "http://gateway.spin.internal/x",
            "http://self.alt/x",
            "http://a@b.example/x",
            "ftp://127.0.0.1/x",
        ] {
            assert!(CallbackUrl::parse(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn neighbours_of_special_networks_are_public() {
        for text in [
            "https://11.0.0.0/",
            "https://172.32.0.0/",
            "https://100.128.0.0/",
            "https://192.0.1.0/",
            "https://223.255.255.255/",
        ] {
            assert!(CallbackUrl::parse(text, false).is_ok(), "{text}");
        }
    }
}
