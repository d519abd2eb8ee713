//! §5.3.1.3: the operator is told, once each, that test periods of temporary numbers end in 30 days and that they are
//! over. Chips that are written meanwhile are not told of, and nothing is sent to clients.

use super::Done;
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::transaction;
use domain::AlertKind;
use domain::error::Error;
use store::{
    Database, Subject, Tx, chip,
    temporary_number::{self, News, ToldRow},
};

/// Most chips that one message tells of: their EIDs fill 16.5 kB of it.
pub const MAX_TOLD_CHIPS: u32 = 500;

/// Tells of chips whose period ends, then of those whose period is over: a message each, for all of them together. A
/// chip that nobody was warned of in time is told of once, as expired.
pub(super) async fn tell<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    let mut done = Done::default();
    // Looking takes no lock.
    for news in temporary_number::due(cx.db, cx.now).await? {
        let count = transaction(cx, async |tx| {
            let chips = temporary_number::take(tx, news, cx.now, MAX_TOLD_CHIPS).await?;
            tell_of(cx, tx, news, &chips).await?;
            Ok::<_, Error>(chips.len())
        })
        .await?;
        done.count += count;
        done.more |= count == MAX_TOLD_CHIPS as usize;
    }
    Ok(done)
}

async fn tell_of<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    news: News,
    chips: &[ToldRow],
) -> Result<(), Error> {
    let ends = || chips.iter().map(|chip| chip.expires_at);
    // Another node may have been faster.
    let (Some(first), Some(last)) = (ends().min(), ends().max()) else {
        return Ok(());
    };
    // A row that cannot be opened must not keep the others from being told of; `count` has it all the same.
    let open = |chip: &ToldRow| {
        cx.vault
            .open_identifier(chip::EID, chip.eid_index.as_bytes(), &chip.eid_sealed)
    };
    let mut eids: Vec<_> = chips.iter().filter_map(|chip| open(chip).ok()).collect();
    eids.sort_unstable();
    let alert = NewAlert {
        kind: match news {
            News::Ending => AlertKind::TemporaryNumbersExpiring,
            News::Ended => AlertKind::TemporaryNumbersExpired,
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
