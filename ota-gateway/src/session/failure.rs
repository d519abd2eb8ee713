//! Which kind of failure an answer of the card is, with a detail for the operator.
//!
//! A detail names the file and the status word with its meaning; it must never hold file contents, keys or
//! whole identifiers.

use gateway_protocol::FailureKind;
use uicc::apdu::{StatusWord, SwClass};
use uicc::script::{BadFormat, ChainingResult};

/// The kind of failure that a status word is (TS 102 221 §10.2.1).
const fn kind_of_status(status: StatusWord) -> FailureKind {
    match status.0 {
        0x6581 | 0x6A84 | 0x9240 => FailureKind::MemoryProblem,
        0x6700..=0x67FF | 0x6C00..=0x6CFF | 0x6A87 => FailureKind::WrongLength,
        0x6982..=0x6984 | 0x6989 | 0x9804 => FailureKind::SecurityStatus,
        0x6A82 | 0x6A83 | 0x6A88 | 0x9404 => FailureKind::FileNotFound,
        0x6200..=0x62FF | 0x6981 | 0x6985 | 0x6986 | 0x6A80 | 0x6A81 | 0x6A86 | 0x6B00 => {
            FailureKind::FileRefused
        }
        _ => FailureKind::CardError,
    }
}

/// The failure of a writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) detail: String,
    /// What the card answered, if it answered a command.
    pub(crate) status: Option<StatusWord>,
    /// The card was only busy: another session may find it otherwise.
    pub(crate) passing: bool,
}

impl Failure {
    /// A failure of this kind.
    pub(crate) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            status: None,
            passing: false,
        }
    }

    /// A command that the card did not carry out.
    pub(crate) fn of_status(command: &str, status: StatusWord) -> Self {
        Self {
            status: Some(status),
            passing: status.class() == SwClass::Busy,
            ..Self::new(kind_of_status(status), format!("{command}: {status}"))
        }
    }

    /// The failure as one of the ICCID that the profile wants written, if the card refused it.
    pub(crate) fn of_iccid(self) -> Self {
        match self.kind {
            FailureKind::SecurityStatus | FailureKind::FileRefused => Self {
                kind: FailureKind::IccidRefused,
                ..self
            },
            _ => self,
        }
    }

    /// The failure as one of the key command, if the card refused it. A card whose memory failed refused nothing.
    pub(crate) fn of_keys(self) -> Self {
        let is_refusal = !self.passing && self.kind != FailureKind::MemoryProblem;
        Self {
            kind: if is_refusal {
                FailureKind::KeysRefused
            } else {
                self.kind
            },
            ..self
        }
    }

    /// Work that this gateway cannot carry out. The detail is the chain of `error`.
    pub(crate) fn of_work(kind: FailureKind, error: &anyhow::Error) -> Self {
        Self::new(kind, format!("{error:#}"))
    }

    /// The card answered that the script is malformed.
    pub(crate) fn of_bad_format(bad: BadFormat) -> Self {
        let what = match bad {
            BadFormat::UnknownTag => "unknown tag".to_owned(),
            BadFormat::WrongLength => "wrong length".to_owned(),
            BadFormat::LengthNotFound => "length not found".to_owned(),
            BadFormat::Other(value) => format!("value {value:02X}"),
        };
        Self::new(FailureKind::BadFormat, format!("bad format answered: {what}"))
    }

    /// The card answered that scripts do not follow each other.
    pub(crate) fn of_chaining(result: ChainingResult) -> Self {
        Self::new(
            FailureKind::BadFormat,
            format!("chaining error answered: {result:?}"),
        )
    }

    /// A file is shorter than its content.
    pub(crate) fn too_short(name: &str, bytes: usize) -> Self {
        Self::new(
            FailureKind::WrongLength,
            format!("{name}: {bytes} bytes are too few for its content"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_words_have_their_kind() {
        let cases = [
            (0x6581, FailureKind::MemoryProblem),
            (0x9240, FailureKind::MemoryProblem),
            (0x6A84, FailureKind::MemoryProblem),
            (0x6700, FailureKind::WrongLength),
            (0x6C10, FailureKind::WrongLength),
            (0x6982, FailureKind::SecurityStatus),
            (0x9804, FailureKind::SecurityStatus),
            (0x6A82, FailureKind::FileNotFound),
            (0x6A83, FailureKind::FileNotFound),
            (0x62F1, FailureKind::FileRefused),
            (0x6985, FailureKind::FileRefused),
            (0x6A80, FailureKind::FileRefused),
            (0x6A86, FailureKind::FileRefused),
            (0x6B00, FailureKind::FileRefused),
            (0x6D00, FailureKind::CardError),
            (0x6E00, FailureKind::CardError),
            (0x6F00, FailureKind::CardError),
            (0x9300, FailureKind::CardError),
        ];
        for (status, expected) in cases {
            assert_eq!(kind_of_status(StatusWord(status)), expected, "{status:04X}");
        }
    }

    #[test]
    fn only_refusals_of_the_iccid_become_its_own_kind() {
        let of = |status| {
            Failure::of_status("UPDATE BINARY EF_ICCID", StatusWord(status))
                .of_iccid()
                .kind
        };
        assert_eq!(of(0x6982), FailureKind::IccidRefused);
        assert_eq!(of(0x6985), FailureKind::IccidRefused);
        assert_eq!(of(0x6581), FailureKind::MemoryProblem);
    }

    #[test]
    fn a_refused_key_command_has_a_kind_of_its_own_whatever_the_status_word() {
        let of = |status| {
            Failure::of_status("load key material", StatusWord(status))
                .of_keys()
                .kind
        };
        for status in [0x6700, 0x6982, 0x6985, 0x6A80, 0x6A88, 0x6D00, 0x9862] {
            assert_eq!(of(status), FailureKind::KeysRefused, "{status:04X}");
        }
        assert_eq!(of(0x6581), FailureKind::MemoryProblem);
        assert_eq!(of(0x9300), FailureKind::CardError, "the card was only busy");
    }
}
