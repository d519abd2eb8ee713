//! Alerts to the operator (§5.3.1.1): an entry in the list of alerts, and a message to the operator's address, which
//! is signed, sent and retried like a callback.

use std::collections::BTreeMap;

use super::Context;
use super::messages::{NewMessage, has_address, queue};
use super::unreadable::RowOpener;
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{AlertId, AlertKind, Receiver, Timestamp};
use store::{
    Database, Subject, Tx,
    alert::{self, AlertRow},
};
use vault::random_bytes;

/// Most alerts of one page.
pub const MAX_ALERTS_PER_PAGE: u32 = 100;
/// Most alerts that one call acknowledges.
pub const MAX_NOTED_ALERTS: usize = 1_000;

/// A new alert.
pub(super) struct NewAlert<'a> {
    /// Kind of the alert.
    pub(super) kind: AlertKind,
    /// What it is about.
    pub(super) subject: &'a Subject,
    /// Further names and values of the message. They may name chips: the message is sealed.
    pub(super) fields: Vec<(&'static str, String)>,
}

/// Adds an alert in the open transaction, and the message to the operator if there is an address.
pub(super) async fn raise<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: NewAlert<'_>,
) -> Result<(), Error> {
    let (kind, subject) = (new.kind, new.subject);
    let mut body = BTreeMap::from([
        ("type", kind.code().to_owned()),
        ("at", cx.now.to_rfc3339(cx.zone)),
        ("subject", subject.text().to_owned()),
        ("description", kind.zh().to_owned()),
        ("description_en", kind.en().to_owned()),
    ]);
    body.extend(new.fields);
    let body = serde_json::to_vec(&body).map_err(Error::internal)?;
    let id = AlertId::new(cx.now, random_bytes(cx.random));
    let sealed = cx
        .vault
        .seal(cx.random, alert::BODY, id.text().as_bytes(), &body)?;
    alert::insert(tx, id, kind.code(), subject, sealed, cx.now).await?;
    // The failure of the operator's own address cannot be reported to that address.
    let operator = Receiver::Operator;
    if *subject == Subject::receiver(&operator) || !has_address(tx, &operator).await? {
        return Ok(());
    }
    let message = NewMessage {
        to: &operator,
        topic: kind.code(),
        task: None,
        chip: None,
        is_addressed: true,
        body: &body,
    };
    queue(cx, tx, &message).await
}

/// An alert.
#[derive(Clone, Debug)]
pub struct AlertView {
    /// Identifier.
    pub id: AlertId,
    /// Stable name of its kind.
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// The names and values of the message.
    pub body: BTreeMap<String, String>,
    /// When it was raised.
    pub at: Timestamp,
    /// When it was acknowledged.
    pub noted_at: Option<Timestamp>,
    /// The fields whose values cannot be opened.
    pub unreadable: Vec<&'static str>,
}

/// The alerts that are not acknowledged, or all, the latest first, up to `limit` before `cursor`. A body that cannot be
/// opened is empty and hides no other alert.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn list_alerts<D: Database>(
    cx: &Context<'_, D>,
    noted_too: bool,
    cursor: Option<AlertId>,
    limit: u32,
) -> Result<Vec<AlertView>, Error> {
    let below = cursor.unwrap_or_else(AlertId::last);
    let limit = limit.clamp(1, MAX_ALERTS_PER_PAGE);
    let rows = alert::list(cx.db, below, noted_too, limit).await?;
    Ok(rows.into_iter().map(|row| view(cx, row)).collect())
}

fn view<D>(cx: &Context<'_, D>, row: AlertRow) -> AlertView {
    let id = row.id.text();
    let mut opener = RowOpener::new(cx, id.as_bytes());
    let body = opener.document("body", alert::BODY, Some(&row.body_sealed));
    AlertView {
        id: row.id,
        kind: row.kind,
        subject: row.subject,
        body: body.unwrap_or_default(),
        at: row.at,
        noted_at: row.noted_at,
        unreadable: opener.unreadable,
    }
}

/// Acknowledges alerts, which then leave the list. Returns how many were on it.
///
/// # Errors
/// [`Reason::BodyTooLarge`] beyond [`MAX_NOTED_ALERTS`].
pub async fn note_alerts<D: Database>(cx: &Context<'_, D>, ids: &[AlertId]) -> Result<usize, Error> {
    if ids.len() > MAX_NOTED_ALERTS {
        return Err(Error::new(Reason::BodyTooLarge).with_detail(
            format!("最多 {MAX_NOTED_ALERTS} 个"),
            format!("at most {MAX_NOTED_ALERTS}"),
        ));
    }
    let ids: Vec<_> = ids.iter().map(AlertId::text).collect();
    let ids = serde_json::to_string(&ids).map_err(Error::internal)?;
    transaction(cx, async |tx| Ok(alert::note(tx, ids.clone(), cx.now).await?)).await
}
