//! The six states of a card (§6.3 Table 2) and the only steps between them: those of the table, and one more for the
//! special procedure of Table 3.
//!
//! [`TRANSITIONS`] is the table; [`next`] only looks it up. A step that is not in the table is refused.

use CardEvent::{
    ApplicationAccepted, ApplicationCancelled, ApplicationRefused, Reopened, SessionOpened, WriteFailed,
    WriteVerified,
};

/// State of a card (§6.3 Table 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardStatus {
    /// 待写卡: fresh, temporary number valid, nothing applied for.
    ToWrite,
    /// 待开机上电: an application was accepted; the card has not powered up yet.
    WaitingPowerOn,
    /// 写卡中: the card opened its channel and is being written.
    Writing,
    /// 写卡成功: written, and the operator number communicates.
    Written,
    /// 写卡失败: writing ended without success.
    Failed,
    /// 申请失败: the last application was refused.
    ApplicationFailed,
}

/// What can happen to a card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CardEvent {
    /// The platform accepted an application (§6.2.2.2).
    ApplicationAccepted,
    /// The platform refused an application (§6.2.2.2).
    ApplicationRefused,
    /// The client withdrew its application (§7.2.2.4).
    ApplicationCancelled,
    /// The card powered up and opened its channel (§6.2.3.1).
    SessionOpened,
    /// The operator number was written and communicates (§6.2.4.1).
    WriteVerified,
    /// Writing ended without success.
    WriteFailed,
    /// An administrator let a written card be written with another number: the special procedure of Table 3.
    Reopened,
}

use CardStatus as S;

/// Every permitted step: from, event, to. Nothing else is permitted.
const TRANSITIONS: &[(CardStatus, CardEvent, CardStatus)] = &[
    (S::ToWrite, ApplicationAccepted, S::WaitingPowerOn),
    (S::ToWrite, ApplicationRefused, S::ApplicationFailed),
    (S::ApplicationFailed, ApplicationAccepted, S::WaitingPowerOn),
    (S::ApplicationFailed, ApplicationRefused, S::ApplicationFailed),
    (S::Failed, ApplicationAccepted, S::WaitingPowerOn),
    (S::Failed, ApplicationRefused, S::ApplicationFailed),
    (S::WaitingPowerOn, ApplicationCancelled, S::ToWrite),
    (S::WaitingPowerOn, SessionOpened, S::Writing),
    (S::Writing, WriteVerified, S::Written),
    (S::Writing, WriteFailed, S::Failed),
    // Not of Table 2: Table 3 asks for a special procedure when a written card needs another number.
    (S::Written, Reopened, S::ToWrite),
];

/// A step that Table 2 does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// State the card is in.
    pub from: CardStatus,
    /// What was attempted.
    pub event: CardEvent,
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is not possible for a card that is {}",
            self.event,
            self.from.en()
        )
    }
}

impl std::error::Error for Refused {}

/// The state that follows `from` when `event` happens.
///
/// # Errors
/// [`Refused`] when Table 2 has no such step.
pub fn next(from: CardStatus, event: CardEvent) -> Result<CardStatus, Refused> {
    TRANSITIONS
        .iter()
        .find(|(known_from, known_event, _)| *known_from == from && *known_event == event)
        .map(|&(_, _, to)| to)
        .ok_or(Refused { from, event })
}

impl CardStatus {
    /// Every state.
    pub const ALL: [Self; 6] = [
        Self::ToWrite,
        Self::WaitingPowerOn,
        Self::Writing,
        Self::Written,
        Self::Failed,
        Self::ApplicationFailed,
    ];

    /// Number stored in the database; never reused for another state.
    #[must_use]
    pub fn code(self) -> i64 {
        match self {
            Self::ToWrite => 1,
            Self::WaitingPowerOn => 2,
            Self::Writing => 3,
            Self::Written => 4,
            Self::Failed => 5,
            Self::ApplicationFailed => 6,
        }
    }

