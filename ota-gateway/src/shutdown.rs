//! The order that the gateway shall end, as every task receives it.
//!
//! It must never be missed: a task that asks late learns of it too.

use tokio::sync::watch;

/// Receives the order.
#[derive(Debug, Clone)]
pub(crate) struct Shutdown(watch::Receiver<bool>);

/// The sender of the order, and its receiver. Sending `true` or dropping the sender orders the shutdown.
pub(crate) fn channel() -> (watch::Sender<bool>, Shutdown) {
    let (sender, receiver) = watch::channel(false);
    (sender, Shutdown(receiver))
}

impl Shutdown {
    /// Returns once the shutdown is ordered.
    pub(crate) async fn ordered(&mut self) {
        let _ = self.0.wait_for(|ordered| *ordered).await;
    }
}
