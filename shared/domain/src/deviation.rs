//! What the flow of the standard demands, and can be compared with what happened (§10.2).

/// A way in which what happened differs from what the standard demands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Deviation {
    /// The recorded steps of a card do not lead to its state (§6.3).
    CardWithoutHistory,
    /// A card waits or is written without such a task, or a task is open beside another state (§6.3 Table 2).
    CardWithoutTask,
    /// Results did not reach their receiver (§7.3).
    MessagesUndelivered,
    /// An incident was not settled within its time limit (§8.2).
    IncidentOverdue,
    /// A severe incident was not reported (§8.3.1).
    ReportOverdue,
    /// The final report of a severe incident is missing (§8.3.1).
    FinalReportOverdue,
    /// A month was not reviewed (§8.3.2).
    ReviewMissing,
    /// A periodic job failed, or has not succeeded for too long (§5.3.1.1).
    JobOverdue,
    /// The last good backup is too old (§9.1.2).
    BackupOverdue,
    /// The last drill of a backup is too old (§9.1.2).
    DrillOverdue,
}

/// Deviation, stable name, description zh and en.
type Row = (Deviation, &'static str, [&'static str; 2]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (Deviation::CardWithoutHistory, "card_without_history",
        ["卡片状态与状态变更记录不符", "the recorded steps of a card do not lead to its state"]),
    (Deviation::CardWithoutTask, "card_without_task",
        ["卡片状态与写卡任务不符", "the state of a card and its open task do not fit together"]),
    (Deviation::MessagesUndelivered, "messages_undelivered",
        ["写卡结果未送达接收方", "results did not reach their receiver"]),
    (Deviation::IncidentOverdue, "incident_overdue",
        ["异常超过处理时限仍未关闭", "an incident is not settled although its time limit has passed"]),
    (Deviation::ReportOverdue, "report_overdue",
        ["严重异常超过 1 h 仍未上报", "a severe incident is not reported although 1 h has passed"]),
    (Deviation::FinalReportOverdue, "final_report_overdue",
        ["严重异常处理完成超过 24 h 仍无异常处理报告",
            "a severe incident has no final report although 24 h have passed since it was settled"]),
    (Deviation::ReviewMissing, "review_missing",
        ["已结束的月份尚无异常复盘", "a month that is over was not reviewed"]),
    (Deviation::JobOverdue, "job_overdue",
        ["定时任务失败或长时间未成功执行", "a periodic job failed, or has not succeeded for too long"]),
    (Deviation::BackupOverdue, "backup_overdue",
        ["最近一次有效备份已过期", "the last good backup is too old"]),
    (Deviation::DrillOverdue, "drill_overdue",
        ["最近一次备份演练已过期", "the last drill of a backup is too old"]),
];

impl Deviation {
    fn row(self) -> &'static Row {
        let found = TABLE.iter().find(|(kind, ..)| *kind == self);
        found.expect("every deviation has a row, see the test")
    }

    /// Text stored in the database; never reused for another deviation.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// What deviates, in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.row().2[0]
    }

    /// What deviates, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        self.row().2[1]
    }

    /// The deviation with this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|kind| kind.code() == code)
    }

    /// Every deviation.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(kind, ..)| *kind)
    }

    /// Whether it is news to the operator: of the others the clocks and jobs themselves raise an alert.
    #[must_use]
    pub const fn is_news(self) -> bool {
        matches!(
            self,
            Self::CardWithoutHistory | Self::CardWithoutTask | Self::ReviewMissing
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Deviation;

    #[test]
    fn every_deviation_has_one_name_and_is_described_in_both_languages() {
        use Deviation as D;
        let every = [
            D::CardWithoutHistory,
            D::CardWithoutTask,
            D::MessagesUndelivered,
            D::IncidentOverdue,
            D::ReportOverdue,
            D::FinalReportOverdue,
            D::ReviewMissing,
            D::JobOverdue,
            D::BackupOverdue,
            D::DrillOverdue,
        ];
        assert_eq!(D::all().collect::<Vec<_>>(), every);
        let codes: BTreeSet<_> = every.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), every.len());
        for kind in every {
            assert_eq!(D::from_code(kind.code()), Some(kind));
            assert!(!kind.zh().is_ascii() && kind.en().is_ascii());
        }
        assert_eq!(D::from_code("late"), None);
    }
}
