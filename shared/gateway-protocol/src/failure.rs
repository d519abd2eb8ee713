//! Why writing a card can fail, whether the chip is suspected, and what to do about it (§8.2.2).

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// Kind of a failed writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// A file or command was refused for what it holds or for the state of the card.
    FileRefused,
    /// A file, record or directory does not exist on the card.
    FileNotFound,
    /// The RFM application may not do this to the file.
    SecurityStatus,
    /// The memory of the card failed or is full.
    MemoryProblem,
    /// A length does not fit the card's file.
    WrongLength,
    /// The card could not parse the script, or its answer cannot be parsed.
    BadFormat,
    /// The card has no RFM application with the AID of the profile.
    RfmApplicationMissing,
    /// The card refused the security of the script.
    ScriptSecurityError,
    /// The profile requires the ICCID to be replaced, and the card refused.
    IccidRefused,
    /// What was read back is not what was written.
    ReadBackMismatch,
    /// The test allowance ran out.
    AllowanceExhausted,
    /// The card refused the command that loads its key material.
    KeysRefused,
    /// The gateway has no card profile of the name that the chip was imported with. A gateway reports this and the next
    /// two only as the first report of a session, in which it has sent nothing to the card.
    ProfileUnknown,
    /// The gateway cannot encode what was reserved for the card.
    DataUnusable,
    /// The gateway cannot make the key command from the keys that it has and those that it was sent.
    KeysUnusable,
    /// Any other error status of the card.
    CardError,
}

/// One row of the table of failures.
struct Row {
    kind: FailureKind,
    code: &'static str,
    suspects_chip: bool,
    zh: &'static str,
    en: &'static str,
    remedy_zh: &'static str,
    remedy_en: &'static str,
}

