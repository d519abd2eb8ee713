//! Tables 3–6 of §8.2 as data: symptom, cause, remedy, who acts, and the time limit of each kind of incident.

use super::IncidentClass::{Application, Interface, Terminal, Writing};
use super::Limit::{BySeverity, Immediate, Within};
use super::Party::{Client, Operator, Platform, Vendor};
use super::{Concern, IncidentClass, Misfit, Party, Severity};
use crate::{HOUR_MS, MINUTE_MS};

/// Kind of an incident: a row of Tables 3–6, or one of several causes that a row combines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// An application with wrong parameters (Table 3).
    ApplicationInvalid,
    /// An application for a card that is written (Table 3).
    AlreadyWritten,
    /// A province has no number left (Table 3).
    ProvinceWithoutNumber,
    /// Several provinces have no number left (Table 3).
    ProvincesWithoutNumber,
    /// A card stays 写卡中 (Table 4).
    StuckWriting,
    /// Many cards of one client, province or gateway stay 写卡中 (Table 4).
    CardsStuck,
    /// A chip is faulty (Table 4).
    ChipFault,
    /// The number is written but does not communicate (Table 4).
    NumberSilent,
    /// A temporary number is past its test period (Table 4).
    TemporaryNumberExpired,
    /// An EID is in use twice: imported with other keys, or with sessions that alternate between two addresses. Not in
    /// the standard's tables; it belongs to the class of Table 4.
    EidDuplicated,
    /// A token is refused (Table 5).
    TokenRejected,
    /// A call gets no answer (Table 5).
    CallTimeout,
    /// A callback cannot be delivered (Table 5).
    CallbackUndeliverable,
    /// A card that is powered up finds no network (Table 6).
    NoNetwork,
    /// The test allowance is used up (Table 6).
    AllowanceExhausted,
    /// Module and chip do not work together (Table 6).
    ModuleIncompatible,
}

/// Within which time an incident has to be settled (处理时限).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// 即时: the caller acts at once; the platform watches no deadline.
    Immediate,
    /// A time in milliseconds, whatever the severity.
    Within(i64),
    /// One time while it is general and another if it becomes severe meanwhile, in milliseconds.
    BySeverity {
        /// While it is general.
        general: i64,
        /// If it is severe.
        severe: i64,
    },
}

impl Limit {
    /// The time limit for an incident of this severity, in milliseconds; `None` when the platform watches none.
    #[must_use]
    pub fn for_severity(self, severity: Severity) -> Option<i64> {
        match (self, severity) {
            (Immediate, _) => None,
            (Within(ms), _) => Some(ms),
            (BySeverity { general, .. }, Severity::General) => Some(general),
            (BySeverity { severe, .. }, Severity::Severe) => Some(severe),
        }
    }
}

