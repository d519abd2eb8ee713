//! Applications, their refusals, their cancellation and their status.

use domain::CardStatus;
use domain::error::Reason;
use operations::{ApplyRequest, Caller, TaskRef, cancel, status};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, automatic, days, designated, reason, run};

fn card(world: &World, caller: &Caller, chip: u32) -> CardStatus {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))))
        .unwrap()
        .card_status
}

// §6.2.2.2
#[test]
fn an_accepted_application_reserves_a_number_and_waits_for_power_up() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    let applied = world.apply_auto(&caller, 0).unwrap();
    assert_eq!(applied.card_status, CardStatus::WaitingPowerOn);
    assert!(!applied.repeated);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'reserved' AND task_id IS NOT NULL"),
        1
    );
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'available'"),
        1
    );
    let history = world
        .column("SELECT from_status || '>' || to_status || ' ' || reason FROM card_history WHERE seq = 2");
    assert_eq!(history, ["1>2 application_accepted"]);
}

// §7.1.3
#[test]
fn the_same_application_again_answers_the_same_task() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    let first = world.apply_auto(&caller, 0).unwrap();
    let before = world.dump();
    let again = world.apply(&caller, &automatic(&eid_text(0), "370000")).unwrap();
    assert_eq!(
        (again.task_id, again.card_status, again.repeated),
        (first.task_id, first.card_status, true)
    );
    assert_eq!(world.dump(), before);
}

#[test]
fn the_same_application_is_repeated_also_while_the_card_is_being_written() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let first = world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    let again = world.apply_auto(&caller, 0).unwrap();
    assert_eq!(
        (again.task_id, again.card_status, again.repeated),
        (first.task_id, CardStatus::Writing, true)
    );
}

#[test]
fn an_application_with_other_parameters_is_refused_while_one_is_open_and_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.numbers(&[
        NumberCsv::of_province(50, "11"),
        NumberCsv::allotted(51, &caller.id),
    ]);
    world.apply_auto(&caller, 0).unwrap();
    let before = world.dump();
    let number = NumberCsv::new(51);
    assert_eq!(
        reason(world.apply(&caller, &automatic(&eid_text(0), "11"))),
        Reason::ApplicationPending
    );
    assert_eq!(
        reason(world.apply(&caller, &designated(&eid_text(0), &number.iccid, &number.msisdn))),
        Reason::ApplicationPending
    );
    assert_eq!(
        reason(world.apply(&caller, &automatic(&eid_text(0), "99"))),
        Reason::ProvinceMalformed
    );
    assert_eq!(world.dump(), before);
}

#[test]
fn a_designated_application_again_answers_the_same_task_only_for_the_same_card_and_number() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let [mine, other] = [7, 8].map(|n| NumberCsv::allotted(n, &caller.id));
    world.numbers(&[mine.clone(), other.clone()]);
    let apply = |iccid: &str, msisdn: &str| world.apply(&caller, &designated(&eid_text(0), iccid, msisdn));
    let first = apply(&mine.iccid, &mine.msisdn).unwrap();
    let before = world.dump();
    let again = apply(&mine.iccid, &mine.msisdn).unwrap();
    assert_eq!((again.task_id, again.repeated), (first.task_id, true));
    for (iccid, msisdn) in [(&mine.iccid, &other.msisdn), (&other.iccid, &mine.msisdn)] {
        assert_eq!(reason(apply(iccid, msisdn)), Reason::ApplicationPending);
    }
    assert_eq!(world.dump(), before);
}

// §5.4.1 Table 1
#[test]
fn a_designated_application_takes_exactly_the_allotted_card() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.numbers(&[NumberCsv::allotted(7, &caller.id)]);
    let number = NumberCsv::new(7);
    world
        .apply(
            &caller,
            &designated(&eid_text(0), &number.iccid.to_lowercase(), &number.msisdn),
        )
        .unwrap();
    let (_, work) = world.open(0).unwrap();
    let data = work.data.unwrap();
    assert_eq!(
        (data.iccid.as_str(), data.msisdn.as_str()),
        (number.iccid.as_str(), number.msisdn.as_str())
    );
}

