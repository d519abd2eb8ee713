//! Transactions of the use cases.

use super::{Context, audit};
use domain::error::Error;
use store::{Database, Tx};

/// Runs `body` in one transaction on the connection of `cx`; see [`store::transaction`].
///
/// When the call is an act of staff that changes something, its row in the audit trail is written before the commit: both
/// are there, or neither.
///
/// `body` can run several times, so it must change nothing but the database.
///
/// # Errors
/// Those of `body`; [`domain::error::Reason::Unavailable`] when the database is busy,
/// [`domain::error::Reason::Internal`] when it failed.
pub(crate) async fn transaction<D: Database, T>(
    cx: &Context<'_, D>,
    body: impl AsyncFn(&Tx<'_, D>) -> Result<T, Error>,
) -> Result<T, Error> {
    let done = store::transaction(cx.db, async |tx| {
        audit::begin(cx);
        let value = body(tx).await?;
        Ok::<_, Error>((value, audit::record_done(cx, tx).await?))
    });
    let (value, is_recorded) = done.await?;
    audit::committed(cx, is_recorded);
    Ok(value)
}
