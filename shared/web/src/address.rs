//! The caller's address.
//!
//! Spin appends its own `spin-client-addr` (`ip:port`) after whatever the caller sent under that name. A header that
//! is present twice was therefore sent by the caller too, and the request is refused; the same holds for every other
//! `spin-*` header. Spin passes `X-Forwarded-For` through unchanged, so it counts only when the connection comes from
//! a proxy that the operator has named.
//!
//! Never guess an address. One that cannot be established is an error, because the allow-list (clause 6.2.1.1) depends
//! on it.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use ipnet::IpNet;

/// Header in which Spin gives the peer of the TCP connection, as `ip:port`.
const CLIENT_ADDR_HEADER: &str = "spin-client-addr";

/// Header in which reverse proxies give the address of their caller, nearest hop last.
const FORWARDED_FOR_HEADER: &str = "x-forwarded-for";

/// Most hops that are read from `X-Forwarded-For`; a longer chain is refused.
const MAX_FORWARDED_HOPS: usize = 16;

/// Most networks in the list of trusted proxies.
const MAX_TRUSTED_PROXIES: usize = 64;

const SPIN_HEADER_PREFIX: &str = "spin-";

/// Why the caller's address could not be established.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AddressProblem {
    /// A header that only the host sets is present more than once, so the caller sent it too.
    #[error("header {0} is present more than once")]
    Forged(String),
    /// The host gave no peer, or something that is not `ip:port`.
    #[error("the host reported no usable peer address")]
    NoPeer,
    /// A trusted proxy sent an `X-Forwarded-For` that cannot be read.
    #[error("X-Forwarded-For cannot be read")]
    BadForwardedFor,
}

/// The proxies whose `X-Forwarded-For` is believed; none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads a comma-separated list of addresses and networks (`10.0.0.7, 2001:db8::/48`).
    ///
    /// # Errors
    /// The first entry that is neither, or a note that there are more than [`MAX_TRUSTED_PROXIES`].
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let networks = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let net: Option<IpNet> = entry
                    .parse()
                    .ok()
                    .or_else(|| entry.parse::<IpAddr>().ok().map(IpNet::from));
                net.ok_or_else(|| format!("`{entry}` is neither an address nor a network"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        if networks.len() > MAX_TRUSTED_PROXIES {
            return Err(format!("more than {MAX_TRUSTED_PROXIES} trusted proxies"));
        }
        Ok(Self(networks))
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|net| net.contains(&address))
    }
}

/// The address of the caller: the TCP peer, or, when that is a trusted proxy, the nearest hop in `X-Forwarded-For`
/// that is not a trusted proxy.
///
/// # Errors
/// [`AddressProblem`] when the address cannot be established.
pub(crate) fn true_client_addr(
    headers: &HeaderMap,
    trusted: &TrustedProxies,
) -> Result<IpAddr, AddressProblem> {
    refuse_forged_spin_headers(headers)?;
    let peer = peer_address(headers)?;
    if !trusted.contains(peer) {
        return Ok(peer);
    }
    for (hop, entry) in forwarded_hops(headers).rev().enumerate() {
        if hop == MAX_FORWARDED_HOPS {
            return Err(AddressProblem::BadForwardedFor);
        }
        let address = entry
            .and_then(hop_address)
            .ok_or(AddressProblem::BadForwardedFor)?;
        if !trusted.contains(address) {
            return Ok(address);
        }
    }
    Ok(peer)
}

fn refuse_forged_spin_headers(headers: &HeaderMap) -> Result<(), AddressProblem> {
    let forged = headers
        .keys()
        .filter(|name| name.as_str().starts_with(SPIN_HEADER_PREFIX))
        .find(|name| headers.get_all(*name).iter().count() > 1);
    match forged {
        Some(name) => Err(AddressProblem::Forged(name.to_string())),
        None => Ok(()),
    }
}

/// The TCP peer, as the host saw it.
///
/// # Errors
/// [`AddressProblem::NoPeer`].
pub(crate) fn peer_address(headers: &HeaderMap) -> Result<IpAddr, AddressProblem> {
    headers
        .get_all(CLIENT_ADDR_HEADER)
        .iter()
        .next_back()
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<SocketAddr>().ok())
        .map(|peer| peer.ip().to_canonical())
        .ok_or(AddressProblem::NoPeer)
}

/// Every hop of every `X-Forwarded-For` line in order; `None` for a line that is not text.
fn forwarded_hops(headers: &HeaderMap) -> impl DoubleEndedIterator<Item = Option<&str>> {
    headers
        .get_all(FORWARDED_FOR_HEADER)
        .iter()
        .flat_map(|line| match line.to_str() {
            Ok(text) => text.split(',').map(|hop| Some(hop.trim())).collect::<Vec<_>>(),
            Err(_) => vec![None],
        })
}