#[test]
fn automatic_writing_never_takes_an_allotted_number() {
    let world = World::new().serving("37");
    let caller = world.stocked(1, 0);
    world.numbers(&[NumberCsv::allotted(7, &caller.id)]);
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::ProvinceWithoutNumber
    );
}

#[test]
fn numbers_are_taken_in_the_order_of_their_import() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    world.numbers(&[NumberCsv::new(9)]);
    world.pass(1);
    world.numbers(&[NumberCsv::new(3)]);
    for (chip, number) in [(0, 9), (1, 3)] {
        world.apply_auto(&caller, chip).unwrap();
        let (_, work) = world.open(chip).unwrap();
        assert_eq!(work.data.unwrap().msisdn.as_str(), NumberCsv::new(number).msisdn);
    }
}

/// What a refused application does to a fresh card: the reason, and the state the card is left in.
struct Case {
    request: fn(&Names) -> ApplyRequest<'_>,
    reason: Reason,
}

struct Names {
    eid: String,
    own: NumberCsv,
    other: NumberCsv,
    pool: NumberCsv,
    taken: NumberCsv,
    suspended: NumberCsv,
}

const CASES: &[Case] = &[
    Case {
        request: |n| automatic(&n.eid, "65"),
        reason: Reason::ProvinceNotServed,
    },
    Case {
        request: |n| ApplyRequest {
            iccid: &n.own.iccid,
            ..automatic(&n.eid, "37")
        },
        reason: Reason::ParameterNotApplicable,
    },
    Case {
        request: |n| ApplyRequest {
            msisdn: &n.own.msisdn,
            ..automatic(&n.eid, "37")
        },
        reason: Reason::ParameterNotApplicable,
    },
    Case {
        request: |n| ApplyRequest {
            province_code: "65",
            ..designated(&n.eid, "898604071120C0999999", &n.own.msisdn)
        },
        reason: Reason::UnknownNumber,
    },
    Case {
        request: |n| designated(&n.eid, "898604071120C0999999", &n.own.msisdn),
        reason: Reason::UnknownNumber,
    },
    Case {
        request: |n| designated(&n.eid, &n.other.iccid, &n.other.msisdn),
        reason: Reason::UnknownNumber,
    },
    Case {
        request: |n| designated(&n.eid, &n.pool.iccid, &n.pool.msisdn),
        reason: Reason::UnknownNumber,
    },
    Case {
        request: |n| designated(&n.eid, &n.own.iccid, &n.pool.msisdn),
        reason: Reason::NumberMismatch,
    },
    Case {
        request: |n| designated(&n.eid, &n.taken.iccid, &n.taken.msisdn),
        reason: Reason::NumberTaken,
    },
    Case {
        request: |n| designated(&n.eid, &n.suspended.iccid, &n.suspended.msisdn),
        reason: Reason::NumberSuspended,
    },
];

