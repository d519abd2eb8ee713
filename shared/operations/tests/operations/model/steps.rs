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
    NotVerified { rewrite: bool },
    Failed { chip_fault: bool },
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

fn chip() -> impl Strategy<Value = usize> + Clone {
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

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        3 => select(vec!["37", "37", "11"]).prop_map(Choice::Any),
        3 => (0..NUMBERS.len(), prop::bool::weighted(0.95))
            .prop_map(|(number, own_msisdn)| Choice::This { number, own_msisdn }),
    ]
}

fn back() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![3 => Just(None), 2 => Just(Some(0)), 1 => Just(Some(1))]
}

fn heard() -> impl Strategy<Value = Heard> {
    prop_oneof![
        6 => Just(Heard::Written),
        8 => Just(Heard::Verified),
        1 => (0..=12u32).prop_map(Heard::Progress),
        2 => prop::bool::weighted(0.8).prop_map(|rewrite| Heard::NotVerified { rewrite }),
        2 => prop::bool::weighted(0.3).prop_map(|chip_fault| Heard::Failed { chip_fault }),
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
    ]
}

fn of_numbers() -> impl Strategy<Value = Step> {
    let number = 0..NUMBERS.len();
    prop_oneof![
        4 => (number.clone(), select(vec![NumberAct::Suspend, NumberAct::Suspend, NumberAct::Resume,
            NumberAct::Resume, NumberAct::Retire])).prop_map(|(number, act)| Step::Act { number, act }),
        2 => (number.clone(), select(vec!["active", "suspended", "retired"]))
            .prop_map(|(number, state)| Step::Reported { number, state }),
        1 => (number, select(vec![None, Some(0), Some(1)]))
            .prop_map(|(number, client)| Step::Allot { number, client }),
    ]
}

fn of_time() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => select(vec![1, 24, 100 * 24]).prop_map(Step::Pass),
        3 => any::<bool>().prop_map(|limited| Step::Tick { limited }),
    ]
}

