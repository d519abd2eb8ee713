//! §8.2.1 Table 3: provinces without numbers, one and several.

use domain::HOUR_MS;
use domain::error::Reason;
use operations::{Caller, Job};
use test_support::eid::eid_text;
use test_support::inventory::NumberCsv;
use test_support::operations::{World, automatic, reason};

use super::incidents::{alerts, all, open_kinds, settle};

/// Applies for chip `chip` in a province that has no number.
fn ask(world: &World, caller: &Caller, chip: u32, province: &str) {
    let refused = world.apply(caller, &automatic(&eid_text(chip), province));
    assert_eq!(reason(refused), Reason::ProvinceWithoutNumber);
}

#[test]
fn one_province_without_numbers_is_general_and_several_are_severe_at_once() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(2, 2);
    ask(&world, &caller, 0, "65");
    ask(&world, &caller, 1, "65");
    world.job(Job::IncidentClocks);
    assert_eq!(open_kinds(&world), ["province_without_number"]);
    assert!(alerts(&world).is_empty());
    ask(&world, &caller, 1, "54");
    assert_eq!(
        open_kinds(&world),
        [
            "province_without_number",
            "province_without_number",
            "provinces_without_number"
        ]
    );
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["pools_empty", "incident_severe"]);

    world.numbers(&[NumberCsv::of_province(7, "54")]);
    assert_eq!(open_kinds(&world), ["province_without_number"]);
}

#[test]
fn a_province_that_is_settled_by_hand_counts_no_longer() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(2, 2);
    ask(&world, &caller, 0, "65");
    ask(&world, &caller, 1, "54");
    let province = all(&world)
        .into_iter()
        .find(|incident| incident.subject == "province:65");
    settle(&world, province.unwrap().id);
    assert_eq!(open_kinds(&world), ["province_without_number"]);
}

#[test]
fn a_province_without_numbers_becomes_severe_after_two_hours_and_is_overdue_after_four() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(1, 0);
    ask(&world, &caller, 0, "65");
    for (hours, raised) in [
        (1, &[][..]),
        (1, &["incident_severe"][..]),
        (1, &["incident_severe", "report_overdue"][..]),
        (1, &["incident_severe", "report_overdue", "incident_overdue"][..]),
        (
            100,
            &["incident_severe", "report_overdue", "incident_overdue"][..],
        ),
    ] {
        world.pass(hours * HOUR_MS);
        world.job(Job::IncidentClocks);
        assert_eq!(alerts(&world), raised);
    }
}

#[test]
fn a_province_that_is_filled_late_has_to_be_reported_though_the_clock_stood_still() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(2, 0);
    ask(&world, &caller, 0, "65");
    ask(&world, &caller, 1, "65");
    let began = world.time();
    world.pass(3 * HOUR_MS);
    world.numbers(&[NumberCsv::of_province(7, "65")]);
    let settled = all(&world).remove(0).state;
    assert_eq!(settled.closed_at, Some(world.time()));
    assert_eq!(settled.severe_at, Some(began.plus(2 * HOUR_MS)));
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_severe", "report_overdue"]);
}
