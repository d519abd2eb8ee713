//! The states of a writing task: an application and its execution.

use super::TaskFailure;

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
}

/// State of a task as its client sees it. Of the tasks that ended before the card powered up, it tells those that their
/// client withdrew from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskStatus {
    /// Accepted; the card has not powered up yet.
    Waiting,
    /// The card is being written or verified.
    Writing,
    /// The operator number is written and communicates.
    Succeeded,
    /// Writing ended without success.
    Failed,
    /// Withdrawn by its client before the card powered up.
    Cancelled,
    /// Ended for another cause before the card powered up.
    Ended,
}

impl TaskStatus {
    /// The status of a task in this state, which ended for `failure`.
    #[must_use]
    pub fn of(state: TaskState, failure: Option<TaskFailure>) -> Self {
        match (state, failure) {
            (TaskState::Waiting, _) => Self::Waiting,
            (TaskState::Writing, _) => Self::Writing,
            (TaskState::Succeeded, _) => Self::Succeeded,
            (TaskState::Failed, _) => Self::Failed,
            (TaskState::Cancelled, None) => Self::Cancelled,
            (TaskState::Cancelled, Some(_)) => Self::Ended,
        }
    }

    /// Every status.
    pub const ALL: [Self; 6] = [
        Self::Waiting,
        Self::Writing,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::Ended,
    ];

    /// Stable name, in answers.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Writing => "writing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }

    /// What it means, in Chinese.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Waiting => "申请已通过，等待卡片开机上电",
            Self::Writing => "写卡中",
            Self::Succeeded => "写卡完成，运营号通信正常",
            Self::Failed => "写卡失败",
            Self::Cancelled => "申请已由业务需求方取消",
            Self::Ended => "任务在卡片上电前终止",
        }
    }

    /// What it means, in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Waiting => "accepted; waits for the card to power up",
            Self::Writing => "the card is being written",
            Self::Succeeded => "written; the operator number communicates",
            Self::Failed => "writing failed",
            Self::Cancelled => "the client cancelled the application",
            Self::Ended => "the task ended before the card powered up",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{TaskFailure, TaskState, TaskStatus};

    #[test]
    fn codes_lead_back_to_their_state() {
        for state in TaskState::ALL {
            assert_eq!(TaskState::from_code(state.code()), Some(state));
        }
        assert_eq!(TaskState::from_code(""), None);
    }

    #[test]
    fn a_task_that_its_client_withdrew_is_told_from_one_that_ended_otherwise() {
        let of = |state, failure| TaskStatus::of(state, failure).code();
        let by_hand = Some(TaskFailure::EndedByOperator);
        assert_eq!(of(TaskState::Cancelled, None), "cancelled");
        assert_eq!(of(TaskState::Cancelled, by_hand), "ended");
        assert_eq!(of(TaskState::Failed, by_hand), "failed");
        for state in TaskState::ALL {
            assert_eq!(of(state, None), state.code());
        }
        let names: BTreeSet<_> = TaskStatus::ALL.map(TaskStatus::code).into_iter().collect();
        assert_eq!(names.len(), 6);
    }
}
