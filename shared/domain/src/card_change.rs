//! The changes of state of a card that its client can be sent (§7.3).

/// A change of state of a card, by what the card became and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CardChange {
    /// 待开机上电: an application was accepted.
    Accepted,
    /// 申请失败: an application was refused.
    Refused,
    /// 待写卡: the client withdrew its application.
    Cancelled,
    /// 待写卡: the task ended for another cause before the card powered up.
    Ended,
    /// 写卡中: the card opened its channel.
    Writing,
    /// 写卡成功: written, and the operator number communicates.
    Succeeded,
    /// 写卡失败: writing ended without success.
    Failed,
    /// 待写卡: a written card may be written with another number.
    Reopened,
}

impl CardChange {
    /// Every change.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Refused,
        Self::Cancelled,
        Self::Ended,
        Self::Writing,
        Self::Succeeded,
        Self::Failed,
        Self::Reopened,
    ];

    /// Text stored in the database and sent as `event`; never reused for another change.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
            Self::Writing => "writing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Reopened => "reopened",
        }
    }

    /// The change called `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.code() == code)
    }

    /// Whether it is the outcome of a task (§6.2.4.2). Receivers get the outcomes unless they choose otherwise.
    #[must_use]
    pub fn is_outcome(self) -> bool {
        matches!(self, Self::Ended | Self::Succeeded | Self::Failed)
    }
}

#[cfg(test)]
mod tests {
    use super::CardChange;

    #[test]
    fn codes_lead_back_to_their_change() {
        for change in CardChange::ALL {
            assert_eq!(CardChange::from_code(change.code()), Some(change));
        }
        assert_eq!(CardChange::from_code(""), None);
    }
}