// §8.2.1 Table 3, §6.3 Table 2
#[test]
fn every_refusal_names_its_reason_fails_the_application_and_leaves_the_pool_alone() {
    for case in CASES {
        let world = World::new();
        let caller = world.stocked(2, 1);
        let other_client = world.client();
        world.numbers(&[
            NumberCsv::allotted(20, &caller.id),
            NumberCsv::allotted(21, &other_client.client_id),
            NumberCsv::allotted(22, &caller.id),
            NumberCsv::allotted(23, &caller.id),
        ]);
        let names = Names {
            eid: eid_text(0),
            own: NumberCsv::new(20),
            other: NumberCsv::new(21),
            pool: NumberCsv::new(0),
            taken: NumberCsv::new(22),
            suspended: NumberCsv::new(23),
        };
        world
            .apply(
                &caller,
                &designated(&eid_text(1), &names.taken.iccid, &names.taken.msisdn),
            )
            .unwrap();
        world.execute("UPDATE number SET status = 'suspended' WHERE client_id IS NOT NULL AND status = 'allotted' AND iccid_index = (SELECT iccid_index FROM number WHERE status = 'allotted' ORDER BY rowid DESC LIMIT 1)");
        let numbers =
            "SELECT hex(iccid_index) || status || COALESCE(task_id, '') FROM number ORDER BY iccid_index";
        let before = world.column(numbers);

        let request = (case.request)(&names);
        assert_eq!(reason(world.apply(&caller, &request)), case.reason, "{request:?}");
        assert_eq!(
            card(&world, &caller, 0),
            CardStatus::ApplicationFailed,
            "{request:?}"
        );
        assert_eq!(world.column(numbers), before, "{request:?}");
        let last = world.column("SELECT reason FROM card_history ORDER BY at DESC, rowid DESC LIMIT 1");
        assert_eq!(last, [case.reason.code()], "{request:?}");

        // §6.2.2.2: corrected, it is accepted.
        let corrected = designated(&names.eid, &names.own.iccid, &names.own.msisdn);
        assert_eq!(
            world.apply(&caller, &corrected).unwrap().card_status,
            CardStatus::WaitingPowerOn
        );
    }
}

// §7.2.2.2
#[test]
fn an_application_that_cannot_be_read_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.numbers(&[NumberCsv::allotted(20, &caller.id)]);
    world.apply_auto(&caller, 1).unwrap();
    let own = NumberCsv::new(20);
    for chip in [0, 1] {
        let eid = eid_text(chip);
        let designated = |iccid, msisdn| designated(&eid, iccid, msisdn);
        let nothing = ApplyRequest {
            eid: &eid,
            ..ApplyRequest::default()
        };
        let named = automatic(&eid, "37");
        for (request, expected) in [
            (nothing, Reason::ParameterMissing),
            (
                ApplyRequest {
                    write_type: "2",
                    ..nothing
                },
                Reason::WriteTypeMalformed,
            ),
            (
                ApplyRequest {
                    province_code: "37",
                    ..nothing
                },
                Reason::ParameterMissing,
            ),
            (automatic(&eid, ""), Reason::ParameterMissing),
            (automatic(&eid, "99"), Reason::ProvinceMalformed),
            (designated("", &own.msisdn), Reason::ParameterMissing),
            (designated(&own.iccid, ""), Reason::ParameterMissing),
            (designated("8986", &own.msisdn), Reason::IccidMalformed),
            (designated(&own.iccid, "13800138000"), Reason::MsisdnMalformed),
            (
                ApplyRequest {
                    iccid: "8986",
                    ..named
                },
                Reason::IccidMalformed,
            ),
            (
                ApplyRequest {
                    msisdn: "138",
                    ..named
                },
                Reason::MsisdnMalformed,
            ),
            // It is not known whether a card is meant or any number.
            (
                ApplyRequest {
                    iccid: &own.iccid,
                    ..automatic(&eid, "")
                },
                Reason::ParameterMissing,
            ),
        ] {
            let before = world.dump();
            assert_eq!(reason(world.apply(&caller, &request)), expected, "{request:?}");
            assert_eq!(world.dump(), before, "{request:?}");
        }
    }
    assert_eq!(card(&world, &caller, 0), CardStatus::ToWrite);
}

// §5.4.1 Table 1
#[test]
fn a_designated_application_goes_by_its_write_type_whatever_province_it_carries() {
    for province in ["37", "65", "99", "山东"] {
        let world = World::new();
        let caller = world.stocked(1, 1);
        world.numbers(&[NumberCsv::allotted(20, &caller.id)]);
        let own = NumberCsv::new(20);
        let eid = eid_text(0);
        let request = ApplyRequest {
            province_code: province,
            ..designated(&eid, &own.iccid, &own.msisdn)
        };
        let first = world.apply(&caller, &request).unwrap();
        // The same application, with the province or without it.
        let again = world
            .apply(&caller, &designated(&eid, &own.iccid, &own.msisdn))
            .unwrap();
        assert_eq!(
            (again.task_id, again.repeated),
            (first.task_id, true),
            "{province}"
        );
        assert!(world.apply(&caller, &request).unwrap().repeated, "{province}");
        let (_, work) = world.open(0).unwrap();
        assert_eq!(work.data.unwrap().iccid.as_str(), own.iccid, "{province}");
    }
}

