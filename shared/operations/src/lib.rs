//! The use cases, one file each. An operation opens one transaction, reads what it needs, asks the state machine, runs
//! guarded statements with their history and message rows, and commits. The body of a transaction can run again, so it
//! must change nothing but the database.
//!
//! An operation must never know HTTP or the engine of the database. It has no clock and no randomness except those of
//! its [`Context`].

#![forbid(unsafe_code)]

mod accounts;
mod act_note;
mod alerts;
mod announce_gateway;
mod announced;
mod apply;
mod approvals;
mod audit;
mod batches;
mod call_log;
mod call_rate;
mod cancel;
mod chip_keys;
mod chip_list;
mod chip_view;
mod clients;
mod content;
mod correct_chip;
mod correct_number;
mod destroy_chip;
mod end_task;
mod gateway_view;
mod import;
mod incidents;
mod ingest;
mod inquiry;
mod job_run;
mod jobs;
mod limits;
mod list_page;
mod messages;
mod number_list;
mod number_view;
mod open_session;
mod open_time;
pub mod operator;
mod overview;
mod own_tasks;
mod pool;
mod pool_view;
mod power_up;
mod provinces;
mod quarantine;
mod receivers;
mod refused_applications;
mod reopen;
mod replace_chip;
mod report;
mod reprovision;
mod retention;
mod session_list;
mod staff;
mod status;
mod task_list;
mod token;
mod top_up;
mod transaction;
mod transition;
mod unopened_session;
mod unreadable;
mod verified;
mod warning_kind;
mod withdraw;