/// What the standard says of a kind. Texts are in Chinese and English.
#[derive(Debug)]
pub struct KindRow {
    /// The kind.
    pub kind: IncidentKind,
    /// Stable name, also stored; never reused for another kind.
    pub code: &'static str,
    /// Class, and with it the table.
    pub class: IncidentClass,
    /// Severity of an incident when it is opened.
    pub severity: Severity,
    /// 处理时限.
    pub limit: Limit,
    /// Who acts.
    pub parties: &'static [Party],
    /// What an incident of this kind may be about.
    pub about: &'static [Concern],
    /// 异常现象.
    pub symptom: [&'static str; 2],
    /// 异常原因.
    pub cause: [&'static str; 2],
    /// 处理方式.
    pub remedy: [&'static str; 2],
}

const CHIP: &[Concern] = &[Concern::Chip];
const CLIENT_OR_CHIP: &[Concern] = &[Concern::Client, Concern::Chip];
const CLIENT_OR_PLATFORM: &[Concern] = &[Concern::Client, Concern::Platform];

/// Tables 3–6, in their order.
#[rustfmt::skip]
static TABLE: &[KindRow] = &[
    KindRow {
        kind: IncidentKind::ApplicationInvalid, code: "application_invalid",
        class: Application, severity: Severity::General, limit: Immediate, parties: &[Client, Platform],
        about: CLIENT_OR_CHIP,
        symptom: ["写卡申请校验失败，返回参数错误", "an application does not pass the checks; a parameter error is answered"],
        cause: ["EID 无效、写卡方式未指定、自动分配方式未填写省份编码等",
            "an invalid EID, no way of writing, automatic allotment without a province code, and the like"],
        remedy: ["业务需求方系统核对参数，修正错误后重新提交申请；写卡平台提供详细错误提示",
            "the business system checks the parameters, corrects them and applies again; the platform says exactly what is wrong"],
    },
    KindRow {
        kind: IncidentKind::AlreadyWritten, code: "already_written",
        class: Application, severity: Severity::General, limit: Immediate, parties: &[Client],
        about: CLIENT_OR_CHIP,
        symptom: ["申请失败，提示运营号已被写入", "an application fails: the operator number is written already"],
        cause: ["该 EID 对应的 eSIM 卡已完成写卡，运营号已写入，无法重复申请",
            "the eSIM with this EID holds its operator number and cannot be applied for again"],
        remedy: ["业务需求方系统查询卡片当前状态，确认已写卡成功后，无需重新申请；若需更换运营号，需按特殊流程上报处理",
            "the business system looks at the card's state; once it is seen to be written, nothing is left to do; another number takes the special procedure"],
    },
    KindRow {
        kind: IncidentKind::ProvinceWithoutNumber, code: "province_without_number",
        class: Application, severity: Severity::General,
        limit: BySeverity { general: 2 * HOUR_MS, severe: 4 * HOUR_MS }, parties: &[Platform, Client],
        about: &[Concern::Province],
        symptom: ["自动分配写卡时，提示无可用省份资源", "automatic allotment finds no number in the province"],
        cause: ["请求的省份无可用运营号资源，或资源已耗尽", "the province has no operator numbers, or they are used up"],
        remedy: ["写卡平台及时补充资源，业务需求方系统可更换其他省份重新申请",
            "the platform is restocked in time; the business system may apply for another province"],
    },
    KindRow {
        kind: IncidentKind::ProvincesWithoutNumber, code: "provinces_without_number",
        class: Application, severity: Severity::Severe, limit: Within(4 * HOUR_MS), parties: &[Platform, Client],
        about: &[Concern::Platform],
        symptom: ["自动分配写卡时，提示无可用省份资源（多省份无资源）", "automatic allotment finds no number in several provinces"],
        cause: ["多个省份无可用运营号资源，或资源已耗尽", "several provinces have no operator numbers, or they are used up"],
        remedy: ["写卡平台及时补充资源，业务需求方系统可更换其他省份重新申请",
            "the platform is restocked in time; the business system may apply for another province"],
    },
    KindRow {
        kind: IncidentKind::StuckWriting, code: "stuck_writing",
        class: Writing, severity: Severity::General,
        limit: BySeverity { general: 30 * MINUTE_MS, severe: HOUR_MS }, parties: &[Operator, Client, Vendor],
        about: CHIP,
        symptom: ["eSIM 卡一直处于写卡中状态", "a card stays in the state 写卡中"],
        cause: ["运营号未激活、无法正常通信，或网络信号中断、数据传输异常",
            "the operator number is not activated or cannot communicate, the signal is lost, or data do not get through"],
        remedy: ["排查运营号激活状态及通信情况，检查设备网络信号，重新上电后重试写卡；若为双贴省内/国内 eSIM，设备侧需上报 LBS 或 GPS 定位，完善切换逻辑",
            "check whether the number is activated and communicates, check the device's signal, power up again and retry; a device with two eSIMs, provincial and national, has to report its LBS or GPS position and improve its switching"],
    },
    KindRow {
        kind: IncidentKind::CardsStuck, code: "cards_stuck",
        class: Writing, severity: Severity::Severe, limit: Within(HOUR_MS), parties: &[Operator, Platform, Client],
        about: &[Concern::Client, Concern::Province],
        symptom: ["同一业务需求方、省份或网关的多张 eSIM 卡一直处于写卡中状态",
            "many cards of one client, province or gateway stay in the state 写卡中"],
        cause: ["运营号批量未激活、无法正常通信，或网络信号中断、数据传输异常",
            "the operator numbers are not activated or cannot communicate, the network is down, or data do not get through"],
        remedy: ["排查该范围内运营号激活状态、网络与网关，恢复后由设备重新上电重试写卡",
            "check the activation of the numbers, the network and the gateway of that range; once they work, power the devices up again"],
    },
    KindRow {
        kind: IncidentKind::ChipFault, code: "chip_fault",
        class: Writing, severity: Severity::General, limit: Within(24 * HOUR_MS), parties: &[Vendor, Platform],
        about: CHIP,
        symptom: ["写卡失败，提示芯片故障", "writing fails because of the chip"],
        cause: ["eSIM 芯片硬件故障，无法接收或处理写卡指令", "the chip's hardware is faulty and cannot take or carry out the commands"],
        remedy: ["设备方案商检测芯片状态，更换故障芯片，重新发起写卡申请；写卡平台记录故障芯片信息，纳入质量管控",
            "the vendor examines and replaces the chip and applies again; the platform registers the faulty chip for quality control"],
    },
    KindRow {
        kind: IncidentKind::NumberSilent, code: "number_silent",
        class: Writing, severity: Severity::General, limit: Within(HOUR_MS), parties: &[Platform, Operator],
        about: CHIP,
        symptom: ["写卡完成后，运营号无法通信", "the card is written but the operator number does not communicate"],
        cause: ["写卡数据错误、运营号未放通网络，或套餐流量耗尽",
            "wrong data were written, the number is not admitted to the network, or its data plan is used up"],
        remedy: ["写卡平台校验写卡数据，运营方放通网络，补充套餐流量；必要时重新发起写卡",
            "the platform verifies what was written, the operator admits the number and tops its plan up; if need be the card is written again"],
    },
    KindRow {
        kind: IncidentKind::TemporaryNumberExpired, code: "temporary_number_expired",
        class: Writing, severity: Severity::General, limit: Within(24 * HOUR_MS), parties: &[Operator, Client],
        about: CHIP,
        symptom: ["临时号码超期，无法发起写卡", "the temporary number is past its test period; writing cannot begin"],
        cause: ["eSIM 芯片预置的临时号码已过测试期，未及时发起写卡申请",
            "the test period of the chip's temporary number ended before writing was applied for"],
        remedy: ["运营方核实临时号码超期原因，按流程为该 eSIM 芯片重新配置有效临时号码；业务需求方在临时号码有效期内重新发起写卡申请",
            "the operator finds out why and gives the chip a valid temporary number; the client applies again while it is valid"],
    },
    KindRow {
        kind: IncidentKind::EidDuplicated, code: "eid_duplicated",
        class: Writing, severity: Severity::Severe, limit: Within(4 * HOUR_MS), parties: &[Operator, Vendor],
        about: CHIP,
        symptom: ["同一 EID 出现两份：以其他密钥导入，或会话在两个地址间交替建立（平台规定，标准未列）",
            "an EID is in use twice: imported with other keys, or its sessions alternate between two addresses (a rule of the platform, not in the standard)"],
        cause: ["EID 与密钥被复制到另一芯片，或导入文件有误", "EID and keys were copied to another chip, or a file is wrong"],
        remedy: ["芯片已锁定，所持码号保留；核实哪一芯片为真，登记故障或更正密钥，处理完成后芯片解锁",
            "the chip is blocked and keeps its number; find out which one is genuine, register the fault or correct the keys; settling the incident unblocks the chip"],
    },
    KindRow {
        kind: IncidentKind::TokenRejected, code: "token_rejected",
        class: Interface, severity: Severity::General, limit: Immediate, parties: &[Client],
        about: CLIENT_OR_PLATFORM,
        symptom: ["接口调用提示 TOKEN 无效或过期", "a call is refused because its token is invalid or expired"],
        cause: ["TOKEN 已过 24 h 有效期，或调用时 TOKEN 填写错误", "the token's 24 hours are over, or it was sent wrongly"],
        remedy: ["业务需求方系统通过 TOKEN 获取接口重新获取认证令牌，核对 TOKEN 填写信息后重新调用接口",
            "the business system takes a new token, checks how it sends it and calls again"],
    },
    KindRow {
        kind: IncidentKind::CallTimeout, code: "call_timeout",
        class: Interface, severity: Severity::General,
        limit: BySeverity { general: 30 * MINUTE_MS, severe: HOUR_MS }, parties: &[Client, Platform],
        about: CLIENT_OR_PLATFORM,
        symptom: ["接口调用超时，无响应", "a call gets no answer in time"],
        cause: ["网络通信异常、写卡平台负载过高，或业务需求方服务端 IP 未完成报白",
            "the network is disturbed, the platform is overloaded, or the client's address is not on the allow-list"],
        remedy: ["排查网络连接状态，待网络恢复后重试；写卡平台排查负载情况，及时扩容；核对 IP 报白状态，未报白则完成报白后重试",
            "check the connection and retry once it works; the platform checks its load and grows in time; check the allow-list and have the address put on it"],
    },
    KindRow {
        kind: IncidentKind::CallbackUndeliverable, code: "callback_undeliverable",
        class: Interface, severity: Severity::General, limit: Within(HOUR_MS), parties: &[Client, Platform],
        about: CLIENT_OR_PLATFORM,
        symptom: ["回调信息接收失败", "a callback is not received"],
        cause: ["业务需求方回调地址错误、服务器未正常运行，或未返回有效响应导致平台重试失败",
            "the callback address is wrong, the server is down, or it gave no valid answer to any attempt"],
        remedy: ["业务需求方核对回调地址，确保服务器正常运行，按规范返回响应；写卡平台重新推送回调信息",
            "the client checks address and server and answers as specified; the platform sends the callback again"],
    },
    KindRow {
        kind: IncidentKind::NoNetwork, code: "no_network",
        class: Terminal, severity: Severity::General, limit: Within(HOUR_MS), parties: &[Vendor, Operator],
        about: CHIP,
        symptom: ["eSIM 卡片上电后无法连接网络", "a card that is powered up finds no network"],
        cause: ["终端模组网络信号弱、未支持对应网络频段", "the module's signal is weak, or it does not support the network's bands"],
        remedy: ["设备方案商调整设备位置确保网络信号稳定，核对模组网络频段支持情况；运营方核实测试流量，必要时补充流量",
            "the vendor moves the device to where the signal is steady and checks the module's bands; the operator checks the test allowance and tops it up if need be"],
    },
    KindRow {
        kind: IncidentKind::AllowanceExhausted, code: "allowance_exhausted",
        class: Terminal, severity: Severity::General, limit: Within(HOUR_MS), parties: &[Operator, Vendor],
        about: CHIP,
        symptom: ["eSIM 卡片上电后无法连接网络（测试流量耗尽）", "a card that is powered up finds no network: its test allowance is used up"],
        cause: ["临时号码测试流量耗尽", "the test allowance of the temporary number is used up"],
        remedy: ["运营方核实测试流量，必要时补充流量", "the operator checks the test allowance and tops it up if need be"],
    },
    KindRow {
        kind: IncidentKind::ModuleIncompatible, code: "module_incompatible",
        class: Terminal, severity: Severity::General, limit: Within(24 * HOUR_MS), parties: &[Vendor],
        about: CHIP,
        symptom: ["终端模组无法与 eSIM 芯片交互", "the module cannot talk to the chip"],
        cause: ["模组与芯片适配异常，或模组未支持所需 AT 指令、BIP 协议",
            "module and chip do not fit, or the module lacks the AT commands or BIP that are needed"],
        remedy: ["设备方案商重新完成模组与芯片的适配调试，确保模组支持相关指令及协议，必要时更换适配的模组",
            "the vendor adapts module and chip again, makes sure that commands and protocol are supported, and replaces the module if need be"],
    },
];

impl KindRow {
    /// Why an incident of this kind cannot be about `concern`; `None` when it can.
    #[must_use]
    pub fn misfit(&self, concern: Concern) -> Option<Misfit> {
        if self.about.contains(&concern) {
            return None;
        }
        let expected = self.about.iter().find_map(|one| one.field());
        match (concern.field(), expected) {
            (Some(given), _) => Some(Misfit::NotApplicable(given)),
            (None, expected) => expected.map(Misfit::Missing),
        }
    }
}

impl IncidentKind {
    /// What the standard says of this kind.
    #[must_use]
    pub fn row(self) -> &'static KindRow {
        let found = TABLE.iter().find(|row| row.kind == self);
        found.expect("every kind has a row, see the test")
    }

    /// Text stored in the database; never reused for another kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.row().code
    }

    /// The kind with this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::all().find(|kind| kind.code() == code)
    }

