//! Performs the action that a test of edge-host asks for and reports the result as JSON.
//!
//! The last segment of the path names the action, the body holds its arguments. The component asserts
//! nothing: that is done in the tests.

mod kv;
mod pg;
mod sql;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, bail};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use spin_sdk::http::{FullBody, Request, Response, StatusCode, send};
use spin_sdk::wasip3::clocks::system_clock;
use spin_sdk::{http_service, variables};

/// The largest request body, in bytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// How often a waiting request polls, at most.
const MAX_POLLS: u32 = 2000;

/// Time between two polls.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Requests that this instance has received.
static REQUESTS: AtomicU32 = AtomicU32::new(0);

#[http_service]
async fn handle(request: Request) -> (StatusCode, String) {
    let nth = REQUESTS.fetch_add(1, Ordering::SeqCst) + 1;
    match act(request, nth).await {
        Ok(value) => (StatusCode::OK, value.to_string()),
        Err(error) => (
            StatusCode::BAD_REQUEST,
            json!({ "error": format!("{error:#}") }).to_string(),
        ),
    }
}

async fn act(request: Request, nth: u32) -> anyhow::Result<Value> {
    let name = request
        .uri()
        .path()
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    if name == "headers" {
        return Ok(headers(&request));
    }
    let arguments = arguments(request).await?;
    match name.as_str() {
        "nth" => Ok(json!(nth)),
        "say" => Ok(say(&arguments)),
        "clock" => Ok(clock()),
        "variable" => variable(text(&arguments, "name")?).await,
        "environment" => Ok(json!(std::env::vars().collect::<Vec<_>>())),
        "fetch" => fetch(text(&arguments, "url")?).await,
        "wait-for-second-request" => wait_for_second_request(text(&arguments, "url")?).await,
        "panic" => panic!("asked to"),
        "sql" => sql::run(&arguments).await,
        "add-one" => sql::add_one(&arguments).await,
        "leave-transaction-open" => sql::leave_transaction_open().await,
        "pg" => pg::run(&arguments).await,
        "pg-abandon" => pg::abandon(&arguments).await,
        "pg-commit" => pg::commit(&arguments).await,
        "pg-exhaust" => pg::exhaust(&arguments).await,
        "kv" => kv::round_trip(text(&arguments, "store")?).await,
        "increment" => kv::increment(text(&arguments, "store")?, text(&arguments, "key")?),
        "swap" => kv::swap(text(&arguments, "store")?),
        _ => bail!("no such action"),
    }
}

async fn arguments(request: Request) -> anyhow::Result<Value> {
    let body = request
        .into_body()
        .collect()
        .await
        .context("the body")?
        .to_bytes();
    if body.len() > MAX_BODY_BYTES {
        bail!("the body is too long");
    }
    if body.is_empty() {
        Ok(Value::Null)
    } else {
        Ok(serde_json::from_slice(&body)?)
    }
}

pub(crate) fn text<'a>(arguments: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    arguments[name]
        .as_str()
        .with_context(|| format!("no argument {name:?}"))
}

fn headers(request: &Request) -> Value {
    let pairs: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| json!([name.as_str(), String::from_utf8_lossy(value.as_bytes())]))
        .collect();
    json!(pairs)
}

fn say(arguments: &Value) -> Value {
    println!("out: {arguments}");
    eprintln!("err: {arguments}");
    Value::Null
}

fn clock() -> Value {
    let std_seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_secs());
    json!({ "std": std_seconds, "system_clock": system_clock::now().seconds })
}

async fn variable(name: &str) -> anyhow::Result<Value> {
    Ok(json!(variables::get(name).await?))
}

async fn fetch(url: &str) -> anyhow::Result<Value> {
    let response: Response = send(Request::get(url).body(FullBody::<&[u8]>::new(b""))?).await?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await?.to_bytes();
    Ok(json!({ "status": status, "body": String::from_utf8_lossy(&body) }))
}

/// Requests the given address, then waits until this instance has received a second request.
async fn wait_for_second_request(url: &str) -> anyhow::Result<Value> {
    fetch(url).await?;
    for _ in 0..MAX_POLLS {
        let requests = REQUESTS.load(Ordering::SeqCst);
        if requests > 1 {
            return Ok(json!(requests));
        }
        spin_sdk::time::sleep(POLL_INTERVAL).await;
    }
    bail!("no second request")
}
