//! §8.2.1 Table 3, §8.3.2: a province that is not served is refused with its own reason, is counted in the review and is
//! no incident; and a refused application that is repeated leaves no further step.

use domain::error::Reason;
use domain::{CardStatus, Month, Provinces};
use operations::{
    Caller, Job, NumberAct, NumberRef, act_on_number, provinces, register_fault, release_numbers,
    review_incidents,
};
use test_support::eid::eid_text;
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{World, automatic, reason, run};

use super::incidents::{all, open_kinds};

/// Why an application for chip `chip` in a province is refused.
fn refusal(world: &World, caller: &Caller, chip: u32, province: &str) -> Reason {
    reason(world.apply(caller, &automatic(&eid_text(chip), province)))
}

/// The applications of the present month that asked for a province that is not served.
fn unserved(world: &World) -> i64 {
    run(review_incidents(&world.cx(), None)).unwrap().figures.unserved
}

/// Takes every free number out of use.
fn empty(world: &World, numbers: &[NumberCsv]) {
    for number in numbers {
        let which = NumberRef::Msisdn(domain::Msisdn::parse(&number.msisdn).unwrap());
        run(act_on_number(&world.cx(), &which, NumberAct::Retire)).unwrap();
    }
}

#[test]
fn a_province_that_never_had_numbers_is_not_served_counted_and_no_incident() {
    let world = World::new();
    let caller = world.stocked(3, 1);
    for (chip, province) in [(0, "65"), (1, "65"), (2, "54")] {
        assert_eq!(
            refusal(&world, &caller, chip, province),
            Reason::ProvinceNotServed
        );
    }
    assert_eq!(unserved(&world), 3);
    world.job(Job::Pools);
    world.job(Job::IncidentClocks);
    assert!(all(&world).is_empty());
    // The client gets a message as for any refusal.
    assert_eq!(
        world.column("SELECT DISTINCT reason FROM card_history WHERE to_status = 6"),
        ["province_not_served"]
    );
}

#[test]
fn a_province_that_ran_out_stays_served() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    empty(&world, &[NumberCsv::new(0)]);
    assert_eq!(refusal(&world, &caller, 0, "37"), Reason::ProvinceWithoutNumber);
    assert_eq!(open_kinds(&world), ["province_without_number"]);
    assert_eq!(unserved(&world), 0);
}

#[test]
fn numbers_that_are_put_into_the_pool_make_their_province_served() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let number = NumberCsv::of_province(7, "65");
    world.numbers(&[NumberCsv {
        client_id: caller.id.as_str().to_owned(),
        ..number.clone()
    }]);
    assert_eq!(refusal(&world, &caller, 0, "65"), Reason::ProvinceNotServed);
    let iccid = domain::Iccid::parse(&number.iccid).unwrap();
    run(release_numbers(&world.cx(), &[iccid])).unwrap();
    empty(&world, &[number]);
    assert_eq!(refusal(&world, &caller, 0, "65"), Reason::ProvinceWithoutNumber);
}

#[test]
fn configured_provinces_are_served_with_or_without_numbers_and_no_others_are() {
    let world = World::new().serving("65,54");
    let caller = world.stocked(1, 1);
    world.numbers(&[NumberCsv::of_province(7, "54")]);
    assert_eq!(refusal(&world, &caller, 0, "37"), Reason::ProvinceNotServed);
    assert_eq!(refusal(&world, &caller, 0, "65"), Reason::ProvinceWithoutNumber);
    let listed = run(provinces(&world.cx())).unwrap();
    assert_eq!(listed.iter().map(|one| one.code()).collect::<Vec<_>>(), ["54"]);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number WHERE status = 'available'"),
        2
    );
}

#[test]
fn a_province_that_is_no_longer_served_settles_its_incident_and_counts_towards_no_several() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(2, 1);
    for province in ["65", "54"] {
        assert_eq!(
            refusal(&world, &caller, 0, province),
            Reason::ProvinceWithoutNumber
        );
    }
    assert_eq!(open_kinds(&world).len(), 3);
    world.served.set(Some(Provinces::parse("37,54").unwrap()));
    world.job(Job::Pools);
    assert_eq!(open_kinds(&world), ["province_without_number"]);
    // A pool of such a province may run dry.
    world.served.set(Some(Provinces::parse("54").unwrap()));
    empty(&world, &[NumberCsv::new(0)]);
    for _ in 0..2 {
        world.job(Job::Pools);
        assert_eq!(open_kinds(&world), ["province_without_number"]);
    }
}

#[test]
fn the_incident_of_an_earlier_version_about_a_province_that_never_had_numbers_is_settled() {
    let world = World::new().serving("65");
    let caller = world.stocked(1, 1);
    refusal(&world, &caller, 0, "65");
    assert_eq!(open_kinds(&world), ["province_without_number"]);
    world.served.set(None);
    world.job(Job::Pools);
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn the_review_that_is_kept_has_the_count_of_its_month() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 1).unwrap();
    refusal(&world, &caller, 0, "65");
    let july = Month::parse("2026-07").unwrap();
    let began = july.following().begins(&world.zone);
    world.now.set(began.plus(operations::SETTLED_AFTER_MS).millis());
    world.job(Job::MonthlyReview);
    let kept = run(review_incidents(&world.cx(), Some(july))).unwrap();
    assert_eq!((kept.is_kept, kept.figures.unserved), (true, 1));
    let august = run(review_incidents(&world.cx(), None)).unwrap();
    assert_eq!((august.figures.unserved, august.previous.unserved), (0, 1));
}

/// How many steps the history of the cards has.
fn steps(world: &World) -> i64 {
    world.count("SELECT COUNT(*) FROM card_history")
}

#[test]
fn of_repeated_refused_applications_one_step_is_kept_for_each_reason() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let before = steps(&world);
    for _ in 0..3 {
        for province in ["65", "54"] {
            assert_eq!(refusal(&world, &caller, 0, province), Reason::ProvinceNotServed);
        }
    }
    assert_eq!((steps(&world), unserved(&world)), (before + 1, 1));
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    for _ in 0..3 {
        assert_eq!(refusal(&world, &caller, 0, "65"), Reason::ChipFaulty);
    }
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    let dump = world.dump();
    assert_eq!(refusal(&world, &caller, 0, "65"), Reason::ProvinceNotServed);
    assert_eq!(world.dump(), dump, "a repetition changes nothing");
    assert_eq!(steps(&world), before + 2);
}

#[test]
fn after_an_accepted_application_a_refusal_is_a_step_again() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    refusal(&world, &caller, 0, "65");
    world.apply_auto(&caller, 0).unwrap();
    run(operations::cancel(
        &world.cx(),
        &caller,
        &operations::TaskRef::Eid(eid(0)),
    ))
    .unwrap();
    let before = steps(&world);
    refusal(&world, &caller, 0, "65");
    assert_eq!((steps(&world), unserved(&world)), (before + 1, 2));
    let status = run(operations::status(
        &world.cx(),
        &caller,
        &operations::TaskRef::Eid(eid(0)),
    ));
    assert_eq!(status.unwrap().card_status, CardStatus::ApplicationFailed);
}
