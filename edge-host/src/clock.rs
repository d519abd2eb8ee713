//! The wall clock that components see.
//!
//! Only wall time can be owned: timeouts and sleeps run on the monotonic clock, which stays real.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::HostWallClock;

/// Tells the time; called once for every question of a component.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// What an owned clock claims about its grain.
const RESOLUTION: Duration = Duration::from_nanos(1);

/// An embedder's clock as WASI 0.2 `wall-clock` and WASI 0.3 `system-clock`.
pub(crate) struct OwnedClock(pub(crate) Clock);

impl HostWallClock for OwnedClock {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        // WASI 0.2 cannot express times before 1970.
        (self.0)().duration_since(UNIX_EPOCH).unwrap_or_default()
    }
}
