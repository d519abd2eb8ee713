//! Incidents (§8): their kinds with what Tables 3–6 say of each ([`IncidentKind`]), and the clock that decides when
//! one becomes severe and what is overdue ([`IncidentState`]).

mod clock;
mod table;

pub use clock::{FINAL_REPORT_WITHIN_MS, IncidentState, Notice, REPORT_WITHIN_MS};
pub use table::{IncidentKind, KindRow, Limit};

/// Class of an incident (§8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentClass {
    /// 申请异常, Table 3.
    Application,
    /// 写卡异常, Table 4.
    Writing,
    /// 接口异常, Table 5.
    Interface,
    /// 终端异常, Table 6.
    Terminal,
}

impl IncidentClass {
    /// Every class, in the order of the tables.
    pub const ALL: [Self; 4] = [Self::Application, Self::Writing, Self::Interface, Self::Terminal];

    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Writing => "writing",
            Self::Interface => "interface",
            Self::Terminal => "terminal",
        }
    }

    /// Number of its table in the standard.
    #[must_use]
    pub fn table(self) -> u8 {
        match self {
            Self::Application => 3,
            Self::Writing => 4,
            Self::Interface => 5,
            Self::Terminal => 6,
        }
    }

    /// Name, Chinese and English.
    #[must_use]
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Application => ["申请异常", "application"],
            Self::Writing => ["写卡异常", "writing"],
            Self::Interface => ["接口异常", "interface"],
            Self::Terminal => ["终端异常", "terminal"],
        }
    }
}

/// Severity of an incident (§8.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Severity {
    /// 一般异常: the service as a whole continues.
    General,
    /// 严重异常: the service is impaired; the incident has to be reported (§8.3.1).
    Severe,
}

impl Severity {
    /// Stable name, also stored.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::General => "general",
            Self::Severe => "severe",
        }
    }

    /// The severity with this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::General, Self::Severe]
            .into_iter()
            .find(|severity| severity.code() == code)
    }
}

/// What an incident may be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Concern {
    /// A chip.
    Chip,
    /// A client.
    Client,
    /// A province.
    Province,
    /// The platform as a whole.
    Platform,
}

impl Concern {
    /// The field that names the subject; none for the platform.
    #[must_use]
    pub fn field(self) -> Option<&'static str> {
        match self {
            Self::Chip => Some("eid"),
            Self::Client => Some("client_id"),
            Self::Province => Some("province_code"),
            Self::Platform => None,
        }
    }
}

/// Why a subject does not fit a kind of incident; each names the field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Misfit {
    /// The kind requires this field, and it was not given.
    Missing(&'static str),
    /// This field was given, and the kind does not take it.
    NotApplicable(&'static str),
}

/// Who has to act on an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Party {
    /// 业务需求方.
    Client,
    /// 运营方.
    Operator,
    /// 设备方案商.
    Vendor,
    /// 写卡平台.
    Platform,
}

impl Party {
    /// Stable name.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Operator => "operator",
            Self::Vendor => "vendor",
            Self::Platform => "platform",
        }
    }

    /// Name, Chinese and English.
    #[must_use]
    pub fn names(self) -> [&'static str; 2] {
        match self {
            Self::Client => ["业务需求方", "client"],
            Self::Operator => ["运营方", "operator"],
            Self::Vendor => ["设备方案商", "vendor"],
            Self::Platform => ["写卡平台", "platform"],
        }
    }
}
