//! A business system's callback receiver (§7.3): it accepts a callback only if both signatures are valid.
//!
//! It checks the `sign` field of the body by its definition in §7.3, and the Standard Webhooks headers with that
//! specification's own library. It must never use code of the platform: what it accepts, any receiver can.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use anyhow::{Context as _, Result, anyhow, bail};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::language::text;

/// Most bytes of a callback body; those of the platform are below 20 kB.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// One callback that arrived with valid signatures.
#[derive(Debug, Clone)]
pub struct Received {
    /// `webhook-id`: the same for every attempt at the same callback.
    pub id: String,
    /// The JSON body.
    pub body: Value,
}

/// A running receiver; dropping it stops the listener.
pub struct Receiver {
    addr: SocketAddr,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    secret: OnceLock<String>,
    received: Mutex<Vec<Received>>,
    refused: Mutex<Vec<String>>,
    changed: Notify,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// Listens on a free loopback port.
    pub async fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context(text(
            "接收端没有可用的本机端口",
            "no loopback port for the receiver",
        ))?;
        let addr = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let task = tokio::spawn(accept(listener, shared.clone()));
        Ok(Self { addr, shared, task })
    }

    /// URL for callbacks.
    pub fn url(&self) -> String {
        format!("http://{}/callback", self.addr)
    }

    /// The `scheme://host:port` of [`Self::url`], as an outbound allow-list names it.
    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Sets the client's callback secret (`whsec_…`), once.
    pub fn set_secret(&self, secret: &str) {
        let _ = self.shared.secret.set(secret.to_owned());
    }

    /// Callbacks that arrived with valid signatures so far, in order.
    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().expect("no holder panics").clone()
    }

    /// Why callbacks were refused so far, in order.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().expect("no holder panics").clone()
    }

    /// Completes when a callback arrives after this call, even before the future is awaited.
    pub fn changed(&self) -> impl Future<Output = ()> + '_ {
        self.shared.changed.notified()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, shared.clone()));
            let connection =
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            if let Err(error) = connection.await {
                tracing::debug!(%error, "callback connection ended early");
            }
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let outcome = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => check(&parts.headers, &body.to_bytes(), &shared),
        Err(error) => Err(anyhow!("{}: {error}", text("未能读取正文", "body not read"))),
    };
    let (status, code, message) = match outcome {
        Ok(received) => {
            shared.received.lock().expect("no holder panics").push(received);
            (StatusCode::OK, 200, "接收成功".to_owned())
        }
        Err(error) => {
            shared
                .refused
                .lock()
                .expect("no holder panics")
                .push(error.to_string());
            (StatusCode::BAD_REQUEST, 400, error.to_string())
        }
    };
    shared.changed.notify_waiters();
    let body = serde_json::json!({"code": code, "message": message}).to_string();
    Ok(Response::builder()
        .status(status)
        .header("content-type", "application/json; charset=utf-8")
        .body(Full::new(Bytes::from(body)))?)
}

fn check(headers: &HeaderMap, body: &[u8], shared: &Shared) -> Result<Received> {
    let secret = shared
        .secret
        .get()
        .context(text("接收端尚无密钥", "the receiver has no secret yet"))?;
    let webhook =
        standardwebhooks::Webhook::new(secret).context(text("回调密钥不可用", "unusable callback secret"))?;
    webhook.verify(body, headers).context(text(
        "webhook-signature 校验失败",
        "webhook-signature does not verify",
    ))?;
    let body: Value = serde_json::from_slice(body).context(text("正文不是 JSON", "the body is not JSON"))?;
    let sign = body
        .get("sign")
        .and_then(Value::as_str)
        .context(text("正文没有 sign", "the body has no sign"))?;
    if !sign_holds(&body, sign, secret)? {
        bail!(text("sign 校验失败", "sign does not verify"));
    }
    let id = headers
        .get("webhook-id")
        .and_then(|id| id.to_str().ok())
        .context(text("没有 webhook-id", "no webhook-id"))?;
    Ok(Received {
        id: id.to_owned(),
        body,
    })
}

/// Checks `sign` by its published definition: HMAC-SHA256 in hex, keyed with the secret's bytes, over `key=value`
/// pairs sorted by key and joined by `&`; `sign`, `sign_previous` and fields that are null or empty are left out.
fn sign_holds(body: &Value, sign: &str, secret: &str) -> Result<bool> {
    use base64::Engine as _;
    let key = secret.strip_prefix("whsec_").context(text(
        "回调密钥应以 whsec_ 开头",
        "a callback secret begins with whsec_",
    ))?;
    let key = base64::engine::general_purpose::STANDARD
        .decode(key)
        .context(text("回调密钥应为 base64", "a callback secret is base64"))?;
    let mut fields = BTreeMap::new();
    let object = body
        .as_object()
        .context(text("正文不是对象", "the body is not an object"))?;
    for (name, value) in object {
        let value = match value {
            Value::Null => continue,
            Value::String(value) => value.clone(),
            other => other.to_string(),
        };
        if !["sign", "sign_previous"].contains(&name.as_str()) && !value.is_empty() {
            fields.insert(name, value);
        }
    }
    let canonical: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key)?;
    mac.update(canonical.join("&").as_bytes());
    Ok(mac.verify_slice(&hex::decode(sign).unwrap_or_default()).is_ok())
}
