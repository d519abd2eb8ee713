//! Steps as they follow each other in the field. It must not say what follows from them.

use operations::NumberAct;
use proptest::prelude::*;
use proptest::sample::select;

use super::steps::{CLIENT_OF_CHIP, Choice, Heard, LATEST, Step, chip, choice, heard, step};

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

/// What the gateway says of a card that did not keep its content.
const NOT_KEPT: Heard = Heard::NotVerified {
    rewrite: true,
    other_imsi: false,
};

/// A card that does not keep what is written to it, so many times. Each time its gateway says twice what it found, or
/// goes on as if it had written.
fn not_kept(chip: usize, choice: Choice, second: &[Heard]) -> Vec<Step> {
    let mut steps = until_written(chip, choice);
    for heard in second {
        steps.extend([
            Step::Open(chip),
            heard_of(chip, NOT_KEPT),
            heard_of(chip, heard.clone()),
            Step::Open(chip),
            heard_of(chip, Heard::Written),
        ]);
    }
    steps
}

/// A chip that holds a number, and its next sessions, which look for it. Between them may come what changes the number or
/// the chip.
fn looked_for(chip: usize, choice: Choice, between: &[Step], [first, second]: [Heard; 2]) -> Vec<Step> {
    let before = [
        apply(chip, choice.clone()),
        Step::Open(chip),
        heard_of(chip, Heard::Failed { chip_fault: false }),
        Step::Open(chip),
        heard_of(chip, first),
    ];
    let after = [Step::Open(chip), heard_of(chip, second), apply(chip, choice)];
    [&before, between, &after].concat()
}

/// Makes a chip one that its client may apply for, unless it was destroyed.
fn usable(chip: usize) -> Vec<Step> {
    vec![
        Step::End { chip, back: None },
        Step::Fault { chip, faulty: false },
        Step::Reopen(chip),
        Step::Provide {
            chip,
            number: true,
            allowance: true,
        },
    ]
}

/// The number of a written chip moves to another chip, with a data card that takes over its MSISDN. Between may come what
/// changes either.
fn moved(old: usize, new: usize, number: usize, between: &[Step]) -> Vec<Step> {
    let choice = Choice::This {
        number,
        own_msisdn: true,
    };
    let client = CLIENT_OF_CHIP[old];
    let replaced = [
        Step::TakeOver { number, client },
        Step::Allot {
            number: LATEST,
            client: None,
        },
        Step::Replace { old, new },
        Step::Open(new),
        heard_of(new, Heard::Written),
    ];
    let after = [Step::Open(new), heard_of(new, Heard::Verified), Step::Open(old)];
    let before = [usable(old), usable(new), write(old, choice)].concat();
    [&before, &replaced[..], between, &after].concat()
}

/// A written chip is reopened and, so far, written with another number; then its former one is put back, for a third chip.
fn put_back([old, third]: [usize; 2], number: usize, many: usize) -> Vec<Step> {
    let mut steps = [usable(third), vec![Step::Reopen(old)]].concat();
    steps.extend(write(old, Choice::Any("37")).into_iter().take(many));
    let (act, own_msisdn) = (NumberAct::Resume, true);
    steps.push(Step::Act { number, act });
    steps.extend(
        write(third, Choice::This { number, own_msisdn })
            .into_iter()
            .take(many),
    );
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

/// A gateway that cannot write a card: after another one that said nothing, or after it said something else.
fn unable(chip: usize, choice: &Choice, before: bool, heard: bool, for_number: bool) -> Vec<Step> {
    let opened = vec![Step::Open(chip); 1 + usize::from(before)];
    let heard = heard.then(|| heard_of(chip, Heard::Progress(1)));
    let reported = heard
        .into_iter()
        .chain([heard_of(chip, Heard::Unable { for_number })]);
    let again = [apply(chip, choice.clone()), Step::Open(chip)];
    [
        usable(chip),
        again[..1].to_vec(),
        opened,
        reported.collect(),
        again.to_vec(),
    ]
    .concat()
}

/// What a session finds that looks for a number.
fn verdict() -> impl Strategy<Value = Heard> {
    prop_oneof![
        3 => any::<bool>().prop_map(|other_imsi| Heard::NotVerified { rewrite: true, other_imsi }),
        1 => heard(),
    ]
}

/// A few steps of any kind.
fn between() -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step().boxed(), 0..4)
}

/// Steps as they follow each other in the field. Single steps alone lead too seldom to where a card is written again.
fn usual() -> impl Strategy<Value = Vec<Step>> {
    let of = || (chip(), choice());
    let failed = |chip| heard_of(chip, Heard::Failed { chip_fault: false });
    let second = prop_oneof![
        Just(NOT_KEPT),
        Just(Heard::NotVerified {
            rewrite: false,
            other_imsi: false
        }),
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
        4 => (of(), [0.3, 0.3, 0.2].map(prop::bool::weighted))
            .prop_map(|((chip, choice), [before, heard, for_number])| unable(chip, &choice, before, heard, for_number)),
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
    // Chips of client 0, and one of its data cards.
    let moving = (0..3usize, any::<[bool; 2]>()).prop_map(|(old, [other, second])| {
        let [new, third] = [other, !other].map(|other| another_of_its_client(old, other));
        (old, new, third, own_card(old, second))
    });
    let of_held = prop_oneof![
        3 => (of(), between(), [verdict(), verdict()]).prop_map(|((chip, choice), between, verdicts)| {
            looked_for(chip, choice, &between, verdicts)
        }),
        2 => (moving.clone(), between())
            .prop_map(|((old, new, _, number), between)| moved(old, new, number, &between)),
        3 => (moving.clone(), select(vec![1, 2, 5])).prop_map(|((old, new, third, number), many)| {
            moved(old, new, number, &put_back([old, third], number, many))
        }),
        2 => moving.prop_map(|(old, new, third, number)| {
            [moved(old, new, number, &[]), put_back([new, third], LATEST, 5)].concat()
        }),
    ];
    prop_oneof![3 => single.boxed(), 2 => several.boxed(), 1 => of_held.boxed()]
}

/// A few steps.
pub(super) fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    prop_oneof![
        10 => step().prop_map(|step| vec![step]),
        3 => usual(),
    ]
    .boxed()
}
