//! What can happen to a platform: one step is one call of a client, an administrator, an operator or a gateway, or time
//! that passes. It must not say what follows from a step.

use operations::NumberAct;
use proptest::prelude::*;
use proptest::sample::select;

/// Chips 0 to 2 belong to client 0, chip 3 to client 1. Chip 1 is one for NB-IoT.
pub(super) const CHIPS: usize = 4;
/// The client that chip `n` belongs to.
pub(super) const CLIENT_OF_CHIP: [usize; CHIPS] = [0, 0, 0, 1];
/// Province of each number, and the client that it is allotted to.
pub(super) const NUMBERS: [(&str, Option<usize>); 7] = [
    ("37", None),
    ("37", None),
    ("37", None),
    ("11", None),
    ("37", Some(0)),
    ("37", Some(0)),
    ("11", Some(1)),
];

/// Numbers that steps name: those, and data cards that are imported later.
const SOME_NUMBERS: usize = NUMBERS.len() + 2;
/// The number that was imported last, as any number that there is not yet.
pub(super) const LATEST: usize = usize::MAX;

/// Which number an application asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Any number of this province.
    Any(&'static str),
    /// This data card, named with its own MSISDN or with that of another one.
    This { number: usize, own_msisdn: bool },
}

/// What a gateway reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Progress(u32),
    Written,
    Verified,
    NotVerified {
        rewrite: bool,
        other_imsi: bool,
    },
    Failed {
        chip_fault: bool,
    },
    /// The gateway cannot carry the work out, because of the number or because of itself.
    Unable {
        for_number: bool,
    },
    Closed,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Hours pass.
    Pass(i64),
    Apply {
        client: usize,
        chip: usize,
        choice: Choice,
    },
    /// A client cancels the task that is `back` tasks before the latest of the chip; without `back`, by EID.
    Cancel {
        client: usize,
        chip: usize,
        back: Option<usize>,
    },
    /// An administrator ends a task, named as in a cancellation.
    End {
        chip: usize,
        back: Option<usize>,
    },
    Fault {
        chip: usize,
        faulty: bool,
    },
    Reopen(usize),
    Destroy(usize),
    Replace {
        old: usize,
        new: usize,
    },
    /// Another temporary number, more test allowance, or both.
    Provide {
        chip: usize,
        number: bool,
        allowance: bool,
    },
    /// More test allowance alone.
    TopUp(usize),
    /// A data card is imported that is to take over the MSISDN of a number.
    TakeOver {
        number: usize,
        client: usize,
    },
    /// A file corrects K of a number.
    Keys(usize),
    Act {
        number: usize,
        act: NumberAct,
    },
    /// The operator reports the state of a number.
    Reported {
        number: usize,
        state: &'static str,
    },
    /// An administrator allots a number to a client, or puts it back into the pool.
    Allot {
        number: usize,
        client: Option<usize>,
    },
    /// The chip powers up and opens a session.
    Open(usize),
    /// A gateway that got no answer asks for the work of a session again.
    OpenAgain {
        chip: usize,
        back: usize,
    },
    /// A report of the chip's session that is `back` before the latest.
    Report {
        chip: usize,
        back: usize,
        heard: Heard,
        /// The session uses the whole test allowance, if that pays for it.
        drain: bool,
        /// A report that was taken before, sent again.
        again: bool,
    },
    /// The periodic jobs run, with or without a limit of one hour on the time in writing.
    Tick {
        limited: bool,
    },
}

pub(super) fn chip() -> impl Strategy<Value = usize> + Clone {
    // Most steps meet on few chips.
    prop_oneof![4 => Just(0), 3 => Just(1), 1 => Just(2), 2 => Just(3)]
}

/// The client of the chip; now and then the other one.
fn caller() -> impl Strategy<Value = (usize, usize)> {
    (chip(), prop::bool::weighted(0.06)).prop_map(|(chip, is_other)| {
        let own = CLIENT_OF_CHIP[chip];
        (chip, if is_other { 1 - own } else { own })
    })
}

pub(super) fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        3 => select(vec!["37", "37", "11"]).prop_map(Choice::Any),
        3 => (prop_oneof![20 => 0..NUMBERS.len(), 1 => 0..SOME_NUMBERS], prop::bool::weighted(0.95))
            .prop_map(|(number, own_msisdn)| Choice::This { number, own_msisdn }),
    ]
}

fn back() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![3 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))]
}

pub(super) fn heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        6 => Just(Heard::Written),
        8 => Just(Heard::Verified),
        1 => (0..=12u32).prop_map(Heard::Progress),
        2 => (prop::bool::weighted(0.8), any::<bool>())
            .prop_map(|(rewrite, other_imsi)| Heard::NotVerified { rewrite, other_imsi }),
        2 => prop::bool::weighted(0.3).prop_map(|chip_fault| Heard::Failed { chip_fault }),
        1 => any::<bool>().prop_map(|for_number| Heard::Unable { for_number }),
        1 => Just(Heard::Closed),
    ]
}

fn of_chips() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (chip(), back()).prop_map(|(chip, back)| Step::End { chip, back }),
        2 => (chip(), prop::bool::weighted(0.4)).prop_map(|(chip, faulty)| Step::Fault { chip, faulty }),
        3 => chip().prop_map(Step::Reopen),
        1 => chip().prop_map(Step::Destroy),
        2 => (chip(), chip()).prop_map(|(old, new)| Step::Replace { old, new }),
        2 => (chip(), any::<bool>(), any::<bool>())
            .prop_map(|(chip, number, allowance)| Step::Provide { chip, number, allowance }),
        1 => chip().prop_map(Step::TopUp),
    ]
}

fn of_numbers() -> impl Strategy<Value = Step> {
    let number = 0..SOME_NUMBERS;
    prop_oneof![
        4 => (number.clone(), select(vec![NumberAct::Suspend, NumberAct::Suspend, NumberAct::Resume,
            NumberAct::Resume, NumberAct::Retire])).prop_map(|(number, act)| Step::Act { number, act }),
        2 => (0..NUMBERS.len(), select(vec!["active", "suspended", "retired"]))
            .prop_map(|(number, state)| Step::Reported { number, state }),
        1 => (number.clone(), select(vec![None, Some(0), Some(1)]))
            .prop_map(|(number, client)| Step::Allot { number, client }),
        2 => number.clone().prop_map(Step::Keys),
        1 => (number, 0..2usize).prop_map(|(number, client)| Step::TakeOver { number, client }),
    ]
}

fn of_time() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => select(vec![1, 24, 100 * 24]).prop_map(Step::Pass),
        3 => any::<bool>().prop_map(|limited| Step::Tick { limited }),
    ]
}

/// Any step. Those of a writing come most often, or few cards would ever be written.
pub(super) fn step() -> impl Strategy<Value = Step> {
    let report = (
        chip(),
        prop_oneof![12 => Just(0usize), 1 => Just(1)],
        heard(),
        prop::bool::weighted(0.03),
        prop::bool::weighted(0.05),
    );
    prop_oneof![
        8 => (caller(), choice()).prop_map(|((chip, client), choice)| Step::Apply { client, chip, choice }),
        2 => (caller(), back()).prop_map(|((chip, client), back)| Step::Cancel { client, chip, back }),
        10 => chip().prop_map(Step::Open),
        1 => (chip(), 0..2usize).prop_map(|(chip, back)| Step::OpenAgain { chip, back }),
        12 => report.prop_map(|(chip, back, heard, drain, again)| Step::Report { chip, back, heard, drain, again }),
        5 => of_chips(),
        5 => of_numbers(),
        3 => of_time(),
    ]
}
