//! An administration server with fixed answers over TLS-PSK: one per POST, in order, over any number of connections.
//!
//! Written with `openssl` alone. It must not use the gateway's code, so that nothing of it stands on both sides.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use openssl::ssl::{Ssl, SslContext, SslMethod, SslOptions, SslStream, SslVersion};

use crate::chip::PSK;

/// Reaction of the server to one POST.
pub enum Step {
    /// Sends these bytes.
    Answer(Vec<u8>),
    /// Closes the connection without an answer.
    Cut,
}

/// A received POST.
#[derive(Debug, Clone)]
pub struct Post {
    /// Number of the connection, from 0.
    pub connection: usize,
    /// Request line and headers.
    pub head: String,
    /// Body, unchunked.
    pub body: Vec<u8>,
}

impl Post {
    /// What was posted to.
    #[must_use]
    pub fn uri(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// A header's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A running server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<Arc<AtomicBool>>,
    thread: JoinHandle<Vec<Post>>,
}

impl Server {
    /// Serves `steps`, then closes. TLS 1.2 and 1.3 are both offered.
    #[must_use]
    pub fn start(steps: Vec<Step>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || serve(&listener, steps));
        Self {
            address,
            stop: None,
            thread,
        }
    }

    /// Answers by URI, over as many connections as are opened, until it is asked for its POSTs.
    #[must_use]
    pub fn by_uri(answers: Vec<(&'static str, Step)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || serve_by_uri(&listener, &answers, &stopped));
        Self {
            address,
            stop: Some(stop),
            thread,
        }
    }

    /// The POSTs, once every step is done; a server by URI stops now.
    pub fn posts(self) -> Vec<Post> {
        if let Some(stop) = self.stop {
            stop.store(true, Ordering::SeqCst);
            drop(TcpStream::connect(self.address));
        }
        self.thread.join().unwrap()
    }
}

fn serve(listener: &TcpListener, steps: Vec<Step>) -> Vec<Post> {
    let context = context();
    let mut steps = steps.into_iter().peekable();
    let mut posts = Vec::new();
    let mut connection = 0;
    while steps.peek().is_some() {
        let (socket, _) = listener.accept().unwrap();
        let mut stream = SslStream::new(Ssl::new(&context).unwrap(), socket).unwrap();
        // A chip that loses power during the handshake comes back.
        if stream.accept().is_ok() {
            while steps.peek().is_some() {
                let Some(post) = read_post(&mut stream, connection) else {
                    break;
                };
                posts.push(post);
                match steps.next() {
                    Some(Step::Answer(bytes)) => {
                        if stream.write_all(&bytes).is_err() {
                            break;
                        }
                    }
                    _ => break,
                }
            }
            if steps.peek().is_none() {
                let _ = stream.shutdown();
                let mut rest = Vec::new();
                let _ = stream.get_mut().read_to_end(&mut rest);
            }
        }
        connection += 1;
    }
    posts
}

fn serve_by_uri(listener: &TcpListener, answers: &[(&str, Step)], stop: &AtomicBool) -> Vec<Post> {
    let context = context();
    let mut posts = Vec::new();
    for connection in 0.. {
        let (socket, _) = listener.accept().unwrap();
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let mut stream = SslStream::new(Ssl::new(&context).unwrap(), socket).unwrap();
        if stream.accept().is_err() {
            continue;
        }
        while let Some(post) = read_post(&mut stream, connection) {
            let answer = answers.iter().find(|(uri, _)| *uri == post.uri());
            posts.push(post);
            let Some((_, Step::Answer(bytes))) = answer else {
                panic!("no answer for {:?}", posts.last())
            };
            if stream.write_all(bytes).is_err() {
                break;
            }
        }
    }
    posts
}

fn context() -> SslContext {
    let mut builder = SslContext::builder(SslMethod::tls_server()).unwrap();
    builder.set_min_proto_version(Some(SslVersion::TLS1_2)).unwrap();
    builder
        .set_cipher_list("PSK-AES128-CBC-SHA256:PSK-AES128-GCM-SHA256")
        .unwrap();
    builder.set_ciphersuites("TLS_AES_128_GCM_SHA256").unwrap();
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0).unwrap();
    builder.set_psk_server_callback(|_, identity, key| {
        assert!(identity.is_some_and(|identity| identity.starts_with(b"8001028110")));
        key[..16].copy_from_slice(&PSK);
        Ok(16)
    });
    builder.build()
}