pub use accounts::{
    AccountChange, AccountPage, AccountView, ApiKeyView, CreatedAccount, CreatedApiKey, Enrolled,
    MAX_ACCOUNTS_PER_PAGE, MAX_CREDENTIAL_CHARS, MAX_PASSWORD_CHARS, NewAccount, NewRole, Offer, RoleChange,
    RoleView, SecondFactor, SignIn, SignInSettings, SignedIn, admit_secret, change_account, change_role,
    create_account, create_api_key, create_role, delete_role, enrol, freeze_account, is_credential_of_staff,
    list_accounts, list_api_keys, list_roles, offer_enrolment, recover_account, revoke_account,
    revoke_api_key, sign_in, sign_out, verify_staff,
};
pub use act_note::ActNote;
pub use alerts::{AlertView, MAX_ALERTS_PER_PAGE, MAX_NOTED_ALERTS, list_alerts, note_alerts};
pub use announce_gateway::{Announcement, announce_gateway};
pub use announced::GatewayWarning;
pub use apply::{Applied, ApplyRequest, apply};
pub use approvals::{
    ApprovalView, CallDigest, MAX_APPROVALS_PER_PAGE, SecondPerson, agree, ask_for_approval, list_approvals,
    refuse_approval,
};
pub use audit::{
    Act, ActFilter, AuditDetail, AuditFilter, AuditObjectRef, AuditView, MAX_AUDIT_ROWS_PER_PAGE,
    ReadFigures, ReportedAct, account_report, conclude_act, list_audit, record_read, secret_report,
};
pub use batches::{
    BatchPreview, BatchRowView, BatchView, CreatedBatch, MAX_BATCH_ROWS, MAX_BATCH_ROWS_PER_PAGE,
    MAX_BATCHES_PER_PAGE, NewBatch, ProvinceDemand, RefusedRow, batch_rows, create_batch, list_batches,
    preview_batch, resume_batch, stop_batch,
};
pub use call_log::{CallFilter, CallPage, MAX_CALLS_PER_PAGE, record_calls, search_calls, sum_up_refusals};
pub use call_rate::spend_calls;
pub use cancel::{Cancelled, cancel};
pub use chip_keys::{ChipKeys, chip_keys};
pub use chip_list::{ChipFilter, ChipListing, ChipSort, MAX_CHIPS_PER_PAGE, SearchedId, list_chips};
pub use chip_view::{ChipView, chip_view};
pub use clients::{
    ClientChange, ClientPage, ClientView, ClosedClient, CreatedClient, FrozenClient, MAX_CLIENTS_PER_PAGE,
    MAX_CLOSED_PER_CALL, NewClient, OVERLAP_SECS, RotatedSecret, SecretView, change_client, close_client,
    create_client, freeze_client, list_clients, revoke_secret, revoke_tokens, rotate_secret, unfreeze_client,
};
pub use correct_chip::{ChipCorrection, Corrected, correct_chip};
pub use destroy_chip::destroy_chip;
pub use end_task::{EndedTask, end_task};
pub use gateway_view::{GatewayView, gateway_views};
pub use import::{
    ImportChoices, ImportReport, ImportWarning, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS, MAX_REPORTED_ERRORS,
    RowError, TableKind, TablePart, import_chips, import_numbers, is_spreadsheet, table_parts,
};
pub use incidents::{
    ALTERNATION_MINUTES, About, ChipFaultKind, ChipFaultReport, FaultReported, FaultyChip, FinalReport,
    Hundredths, IncidentAct, IncidentFilter, IncidentPage, IncidentView, LineFigures, MAX_FAULT_TEXT_CHARS,
    MAX_FAULTY_PER_PAGE, MAX_INCIDENT_TEXT_CHARS, MAX_INCIDENTS_PER_PAGE, MAX_LOOKED_AT, MAX_REVIEWS,
    MonthFigures, NewIncident, Opened, REFUSALS_PER_HOUR, Review, ReviewLine, SETTLED_AFTER_MS,
    STUCK_AFTER_MINUTES, STUCK_GROUP_CARDS, STUCK_GROUP_PERCENT, StuckSettings, Tally, act_on_incident,
    enter_incident, faulty_chips, list_incidents, report_chip_fault, review_csv, review_incidents,
    show_incident,
};
pub use ingest::{IngestReport, MAX_RECORD_BYTES, OperatorReport, RecordError, ingest};
pub(crate) use ingest::{MAX_CITY_CHARS, STATES};
pub use inquiry::{claim_inquiry, settle_inquiry};
pub use job_run::Done;
pub use jobs::{
    DeviationView, Job, JobLog, JobView, MAX_CHIPS_PER_NOTICE, MAX_DEVIATIONS_PER_PAGE, MAX_POOL_LOW_WATER,
    MESSAGES_JOB, MaintenanceSettings, POOL_LOW_WATER, STALE_AFTER_MS, backup_times, clock_watch,
    confirm_clock, job_views, key_views, list_deviations, read_job_log, record_run, run_job, watch_clock,
};
pub use limits::{
    ALL_REFUSALS_PER_MINUTE, LOGGED_REFUSALS_PER_MINUTE, Limits, MemoryLimits, REFUSALS_PER_MINUTE, Refused,
    WRONG_SECRETS_PER_MINUTE, address_key, check_staff_credentials, count_refusal, count_staff_credential,
    limited,
};
pub use list_page::ListPage;
pub use messages::{
    AttemptResult, DeliveryState, DueMessage, DueRequest, LEASE_MS, MAX_ATTEMPTS, MAX_FAILING_MS,
    MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAILING, MAX_MESSAGES_PER_CALL, MAX_MESSAGES_PER_PAGE, MAX_PUT_OFF_MS,
    MessageFilter, Probe, RETRY_AFTER_MS, Resent, WhichMessages, canonical, due_messages, find_messages,
    is_message_due, probe, record_attempt, resend, sign,
};
pub use number_list::{MAX_NUMBERS_PER_PAGE, NumberFilter, NumberListing, list_numbers};
pub use number_view::{NumberRef, NumberView, Usage, number_view};
pub use open_session::{OpenSession, SessionLimits, SessionWork, WriteData, open_session};
pub use open_time::{LineStatus, OpenTimeRef, OpenTimeView, open_time};
pub use overview::{CardStep, card_history};
pub use own_tasks::own_tasks;
pub use pool::{
    NumberAct, REGISTERED, act_on_number, allot_numbers, register_chip_fault, register_fault, release_numbers,
};
pub use pool_view::{MAX_COUNTED, PoolView, pool_views, set_pool_low_water};
pub use power_up::{POWER_UP_GAP_SECS, POWER_UPS_PER_HOUR, PowerUpLimits};
pub use provinces::provinces;
pub use quarantine::{Proven, Restored, end_quarantine, record_restore};
pub use receivers::{
    ReceiverChange, ReceiverSecretView, ReceiverView, RotatedReceiverSecret, change_receiver, receiver_view,
    rotate_receiver_secret,
};
pub use refused_applications::{
    MAX_REFUSALS_PER_PAGE, RefusalFilter, RefusedApplication, refused_applications,
};
pub use reopen::reopen;
pub use replace_chip::replace_chip;
pub use report::{Report, ReportAnswer, ReportEvent, report};
pub use reprovision::{Reprovision, Reprovisioned, reprovision};
pub use retention::{RETENTION, Retention, destructions};
pub use session_list::{MAX_SESSIONS_PER_PAGE, SessionFilter, SessionPage, SessionView, list_sessions};
pub use staff::StaffMember;
pub use status::{StatusView, TaskRef, TaskView, status};
pub use store::Order;
pub use store::audit::AuditOutcome;
pub use store::call_log::CallRow;
pub use store::chip_fault::Fault;
pub use store::client_work::ClientWork;
pub use store::message::MessageRow;
pub use store::operator_report::Topic;
pub use task_list::{MAX_TASKS_PER_PAGE, TaskFilter, TaskListPage, TaskListing, list_tasks};
pub use token::{
    Caller, IssuedToken, TOKEN_LIFETIME_SECS, TOKENS_PER_MINUTE, Verified, issue_token, verify_token,
};
pub use top_up::top_up;
pub use warning_kind::WarningKind;
pub use withdraw::{ImportView, MAX_IMPORTS_PER_PAGE, Withdrawn, list_imports, withdraw_import};

pub(crate) use transaction::transaction;

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use domain::error::Error;
use domain::{ClientId, Eid, Provinces, Timestamp, Zone};
use store::chip::ChipRow;
use vault::{BlindIndex, IndexKind, Random, Vault};

