//! A receiver of callbacks whose behaviour the test sets for each path.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than any client waits.
const HANG: Duration = Duration::from_secs(120);

/// How a path answers.
#[derive(Clone)]
pub(crate) enum Behaviour {
    /// With this head and body.
    Responds(&'static str, String),
    /// Not at all.
    Hangs,
    /// With bytes that are not HTTP.
    SendsGarbage,
    /// With the beginning of an answer, and then closes the connection.
    BreaksOff,
    /// With a good answer, byte by byte, with so many milliseconds between two.
    SendsSlowly(u64),
}

impl Behaviour {
    /// The receipt of §7.3: the callback is accepted.
    pub(crate) fn accepts() -> Self {
        Self::Responds("200 OK", r#"{"code":200,"message":"接收成功"}"#.to_owned())
    }
}

/// An event at the receiver, with the path of its request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ReceiverEvent {
    /// A complete request arrived.
    Request(String),
    /// The platform closed the connection before the answer was complete.
    Disconnected(String),
}

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct ReceivedRequest {
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

#[derive(Default)]
struct State {
    behaviours: Mutex<BTreeMap<String, Behaviour>>,
    received: Mutex<Vec<ReceivedRequest>>,
    events: Mutex<Vec<ReceiverEvent>>,
}

/// A running receiver.
pub(crate) struct TestReceiver {
    pub(crate) addr: SocketAddr,
    shared: Arc<State>,
}

impl TestReceiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let shared = Arc::<State>::default();
        let task_state = shared.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, task_state.clone()));
            }
        });
        Self { addr, shared }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.addr)
    }

    /// Sets how `path` answers from now on. A path without a behaviour answers 404.
    pub(crate) fn set_behaviour(&self, path: &str, behaviour: Behaviour) {
        self.shared
            .behaviours
            .lock()
            .unwrap()
            .insert(path.to_owned(), behaviour);
    }

    /// The requests at `path`, in order.
    pub(crate) fn requests_at(&self, path: &str) -> Vec<ReceivedRequest> {
        let received = self.shared.received.lock().unwrap();
        received
            .iter()
            .filter(|request| request.path == path)
            .cloned()
            .collect()
    }

    /// Everything that happened, in order.
    pub(crate) fn events(&self) -> Vec<ReceiverEvent> {
        self.shared.events.lock().unwrap().clone()
    }
}

async fn serve(mut socket: TcpStream, shared: Arc<State>) {
    // The platform keeps connections, and sends one request after the other on each.
    while let Some(request) = read(&mut socket).await {
        let path = request.path.clone();
        shared.received.lock().unwrap().push(request);
        shared
            .events
            .lock()
            .unwrap()
            .push(ReceiverEvent::Request(path.clone()));
        let behaviour = shared.behaviours.lock().unwrap().get(&path).cloned();
        let behaviour = behaviour.unwrap_or(Behaviour::Responds("404 Not Found", String::new()));
        if !answer(&mut socket, &path, behaviour, &shared).await {
            return;
        }
    }
}

/// Answers a request; false when the connection has ended.
async fn answer(socket: &mut TcpStream, path: &str, behaviour: Behaviour, shared: &State) -> bool {
    let whole = |head: &str, body: &str| {
        format!(
            "HTTP/1.1 {head}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    match behaviour {
        Behaviour::Responds(head, body) => {
            return socket.write_all(whole(head, &body).as_bytes()).await.is_ok();
        }
        Behaviour::SendsGarbage => {
            let _ = socket.write_all(b"\x16\x03\x01 not HTTP at all\r\n\r\n").await;
        }
        Behaviour::BreaksOff => {
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"code\":200")
                .await;
        }
        Behaviour::Hangs => {
            let _ = tokio::time::timeout(HANG, socket.read_u8()).await;
            shared
                .events
                .lock()
                .unwrap()
                .push(ReceiverEvent::Disconnected(path.to_owned()));
        }
        Behaviour::SendsSlowly(pause_ms) => {
            for byte in whole("200 OK", r#"{"code":200}"#).bytes() {
                if socket.write_all(&[byte]).await.is_err() {
                    shared
                        .events
                        .lock()
                        .unwrap()
                        .push(ReceiverEvent::Disconnected(path.to_owned()));
                    return false;
                }
                tokio::time::sleep(Duration::from_millis(pause_ms)).await;
            }
            return true;
        }
    }
    false
}

async fn read(socket: &mut TcpStream) -> Option<ReceivedRequest> {
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
    Some(ReceivedRequest {
        path: first.split(' ').nth(1)?.to_owned(),
        headers,
        body: serde_json::from_slice(&body).ok()?,
    })
}
