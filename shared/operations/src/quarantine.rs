//! §9.1.2: after a restore. A restore turns back the time: of what was written to cards since the backup the database
//! knows nothing. So every number is quarantined, and goes to no card until a person proves it unused.

use super::Context;
use super::act_note::ActNote;
use super::pool::{examined, list};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Iccid, ImportId, Timestamp};
use store::audit::{self, AuditKind, AuditOutcome, NewAuditRow};
use store::backup_record::{self, BackupRecord, RecordKind};
use store::{Database, batch, import, quarantine};
use vault::random_bytes;

/// The backup that a database is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored<'a> {
    /// Identifier of the backup.
    pub backup_id: &'a str,
    /// When the state in it was copied.
    pub backup_at: Timestamp,
    /// Since when nothing was written to a card, as a person states.
    pub no_writes_since: Option<Timestamp>,
}

/// Records that the database is from a backup, also in the audit trail, where a branch begins, and quarantines every number that is not retired, unless nothing was
/// written since the backup. Batches are stopped: what they did since, they would do again. Returns how many numbers are quarantined.
///
/// # Errors
/// [`Reason::ParameterMalformed`] when the stated time is after the backup: between the two something may have been
/// written.
pub async fn record_restore<D: Database>(
    db: &D,
    restored: &Restored<'_>,
    now: Timestamp,
) -> Result<u64, Error> {
    if restored
        .no_writes_since
        .is_some_and(|since| since > restored.backup_at)
    {
        return Err(Reason::ParameterMalformed.into());
    }
    store::transaction(db, async |tx| {
        let quarantined = match restored.no_writes_since {
            Some(_) => 0,
            None => quarantine::begin(tx).await?,
        };
        let record = BackupRecord {
            kind: RecordKind::Restore,
            backup_id: restored.backup_id,
            backup_at: restored.backup_at,
            quarantined,
            no_writes_since: restored.no_writes_since,
        };
        backup_record::add(tx, &record, now).await?;
        batch::stop_all(tx, now).await?;
        audit::append(tx, restore_row(&audit::restored(restored.backup_id), now)).await?;
        Ok(quarantined)
    })
    .await
}

/// The row with which a branch of the audit trail begins.
fn restore_row(object: &str, now: Timestamp) -> NewAuditRow<'_> {
    NewAuditRow {
        at: now,
        kind: AuditKind::Restore,
        who: "command_line",
        what: "restore",
        outcome: AuditOutcome::Done,
        reason: None,
        address: "",
        request_id: "",
        object,
        detail: None,
        objects: &[],
    }
}

/// What leaves the quarantine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proven<'a> {
    /// These numbers.
    Numbers(&'a [Iccid]),
    /// The numbers of an import.
    Import(ImportId),
    /// Numbers that are imported from now on: files from before the loss were imported again.
    NewImports,
}

/// Ends the quarantine of numbers of which a person has proof that no card has them: all of them or none. Repeating the
/// call changes nothing. Returns how many left the quarantine.
///
/// # Errors
/// [`Reason::UnknownNumber`], [`Reason::UnknownImport`]; [`Reason::BodyTooLarge`] beyond 1,000 numbers.
pub async fn end_quarantine<D: Database>(
    cx: &Context<'_, D>,
    proven: Proven<'_>,
    note: &ActNote<'_>,
) -> Result<usize, Error> {
    let id = hex::encode(random_bytes::<16>(cx.random));
    let columns = [quarantine::PERSON, quarantine::REFERENCE];
    let sealed = note.sealed_for(cx, columns, id.as_bytes())?;
    transaction(cx, async |tx| {
        let (released, of_import) = match proven {
            Proven::Numbers(iccids) => {
                let numbers = examined(cx, tx, iccids, |number| Some(number.is_quarantined)).await?;
                (quarantine::end(tx, list(&numbers)?, cx.now).await?, None)
            }
            Proven::Import(id) => {
                import::find(tx, id).await?.ok_or(Reason::UnknownImport)?;
                (quarantine::end_of_import(tx, id, cx.now).await?, Some(id))
            }
            Proven::NewImports if !backup_record::free_imports(tx, cx.now).await? => return Ok(0),
            Proven::NewImports => (0, None),
        };
        if released > 0 || proven == Proven::NewImports {
            quarantine::record(tx, &id, (released, of_import), sealed.clone(), cx.now).await?;
        }
        Ok(released)
    })
    .await
}
