//! A Redis server of Debian's packages, on an address of its own. It keeps nothing on the disk.

use std::net::SocketAddr;

use crate::address::own_address;
use crate::server_process::{ServerProcess, find, text};

/// A running server without keys; killed when dropped.
pub struct RedisServer {
    address: SocketAddr,
    _process: ServerProcess,
}

impl RedisServer {
    /// Starts a server. `None`: Redis is not installed on this developer's machine.
    #[must_use]
    pub fn start() -> Option<Self> {
        let program = find("redis-server", [])?;
        let address = own_address().unwrap();
        let (host, port) = (address.ip().to_string(), address.port().to_string());
        let program = text(&program);
        let words = [
            &program,
            "--bind",
            &host,
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let words = words.map(str::to_owned);
        Some(Self {
            address,
            _process: ServerProcess::start(&words, "KILL", "Ready to accept connections", None),
        })
    }

    /// The address as a runtime configuration names it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
