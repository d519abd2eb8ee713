//! Why a writing task ended without a written card.

use super::FailureKind;

/// Why a task ended without a written card. Gateways report only [`Self::Writing`]; the others are decided here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskFailure {
    /// What the gateway found while it wrote.
    Writing(FailureKind),
    /// An administrator ended the task.
    EndedByOperator,
    /// The chip was entered in the register of faulty chips (§8.2.2).
    ChipFaulty,
    /// The operator reported the number as retired (销户).
    NumberRetired,
    /// The card did not power up before the test period of its temporary number was over (§5.3.1.3).
    NotPoweredUp,
    /// The card was not written within the time limit that the platform is configured with.
    NotWrittenInTime,
    /// The chip was replaced by another one (Table 4).
    ChipReplaced,
    /// The chip was recorded as destroyed.
    ChipDestroyed,
}

/// Failure, stable name, what happened zh and en, what to do zh and en.
type Row = (TaskFailure, &'static str, [&'static str; 2], [&'static str; 2]);

#[rustfmt::skip]
const OWN: [Row; 7] = [
    (TaskFailure::EndedByOperator, "ended_by_operator",
        ["系统管理员终止了写卡任务", "an administrator ended the task"],
        ["联系系统管理员了解原因；可重新申请写卡", "ask the administrator why; the card may be applied for again"]),
    (TaskFailure::ChipFaulty, "chip_faulty",
        ["芯片已登记为故障芯片", "the chip was registered as faulty"],
        ["由设备方案商检测并更换芯片", "have the vendor examine and replace the chip"]),
    (TaskFailure::NumberRetired, "number_retired",
        ["运营商已将码号销户", "the operator has retired the number"],
        ["重新申请写卡，将分配其他码号", "apply again for another number"]),
    (TaskFailure::NotPoweredUp, "not_powered_up",
        ["临时号码测试期届满，卡片一直未上电", "the card did not power up before its temporary number's test period was over"],
        ["由运营方重新配置有效临时号码后，重新申请写卡", "have the operator configure a valid temporary number, then apply again"]),
    (TaskFailure::NotWrittenInTime, "not_written_in_time",
        ["写卡超过平台设定的时限", "the card was not written within the platform's time limit"],
        ["检查设备网络信号并重新上电，再重新申请写卡", "check the device's signal and power it up again, then apply again"]),
    (TaskFailure::ChipReplaced, "chip_replaced",
        ["芯片已更换，由新芯片写卡", "the chip was replaced; the new one is written instead"],
        ["查询新芯片的写卡状态", "query the status of the new chip"]),
    (TaskFailure::ChipDestroyed, "chip_destroyed",
        ["芯片已登记销毁", "the chip was recorded as destroyed"],
        ["更换芯片后重新申请写卡", "replace the chip and apply for the new one"]),
];

impl TaskFailure {
    /// Every failure.
    pub fn all() -> impl Iterator<Item = Self> {
        FailureKind::all()
            .map(Self::Writing)
            .chain(OWN.iter().map(|(failure, ..)| *failure))
    }

    fn row(self) -> Option<&'static Row> {
        OWN.iter().find(|(failure, ..)| *failure == self)
    }

    /// Stable name, in the database, in callbacks and in answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.code(),
            own => own.row().map_or("", |row| row.1),
        }
    }

    /// The failure with the stable name `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|failure| failure.code() == code)
    }

    /// What happened, in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.zh(),
            own => own.row().map_or("", |row| row.2[0]),
        }
    }

    /// What happened, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.en(),
            own => own.row().map_or("", |row| row.2[1]),
        }
    }

    /// What to do, in Chinese.
    #[must_use]
    pub fn remedy_zh(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.remedy_zh(),
            own => own.row().map_or("", |row| row.3[0]),
        }
    }

    /// What to do, in English.
    #[must_use]
    pub fn remedy_en(self) -> &'static str {
        match self {
            Self::Writing(kind) => kind.remedy_en(),
            own => own.row().map_or("", |row| row.3[1]),
        }
    }
}

impl From<FailureKind> for TaskFailure {
    fn from(kind: FailureKind) -> Self {
        Self::Writing(kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{FailureKind, TaskFailure};

    #[test]
    fn every_failure_has_a_name_of_its_own_and_texts_in_both_languages() {
        let names: BTreeSet<_> = TaskFailure::all().map(TaskFailure::code).collect();
        assert_eq!(names.len(), TaskFailure::all().count());
        for failure in TaskFailure::all() {
            assert_eq!(TaskFailure::from_code(failure.code()), Some(failure));
            for text in [
                failure.zh(),
                failure.en(),
                failure.remedy_zh(),
                failure.remedy_en(),
            ] {
                assert!(!text.is_empty(), "{failure:?}");
            }
        }
        assert_eq!(TaskFailure::from_code(""), None);
    }

    #[test]
    fn gateways_cannot_report_what_only_the_platform_decides() {
        for name in [
            "ended_by_operator",
            "chip_faulty",
            "number_retired",
            "not_powered_up",
            "not_written_in_time",
            "chip_replaced",
            "chip_destroyed",
        ] {
            assert!(TaskFailure::from_code(name).is_some(), "{name}");
            assert_eq!(FailureKind::from_code(name), None);
        }
    }
}
