//! The wall clock that components see.
//!
//! The embedder can replace wall time only: timeouts and sleeps run on the monotonic clock, which stays real.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::HostWallClock;

/// Returns the present time; called each time a component asks.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// The resolution that the embedder's clock claims.
const RESOLUTION: Duration = Duration::from_nanos(1);

/// An embedder's clock as WASI 0.2 `wall-clock` and WASI 0.3 `system-clock`.
pub(crate) struct EmbedderClock(pub(crate) Clock);

impl HostWallClock for EmbedderClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        // WASI 0.2 cannot express times before 1970.
        (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}
