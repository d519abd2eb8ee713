//! No dead ends: from wherever a platform has come to, an administrator's acts lead each chip to a written card or out of
//! use, and each number to where it is free, in service or retired.

use operations::NumberAct;

use super::Platform;
use super::expected::{Card, Place, Use};
use super::steps::{CHIPS, Choice, Heard, Step};

/// The province of the numbers that chips are written with.
const PROVINCE: &str = "37";

/// Takes an exit for each chip, the record of its destruction where `destroyed` says so, and one for each number.
pub(super) fn take(platform: &mut Platform, destroyed: [bool; CHIPS]) {
    for (chip, destroyed) in destroyed.into_iter().enumerate() {
        if platform.expected.chips[chip].destroyed {
            // Nothing more becomes of it.
        } else if destroyed {
            platform.must(&Step::Destroy(chip));
        } else {
            write(platform, chip);
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
    platform.expected.stock(PROVINCE);
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