    /// The state stored under `code`.
    #[must_use]
    pub fn from_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.code() == code)
    }

    /// The name of Table 2; the value of `card_status` in the interfaces.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::ToWrite => "待写卡",
            Self::WaitingPowerOn => "待开机上电",
            Self::Writing => "写卡中",
            Self::Written => "写卡成功",
            Self::Failed => "写卡失败",
            Self::ApplicationFailed => "申请失败",
        }
    }

    /// Name in English.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::ToWrite => "to be written",
            Self::WaitingPowerOn => "waiting for power-up",
            Self::Writing => "being written",
            Self::Written => "written",
            Self::Failed => "writing failed",
            Self::ApplicationFailed => "application failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CardEvent, CardStatus, TRANSITIONS, next};
    use proptest::prelude::*;

    const EVENTS: [CardEvent; 7] = [
        CardEvent::ApplicationAccepted,
        CardEvent::ApplicationRefused,
        CardEvent::ApplicationCancelled,
        CardEvent::SessionOpened,
        CardEvent::WriteVerified,
        CardEvent::WriteFailed,
        CardEvent::Reopened,
    ];

    // §6.3 Table 2, spelled out again by its Chinese names so that a slip in the table is seen.
    fn expected(from: &str, event: CardEvent) -> Option<&'static str> {
        match (from, event) {
            ("待写卡" | "申请失败" | "写卡失败", CardEvent::ApplicationAccepted) => {
                Some("待开机上电")
            }
            ("待写卡" | "申请失败" | "写卡失败", CardEvent::ApplicationRefused) => {
                Some("申请失败")
            }
            ("待开机上电", CardEvent::ApplicationCancelled) => Some("待写卡"),
            ("待开机上电", CardEvent::SessionOpened) => Some("写卡中"),
            ("写卡中", CardEvent::WriteVerified) => Some("写卡成功"),
            ("写卡中", CardEvent::WriteFailed) => Some("写卡失败"),
            // §8.2.1 Table 3
            ("写卡成功", CardEvent::Reopened) => Some("待写卡"),
            _ => None,
        }
    }

    #[test]
    fn every_step_is_that_of_table_2_or_reopens_a_written_card_and_every_other_is_refused() {
        for from in CardStatus::ALL {
            for event in EVENTS {
                assert_eq!(
                    next(from, event).ok().map(CardStatus::zh),
                    expected(from.zh(), event),
                    "{from:?} {event:?}"
                );
            }
        }
    }

    #[test]
    fn a_refused_step_says_in_english_what_was_tried_and_which_state_the_card_is_in() {
        let states = [
            "to be written",
            "waiting for power-up",
            "being written",
            "written",
            "writing failed",
            "application failed",
        ];
        for (status, name) in CardStatus::ALL.into_iter().zip(states) {
            assert_eq!(status.en(), name);
        }
        let refused = next(CardStatus::Written, CardEvent::WriteFailed).unwrap_err();
        let text = "WriteFailed is not possible for a card that is written";
        assert_eq!(refused.to_string(), text);
    }

    #[test]
    fn no_step_is_listed_twice() {
        for (at, row) in TRANSITIONS.iter().enumerate() {
            assert!(
                !TRANSITIONS[at + 1..]
                    .iter()
                    .any(|other| (other.0, other.1) == (row.0, row.1))
            );
        }
    }

    #[test]
    fn codes_lead_back_to_their_state() {
        for status in CardStatus::ALL {
            assert_eq!(CardStatus::from_code(status.code()), Some(status));
        }
        assert_eq!(CardStatus::from_code(0), None);
        assert_eq!(CardStatus::from_code(7), None);
    }

    proptest! {
        #[test]
        fn a_written_card_stays_written_until_it_is_reopened_and_success_needs_a_session(events in prop::collection::vec(0..EVENTS.len(), 0..40)) {
            let mut status = CardStatus::ToWrite;
            let mut opened = false;
            for event in events.into_iter().map(|at| EVENTS[at]) {
                let before = status;
                if let Ok(after) = next(status, event) {
                    prop_assert!(before != CardStatus::Written || event == CardEvent::Reopened);
                    opened |= event == CardEvent::SessionOpened;
                    opened &= event != CardEvent::Reopened;
                    status = after;
                }
                prop_assert!(status != CardStatus::Written || opened);
            }
        }
    }
}
