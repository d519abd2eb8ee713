use std::collections::BTreeMap;
use std::net::IpAddr;

use super::special_networks::{SPECIAL_NETWORKS, is_special};
use super::{CallbackUrl, UrlRules};

const PUBLIC: UrlRules = UrlRules {
    http: false,
    special: false,
};
const EVERYTHING: UrlRules = UrlRules {
    http: true,
    special: true,
};

/// `special` or `public`, the address, and why; shared with the test of what is blocked at sending.
const ADDRESSES: &str = include_str!("addresses.txt");

/// Whether each address of the table is special.
fn addresses() -> BTreeMap<IpAddr, bool> {
    let mut addresses = BTreeMap::new();
    for line in ADDRESSES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let mut columns = line.split_whitespace();
        let special = match columns.next() {
            Some("special") => true,
            Some("public") => false,
            _ => panic!("{line}"),
        };
        let address = columns.next().and_then(|text| text.parse().ok()).expect(line);
        assert!(columns.next().is_some(), "says why: {line}");
        assert_eq!(addresses.insert(address, special), None, "stands once: {line}");
    }
    addresses
}

fn url_of(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => format!("https://{v4}/callback"),
        IpAddr::V6(v6) => format!("https://[{v6}]:8443/callback"),
    }
}

#[test]
fn special_addresses_are_refused_and_their_public_neighbours_are_not() {
    let addresses = addresses();
    let special = addresses.values().filter(|special| **special).count();
    assert!(special >= 60 && addresses.len() - special >= 20);
    for (address, special) in addresses {
        let url = url_of(address);
        assert_eq!(CallbackUrl::parse(&url, PUBLIC).is_err(), special, "{url}");
        assert!(CallbackUrl::parse(&url, EVERYTHING).is_ok(), "{url}");
    }
}

#[test]
fn every_edge_of_a_special_network_stands_in_the_table_of_addresses() {
    let addresses = addresses();
    for network in SPECIAL_NETWORKS {
        let (first, last) = (network.network(), network.broadcast());
        for edge in [first, last] {
            assert_eq!(addresses.get(&edge), Some(&true), "{network}: {edge}");
        }
        for neighbour in [moved(first, -1), moved(last, 1)].into_iter().flatten() {
            let listed = addresses.get(&neighbour) == Some(&false);
            assert!(listed || is_special(neighbour), "{network}: {neighbour}");
        }
    }
}

/// The address before or after, unless this is the first or the last.
fn moved(address: IpAddr, by: i8) -> Option<IpAddr> {
    match address {
        IpAddr::V4(v4) => v4
            .to_bits()
            .checked_add_signed(by.into())
            .map(|bits| IpAddr::V4(bits.into())),
        IpAddr::V6(v6) => v6
            .to_bits()
            .checked_add_signed(by.into())
            .map(|bits| IpAddr::V6(bits.into())),
    }
}

#[test]
fn names_of_public_servers_are_accepted() {
    for (url, why) in [
        ("https://crm.example.com/esim/callback?source=1", "path and query"),
        ("https://crm.example.com", "neither"),
        ("https://crm.example.com?source=1", "query alone"),
        ("https://crm.example.com:8443/x", "a port"),
        ("https://crm.example.com:1/x", "the lowest port"),
        ("https://crm.example.com:65535/x", "the highest port"),
        ("https://CRM.Example.COM./x", "capitals, the root's dot"),
        ("HTTPS://crm.example.com/x", "a scheme in capitals"),
        ("https://crm.example.com/a@b:c//%E5%86%99", "all of it is path"),
        ("https://xn--fiqs8s.xn--fiqs8s/x", "Chinese in its ASCII form"),
        ("https://10.0.0.1.example.com/x", "digits below a name"),
        ("https://0x7f.1.example/x", "hexadecimal below a name"),
        ("https://1and1.com/x", "a label that begins with a digit"),
        (
            "https://internal.example.com/x",
            "a private word below a public name",
        ),
        (
            "https://localhost.example.com/x",
            "this machine's name below a public name",
        ),
        (
            "https://myself.alternative/x",
            "not how an application calls itself",
        ),
        ("https://spin.internal.example/x", "not how components are called"),
        ("https://[2606:4700::1111]/x", "an address of IPv6"),
        ("https://8.8.8.8./x", "an address with the root's dot"),
    ] {
        let accepted = CallbackUrl::parse(url, PUBLIC).map(|url| url.as_str().to_owned());
        assert_eq!(accepted, Ok(url.to_owned()), "{why}");
    }
}

