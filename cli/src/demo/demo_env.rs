//! The environment of a demonstration before anything runs: a temporary folder, secrets, a callback receiver.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::inventory::{SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use crate::language::text;
use crate::receiver::Receiver;
use crate::secrets::Secrets;
use crate::stack::Launch;

/// Folder of the components' log lines, in the temporary directory.
const LOG_FOLDER: &str = "log";

/// Temporary folder, secrets and callback receiver of a demonstration. Dropping it removes the folder.
pub struct DemoEnv {
    /// Secrets and variables of platform and gateway; callbacks to the receiver are allowed.
    pub secrets: Secrets,
    /// Receiver of the callbacks.
    pub receiver: Receiver,
    folder: TempDir,
}

impl DemoEnv {
    /// Makes a temporary folder and fresh secrets, and starts the receiver.
    pub async fn new() -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("xieka-demo-")
            .tempdir()
            .context(text("没有临时目录", "no temporary directory"))?;
        let receiver = Receiver::start().await?;
        Ok(Self {
            secrets: demo_secrets(&receiver)?,
            receiver,
            folder,
        })
    }

    /// Folder of the database.
    pub fn state_dir(&self) -> &Path {
        self.folder.path()
    }

    /// Folder of the components' log lines.
    pub fn log_folder(&self) -> PathBuf {
        self.folder.path().join(LOG_FOLDER)
    }

    /// Settings of a platform and gateway in this environment, not started.
    pub fn launch(&self, root: PathBuf) -> Launch {
        let mut launch = Launch::on_loopback(root, self.state_dir().to_owned(), self.secrets.clone());
        launch.logs = edge_host::Logs::Files(self.log_folder());
        launch
    }

    /// Keeps the temporary folder and returns the folder of the components' log lines.
    pub fn keep_logs(self) -> PathBuf {
        self.folder.keep().join(LOG_FOLDER)
    }
}

fn demo_secrets(receiver: &Receiver) -> Result<Secrets> {
    let mut secrets = Secrets::generate()?;
    let transport = format!(
        "{SAMPLE_TRANSPORT_KEY_NAME}:{}",
        hex::encode(SAMPLE_TRANSPORT_KEY)
    );
    secrets.set("SPIN_VARIABLE_TRANSPORT_KEYS", transport);
    secrets.set("SPIN_VARIABLE_CALLBACK_ALLOW_HTTP", "true");
    secrets.set("SPIN_VARIABLE_CALLBACK_EXTRA_HOST", receiver.origin());
    // Simulated modules are powered up again within seconds, also after failures.
    secrets.set("SPIN_VARIABLE_POWER_UP_GAP_SECS", "0");
    Ok(secrets)
}
