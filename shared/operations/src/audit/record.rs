//! Adding rows to the trail.

use std::fmt::Write as _;
use std::net::IpAddr;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::act::{Act, Agreed};
use super::request::MAX_OBJECTS;
use crate::Context;
use domain::error::{Error, Reason};
use domain::{AccountId, Does, Right};
use store::approval::{self, Decision};
use store::audit::{self, AuditKind, AuditObject, AuditOutcome, NewAuditRow, detail_id};
use store::{Database, Tx};
use vault::random_bytes;

/// Most objects that a row names; of the others it says how many.
const MAX_NAMED: usize = 5;
/// Random bytes among the details, so that their digest gives nothing away.
const NONCE_BYTES: usize = 16;
/// On what an act is that names nothing.
const PLATFORM: &str = "platform";

/// What was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadFigures {
    /// How many rows.
    pub rows: u64,
    /// SHA-256 of what was answered.
    pub digest: [u8; 32],
}

impl ReadFigures {
    /// Of the fields of an answer, a JSON object whose lists have the rows.
    #[must_use]
    pub fn of_fields(fields: &[u8]) -> Self {
        let read: Map<String, Value> = serde_json::from_slice(fields).unwrap_or_default();
        let lists = read.values().filter_map(Value::as_array);
        let rows: usize = lists.map(Vec::len).sum();
        Self {
            rows: rows as u64,
            digest: Sha256::digest(fields).into(),
        }
    }
}

/// The body of a transaction begins, perhaps anew.
pub(crate) fn begin<D>(cx: &Context<'_, D>) {
    if let Some(act) = cx.act {
        act.noted.take();
    }
}

