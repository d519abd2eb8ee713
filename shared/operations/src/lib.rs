//! The use cases, one file each. An operation opens one transaction, reads what it needs, asks the state machine, runs
//! guarded statements with their history and message rows, and commits. The body of a transaction can run again, so it
//! must change nothing but the database.
//!
//! An operation must never know HTTP or the engine of the database. It has no clock and no randomness except those of
//! its [`Context`].

#![forbid(unsafe_code)]

mod act_note;
mod alerts;
mod announce_gateway;
mod apply;
mod call_log;
mod call_rate;
mod cancel;
mod chip_keys;
mod chip_view;
mod clients;
mod destroy_chip;
mod end_task;
mod gateway_view;
mod import;
mod incidents;
mod ingest;
mod inquiry;
mod job_run;
mod jobs;
mod messages;
mod number_view;
mod open_session;
mod open_time;
pub mod operator;
mod overview;
mod pool;
mod pool_view;
mod provinces;
mod receivers;
mod reopen;
mod replace_chip;
mod report;
mod reprovision;
mod session_list;
mod status;
mod token;
mod transaction;
mod transition;
mod unopened_session;

pub use act_note::ActNote;
pub use alerts::{AlertView, MAX_ALERTS_PER_PAGE, MAX_NOTED_ALERTS, list_alerts, note_alerts};
pub use announce_gateway::{Announcement, announce_gateway};
pub use apply::{Applied, ApplyRequest, apply};
pub use call_log::{CALL_LOG_DAYS, CallFilter, CallPage, MAX_CALLS_PER_PAGE, record_calls, search_calls};
pub use call_rate::{FailedAuth, REFUSALS_PER_MINUTE, WRONG_SECRETS, record_failed_auth, spend_calls};
pub use cancel::{Cancelled, cancel};
pub use chip_keys::{ChipKeys, chip_keys};
pub use chip_view::{ChipView, chip_view};
pub use clients::{
    ClientChange, ClientPage, ClientView, CreatedClient, MAX_CLIENTS_PER_PAGE, NewClient, OVERLAP_SECS,
    RotatedSecret, SecretView, change_client, create_client, list_clients, revoke_secret, revoke_tokens,
    rotate_secret,
};
pub use destroy_chip::destroy_chip;
pub use end_task::{EndedTask, end_task};
pub use gateway_view::{GatewayView, gateway_views};
pub use import::{
    ImportChoices, ImportReport, ImportWarning, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS, MAX_REPORTED_ERRORS,
    RowError, WarningKind, import_chips, import_numbers,
};
pub use incidents::{
    About, FaultyChip, FaultyCursor, FaultyPage, FinalReport, Hundredths, IncidentAct, IncidentFilter,
    IncidentPage, IncidentView, LineFigures, MAX_FAULTY_PER_PAGE, MAX_INCIDENT_TEXT_CHARS,
    MAX_INCIDENTS_PER_PAGE, MAX_LOOKED_AT, MAX_REVIEWS, MonthFigures, NewIncident, Opened, Review,
    ReviewLine, SETTLED_AFTER_MS, Tally, act_on_incident, enter_incident, faulty_chips, list_incidents,
    review_csv, review_incidents, show_incident,
};
pub use ingest::{IngestReport, MAX_RECORD_BYTES, OperatorReport, RecordError, ingest};
pub(crate) use ingest::{MAX_CITY_CHARS, STATES};
pub use inquiry::{claim_inquiry, settle_inquiry};
pub use job_run::Done;
pub use jobs::{
    Job, JobLog, JobView, MAX_CHIPS_PER_NOTICE, MAX_POOL_LOW_WATER, MESSAGES_JOB, MaintenanceSettings,
    POOL_LOW_WATER, RECORD_DAYS, STALE_AFTER_MS, destructions, job_views, read_job_log, record_run, run_job,
};
pub use messages::{
    AttemptResult, DeliveryState, DueMessage, DueRequest, LEASE_MS, MAX_ATTEMPTS, MAX_FAILING_MS,
    MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAILING, MAX_MESSAGES_PER_CALL, MAX_MESSAGES_PER_PAGE, MAX_PUT_OFF_MS,
    MessageFilter, Probe, RETRY_AFTER_MS, Resent, WhichMessages, canonical, due_messages, find_messages,
    probe, record_attempt, resend, sign,
};
pub use number_view::{NumberRef, NumberView, Usage, number_view};
pub use open_session::{OpenSession, SessionWork, WriteData, open_session};
pub use open_time::{LineStatus, OpenTimeRef, OpenTimeView, open_time};
pub use overview::{CardStep, card_history};
pub use pool::{NumberAct, act_on_number, allot_numbers, register_fault, release_numbers};
pub use pool_view::{MAX_COUNTED, PoolView, pool_views, set_pool_low_water};
pub use provinces::provinces;
pub use receivers::{
    ReceiverChange, ReceiverSecretView, ReceiverView, RotatedReceiverSecret, change_receiver, receiver_view,
    rotate_receiver_secret,
};
pub use reopen::reopen;
pub use replace_chip::replace_chip;
pub use report::{Report, ReportAnswer, ReportEvent, report};
pub use reprovision::{Reprovision, Reprovisioned, reprovision};
pub use session_list::{MAX_SESSIONS_PER_PAGE, SessionFilter, SessionPage, SessionView, list_sessions};
pub use status::{StatusView, TaskRef, TaskView, status};
pub use store::operator_report::Topic;
pub use token::{
    Caller, IssuedToken, TOKEN_LIFETIME_SECS, TOKENS_PER_MINUTE, Verified, issue_token, verify_token,
};

