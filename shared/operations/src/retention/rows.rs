//! Kinds of data whose rows end one by one.

use super::settings::{HISTORY, INCIDENTS, RECORDS, TASKS};
use super::{Error, MAX_DESTROYED, Run};
use store::{
    Database, alert, batch, batch_row, card_history, deviation, device_session, incident, message, task,
};

/// A kind of data.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    /// Messages that were delivered or given up, with their attempts.
    Messages,
    /// Alerts that were acknowledged.
    Alerts,
    /// Sessions that ended.
    Sessions,
    /// Tasks that ended without a written card. What names one keeps it: a session, a message, a number that its chip
    /// may hold; and an open incident of its chip.
    Tasks,
    /// Steps of cards that have neither an open task nor an open incident.
    History,
    /// Incidents that were settled and need no further report.
    Incidents,
    /// Deviations that were set right.
    Deviations,
    /// Rows of batches that were done or stopped.
    LinesOfBatches,
    /// Batches that were done or stopped, after their rows.
    Batches,
}

impl Rows {
    /// Every kind; what names another comes before it.
    pub(super) const ALL: [Self; 9] = [
        Self::Messages,
        Self::Alerts,
        Self::Sessions,
        Self::Tasks,
        Self::History,
        Self::Incidents,
        Self::Deviations,
        Self::LinesOfBatches,
        Self::Batches,
    ];

    /// Destroys the rows that ended before their retention.
    pub(super) async fn destroy<D: Database>(self, run: &mut Run<'_, '_, D>) -> Result<(), Error> {
        let (kind, setting) = match self {
            Self::Messages => ("messages", RECORDS),
            Self::Alerts => ("alerts", RECORDS),
            Self::Sessions => ("device_sessions", RECORDS),
            Self::Tasks => ("tasks", TASKS),
            Self::History => ("card_history", HISTORY),
            Self::Incidents => ("incidents", INCIDENTS),
            Self::Deviations => ("deviations", INCIDENTS),
            Self::LinesOfBatches => ("batch_rows", RECORDS),
            Self::Batches => ("batches", RECORDS),
        };
        let before = run.before(&[setting]);
        run.destroy(kind, MAX_DESTROYED, async |tx, most| {
            Ok(match self {
                Self::Messages => message::purge(tx, before, most).await?,
                Self::Alerts => alert::purge(tx, before, most).await?,
                Self::Sessions => device_session::purge(tx, before, most).await?,
                Self::Tasks => task::purge(tx, before, most).await?,
                Self::History => card_history::purge(tx, before, most).await?,
                Self::Incidents => incident::purge(tx, before, most).await?,
                Self::Deviations => deviation::purge(tx, before, most).await?,
                Self::LinesOfBatches => batch_row::purge(tx, before, most).await?,
                Self::Batches => batch::purge(tx, before, most).await?,
            })
        })
        .await
    }
}
