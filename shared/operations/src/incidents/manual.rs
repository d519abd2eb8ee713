//! The acts of administrators on incidents: open those that the platform cannot detect, settle, escalate, report
//! (§8.3.1).

use serde_json::{Map, Value};

use super::super::Context;
use super::super::pool::REGISTERED;
use super::super::transition::guarded;
use super::automatic::update_multi_province_incident;
use super::duplicated::keep_out;
use super::list::{FinalReport, IncidentView, view};
use crate::transaction;
use domain::error::{Error, Reason};
use domain::{
    ClientId, Concern, Eid, IncidentId, IncidentKind, IncidentState, Misfit, Province, Receiver, Severity,
    Timestamp, unknown_chip,
};
use store::{
    Database, Subject, Tx, chip,
    chip_fault::{self, Fault},
    client,
    incident::{self, By, IncidentRow, NewIncidentRow},
    lock,
};
use vault::{Column, random_bytes};

/// Longest note, report or part of a final report, in characters.
pub const MAX_INCIDENT_TEXT_CHARS: usize = 4_000;

/// What an incident is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A chip.
    Chip(Eid),
    /// A client.
    Client(ClientId),
    /// A province.
    Province(Province),
    /// The platform as a whole.
    Platform,
}

impl About {
    fn concern(&self) -> Concern {
        match self {
            Self::Chip(_) => Concern::Chip,
            Self::Client(_) => Concern::Client,
            Self::Province(_) => Concern::Province,
            Self::Platform => Concern::Platform,
        }
    }
}

/// An incident that an administrator opens.
#[derive(Clone, Debug)]
pub struct NewIncident<'a> {
    /// Its kind.
    pub kind: IncidentKind,
    /// What it is about.
    pub about: About,
    /// Its severity; by default that of the kind, and never lower.
    pub severity: Option<Severity>,
    /// A note on it.
    pub note: Option<&'a str>,
}

/// An incident that was opened, or the one that was open already.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// The incident.
    pub incident: IncidentView,
    /// False when one of this kind and subject was open; then nothing changed.
    pub is_new: bool,
}

impl NewIncident<'_> {
    /// Why the subject does not fit the kind, and the field that is missing or not applicable; `None` when it fits.
    #[must_use]
    pub fn misfit(&self) -> Option<(Reason, &'static str)> {
        Some(match self.kind.row().misfit(self.about.concern())? {
            Misfit::Missing(field) => (Reason::ParameterMissing, field),
            Misfit::NotApplicable(field) => (Reason::ParameterNotApplicable, field),
        })
    }
}

/// Opens an incident. A chip with `ChipFault` is entered in the register of faulty chips (§8.2.2), one with
/// `EidDuplicated` is blocked until the incident is settled.
///
/// # Errors
/// [`Reason::ParameterMissing`] and [`Reason::ParameterNotApplicable`] when the subject does not fit the kind;
/// [`Reason::UnknownChip`], [`Reason::UnknownClient`]; [`Reason::ParameterEmpty`] and [`Reason::ParameterTooLong`] for
/// the note.
pub async fn enter_incident<D: Database>(
    cx: &Context<'_, D>,
    new: &NewIncident<'_>,
) -> Result<Opened, Error> {
    if let Some((reason, field)) = new.misfit() {
        return Err(Error::new(reason).with_detail(field, field));
    }
    let id = IncidentId::new(cx.now, random_bytes(cx.random));
    let note = new.note.map(|text| bounded("note", text)).transpose()?;
    let note_sealed = note.map(|text| sealed(cx, incident::NOTE, id, text));
    let note_sealed = note_sealed.transpose()?;
    let severity = match (new.kind.row().severity, new.severity) {
        (Severity::General, Some(severity)) => severity,
        (usual, _) => usual,
    };
    transaction(cx, async |tx| {
        let subject = subject_of(cx, tx, new).await?;
        let row = NewIncidentRow {
            id,
            subject: &subject,
            state: &IncidentState::new(new.kind, severity, cx.now, cx.now),
            opened_by: By::Admin,
            note_sealed: note_sealed.clone(),
        };
        let is_new = incident::open(tx, row, cx.now).await?;
        if is_new && new.kind == IncidentKind::ProvinceWithoutNumber {
            update_multi_province_incident(cx, tx).await?;
        }
        match (new.kind, subject.as_chip()) {
            (IncidentKind::ChipFault, Some(chip)) => {
                chip_fault::enter(tx, &chip, Fault::named(REGISTERED), cx.now).await?;
            }
            (IncidentKind::EidDuplicated, Some(chip)) => keep_out(cx, tx, &chip).await?,
            _ => (),
        }
        let row = incident::open_of(tx, &[new.kind], &subject).await?.pop();
        let row = row.ok_or_else(|| Error::internal("an incident that is open is not found"))?;
        cx.note_object("incident_id", &row.id.text());
        Ok(Opened {
            incident: view(cx, tx, row).await?,
            is_new,
        })
    })
    .await
}

