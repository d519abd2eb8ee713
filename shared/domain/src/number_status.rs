//! The states of an operator number.

/// State of a number (§5.3.1.1 码号管理).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberStatus {
    /// 可用: in its province's pool, free for automatic writing.
    Available,
    /// 已划拨: set aside for designated writing by one client.
    Allotted,
    /// 已预占: held for one chip.
    Reserved,
    /// 已写入: lives in a chip.
    Written,
    /// 已停用: not to be used until it is resumed.
    Suspended,
    /// 已注销: never to be used again.
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

    /// Name in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Available => "可用",
            Self::Allotted => "已划拨",
            Self::Reserved => "已预占",
            Self::Written => "已写入",
            Self::Suspended => "已停用",
            Self::Retired => "已注销",
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