    /// Every kind, in the order of the tables.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|row| row.kind)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{Concern, IncidentClass, IncidentKind, Limit, Misfit, Severity, TABLE};
    use crate::{HOUR_MS, MINUTE_MS};

    #[test]
    fn every_kind_has_one_row_and_its_name_leads_back() {
        // The match fails to compile when a kind is missing from it.
        let listed = |kind: IncidentKind| match kind {
            IncidentKind::ApplicationInvalid
            | IncidentKind::AlreadyWritten
            | IncidentKind::ProvinceWithoutNumber
            | IncidentKind::ProvincesWithoutNumber
            | IncidentKind::StuckWriting
            | IncidentKind::CardsStuck
            | IncidentKind::ChipFault
            | IncidentKind::NumberSilent
            | IncidentKind::TemporaryNumberExpired
            | IncidentKind::EidDuplicated
            | IncidentKind::TokenRejected
            | IncidentKind::CallTimeout
            | IncidentKind::CallbackUndeliverable
            | IncidentKind::NoNetwork
            | IncidentKind::AllowanceExhausted
            | IncidentKind::ModuleIncompatible => kind.row().kind == kind,
        };
        assert!(IncidentKind::all().all(listed));
        let kinds: HashSet<_> = IncidentKind::all().collect();
        let codes: HashSet<_> = TABLE.iter().map(|row| row.code).collect();
        assert_eq!((TABLE.len(), kinds.len(), codes.len()), (16, 16, 16));
        for kind in IncidentKind::all() {
            assert_eq!(IncidentKind::from_code(kind.code()), Some(kind));
        }
    }

