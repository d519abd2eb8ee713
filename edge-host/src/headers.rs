//! The headers that this host adds to a request.
//!
//! They are appended and never replace a client's headers of the same name: as in Spin, a client can forge
//! any value but the last.

use std::net::SocketAddr;

use anyhow::{Context as _, bail};
use http::header::{CONNECTION, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use crate::allowed_hosts::is_chaining_authority;
use crate::router::Match;

/// The host in `spin-full-url` when the client sent no `Host`.
const DEFAULT_HOST: &str = "localhost";

/// Removes `Connection`, and a `Host` that names a component.
pub(crate) fn strip(headers: &mut HeaderMap) {
    let names_component = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(is_chaining_authority);
    if names_component {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// Completes a request's relative URI from its `Host` header.
///
/// # Errors
/// There is no authority, or two different ones.
pub(crate) fn absolute_uri(uri: &Uri, headers: &HeaderMap) -> anyhow::Result<Uri> {
    let from_header = headers
        .get(HOST)
        .map(|host| Authority::try_from(host.as_bytes()).context("the Host header is no authority"))
        .transpose()?;
    let mut parts = uri.clone().into_parts();
    parts.authority = match (from_header, parts.authority) {
        (None, None) => bail!("no Host header"),
        (Some(header), Some(line)) if header != line => bail!("the Host header contradicts the URI"),
        (Some(authority), _) | (None, Some(authority)) => Some(authority),
    };
    parts.scheme = Some(Scheme::HTTP);
    Uri::from_parts(parts).context("the URI")
}

/// Appends the `spin-*` headers to a request whose URI is absolute.
///
/// # Errors
/// A client's header value that is not UTF-8, or a path that fits no header.
pub(crate) fn append(
    headers: &mut HeaderMap,
    uri: &Uri,
    route: &Match,
    client: SocketAddr,
) -> anyhow::Result<()> {
    for (name, value) in headers.iter() {
        std::str::from_utf8(value.as_bytes()).with_context(|| format!("the header {name} is not UTF-8"))?;
    }
    let host = match headers.get(HOST) {
        Some(host) => host.to_str().context("the Host header")?,
        None => DEFAULT_HOST,
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{}://{host}{path}", uri.scheme_str().unwrap_or("http"));
    let fixed = [
        ("spin-path-info", route.path_info.as_str()),
        ("spin-full-url", &full_url),
        ("spin-matched-route", &route.matched_route),
        ("spin-base-path", "/"),
        ("spin-raw-component-route", &route.raw_route),
        ("spin-component-route", route.component_route()),
        ("spin-client-addr", &client.to_string()),
    ];
    let mut added = Vec::with_capacity(fixed.len() + route.named.len());
    for (name, value) in fixed {
        added.push((HeaderName::from_static(name), HeaderValue::from_str(value)?));
    }
    for (name, value) in &route.named {
        let name = format!("spin-path-match-{}", name.replace('_', "-").to_ascii_lowercase());
        added.push((HeaderName::try_from(name)?, HeaderValue::from_str(value)?));
    }
    for (name, value) in added {
        headers.append(name, value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route() -> Match {
        Match {
            component: "c".to_owned(),
            raw_route: "/u/:user_id/...".to_owned(),
            matched_route: "/u/:user_id/...".to_owned(),
            path_info: "/bar".to_owned(),
            named: vec![("user_id".to_owned(), "42".to_owned())],
        }
    }

    #[test]
    fn the_hosts_values_come_after_the_clients() {
        let mut headers = HeaderMap::new();
        headers.append("spin-client-addr", HeaderValue::from_static("1.2.3.4:5"));
        headers.append("host", HeaderValue::from_static("example.com"));
        let uri = "http://example.com/u/42/bar?x=1".parse().unwrap();
        append(&mut headers, &uri, &route(), "127.0.0.1:8777".parse().unwrap()).unwrap();
        let addresses: Vec<_> = headers.get_all("spin-client-addr").iter().collect();
        assert_eq!(addresses, ["1.2.3.4:5", "127.0.0.1:8777"]);
        for (name, value) in [
            ("spin-path-info", "/bar"),
            ("spin-full-url", "http://example.com/u/42/bar?x=1"),
            ("spin-matched-route", "/u/:user_id/..."),
            ("spin-base-path", "/"),
            ("spin-raw-component-route", "/u/:user_id/..."),
            ("spin-component-route", "/u/:user_id"),
            ("spin-path-match-user-id", "42"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn a_host_that_names_a_component_and_connection_are_stripped() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("token.spin.internal:80"));
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
        strip(&mut headers);
        assert!(headers.is_empty());
    }

    #[test]
    fn an_authority_must_be_there_and_unambiguous() {
        let mut headers = HeaderMap::new();
        absolute_uri(&"/x".parse().unwrap(), &headers).unwrap_err();
        headers.insert(HOST, HeaderValue::from_static("a.test"));
        absolute_uri(&"http://b.test/x".parse().unwrap(), &headers).unwrap_err();
        assert_eq!(
            absolute_uri(&"/x?y".parse().unwrap(), &headers).unwrap(),
            "http://a.test/x?y"
        );
    }
}
