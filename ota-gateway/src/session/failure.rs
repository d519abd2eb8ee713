//! Why a writing can fail, whether the chip is to blame, and what to do about it.
//!
//! A detail names the file and the status word with its meaning; it must never hold file contents, keys or
//! whole identifiers.

use uicc::apdu::StatusWord;
use uicc::script::{BadFormat, ChainingResult};

/// Kinds of failure, as the platform knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A file or command was refused for what it holds or as things stand.
    FileRefused,
    /// A file, record or application directory is not there.
    FileNotFound,
    /// The RFM application may not do this to the file.
    SecurityStatus,
    /// The memory of the card fails or is full.
    MemoryProblem,
    /// A length does not fit the file.
    WrongLength,
    /// The card could not understand the script, or its answer cannot be understood.
    BadFormat,
    /// The card has no RFM application under the profile's AID.
    RfmApplicationMissing,
    /// The card refused the script for security reasons.
    ScriptSecurityError,
    /// The profile wants the ICCID replaced and the card refuses.
    IccidRefused,
    /// What was written does not read back.
    ReadBackMismatch,
    /// The test allowance is used up.
    AllowanceExhausted,
    /// Any other error of the card.
    CardError,
}

/// One row of the table of failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailureRow {
    /// The kind.
    pub kind: FailureKind,
    /// Its stable name on the link to the platform.
    pub name: &'static str,
    /// Whether the chip itself is suspected and belongs into the register of faulty chips.
    pub chip_fault: bool,
    /// What to do, in Chinese.
    pub remedy_zh: &'static str,
    /// What to do, in English.
    pub remedy_en: &'static str,
}

const fn row(
    kind: FailureKind,
    name: &'static str,
    chip_fault: bool,
    remedy_zh: &'static str,
    remedy_en: &'static str,
) -> FailureRow {
    FailureRow {
        kind,
        name,
        chip_fault,
        remedy_zh,
        remedy_en,
    }
}

/// Every kind of failure, in the order of [`FailureKind`].
pub const FAILURES: [FailureRow; 12] = [
    row(
        FailureKind::FileRefused,
        "file_refused",
        false,
        "核对卡片配置中的文件与数据",
        "check files and data of the card profile",
    ),
    row(
        FailureKind::FileNotFound,
        "file_not_found",
        false,
        "核对芯片型号与卡片配置的文件路径",
        "check the paths of the card profile against the chip model",
    ),
    row(
        FailureKind::SecurityStatus,
        "security_status",
        false,
        "请卡商开放 RFM 应用对该文件的访问权限",
        "have the card vendor give the RFM application access to the file",
    ),
    row(
        FailureKind::MemoryProblem,
        "memory_problem",
        true,
        "芯片存储故障，更换芯片并登记",
        "the memory of the chip fails: replace and register it",
    ),
    row(
        FailureKind::WrongLength,
        "wrong_length",
        false,
        "核对文件或记录长度",
        "check the length of the file or record",
    ),
    row(
        FailureKind::BadFormat,
        "bad_format",
        false,
        "减小脚本长度上限，或请卡商确认脚本格式",
        "lower max_script_bytes, or ask the card vendor about the script format",
    ),
    row(
        FailureKind::RfmApplicationMissing,
        "rfm_application_missing",
        false,
        "核对卡片配置中的 RFM 应用 AID",
        "check rfm_aid of the card profile",
    ),
    row(
        FailureKind::ScriptSecurityError,
        "script_security_error",
        false,
        "核对 RFM 应用的安全级别与密钥版本",
        "check security level and key version of the RFM application",
    ),
    row(
        FailureKind::IccidRefused,
        "iccid_refused",
        false,
        "使用允许改写 ICCID 的卡，或改用保留 ICCID 的配置",
        "use a card whose ICCID may be written, or a profile that keeps it",
    ),
    row(
        FailureKind::ReadBackMismatch,
        "read_back_mismatch",
        true,
        "写入后回读不一致，更换芯片并登记",
        "the chip does not keep what it acknowledged: replace and register it",
    ),
    row(
        FailureKind::AllowanceExhausted,
        "allowance_exhausted",
        false,
        "补充测试流量后重新上电",
        "add test allowance, then power up again",
    ),
    row(
        FailureKind::CardError,
        "card_error",
        false,
        "按状态字联系卡商排查",
        "ask the card vendor about the status word",
    ),
];

impl FailureKind {
    /// Its row in [`FAILURES`].
    #[must_use]
    pub const fn row(self) -> &'static FailureRow {
        &FAILURES[self as usize]
    }

    /// Which kind a status word is (TS 102 221 §10.2.1).
    #[must_use]
    pub const fn of_status(status: StatusWord) -> Self {
        match status.0 {
            0x6581 | 0x6A84 | 0x9240 => Self::MemoryProblem,
            0x6700..=0x67FF | 0x6C00..=0x6CFF | 0x6A87 => Self::WrongLength,
            0x6982..=0x6984 | 0x6989 | 0x9804 => Self::SecurityStatus,
            0x6A82 | 0x6A83 | 0x6A88 | 0x9404 => Self::FileNotFound,
            0x6200..=0x62FF | 0x6981 | 0x6985 | 0x6986 | 0x6A80 | 0x6A81 | 0x6A86 | 0x6B00 => {
                Self::FileRefused
            }
            _ => Self::CardError,
        }
    }
}

/// A failure of one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    /// A command that the card did not carry out.
    pub(crate) fn of_status(meaning: &str, status: StatusWord) -> Self {
        Self::new(FailureKind::of_status(status), format!("{meaning}: {status}"))
    }

    /// The same failure where it concerns the ICCID that the profile wants written.
    pub(crate) fn of_iccid(self) -> Self {
        match self.kind {
            FailureKind::SecurityStatus | FailureKind::FileRefused => Self {
                kind: FailureKind::IccidRefused,
                ..self
            },
            _ => self,
        }
    }

    /// The card says that the script is malformed.
    pub(crate) fn of_bad_format(bad: BadFormat) -> Self {
        let what = match bad {
            BadFormat::UnknownTag => "unknown tag".to_owned(),
            BadFormat::WrongLength => "wrong length".to_owned(),
            BadFormat::LengthNotFound => "length not found".to_owned(),
            BadFormat::Other(value) => format!("value {value:02X}"),
        };
        Self::new(FailureKind::BadFormat, format!("bad format answered: {what}"))
    }

    /// The card says that scripts do not follow each other.
    pub(crate) fn of_chaining(result: ChainingResult) -> Self {
        Self::new(
            FailureKind::BadFormat,
            format!("chaining error answered: {result:?}"),
        )
    }

    /// A file is shorter than what belongs into it.
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
    fn every_kind_stands_in_its_row_with_a_name_and_two_remedies() {
        for (at, row) in FAILURES.iter().enumerate() {
            assert_eq!(row.kind as usize, at);
            assert_eq!(row.kind.row(), row);
            assert!(!row.name.is_empty() && !row.remedy_zh.is_empty() && !row.remedy_en.is_empty());
            assert!(row.remedy_en.is_ascii() && !row.remedy_zh.is_ascii());
            assert!(FAILURES[..at].iter().all(|other| other.name != row.name));
        }
    }

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
            assert_eq!(
                FailureKind::of_status(StatusWord(status)),
                expected,
                "{status:04X}"
            );
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
}
