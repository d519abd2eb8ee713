//! The states of a writing task: an application and its execution.

use super::CardStatus;

/// State of a task. The first two are open; a chip has at most one open task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Accepted; the card has not powered up yet.
    Waiting,
    /// The card opened a session and is being written or verified.
    Writing,
    /// The operator number is written and communicates.
    Succeeded,
    /// Writing ended without success.
    Failed,
    /// Withdrawn before the card powered up.
    Cancelled,
}

impl TaskState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Waiting,
        Self::Writing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
    ];

    /// Text stored in the database; never reused for another state.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Writing => "writing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state stored under `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// True while the task can still lead to a written card.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Waiting | Self::Writing)
    }

    /// The state of the card that follows from the state of its task.
    #[must_use]
    pub fn card_status(self) -> CardStatus {
        match self {
            Self::Waiting => CardStatus::WaitingPowerOn,
            Self::Writing => CardStatus::Writing,
            Self::Succeeded => CardStatus::Written,
            Self::Failed => CardStatus::Failed,
            Self::Cancelled => CardStatus::ToWrite,
        }
    }
}

/// What a device session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Work {
    /// Write the operator number.
    Write,
    /// Verify over the operator number that the card holds what was reserved.
    Verify,
    /// Nothing to do.
    None,
}

impl Work {
    /// Text stored in the database and sent to the gateway.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Verify => "verify",
            Self::None => "none",
        }
    }

    /// The work named `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::Write, Self::Verify, Self::None]
            .into_iter()
            .find(|work| work.code() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::{TaskState, Work};

    #[test]
    fn codes_lead_back_to_their_state() {
        for state in TaskState::ALL {
            assert_eq!(TaskState::from_code(state.code()), Some(state));
        }
        for work in [Work::Write, Work::Verify, Work::None] {
            assert_eq!(Work::from_code(work.code()), Some(work));
        }
        assert_eq!(TaskState::from_code(""), None);
        assert_eq!(Work::from_code("Write"), None);
    }
}
