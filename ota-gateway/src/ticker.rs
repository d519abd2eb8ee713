//! Has the platform do its scheduled work: at intervals, and at once when a message became due.
//!
//! It must never run two ticks at the same time: requests during a tick make one more tick after it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::context::Context;
use crate::metrics::Outcome;
use crate::shutdown::Shutdown;

/// Wait after a request for others: many chips that finish together make one tick.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Interval that never ends.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Ticks that follow each other while more is due, before the interval and requests are looked at again.
const MAX_TICKS_IN_A_ROW: u32 = 1_000;

/// One tick; true when more is due already.
async fn tick(context: &Context) -> bool {
    let (result, more) = match context.platform.tick().await {
        Ok(more) => ("ok", more),
        Err(error) => {
            tracing::warn!(%error, "tick failed");
            ("failed", false)
        }
    };
    context.metrics.ticks.get_or_create(&Outcome { result }).inc();
    more
}

/// Ticks until the shutdown. Without a `cron_secret` it does nothing.
pub(crate) async fn run(context: Arc<Context>, mut shutdown: Shutdown) {
    if context.settings.cron_secret.is_empty() {
        tracing::info!("no cron_secret: the platform's scheduled work is not ticked from here");
        return;
    }
    let seconds = context.settings.cron_interval_secs;
    let mut clock = interval(if seconds == 0 {
        NEVER
    } else {
        Duration::from_secs(seconds)
    });
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // The first interval ends at once; nothing is due yet.
    clock.tick().await;
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            () = context.tick.notified() => sleep(DEBOUNCE).await,
            () = shutdown.ordered() => return,
        }
        for _ in 0..MAX_TICKS_IN_A_ROW {
            let more = tokio::select! {
                more = tick(&context) => more,
                () = shutdown.ordered() => return,
            };
            if !more {
                break;
            }
        }
    }
}
