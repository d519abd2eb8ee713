//! Transactions of the use cases.

use super::Context;
use domain::error::Error;
use store::{Database, Tx};

/// Runs `body` in one transaction on the connection of `cx`; see [`store::transaction`].
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
    store::transaction(cx.db, body).await
}