fn read_post(stream: &mut SslStream<TcpStream>, connection: usize) -> Option<Post> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        read_more(stream, &mut bytes)?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut post = Post {
        connection,
        head,
        body: bytes[end..].to_vec(),
    };
    if let Some(length) = post
        .header("Content-Length")
        .map(|value| value.parse::<usize>().unwrap())
    {
        while post.body.len() < length {
            read_more(stream, &mut post.body)?;
        }
    } else if post.header("Transfer-Encoding") == Some("chunked") {
        while !post.body.ends_with(b"0\r\n\r\n") {
            read_more(stream, &mut post.body)?;
        }
        post.body = unchunk(&post.body);
    }
    Some(post)
}

fn read_more(stream: &mut SslStream<TcpStream>, into: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 4096];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => None,
        Ok(count) => {
            into.extend_from_slice(&buffer[..count]);
            Some(())
        }
    }
}

fn unchunk(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let at = bytes.windows(2).position(|two| two == b"\r\n").unwrap();
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..at]).unwrap(), 16).unwrap();
        body.extend_from_slice(&bytes[at + 2..at + 2 + size]);
        bytes = &bytes[at + 2 + size + 2..];
        if size == 0 {
            assert!(bytes.is_empty());
            return body;
        }
    }
}

const HEAD: &str = "X-Admin-Protocol: globalplatform-remote-admin/1.0\r\n";
/// The RFM application, as `X-Admin-Targeted-Application` names it.
pub const RFM: &str = "//aid/A000000559/10100001";
const TYPE: &str = "application/vnd.etsi.scp.command-data;version=1.0";

/// 200 with a script for `target`, Content-Length.
#[must_use]
pub fn script_for(target: &str, next: Option<&str>, script: &str) -> Step {
    let body = hex::decode(script).unwrap();
    let next = next
        .map(|uri| format!("X-Admin-Next-URI: {uri}\r\n"))
        .unwrap_or_default();
    let mut out = format!(
        "HTTP/1.1 200 OK\r\n{HEAD}{next}X-Admin-Targeted-Application: {target}\r\nContent-Type: {TYPE}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    out.extend_from_slice(&body);
    Step::Answer(out)
}

/// 200 with a script for the RFM application, Content-Length.
#[must_use]
pub fn script(next: &str, script: &str) -> Step {
    script_for(RFM, Some(next), script)
}

/// 200 with a script for the RFM application, in two chunks.
#[must_use]
pub fn chunked_script(next: &str, script: &str) -> Step {
    let body = hex::decode(script).unwrap();
    let (first, second) = body.split_at(body.len() / 2);
    let mut out = format!(
        "HTTP/1.1 200 OK\r\n{HEAD}X-Admin-Next-URI: {next}\r\nX-Admin-Targeted-Application: {RFM}\r\nContent-Type: {TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    .into_bytes();
    for chunk in [first, second] {
        out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    Step::Answer(out)
}

/// 204, with or without a next URI.
#[must_use]
pub fn no_content(next: Option<&str>) -> Step {
    let next = next
        .map(|uri| format!("X-Admin-Next-URI: {uri}\r\n"))
        .unwrap_or_default();
    Step::Answer(format!("HTTP/1.1 204 No Content\r\n{HEAD}{next}\r\n").into_bytes())
}

/// An error status without a body.
#[must_use]
pub fn error(status: u16) -> Step {
    Step::Answer(format!("HTTP/1.1 {status} Error\r\nContent-Length: 0\r\n\r\n").into_bytes())
}
