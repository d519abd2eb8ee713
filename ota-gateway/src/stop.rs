//! The word that the gateway shall end.
//!
//! It must never be missed: whoever asks late learns it too.

use tokio::sync::watch;

/// Hears the word.
#[derive(Debug, Clone)]
pub(crate) struct Stop(watch::Receiver<bool>);

/// Says it.
pub(crate) fn channel() -> (watch::Sender<bool>, Stop) {
    let (sender, receiver) = watch::channel(false);
    (sender, Stop(receiver))
}

impl Stop {
    /// Returns once the word was said, or nobody is left to say it.
    pub(crate) async fn ordered(&mut self) {
        let _ = self.0.wait_for(|stop| *stop).await;
    }
}