/// Proxies write a hop as `ip`, `ip:port` or `[ip6]:port`.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let address = hop
        .parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|a| a.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name: http::HeaderName = name.parse().unwrap();
            map.append(name, value.parse().unwrap());
        }
        map
    }

    fn address(lines: &[(&str, &str)], trusted: &str) -> Result<String, AddressProblem> {
        let trusted = TrustedProxies::parse(trusted).unwrap();
        true_client_addr(&headers(lines), &trusted).map(|ip| ip.to_string())
    }

    const PEER: (&str, &str) = ("spin-client-addr", "203.0.113.9:51000");

    #[test]
    fn the_peer_of_the_connection_is_the_caller() {
        assert_eq!(address(&[PEER], "").unwrap(), "203.0.113.9");
        assert_eq!(
            address(&[("spin-client-addr", "[2001:db8::7]:9")], "").unwrap(),
            "2001:db8::7"
        );
        // A dual-stack listener reports IPv4 peers in mapped form; allow-lists are written in IPv4.
        assert_eq!(
            address(&[("spin-client-addr", "[::ffff:203.0.113.9]:9")], "").unwrap(),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_caller_that_names_its_own_address_is_refused() {
        let forged = [("spin-client-addr", "198.51.100.1:1"), PEER];
        assert_eq!(
            address(&forged, ""),
            Err(AddressProblem::Forged("spin-client-addr".into()))
        );
        // Refused even when the caller sends the true address: only the host sets this header.
        assert_eq!(
            address(&[PEER, PEER], ""),
            Err(AddressProblem::Forged("spin-client-addr".into()))
        );
    }

    #[test]
    fn any_other_doubled_spin_header_is_refused_too() {
        let forged = [PEER, ("spin-path-info", "/a"), ("Spin-Path-Info", "/b")];
        assert_eq!(
            address(&forged, ""),
            Err(AddressProblem::Forged("spin-path-info".into()))
        );
    }

    #[test]
    fn a_missing_or_unreadable_peer_is_an_error_and_not_a_guess() {
        for value in ["", "203.0.113.9", "203.0.113.9:1, 10.0.0.1:2", "localhost:80"] {
            assert_eq!(
                address(&[("spin-client-addr", value)], ""),
                Err(AddressProblem::NoPeer),
                "{value}"
            );
        }
        assert_eq!(
            address(&[("x-forwarded-for", "1.2.3.4")], ""),
            Err(AddressProblem::NoPeer)
        );
    }

    #[test]
    fn forwarded_for_means_nothing_without_a_trusted_proxy() {
        let lines = [PEER, ("x-forwarded-for", "198.51.100.1")];
        assert_eq!(address(&lines, "").unwrap(), "203.0.113.9");
        assert_eq!(address(&lines, "10.0.0.0/8").unwrap(), "203.0.113.9");
    }

    #[test]
    fn behind_trusted_proxies_the_nearest_untrusted_hop_is_the_caller() {
        let proxy = ("spin-client-addr", "10.0.0.1:80");
        // (lines of X-Forwarded-For, expected caller)
        let table: &[(&[&str], &str)] = &[
            (&["198.51.100.1"], "198.51.100.1"),
            // The left end is written by the caller and never believed.
            (&["192.0.2.66, 198.51.100.1"], "198.51.100.1"),
            (&["192.0.2.66, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            (&["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
            (&["198.51.100.1:4711"], "198.51.100.1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&[], "10.0.0.1"),
            (&["10.9.9.9"], "10.0.0.1"),
        ];
        for (forwarded, expected) in table {
            let mut lines = vec![proxy];
            lines.extend(forwarded.iter().map(|line| ("x-forwarded-for", *line)));
            assert_eq!(address(&lines, "10.0.0.0/8").unwrap(), *expected, "{forwarded:?}");
        }
    }

    #[test]
    fn a_forwarded_for_that_cannot_be_read_is_refused() {
        let long = vec!["10.0.0.2"; MAX_FORWARDED_HOPS + 1].join(",");
        for forwarded in ["unknown", "198.51.100.1,", "1.2.3", long.as_str()] {
            let lines = [
                ("spin-client-addr", "10.0.0.1:80"),
                ("x-forwarded-for", forwarded),
            ];
            assert_eq!(
                address(&lines, "10.0.0.0/8"),
                Err(AddressProblem::BadForwardedFor),
                "{forwarded}"
            );
        }
    }

    #[test]
    fn a_list_of_proxies_with_a_mistake_in_it_is_refused_whole() {
        assert!(TrustedProxies::parse("10.0.0.1, proxy.example").is_err());
        assert!(TrustedProxies::parse("10.0.0.0/33").is_err());
        assert_eq!(TrustedProxies::parse(" , ").unwrap(), TrustedProxies::default());
    }
}