#[test]
fn private_names_are_refused() {
    for (host, why) in [
        ("localhost", "this machine"),
        ("LOCALHOST.", "this machine, disguised"),
        ("api.localhost", "this machine (RFC 6761)"),
        ("localhost.localdomain", "this machine on some systems"),
        ("redis", "one label: a neighbour in the container network"),
        ("redis:6379", "a neighbour with its port"),
        ("printer.local", "multicast DNS"),
        ("kubernetes.default.svc.cluster.local", "a cluster's service"),
        ("db.internal", "a private network"),
        ("metadata.google.internal", "metadata of Google Cloud"),
        ("instance-data.ec2.internal", "metadata of AWS"),
        ("host.docker.internal", "the host of containers"),
        ("router.home.arpa", "a home"),
        ("home.arpa", "a home, bare"),
        ("1.0.0.127.in-addr.arpa", "infrastructure"),
        ("nas.lan", "a private network"),
        ("nas.home", "never delegated"),
        ("mx.mail", "never delegated"),
        ("intra.corp", "never delegated"),
        ("www.intranet", "a private network"),
        ("www.private", "a private network"),
        ("www.test", "reserved"),
        ("www.invalid", "reserved"),
        ("www.onion", "not in DNS"),
        ("www.alt", "not in DNS"),
        ("gateway.spin.internal", "another component"),
        ("GATEWAY.Spin.Internal.", "another component, disguised"),
        ("self.alt", "this application"),
        ("Self.Alt.:443", "this application, disguised"),
    ] {
        assert!(
            CallbackUrl::parse(&format!("https://{host}/x"), PUBLIC).is_err(),
            "{host}: {why}"
        );
    }
}

#[test]
fn other_spellings_of_addresses_are_refused() {
    for (host, why) in [
        ("127.1", "two parts"),
        ("127.0.1", "three parts"),
        ("2130706433", "one decimal number"),
        ("2130706433.", "one decimal number, the root's dot"),
        ("017700000001", "one octal number"),
        ("0177.0.0.1", "an octal part"),
        ("127.0.0.01", "a leading zero"),
        ("0x7f000001", "one hexadecimal number"),
        ("0X7F000001", "one hexadecimal number, capitals"),
        ("0x7f.1", "two parts, one of them hexadecimal"),
        ("0x7f.0.0.0x1", "hexadecimal parts"),
        ("0x", "nothing, which is 0"),
        ("0", "0"),
        ("127.0.0.1.", "the root's dot"),
        ("127.0.0.1..", "two dots"),
        ("127.0.0.1.1", "five parts"),
        ("8.8.2056", "three parts, public"),
        ("256.256.256.256", "parts that are too large"),
        ("127%2e0%2e0%2e1", "escaped dots"),
        ("%31%32%37.0.0.1", "escaped digits"),
        ("１２７.0.0.1", "full-width digits"),
        ("127。0。0。1", "ideographic dots"),
        ("①②⑦.0.0.1", "circled digits"),
        ("ｌocalhost", "a full-width letter"),
        ("[::0001]", "a loopback with zeros"),
        ("[0:0:0:0:0:0:0:1]", "a loopback without abbreviation"),
        ("[::FFFF:7F00:1]", "IPv4-mapped in capitals"),
        ("[0:0:0:0:0:ffff:127.0.0.1]", "IPv4-mapped without abbreviation"),
        ("[::127.0.0.1]", "IPv4-compatible"),
        ("[64:ff9b::7f00:1]", "NAT64 in hexadecimal"),
        ("[fe80::1%25eth0]", "a zone, escaped"),
        ("[fe80::1%eth0]", "a zone"),
        ("[fe80::1%251]", "a zone by number"),
        ("[2606:4700::1111%251]", "a zone where there is none"),
        ("[127.0.0.1]", "IPv4 in brackets"),
        ("[v1.127]", "an address of the future"),
        ("[::1].", "a dot after brackets"),
        ("[2606:4700::1111]x", "a letter after brackets"),
        ("[::1", "no closing bracket"),
        ("::1", "no brackets"),
        ("2606:4700::1111", "no brackets, public"),
    ] {
        assert!(
            CallbackUrl::parse(&format!("https://{host}/x"), PUBLIC).is_err(),
            "{host}: {why}"
        );
    }
}