/// The inputs of an operation, made for one call.
pub struct Context<'a, D> {
    /// A connection that no other request uses in the meantime.
    pub db: &'a D,
    /// A connection for rows that may be lost in a power failure: job log, retention. The same as `db` where nothing
    /// else is written.
    pub journal: &'a D,
    /// The call log, a database of its own. The same as `journal` where it is not used.
    pub calls: &'a D,
    /// The platform's keys.
    pub vault: &'a Vault,
    /// The time of the request.
    pub now: Timestamp,
    /// Where random bytes come from.
    pub random: &'a dyn Random,
    /// The platform's time zone, for calendar days and the texts of times.
    pub zone: &'a Zone,
    /// The provinces that are served, where they are configured.
    pub served: Option<Provinces>,
    /// Counters of calls and of refused callers, where somebody can be refused.
    pub limits: Option<&'a dyn Limits>,
    /// How lists show identifiers.
    identifiers: Identifiers,
    /// The act of staff that the call is, for the audit trail.
    pub act: Option<&'a Act>,
    found: CallFacts,
}

/// How the rows of lists show identifiers of chips and numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Identifiers {
    /// As they are.
    #[default]
    InFull,
    /// Their first and last characters; within a text, whatever looks like one.
    Masked,
}

/// What operations find out about a call, once. A copy shares it.
#[derive(Clone, Debug, Default)]
pub struct CallFacts(Rc<Facts>);

#[derive(Debug, Default)]
struct Facts {
    /// The EID of the call, with its blind index.
    eid: OnceCell<(Eid, BlindIndex)>,
    /// The client of the call, also when it is refused, with the generation of the secret that it proved.
    client: OnceCell<(ClientId, i64)>,
    /// How many sealed values could not be opened, and why the first could not.
    unreadable: RefCell<(usize, String)>,
}

impl CallFacts {
    /// The client whose secret, or token of that secret, the call has presented, with the generation of the secret. It
    /// may have been refused nevertheless.
    #[must_use]
    pub fn client(&self) -> Option<&(ClientId, i64)> {
        self.0.client.get()
    }

    /// How many values of listed rows could not be opened, and why the first could not.
    #[must_use]
    pub fn take_unreadable(&self) -> Option<(usize, String)> {
        let unreadable = self.0.unreadable.take();
        (unreadable.0 > 0).then_some(unreadable)
    }

    fn note_unreadable(&self, cause: &str) {
        let mut unreadable = self.0.unreadable.borrow_mut();
        if unreadable.0 == 0 {
            unreadable.1 = cause.to_owned();
        }
        unreadable.0 += 1;
    }

    fn recognise(&self, client: &ClientId, generation: i64) {
        self.0.client.get_or_init(|| (client.clone(), generation));
    }
}

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
            calls: journal,
            vault,
            now,
            random,
            zone,
            served: None,
            limits: None,
            identifiers: Identifiers::InFull,
            act: None,
            found: CallFacts::default(),
        }
    }

    /// The same context, whose lists show identifiers so.
    #[must_use]
    pub fn showing(self, identifiers: Identifiers) -> Self {
        Self { identifiers, ..self }
    }

    /// The same context, with the database of the call log.
    #[must_use]
    pub fn logging(self, calls: &'a D) -> Self {
        Self { calls, ..self }
    }

    /// The same context, with the provinces that are served; with `None`, those that ever had numbers in their pool.
    #[must_use]
    pub fn serving(self, served: Option<Provinces>) -> Self {
        Self { served, ..self }
    }

    /// The same context, which counts calls and refused callers here. Without it nobody is held back.
    #[must_use]
    pub fn limiting(self, limits: &'a dyn Limits) -> Self {
        Self {
            limits: Some(limits),
            ..self
        }
    }

    /// The same context of an act of staff.
    #[must_use]
    pub fn acting(self, act: Option<&'a Act>) -> Self {
        Self { act, ..self }
    }

    /// The same context, sharing what is found out about the call with other contexts of the call.
    #[must_use]
    pub fn sharing(self, found: &CallFacts) -> Self {
        Self {
            found: found.clone(),
            ..self
        }
    }

    /// The same context at another time, for work that takes a while.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self {
            now,
            found: self.found.clone(),
            ..*self
        }
    }

    /// The home of a chip: the last byte of the identifiers of its tasks, sessions and messages, so that what is about
    /// one card can lie in one place.
    pub(crate) fn home(&self, chip: &ChipRow) -> Result<u8, Error> {
        let eid = match self.found.0.eid.get() {
            Some((eid, index)) if *index == chip.eid_index => *eid,
            _ => chip.eid(self.vault)?,
        };
        Ok(self.vault.home(eid.as_str().as_bytes())?)
    }

    /// The blind index of an EID. The index of the first EID is cached: a call is about one chip, and several steps
    /// need it.
    pub fn eid_index(&self, eid: &Eid) -> BlindIndex {
        let index = || self.vault.blind_index(IndexKind::Eid, eid.as_str().as_bytes());
        match self.found.0.eid.get_or_init(|| (*eid, index())) {
            (known, index) if known == eid => *index,
            _ => index(),
        }
    }
}
