//! One incident, for administrators (§8).

use super::list::{IncidentView, view};
use crate::Context;
use domain::IncidentId;
use domain::error::{Error, Reason};
use store::{Database, incident};

/// The incident of an identifier.
///
/// # Errors
/// [`Reason::UnknownIncident`]; [`Reason::Unavailable`] when the database is busy; [`Reason::Internal`] when a sealed
/// value cannot be opened.
pub async fn show_incident<D: Database>(cx: &Context<'_, D>, id: IncidentId) -> Result<IncidentView, Error> {
    let row = incident::by_id(cx.db, id).await?.ok_or(Reason::UnknownIncident)?;
    view(cx, cx.db, row).await
}
