//! §8.2.1 Table 3: provinces without numbers, one and several.

use domain::error::Reason;
use domain::{HOUR_MS, IncidentKind};
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

// §8.2.1 Table 3: one province 2 h, several 4 h
#[test]
fn one_empty_province_is_overdue_after_two_hours_and_several_after_four() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(1, 0);
    ask(&world, &caller, 0, "65");
    for (hours, raised) in [(1, 0), (1, 1), (100, 1)] {
        world.pass(hours * HOUR_MS);
        world.job(Job::IncidentClocks);
        assert_eq!(alerts(&world).len(), raised);
    }
    assert_eq!(alerts(&world), ["incident_overdue"]);
    ask(&world, &caller, 0, "54");
    let since = world.time();
    let several = all(&world)
        .into_iter()
        .find(|incident| incident.state.kind == IncidentKind::ProvincesWithoutNumber);
    assert_eq!(several.unwrap().state.handle_by(), Some(since.plus(4 * HOUR_MS)));
}

#[test]
fn a_province_that_is_filled_late_is_overdue_though_the_clock_stood_still() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(2, 0);
    ask(&world, &caller, 0, "65");
    ask(&world, &caller, 1, "65");
    world.pass(3 * HOUR_MS);
    world.numbers(&[NumberCsv::of_province(7, "65")]);
    let settled = all(&world).remove(0).state;
    assert_eq!(settled.closed_at, Some(world.time()));
    assert_eq!(settled.severe_at, None);
    world.job(Job::IncidentClocks);
    assert_eq!(alerts(&world), ["incident_overdue"]);
}
