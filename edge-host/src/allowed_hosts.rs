//! `allowed_outbound_hosts`: where a component may send requests.
//!
//! Compares scheme, host and port as they are written; it never resolves a name, so `127.0.0.1` and
//! `localhost` are different hosts here, as in Spin.

use anyhow::{Context as _, anyhow, bail, ensure};
use http::Uri;
use ip_network::IpNetwork;
use url::Host;

/// Host names below this one are components of the same application.
const CHAINING_SUFFIX: &str = ".spin.internal";

/// Stands for the application itself in a request with an authority.
const SELF_AUTHORITY: &str = "self.alt";

/// The entries of a component.
#[derive(Debug, Default)]
pub(crate) struct AllowedHosts(Vec<AllowedHost>);

/// The destination of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Another component of the application.
    Component(String),
    /// This host's own listener.
    Itself,
    /// Anything else.
    Outside,
}

/// One entry.
#[derive(Debug, PartialEq, Eq)]
struct AllowedHost {
    scheme: Option<String>,
    host: HostPattern,
    ports: Ports,
}

#[derive(Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    /// Suffix with its leading dot.
    Subdomains(String),
    Itself,
    Literal(Host),
    Network(IpNetwork),
}

#[derive(Debug, PartialEq, Eq)]
enum Ports {
    Any,
    /// From the first up to, not including, the second.
    Range(u16, u16),
    One(u16),
}

impl AllowedHosts {
    /// Parses rendered entries. An entry that a variable left empty is skipped, so that an optional
    /// endpoint can be a variable with an empty default.
    ///
    /// # Errors
    /// A malformed entry; the error names it.
    pub(crate) fn parse(entries: &[String]) -> anyhow::Result<Self> {
        entries
            .iter()
            .map(|entry| entry.trim())
            .filter(|entry| !matches!(*entry, "" | "http://" | "https://"))
            .map(|entry| {
                AllowedHost::parse(entry).with_context(|| format!("allowed_outbound_hosts: {entry:?}"))
            })
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Whether a request to the URI is allowed; the scheme defaults to https.
    pub(crate) fn allow(&self, uri: &Uri) -> bool {
        let scheme = uri.scheme_str().unwrap_or("https");
        if target(uri) == Target::Itself {
            return self.0.iter().any(AllowedHost::allows_itself);
        }
        let Some(Ok(host)) = uri.host().map(Host::parse) else {
            return false;
        };
        self.allow_host(scheme, &host, uri.port_u16())
    }

    /// Whether a connection to a server that does not speak HTTP is allowed; the port defaults to the scheme's.
    pub(crate) fn allow_server(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        Host::parse(host).is_ok_and(|host| self.allow_host(scheme, &host, port))
    }

    fn allow_host(&self, scheme: &str, host: &Host<String>, port: Option<u16>) -> bool {
        let port = port.or_else(|| well_known_port(scheme));
        self.0.iter().any(|allowed| allowed.allows(scheme, host, port))
    }
}

/// Where a request to the URI goes. Requests without an authority are to the application itself.
pub(crate) fn target(uri: &Uri) -> Target {
    match uri.host() {
        None | Some("" | SELF_AUTHORITY) => Target::Itself,
        Some(host) => match host.strip_suffix(CHAINING_SUFFIX) {
            Some(component) => Target::Component(component.to_owned()),
            None => Target::Outside,
        },
    }
}

/// Whether a `Host` header names a component instead of a real host.
pub(crate) fn is_chaining_authority(authority: &str) -> bool {
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.ends_with(CHAINING_SUFFIX)
}

impl AllowedHost {
    fn parse(entry: &str) -> anyhow::Result<Self> {
        let (scheme, rest) = entry
            .split_once("://")
            .ok_or_else(|| anyhow!("must have the form <scheme>://<host>[:<port>], '*' for any"))?;
        ensure!(
            scheme == "*" || (!scheme.is_empty() && scheme.chars().all(char::is_alphabetic)),
            "the scheme must be letters or '*'"
        );
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        // The whole may be a host with colons in it: an IPv6 network has no brackets.
        let (host, port) = match rest.rsplit_once(':') {
            Some((host, port)) if HostPattern::parse(rest).is_err() => (host, port),
            _ => (rest, ""),
        };
        Ok(Self {
            scheme: (scheme != "*").then(|| scheme.to_owned()),
            host: HostPattern::parse(host)?,
            ports: Ports::parse(port, scheme)?,
        })
    }

    fn allows(&self, scheme: &str, host: &Host<String>, port: Option<u16>) -> bool {
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme)
            && self.host.allows(host)
            && self.ports.allows(port)
    }

    fn allows_itself(&self) -> bool {
        matches!(self.scheme.as_deref(), None | Some("http" | "https"))
            && matches!(self.host, HostPattern::Any | HostPattern::Itself)
    }
}

impl HostPattern {
    fn parse(host: &str) -> anyhow::Result<Self> {
        if host == "*" {
            return Ok(Self::Any);
        }
        if matches!(host, "self" | SELF_AUTHORITY) {
            return Ok(Self::Itself);
        }
        if let Ok(network) = IpNetwork::from_str_truncate(host) {
            return Ok(Self::Network(network));
        }
        ensure!(!host.contains('/'), "a path is not allowed");
        ensure!(!host.contains(['{', '}']), "lists are not supported");
        if let Some(domain) = host.strip_prefix("*.") {
            return match Host::parse(domain).context("the domain after '*.'")? {
                Host::Domain(domain) => Ok(Self::Subdomains(format!(".{domain}"))),
                Host::Ipv4(_) | Host::Ipv6(_) => bail!("'*.' must be followed by a domain"),
            };
        }
        ensure!(
            !host.contains('*'),
            "'*' stands for the whole host or for its first labels"
        );
        Ok(Self::Literal(Host::parse(host).context("the host")?))
    }

