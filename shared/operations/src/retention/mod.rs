//! §9.1.2, §9.2.2: how long each kind of data is kept, its destruction at the end, and the record of that.
//!
//! [`RETENTION`] is the only place that says for how long. A run destroys a bounded amount of each kind; what is left
//! stays due. It need not survive a power failure: rows that reappear are destroyed again.

mod audit;
mod calls;
mod chips;
mod clients;
mod number_keys;
mod numbers;
mod open_sessions;
mod record;
mod rows;
mod settings;

pub use record::destructions;
pub(super) use settings::HISTORY;
pub use settings::{RETENTION, Retention};

use super::Context;
use super::job_run::Done;
use domain::error::Error;
use domain::{DAY_MS, Timestamp, Zone};
use rows::Rows;
use settings::MAX_DAYS;
use store::{Database, Tx, call_log, destruction};

/// Most rows of one kind that one run destroys.
const MAX_DESTROYED: u32 = 2_000;
/// Most chips, numbers or clients that one run destroys, with what belongs to them; most numbers whose keys it does.
const MAX_WHOLE: u32 = 500;

/// A run of the destruction: what it destroys is recorded under its day.
struct Run<'r, 'a, D> {
    cx: &'r Context<'a, D>,
    retention: &'r Retention,
    day: String,
    done: Done,
}

impl<D: Database> Run<'_, '_, D> {
    /// What ended before this time has reached the end of the longest of these retentions.
    fn before(&self, settings: &[&str]) -> Timestamp {
        let days = settings.iter().map(|name| self.retention.days(name)).max();
        self.cx.now.plus(-i64::from(days.unwrap_or(MAX_DAYS)) * DAY_MS)
    }

    /// Destroys up to `most` of a kind in a transaction that also records how many.
    async fn destroy(
        &mut self,
        kind: &'static str,
        most: u32,
        destroy: impl AsyncFn(&Tx<'_, D>, u32) -> Result<usize, Error>,
    ) -> Result<(), Error> {
        let count = store::transaction(self.cx.journal, async |tx| {
            let count = destroy(tx, most).await?;
            if count > 0 {
                destruction::add(tx, &self.day, kind, count).await?;
            }
            Ok::<_, Error>(count)
        })
        .await?;
        self.done.count += count;
        self.done.more |= count >= most as usize;
        Ok(())
    }
}

/// Destroys a bounded amount of every kind of data at the end of its retention, and one day of the call log. What refers
/// to something else goes before it.
pub(super) async fn destroy<D: Database>(cx: &Context<'_, D>, retention: &Retention) -> Result<Done, Error> {
    let mut run = Run {
        cx,
        retention,
        day: cx.now.date_in(Zone::UTC).to_string(),
        done: Done::default(),
    };
    call_log::prepare(cx.calls, cx.now).await?;
    calls::destroy_days(&mut run).await?;
    open_sessions::close(&mut run).await?;
    for rows in Rows::ALL {
        rows.destroy(&mut run).await?;
    }
    number_keys::destroy(&mut run).await?;
    numbers::destroy(&mut run).await?;
    chips::destroy(&mut run).await?;
    clients::destroy(&mut run).await?;
    audit::destroy(&mut run).await?;
    Ok(run.done)
}
