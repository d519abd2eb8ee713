//! Requests from outside, and their answers.

mod access;
mod answers;
mod clients;
mod parameters;

use futures::executor::block_on;
use http::{HeaderMap, Method};

use super::interface::Interface;
use super::{
    Call, Exchange, Instance, Leases, Refusal, Reply, Request, Settings, Trace, Variables, admit, serve,
};
use domain::Timestamp;
use operations::Context;
use store::{Sqlite, migrate};
use vault::{Random, Zeroizing};

/// The secret of internal interfaces in these tests.
pub(super) const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// The transport key `t`: the key encryption key of RFC 3394 §4.6.
const KEY_ENCRYPTION_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Randomness that repeats, so that answers can be compared.
struct Fixed;

impl Random for Fixed {
    fn fill(&self, out: &mut [u8]) {
        out.fill(0xab);
    }
}

/// A request to be sent: by default a GET from 203.0.113.9.
pub(super) struct Sent {
    method: Method,
    target: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Sent {
    pub(super) fn get(target: &str) -> Self {
        Self {
            method: Method::GET,
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new(),
        }
        .header("spin-client-addr", "203.0.113.9:51000")
    }

    pub(super) fn post(target: &str, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let sent = Self {
            method: Method::POST,
            body: body.into(),
            ..Self::get(target)
        };
        sent.header("content-type", content_type)
    }

    pub(super) fn method(mut self, method: Method) -> Self {
        self.method = method;
        self
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.append(name, value.parse().unwrap());
        self
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }
}

/// The answer to a request.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) body: serde_json::Value,
    pub(super) line: Option<String>,
}

impl Answer {
    pub(super) fn reason(&self) -> &str {
        self.body["reason"].as_str().unwrap_or("none")
    }

    /// The document, one field a line, for review.
    pub(super) fn pretty(&self) -> String {
        self.text.replace(",\"", ",\n\"")
    }
}

pub(super) fn variables() -> Variables {
    Variables {
        sealing_keys: Some(Zeroizing::new(format!("1:{}", "11".repeat(32)))),
        index_key: Zeroizing::new("22".repeat(32)),
        token_key: Some(Zeroizing::new("33".repeat(32))),
        secret: Some(Zeroizing::new(SECRET.to_owned())),
        time_zone: Some("Asia/Shanghai".to_owned()),
        transport_keys: Some(Zeroizing::new(format!("t:{KEY_ENCRYPTION_KEY}"))),
        trusted_proxies: Some("10.0.0.0/8".to_owned()),
        ..Variables::default()
    }
}

/// Sends a request to an interface with this handler.
pub(super) fn send(
    interface: &'static Interface,
    sent: Sent,
    handler: impl AsyncFnOnce(&Call<'_, Sqlite>) -> Result<Reply, Refusal>,
) -> Answer {
    let db = Sqlite::in_memory().unwrap();
    let now = Timestamp(1_782_864_000_000);
    block_on(migrate(&db, now)).unwrap();
    send_to(&db, now, interface, sent, handler)
}

/// The same, to an existing platform.
pub(super) fn send_to(
    db: &Sqlite,
    now: Timestamp,
    interface: &'static Interface,
    sent: Sent,
    handler: impl AsyncFnOnce(&Call<'_, Sqlite>) -> Result<Reply, Refusal>,
) -> Answer {
    let settings = Settings::from_variables(&variables()).unwrap();
    let cx = Context::new((db, db), &settings.vault, now, &Fixed, &settings.zone);
    let mut request = http::Request::new(Ok(sent.body));
    *request.method_mut() = sent.method;
    *request.uri_mut() = sent.target.parse().unwrap();
    *request.headers_mut() = sent.headers;
    respond(interface, &request, &cx, &settings, handler)
}

fn answer(exchange: &Exchange, outcome: &Result<Reply, Refusal>) -> Answer {
    let (response, line) = exchange.finish(None, outcome);
    let (parts, body) = response.into_parts();
    let text = String::from_utf8(body).unwrap();
    let body = serde_json::from_str(&text).unwrap();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        text,
        body,
        line,
    }
}

/// Carries a request through the request layer to `handler`.
fn respond(
    interface: &'static Interface,
    request: &Request,
    cx: &Context<'_, Sqlite>,
    settings: &Settings,
    handler: impl AsyncFnOnce(&Call<'_, Sqlite>) -> Result<Reply, Refusal>,
) -> Answer {
    let exchange = Exchange::begin(interface, request.headers(), &Fixed);
    let leases = Leases::default();
    let instance = Instance {
        settings,
        leases: &leases,
    };
    let mut trace = Trace::default();
    let outcome = block_on(async {
        let admitted = admit(
            interface,
            (request.method(), request.uri()),
            request.headers(),
            settings,
            &mut trace,
        )?;
        serve(interface, &admitted, request, cx, instance, &mut trace, handler).await
    });
    answer(&exchange, &outcome)
}

/// A request whose body could not be read.
pub(super) fn send_broken(interface: &'static Interface, reason: domain::error::Reason) -> Answer {
    let db = Sqlite::in_memory().unwrap();
    let settings = Settings::from_variables(&variables()).unwrap();
    let cx = Context::new((&db, &db), &settings.vault, Timestamp(0), &Fixed, &settings.zone);
    let request: Request = http::Request::builder()
        .method(Method::POST)
        .uri(interface.path)
        .header("spin-client-addr", "203.0.113.9:51000")
        .body(Err(reason))
        .unwrap();
    respond(interface, &request, &cx, &settings, async |_| Ok(Reply::ok()))
}
