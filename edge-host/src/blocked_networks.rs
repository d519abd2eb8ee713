//! Networks that no component may reach, whatever its manifest allows: `block_networks`.
//!
//! Checks addresses only, after name resolution; names are checked in `allowed_hosts`.

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
    /// Parses entries, each `private` or a network in CIDR form.
    ///
    /// # Errors
    /// An entry that is neither.
    pub(crate) fn parse(entries: &[String]) -> anyhow::Result<Self> {
        let private = entries.iter().any(|entry| entry == PRIVATE);
        let networks = entries
            .iter()
            .filter(|entry| *entry != PRIVATE)
            .map(|entry| {
                IpNetwork::from_str_truncate(entry)
                    .map_err(|error| anyhow!("block_networks has {entry:?}: {error}"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        // As in Spin: beside `private`, an entry that is not global as a whole is left out, although some of its
        // addresses may count as global (ff0e::/16 in ff00::/8). A list tested here blocks no less under Spin.
        let mut networks = IpNetwork::collapse_addresses(&networks);
        networks.retain(|network| !private || network.is_global());
        Ok(Self { networks, private })
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
mod tests;
