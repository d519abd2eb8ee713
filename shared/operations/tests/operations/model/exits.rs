//! No dead ends: from wherever a platform has come to, an administrator's acts lead each chip to a written card or out of
//! use, and each number to where it is free, in service or retired.

use operations::NumberAct;

use super::Platform;
use super::expected::{Card, Place, Use};
use super::steps::{CHIPS, Choice, Heard, Step};

/// The province of the numbers that chips are written with.
const PROVINCE: &str = "37";

/// Where a chip is brought.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exit {
    /// It is written.
    Write,
    /// It is recorded as destroyed.
    Destroy,
    /// It holds no number any more, because its sessions or its numbers' new keys show that it has none.
    Evidence,
}

/// Takes an exit for each chip, and one for each number.
pub(super) fn take(platform: &mut Platform, exits: [Exit; CHIPS]) {
    for (chip, exit) in exits.into_iter().enumerate() {
        match exit {
            // Nothing more becomes of it.
            _ if platform.expected.chips[chip].destroyed => (),
            Exit::Write => write(platform, chip),
            Exit::Destroy => platform.must(&Step::Destroy(chip)),
            Exit::Evidence => let_go(platform, chip),
        }
    }
    for number in 0..platform.expected.numbers.len() {
        free(platform, number);
    }
    let bound = "SELECT COUNT(*) FROM number WHERE status IN ('reserved', 'suspended')";
    assert_eq!(platform.product.world.count(bound), 0, "a number without an exit");
    let open = "SELECT COUNT(*) FROM task WHERE state IN ('waiting', 'writing')";
    assert_eq!(platform.product.world.count(open), 0, "a task without an exit");
}

/// Brings a chip to where its client may apply for it, and writes it.
fn write(platform: &mut Platform, chip: usize) {
    if platform.expected.chips[chip].faulty {
        platform.must(&Step::Fault { chip, faulty: false });
    }
    if platform.expected.open_task(chip).is_some() {
        platform.must(&Step::End { chip, back: None });
    }
    let known = &platform.expected.chips[chip];
    if known.card == Card::Written {
        return;
    }
    let client = known.client;
    if !known.reopened {
        platform.must(&Step::Provide {
            chip,
            number: true,
            allowance: true,
        });
    }
    platform.product.stock(PROVINCE, None);
    platform.expected.stock(PROVINCE, None);
    platform.must(&Step::Apply {
        client,
        chip,
        choice: Choice::Any(PROVINCE),
    });
    for heard in [Heard::Written, Heard::Verified] {
        platform.must(&Step::Open(chip));
        platform.must(&Step::Report {
            chip,
            back: 0,
            heard,
            drain: false,
            again: false,
        });
    }
    assert_eq!(platform.expected.chips[chip].card, Card::Written);
}

/// Frees the numbers that a chip holds without a task, also a faulty one's.
fn let_go(platform: &mut Platform, chip: usize) {
    if platform.expected.open_task(chip).is_some() {
        platform.must(&Step::End { chip, back: None });
    }
    platform.must(&Step::TopUp(chip));
    while let Some(number) = held(platform, chip) {
        if platform.expected.unjudged(chip).is_empty() {
            // No session of the chip runs any more.
            platform.must(&Step::Pass(2));
            platform.must(&Step::Keys(number));
            continue;
        }
        let (rewrite, other_imsi) = (false, true);
        platform.must(&Step::Open(chip));
        platform.must(&Step::Report {
            chip,
            back: 0,
            heard: Heard::NotVerified { rewrite, other_imsi },
            drain: false,
            again: false,
        });
    }
}

fn held(platform: &Platform, chip: usize) -> Option<usize> {
    let numbers = &platform.expected.numbers;
    numbers
        .iter()
        .position(|number| number.place == Place::Held(chip))
}

/// Brings a number to where it is used, or out of use for ever.
fn free(platform: &mut Platform, number: usize) {
    if platform.expected.numbers[number].usable == Use::Retired {
        return;
    }
    platform.must(&Step::Act {
        number,
        act: NumberAct::Resume,
    });
    if let Place::On(task) = platform.expected.numbers[number].place {
        let chip = platform.expected.tasks[task].chip;
        if platform.expected.chips[chip].destroyed {
            platform.must(&Step::Act {
                number,
                act: NumberAct::Retire,
            });
        }
    }
}
