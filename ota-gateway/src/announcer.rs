//! Announces to the platform what this gateway has, and which chips it knows whose handshakes failed: at the start, and
//! again and again.
//!
//! One announcement is sent until the platform acknowledged it, before the next is made: repeated, it changes nothing.

use std::sync::Arc;
use std::time::Duration;

use gateway_protocol::{AnnounceRequest, MAX_FAILED_HANDSHAKES};
use tokio::time::sleep;
use uuid::Uuid;

use crate::context::Context;
use crate::platform::PlatformError;
use crate::shutdown::Shutdown;

/// Wait before an announcement that got no answer is sent again.
const RETRY: Duration = Duration::from_secs(5);

/// Announces until the shutdown.
pub(crate) async fn run(context: Arc<Context>, mut shutdown: Shutdown) {
    tokio::select! {
        () = announce(&context) => {}
        () = shutdown.ordered() => {}
    }
}

async fn announce(context: &Context) {
    let instance = Uuid::now_v7().to_string();
    // The shutdown ends it.
    for seq in 1.. {
        let request = AnnounceRequest {
            gateway: context.settings.announced_name(),
            instance: instance.clone(),
            seq,
            profiles: context.shared.catalogue.names().map(str::to_owned).collect(),
            key_versions: context.directory.key_versions(),
            failed_handshakes: context.failed_handshakes.take(),
        };
        let is_full = request.failed_handshakes.len() == MAX_FAILED_HANDSHAKES;
        while let Err(error) = context.platform.announce(&request).await {
            tracing::warn!(%error, "announcement not acknowledged");
            if let PlatformError::Refused { .. } = error {
                // The same document would be refused again.
                break;
            }
            sleep(RETRY).await;
        }
        if !is_full {
            sleep(context.settings.limits.announce()).await;
        }
    }
}
