//! §9.2: the audit trail. Who of the staff did what, on what, from where and why; what became of it; who read in bulk.
//!
//! A change and its row are one transaction ([`super::transaction`]). What was refused or failed, and what was read, has a
//! row of its own afterwards: it changed nothing. Every row is part of one chain (`store::audit`), whose end goes to the
//! operator every few minutes.

mod act;
mod heads;
mod list;
mod record;
mod report;
mod request;

pub use act::Act;
pub(super) use act::Agreed;
pub(super) use heads::send as send_audit_head;
pub use list::{AuditDetail, AuditFilter, AuditObjectRef, AuditView, MAX_AUDIT_ROWS_PER_PAGE, list_audit};
pub use record::{ReadFigures, conclude_act, record_read};
pub(super) use record::{begin, committed, object_of, record_done, record_of_person};
pub use report::{ActFilter, ReportedAct, account_report, secret_report};
