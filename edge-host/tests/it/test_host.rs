//! A host in a temporary folder that runs the probe component under several names, and a client for it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use edge_host::{Host, Logs, Options, Output};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{HttpClient, NoAnswer, Reply, TestRequest};

pub(crate) const RUNTIME_CONFIG: &str = r#"
[sqlite_database.default]
type = "spin"
path = "data/app.db"
[sqlite_database.other]
type = "spin"
[key_value_store.limits]
type = "spin"
"#;

/// A running host and what its components wrote.
pub(crate) struct TestHost {
    pub(crate) inner: Host,
    /// Component, output and text of each line.
    pub(crate) lines: Arc<Mutex<Vec<(String, Output, String)>>>,
    pub(crate) client: HttpClient,
    _folder: Option<TempDir>,
}

/// Builds the probe component and returns its path.
fn probe_component() -> &'static Path {
    static PROBE: OnceLock<PathBuf> = OnceLock::new();
    PROBE.get_or_init(|| {
        let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .args([
                "build",
                "--target",
                "wasm32-wasip2",
                "--profile",
                "component",
                "-p",
                "edge-host-probe",
            ])
            .args(["--message-format", "json-render-diagnostics"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo runs");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter_map(|message| message["filenames"].as_array().cloned())
            .flatten()
            .filter_map(|name| name.as_str().map(PathBuf::from))
            .find(|path| path.ends_with("edge_host_probe.wasm"))
            .expect("cargo names the component")
    })
}

/// The manifest: `open` has every grant, `closed` none, `hidden` no public route.
pub(crate) fn manifest() -> String {
    let source = probe_component().display();
    format!(
        r#"spin_manifest_version = 2
[application]
name = "probes"
version = "1.2.3"

[variables]
plain = {{ default = "by default" }}
secret = {{ required = true, secret = true }}
upstream = {{ default = "" }}

[[trigger.http]]
route = "/open/..."
component = "open"
[component.open]
source = "{source}"
sqlite_databases = ["default", "other"]
key_value_stores = ["default", "limits"]
allowed_outbound_hosts = ["{{{{ upstream }}}}", "http://hidden.spin.internal", "http://self"]
environment = {{ COLOUR = "green" }}
[component.open.variables]
both = "{{{{ plain }}}} and {{{{ secret }}}}"

[[trigger.http]]
route = "/closed/..."
component = "closed"
[component.closed]
source = "{source}"

[[trigger.http]]
route = "/users/:user_id/..."
component = "users"
[component.users]
source = "{source}"

[[trigger.http]]
route = {{ private = true }}
component = "hidden"
[component.hidden]
source = "{source}"
"#
    )
}

/// Options for the standard application in the given folder; `secret` is set.
pub(crate) fn options(folder: &Path) -> Options {
    let manifest_path = folder.join("spin.toml");
    std::fs::write(&manifest_path, manifest()).unwrap();
    let runtime_config = folder.join("runtime.toml");
    std::fs::write(&runtime_config, RUNTIME_CONFIG).unwrap();
    Options {
        manifest: manifest_path,
        runtime_config: Some(runtime_config),
        state_dir: folder.join("state"),
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        variables: BTreeMap::from([("secret".to_owned(), "hush".to_owned())]),
        ..Options::default()
    }
}

impl TestHost {
    /// Starts a host with the standard options.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// Starts a host with changed options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut options = options(folder.path());
        change(&mut options);
        let mut host = Self::start(options).await;
        host._folder = Some(folder);
        host
    }

    /// Starts a host whose components' output is collected in `lines`.
    pub(crate) async fn start(mut options: Options) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = lines.clone();
        options.logs = Logs::Sink(Arc::new(move |component, output, line| {
            sink.lock()
                .unwrap()
                .push((component.to_owned(), output, line.to_owned()));
        }));
        Self {
            lines,
            ..Self::start_with_own_logs(options).await
        }
    }

    /// Starts a host that logs as the options say.
    pub(crate) async fn start_with_own_logs(options: Options) -> Self {
        let inner = edge_host::start(options).await.unwrap();
        Self {
            inner,
            lines: Arc::default(),
            client: HttpClient::default(),
            _folder: None,
        }
    }

    pub(crate) async fn send(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
        let mut request = request(path, body);
        for (name, value) in headers {
            request = request.with(name, *value);
        }
        self.client.send(self.inner.addr(), request).await
    }

    /// Sends a request that must succeed and returns its answer.
    pub(crate) async fn call(&self, path: &str, arguments: Value) -> Value {
        let reply = self.send(path, &[], &arguments).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        reply.body
    }

    /// Sends a request that must fail and returns its error.
    pub(crate) async fn call_error(&self, path: &str, arguments: Value) -> String {
        let reply = self.send(path, &[], &arguments).await;
        assert_eq!(reply.status, 400, "{path}: {}", reply.text);
        reply.body["error"].as_str().unwrap().to_owned()
    }

    /// Runs statements on one connection of `open`.
    pub(crate) async fn sql(&self, statements: &[&str]) -> Value {
        self.call("/open/sql", json!({ "statements": statements })).await
    }
}

/// A POST of a document; of nothing if it is null.
fn request(path: &str, body: &Value) -> TestRequest {
    let text = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    TestRequest {
        body: text.into_bytes(),
        ..TestRequest::get(path).method("POST")
    }
}

/// Sends one request; owns its arguments, so that it can run in a task of its own.
///
/// # Errors
/// No complete response arrived.
pub(crate) async fn post(
    client: HttpClient,
    address: SocketAddr,
    path: &'static str,
    body: Value,
) -> Result<Reply, NoAnswer> {
    client.try_send(address, request(path, &body)).await
}
