//! The states of an operator number.

/// State of a number (§5.3.1.1 码号管理). Clients see it in the words of operators (码号状态), of which the first
/// covers three of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberStatus {
    /// 待激活: in its province's pool, free for automatic writing.
    Available,
    /// 待激活: set aside for designated writing by one client.
    Allotted,
    /// 待激活: held for one chip.
    Reserved,
    /// 正常: lives in a chip.
    Written,
    /// 停机: not to be used until it is resumed.
    Suspended,
    /// 销户: never to be used again.
    Retired,
}

impl NumberStatus {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::Available,
        Self::Allotted,
        Self::Reserved,
        Self::Written,
        Self::Suspended,
        Self::Retired,
    ];

    /// Text stored in the database; never reused for another state.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Allotted => "allotted",
            Self::Reserved => "reserved",
            Self::Written => "written",
            Self::Suspended => "suspended",
            Self::Retired => "retired",
        }
    }

    /// The state stored under `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The word of operators for it.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Available | Self::Allotted | Self::Reserved => "待激活",
            Self::Written => "正常",
            Self::Suspended => "停机",
            Self::Retired => "销户",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::NumberStatus;

    #[test]
    fn codes_lead_back_to_their_state() {
        for status in NumberStatus::ALL {
            assert_eq!(NumberStatus::from_code(status.code()), Some(status));
        }
        assert_eq!(NumberStatus::from_code("free"), None);
    }
}
