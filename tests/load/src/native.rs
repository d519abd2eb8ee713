//! The native baseline: axum and rusqlite do the same work through the same checks and operations, with the same
//! durability. The difference to the platform is the cost of components.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::{Result, anyhow};
use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use futures::executor::block_on;
use http::HeaderValue;
use operations::{ApplyRequest, Context, apply, status};
use store::Sqlite;
use tokio::net::TcpListener;
use vault::Zeroizing;
use web::{
    self, Call, Exchange, Instance, Interface, Leases, Param, Refusal, Reply, Settings, Trace, Variables,
    interface,
};
use xieka::secrets::Secrets;

use crate::generate::{OsRandom, now};

/// A connection that waits for the disk and one that does not, as a component has them.
struct ConnectionPair {
    durable: Sqlite,
    journal: Sqlite,
    leases: Leases,
}

struct Server {
    file: PathBuf,
    settings: Settings,
    idle: Mutex<Vec<ConnectionPair>>,
}

/// The running server.
pub(crate) struct Native {
    pub(crate) addr: SocketAddr,
    file: PathBuf,
}

impl Native {
    pub(crate) async fn start(file: &Path, secrets: &Secrets) -> Result<Self> {
        let get = |name: &str| secrets.get(&format!("SPIN_VARIABLE_{name}"));
        let variables = Variables {
            sealing_keys: Some(Zeroizing::new(get("SEALING_KEYS")?.to_owned())),
            index_key: Zeroizing::new(get("INDEX_KEY")?.to_owned()),
            token_key: Some(Zeroizing::new(get("TOKEN_KEY")?.to_owned())),
            ..Variables::default()
        };
        let server = Arc::new(Server {
            file: file.to_owned(),
            settings: Settings::from_variables(&variables).map_err(|problem| anyhow!("{problem}"))?,
            idle: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let addr = listener.local_addr()?;
        let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
            let _ = socket.set_nodelay(true);
        });
        let router = Router::new().fallback(answer).with_state(server);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self {
            addr,
            file: file.to_owned(),
        })
    }

    /// Gives the client limits that no run reaches.
    pub(crate) fn lift_limits(&self) -> Result<()> {
        let db = rusqlite::Connection::open(&self.file)?;
        let limits = r#"{"write.status":1000000,"write.apply":1000000}"#;
        db.execute("UPDATE client SET limits = ?1", [limits])?;
        Ok(())
    }
}

async fn answer(State(server): State<Arc<Server>>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    parts
        .headers
        .insert("spin-client-addr", HeaderValue::from_static("127.0.0.1:1"));
    let request = web::Request::from_parts(parts, Ok(Vec::new()));
    let done = tokio::task::spawn_blocking(move || block_on(serve_request(&server, &request))).await;
    done.unwrap_or_default().map(Into::into)
}

async fn serve_request(server: &Server, request: &web::Request) -> http::Response<Vec<u8>> {
    let started = Instant::now();
    let interface: &'static Interface = match request.uri().path() {
        "/v1/write/status" => &interface::WRITE_STATUS,
        "/v1/write/apply" => &interface::WRITE_APPLY,
        _ => &interface::NONE,
    };
    let exchange = Exchange::begin(interface, request.headers(), &OsRandom);
    let taken = server.idle.lock().map(|mut idle| idle.pop()).unwrap_or_default();
    let pair = taken.unwrap_or_else(|| open(&server.file));
    let db = if interface.is_durable() {
        &pair.durable
    } else {
        &pair.journal
    };
    let settings = &server.settings;
    let cx = Context::new(
        (db, &pair.journal),
        &settings.vault,
        now(),
        &OsRandom,
        &settings.zone,
    );
    let instance = Instance {
        settings,
        leases: &pair.leases,
    };
    let mut trace = Trace::default();
    let outcome = match web::admit(
        interface,
        (request.method(), request.uri()),
        request.headers(),
        settings,
        &mut trace,
    ) {
        Ok(admitted) => web::serve(interface, &admitted, request, &cx, instance, &mut trace, handler).await,
        Err(refusal) => Err(refusal),
    };
    let (outcome, _) = trace.finish(&exchange, &cx, outcome, started.elapsed()).await;
    let (response, _) = exchange.finish(trace.from, &outcome);
    if let Ok(mut idle) = server.idle.lock() {
        idle.push(pair);
    }
    response
}

/// The handler of `/v1/write/status` and `/v1/write/apply`.
async fn handler(call: &Call<'_, Sqlite>) -> Result<Reply, Refusal> {
    if call.params.text(Param::WriteType).is_none() {
        let view = status(call.cx, call.caller()?, &call.task_ref().await?).await?;
        return Ok(Reply::ok()
            .with("eid", view.eid.as_str())
            .with("task_id", view.task_id.map(|id| id.text()))
            .with("card_status", view.card_status.zh())
            .with("progress", format!("{}%", view.progress))
            .with("write_time", view.write_time.map(|time| call.text_of(time))));
    }
    let text = |param| call.params.text(param).unwrap_or_default();
    let request = ApplyRequest {
        eid: text(Param::Eid),
        write_type: text(Param::WriteType),
        province_code: text(Param::ProvinceCode),
        ..ApplyRequest::default()
    };
    let applied = apply(call.cx, call.caller()?, &request).await?;
    Ok(Reply::ok()
        .with("task_id", applied.task_id.text())
        .with("card_status", applied.card_status.zh()))
}

fn open(file: &Path) -> ConnectionPair {
    let durable = Sqlite::open(file).expect("the database");
    let journal = Sqlite::open(file).expect("the database");
    let quick = journal.connection().execute_batch("PRAGMA synchronous = NORMAL");
    quick.expect("a pragma");
    ConnectionPair {
        durable,
        journal,
        leases: Leases::default(),
    }
}
