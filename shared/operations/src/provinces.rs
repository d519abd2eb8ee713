//! §7.2.2.1: the provinces that are served, and those for which a number can be written now.

use super::Context;
use domain::error::Error;
use domain::{Province, Provinces};
use store::{Database, pool_level, views};

/// The provinces that are served: those that are configured, or else those that ever had numbers in their pool. A
/// province that is not served has no incidents: otherwise every client could open them by asking for it.
pub(super) async fn served_provinces<D: Database, R: Database>(
    cx: &Context<'_, D>,
    db: &R,
) -> Result<Provinces, Error> {
    match cx.served {
        Some(served) => Ok(served),
        None => Ok(pool_level::provinces(db).await?.into_iter().collect()),
    }
}

/// The served provinces whose pool has a free number, by code. Allotted numbers do not count, because automatic writing
/// does not take them.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn provinces<D: Database>(cx: &Context<'_, D>) -> Result<Vec<Province>, Error> {
    let mut provinces = views::provinces_with_numbers(cx.db).await?;
    provinces.retain(|province| cx.served.is_none_or(|served| served.contains(*province)));
    Ok(provinces)
}
