//! Networks that no component may reach, whatever its manifest allows: `block_networks`.
//!
//! Looks at addresses only, after name resolution; names are the business of the allowed hosts.

use std::net::IpAddr;

use anyhow::anyhow;
use ip_network::IpNetwork;

/// The entry that stands for everything that is not globally routable.
const PRIVATE: &str = "private";

/// A set of blocked networks.
#[derive(Clone, Debug, Default)]
pub(crate) struct BlockedNetworks {
    networks: Vec<IpNetwork>,
    private: bool,
}

impl BlockedNetworks {
    /// Each entry is `private`, a network in CIDR form, or an address.
    pub(crate) fn parse(entries: &[String]) -> anyhow::Result<Self> {
        let mut blocked = Self::default();
        for entry in entries {
            if entry == PRIVATE {
                blocked.private = true;
            } else {
                let network = IpNetwork::from_str_truncate(entry)
                    .map_err(|error| anyhow!("block_networks has {entry:?}: {error}"))?;
                blocked.networks.push(network);
            }
        }
        Ok(blocked)
    }

    /// Whether the address is blocked, in its own form or as the IPv4 address it embeds.
    pub(crate) fn blocks(&self, address: IpAddr) -> bool {
        let embedded = match address {
            IpAddr::V6(v6) => v6.to_ipv4().map(IpAddr::V4),
            IpAddr::V4(_) => None,
        };
        self.blocks_exactly(address) || embedded.is_some_and(|v4| self.blocks_exactly(v4))
    }

    fn blocks_exactly(&self, address: IpAddr) -> bool {
        (self.private && !IpNetwork::from(address).is_global())
            || self.networks.iter().any(|network| network.contains(address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blocked(entries: &[&str]) -> BlockedNetworks {
        let entries: Vec<_> = entries.iter().map(|entry| (*entry).to_owned()).collect();
        BlockedNetworks::parse(&entries).unwrap()
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
            "192.168.0.1",
            "::1",
            "fc00::1",
            "fe80::1",
            "::ffff:10.1.2.3",
        ] {
            assert!(set.blocks(address.parse().unwrap()), "{address}");
        }
        for address in ["123.123.123.123", "2600::beef"] {
            assert!(!set.blocks(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_network_blocks_its_own_addresses_alone() {
        let set = blocked(&["203.0.113.0/24"]);
        assert!(set.blocks("203.0.113.9".parse().unwrap()));
        assert!(set.blocks("::ffff:203.0.113.9".parse().unwrap()));
        assert!(!set.blocks("203.0.114.9".parse().unwrap()));
        assert!(!set.blocks("127.0.0.1".parse().unwrap()));
    }

    #[test]
    fn nonsense_is_refused() {
        assert!(BlockedNetworks::parse(&["everything".to_owned()]).is_err());
    }
}