#[test]
fn a_malformed_unknown_or_foreign_chip_changes_nothing() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let other_client = Caller {
        id: world.client().client_id,
    };
    let before = world.dump();
    assert_eq!(
        reason(world.apply(&caller, &automatic("", "37"))),
        Reason::ParameterMissing
    );
    assert_eq!(
        reason(world.apply(&caller, &automatic("123", "37"))),
        Reason::EidMalformed
    );
    let mistyped = eid_text(5).replace("8908", "8909");
    assert_eq!(
        reason(world.apply(&caller, &automatic(&mistyped, "37"))),
        Reason::EidMalformed
    );
    assert_eq!(
        reason(world.apply(&caller, &automatic(&eid_text(5), "37"))),
        Reason::UnknownChip
    );
    assert_eq!(reason(world.apply_auto(&other_client, 0)), Reason::UnknownChip);
    for what in [TaskRef::Eid(eid(0)), TaskRef::Eid(eid(5))] {
        assert_eq!(
            reason(run(status(&world.cx(), &other_client, &what))),
            Reason::UnknownChip
        );
        assert_eq!(
            reason(run(cancel(&world.cx(), &other_client, &what))),
            Reason::UnknownChip
        );
    }
    assert_eq!(world.dump(), before);
}

// §8.2.1 Table 3
#[test]
fn a_written_card_is_not_written_again() {
    let world = World::new();
    let caller = world.stocked(1, 2);
    world.write_chip(&caller, 0);
    let before = world.dump();
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::AlreadyWritten);
    assert_eq!(world.dump(), before);
}

// §5.3.1.3, §8.2.2 Table 4
#[test]
fn a_temporary_number_past_its_test_period_cannot_be_applied_for() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    // Opened on 2026-06-01, 270 days: the last is 2027-02-26.
    world.pass(days(240) + 16 * 3_600_000 - 1);
    assert!(world.apply_auto(&caller, 0).is_ok());
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    world.pass(1);
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::TemporaryNumberExpired
    );
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::TemporaryNumberExpired
    );
    assert_eq!(
        world.column("SELECT kind FROM incident"),
        ["temporary_number_expired"]
    );
}

// §6.2.1.3
#[test]
fn a_chip_with_too_little_allowance_cannot_be_applied_for() {
    let world = World::new();
    let caller = world.stocked(0, 1);
    world.chips(
        &caller.id,
        &[ChipCsv {
            allowance_mb: "0.031".to_owned(),
            ..ChipCsv::new(0)
        }],
    );
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::AllowanceExhausted);
    assert_eq!(world.column("SELECT kind FROM incident"), ["allowance_exhausted"]);
}

#[test]
fn a_faulty_chip_cannot_be_applied_for() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.execute("UPDATE chip SET faulty = 1");
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipFaulty);
    assert_eq!(card(&world, &caller, 0), CardStatus::ApplicationFailed);
}

// §8.2.1 Table 3
#[test]
fn an_empty_province_opens_one_incident_and_new_numbers_close_it() {
    let world = World::new().serving("37");
    let caller = world.stocked(2, 0);
    for chip in [0, 1, 0] {
        assert_eq!(
            reason(world.apply_auto(&caller, chip)),
            Reason::ProvinceWithoutNumber
        );
    }
    let open = "SELECT kind || ' ' || subject FROM incident WHERE closed_at IS NULL";
    assert_eq!(world.column(open), ["province_without_number province:37"]);
    world.numbers(&[NumberCsv::of_province(1, "11")]);
    assert_eq!(world.column(open).len(), 1);
    world.numbers(&[NumberCsv::new(2)]);
    assert!(world.column(open).is_empty());
    assert!(world.apply_auto(&caller, 0).is_ok());
}
