//! `/internal/cron`, §7.3: sends the callbacks that are due, and sweeps what has been kept long enough.
//!
//! Whoever holds `cron_secret` may tick it: a timer, a gateway, several nodes at once. One tick claims a bounded
//! number of callbacks, sends several at a time, and records what came of each; what it does not get done stays
//! due. It follows no redirect and reads no more of an answer than a receipt can be long.

mod delivery;

use futures::{StreamExt as _, stream};
use shared::operations::{
    Context, DeliveryState, MAX_CALLBACKS_PER_CALL, due_callbacks, forget_strangers, record_delivery,
    sweep_calls,
};
use shared::spin::{self, Connection, Needs};
use shared::web::{Call, Refusal, Reply, interface};
use spin_sdk::http::{IntoResponse, Request};
use spin_sdk::http_service;

const NEEDS: Needs = Needs {
    sealing_keys: true,
    call_log_days: true,
    secret: Some("cron_secret"),
    ..Needs::NONE
};

/// Callbacks in flight at the same time. With [`delivery::CALLBACK_TIMEOUT_SECS`] this bounds a tick well below
/// the lease of a claim.
const MAX_CALLBACKS_IN_FLIGHT: usize = 8;

#[http_service]
async fn handle(request: Request) -> impl IntoResponse {
    spin::serve(&interface::CRON, NEEDS, request, tick).await
}

async fn tick(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let reply = deliver_callbacks(call).await?;
    forget_strangers(call.cx).await?;
    let more_to_sweep = sweep_calls(call.cx, call.settings.call_log_days).await?;
    Ok(reply.with("more_calls_to_sweep", more_to_sweep))
}

async fn deliver_callbacks(call: &Call<'_, Connection>) -> Result<Reply, Refusal> {
    let due = due_callbacks(call.cx, MAX_CALLBACKS_PER_CALL).await?;
    let claimed = due.len();
    let mut sent = stream::iter(due)
        .map(|callback| async move {
            let outcome = delivery::send(&callback).await;
            (callback.id, callback.attempt, outcome)
        })
        .buffer_unordered(MAX_CALLBACKS_IN_FLIGHT);
    let (mut delivered, mut retrying, mut dead) = (0, 0, 0);
    let mut unrecorded = None;
    // Recorded one after the other: a transaction belongs to this call's one connection.
    while let Some((id, attempt, outcome)) = sent.next().await {
        let cx = Context {
            now: spin::now(),
            ..*call.cx
        };
        match record_delivery(&cx, id, attempt, &outcome).await {
            Ok(DeliveryState::Delivered) => delivered += 1,
            Ok(DeliveryState::RetryAt(_)) => retrying += 1,
            Ok(DeliveryState::Dead) => dead += 1,
            // The others are still under way: they are recorded before the failure is reported.
            Err(error) => unrecorded = Some(error),
        }
    }
    if let Some(error) = unrecorded {
        return Err(error.into());
    }
    Ok(Reply::ok()
        .with("claimed", claimed)
        .with("delivered", delivered)
        .with("retrying", retrying)
        .with("dead", dead)
        .with("more", claimed == MAX_CALLBACKS_PER_CALL))
}
