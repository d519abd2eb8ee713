//! A platform that answers the gateway's routes as the test says, and keeps the calls.
//!
//! It must not read or check what it is sent, beyond what an answer needs.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use ota_gateway::keys::LinkKey;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::{CRON_SECRET, GATEWAY_SECRET, link_key};
use crate::eid::{EID, IDENTITY};

/// The IMSI that the platform reserves.
pub const RESERVED_IMSI: &str = "460001357924680";
/// K and OPc of [`RESERVED_IMSI`], each byte of them.
pub const RESERVED_KEYS: (u8, u8) = (0xA1, 0xA2);

/// How the platform answers.
pub struct PlatformBehaviour {
    /// What the next session is for.
    pub work: &'static str,
    /// Test allowance left.
    pub allowance: Option<u64>,
    /// Statuses that the next reports of these kinds get instead of an answer.
    pub report_faults: Vec<(&'static str, u16)>,
    /// Status that sessions get instead of an answer.
    pub session_fault: Option<(u16, &'static str)>,
    /// A PSK that the platform knows, instead of a derived one.
    pub explicit_psk: Option<Vec<u8>>,
    /// Whether calls for keys get no answer.
    pub silent_keys: bool,
}

impl Default for PlatformBehaviour {
    fn default() -> Self {
        Self {
            work: "write",
            allowance: Some(5 * 1024 * 1024),
            report_faults: Vec::new(),
            session_fault: None,
            explicit_psk: None,
            silent_keys: false,
        }
    }
}

struct State {
    behaviour: PlatformBehaviour,
    resume_step: u64,
    calls: Vec<(String, Value)>,
}

/// A platform that answers by its [`PlatformBehaviour`].
#[derive(Clone)]
pub struct PlatformStub {
    addr: SocketAddr,
    state: Arc<Mutex<State>>,
    changed: Arc<Notify>,
}

impl PlatformStub {
    /// Serves on a free port until the test ends.
    pub async fn start(behaviour: PlatformBehaviour) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let addr = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State {
            behaviour,
            resume_step: 0,
            calls: Vec::new(),
        }));
        let platform = Self {
            addr,
            state,
            changed: Arc::new(Notify::new()),
        };
        let serving = platform.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let platform = serving.clone();
                let service = service_fn(move |request| answer(platform.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        platform
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Bodies of the calls to one route, in order.
    #[must_use]
    pub fn calls(&self, route: &str) -> Vec<Value> {
        self.with(|state| {
            state
                .calls
                .iter()
                .filter(|(path, _)| path.ends_with(route))
                .map(|(_, body)| body.clone())
                .collect()
        })
    }

    /// Kinds of the reports, in order.
    #[must_use]
    pub fn reported(&self) -> Vec<String> {
        self.calls("/report")
            .iter()
            .map(|report| report["event"]["kind"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Waits until a call to this route came.
    pub async fn called(&self, route: &str) {
        loop {
            let changed = self.changed.notified();
            if !self.calls(route).is_empty() {
                return;
            }
            changed.await;
        }
    }

    /// Waits until a gateway announced a failed handshake; gives the first of that announcement.
    pub async fn failed_handshake(&self) -> Value {
        loop {
            let changed = self.changed.notified();
            let announced = self.calls("/announce");
            let mut failed = announced.iter().map(|call| &call["failed_handshakes"][0]);
            if let Some(failed) = failed.find(|failed| failed.is_object()) {
                return failed.clone();
            }
            changed.await;
        }
    }

    /// Changes how it answers from now on.
    pub fn set(&self, edit: impl FnOnce(&mut PlatformBehaviour)) {
        self.with(|state| edit(&mut state.behaviour));
    }

    fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn decide(&self, path: &str, body: &Value) -> (u16, Value) {
        self.with(|state| {
            state.calls.push((path.to_owned(), body.clone()));
            match path {
                "/internal/gateway/keys" => state.keys(body),
                "/internal/gateway/sessions" => state.session(),
                "/internal/gateway/report" => state.report(body),
                "/internal/gateway/announce" => (200, json!({"repeated": false})),
                "/internal/cron" => (200, json!({})),
                _ => (404, json!({"reason": "not_found"})),
            }
        })
    }
}

impl State {
    fn keys(&self, body: &Value) -> (u16, Value) {
        let known = body["psk_identity"] == hex::encode(IDENTITY) || self.behaviour.explicit_psk.is_some();
        if !known {
            return (404, json!({"reason": "unknown_chip"}));
        }
        let link = LinkKey::parse(&link_key()).unwrap();
        let psk = self
            .behaviour
            .explicit_psk
            .as_ref()
            .map(|psk| link.wrap_hex(psk).unwrap());
        (
            200,
            json!({"eid": EID, "key_version": 64, "psk_wrapped": psk, "dek_wrapped": null}),
        )
    }

    fn session(&self) -> (u16, Value) {
        if let Some((status, reason)) = self.behaviour.session_fault {
            return (status, json!({"reason": reason}));
        }
        let link = LinkKey::parse(&link_key()).unwrap();
        let wrapped = |byte| (self.behaviour.work == "write").then(|| link.wrap_hex(&[byte; 16]).unwrap());
        let data = json!({
            "iccid": "89860112345678901234", "msisdn": "1440123456789", "imsi": RESERVED_IMSI,
            "smsc": "+8613800100500", "k_wrapped": wrapped(RESERVED_KEYS.0),
            "opc_wrapped": wrapped(RESERVED_KEYS.1),
        });
        (
            200,
            json!({
                "work": self.behaviour.work, "task_id": "task-1", "chip_model": "QB-SEED-4G", "profile": "qibiao-seed",
                "attempt": 1, "allowance_bytes": self.behaviour.allowance, "resume_step": self.resume_step, "data": data,
            }),
        )
    }

    fn report(&mut self, body: &Value) -> (u16, Value) {
        let kind = body["event"]["kind"].as_str().unwrap();
        let faults = &mut self.behaviour.report_faults;
        if let Some(at) = faults.iter().position(|(faulty, _)| *faulty == kind) {
            let (_, status) = faults.remove(at);
            return (status, json!({"reason": "test"}));
        }
        let spent = body["bytes_up"].as_u64().unwrap() + body["bytes_down"].as_u64().unwrap();
        let left = self
            .behaviour
            .allowance
            .map(|allowance| allowance.saturating_sub(spent));
        let go_on = kind == "progress";
        match kind {
            "progress" => self.resume_step = body["event"]["step"].as_u64().unwrap(),
            "written" => self.behaviour.work = "verify",
            "verified" | "failed" => self.behaviour.work = "none",
            "not_verified" if body["event"]["rewrite"] == true => {
                self.behaviour.work = "write";
                self.resume_step = 0;
            }
            _ => {}
        }
        (200, json!({"continue": go_on, "allowance_bytes": left}))
    }
}

async fn answer(
    platform: PlatformStub,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let secret = if path == "/internal/cron" {
        CRON_SECRET
    } else {
        GATEWAY_SECRET
    };
    let authorised = request
        .headers()
        .get("authorization")
        .is_some_and(|given| *given == *format!("Bearer {secret}"));
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if path.ends_with("/keys") && platform.with(|state| state.behaviour.silent_keys) {
        std::future::pending::<()>().await;
    }
    let (status, mut document) = if authorised {
        platform.decide(&path, &body)
    } else {
        (401, json!({}))
    };
    platform.changed.notify_waiters();
    document["code"] = status.into();
    document["message"] = "test".into();
    let response = Response::builder()
        .status(status)
        .body(Full::from(document.to_string()));
    Ok(response.unwrap())
}