/// Adds the row of a change that has succeeded, in its own transaction. False when there is none to add.
pub(crate) async fn record_done<D: Database>(cx: &Context<'_, D>, tx: &Tx<'_, D>) -> Result<bool, Error> {
    match cx.act {
        Some(act) if act.right.changes() => {
            use_up(cx, tx, act).await?;
            append(cx, tx, act, AuditKind::Change, (AuditOutcome::Done, None), None).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// The transaction with the row has committed.
pub(crate) fn committed<D>(cx: &Context<'_, D>, is_recorded: bool) {
    if let (Some(act), true) = (cx.act, is_recorded) {
        act.is_recorded.set(true);
    }
}

/// Ends the act of the call: adds its row unless it has one. `refusal` is why it was refused or failed. One that changed
/// something has its row already.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy.
pub async fn conclude_act<D: Database>(cx: &Context<'_, D>, refusal: Option<Reason>) -> Result<(), Error> {
    let outcome = match refusal {
        None => AuditOutcome::Done,
        Some(reason) if reason.status() < 500 => AuditOutcome::Refused,
        Some(_) => AuditOutcome::Failed,
    };
    let result = (outcome, refusal.map(Reason::code));
    if let (Some(act), Some(_)) = (cx.act, refusal) {
        // What the attempt would have changed was rolled back.
        let mut noted = act.noted.borrow_mut();
        noted.before.clear();
        noted.after.clear();
    }
    match cx.act {
        Some(act) if act.right.changes() && !act.is_recorded() => {
            append_alone(cx, act, AuditKind::Change, result, None).await
        }
        _ => Ok(()),
    }
}

/// Adds the row of a person who signs in or enrols, or who is made a system administrator on the machine, in the transaction
/// of the change: nobody is known when it begins, so it is no act of staff.
pub(crate) async fn record_of_person<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    (who, what, from): (&str, &str, Option<IpAddr>),
    account: AccountId,
) -> Result<(), Error> {
    let (id, address) = (account.text(), from.map(|from| from.to_string()));
    let row = NewAuditRow {
        at: cx.now,
        kind: AuditKind::Change,
        who,
        what,
        outcome: AuditOutcome::Done,
        reason: None,
        address: address.as_deref().unwrap_or_default(),
        request_id: "",
        object: &format!("account_id={id}"),
        detail: None,
        objects: &[AuditObject::Text(id)],
    };
    audit::append(tx, row).await?;
    Ok(())
}

/// Records that rows were read in bulk, or identifiers in full: how many rows, and the digest of what was answered. An
/// export calls it at its end.
///
/// # Errors
/// [`Reason::Unavailable`] when the database is busy; then nothing may be shown.
pub async fn record_read<D: Database>(cx: &Context<'_, D>, read: Option<ReadFigures>) -> Result<(), Error> {
    match cx.act {
        Some(act) if act.right.does() == Does::Lists => {
            append_alone(cx, act, AuditKind::Read, (AuditOutcome::Done, None), read).await
        }
        _ => Ok(()),
    }
}

/// Uses up what a second person agreed to, in the transaction of the act, and notes who asked for it.
///
/// # Errors
/// [`Reason::ApprovalEnded`] when somebody was faster.
async fn use_up<D: Database>(cx: &Context<'_, D>, tx: &Tx<'_, D>, act: &Act) -> Result<(), Error> {
    let Some(Agreed { id, asked_by }) = act.agreed() else {
        return Ok(());
    };
    if !approval::decide(tx, id, Decision::Done, act.who(), cx.now).await? {
        return Err(Reason::ApprovalEnded.into());
    }
    cx.note_object("approval_id", &id.text());
    cx.note_result("asked_by", asked_by);
    Ok(())
}

async fn append_alone<D: Database>(
    cx: &Context<'_, D>,
    act: &Act,
    kind: AuditKind,
    result: (AuditOutcome, Option<&str>),
    read: Option<ReadFigures>,
) -> Result<(), Error> {
    store::transaction(cx.db, async |tx| {
        if result.0 == AuditOutcome::Done && act.right.changes() {
            use_up(cx, tx, act).await?;
        }
        append(cx, tx, act, kind, result, read).await
    })
    .await?;
    act.is_recorded.set(true);
    Ok(())
}

async fn append<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    act: &Act,
    kind: AuditKind,
    (outcome, reason): (AuditOutcome, Option<&str>),
    read: Option<ReadFigures>,
) -> Result<(), Error> {
    let detail = detail(cx, act, read)?;
    let (object, objects) = objects(act);
    let row = NewAuditRow {
        at: cx.now,
        kind,
        who: &act.who,
        what: Right::code(act.right),
        outcome,
        reason,
        address: &act.address,
        request_id: &act.request_id,
        object: &object,
        detail: Some(detail),
        objects: &objects,
    };
    audit::append(tx, row).await?;
    Ok(())
}

/// The details: their digest, and sealed.
fn detail<D>(
    cx: &Context<'_, D>,
    act: &Act,
    read: Option<ReadFigures>,
) -> Result<(audit::Hash, Vec<u8>), Error> {
    let noted = act.noted.borrow();
    let mut detail = json!({
        "nonce": hex::encode(random_bytes::<NONCE_BYTES>(cx.random)),
        "request": act.asked.borrow().fields,
        "before": noted.before,
        "after": noted.after,
    });
    if let Some(read) = read {
        detail["rows"] = read.rows.into();
        detail["sha256"] = hex::encode(read.digest).into();
    }
    let text = serde_json::to_vec(&detail).map_err(Error::internal)?;
    let digest: audit::Hash = Sha256::digest(&text).into();
    let sealed = cx
        .vault
        .seal(cx.random, audit::DETAIL, detail_id(&digest).as_bytes(), &text)?;
    Ok((digest, sealed))
}

/// On what an act is, as it is shown.
pub(crate) fn object_of(act: &Act) -> String {
    objects(act).0
}

/// On what an act is: as it is shown, and to be searched for.
fn objects(act: &Act) -> (String, Vec<AuditObject>) {
    let (asked, noted) = (act.asked.borrow(), act.noted.borrow());
    let mut names = asked.names.clone();
    let mut objects = asked.objects.clone();
    for (name, shown, object) in &noted.objects {
        if objects.len() < MAX_OBJECTS && !objects.contains(object) {
            names.push(format!("{name}={shown}"));
            objects.push(object.clone());
        }
    }
    if names.is_empty() {
        return (PLATFORM.to_owned(), vec![AuditObject::Text(PLATFORM.to_owned())]);
    }
    let more = names.len().saturating_sub(MAX_NAMED);
    names.truncate(MAX_NAMED);
    let mut text = names.join(" ");
    if more > 0 {
        // Writing into a text does not fail.
        let _ = write!(text, " +{more}");
    }
    (text, objects)
}
