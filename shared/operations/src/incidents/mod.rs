//! §8: incidents. The platform opens and settles those it can detect (`automatic`, `stuck`, `refusals`); clients report
//! faults of their chips (`chip_fault_report`); administrators open the others, settle and report (`manual`). The clock
//! raises alerts about what is severe or overdue (`clocks`). Each month is reviewed (`review`).
//!
//! Opening an incident only records when its clock has to run. The clock raises the alerts, so components that detect
//! incidents need no key to seal an alert.

mod automatic;
mod chip_fault_report;
mod clocks;
mod duplicated;
mod faulty;
mod list;
mod manual;
mod refusals;
mod review;
mod review_csv;
mod review_lines;
mod show;
mod stuck;

pub(super) use automatic::{
    close_incident, close_incidents, open_after_session, open_incident, province_empty, province_filled,
    provinces_with_incident, settle_province,
};
pub use chip_fault_report::{
    ChipFaultKind, ChipFaultReport, FaultReported, MAX_FAULT_TEXT_CHARS, report_chip_fault,
};
pub use clocks::MAX_LOOKED_AT;
pub(super) use clocks::advance_clocks;
pub use duplicated::ALTERNATION_MINUTES;
pub(super) use duplicated::block;
pub use faulty::{FaultyChip, MAX_FAULTY_PER_PAGE, faulty_chips};
pub use list::{
    FinalReport, IncidentFilter, IncidentPage, IncidentView, MAX_INCIDENTS_PER_PAGE, list_incidents,
};
pub use manual::{
    About, IncidentAct, MAX_INCIDENT_TEXT_CHARS, NewIncident, Opened, act_on_incident, enter_incident,
};
pub use refusals::REFUSALS_PER_HOUR;
pub(super) use refusals::watch_refusals;
pub use review::{MAX_REVIEWS, MonthFigures, Review, SETTLED_AFTER_MS, Tally, review_incidents};
pub(super) use review::{months_without_review, review_past_months};
pub use review_csv::review_csv;
pub use review_lines::{Hundredths, LineFigures, ReviewLine};
pub use show::show_incident;
pub(super) use stuck::find_stuck_tasks;
pub use stuck::{STUCK_AFTER_MINUTES, STUCK_GROUP_CARDS, STUCK_GROUP_PERCENT, StuckSettings};
