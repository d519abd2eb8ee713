//! Special-purpose networks, in which no callback receiver can be.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// The networks of IANA's two registries of special-purpose addresses, whether globally reachable or not. Added are
/// multicast, all of IPv6 outside global unicast (2000::/3), and one public address with a special use in Azure. Every
/// IPv6 address that embeds an IPv4 address lies in one of these networks, so none is decoded.
pub(super) const SPECIAL_NETWORKS: [IpNet; 27] = [
    v4([0, 0, 0, 0], 8),            // this network
    v4([10, 0, 0, 0], 8),           // private use
    v4([100, 64, 0, 0], 10),        // carrier-grade NAT
    v4([127, 0, 0, 0], 8),          // loopback
    v4([168, 63, 129, 16], 32),     // the host agent of every machine in Azure
    v4([169, 254, 0, 0], 16),       // link-local, clouds' metadata
    v4([172, 16, 0, 0], 12),        // private use
    v4([192, 0, 0, 0], 24),         // protocol assignments
    v4([192, 0, 2, 0], 24),         // documentation
    v4([192, 31, 196, 0], 24),      // AS112
    v4([192, 52, 193, 0], 24),      // automatic multicast tunnelling
    v4([192, 88, 99, 0], 24),       // 6to4 relays, deprecated
    v4([192, 168, 0, 0], 16),       // private use
    v4([192, 175, 48, 0], 24),      // AS112
    v4([198, 18, 0, 0], 15),        // benchmarking
    v4([198, 51, 100, 0], 24),      // documentation
    v4([203, 0, 113, 0], 24),       // documentation
    v4([224, 0, 0, 0], 4),          // multicast
    v4([240, 0, 0, 0], 4),          // reserved, broadcast
    v6([0, 0, 0], 3),               // loopback, IPv4 in IPv6, NAT64, discard-only
    v6([0x2001, 0, 0], 23),         // protocol assignments: Teredo, benchmarking, ORCHID
    v6([0x2001, 0x0db8, 0], 32),    // documentation
    v6([0x2002, 0, 0], 16),         // 6to4
    v6([0x2620, 0x4f, 0x8000], 48), // AS112
    v6([0x3fff, 0, 0], 20),         // documentation
    v6([0x4000, 0, 0], 2),          // segment routing (5f00::/16), unallocated
    v6([0x8000, 0, 0], 1),          // unique local, link-local, site-local, multicast, unallocated
];

pub(super) fn is_special(address: IpAddr) -> bool {
    SPECIAL_NETWORKS.iter().any(|network| network.contains(&address))
}

/// An address of each special-purpose network.
pub fn special_addresses() -> impl Iterator<Item = IpAddr> {
    SPECIAL_NETWORKS.iter().map(IpNet::addr)
}

const fn v4([a, b, c, d]: [u8; 4], length: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length))
}

const fn v6([a, b, c]: [u16; 3], length: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), length))
}
