//! Platform and gateway in this process, wired to each other as `docs/limits.md` describes the settings.
//!
//! It must never hold state of its own: everything that lasts is in the state directory and in the secrets.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use edge_host::{Host, Logs, Options, Reuse};
use ota_gateway::settings::Settings;
use ota_gateway::{Gateway, Observer};

use crate::api::Api;
use crate::components::MANIFEST;
use crate::language::text;
use crate::secrets::Secrets;

/// The runtime configuration of trials.
pub const TRIAL_CONFIG: &str = "runtime-config/trial.toml";

/// Settings of a platform and its gateway in this process.
pub struct Launch {
    /// Folder of the Spin manifest.
    pub root: PathBuf,
    /// Folder of the database.
    pub state_dir: PathBuf,
    /// The runtime configuration; by default the database lies in the state directory and no network is blocked.
    pub runtime_config: PathBuf,
    /// Secrets and variables of platform and gateway.
    pub secrets: Secrets,
    /// Address on which the platform listens; port 0 for a free one.
    pub listen: SocketAddr,
    /// Address on which the gateway listens for chips; port 0 for a free one.
    pub gateway_listen: SocketAddr,
    /// Address of the gateway's metrics; port 0 for a free one.
    pub metrics_listen: SocketAddr,
    /// Destination of the components' log lines.
    pub logs: Logs,
    /// Observer of the gateway, if any.
    pub observer: Option<Arc<dyn Observer>>,
    /// Wall clock of the components; `None`: the system clock.
    pub clock: Option<edge_host::Clock>,
    /// How component instances are reused.
    pub reuse: Reuse,
}

impl Launch {
    /// Settings with free loopback ports.
    pub fn on_loopback(root: PathBuf, state_dir: PathBuf, secrets: Secrets) -> Self {
        let free = SocketAddr::from(([127, 0, 0, 1], 0));
        Self {
            runtime_config: root.join(TRIAL_CONFIG),
            root,
            state_dir,
            secrets,
            listen: free,
            gateway_listen: free,
            metrics_listen: free,
            logs: Logs::default(),
            observer: None,
            clock: None,
            reuse: Reuse::default(),
        }
    }

    /// Starts the platform alone.
    pub async fn platform(&self) -> Result<Host> {
        let options = Options {
            manifest: self.root.join(MANIFEST),
            runtime_config: Some(self.runtime_config.clone()),
            state_dir: self.state_dir.clone(),
            listen: self.listen,
            variables: self.secrets.spin_variables(),
            reuse: self.reuse,
            clock: self.clock.clone(),
            logs: self.logs.clone(),
            ..Options::default()
        };
        edge_host::start(options)
            .await
            .context(text("平台未能启动", "the platform did not start"))
    }

    /// Starts a gateway against a running platform.
    pub async fn gateway(&self, platform: SocketAddr) -> Result<Gateway> {
        let environment = self.secrets.gateway_environment().chain([(
            "XIEKA_GATEWAY_PLATFORM_URL".to_owned(),
            format!("http://{platform}"),
        )]);
        let mut settings =
            Settings::load(None, environment).context(text("网关的设置", "the gateway's settings"))?;
        settings.listen = self.gateway_listen;
        settings.metrics_listen = self.metrics_listen;
        ota_gateway::start(settings, self.observer.clone())
            .await
            .context(text("网关未能启动", "the gateway did not start"))
    }

    /// Starts the platform and then the gateway.
    pub async fn start(&self) -> Result<Stack> {
        let host = self.platform().await?;
        let gateway = self.gateway(host.addr()).await?;
        Ok(Stack {
            api: Api::new(format!("http://{}", host.addr())),
            host,
            gateway,
        })
    }
}

/// A running platform with its gateway.
pub struct Stack {
    /// Client of the platform.
    pub api: Api,
    /// The running platform.
    pub host: Host,
    /// The running gateway.
    pub gateway: Gateway,
}

impl Stack {
    /// Stops the gateway first, so that no session loses the platform, then the platform.
    pub async fn shutdown(self) {
        self.gateway.shutdown().await;
        self.host.shutdown().await;
    }
}
