//! Addresses for what a test starts.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU8, Ordering};

/// A free address on a loopback host of its own, which no outgoing connection can take: those use ports of 127.0.0.1.
///
/// # Errors
/// There is no free port.
pub fn own_address() -> io::Result<SocketAddr> {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let host = Ipv4Addr::new(127, 77, NEXT.fetch_add(1, Ordering::Relaxed), process_octet());
    TcpListener::bind((host, 0))?.local_addr()
}

/// Part of the process id, so that two runs at the same time use different hosts.
fn process_octet() -> u8 {
    u8::try_from(std::process::id() % 250).unwrap_or_default() + 1
}
