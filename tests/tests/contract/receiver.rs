//! A callback receiver that behaves and misbehaves, by the path it is called at.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anybody waits.
const FOR_EVER: Duration = Duration::from_secs(120);

/// How a path answers.
#[derive(Clone)]
pub(crate) enum Manner {
    /// With this head and body.
    Says(&'static str, String),
    /// Not at all.
    Hangs,
    /// With bytes that are no HTTP.
    Garbles,
    /// With the beginning of an answer, and then hangs up.
    BreaksOff,
    /// With a good answer, one byte after the other, so many milliseconds apart.
    Drips(u64),
}

impl Manner {
    /// The receipt that the clause asks for.
    pub(crate) fn good() -> Self {
        Self::Says("200 OK", r#"{"code":200,"message":"接收成功"}"#.to_owned())
    }
}

/// What happened at the receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A request arrived whole.
    Request(String),
    /// The platform hung up on a request that was not answered.
    HungUp(String),
}

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct Shared {
    manners: Mutex<BTreeMap<String, Manner>>,
    arrived: Mutex<Vec<Arrived>>,
    seen: Mutex<Vec<Seen>>,
}

/// The receiver.
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::<Shared>::default();
        let of_task = shared.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, of_task.clone()));
            }
        });
        Self { addr, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// From now on `path` answers in this manner; a path that was told nothing answers 404.
    pub(crate) fn behave(&self, path: &str, manner: Manner) {
        self.shared
            .manners
            .lock()
            .unwrap()
            .insert(path.to_owned(), manner);
    }

    /// The requests at `path`, in order.
    pub(crate) fn at(&self, path: &str) -> Vec<Arrived> {
        let arrived = self.shared.arrived.lock().unwrap();
        arrived
            .iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }
}

async fn serve(mut socket: TcpStream, shared: Arc<Shared>) {
    // One after the other on one connection, as a platform that keeps connections sends them.
    while let Some(request) = read(&mut socket).await {
        let path = request.path.clone();
        shared.arrived.lock().unwrap().push(request);
        shared.seen.lock().unwrap().push(Seen::Request(path.clone()));
        let manner = shared.manners.lock().unwrap().get(&path).cloned();
        let manner = manner.unwrap_or(Manner::Says("404 Not Found", String::new()));
        if !answer(&mut socket, &path, manner, &shared).await {
            return;
        }
    }
}

/// Answers; false when the connection is over.
async fn answer(socket: &mut TcpStream, path: &str, manner: Manner, shared: &Shared) -> bool {
    let whole = |head: &str, body: &str| {
        format!(
            "HTTP/1.1 {head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    match manner {
        Manner::Says(head, body) => return socket.write_all(whole(head, &body).as_bytes()).await.is_ok(),
        Manner::Garbles => {
            let _ = socket.write_all(b"\x16\x03\x01 not HTTP at all\r\n\r\n").await;
        }
        Manner::BreaksOff => {
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"code\":200")
                .await;
        }
        Manner::Hangs => {
            let _ = tokio::time::timeout(FOR_EVER, socket.read_u8()).await;
            shared.seen.lock().unwrap().push(Seen::HungUp(path.to_owned()));
        }
        Manner::Drips(pause_ms) => {
            for byte in whole("200 OK", r#"{"code":200}"#).bytes() {
                if socket.write_all(&[byte]).await.is_err() {
                    shared.seen.lock().unwrap().push(Seen::HungUp(path.to_owned()));
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            return true;
        }
    }
    false
}

async fn read(socket: &mut TcpStream) -> Option<Arrived> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let (first, rest) = head.split_once("\r\n")?;
    let headers: BTreeMap<String, String> = rest
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.ok()?;
    Some(Arrived {
        path: first.split(' ').nth(1)?.to_owned(),
        headers,
        body: serde_json::from_slice(&body).ok()?,
    })
}
