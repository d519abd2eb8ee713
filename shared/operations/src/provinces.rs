//! §7.2.2.1: the provinces for which a number can be written now.

use super::Context;
use domain::Province;
use domain::error::Error;
use store::{Database, views};

/// The provinces whose pool has a free number, by code. Allotted numbers do not count, because automatic writing does
/// not take them.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn provinces<D: Database>(cx: &Context<'_, D>) -> Result<Vec<Province>, Error> {
    Ok(views::provinces_with_numbers(cx.db).await?)
}
