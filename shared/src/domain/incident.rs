//! The incidents the platform sees by itself (§8.2).

/// Kind of an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IncidentKind {
    /// 申请异常: a province has no number left (Table 3).
    ProvinceWithoutNumber,
    /// 申请异常: several provinces have no number left.
    ProvincesWithoutNumber,
    /// 写卡异常: a temporary number is past its test period (Table 4).
    TemporaryNumberExpired,
    /// 写卡异常: a chip is faulty (Table 4).
    ChipFault,
    /// 写卡异常: the number is written but does not communicate (Table 4).
    NumberSilent,
    /// 接口异常: a callback cannot be delivered (Table 5).
    CallbackUndeliverable,
    /// 终端异常: the test allowance is used up (Table 6).
    AllowanceExhausted,
}

impl IncidentKind {
    /// Text stored in the database; never reused for another kind.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::ProvinceWithoutNumber => "province_without_number",
            Self::ProvincesWithoutNumber => "provinces_without_number",
            Self::TemporaryNumberExpired => "temporary_number_expired",
            Self::ChipFault => "chip_fault",
            Self::NumberSilent => "number_silent",
            Self::CallbackUndeliverable => "callback_undeliverable",
            Self::AllowanceExhausted => "allowance_exhausted",
        }
    }
}
