//! Batches: one act on many cards or numbers, row by row (R507, R509).

use super::{Right, codes};

codes!(
    /// What a batch does to each of its rows.
    BatchKind {
        /// Applies for writing, in the name of a client.
        Apply = "apply",
        /// Withdraws applications, in the name of their client.
        Cancel = "cancel",
        /// Ends open tasks.
        End = "end",
        /// Allots numbers of the pool to a client.
        Allot = "allot",
        /// Suspends numbers.
        Suspend = "suspend",
        /// Retires numbers for ever.
        Retire = "retire",
    }
);

codes!(
    /// What a batch does now.
    BatchState {
        /// Its rows are carried out.
        Running = "running",
        /// It waits for what its rows need.
        Paused = "paused",
        /// Every row has its result.
        Done = "done",
        /// A person has stopped it.
        Stopped = "stopped",
    }
);

codes!(
    /// What became of a row.
    BatchResult {
        /// It was carried out.
        Done = "done",
        /// It was so already.
        Unchanged = "unchanged",
        /// It was refused.
        Refused = "refused",
    }
);

impl BatchKind {
    /// The right to do the same to one card or number. Applications and their withdrawal are acts of clients, for which
    /// the right to make batches is enough.
    #[must_use]
    pub const fn right(self) -> Right {
        match self {
            Self::Apply | Self::Cancel => Right::BatchesCreate,
            Self::End => Right::TasksEnd,
            Self::Allot => Right::NumbersAllot,
            Self::Suspend => Right::NumbersSuspend,
            Self::Retire => Right::NumbersRetire,
        }
    }

    /// Whether it acts for a client.
    #[must_use]
    pub const fn needs_client(self) -> bool {
        matches!(self, Self::Apply | Self::Cancel | Self::Allot)
    }

    /// Whether a person has to say why.
    #[must_use]
    pub const fn needs_note(self) -> bool {
        matches!(self, Self::End)
    }
}

#[cfg(test)]
mod tests {
    use super::{BatchKind, BatchResult, BatchState};

    #[test]
    fn names_lead_back() {
        for kind in BatchKind::ALL {
            assert_eq!(BatchKind::from_code(kind.code()), Some(*kind));
        }
        for state in BatchState::ALL {
            assert_eq!(BatchState::from_code(state.code()), Some(*state));
        }
        for result in BatchResult::ALL {
            assert_eq!(BatchResult::from_code(result.code()), Some(*result));
        }
        assert_eq!(BatchKind::from_code("destroy"), None);
    }
}
