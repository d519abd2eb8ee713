//! §8.2, 上报故障: a client reports a fault of one of its chips.

use super::super::{Caller, Context};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{Eid, IncidentId, IncidentKind, IncidentState, Severity, Timestamp};
use store::{
    Database, Subject, chip,
    incident::{self, By, NewIncidentRow},
};
use vault::random_bytes;

/// Longest description, in characters.
pub const MAX_FAULT_TEXT_CHARS: usize = 500;

/// The faults that a client can see at its devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChipFaultKind {
    /// The chip itself is faulty (Table 4).
    ChipFault,
    /// The card is written, but its number does not communicate (Table 4).
    NumberSilent,
    /// The card that is powered up finds no network (Table 6).
    NoNetwork,
    /// Module and chip do not work together (Table 6).
    ModuleIncompatible,
}

impl ChipFaultKind {
    /// Every fault.
    pub const ALL: [Self; 4] = [
        Self::ChipFault,
        Self::NumberSilent,
        Self::NoNetwork,
        Self::ModuleIncompatible,
    ];

    /// The kind of incident that it opens.
    #[must_use]
    pub fn kind(self) -> IncidentKind {
        match self {
            Self::ChipFault => IncidentKind::ChipFault,
            Self::NumberSilent => IncidentKind::NumberSilent,
            Self::NoNetwork => IncidentKind::NoNetwork,
            Self::ModuleIncompatible => IncidentKind::ModuleIncompatible,
        }
    }

    /// Stable name: that of the incident.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.kind().code()
    }
}

/// A fault that a client reports.
#[derive(Clone, Copy, Debug)]
pub struct ChipFaultReport<'a> {
    /// The chip.
    pub eid: Eid,
    /// What is wrong.
    pub fault: ChipFaultKind,
    /// What the client saw.
    pub description: Option<&'a str>,
}

/// The incident of a reported fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultReported {
    /// The incident.
    pub incident_id: IncidentId,
    /// False when an incident of this kind about the chip was open; then nothing changed.
    pub is_new: bool,
    /// When it was opened.
    pub at: Timestamp,
}

/// Opens a general incident about a chip of the caller. Never enters the chip in the register of faulty chips: its
/// applications and sessions go on. Reporting a fault again while its incident is open changes nothing.
///
/// # Errors
/// [`Reason::UnknownChip`], also for a chip of another client; [`Reason::ParameterTooLong`] for a description beyond
/// [`MAX_FAULT_TEXT_CHARS`].
pub async fn report_chip_fault<D: Database>(
    cx: &Context<'_, D>,
    caller: &Caller,
    report: &ChipFaultReport<'_>,
) -> Result<FaultReported, Error> {
    let text = report.description.map(str::trim).filter(|text| !text.is_empty());
    if text.is_some_and(|text| text.chars().count() > MAX_FAULT_TEXT_CHARS) {
        return Err(Error::new(Reason::ParameterTooLong).with_detail(
            format!("description，最多 {MAX_FAULT_TEXT_CHARS} 字"),
            format!("description, at most {MAX_FAULT_TEXT_CHARS} characters"),
        ));
    }
    let index = cx.eid_index(&report.eid);
    let kind = report.fault.kind();
    let id = IncidentId::new(cx.now, random_bytes(cx.random));
    let seal = |text: &str| {
        cx.vault
            .seal(cx.random, incident::NOTE, id.text().as_bytes(), text.as_bytes())
    };
    let note_sealed = text.map(seal).transpose()?;
    transaction(cx, async |tx| {
        let chip = chip::by_eid(tx, &index).await?;
        chip.filter(|chip| chip.client_id == caller.id)
            .ok_or(Reason::UnknownChip)?;
        let subject = Subject::chip(&index);
        let row = NewIncidentRow {
            id,
            subject: &subject,
            state: &IncidentState::new(kind, Severity::General, cx.now, cx.now),
            opened_by: By::Client,
            note_sealed: note_sealed.clone(),
        };
        let is_new = incident::open(tx, row, cx.now).await?;
        let open = incident::open_of(tx, &[kind], &subject).await?.pop();
        let open = open.ok_or_else(|| Error::internal("an incident that is open is not found"))?;
        Ok(FaultReported {
            incident_id: open.id,
            is_new,
            at: open.opened_at,
        })
    })
    .await
}
