//! The events of a session, and their JSON form: one flat document with a `kind` and the fields of that kind.
//!
//! The form is flat because serde's reader of tagged enums would be a thirtieth of a component.

use serde::{Deserialize, Serialize};

use crate::FailureKind;

/// What happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportEvent {
    /// The card acknowledged `step` of `steps`.
    Progress {
        /// Acknowledged steps.
        step: u32,
        /// All steps.
        steps: u32,
    },
    /// All files are written and read back equal; the card is ordered to restart next.
    Written,
    /// In a new session the card holds what was reserved and has registered with the operator number.
    Verified,
    /// In a new session the card does not hold it or has not registered.
    NotVerified {
        /// Whether the card must be written again.
        rewrite: bool,
        /// For the operator.
        detail: String,
    },
    /// Writing ended without success.
    Failed {
        /// Why writing failed.
        failure: FailureKind,
        /// For the operator.
        detail: String,
        /// Whether the chip itself is at fault (§8.2.2).
        chip_fault: bool,
    },
    /// The link ended.
    Closed {
        /// Why, as a stable snake_case word.
        reason: String,
    },
}

impl ReportEvent {
    /// The `kind` of its JSON form.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Progress { .. } => "progress",
            Self::Written => "written",
            Self::Verified => "verified",
            Self::NotVerified { .. } => "not_verified",
            Self::Failed { .. } => "failed",
            Self::Closed { .. } => "closed",
        }
    }
}

/// Why a document is no event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A field of the kind is missing or null.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// A field has a value that this version does not know.
    #[error("the field {0} has an unknown value")]
    Unknown(&'static str),
}

/// The JSON form of a [`ReportEvent`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
pub struct EventDocument {
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    chip_fault: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl From<ReportEvent> for EventDocument {
    fn from(event: ReportEvent) -> Self {
        let document = Self {
            kind: event.kind().to_owned(),
            ..Self::default()
        };
        match event {
            ReportEvent::Progress { step, steps } => Self {
                step: Some(step),
                steps: Some(steps),
                ..document
            },
            ReportEvent::Written | ReportEvent::Verified => document,
            ReportEvent::NotVerified { rewrite, detail } => Self {
                rewrite: Some(rewrite),
                detail: Some(detail),
                ..document
            },
            ReportEvent::Failed {
                failure,
                detail,
                chip_fault,
            } => Self {
                failure: Some(failure.code().to_owned()),
                detail: Some(detail),
                chip_fault: Some(chip_fault),
                ..document
            },
            ReportEvent::Closed { reason } => Self {
                reason: Some(reason),
                ..document
            },
        }
    }
}

impl TryFrom<EventDocument> for ReportEvent {
    type Error = EventError;

    /// Reads the event.
    ///
    /// # Errors
    /// [`EventError::Missing`] and [`EventError::Unknown`], with the name of the field.
    fn try_from(document: EventDocument) -> Result<Self, EventError> {
        Ok(match document.kind.as_str() {
            "progress" => Self::Progress {
                step: present("step", document.step)?,
                steps: present("steps", document.steps)?,
            },
            "written" => Self::Written,
            "verified" => Self::Verified,
            "not_verified" => Self::NotVerified {
                rewrite: present("rewrite", document.rewrite)?,
                detail: present("detail", document.detail)?,
            },
            "failed" => Self::Failed {
                failure: FailureKind::from_code(&present("failure", document.failure)?)
                    .ok_or(EventError::Unknown("failure"))?,
                detail: present("detail", document.detail)?,
                chip_fault: present("chip_fault", document.chip_fault)?,
            },
            "closed" => Self::Closed {
                reason: present("reason", document.reason)?,
            },
            _ => return Err(EventError::Unknown("kind")),
        })
    }
}

fn present<T>(name: &'static str, value: Option<T>) -> Result<T, EventError> {
    value.ok_or(EventError::Missing(name))
}
