//! §9.1.2, §9.2.2: deletes data at the end of its retention, and records how much was deleted.

use super::MaintenanceSettings;
use crate::Context;
use crate::job_run::Done;
use domain::error::Error;
use domain::{DAY_MS, Timestamp, Zone};
use store::{
    Database, DbError, Tx, alert, call_log,
    destruction::{self, DestructionRow},
    device_session, message,
};

/// Days for which messages, alerts and device sessions are kept by default: six months and a few days.
pub const RECORD_DAYS: u32 = 185;
/// Most rows of one kind that one run deletes.
const MAX_DESTROYED: u32 = 2_000;

/// A kind of data.
#[derive(Clone, Copy)]
enum Kind {
    Calls,
    Messages,
    Alerts,
    Sessions,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Calls, Self::Messages, Self::Alerts, Self::Sessions];

    fn code(self) -> &'static str {
        match self {
            Self::Calls => "calls",
            Self::Messages => "messages",
            Self::Alerts => "alerts",
            Self::Sessions => "device_sessions",
        }
    }

    async fn destroy<D: Database>(self, tx: &Tx<'_, D>, before: Timestamp) -> Result<usize, DbError> {
        match self {
            Self::Calls => call_log::purge(tx, before, MAX_DESTROYED).await,
            Self::Messages => message::purge(tx, before, MAX_DESTROYED).await,
            Self::Alerts => alert::purge(tx, before, MAX_DESTROYED).await,
            Self::Sessions => device_session::purge(tx, before, MAX_DESTROYED).await,
        }
    }
}

/// Deletes a bounded number of rows at the end of their retention, and one day of the call log.
pub(super) async fn destroy<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    let day = cx.now.date_in(Zone::UTC).to_string();
    let mut done = Done::default();
    call_log::prepare(cx.calls, cx.now).await?;
    // The state has the days from before the log was a database of its own.
    for log in [cx.calls, cx.journal] {
        destroy_calls(cx, log, maintenance, &day, &mut done).await?;
    }
    for kind in Kind::ALL {
        let days = match kind {
            Kind::Calls => maintenance.call_log_days,
            Kind::Messages | Kind::Alerts | Kind::Sessions => maintenance.record_days,
        };
        let before = cx.now.plus(-i64::from(days) * DAY_MS);
        // It need not survive a power failure: rows that reappear are deleted again.
        let count = store::transaction(cx.journal, async |tx| {
            let count = kind.destroy(tx, before).await?;
            if count > 0 {
                destruction::add(tx, &day, kind.code(), count).await?;
            }
            Ok::<_, Error>(count)
        })
        .await?;
        done.count += count;
        done.more |= count == MAX_DESTROYED as usize;
    }
    Ok(done)
}

/// Drops a day of the call log, whose cost does not depend on how many days there are. The database of which a day is
/// dropped records it, in the same transaction.
async fn destroy_calls<D: Database>(
    cx: &Context<'_, D>,
    log: &D,
    maintenance: &MaintenanceSettings,
    day: &str,
    done: &mut Done,
) -> Result<(), Error> {
    let before = cx.now.plus(-i64::from(maintenance.call_log_days) * DAY_MS);
    // Counted before anything is locked.
    let Some((oldest, count)) = call_log::oldest_day(log, before).await? else {
        return Ok(());
    };
    let dropped = store::transaction(log, async |tx| {
        let dropped = call_log::drop_day(tx, oldest).await?;
        if dropped && count > 0 {
            destruction::add(tx, day, Kind::Calls.code(), count).await?;
        }
        Ok::<_, Error>(dropped)
    })
    .await?;
    done.count += if dropped { count } else { 0 };
    done.more = true;
    Ok(())
}

/// How much was deleted lately, by day and kind of data.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn destructions<D: Database>(
    cx: &Context<'_, D>,
    limit: u32,
) -> Result<Vec<DestructionRow>, Error> {
    let mut rows = destruction::latest(cx.db, limit).await?;
    if !std::ptr::eq(cx.db, cx.calls) {
        // A day may be in both while the state has calls from before the log was a database of its own.
        for row in destruction::latest_of_calls(cx.calls, limit).await? {
            let is_same = |other: &&mut DestructionRow| other.day == row.day && other.kind == row.kind;
            match rows.iter_mut().find(is_same) {
                Some(known) => known.count = known.count.saturating_add(row.count),
                None => rows.push(row),
            }
        }
    }
    rows.sort_by(|one, other| other.day.cmp(&one.day).then_with(|| one.kind.cmp(&other.kind)));
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(rows)
}
