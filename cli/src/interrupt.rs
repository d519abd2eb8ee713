//! Signals that stop the program.

use anyhow::{Context as _, Result};
use tokio::signal::unix::{SignalKind, signal};

use crate::language::text;

/// Waits for Ctrl-C or SIGTERM.
pub(crate) async fn received() -> Result<()> {
    let mut terminate =
        signal(SignalKind::terminate()).context(text("无法等待 SIGTERM", "cannot wait for SIGTERM"))?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome.context(text("无法等待 Ctrl-C", "cannot wait for Ctrl-C")),
        _ = terminate.recv() => Ok(()),
    }
}
