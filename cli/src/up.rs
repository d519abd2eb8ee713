//! `xieka up`: platform and gateway on this machine, with persistent data.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::api::Api;
use crate::args::UpOptions;
use crate::secrets::Secrets;
use crate::stack::Launch;
use crate::{components, interrupt};

/// File of the secrets, in the current or the data folder.
const ENV_FILE: &str = ".env";
/// Database file in the data folder; it is absent at the first start.
const DATABASE_FILE: &str = ".spin/sqlite_db.db";
/// Runtime configuration of one machine, in the application's root.
const RUNTIME_CONFIG: &str = "runtime-config/local.toml";

/// Runs until interrupted.
pub(crate) async fn run(options: UpOptions) -> Result<()> {
    log_to_stderr();
    let root = components::application_root()?;
    if !options.no_build {
        components::build(&root)?;
    }
    std::fs::create_dir_all(&options.data)
        .with_context(|| format!("cannot make {}", options.data.display()))?;
    let (secrets, env_file) = secrets(&options.data)?;
    let first_start = !options.data.join(DATABASE_FILE).exists();
    let runtime_config = root.join(RUNTIME_CONFIG);
    let mut launch = Launch::on_loopback(root, options.data.clone(), secrets);
    launch.runtime_config = Some(runtime_config);
    launch.listen = options.listen;
    launch.gateway_listen = options.gateway;
    launch.metrics_listen = options.metrics;
    let stack = launch.start().await?;

    println!("platform   http://{}", stack.host.addr());
    println!("gateway    {} (TLS-PSK, for chips)", stack.gateway.addr());
    println!("metrics    http://{}/metrics", stack.gateway.metrics_addr());
    println!("data       {}", options.data.display());
    println!(
        "secrets    {} (administrator: SPIN_VARIABLE_ADMIN_SECRET)",
        env_file.display()
    );
    if first_start {
        first_client(&stack.api, launch.secrets.get("SPIN_VARIABLE_ADMIN_SECRET")?).await?;
    }
    println!("Ctrl-C ends");
    interrupt::received().await?;
    println!("ending");
    stack.shutdown().await;
    Ok(())
}

/// Reads the secrets from `.env` in the current folder, else from the data folder, where the first start makes them.
fn secrets(data: &Path) -> Result<(Secrets, PathBuf)> {
    let current = PathBuf::from(ENV_FILE);
    if current.is_file() {
        return Ok((Secrets::read(&current)?, current));
    }
    let stored = data.join(ENV_FILE);
    if !stored.is_file() {
        Secrets::generate()?.write_new(&stored)?;
    }
    Ok((Secrets::read(&stored)?, stored))
}

/// Creates the first client, for calls from this machine, and shows its credentials once.
async fn first_client(api: &Api, admin_secret: &str) -> Result<()> {
    let client = json!({
        "name": "first",
        "phone": "13800000000",
        "ips": ["127.0.0.1/32", "::1/128"],
        // All permissions: the guide calls every interface with this client.
        "permissions": [
            "write.provinces", "write.apply", "write.status", "write.cancel", "chip.read", "number.read",
            "number.usage", "number.open_time", "number.city",
        ],
    });
    let created = api
        .post_json(admin_secret, "/admin/v1/clients", &client)
        .await?
        .ok("creating the first client")?;
    println!(
        "client     client_id={}",
        created["client_id"].as_str().unwrap_or_default()
    );
    println!(
        "           client_secret={} (shown once)",
        created["client_secret"].as_str().unwrap_or_default()
    );
    Ok(())
}

/// Writes the gateway's log lines, whose identifiers are masked, to standard error. `RUST_LOG` filters
/// them; the default is `info`.
fn log_to_stderr() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
