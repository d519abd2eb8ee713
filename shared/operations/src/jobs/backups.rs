//! §9.1.2: alerts the operator, once, when the last good backup or the last drill is too old.

use super::MaintenanceSettings;
use crate::Context;
use crate::alerts::{NewAlert, raise};
use crate::job_run::Done;
use crate::transaction;
use domain::error::Error;
use domain::{AlertKind, DAY_MS, Timestamp};
use store::backup_record::{self, RecordKind};
use store::{Database, Subject};

/// Looks at both; takes the write lock only to raise an alert.
pub(super) async fn watch<D: Database>(
    cx: &Context<'_, D>,
    maintenance: &MaintenanceSettings,
) -> Result<Done, Error> {
    let mut done = Done::default();
    for (kind, days, alert) in [
        (
            RecordKind::Backup,
            maintenance.backup_days,
            AlertKind::BackupOverdue,
        ),
        (RecordKind::Drill, maintenance.drill_days, AlertKind::DrillOverdue),
    ] {
        let days = i64::from(days);
        let last = backup_record::latest(cx.db, kind, cx.now).await?;
        // Without any, from the beginning of the database.
        let since = match last {
            None => backup_record::began(cx.db).await?,
            known => known,
        };
        let Some(since) = since.filter(|since| days > 0 && cx.now >= since.plus(days * DAY_MS)) else {
            continue;
        };
        let subject = Subject::platform();
        if backup_record::is_alerted(cx.db, alert.code(), &subject, since).await? {
            continue;
        }
        let text = |at: Timestamp| at.to_rfc3339(cx.zone);
        done.count += transaction(cx, async |tx| {
            // Another node may have been first.
            if backup_record::is_alerted(tx, alert.code(), &subject, since).await? {
                return Ok(0);
            }
            let new = NewAlert {
                kind: alert,
                subject: &subject,
                fields: vec![
                    ("last_at", last.map(text).unwrap_or_default()),
                    ("days", days.to_string()),
                ],
            };
            raise(cx, tx, new).await?;
            Ok(1)
        })
        .await?;
    }
    Ok(done)
}

/// When the last good backup was made, when the last drill, and when this database was restored.
///
/// # Errors
/// `Reason::Unavailable` when the database is busy.
pub async fn backup_times<D: Database>(cx: &Context<'_, D>) -> Result<[Option<Timestamp>; 3], Error> {
    let mut times = [None; 3];
    for (time, kind) in times
        .iter_mut()
        .zip([RecordKind::Backup, RecordKind::Drill, RecordKind::Restore])
    {
        *time = backup_record::latest(cx.db, kind, cx.now).await?;
    }
    Ok(times)
}