const fn row(
    kind: FailureKind,
    code: &'static str,
    suspects_chip: bool,
    [zh, en]: [&'static str; 2],
    [remedy_zh, remedy_en]: [&'static str; 2],
) -> Row {
    Row {
        kind,
        code,
        suspects_chip,
        zh,
        en,
        remedy_zh,
        remedy_en,
    }
}

/// Every kind, in the order of [`FailureKind`]: code, whether the chip is suspected, what happened, what to do.
#[rustfmt::skip]
const TABLE: [Row; 16] = [
    row(FailureKind::FileRefused, "file_refused", false,
        ["卡片拒绝更新文件", "the card refused to update a file"],
        ["核对卡片模板的文件与数据是否符合芯片型号，再重新申请写卡",
         "check that files and data of the card profile fit the chip model, then apply again"]),
    row(FailureKind::FileNotFound, "file_not_found", false,
        ["卡片中不存在所需文件", "a file does not exist on the card"],
        ["对照芯片型号核对卡片模板的文件路径，再重新申请写卡",
         "check the paths of the card profile against the chip model, then apply again"]),
    row(FailureKind::SecurityStatus, "security_status", false,
        ["卡片安全条件不满足", "the card's access conditions were not met"],
        ["请卡商开放 RFM 应用对该文件的访问权限，再重新申请写卡",
         "have the card vendor give the RFM application access to the file, then apply again"]),
    row(FailureKind::MemoryProblem, "memory_problem", true,
        ["卡片存储器故障", "the card's memory failed"],
        ["由设备方案商检测并更换芯片",
         "have the vendor examine and replace the chip"]),
    row(FailureKind::WrongLength, "wrong_length", false,
        ["数据长度与卡片文件不符", "a length does not fit the card's file"],
        ["核对卡片上文件或记录的长度，再重新申请写卡",
         "check the length of the file or record on the card, then apply again"]),
    row(FailureKind::BadFormat, "bad_format", false,
        ["卡片无法解析写卡脚本", "the card could not parse the script"],
        ["减小卡片模板的 max_script_bytes，或请卡商确认脚本格式，再重新申请写卡",
         "lower max_script_bytes of the card profile, or ask the card vendor about the script format, then apply again"]),
    row(FailureKind::RfmApplicationMissing, "rfm_application_missing", false,
        ["卡片中没有远程文件管理应用", "the card has no such RFM application"],
        ["核对卡片模板的 rfm_aid，再重新申请写卡",
         "check rfm_aid of the card profile, then apply again"]),
    row(FailureKind::ScriptSecurityError, "script_security_error", false,
        ["卡片拒绝了脚本的安全设置", "the card refused the security of the script"],
        ["核对 RFM 应用的安全级别与密钥版本，再重新申请写卡",
         "check security level and key version of the RFM application, then apply again"]),
    row(FailureKind::IccidRefused, "iccid_refused", false,
        ["卡片不允许改写 ICCID", "the card does not let its ICCID be changed"],
        ["改用保留 ICCID 的卡片模板，或更换芯片型号",
         "use a card profile that keeps the ICCID, or another chip model"]),
    row(FailureKind::ReadBackMismatch, "read_back_mismatch", true,
        ["回读内容与写入内容不一致", "what was read back is not what was written"],
        ["芯片未保存已确认写入的内容，由设备方案商检测并更换芯片",
         "the chip does not keep what it acknowledged: have the vendor examine and replace it"]),
    row(FailureKind::AllowanceExhausted, "allowance_exhausted", false,
        ["测试流量已耗尽", "the test allowance ran out"],
        ["由运营方核实测试流量，必要时补充后重新申请写卡",
         "have the operator check the test allowance, then apply again"]),
    row(FailureKind::KeysRefused, "keys_refused", false,
        ["卡片拒绝写入密钥的命令", "the card refused the command that loads its keys"],
        ["与卡商核对卡片模板的 key_material、芯片的密钥版本与 DEK，再重新申请写卡",
         "check key_material of the card profile, and key version and DEK of the chip, with the card vendor, then apply again"]),
    row(FailureKind::ProfileUnknown, "profile_unknown", false,
        ["网关没有该芯片的卡片模板", "the gateway does not have the card profile of the chip"],
        ["在每个网关的 profiles_dir 中加入该卡片模板并重启网关，再重新申请写卡",
         "add the card profile to profiles_dir of every gateway and restart it, then apply again"]),
    row(FailureKind::DataUnusable, "data_unusable", false,
        ["网关无法将码号数据编码写入卡片", "the gateway cannot encode the data of the number for the card"],
        ["核对所分配码号的 ICCID、IMSI、号码与短消息中心地址，将该码号销户，再重新申请写卡以分配其他码号",
         "check ICCID, IMSI, number and short message service centre of the reserved number, retire it, then apply again for another"]),
    row(FailureKind::KeysUnusable, "keys_unusable", false,
        ["网关无法使用写入卡片的密钥", "the gateway cannot use the keys that are to be written"],
        ["核对平台与网关的 link_key 是否相同、K、OPc 与芯片的 DEK 是否均为 16 字节，再重新申请写卡",
         "check that platform and gateway have the same link_key, and that K, OPc and the DEK of the chip have 16 bytes each, then apply again"]),
    row(FailureKind::CardError, "card_error", false,
        ["卡片返回其他错误", "the card answered with another error"],
        ["就状态字请卡商排查，再重新申请写卡",
         "ask the card vendor about the status word, then apply again"]),
];

impl FailureKind {
    /// Every kind.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }

    const fn row(self) -> &'static Row {
        &TABLE[self as usize]
    }

    /// Stable name, reported by gateways and stored by the platform.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.row().code
    }

    /// The kind with the stable name `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.code == code).map(|row| row.kind)
    }

    /// Whether the chip itself is suspected and belongs in the register of faulty chips.
    #[must_use]
    pub const fn suspects_chip(self) -> bool {
        self.row().suspects_chip
    }

    /// What happened, in Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        self.row().zh
    }

    /// What happened, in English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        self.row().en
    }

    /// What to do, in Chinese.
    #[must_use]
    pub const fn remedy_zh(self) -> &'static str {
        self.row().remedy_zh
    }

    /// What to do, in English.
    #[must_use]
    pub const fn remedy_en(self) -> &'static str {
        self.row().remedy_en
    }
}

impl PartialSchema for FailureKind {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("失败类别 / why writing failed"))
            .enum_values(Some(TABLE.iter().map(|row| row.code)))
            .into()
    }
}

impl ToSchema for FailureKind {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("FailureKind")
    }
}

#[cfg(test)]
mod tests {
    use super::{FailureKind, TABLE};

    #[test]
    fn every_kind_has_its_row_a_name_of_its_own_and_all_its_texts() {
        for (at, row) in TABLE.iter().enumerate() {
            assert_eq!(row.kind as usize, at);
            assert_eq!(FailureKind::from_code(row.code), Some(row.kind));
            for (zh, en) in [(row.zh, row.en), (row.remedy_zh, row.remedy_en)] {
                assert!(!zh.is_ascii() && en.is_ascii() && !en.is_empty(), "{}", row.code);
            }
        }
        assert_eq!(FailureKind::from_code("anything"), None);
    }
}
