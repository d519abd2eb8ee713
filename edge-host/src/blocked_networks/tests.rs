use serde::Deserialize;

use super::*;

/// Lines of `special` or `public`, an address, and why: addresses that a callback URL may not have, and some it may.
const ADDRESSES: &str = include_str!("../../../shared/domain/src/callback_url/addresses.txt");

/// The configurations that this repository ships.
const SHIPPED: [(&str, &str); 2] = [
    ("local.toml", include_str!("../../../runtime-config/local.toml")),
    (
        "cluster.toml",
        include_str!("../../../runtime-config/cluster.toml"),
    ),
];

/// The part of a runtime configuration that does not depend on its databases.
#[derive(Deserialize)]
struct Shipped {
    outbound_networking: Networking,
}

#[derive(Deserialize)]
struct Networking {
    block_networks: Vec<String>,
}

fn blocked(entries: &[&str]) -> BlockedNetworks {
    let entries: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
    BlockedNetworks::parse(&entries).unwrap()
}

fn blocks(set: &BlockedNetworks, address: &str) -> bool {
    set.blocks(address.parse().expect(address))
}

#[test]
fn private_blocks_whatever_is_not_global_in_any_notation() {
    let set = blocked(&["private"]);
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.1.1",
        "127.0.0.1",
        "169.254.169.254",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.168.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::10.1.2.3",
        "::ffff:10.1.2.3",
        "::ffff:169.254.169.254",
        "2001:db8::1",
        "fc00::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
    ] {
        assert!(blocks(&set, address), "{address}");
    }
    for address in ["123.123.123.123", "::ffff:123.123.123.123", "2600::beef"] {
        assert!(!blocks(&set, address), "{address}");
    }
}

#[test]
fn private_lets_through_what_spin_lets_through() {
    let set = blocked(&["private"]);
    for address in [
        "192.0.0.9",
        "192.0.0.10",
        "192.88.99.1",
        "224.0.0.1",
        "::ffff:224.0.0.1",
        "64:ff9b::127.0.0.1",
        "100::1",
        "2001::1",
        "2002:7f00:1::1",
        "3fff::1",
        "5f00::1",
        "ff0e::1",
    ] {
        assert!(!blocks(&set, address), "{address}");
    }
}

#[test]
fn a_network_blocks_its_own_addresses_alone() {
    let set = blocked(&["203.0.113.0/24"]);
    assert!(blocks(&set, "203.0.113.9"));
    assert!(blocks(&set, "::203.0.113.9"));
    assert!(blocks(&set, "::ffff:203.0.113.9"));
    assert!(!blocks(&set, "203.0.114.9"));
    assert!(!blocks(&set, "127.0.0.1"));
}

#[test]
fn beside_private_a_network_that_is_not_global_as_a_whole_is_left_out_as_in_spin() {
    for (network, global) in [("ff00::/8", "ff0e::1"), ("192.0.0.0/24", "192.0.0.9")] {
        assert!(blocks(&blocked(&[network]), global), "{network}");
        assert!(!blocks(&blocked(&["private", network]), global), "{network}");
    }
    // Two halves of a network are that network.
    assert!(!blocks(&blocked(&["ff00::/9", "private", "ff80::/9"]), "ff0e::1"));
}

#[test]
fn malformed_entries_are_refused() {
    for entry in [
        "everything",
        "Private",
        "",
        "10.0.0.1",
        "10.0.0.0/33",
        "example.com",
    ] {
        assert!(BlockedNetworks::parse(&[entry.to_owned()]).is_err(), "{entry}");
    }
}

#[test]
fn the_shipped_lists_block_every_special_address_and_no_public_one() {
    for (file, text) in SHIPPED {
        let shipped: Shipped = toml::from_str(text).unwrap();
        let set = BlockedNetworks::parse(&shipped.outbound_networking.block_networks).unwrap();
        let (mut special, mut public) = (0, 0);
        for line in ADDRESSES.lines() {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["special", address, ..] => {
                    assert!(blocks(&set, address), "{file}: {line}");
                    special += 1;
                }
                ["public", address, ..] => {
                    assert!(!blocks(&set, address), "{file}: {line}");
                    public += 1;
                }
                [] | ["#", ..] => {}
                _ => panic!("{line}"),
            }
        }
        assert!(special >= 60 && public >= 20, "{special} and {public}");
    }
}
