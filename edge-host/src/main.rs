//! `edge-host`: runs a Spin application from the command line, with the options of `spin up` that this
//! host knows.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use clap::Parser;
use edge_host::{Logs, Options};
use tokio::signal::unix::{SignalKind, signal};

/// Runs a Spin application on wasmtime.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The manifest file.
    #[arg(long, short, default_value = "spin.toml")]
    from: PathBuf,
    /// Where to listen; port 0 lets the system choose one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The runtime configuration file.
    #[arg(long)]
    runtime_config_file: Option<PathBuf>,
    /// The folder of databases and stores [default: .spin beside the manifest].
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Writes the components' output to files in this folder.
    #[arg(long)]
    log_dir: Option<PathBuf>,
    /// Sets an application variable.
    #[arg(long = "variable", value_name = "NAME=VALUE", value_parser = variable)]
    variables: Vec<(String, String)>,
}

fn variable(text: &str) -> anyhow::Result<(String, String)> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| anyhow!("must be NAME=VALUE"))?;
    Ok((name.to_owned(), value.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("edge-host: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let arguments = Arguments::parse();
    let host = edge_host::start(Options {
        manifest: arguments.from,
        runtime_config: arguments.runtime_config_file,
        state_dir: arguments.state_dir.unwrap_or_default(),
        listen: arguments.listen,
        variables: arguments.variables.into_iter().collect(),
        logs: arguments.log_dir.map_or(Logs::Stderr, Logs::Files),
        ..Options::default()
    })
    .await?;
    println!("Serving http://{}", host.addr());
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for signals")?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted.context("cannot wait for signals")?,
        _ = terminate.recv() => {}
    }
    host.shutdown().await;
    Ok(())
}