async fn subject_of<D: Database>(
    cx: &Context<'_, D>,
    tx: &Tx<'_, D>,
    new: &NewIncident<'_>,
) -> Result<Subject, Error> {
    match &new.about {
        About::Platform => Ok(Subject::platform()),
        About::Province(province) => Ok(Subject::province(province.code())),
        About::Chip(eid) => {
            let index = cx.eid_index(eid);
            lock::chip(tx, &index).await?;
            chip::by_eid(tx, &index)
                .await?
                .ok_or_else(|| unknown_chip("eid", eid))?;
            Ok(Subject::chip(&index))
        }
        About::Client(id) => {
            client::by_id(tx, id).await?.ok_or(Reason::UnknownClient)?;
            Ok(match new.kind {
                // The same subject as of the platform's own incident, which a delivered message settles.
                IncidentKind::CallbackUndeliverable => Subject::receiver(&Receiver::Client(id.clone())),
                _ => Subject::client(id),
            })
        }
    }
}

/// An act on an existing incident.
#[derive(Clone, Copy, Debug)]
pub enum IncidentAct<'a> {
    /// Settles it, with a note.
    Settle(Option<&'a str>),
    /// Makes it severe. A severe one stays severe.
    Escalate,
    /// Reports it: symptom, first cause, progress (§8.3.1). A further report replaces the text; the time of the first
    /// report decides whether it was in time.
    Report(&'a str),
    /// Gives its final report (§8.3.1). A further one replaces it; the time of the first decides whether it was in
    /// time.
    Conclude(FinalReport<&'a str>),
}

/// Applies an act to an incident and returns the result. Repeating an act with the same text changes nothing.
///
/// # Errors
/// [`Reason::UnknownIncident`]; [`Reason::IncidentSettled`] for settling or escalating a settled incident;
/// [`Reason::IncidentNotSevere`] for reporting an incident that is not severe; [`Reason::IncidentOpen`] for a final
/// report on an open incident; [`Reason::ParameterEmpty`] and [`Reason::ParameterTooLong`] for the texts.
pub async fn act_on_incident<D: Database>(
    cx: &Context<'_, D>,
    id: IncidentId,
    act: &IncidentAct<'_>,
) -> Result<IncidentView, Error> {
    let text = written(act)?;
    transaction(cx, async |tx| {
        let row = one(tx, id).await?;
        if is_done(cx, &row, act, text.as_deref())? {
            return view(cx, tx, row).await;
        }
        let sealed = text.as_deref().map(|text| sealed(cx, column(act), id, text));
        let sealed = sealed.transpose()?;
        let now = permitted(&row.state, act, cx.now)?;
        guarded(incident::change(tx, &row, &now).await?)?;
        cx.note_change("severity", row.state.severity.code(), now.severity.code());
        cx.note_change("closed", row.state.closed_at.is_some(), now.closed_at.is_some());
        match (act, sealed) {
            (IncidentAct::Settle(_), sealed) => {
                guarded(incident::settled(tx, id, By::Admin, sealed).await?)?;
                match (now.kind, row.subject.as_chip()) {
                    (IncidentKind::ProvinceWithoutNumber, _) => {
                        update_multi_province_incident(cx, tx).await?;
                    }
                    (IncidentKind::EidDuplicated, Some(chip)) => {
                        chip::set_blocked(tx, &chip, false, cx.now).await?;
                    }
                    _ => (),
                }
            }
            (IncidentAct::Report(_), Some(text)) => guarded(incident::reported(tx, id, text).await?)?,
            (IncidentAct::Conclude(_), Some(text)) => guarded(incident::concluded(tx, id, text).await?)?,
            _ => (),
        }
        view(cx, tx, one(tx, id).await?).await
    })
    .await
}

/// The state of an incident after `act` at `at`; otherwise why the act is refused.
fn permitted(state: &IncidentState, act: &IncidentAct<'_>, at: Timestamp) -> Result<IncidentState, Reason> {
    let mut now = *state;
    let is_open = now.closed_at.is_none();
    let is_severe = now.severity == Severity::Severe;
    match act {
        IncidentAct::Settle(_) | IncidentAct::Escalate if !is_open => return Err(Reason::IncidentSettled),
        IncidentAct::Report(_) | IncidentAct::Conclude(_) if !is_severe => {
            return Err(Reason::IncidentNotSevere);
        }
        IncidentAct::Conclude(_) if is_open => return Err(Reason::IncidentOpen),
        IncidentAct::Settle(_) => now.settle(at),
        IncidentAct::Escalate => now.escalate(at),
        IncidentAct::Report(_) => now.reported_at = now.reported_at.or(Some(at)),
        IncidentAct::Conclude(_) => now.final_report_at = now.final_report_at.or(Some(at)),
    }
    Ok(now)
}

/// The text to store with `act`.
fn written(act: &IncidentAct<'_>) -> Result<Option<String>, Error> {
    let owned = |name, text| bounded(name, text).map(str::to_owned);
    match act {
        IncidentAct::Escalate => Ok(None),
        IncidentAct::Settle(note) => note.map(|text| owned("note", text)).transpose(),
        IncidentAct::Report(text) => owned("text", text).map(Some),
        IncidentAct::Conclude(report) => {
            let mut document = Map::new();
            for (name, text) in [
                ("course", report.course),
                ("root_cause", report.root_cause),
                ("measures", report.measures),
            ] {
                document.insert(name.to_owned(), bounded(name, text)?.into());
            }
            Ok(Some(Value::Object(document).to_string()))
        }
    }
}

/// The column of that text.
fn column(act: &IncidentAct<'_>) -> Column {
    match act {
        IncidentAct::Settle(_) | IncidentAct::Escalate => incident::SETTLEMENT,
        IncidentAct::Report(_) => incident::REPORT,
        IncidentAct::Conclude(_) => incident::FINAL_REPORT,
    }
}

/// Whether `act` was applied before with the same text.
fn is_done<D>(
    cx: &Context<'_, D>,
    row: &IncidentRow,
    act: &IncidentAct<'_>,
    text: Option<&str>,
) -> Result<bool, Error> {
    let stored = match act {
        IncidentAct::Settle(_) if row.settled_by == Some(By::Admin) => &row.settlement_sealed,
        IncidentAct::Report(_) if row.report_sealed.is_some() => &row.report_sealed,
        IncidentAct::Conclude(_) if row.final_report_sealed.is_some() => &row.final_report_sealed,
        _ => return Ok(false),
    };
    let open = |sealed: &Vec<u8>| {
        let id = row.id.text();
        cx.vault.open_identifier(column(act), id.as_bytes(), sealed)
    };
    Ok(stored.as_ref().map(open).transpose()?.as_deref() == text)
}

async fn one<D: Database>(tx: &Tx<'_, D>, id: IncidentId) -> Result<IncidentRow, Error> {
    let found = incident::by_id(tx, id).await?;
    found.ok_or_else(|| Reason::UnknownIncident.into())
}

fn bounded<'a>(name: &str, text: &'a str) -> Result<&'a str, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::new(Reason::ParameterEmpty).with_detail(name, name));
    }
    if text.chars().nth(MAX_INCIDENT_TEXT_CHARS).is_some() {
        return Err(Error::new(Reason::ParameterTooLong).with_detail(
            format!("{name}，最多 {MAX_INCIDENT_TEXT_CHARS} 字"),
            format!("{name}, at most {MAX_INCIDENT_TEXT_CHARS} characters"),
        ));
    }
    Ok(text)
}

/// Seals a text, because it may be about cards.
fn sealed<D>(cx: &Context<'_, D>, column: Column, id: IncidentId, text: &str) -> Result<Vec<u8>, Error> {
    Ok(cx
        .vault
        .seal(cx.random, column, id.text().as_bytes(), text.as_bytes())?)
}