#[test]
fn what_is_not_a_complete_https_url_is_refused() {
    let long = format!("https://a.example/{}", "x".repeat(512));
    let long_label = format!("https://{}.example/", "x".repeat(64));
    for (url, why) in [
        ("", "nothing"),
        ("crm.example.com/x", "no scheme"),
        ("//crm.example.com/x", "no scheme"),
        ("/x", "no host"),
        ("https://", "no host"),
        ("https:///x", "no host"),
        ("https:/crm.example.com/x", "one slash"),
        ("https:\\\\crm.example.com/x", "backslashes"),
        ("ftp://crm.example.com/x", "another scheme"),
        ("file:///etc/passwd", "another scheme"),
        ("gopher://crm.example.com/x", "another scheme"),
        ("http://crm.example.com/x", "not encrypted"),
        ("https://user:pass@crm.example.com/x", "a user and a password"),
        ("https://user@crm.example.com/x", "a user"),
        ("https://@crm.example.com/x", "an empty user"),
        (
            "https://crm.example.com@10.0.0.1/x",
            "a user that looks like the host",
        ),
        (
            "https://crm.example.com:443@10.0.0.1/x",
            "a user that looks like host and port",
        ),
        (
            "https://crm.example.com\\@10.0.0.1/x",
            "a backslash that some take for a slash",
        ),
        ("https://crm.example.com/x#part", "a fragment"),
        (
            "https://crm.example.com#@10.0.0.1/x",
            "a fragment that some take for a user",
        ),
        ("https://crm.example.com:0/x", "port 0"),
        ("https://crm.example.com:65536/x", "a port that is too large"),
        (
            "https://crm.example.com:4294967739/x",
            "a port that is 443 in 32 bits",
        ),
        ("https://crm.example.com:+443/x", "a port with a sign"),
        ("https://crm.example.com:0x1bb/x", "a hexadecimal port"),
        ("https://crm.example.com:/x", "an empty port"),
        ("https://crm.example.com:443:443/x", "two ports"),
        ("https://crm_1.example.com/x", "an underscore"),
        ("https://-a.example.com/x", "a hyphen first"),
        ("https://a-.example.com/x", "a hyphen last"),
        ("https://a..example.com/x", "an empty label"),
        ("https://.example.com/x", "an empty label first"),
        ("https://example.com../x", "two dots last"),
        ("https://*.example.com/x", "a wildcard"),
        ("https://a.example,b.example/x", "two hosts"),
        ("https://crm.example.com/a b", "a space"),
        (" https://crm.example.com/x", "a space first"),
        ("https://crm.example.com/x\r\nHost: a", "a line break"),
        ("https://crm.example.com/\0", "a zero byte"),
        ("https://crm.example.com/写", "a path that is not ASCII"),
        ("https://中国.cn/x", "a host that is not ASCII"),
        (&long, "too long"),
        (&long_label, "a label that is too long"),
    ] {
        assert!(CallbackUrl::parse(url, PUBLIC).is_err(), "{url:?}: {why}");
    }
}

#[test]
fn a_test_environment_may_use_http_and_its_own_machine_but_never_another_component() {
    for url in [
        "http://127.0.0.1:9000/callback",
        "http://localhost:9000/",
        "https://10.0.0.1/x",
        "http://[::1]:9000/x",
        "http://crm/x",
        "http://receiver.test/x",
    ] {
        assert!(CallbackUrl::parse(url, EVERYTHING).is_ok(), "{url}");
    }
    for url in [
        "http://gateway.spin.internal/x",
        "http://GATEWAY.SPIN.INTERNAL./x",
        "http://self.alt/x",
        "http://SELF.alt./x",
        "http://a@b.example/x",
        "ftp://127.0.0.1/x",
        "http://127.1/x",
    ] {
        assert!(CallbackUrl::parse(url, EVERYTHING).is_err(), "{url}");
    }
}

#[test]
fn plain_http_can_be_allowed_without_special_purpose_networks() {
    let with_http = UrlRules::new(false, true);
    assert_eq!(UrlRules::new(false, false), PUBLIC);
    assert_eq!(UrlRules::new(true, false), EVERYTHING);
    for url in [
        "http://crm.example.com/x",
        "http://8.8.8.8:8080/x",
        "https://crm.example.com/x",
    ] {
        assert!(CallbackUrl::parse(url, with_http).is_ok(), "{url}");
    }
    for url in [
        "http://127.0.0.1:8080/x",
        "http://10.0.0.1/x",
        "http://[::1]/x",
        "http://localhost/x",
        "http://redis:6379/x",
        "http://db.internal/x",
        "http://maintenance.spin.internal/x",
        "http://self.alt/x",
        "ftp://crm.example.com/x",
    ] {
        assert!(CallbackUrl::parse(url, with_http).is_err(), "{url}");
    }
    let refused = CallbackUrl::parse("http://crm.example.com/x", PUBLIC).unwrap_err();
    assert!(refused.zh.contains("allow_http") && refused.en.contains("allow_http"));
}
