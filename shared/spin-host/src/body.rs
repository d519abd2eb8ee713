//! Bodies of requests and responses, read to a limit in bytes and in time.
//!
//! Spin sets no limit of its own and does not notice a peer that stops sending. An unbounded read would hold memory
//! and an instance as long as the peer likes.

use std::time::Duration;

use futures::future::{Either, select};
use http_body_util::BodyExt as _;
use spin_sdk::http::IncomingMessage;
use spin_sdk::wasip3::http_compat::IncomingBody;

use domain::error::Reason;

/// Reads a body and stops as soon as more than `limit` bytes have come. A result longer than `limit` means that the
/// body is too large; it is not the whole body.
///
/// # Errors
/// [`Reason::BodyTooSlow`], [`Reason::BodyBroken`]. What was read is dropped.
pub(crate) async fn read_bounded<T: IncomingMessage>(
    mut body: IncomingBody<T>,
    limit: usize,
    time: Duration,
) -> Result<Vec<u8>, Reason> {
    let reading = async {
        let mut bytes = Vec::new();
        while bytes.len() <= limit {
            let Some(frame) = body.frame().await else { break };
            if let Ok(data) = frame.map_err(|_| Reason::BodyBroken)?.into_data() {
                bytes.extend_from_slice(&data);
            }
        }
        bytes.truncate(limit.saturating_add(1));
        Ok(bytes)
    };
    within(time, reading).await.unwrap_or(Err(Reason::BodyTooSlow))
}

/// Runs `work` for at most `time`; `None` after that, and the host call in progress is cancelled.
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = T>) -> Option<T> {
    let alarm = std::pin::pin!(spin_sdk::time::sleep(time));
    match select(std::pin::pin!(work), alarm).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(((), _)) => None,
    }
}
