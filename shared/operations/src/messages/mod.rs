//! Messages to clients and to the operator (§7.3, §9.2.2): their content and signatures, which are due, the results of
//! attempts, and sending them again.

mod body;
mod due;
mod queue;
mod record;
mod resend;
mod schedule;
mod sign;

pub(super) use body::{ChangeEvent, StateChange, enqueue, enqueue_selected};
pub use due::{
    DueMessage, DueRequest, LEASE_MS, MAX_IN_FLIGHT, MAX_IN_FLIGHT_FAILING, MAX_MESSAGES_PER_CALL,
    due_messages, is_message_due,
};
pub(super) use queue::{NewMessage, has_address, queue};
pub use record::{AttemptResult, DeliveryState, MAX_FAILING_MS, MAX_PUT_OFF_MS, record_attempt};
pub use resend::{
    MAX_MESSAGES_PER_PAGE, MessageFilter, Probe, Resent, WhichMessages, find_messages, probe, resend,
};
pub use schedule::{MAX_ATTEMPTS, RETRY_AFTER_MS};
pub(super) use sign::{Key, secret_key, secret_text};
pub use sign::{canonical, sign};
