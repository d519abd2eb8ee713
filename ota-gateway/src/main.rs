//! The `ota-gateway` program: settings, logs, signals. The library does everything else.
//!
//! It must never print a secret.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Parser;
use ota_gateway::Settings;
use ota_gateway::settings::LogFormat;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// Terminates the TLS-PSK sessions of chips and writes their files.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Settings file (TOML). Variables `XIEKA_GATEWAY_<NAME>` go over it.
    #[arg(long, env = "XIEKA_GATEWAY_CONFIG")]
    config: Option<PathBuf>,
    /// Check settings and card profiles, and exit.
    #[arg(long)]
    check: bool,
}

/// Names the settings file; it is no setting itself.
const CONFIG_VARIABLE: &str = "XIEKA_GATEWAY_CONFIG";

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let environment = std::env::vars().filter(|(name, _)| name != CONFIG_VARIABLE);
    let settings = Settings::load(arguments.config.as_deref(), environment)?;
    if arguments.check {
        ota_gateway::profile::Catalogue::load(settings.profiles_dir.as_deref())?;
        return Ok(());
    }
    start_logs(&settings)?;
    let mut terminated = signal(SignalKind::terminate())?;
    let gateway = ota_gateway::start(settings, None).await?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    tracing::info!("gateway ends");
    gateway.shutdown().await;
    Ok(())
}

fn start_logs(settings: &Settings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.log_filter).context("log_filter")?;
    let logs = tracing_subscriber::fmt().with_env_filter(filter);
    match settings.log_format {
        LogFormat::Text => logs.init(),
        LogFormat::Json => logs.json().init(),
    }
    Ok(())
}
