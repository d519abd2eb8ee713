//! Platform and gateway as processes of their own, which can be killed.
//!
//! It must not end a process gently: what a sudden end leaves is what its tests look at.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result, ensure};
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::part::PART;

/// The part of the product that a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The platform.
    Host,
    /// The gateway.
    Gateway,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Gateway => "gateway",
        }
    }
}

/// How a part is started; it can start a part again after its end.
#[derive(Clone, Debug)]
pub struct Starter {
    /// The program `chaos`, which runs one part when asked to.
    pub program: PathBuf,
    /// The application's root.
    pub root: PathBuf,
    /// The folder of the database and of `.env`.
    pub folder: PathBuf,
    /// The platform's address.
    pub platform: SocketAddr,
    /// The gateway's address.
    pub gateway: SocketAddr,
    /// By how much the platform's clock is ahead, in seconds.
    pub ahead_secs: u64,
}

impl Starter {
    /// Starts a part and waits until it serves.
    ///
    /// # Errors
    /// The process ended before it served.
    pub async fn start(&self, part: Part) -> Result<Node> {
        let listen = match part {
            Part::Host => self.platform,
            Part::Gateway => self.gateway,
        };
        let mut child = Command::new(&self.program)
            .args([PART, part.name()])
            .arg(&self.folder)
            .args([
                self.platform.to_string(),
                listen.to_string(),
                self.ahead_secs.to_string(),
            ])
            .current_dir(&self.root)
            // The node ends itself when this pipe closes, so that a killed test leaves no process.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| self.program.display().to_string())?;
        let stdout = child.stdout.take().context("no output")?;
        let node = Node(Arc::new(Mutex::new(child)));
        let stdout = tokio::process::ChildStdout::from_std(stdout)?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        let serves = line.is_some_and(|line| line.starts_with("serving"));
        ensure!(serves, "{} did not start", part.name());
        Ok(node)
    }
}

/// A part of the product as a process; killed when dropped.
pub struct Node(Arc<Mutex<Child>>);

impl Node {
    /// A handle that kills the process from another task.
    #[must_use]
    pub fn victim(&self) -> Victim {
        Victim(self.0.clone())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.victim().kill();
    }
}

/// A process that can be killed.
#[derive(Clone)]
pub struct Victim(Arc<Mutex<Child>>);

impl Victim {
    /// Kills the process (`kill -9`) and waits for its end.
    pub fn kill(&self) {
        if let Ok(mut child) = self.0.lock() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Whether the process has ended.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.0
            .lock()
            .is_ok_and(|mut child| !matches!(child.try_wait(), Ok(None)))
    }
}
