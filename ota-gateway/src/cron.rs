//! Has the platform do its scheduled work: by the clock, and at once when a callback became due.
//!
//! It must never run two ticks at the same time: a request during one is remembered, once.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::gateway::Context;
use crate::metrics::Outcome;
use crate::stop::Stop;

/// Waits so long after a request, for others to come: many chips that finish together make one tick.
const DEBOUNCE: Duration = Duration::from_millis(50);
/// Interval of a clock that never strikes.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Ticks that follow each other while more is due, before the clock and requests are looked at again.
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

/// Ticks until stopped. Without a cron secret it does nothing.
pub(crate) async fn run(context: Arc<Context>, mut stopped: Stop) {
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
    // The first strike is immediate; nothing is due yet.
    clock.tick().await;
    loop {
        tokio::select! {
            _ = clock.tick() => {}
            () = context.tick.notified() => sleep(DEBOUNCE).await,
            () = stopped.ordered() => return,
        }
        for _ in 0..MAX_TICKS_IN_A_ROW {
            let more = tokio::select! {
                more = tick(&context) => more,
                () = stopped.ordered() => return,
            };
            if !more {
                break;
            }
        }
    }
}