/// Any step. Those of a writing come most often, or few cards would ever be written.
fn step() -> impl Strategy<Value = Step> {
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

fn heard_of(chip: usize, heard: Heard) -> Step {
    Step::Report {
        chip,
        back: 0,
        heard,
        drain: false,
        again: false,
    }
}

fn apply(chip: usize, choice: Choice) -> Step {
    let client = CLIENT_OF_CHIP[chip];
    Step::Apply { client, chip, choice }
}

/// An application and a session that reads back what it wrote.
fn until_written(chip: usize, choice: Choice) -> Vec<Step> {
    vec![
        apply(chip, choice),
        Step::Open(chip),
        heard_of(chip, Heard::Written),
    ]
}

/// A whole writing.
fn write(chip: usize, choice: Choice) -> Vec<Step> {
    let mut steps = until_written(chip, choice);
    steps.extend([Step::Open(chip), heard_of(chip, Heard::Verified)]);
    steps
}

/// A card that does not keep what is written to it, so many times. Each time its gateway says twice what it found, or
/// goes on as if it had written.
fn not_kept(chip: usize, choice: Choice, second: &[Heard]) -> Vec<Step> {
    let mut steps = until_written(chip, choice);
    for heard in second {
        steps.extend([
            Step::Open(chip),
            heard_of(chip, Heard::NotVerified { rewrite: true }),
            heard_of(chip, heard.clone()),
            Step::Open(chip),
            heard_of(chip, Heard::Written),
        ]);
    }
    steps
}

/// A writing that uses the whole test allowance, and the next session of its card.
fn drained(chip: usize, choice: Choice, heard: Heard) -> Vec<Step> {
    let report = Step::Report {
        chip,
        back: 0,
        heard,
        drain: true,
        again: false,
    };
    vec![apply(chip, choice), Step::Open(chip), report, Step::Open(chip)]
}

/// A written card that is written with another number, long after its test period and its allowance are over.
fn rewritten(chip: usize, [first, second]: [Choice; 2]) -> Vec<Step> {
    let verified = heard_of(chip, Heard::Verified);
    // Another temporary number, which ends too, has nothing to do with it.
    let number = Step::Provide {
        chip,
        number: true,
        allowance: false,
    };
    let (long, reopen) = (Step::Pass(300 * 24), Step::Reopen(chip));
    let later = [long.clone(), reopen.clone(), number, long, reopen];
    let again = vec![apply(chip, second), Step::Tick { limited: true }];
    let written = [Step::Open(chip), heard_of(chip, Heard::Written), Step::Open(chip)];
    let before = [
        drained(chip, first, Heard::Written),
        vec![verified.clone()],
        later.to_vec(),
    ];
    [before.concat(), again, written.to_vec(), vec![verified]].concat()
}

/// A chip with a data card of its client that is put out of use and back while its chip holds it (0),
/// while it is verified (1) or when it is written (2).
fn suspended(chip: usize, number: usize, at: usize) -> Vec<Step> {
    let choice = Choice::This {
        number,
        own_msisdn: true,
    };
    let mut steps = match at {
        0 => vec![
            apply(chip, choice.clone()),
            Step::Open(chip),
            heard_of(chip, Heard::Failed { chip_fault: false }),
        ],
        1 => until_written(chip, choice.clone()),
        _ => write(chip, choice.clone()),
    };
    steps.push(Step::Act {
        number,
        act: NumberAct::Suspend,
    });
    if at == 1 {
        steps.extend([Step::Open(chip), heard_of(chip, Heard::Verified)]);
    }
    let state = "active";
    steps.extend([Step::Reported { number, state }, apply(chip, choice)]);
    steps
}

/// Another chip of the same client; of a client with one chip, that of the other.
fn another_of_its_client(chip: usize, second: bool) -> usize {
    (chip + 1 + usize::from(second)) % 3
}

/// A data card that is allotted to the client of the chip, unless that was changed.
fn own_card(chip: usize, second: bool) -> usize {
    match (CLIENT_OF_CHIP[chip], second) {
        (0, false) => 4,
        (0, true) => 5,
        _ => 6,
    }
}

/// A gateway that sends the number of a report again with other words.
fn sent_again(chip: usize, choice: Choice) -> Vec<Step> {
    let again = Step::Report {
        chip,
        back: 0,
        heard: Heard::Written,
        drain: false,
        again: true,
    };
    vec![
        apply(chip, choice),
        Step::Open(chip),
        heard_of(chip, Heard::Progress(1)),
        again,
    ]
}

/// Steps as they follow each other in the field. Single steps alone lead too seldom to where a card is written again.
fn usual() -> impl Strategy<Value = Vec<Step>> {
    let of = || (chip(), choice());
    let failed = |chip| heard_of(chip, Heard::Failed { chip_fault: false });
    let second = prop_oneof![
        any::<bool>().prop_map(|rewrite| Heard::NotVerified { rewrite }),
        Just(Heard::Written),
        Just(Heard::Progress(1)),
    ];
    let single = prop_oneof![
        3 => of().prop_map(|(chip, choice)| write(chip, choice)),
        2 => of().prop_map(|(chip, choice)| until_written(chip, choice)),
        2 => of().prop_map(|(chip, choice)| vec![apply(chip, choice), Step::Open(chip)]),
        2 => of().prop_map(move |(chip, choice)| {
            vec![apply(chip, choice.clone()), Step::Open(chip), failed(chip), apply(chip, choice)]
        }),
        1 => of().prop_map(|(chip, choice)| sent_again(chip, choice)),
        1 => of().prop_map(|(chip, choice)| drained(chip, choice, Heard::Progress(1))),
        // It is never powered up.
        1 => of().prop_map(|(chip, choice)| {
            vec![apply(chip, choice), Step::Pass(300 * 24), Step::Tick { limited: false }]
        }),
    ];
    let several = prop_oneof![
        2 => (of(), prop::collection::vec(second, 1..6))
            .prop_map(|((chip, choice), second)| not_kept(chip, choice, &second)),
        3 => (chip(), choice(), choice())
            .prop_map(|(chip, first, second)| rewritten(chip, [first, second])),
        2 => (of(), any::<bool>()).prop_map(|((old, choice), second)| {
            let new = another_of_its_client(old, second);
            let replaced = vec![Step::Replace { old, new }, Step::Reopen(old), Step::Replace { old, new }];
            [write(old, choice), replaced].concat()
        }),
        2 => (chip(), any::<bool>(), 0..3usize)
            .prop_map(|(chip, second, at)| suspended(chip, own_card(chip, second), at)),
        2 => (of(), any::<bool>()).prop_map(|((old, choice), second)| {
            let new = another_of_its_client(old, second);
            vec![apply(old, choice.clone()), apply(new, choice), Step::Replace { old, new }]
        }),
    ];
    prop_oneof![3 => single, 2 => several]
}

/// A few steps.
pub(super) fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        10 => step().prop_map(|step| vec![step]),
        3 => usual(),
    ]
    .boxed()
}
