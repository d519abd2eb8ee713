//! The kinds of alerts that the operator receives (§5.3.1.1 监控预警, §5.3.1.3, §8.3.1).

/// Kind of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AlertKind {
    /// A message is dead: its last attempt failed (§7.3).
    MessagesUndeliverable,
    /// Messages to an address are stopped: its receiver answered 410, or every attempt failed for days.
    AddressStopped,
    /// A job of the periodic work keeps failing.
    JobFailing,
    /// Test periods of temporary numbers end in 30 days (§5.3.1.3).
    TemporaryNumbersExpiring,
    /// Test periods of temporary numbers are over (§5.3.1.3).
    TemporaryNumbersExpired,
    /// A province's pool of numbers is at its low-water mark (§5.3.1.1).
    PoolLow,
    /// Several provinces have no number left (§5.3.1.1).
    PoolsEmpty,
    /// An incident is severe (§8.1).
    IncidentSevere,
    /// An incident was not settled within its time limit (§8.2).
    IncidentOverdue,
    /// A severe incident was not reported within an hour (§8.3.1).
    ReportOverdue,
    /// The final report of a severe incident did not come within a day of its end (§8.3.1).
    FinalReportOverdue,
    /// The review of a month was made (§8.3.2).
    MonthlyReview,
    /// A card was verified, but its operator has suspended or retired the number.
    WrittenNumberOutOfUse,
    /// A chip came back after its task had been ended without it (§6.3 Table 2).
    ReturnedAfterEnd,
    /// A chip without a task has used half its test allowance (§5.2.1.2).
    AllowanceHalfUsed,
    /// A reopened card was verified with another number, and the old one is out of use (§8.2.1 Table 3).
    NumberReplaced,
    /// The clock has jumped ahead, or the platform stood still: nothing is destroyed until the time is confirmed.
    ClockHeld,
    /// A gateway has no usable keys for chips that connect, so that no session of theirs can exist.
    ChipKeysMissing,
    /// The last good backup is too old (§9.1.2).
    BackupOverdue,
    /// No backup was opened and checked for too long (§9.1.2).
    DrillOverdue,
    /// What happened differs from what the standard demands (§10.2).
    FlowDeviation,
}

/// Kind, stable name, description zh and en.
type Row = (AlertKind, &'static str, [&'static str; 2]);

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (AlertKind::MessagesUndeliverable, "messages_undeliverable",
        ["回调多次推送失败，已停止重试，可人工重新推送", "messages were given up after their last attempt and can be sent again by hand"]),
    (AlertKind::AddressStopped, "address_stopped",
        ["回调地址已停止推送，重新登记地址后恢复", "an address is not called any more until one is entered"]),
    (AlertKind::JobFailing, "job_failing",
        ["定时任务连续失败", "a job of the periodic work keeps failing"]),
    (AlertKind::TemporaryNumbersExpiring, "temporary_numbers_expiring",
        ["临时号码测试期将在 30 天后到期", "test periods of temporary numbers end in 30 days"]),
    (AlertKind::TemporaryNumbersExpired, "temporary_numbers_expired",
        ["临时号码测试期已到期，不能再申请写卡", "test periods of temporary numbers are over: no application is accepted any more"]),
    (AlertKind::PoolLow, "pool_low",
        ["省份可用码号不足", "a province's pool of numbers is low"]),
    (AlertKind::PoolsEmpty, "pools_empty",
        ["多个省份无可用码号", "several provinces have no number left"]),
    (AlertKind::IncidentSevere, "incident_severe",
        ["发生严重异常，须在 1 h 内上报规范管理部门", "an incident is severe and has to be reported to the authority within 1 h"]),
    (AlertKind::IncidentOverdue, "incident_overdue",
        ["异常超过处理时限", "an incident was not settled within its time limit"]),
    (AlertKind::ReportOverdue, "report_overdue",
        ["严重异常未在 1 h 内上报", "a severe incident was not reported within 1 h"]),
    (AlertKind::FinalReportOverdue, "final_report_overdue",
        ["严重异常处理完成后未在 24 h 内提交异常处理报告", "the final report of a severe incident did not come within 24 h of its end"]),
    (AlertKind::MonthlyReview, "monthly_review",
        ["上月异常汇总复盘已生成", "the review of last month's incidents is there"]),
    (AlertKind::WrittenNumberOutOfUse, "written_number_out_of_use",
        ["写卡已验证成功，但运营商已将码号停机或销户", "a card was verified, but its operator has suspended or retired the number"]),
    (AlertKind::ReturnedAfterEnd, "returned_after_end",
        ["写卡任务终止后，芯片又上电连接", "a chip came back after its task had been ended"]),
    (AlertKind::AllowanceHalfUsed, "allowance_half_used",
        ["无写卡任务的芯片已用去一半测试流量", "a chip without a task has used half its test allowance"]),
    (AlertKind::NumberReplaced, "number_replaced",
        ["更换运营号后，原码号已停机，待运营方复机或销户", "a card was written with another number; the old one is suspended until it is resumed or retired"]),
    (AlertKind::ClockHeld, "clock_held",
        ["时钟跳变或平台停运超过 24 h，确认时间前不销毁、不到期处理", "the clock jumped or the platform stood still for more than 24 h: nothing is destroyed and nothing expires until the time is confirmed"]),
    (AlertKind::ChipKeysMissing, "chip_keys_missing",
        ["网关没有可用的芯片密钥，芯片无法建立会话；请核对网关的 master_keys 与 link_key",
         "a gateway has no usable keys for chips, which cannot open a session; check master_keys and link_key of the gateway"]),
    (AlertKind::BackupOverdue, "backup_overdue",
        ["最近一次有效备份已过期，请检查备份定时任务", "the last good backup is too old; look at the timer of the backup"]),
    (AlertKind::DrillOverdue, "drill_overdue",
        ["长时间未验证备份能否恢复，请执行 xieka verify --record", "no backup was opened and checked for too long; run xieka verify --record"]),
    (AlertKind::FlowDeviation, "flow_deviation",
        ["流程执行与规范不符，见 GET /admin/v1/deviations", "what happened differs from what the standard demands, see GET /admin/v1/deviations"]),
];

impl AlertKind {
    fn row(self) -> &'static Row {
        let found = TABLE.iter().find(|(kind, ..)| *kind == self);
        found.expect("every kind has a row, see the test")
    }

    /// Text stored in the database and sent to the operator; never reused for another kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// What happened, in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        self.row().2[0]
    }

    /// What happened, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        self.row().2[1]
    }

    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(kind, ..)| *kind)
    }
}
