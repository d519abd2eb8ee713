//! §5.3.1.3: raises alerts, once each, that test periods of temporary numbers end in 30 days and that they have ended.
//! Written chips are left out, and nothing is sent to clients.

use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::job_run::Done;
use crate::transaction;
use domain::AlertKind;
use domain::error::Error;
use store::{
    Database, Subject, Tx, chip,
    temporary_number::{self, ExpiringChipRow, ExpiryNotice},
};

/// Most chips that one message names: their EIDs take 16.5 kB of it.
pub const MAX_CHIPS_PER_NOTICE: u32 = 500;

/// Raises one alert for all chips whose period ends soon, then one for all whose period has ended. A chip whose
/// warning was not given in time is named only as expired.
pub(super) async fn notify<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    let mut done = Done::default();
    // This check takes no lock.
    for notice in temporary_number::due(cx.db, cx.now).await? {
        let count = transaction(cx, async |tx| {
            let chips = temporary_number::take(tx, notice, cx.now, MAX_CHIPS_PER_NOTICE).await?;
            notify_of(cx, tx, notice, &chips).await?;
            Ok::<_, Error>(chips.len())
        })
        .await?;
        done.count += count;
        done.more |= count == MAX_CHIPS_PER_NOTICE as usize;
    }
    Ok(done)
}

async fn notify_of<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    notice: ExpiryNotice,
    chips: &[ExpiringChipRow],
) -> Result<(), Error> {
    let ends = || chips.iter().map(|chip| chip.expires_at);
    // Another node may have taken them first.
    let (Some(first), Some(last)) = (ends().min(), ends().max()) else {
        return Ok(());
    };
    // A row that cannot be opened must not suppress the others; `count` includes it.
    let open = |chip: &ExpiringChipRow| {
        cx.vault
            .open_identifier(chip::EID, chip.eid_index.as_bytes(), &chip.eid_sealed)
    };
    let mut eids: Vec<_> = chips.iter().filter_map(|chip| open(chip).ok()).collect();
    eids.sort_unstable();
    let alert = NewAlert {
        kind: match notice {
            ExpiryNotice::Ending => AlertKind::TemporaryNumbersExpiring,
            ExpiryNotice::Ended => AlertKind::TemporaryNumbersExpired,
        },
        subject: &Subject::platform(),
        fields: vec![
            ("count", chips.len().to_string()),
            ("eids", eids.join(",")),
            ("expires_from", first.to_rfc3339(cx.zone)),
            ("expires_to", last.to_rfc3339(cx.zone)),
        ],
    };
    raise(cx, tx, alert).await
}
