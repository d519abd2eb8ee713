//! A Redis server of Debian's packages, on an address of its own. It keeps nothing on the disk.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Mutex;

use crate::address::own_address;
use crate::server_process::{ServerProcess, find, text};

/// A running server without keys; killed when dropped.
pub struct RedisServer {
    address: SocketAddr,
    command: Vec<String>,
    process: Mutex<Option<ServerProcess>>,
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
        let server = Self {
            address,
            command: words.map(str::to_owned).to_vec(),
            process: Mutex::default(),
        };
        server.serve();
        Some(server)
    }

    fn serve(&self) {
        let ready = "Ready to accept connections";
        let mut process = self.process.lock().unwrap();
        *process = Some(ServerProcess::start(&self.command, "KILL", ready, None));
    }

    /// Ends the server at once, as a crash does, and starts it again on its address, without keys.
    pub fn crash(&self) {
        drop(self.process.lock().unwrap().take());
        self.serve();
    }

    /// Removes every key.
    pub fn flush(&self) {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.write_all(b"FLUSHALL\r\n").unwrap();
        let mut answer = [0; 5];
        socket.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"+OK\r\n");
    }

    /// The address as a runtime configuration names it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://{}", self.address)
    }
}
