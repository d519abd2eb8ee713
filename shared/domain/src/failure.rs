//! Why writing a card can fail, in the words the gateway reports, with what to do about it (§8.2.2).

/// Kind of a failed writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A file refused its update.
    FileRefused,
    /// A file does not exist on the card.
    FileNotFound,
    /// Access conditions were not met.
    SecurityStatus,
    /// The card's memory failed.
    MemoryProblem,
    /// A length does not fit the card's file.
    WrongLength,
    /// The card could not parse the script.
    BadFormat,
    /// The card has no such RFM application.
    RfmApplicationMissing,
    /// The card refused the script's security.
    ScriptSecurityError,
    /// The card refused the new ICCID.
    IccidRefused,
    /// What was read back is not what was written.
    ReadBackMismatch,
    /// The test allowance ran out.
    AllowanceExhausted,
    /// Any other error status of the card.
    CardError,
}

/// Kind, stable name, description zh, description en, remedy zh, remedy en.
type Row = (FailureKind, &'static str, [&'static str; 4]);

#[rustfmt::skip]
const TABLE: [Row; 12] = [
    (FailureKind::FileRefused, "file_refused", ["卡片拒绝更新文件", "the card refused to update a file",
        "核对卡片模板与芯片型号是否一致，再重新申请写卡", "check that the card profile fits the chip model, then apply again"]),
    (FailureKind::FileNotFound, "file_not_found", ["卡片中不存在所需文件", "a file does not exist on the card",
        "核对卡片模板的文件列表，再重新申请写卡", "check the files of the card profile, then apply again"]),
    (FailureKind::SecurityStatus, "security_status", ["卡片安全条件不满足", "the card's access conditions were not met",
        "核对远程文件管理应用的访问权限，再重新申请写卡", "check the access rights of the RFM application, then apply again"]),
    (FailureKind::MemoryProblem, "memory_problem", ["卡片存储器故障", "the card's memory failed",
        "由设备方案商检测并更换芯片", "have the vendor examine and replace the chip"]),
    (FailureKind::WrongLength, "wrong_length", ["数据长度与卡片文件不符", "a length does not fit the card's file",
        "核对卡片模板的文件长度，再重新申请写卡", "check the file lengths of the card profile, then apply again"]),
    (FailureKind::BadFormat, "bad_format", ["卡片无法解析写卡脚本", "the card could not parse the script",
        "核对卡片模板的脚本格式与最大长度，再重新申请写卡", "check script format and size of the card profile, then apply again"]),
    (FailureKind::RfmApplicationMissing, "rfm_application_missing", ["卡片中没有远程文件管理应用", "the card has no such RFM application",
        "核对卡片模板的 RFM AID，再重新申请写卡", "check the RFM AID of the card profile, then apply again"]),
    (FailureKind::ScriptSecurityError, "script_security_error", ["卡片拒绝了脚本的安全设置", "the card refused the security of the script",
        "核对卡片密钥与安全级别，再重新申请写卡", "check the card's keys and security level, then apply again"]),
    (FailureKind::IccidRefused, "iccid_refused", ["卡片不允许改写 ICCID", "the card does not let its ICCID be changed",
        "改用保留 ICCID 的卡片模板，或更换芯片型号", "use a card profile that keeps the ICCID, or another chip model"]),
    (FailureKind::ReadBackMismatch, "read_back_mismatch", ["回读内容与写入内容不一致", "what was read back is not what was written",
        "重新申请写卡；再次出现则由设备方案商检测芯片", "apply again; if it happens again have the vendor examine the chip"]),
    (FailureKind::AllowanceExhausted, "allowance_exhausted", ["测试流量已耗尽", "the test allowance ran out",
        "由运营方核实测试流量，必要时补充后重新申请写卡", "have the operator check the test allowance, then apply again"]),
    (FailureKind::CardError, "card_error", ["卡片返回其他错误", "the card answered with another error",
        "查看状态字，由设备方案商检测芯片后重新申请写卡", "look at the status word, have the vendor examine the chip, then apply again"]),
];

impl FailureKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.0)
    }

    fn row(self) -> &'static Row {
        // Every kind has its row (tested); the last one is the catch-all.
        TABLE
            .iter()
            .find(|row| row.0 == self)
            .unwrap_or(&TABLE[TABLE.len() - 1])
    }

    /// Stable name, spoken by the gateway and stored in the database.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().1
    }

    /// The kind named `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == code).map(|row| row.0)
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

    /// What to do, in Chinese.
    #[must_use]
    pub fn remedy_zh(self) -> &'static str {
        self.row().2[2]
    }

    /// What to do, in English.
    #[must_use]
    pub fn remedy_en(self) -> &'static str {
        self.row().2[3]
    }
}

#[cfg(test)]
mod tests {
    use super::FailureKind;

    #[test]
    fn every_kind_has_its_own_name_and_all_its_texts() {
        for kind in FailureKind::all() {
            assert_eq!(FailureKind::from_code(kind.code()), Some(kind));
            assert_eq!(kind.row().0, kind);
            assert!(
                [kind.zh(), kind.en(), kind.remedy_zh(), kind.remedy_en()]
                    .iter()
                    .all(|text| !text.is_empty())
            );
        }
        assert_eq!(FailureKind::from_code("anything"), None);
    }
}