    #[test]
    fn every_row_says_everything_in_both_languages() {
        for row in TABLE {
            for [zh, en] in [row.symptom, row.cause, row.remedy] {
                assert!(zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{zh}");
                assert!(!en.is_empty() && (en.is_ascii() || en.contains("写卡中")), "{en}");
            }
            assert!(!row.parties.is_empty() && !row.about.is_empty(), "{}", row.code);
        }
    }

    #[test]
    fn an_incident_is_about_what_its_kind_is_about_and_nothing_else() {
        use Concern::{Chip, Client, Platform, Province};
        let wrong =
            |kind: IncidentKind| [Chip, Client, Province, Platform].map(|concern| kind.row().misfit(concern));
        let no = |field| Some(Misfit::NotApplicable(field));
        let (chip, client, province) = (no("eid"), no("client_id"), no("province_code"));
        let missing = |field| Some(Misfit::Missing(field));
        for (kind, expected) in [
            (
                IncidentKind::StuckWriting,
                [None, client, province, missing("eid")],
            ),
            (IncidentKind::NoNetwork, [None, client, province, missing("eid")]),
            (
                IncidentKind::ApplicationInvalid,
                [None, None, province, missing("client_id")],
            ),
            (
                IncidentKind::ProvinceWithoutNumber,
                [chip, client, None, missing("province_code")],
            ),
            (
                IncidentKind::ProvincesWithoutNumber,
                [chip, client, province, None],
            ),
            (IncidentKind::CallbackUndeliverable, [chip, None, province, None]),
        ] {
            assert_eq!(wrong(kind), expected, "{kind:?}");
        }
        for kind in IncidentKind::all() {
            for concern in [Chip, Client, Province, Platform] {
                let fits = kind.row().about.contains(&concern);
                assert_eq!(kind.row().misfit(concern).is_none(), fits, "{kind:?} {concern:?}");
            }
        }
    }

    #[test]
    fn the_tables_are_those_of_the_standard() {
        let in_table = |class| TABLE.iter().filter(|row| row.class == class).count();
        // One of the class of Table 4, and one of another, are the platform's own.
        assert_eq!(IncidentClass::ALL.map(in_table), [4, 5 + 1, 3, 3]);
        assert_eq!(IncidentClass::ALL.map(IncidentClass::table), [3, 4, 5, 6]);
        let limits = |kind: IncidentKind| {
            [Severity::General, Severity::Severe].map(|severity| kind.row().limit.for_severity(severity))
        };
        assert_eq!(limits(IncidentKind::TokenRejected), [None, None]);
        assert_eq!(limits(IncidentKind::ChipFault), [Some(24 * HOUR_MS); 2]);
        assert_eq!(
            limits(IncidentKind::CallTimeout),
            [Some(30 * MINUTE_MS), Some(HOUR_MS)]
        );
        assert_eq!(
            limits(IncidentKind::ProvinceWithoutNumber),
            [Some(2 * HOUR_MS), Some(4 * HOUR_MS)]
        );
        let severe: Vec<_> = TABLE
            .iter()
            .filter(|row| row.severity == Severity::Severe)
            .map(|row| (row.kind, row.limit))
            .collect();
        assert_eq!(
            severe,
            [
                (IncidentKind::ProvincesWithoutNumber, Limit::Within(4 * HOUR_MS)),
                (IncidentKind::CardsStuck, Limit::Within(HOUR_MS)),
                (IncidentKind::EidDuplicated, Limit::Within(4 * HOUR_MS))
            ]
        );
    }
}