pub(crate) use transaction::transaction;

use std::cell::OnceCell;
use std::rc::Rc;

use domain::{Eid, Timestamp, Zone};
use vault::{BlindIndex, IndexKind, Random, Vault};

/// The inputs of an operation, made for one call.
pub struct Context<'a, D> {
    /// A connection that no other request uses in the meantime.
    pub db: &'a D,
    /// A connection for rows that may be lost in a power failure: call log, call rates, job log. The same as `db`
    /// where nothing else is written.
    pub journal: &'a D,
    /// The platform's keys.
    pub vault: &'a Vault,
    /// The time of the request.
    pub now: Timestamp,
    /// Where random bytes come from.
    pub random: &'a dyn Random,
    /// The platform's time zone, for calendar days and the texts of times.
    pub zone: &'a Zone,
    indexed: EidIndex,
}

/// The EID of a call with its blind index, once one was computed. A copy shares it.
#[derive(Clone, Debug, Default)]
pub struct EidIndex(Rc<OnceCell<(Eid, BlindIndex)>>);

impl<'a, D> Context<'a, D> {
    /// A context on these connections, keys, time and zone.
    #[must_use]
    pub fn new(
        (db, journal): (&'a D, &'a D),
        vault: &'a Vault,
        now: Timestamp,
        random: &'a dyn Random,
        zone: &'a Zone,
    ) -> Self {
        Self {
            db,
            journal,
            vault,
            now,
            random,
            zone,
            indexed: EidIndex::default(),
        }
    }

    /// The same context, sharing the index of the call's EID with other contexts of the call.
    #[must_use]
    pub fn sharing(self, index: &EidIndex) -> Self {
        Self {
            indexed: index.clone(),
            ..self
        }
    }

    /// The same context at another time, for work that takes a while.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self {
            now,
            indexed: self.indexed.clone(),
            ..*self
        }
    }

    /// The blind index of an EID. The index of the first EID is cached: a call is about one chip, and several steps
    /// need it.
    pub fn eid_index(&self, eid: &Eid) -> BlindIndex {
        let index = || self.vault.blind_index(IndexKind::Eid, eid.as_str().as_bytes());
        match self.indexed.0.get_or_init(|| (*eid, index())) {
            (known, index) if known == eid => *index,
            _ => index(),
        }
    }
}
