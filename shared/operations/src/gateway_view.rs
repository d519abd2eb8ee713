//! What gateways announced, for administrators.

use super::Context;
use domain::error::Error;
use domain::{MINUTE_MS, Timestamp};
use store::Database;
use store::gateway::{self, SEPARATOR};

/// Time of silence after which a gateway counts as stale, in milliseconds.
const STALE_AFTER_MS: i64 = 10 * MINUTE_MS;

/// A gateway as it announced itself last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayView {
    /// Its name.
    pub name: String,
    /// Its card profiles.
    pub profiles: Vec<String>,
    /// The versions of its master keys, in decimal.
    pub key_versions: Vec<String>,
    /// When it announced them.
    pub announced_at: Timestamp,
    /// Whether it has been silent since for longer than 10 minutes.
    pub stale: bool,
}

/// Every gateway that is not forgotten, by name.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn gateway_views<D: Database>(cx: &Context<'_, D>) -> Result<Vec<GatewayView>, Error> {
    let stale_before = cx.now.plus(-STALE_AFTER_MS);
    let rows = gateway::all(cx.db).await?.into_iter();
    Ok(rows
        .map(|row| GatewayView {
            name: row.name,
            profiles: parts(&row.profiles),
            key_versions: parts(&row.key_versions),
            announced_at: row.announced_at,
            stale: row.announced_at < stale_before,
        })
        .collect())
}

fn parts(joined: &str) -> Vec<String> {
    let parts = joined.split(SEPARATOR).filter(|part| !part.is_empty());
    parts.map(str::to_owned).collect()
}
