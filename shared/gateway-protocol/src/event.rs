//! The events of a session, and their JSON form: one flat document with a `kind` and the fields of that kind.
//!
//! The form is flat because serde's reader of tagged enums would be a thirtieth of a component.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

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
    /// The card shows by which power-up it is here. The session goes on only if the platform says so.
    PoweredUp {
        /// What changes with each power-up, in lower-case hexadecimal, at most 16 bytes.
        marker: String,
    },
    /// All files are written and read back equal; the card is ordered to restart next.
    Written,
    /// In a new session the card holds what was reserved and has registered with the operator number.
    Verified,
    /// In a new session the card does not hold it or has not registered.
    NotVerified {
        /// Whether the card must be written again.
        rewrite: bool,
        /// Whether the IMSI that was read from the card is another one.
        other_imsi: bool,
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
        /// Status word that the card answered, four hexadecimal digits in capitals.
        status_word: Option<String>,
    },
    /// The link ended.
    Closed {
        /// Why, as a stable snake_case word.
        reason: String,
    },
}

/// Every kind of event.
const KINDS: [&str; 7] = [
    "progress",
    "powered_up",
    "written",
    "verified",
    "not_verified",
    "failed",
    "closed",
];

impl ReportEvent {
    /// The `kind` of its JSON form.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Progress { .. } => "progress",
            Self::PoweredUp { .. } => "powered_up",
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

/// The JSON form of an event of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
pub struct EventDocument {
    /// 事件类别 / kind of event
    #[serde(default)]
    #[schema(required, schema_with = kinds)]
    kind: String,
    /// 已确认的步骤数（progress） / acknowledged steps (progress)
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<u32>,
    /// 步骤总数（progress） / all steps (progress)
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<u32>,
    /// 卡片的上电标记，小写十六进制，最多 16 字节（powered_up） / what changes with each power-up of the card, lower-case
    /// hexadecimal, at most 16 bytes (powered_up)
    #[serde(skip_serializing_if = "Option::is_none")]
    marker: Option<String>,
    /// 失败类别（failed） / why writing failed (failed)
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<FailureKind>)]
    failure: Option<String>,
    /// 供运营方参考的说明（not_verified、failed） / for the operator (not_verified, failed)
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// 卡片是否须重写（not_verified） / whether the card must be written again (not_verified)
    #[serde(skip_serializing_if = "Option::is_none")]
    rewrite: Option<bool>,
    /// 从卡中读出的 IMSI 是否为另一个（not_verified），缺省为否 / whether the IMSI read from the card is another one
    /// (not_verified); no if absent
    #[serde(skip_serializing_if = "Option::is_none")]
    other_imsi: Option<bool>,
    /// 是否为芯片自身故障（failed） / whether the chip itself is at fault (failed)
    #[serde(skip_serializing_if = "Option::is_none")]
    chip_fault: Option<bool>,
    /// 卡片返回的状态字，4 位十六进制（failed，可无） / status word of the card, four hexadecimal digits (failed, optional)
    #[serde(skip_serializing_if = "Option::is_none")]
    status_word: Option<String>,
    /// 连接结束的原因（closed） / why the link ended, as a stable snake_case word (closed)
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The schema of a kind.
fn kinds() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some("事件类别 / kind of event"))
        .enum_values(Some(KINDS))
        .build()
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
            ReportEvent::PoweredUp { marker } => Self {
                marker: Some(marker),
                ..document
            },
            ReportEvent::Written | ReportEvent::Verified => document,
            ReportEvent::NotVerified {
                rewrite,
                other_imsi,
                detail,
            } => Self {
                rewrite: Some(rewrite),
                other_imsi: Some(other_imsi),
                detail: Some(detail),
                ..document
            },
            ReportEvent::Failed {
                failure,
                detail,
                chip_fault,
                status_word,
            } => Self {
                failure: Some(failure.code().to_owned()),
                detail: Some(detail),
                chip_fault: Some(chip_fault),
                status_word,
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
            "powered_up" => Self::PoweredUp {
                marker: present("marker", document.marker)?,
            },
            "written" => Self::Written,
            "verified" => Self::Verified,
            "not_verified" => Self::NotVerified {
                rewrite: present("rewrite", document.rewrite)?,
                other_imsi: document.other_imsi.unwrap_or(false),
                detail: present("detail", document.detail)?,
            },
            "failed" => Self::Failed {
                failure: FailureKind::from_code(&present("failure", document.failure)?)
                    .ok_or(EventError::Unknown("failure"))?,
                detail: present("detail", document.detail)?,
                chip_fault: present("chip_fault", document.chip_fault)?,
                status_word: document.status_word,
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

#[cfg(test)]
mod tests {
    use super::{EventDocument, EventError, KINDS, ReportEvent};

    #[test]
    fn every_kind_is_read() {
        for kind in KINDS {
            let document = EventDocument {
                kind: kind.to_owned(),
                ..EventDocument::default()
            };
            match ReportEvent::try_from(document) {
                Ok(event) => assert_eq!(event.kind(), kind),
                Err(error) => assert!(matches!(error, EventError::Missing(_)), "{kind}"),
            }
        }
    }
}
