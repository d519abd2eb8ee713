//! The domain of card writing: identifiers with their check rules, the states of cards, numbers and tasks, and the
//! rules between them.
//!
//! Everything here is pure: no SQL, no key, no clock. `Debug` and `Display` never show an identifier in full; `as_str`
//! returns the text.

#![forbid(unsafe_code)]

mod actor;
mod alert;
mod batch;
mod budget;
mod callback_url;
mod card_change;
mod card_status;
mod chip_label;
mod clock_watch;
mod codes;
mod deviation;
mod eid;
pub mod error;
mod iccid;
mod ids;
mod imsi;
mod incident;
mod message_state;
mod month;
mod msisdn;
mod number_ranges;
mod number_status;
mod permission;
mod pool_state;
mod province;
mod received;
mod receiver;
mod rfc3339;
mod right;
mod role;
mod service;
mod spelling;
mod stop_cause;
mod task_failure;
mod task_state;
mod temporary_number;
mod time;
mod undo;
mod volume;
mod write_type;
mod zone;

pub use actor::Actor;
pub use alert::AlertKind;
pub use batch::{BatchKind, BatchResult, BatchState};
pub use budget::{Budget, MAX_CALLS_PER_MINUTE};
pub use callback_url::{CallbackUrl, UrlRules, special_addresses};
pub use card_change::CardChange;
pub use card_status::{CardEvent, CardStatus, Refused, next};
pub use chip_label::{parse_chip_label, parse_imei};
pub use clock_watch::ClockWatch;
pub use deviation::Deviation;
pub use eid::{Eid, unknown_chip};
pub use gateway_protocol::{FailureKind, Work};
pub use iccid::Iccid;
pub use ids::{
    AccountId, AlertId, ApiKeyId, ApprovalId, BatchId, ClientId, ImportId, IncidentId, MessageId, SessionId,
    TaskId,
};
pub use imsi::Imsi;
pub use incident::{
    Concern, FINAL_REPORT_WITHIN_MS, IncidentClass, IncidentKind, IncidentState, KindRow, Limit, Misfit,
    Notice, Party, REPORT_WITHIN_MS, Severity,
};
pub use message_state::MessageState;
pub use month::Month;
pub use msisdn::Msisdn;
pub use number_ranges::NumberRanges;
pub use number_status::NumberStatus;
pub use permission::Permission;
pub use pool_state::{PoolState, enough};
pub use province::{Province, Provinces};
pub use receiver::Receiver;
pub use right::{Does, Right};
pub use role::{BuiltInRole, MAX_ROLE_CODE_CHARS, MAX_SIGN_IN_NAME_CHARS, role_code, sign_in_name};
pub use service::{Service, Services};
pub use spelling::{MAX_EXACT_NUMBER, plain_number, without_byte_order_mark};
pub use stop_cause::StopCause;
pub use task_failure::TaskFailure;
pub use task_state::{TaskState, TaskStatus};
pub use temporary_number::{Network, TemporaryNumber, parse_date, warned_at};
pub use time::{DAY_MS, HOUR_MS, MAX_CLOCK_SKEW_MS, MINUTE_MS, SECOND_MS, Timestamp};
pub use undo::Undo;
pub use volume::Volume;
pub use write_type::WriteType;
pub use zone::Zone;

pub use uicc::{mask_identifiers, masked};

/// What kind of value a text was read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Chip identifier.
    Eid,
    /// Card identifier.
    Iccid,
    /// Subscriber number.
    Msisdn,
    /// Subscriber identity.
    Imsi,
    /// Province code.
    Province,
    /// Way of writing.
    WriteType,
    /// Client, task, session or message identifier.
    Id,
    /// Anything else: a date, a network type, a service, a permission …
    Value,
}

/// A text that is not a value of its kind. Holds the broken rule, never the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The kind that was expected.
    pub kind: Kind,
    /// The broken rule, in Chinese.
    pub zh: &'static str,
    /// The broken rule, in English.
    pub en: &'static str,
}

impl Malformed {
    /// A text that breaks the rule `zh`, in English `en`.
    #[must_use]
    pub const fn new(kind: Kind, zh: &'static str, en: &'static str) -> Self {
        Self { kind, zh, en }
    }
}

impl std::fmt::Display for Malformed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "malformed {:?}: {}", self.kind, self.en)
    }
}

impl std::error::Error for Malformed {}

/// True when `text` is not empty and every byte of it is an ASCII digit.
#[must_use]
pub fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}
