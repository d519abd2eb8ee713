//! Gateways say what they can carry out, and which chips they know whose handshakes failed.

use super::Context;
use super::alerts::{NewAlert, raise};
use super::unopened_session::end_reason;
use crate::transaction;
use domain::error::Error;
use domain::{AlertKind, DAY_MS, Eid, Timestamp};
use store::chip::{self, FailedHandshakes};
use store::gateway::{self, GatewayRow, SEPARATOR};
use store::{Database, Subject, Tx};

/// Time of silence after which a gateway is forgotten, in milliseconds.
const FORGOTTEN_AFTER_MS: i64 = 7 * DAY_MS;
/// Time after which an alert about the same chip and failure is raised again, in milliseconds.
const ALERT_AGAIN_AFTER_MS: i64 = DAY_MS;

/// Failures of handshakes for which the gateway is not set up: it has no usable keys for the chip.
const KEYS_MISSING: [&str; 2] = ["no_master_key", "keys_unusable"];

/// What a gateway announces.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// Name of the gateway.
    pub gateway: String,
    /// Identifier of its process.
    pub instance: String,
    /// Number of the announcement within the process, ascending.
    pub seq: i64,
    /// Its card profiles.
    pub profiles: Vec<String>,
    /// The versions of its master keys, in decimal.
    pub key_versions: Vec<String>,
    /// Chips whose handshakes failed since the last announcement: how many, and why the last one.
    pub failed_handshakes: Vec<(Eid, u32, String)>,
}

/// Stores what a gateway announces in place of what it announced before, and counts the failed handshakes on their
/// chips; a chip that is not known is left out. Raises at most one alert: about chips for which the gateway lacks
/// usable keys, so that no session of theirs can exist. Repeating the call changes nothing. Returns whether it was
/// repeated.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn announce_gateway<D: Database>(
    cx: &Context<'_, D>,
    announcement: &Announcement,
) -> Result<bool, Error> {
    let row = GatewayRow {
        name: announcement.gateway.clone(),
        instance: announcement.instance.clone(),
        seq: announcement.seq,
        profiles: announcement.profiles.join(SEPARATOR),
        key_versions: announcement.key_versions.join(SEPARATOR),
        announced_at: cx.now,
    };
    transaction(cx, async |tx| {
        if !gateway::announce(tx, &row).await? {
            return Ok(true);
        }
        gateway::forget(tx, cx.now.plus(-FORGOTTEN_AFTER_MS)).await?;
        count_failures(cx, tx, announcement).await.map(|()| false)
    })
    .await
}

/// Counts the failed handshakes.
async fn count_failures<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    announcement: &Announcement,
) -> Result<(), Error> {
    let mut without_keys = 0_u32;
    let mut first = None;
    for (eid, count, failure) in &announcement.failed_handshakes {
        let (index, failure) = (cx.eid_index(eid), end_reason(failure));
        let Some(before) = chip::failed_handshakes(tx, &index).await? else {
            continue;
        };
        chip::add_failed_handshakes(tx, &index, *count, failure, cx.now).await?;
        if KEYS_MISSING.contains(&failure) && !is_alerted(&before, failure, cx.now) {
            without_keys += 1;
            first.get_or_insert((eid, failure, before.key_version));
        }
    }
    let Some((eid, failure, key_version)) = first else {
        return Ok(());
    };
    let alert = NewAlert {
        kind: AlertKind::ChipKeysMissing,
        subject: &Subject::platform(),
        fields: vec![
            ("gateway", announcement.gateway.clone()),
            ("failure", failure.to_owned()),
            ("key_version", key_version.to_string()),
            ("eid", eid.as_str().to_owned()),
            ("chips", without_keys.to_string()),
        ],
    };
    raise(cx, tx, alert).await
}

/// Whether the operator was alerted to this failure of the chip lately.
fn is_alerted(before: &FailedHandshakes, failure: &str, now: Timestamp) -> bool {
    let is_same = before.failure.as_deref() == Some(failure);
    is_same && before.at.is_some_and(|at| now.plus(-ALERT_AGAIN_AFTER_MS) < at)
}
