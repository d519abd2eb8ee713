//! The incidents that the platform opens and settles by itself: the one door for every use case that sees one. Works in
//! the transaction under way.

use super::super::Context;
use super::super::transition::guarded;
use crate::domain::{IncidentId, IncidentKind, Province, Standing, Timestamp};
use crate::error::Error;
use crate::store::{
    Database, Subject,
    incident::{self, By, IncidentRow, NewIncidentRow},
};
use crate::vault::random_bytes;

/// Provinces without a number that make an incident of their own (Table 3, 多省份无资源).
const SEVERAL_PROVINCES: i64 = 2;

/// Opens an incident; false when one of this kind and subject is open.
pub(in crate::operations) async fn open_incident<D: Database>(
    cx: &Context<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
) -> Result<bool, Error> {
    open_since(cx, kind, subject, cx.now).await
}

/// Opens an incident whose trouble began at `since`; false when one of this kind and subject is open.
pub(super) async fn open_since<D: Database>(
    cx: &Context<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
    since: Timestamp,
) -> Result<bool, Error> {
    let new = NewIncidentRow {
        id: IncidentId::new(cx.now, random_bytes(cx.random)),
        subject,
        standing: &Standing::new(kind, kind.row().severity, since, cx.now),
        opened_by: By::Platform,
        note_sealed: None,
    };
    Ok(incident::open(cx.db, new, cx.now).await?)
}

/// Settles the open incident of this kind and subject, if there is one.
pub(in crate::operations) async fn close_incident<D: Database>(
    cx: &Context<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
) -> Result<(), Error> {
    close_incidents(cx, &[kind], subject).await.map(drop)
}

/// Settles the open incidents of these kinds about `subject`; whether there were any.
pub(in crate::operations) async fn close_incidents<D: Database>(
    cx: &Context<'_, D>,
    kinds: &[IncidentKind],
    subject: &Subject,
) -> Result<bool, Error> {
    let rows = incident::open_of(cx.db, kinds, subject).await?;
    for row in &rows {
        settle(cx, row).await?;
    }
    Ok(!rows.is_empty())
}

async fn settle<D: Database>(cx: &Context<'_, D>, row: &IncidentRow) -> Result<(), Error> {
    let settled = Standing {
        closed_at: Some(cx.now),
        ..row.standing
    };
    guarded(incident::change(cx.db, row, &settled).await?)?;
    guarded(incident::settled(cx.db, row.id, By::Platform, None).await?)
}

/// A province has no number left; when it is one of several, that is an incident of its own.
pub(in crate::operations) async fn province_empty<D: Database>(
    cx: &Context<'_, D>,
    province: Province,
) -> Result<(), Error> {
    let kind = IncidentKind::ProvinceWithoutNumber;
    if open_incident(cx, kind, &Subject::province(province.code())).await?
        && incident::count_open(cx.db, kind).await? >= SEVERAL_PROVINCES
    {
        open_incident(cx, IncidentKind::ProvincesWithoutNumber, &Subject::platform()).await?;
    }
    Ok(())
}

/// A province has numbers again, however they came.
pub(in crate::operations) async fn province_filled<D: Database>(
    cx: &Context<'_, D>,
    province: &str,
) -> Result<(), Error> {
    let kind = IncidentKind::ProvinceWithoutNumber;
    if close_incidents(cx, &[kind], &Subject::province(province)).await? {
        fewer_provinces_empty(cx).await?;
    }
    Ok(())
}

/// One province less is without a number: perhaps they are several no longer.
pub(super) async fn fewer_provinces_empty<D: Database>(cx: &Context<'_, D>) -> Result<(), Error> {
    if incident::count_open(cx.db, IncidentKind::ProvinceWithoutNumber).await? < SEVERAL_PROVINCES {
        close_incident(cx, IncidentKind::ProvincesWithoutNumber, &Subject::platform()).await?;
    }
    Ok(())
}
