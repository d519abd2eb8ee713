//! One part of the product as a process that can be killed: `chaos part host|gateway FOLDER PLATFORM LISTEN [AHEAD]`.
//!
//! Secrets come from the `.env` file in FOLDER, the runtime configuration from `runtime.toml` there if it exists. AHEAD is by how many seconds the platform's clock is ahead. Once it
//! serves, it prints one line.
//!
//! It must not do more than `xieka up` does: whoever kills it tests the product, not the test.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail};
use xieka::components::application_root;
use xieka::secrets::Secrets;
use xieka::stack::Launch;

/// The first word of a command line that asks for a part.
pub const PART: &str = "part";

/// The runtime configuration in the folder.
pub const CONFIG_FILE: &str = "runtime.toml";

/// Runs the part that the words after [`PART`] name, until standard input ends.
///
/// # Errors
/// Words that name no part, and whatever keeps the part from starting.
pub async fn serve(words: &[String]) -> Result<()> {
    let (Some([part, folder, platform, listen]), ahead) = (words.first_chunk::<4>(), words.get(4)) else {
        bail!("expected: {PART} host|gateway FOLDER PLATFORM-ADDRESS LISTEN-ADDRESS [SECONDS-AHEAD]");
    };
    let folder = PathBuf::from(folder);
    let secrets = Secrets::read(&folder.join(".env"))?;
    let listen: SocketAddr = listen.parse().context("LISTEN-ADDRESS")?;
    let ahead: u64 = ahead
        .map_or(Ok(0), |ahead| ahead.parse())
        .context("SECONDS-AHEAD")?;
    let mut secrets = secrets;
    // Simulated modules are powered up again within seconds, also after failures.
    secrets.set("SPIN_VARIABLE_POWER_UP_GAP_SECS", "0");
    let mut launch = Launch::on_loopback(application_root()?, folder.clone(), secrets);
    launch.logs = edge_host::Logs::Files(folder.join("log"));
    let config = folder.join(CONFIG_FILE);
    if config.exists() {
        launch.runtime_config = config;
    }
    match part.as_str() {
        "host" => {
            launch.listen = listen;
            if ahead > 0 {
                launch.clock = Some(Arc::new(move || SystemTime::now() + Duration::from_secs(ahead)));
            }
            let host = launch.platform().await?;
            println!("serving {}", host.addr());
            until_stdin_ends().await;
        }
        "gateway" => {
            launch.gateway_listen = listen;
            let gateway = launch
                .gateway(platform.parse().context("PLATFORM-ADDRESS")?)
                .await?;
            println!("serving {}", gateway.addr());
            until_stdin_ends().await;
        }
        other => bail!("no part is called {other}"),
    }
    Ok(())
}

/// Waits until whoever started this process is gone, so that a killed test leaves nothing running.
async fn until_stdin_ends() {
    let mut nothing = [0; 1];
    while matches!(
        tokio::io::AsyncReadExt::read(&mut tokio::io::stdin(), &mut nothing).await,
        Ok(1..)
    ) {}
}
