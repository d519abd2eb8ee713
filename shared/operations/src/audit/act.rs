//! The call of a member of staff, as far as it is known.

use std::cell::{Cell, RefCell};

use serde_json::{Map, Value};

use super::request::{Asked, file_figures, shown};
use crate::staff::ACCOUNT_PREFIX;
use domain::{ApprovalId, Right};
use store::audit::AuditObject;
use vault::{BlindIndex, Vault};

/// The call of a member of staff: who, what, from where, on what. Operations add what they find out.
#[derive(Debug)]
pub struct Act {
    pub(super) who: String,
    pub(super) right: Right,
    pub(super) address: String,
    pub(super) request_id: String,
    pub(super) asked: RefCell<Asked>,
    // What the running transaction has found out: a body that runs again begins anew.
    pub(super) noted: RefCell<Noted>,
    pub(super) is_recorded: Cell<bool>,
    agreed: RefCell<Option<Agreed>>,
}

/// What a second person agrees to.
#[derive(Clone, Debug)]
pub(crate) struct Agreed {
    pub(crate) id: ApprovalId,
    pub(crate) asked_by: String,
}

/// What an operation has found out.
#[derive(Debug, Default)]
pub(super) struct Noted {
    pub(super) objects: Vec<(&'static str, String, AuditObject)>,
    pub(super) before: Map<String, Value>,
    pub(super) after: Map<String, Value>,
}

impl Act {
    /// A call that has begun.
    #[must_use]
    pub fn new(who: String, right: Right, address: String, request_id: String) -> Self {
        Self {
            who,
            right,
            address,
            request_id,
            asked: RefCell::default(),
            noted: RefCell::default(),
            is_recorded: Cell::new(false),
            agreed: RefCell::default(),
        }
    }

    /// Takes note of what is asked for, by the names and values of the request. Identifiers are kept masked, secrets not at
    /// all.
    pub fn ask(&self, vault: &Vault, fields: Map<String, Value>) {
        self.asked.borrow_mut().add(vault, fields);
    }

    /// Takes note of the file that is sent: its size and its SHA-256, which are no identifiers and stay as they are.
    pub fn ask_file(&self, file: &[u8]) {
        self.asked.borrow_mut().fields.extend(file_figures(file));
    }

    /// Who calls, from where, and with which request.
    pub(crate) fn origin(&self) -> [&str; 3] {
        [&self.who, &self.address, &self.request_id]
    }

    /// Whether somebody with an account acts.
    #[must_use]
    pub fn is_of_account(&self) -> bool {
        self.who.starts_with(ACCOUNT_PREFIX)
    }

    /// Who acts, as it is stored.
    pub(crate) fn who(&self) -> &str {
        &self.who
    }

    /// It is the act of a second person, who agrees to this.
    pub(crate) fn agree(&self, agreed: Agreed) {
        self.agreed.replace(Some(agreed));
    }

    /// What a second person agrees to, unless that was used up by a transaction of the act that has committed.
    pub(crate) fn agreed(&self) -> Option<Agreed> {
        self.agreed.borrow().clone().filter(|_| !self.is_recorded())
    }

    /// The right of the operation.
    #[must_use]
    pub fn right(&self) -> Right {
        self.right
    }

    /// Whether it has a row in the trail.
    #[must_use]
    pub fn is_recorded(&self) -> bool {
        self.is_recorded.get()
    }
}

impl<D> super::super::Context<'_, D> {
    /// The act is on this, which the request does not name: an identifier that is stored sealed.
    pub(crate) fn note_sealed_object(&self, name: &'static str, identifier: &str, index: BlindIndex) {
        self.note(|noted| {
            let shown = domain::masked(identifier);
            noted.objects.push((name, shown, AuditObject::Index(index)));
        });
    }

    /// The act is on this, which the request does not name: an identifier that is not sealed.
    pub(crate) fn note_object(&self, name: &'static str, identifier: &str) {
        self.note(|noted| {
            let object = AuditObject::Text(identifier.to_owned());
            noted.objects.push((name, identifier.to_owned(), object));
        });
    }

    /// What was so before the act, and is so afterwards; nothing when both are the same.
    pub(crate) fn note_change(&self, name: &str, before: impl Into<Value>, after: impl Into<Value>) {
        self.note(|noted| {
            let (before, after) = (before.into(), after.into());
            if before != after {
                noted.before.insert(name.to_owned(), shown(name, &before));
                noted.after.insert(name.to_owned(), shown(name, &after));
            }
        });
    }

    /// What the act has brought about.
    pub(crate) fn note_result(&self, name: &str, value: impl Into<Value>) {
        self.note(|noted| {
            noted.after.insert(name.to_owned(), shown(name, &value.into()));
        });
    }

    fn note(&self, add: impl FnOnce(&mut Noted)) {
        if let Some(act) = self.act {
            add(&mut act.noted.borrow_mut());
        }
    }
}