    fn allows(&self, host: &Host<String>) -> bool {
        match (self, host) {
            (Self::Any, _) => true,
            (Self::Subdomains(suffix), Host::Domain(domain)) => domain.ends_with(suffix),
            (Self::Literal(literal), host) => literal == host,
            (Self::Network(network), Host::Ipv4(address)) => network.contains(*address),
            (Self::Network(network), Host::Ipv6(address)) => network.contains(*address),
            (Self::Subdomains(_) | Self::Network(_) | Self::Itself, _) => false,
        }
    }
}

impl Ports {
    fn parse(port: &str, scheme: &str) -> anyhow::Result<Self> {
        let number = |text: &str| text.parse().with_context(|| format!("the port {text:?}"));
        match port {
            "" => well_known_port(scheme)
                .map(Self::One)
                .ok_or_else(|| anyhow!("the scheme {scheme:?} has no default port: name one")),
            "*" => Ok(Self::Any),
            port => match port.split_once("..") {
                Some((first, end)) => Ok(Self::Range(number(first)?, number(end)?)),
                None => Ok(Self::One(number(port)?)),
            },
        }
    }

    fn allows(&self, port: Option<u16>) -> bool {
        match (self, port) {
            (Self::Any, _) => true,
            (Self::One(allowed), Some(port)) => *allowed == port,
            (Self::Range(first, end), Some(port)) => (*first..*end).contains(&port),
            (Self::One(_) | Self::Range(..), None) => false,
        }
    }
}

fn well_known_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        AllowedHosts::parse(&[entry.to_owned()])
            .unwrap()
            .allow(&uri.parse().unwrap())
    }

    #[test]
    fn scheme_host_and_port_must_all_match() {
        for (entry, uri, expected) in [
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080/x", true),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8081/x", false),
            ("http://127.0.0.1:8080", "https://127.0.0.1:8080/x", false),
            ("http://127.0.0.1:8080", "http://localhost:8080/x", false),
            ("http://127.0.0.1:8080", "http://[::ffff:127.0.0.1]:8080/x", false),
            ("https://example.com", "https://example.com/", true),
            ("https://example.com", "https://EXAMPLE.com/", true),
            ("https://example.com", "https://example.com:8443/", false),
            ("https://example.com", "https://example.com.evil.test/", false),
            ("https://example.com", "https://evil.test@example.org/", false),
            ("https://*:*", "https://anything.test:8443/", true),
            ("https://*:*", "http://anything.test/", false),
            ("https://*:443", "https://anything.test/", true),
            ("*://*:*", "http://[::1]:1/", true),
            ("http://*.example.com", "http://a.b.example.com/", true),
            ("http://*.example.com", "http://example.com/", false),
            ("http://10.0.0.0/8:*", "http://10.1.2.3:99/", true),
            ("http://10.0.0.0/8:*", "http://11.1.2.3:99/", false),
            ("http://h:8000..8010", "http://h:8009/", true),
            ("http://h:8000..8010", "http://h:8010/", false),
            ("http://token.spin.internal", "http://token.spin.internal/x", true),
            (
                "http://token.spin.internal",
                "http://clients.spin.internal/x",
                false,
            ),
            ("http://*.spin.internal", "http://clients.spin.internal/x", true),
            ("http://self", "http://self.alt/x", true),
            ("http://self", "/x", true),
            ("http://h", "http://self.alt/x", false),
        ] {
            assert_eq!(allows(entry, uri), expected, "{entry} {uri}");
        }
    }

    #[test]
    fn malformed_entries_are_refused_and_empty_ones_skipped() {
        for entry in [
            "*",
            "example.com",
            "http://h/path",
            "http://a*b",
            "ftp://h",
            "http://h:x",
            "http://{a,b}",
        ] {
            assert!(AllowedHosts::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
        let skipped = AllowedHosts::parse(&[String::new(), "https://".to_owned()]).unwrap();
        assert!(skipped.0.is_empty());
    }

    #[test]
    fn a_server_is_allowed_by_its_scheme_its_host_and_its_port() {
        let allows = |entry: &str, host: &str, port| {
            let allowed = AllowedHosts::parse(&[entry.to_owned()]).unwrap();
            allowed.allow_server("postgres", host, port)
        };
        for (entry, host, port, expected) in [
            ("postgres://db.example:5432", "db.example", None, true),
            ("postgres://db.example", "db.example", Some(5432), true),
            ("postgres://db.example", "db.example", Some(5433), false),
            ("postgres://db.example", "other.example", None, false),
            ("https://db.example:5432", "db.example", None, false),
            ("*://*:*", "10.0.0.1", Some(1), true),
            ("postgres://10.0.0.0/8:*", "10.0.0.1", Some(1), true),
            ("", "db.example", None, false),
        ] {
            assert_eq!(allows(entry, host, port), expected, "{entry} {host} {port:?}");
        }
    }

    #[test]
    fn targets_are_distinguished() {
        let of = |uri: &str| target(&uri.parse().unwrap());
        assert_eq!(
            of("http://token.spin.internal/x"),
            Target::Component("token".to_owned())
        );
        assert_eq!(of("http://self.alt/x"), Target::Itself);
        assert_eq!(of("/x"), Target::Itself);
        assert_eq!(of("http://spin.internal.test/x"), Target::Outside);
        assert!(is_chaining_authority("a.spin.internal:80") && !is_chaining_authority("spin.test"));
    }
}
