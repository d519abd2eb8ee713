//! Rows of the audit trail: from the first on, so that the chain goes on from the hash of the last one that is destroyed.

use super::settings::AUDIT;
use super::{Error, MAX_DESTROYED, Run};
use domain::{DAY_MS, Timestamp};
use store::audit::{self, AuditKind, AuditObject, AuditOutcome, NewAuditRow};
use store::{Database, destruction};

/// The kind under which destroyed rows are recorded.
const KIND: &str = "audit";
/// Who destroys them.
const WHO: &str = "platform";

/// Destroys the first rows of the trail. The trail itself says up to which row, in the same transaction; that row must not
/// be lost in a power failure, because its hash may have been sent.
pub(super) async fn destroy<D: Database>(run: &mut Run<'_, '_, D>) -> Result<(), Error> {
    let cx = run.cx;
    // Whole days, so that the rows that record it do not become as many as those that it destroys.
    let before = run.before(&[AUDIT]).millis();
    let before = Timestamp(before - before.rem_euclid(DAY_MS));
    // This look takes no lock.
    if audit::due(cx.db, before, MAX_DESTROYED).await?.is_none() {
        return Ok(());
    }
    let count = store::transaction(cx.db, async |tx| {
        let Some(end) = audit::due(tx, before, MAX_DESTROYED).await? else {
            return Ok(0);
        };
        let row = NewAuditRow {
            at: cx.now,
            kind: AuditKind::Destruction,
            who: WHO,
            what: "retention",
            outcome: AuditOutcome::Done,
            reason: None,
            address: "",
            request_id: "",
            object: &end.text(),
            detail: None,
            objects: &[AuditObject::Text(WHO.to_owned())],
        };
        audit::append(tx, row).await?;
        let count = audit::destroy(tx, &end).await?;
        destruction::add(tx, &run.day, KIND, count).await?;
        Ok::<_, Error>(count)
    })
    .await?;
    run.done.count += count;
    run.done.more |= count >= MAX_DESTROYED as usize;
    Ok(())
}
