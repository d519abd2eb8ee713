//! §7.3: which callbacks are to be sent now.

use super::Context;
use super::callback_body::signed_body;
use super::record_delivery::MAX_ATTEMPTS;
use super::sign::{secret_key, standard_webhook_signature};
use super::transition::open_incident;
use crate::domain::{CallbackId, ClientId, IncidentKind, MINUTE_MS};
use crate::error::Error;
use crate::store::{
    Database,
    client::{self, ClientRow},
    incident::Subject,
    outbox::{self, ClaimedRow},
    outbox_attempt, transaction,
};

/// Most callbacks one call claims.
pub const MAX_CALLBACKS_PER_CALL: usize = 50;
/// How long a claim keeps others away, in milliseconds. Receivers tell repetitions by `webhook-id`,
/// so nothing depends on it.
pub const LEASE_MS: i64 = 2 * MINUTE_MS;

/// A callback ready to be sent.
pub struct DueCallback {
    /// Its identifier: `webhook-id`.
    pub id: CallbackId,
    /// Which attempt this is, from 1; goes back with the result.
    pub attempt: u32,
    /// Where it goes.
    pub url: String,
    /// The JSON body, signed (`sign`).
    pub body: Vec<u8>,
    /// Headers to send: content type and the three of Standard Webhooks.
    pub headers: Vec<(&'static str, String)>,
}

/// Claims up to `limit` (at most [`MAX_CALLBACKS_PER_CALL`]) due callbacks. Claiming counts as an attempt
/// and keeps others away for [`LEASE_MS`], so that several callers share the work and a caller that dies
/// delays its callbacks by no more than that. Callbacks whose last attempt was never reported are given
/// up. One that cannot be opened or signed is left out: its attempts run out, and an incident tells of it.
///
/// # Errors
/// Those of the database.
pub async fn due_callbacks<D: Database>(
    cx: &Context<'_, D>,
    limit: usize,
) -> Result<Vec<DueCallback>, Error> {
    let limit = i64::try_from(limit.min(MAX_CALLBACKS_PER_CALL)).unwrap_or(0);
    let most = i64::from(MAX_ATTEMPTS);
    let claimed = transaction(cx.db, async |db| {
        for id in outbox::bury(db, limit, most, cx.now).await? {
            open_incident(cx, IncidentKind::CallbackUndeliverable, &Subject::callback(id)).await?;
        }
        let mut claimed = Vec::new();
        for row in outbox::claim(db, limit, most, cx.now.plus(LEASE_MS), cx.now).await? {
            outbox_attempt::insert(db, row.id, row.attempt, cx.now).await?;
            let client = known_client(cx, &claimed, &row.client_id).await?;
            claimed.push((row, client));
        }
        Ok::<_, Error>(claimed)
    })
    .await?;
    Ok(claimed
        .iter()
        .filter_map(|(row, client)| prepare(cx, row, client).ok().flatten())
        .collect())
}

/// The client of a callback, read once per call.
async fn known_client<D: Database>(
    cx: &Context<'_, D>,
    claimed: &[(ClaimedRow, ClientRow)],
    id: &ClientId,
) -> Result<ClientRow, Error> {
    if let Some((_, client)) = claimed.iter().find(|(_, client)| client.id == *id) {
        return Ok(client.clone());
    }
    client::by_id(cx.db, id)
        .await?
        .ok_or_else(|| Error::internal("a callback without its client"))
}

fn prepare<D>(
    cx: &Context<'_, D>,
    row: &ClaimedRow,
    client: &ClientRow,
) -> Result<Option<DueCallback>, Error> {
    let Some(url) = client.callback_url.clone() else {
        return Ok(None);
    };
    let id = row.id.text();
    let stored = cx.vault.open(outbox::BODY, id.as_bytes(), &row.body_sealed)?;
    let client_row = client.id.as_str().as_bytes();
    let secret = cx.vault.open_text(
        client::CALLBACK_SECRET,
        client_row,
        &client.callback_secret_sealed,
    )?;
    let key = secret_key(&secret)?;
    let seconds = cx.now.seconds();
    let body = signed_body(&stored, &key, seconds)?;
    let signature = standard_webhook_signature(&key, &id, seconds, &body);
    let headers = vec![
        ("content-type", "application/json; charset=utf-8".to_owned()),
        ("webhook-id", id),
        ("webhook-timestamp", seconds.to_string()),
        ("webhook-signature", signature),
    ];
    Ok(Some(DueCallback {
        id: row.id,
        attempt: row.attempt,
        url,
        body,
        headers,
    }))
}
