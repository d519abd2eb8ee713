//! The periodic job that runs the clocks of incidents. Several nodes may run it at once; a run that finds nothing takes
//! no lock.

use super::super::Context;
use super::super::alerts::{NewAlert, raise};
use super::super::job_run::Done;
use super::super::transition::guarded;
use super::automatic::{are_several, empty_provinces};
use super::list::sealed_eids;
use crate::transaction;
use domain::error::Error;
use domain::{AlertKind, IncidentKind, Notice, Province};
use store::{
    Database, Tx, chip,
    incident::{self, IncidentRow},
};
use vault::BlindIndex;

/// Most tasks and most incidents that one run examines.
pub const MAX_LOOKED_AT: u32 = 200;

/// Advances the incidents whose deadline has come, and raises alerts about what is severe or overdue (§8.2, §8.3.1),
/// each once.
pub(crate) async fn advance_clocks<D: Database>(cx: &Context<'_, D>) -> Result<Done, Error> {
    if incident::due(cx.db, cx.now, 1).await?.is_empty() {
        return Ok(Done::default());
    }
    transaction(cx, async |tx| {
        let due = incident::due(tx, cx.now, MAX_LOOKED_AT).await?;
        let eids = sealed_eids(tx, &due).await?;
        for row in &due {
            let sealed = eids.iter().find(|(chip, _)| row.subject.as_chip() == Some(*chip));
            // An EID that cannot be opened must not suppress the alert.
            let open = |(chip, sealed): &(BlindIndex, Vec<u8>)| {
                cx.vault.open_identifier(chip::EID, chip.as_bytes(), sealed).ok()
            };
            advance(cx, tx, row, sealed.and_then(open)).await?;
        }
        Ok(done(due.len()))
    })
    .await
}

pub(super) fn done(count: usize) -> Done {
    Done {
        count,
        more: count == MAX_LOOKED_AT as usize,
    }
}

async fn advance<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    row: &IncidentRow,
    eid: Option<String>,
) -> Result<(), Error> {
    let mut state = row.state;
    let notices = state.advance(cx.now);
    guarded(incident::change(tx, row, &state).await?)?;
    if notices.contains(&Notice::Severe) && state.kind == IncidentKind::ProvincesWithoutNumber {
        alert_to_empty_pools(cx, tx, row).await?;
    }
    for notice in notices {
        // A severe incident has to be reported; the other notices are about the deadline that has passed.
        let due = match notice {
            Notice::Severe => state.report_by(),
            _ => state.moment(notice),
        };
        let mut fields = vec![
            ("incident_id", row.id.text()),
            ("incident", state.kind.code().to_owned()),
            ("severity", state.severity.code().to_owned()),
            ("due", due.map(|at| at.to_rfc3339(cx.zone)).unwrap_or_default()),
        ];
        fields.extend(eid.clone().map(|eid| ("eid", eid)));
        let alert = NewAlert {
            kind: alert_of(notice),
            subject: &row.subject,
            fields,
        };
        raise(cx, tx, alert).await?;
    }
    Ok(())
}

/// Raises the alert that names the provinces without numbers when there are several (§5.3.1.1), once for each
/// incident.
async fn alert_to_empty_pools<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    row: &IncidentRow,
) -> Result<(), Error> {
    let provinces = empty_provinces(cx, tx).await?;
    // It is settled already, or an administrator opened it for another reason.
    if !are_several(&provinces) {
        return Ok(());
    }
    let joined = |text: fn(Province) -> &'static str| {
        let texts: Vec<&str> = provinces.iter().copied().map(text).collect();
        texts.join(",")
    };
    let alert = NewAlert {
        kind: AlertKind::PoolsEmpty,
        subject: &row.subject,
        fields: vec![
            ("province_codes", joined(Province::code)),
            ("provinces", joined(Province::zh)),
        ],
    };
    raise(cx, tx, alert).await
}

fn alert_of(notice: Notice) -> AlertKind {
    match notice {
        Notice::Severe => AlertKind::IncidentSevere,
        Notice::Handling => AlertKind::IncidentOverdue,
        Notice::Report => AlertKind::ReportOverdue,
        Notice::FinalReport => AlertKind::FinalReportOverdue,
    }
}
