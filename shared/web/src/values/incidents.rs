//! The words of incidents and alerts (§8).

use utoipa::openapi::schema::Object;

use super::identifiers::text;
use super::words::words;
use super::{Kind, Parsed};
use domain::{Malformed, Month as CalendarMonth};
use operations::ChipFaultKind;
use store::incident::By;

words! {
    /// Kind of an incident.
    pub IncidentKind = domain::IncidentKind {
        values: domain::IncidentKind::all(),
        about: "异常种类（表 3 至表 6） / kind of an incident (Tables 3–6)",
        wrong: "没有这种异常，见 /admin/v1/incidents/kinds", "no such kind, see /admin/v1/incidents/kinds",
    }
    /// Class of an incident.
    pub IncidentClass = domain::IncidentClass {
        values: domain::IncidentClass::ALL,
        about: "异常类别：申请、写卡、接口、终端 / class of an incident",
        wrong: "应为 application、writing、interface 或 terminal",
            "not one of application, writing, interface, terminal",
    }
    /// Severity of an incident.
    pub Severity = domain::Severity {
        values: [domain::Severity::General, domain::Severity::Severe],
        about: "一般异常或严重异常 / severity of an incident",
        wrong: "应为 general 或 severe", "neither general nor severe",
    }
    /// Who acts on an incident.
    pub Party = domain::Party {
        values: [
            domain::Party::Client,
            domain::Party::Operator,
            domain::Party::Vendor,
            domain::Party::Platform,
        ],
        about: "处理方：业务需求方、运营方、设备方案商、写卡平台 / who acts",
        wrong: "应为 client、operator、vendor 或 platform", "not one of client, operator, vendor, platform",
    }
    /// Who opened or settled an incident.
    pub IncidentActor = By {
        values: [By::Platform, By::Admin, By::Client],
        about: "由平台自动、由管理员或由业务需求方 / the platform by itself, an administrator, or a client",
        wrong: "应为 platform、admin 或 client", "not one of platform, admin, client",
    }
    /// A fault of a chip that its client reports.
    pub ReportedFault = ChipFaultKind {
        values: ChipFaultKind::ALL,
        about: "故障种类：芯片故障、写卡后无法通信、上电后无网络、模组不适配 / what is wrong with the chip",
        wrong: "应为 chip_fault、number_silent、no_network 或 module_incompatible",
            "not one of chip_fault, number_silent, no_network, module_incompatible",
    }
    /// What deviates from the standard.
    pub DeviationKind = domain::Deviation {
        values: domain::Deviation::all(),
        about: "偏差种类 / what deviates",
        wrong: "没有这种偏差", "no such kind of deviation",
    }
    /// Kind of an alert.
    pub AlertKind = domain::AlertKind {
        values: domain::AlertKind::all(),
        about: "告警种类 / kind of an alert",
        wrong: "没有这种告警", "no such kind of alert",
    }
}

/// A calendar month.
pub type Month = Parsed<CalendarMonth>;

impl Kind for CalendarMonth {
    const NAME: &'static str = "Month";

    fn parse(text: &str) -> Result<Self, Malformed> {
        Self::parse(text)
    }

    fn object() -> Object {
        text("^[0-9]{4}-(0[1-9]|1[0-2])$", "月份 / calendar month", "2026-07")
    }
}
