//! The incidents that the platform opens and settles itself. Every use case that detects one calls these functions in
//! its open transaction.

use super::super::Context;
use super::super::provinces::served_provinces;
use super::super::transition::guarded;
use domain::error::Error;
use domain::{IncidentId, IncidentKind, IncidentState, Province, Timestamp};
use store::{
    Database, Subject, Tx, device_session,
    incident::{self, By, IncidentRow, NewIncidentRow},
    lock, pool_level,
};
use vault::{BlindIndex, random_bytes};

/// Provinces without a number that together are an incident of their own (Table 3, 多省份无资源).
const SEVERAL_PROVINCES: usize = 2;

/// Opens an incident; false when one of this kind and subject is open.
pub(crate) async fn open_incident<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
) -> Result<bool, Error> {
    open_since(cx, tx, kind, subject, cx.now, None).await
}

/// Opens an incident that a session of a chip led to, and that has existed since `since`; false when one of this kind
/// is open. Its note names `why` that session ended; without it, why the last session of the chip did that has ended.
pub(crate) async fn open_after_session<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    kind: IncidentKind,
    eid_index: &BlindIndex,
    since: Timestamp,
    why: Option<&str>,
) -> Result<bool, Error> {
    let last = match why {
        Some(_) => None,
        None => device_session::last_end(tx, eid_index).await?,
    };
    let why = why.or(last.as_deref());
    let note = why.map(|reason| ["最近一次会话的结束原因 / the last session ended: ", reason].concat());
    open_since(cx, tx, kind, &Subject::chip(eid_index), since, note.as_deref()).await
}

/// Opens an incident that has existed since `since`, with a note if there is one; false when one of this kind and
/// subject is open.
pub(super) async fn open_since<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
    since: Timestamp,
    note: Option<&str>,
) -> Result<bool, Error> {
    let id = IncidentId::new(cx.now, random_bytes(cx.random));
    let seal = |text: &str| {
        cx.vault
            .seal(cx.random, incident::NOTE, id.text().as_bytes(), text.as_bytes())
    };
    let new = NewIncidentRow {
        id,
        subject,
        state: &IncidentState::new(kind, kind.row().severity, since, cx.now),
        opened_by: By::Platform,
        note_sealed: note.map(seal).transpose()?,
    };
    Ok(incident::open(tx, new, cx.now).await?)
}

/// Settles the open incident of this kind and subject, if there is one.
pub(crate) async fn close_incident<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    kind: IncidentKind,
    subject: &Subject,
) -> Result<(), Error> {
    close_incidents(cx, tx, &[kind], subject).await.map(drop)
}

/// Settles the open incidents of these kinds about `subject`. Returns whether there were any.
pub(crate) async fn close_incidents<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    kinds: &[IncidentKind],
    subject: &Subject,
) -> Result<bool, Error> {
    let rows = incident::open_of(tx, kinds, subject).await?;
    for row in &rows {
        settle(cx, tx, row).await?;
    }
    Ok(!rows.is_empty())
}

async fn settle<D: Database>(cx: &Context<'_, D>, tx: &Tx<'_, D>, row: &IncidentRow) -> Result<(), Error> {
    let mut settled = row.state;
    settled.settle(cx.now);
    guarded(incident::change(tx, row, &settled).await?)?;
    guarded(incident::settled(tx, row.id, By::Platform, None).await?)
}

/// Opens the incident of a province that has no number left or for which an application found none.
pub(crate) async fn province_empty<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    province: Province,
) -> Result<(), Error> {
    let subject = Subject::province(province.code());
    if open_incident(cx, tx, IncidentKind::ProvinceWithoutNumber, &subject).await? {
        update_multi_province_incident(cx, tx).await?;
    }
    Ok(())
}

/// Settles the incident of a province that has numbers again. The pool is recorded as not empty; if it is empty at the
/// next count, it counts as newly empty.
pub(crate) async fn province_filled<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    province: &str,
) -> Result<(), Error> {
    pool_level::filled(tx, province, cx.now).await?;
    settle_province(cx, tx, province).await
}

/// Settles the incident of a province that needs no number any more.
pub(crate) async fn settle_province<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    province: &str,
) -> Result<(), Error> {
    let kind = IncidentKind::ProvinceWithoutNumber;
    if close_incidents(cx, tx, &[kind], &Subject::province(province)).await? {
        update_multi_province_incident(cx, tx).await?;
    }
    Ok(())
}

/// The served provinces whose incident of having no number is open, whoever opened it.
pub(super) async fn empty_provinces<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
) -> Result<Vec<Province>, Error> {
    let served = served_provinces(cx, tx).await?;
    let open = provinces_with_incident(tx).await?.into_iter();
    Ok(open
        .map(|(province, _)| province)
        .filter(|province| served.contains(*province))
        .collect())
}

/// The provinces whose incident of having no number is open, and who opened it.
pub(crate) async fn provinces_with_incident<R: Database>(db: &R) -> Result<Vec<(Province, By)>, Error> {
    let open = incident::open_subjects(db, IncidentKind::ProvinceWithoutNumber).await?;
    let province = |(subject, by): (Subject, By)| Some((Province::parse(subject.as_province()?).ok()?, by));
    Ok(open.into_iter().filter_map(province).collect())
}

/// Whether these provinces together are an incident of their own.
pub(super) fn are_several(provinces: &[Province]) -> bool {
    provinces.len() >= SEVERAL_PROVINCES
}

/// Opens or settles the incident that several provinces have no number, after one of them changed. No other function
/// opens or settles it. The clock gives its notice.
pub(super) async fn update_multi_province_incident<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
) -> Result<(), Error> {
    lock::pools(tx).await?;
    let (kind, subject) = (IncidentKind::ProvincesWithoutNumber, Subject::platform());
    if are_several(&empty_provinces(cx, tx).await?) {
        open_incident(cx, tx, kind, &subject).await.map(drop)
    } else {
        close_incident(cx, tx, kind, &subject).await
    }
}
