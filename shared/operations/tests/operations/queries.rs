//! What clients read of chips and numbers (§7.2.2.1, §7.2.3).

use domain::error::Reason;
use domain::{CardStatus, DAY_MS, Iccid, Msisdn, NumberStatus, Timestamp};
use operations::{
    Caller, LineStatus, NumberRef, OpenTimeRef, Usage, chip_view, number_view, open_time, provinces,
};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, reason, run};
use test_support::settings::START;

fn by_iccid(number: u32) -> NumberRef {
    NumberRef::Iccid(Iccid::parse(&NumberCsv::new(number).iccid).unwrap())
}

fn msisdn(number: u32) -> Msisdn {
    Msisdn::parse(&NumberCsv::new(number).msisdn).unwrap()
}

fn other_client(world: &World) -> Caller {
    Caller {
        id: world.client().client_id,
    }
}

// §7.2.2.1
#[test]
fn only_provinces_with_a_free_number_are_listed_in_the_order_of_their_codes() {
    let world = World::new();
    assert_eq!(run(provinces(&world.cx())).unwrap(), []);
    let caller = world.stocked(2, 1);
    let of = |number, province: &str| NumberCsv {
        province: province.to_owned(),
        ..NumberCsv::new(number)
    };
    world.numbers(&[of(1, "11"), of(2, "11"), of(3, "82")]);
    // An allotted number is nothing that automatic writing could take.
    world.numbers(&[NumberCsv {
        province: "50".to_owned(),
        ..NumberCsv::allotted(4, &caller.id)
    }]);
    let codes = || -> Vec<&str> {
        let provinces = run(provinces(&world.cx())).unwrap();
        provinces.into_iter().map(|province| province.code()).collect()
    };
    assert_eq!(codes(), ["11", "37", "82"]);
    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(codes(), ["11", "82"]);
}

#[test]
fn provinces_are_found_by_steps_into_the_index_and_not_by_reading_the_pool() {
    test_support::of_sqlite!();
    let world = World::new();
    let statement = {
        run(provinces(&world.cx())).unwrap();
        *world.db.seen.borrow().last().unwrap()
    };
    let plan = world.plan(statement);
    assert!(
        plan.contains("SEARCH number USING COVERING INDEX number_pool"),
        "{plan}"
    );
    assert!(
        plan.contains("SEARCH n USING COVERING INDEX number_pool (province>?)"),
        "{plan}"
    );
}

// §7.2.3.1
#[test]
fn a_chip_shows_its_temporary_number_and_what_is_left_of_its_allowance() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let csv = ChipCsv::new(0);
    let view = run(chip_view(&world.cx(), &caller, &eid(0))).unwrap();
    assert_eq!(
        (view.temp_msisdn, view.temp_iccid, view.chip_model),
        (csv.temp_msisdn, csv.temp_iccid, "XK-1".to_owned())
    );
    assert_eq!((view.eid, view.card_status), (eid_text(0), CardStatus::ToWrite));
    assert_eq!(view.remaining.mb(), "5");
    world.execute("UPDATE chip SET used_bytes = 650");
    let view = run(chip_view(&world.cx(), &caller, &eid(0))).unwrap();
    assert_eq!(view.remaining.mb(), "4.99935");
    world.execute("UPDATE chip SET used_bytes = 6000000");
    let view = run(chip_view(&world.cx(), &caller, &eid(0))).unwrap();
    assert_eq!(view.remaining.mb(), "0");
    for who in [&other_client(&world), &caller] {
        let which = if who == &caller { eid(7) } else { eid(0) };
        assert_eq!(
            reason(run(chip_view(&world.cx(), who, &which))),
            Reason::UnknownChip
        );
    }
}

// §7.2.3.2
#[test]
fn a_number_is_seen_by_the_client_it_is_allotted_to_or_whose_chip_holds_it() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let look = |who: &Caller, what: &NumberRef| run(number_view(&world.cx(), who, what));
    assert_eq!(reason(look(&caller, &by_iccid(0))), Reason::UnknownNumber);
    world.numbers(&[NumberCsv::allotted(7, &caller.id)]);
    let allotted = look(&caller, &by_iccid(7)).unwrap();
    assert_eq!((allotted.status, allotted.eid), (NumberStatus::Allotted, None));
    world.write_chip(&caller, 0);
    let written = look(&caller, &by_iccid(0)).unwrap();
    assert_eq!(
        (written.status, written.eid, written.province.code()),
        (NumberStatus::Written, Some(eid_text(0)), "37")
    );
    assert_eq!(
        (written.open_time, written.usage, written.location),
        (None, None, None)
    );
    assert_eq!(
        look(&caller, &NumberRef::Msisdn(msisdn(0))).unwrap(),
        look(&caller, &by_iccid(0)).unwrap()
    );
    for number in [0, 7] {
        assert_eq!(
            reason(look(&other_client(&world), &by_iccid(number))),
            Reason::UnknownNumber
        );
    }
}

#[test]
fn number_and_card_may_both_be_named_if_they_belong_together() {
    let world = World::new();
    let caller = world.stocked(0, 0);
    world.numbers(&[
        NumberCsv::allotted(1, &caller.id),
        NumberCsv::allotted(2, &caller.id),
    ]);
    let both = |number, card| {
        let NumberRef::Iccid(iccid) = by_iccid(card) else {
            unreachable!()
        };
        run(number_view(
            &world.cx(),
            &caller,
            &NumberRef::Both(msisdn(number), iccid),
        ))
    };
    assert!(both(1, 1).is_ok());
    assert_eq!(reason(both(1, 2)), Reason::ParameterNotApplicable);
    assert_eq!(reason(both(1, 3)), Reason::UnknownNumber);
}

// §7.2.3.3
#[test]
fn usage_is_that_of_this_month_or_unknown() {
    let world = World::new();
    let caller = world.stocked(0, 0);
    world.numbers(&[NumberCsv::allotted(1, &caller.id)]);
    let usage = || {
        run(number_view(&world.cx(), &caller, &by_iccid(1)))
            .unwrap()
            .usage
    };
    assert_eq!(usage(), None);
    world.execute(&format!(
        "INSERT INTO number_usage SELECT iccid_index, 100000000, 30500000, {START}, {START} FROM number"
    ));
    let known: Usage = usage().unwrap();
    assert_eq!(
        (known.total.mb(), known.used.mb(), known.remaining().mb()),
        ("100".to_owned(), "30.5".to_owned(), "69.5".to_owned())
    );
    assert_eq!(known.as_of, Timestamp(START));
    // 2026-08-01 begins in Shanghai eight hours before it does in UTC.
    world.pass(30 * DAY_MS + 16 * 3_600_000 - 1);
    assert!(usage().is_some());
    world.pass(1);
    assert_eq!(usage(), None);
    world.execute("UPDATE number_usage SET used_bytes = 200000000, as_of = as_of + 2678400000");
    assert_eq!(usage().unwrap().remaining().mb(), "0");
}

// §7.2.3.5
#[test]
fn the_city_is_the_one_last_told() {
    let world = World::new();
    let caller = world.stocked(0, 0);
    world.numbers(&[NumberCsv::allotted(1, &caller.id)]);
    world.execute(&format!(
        "INSERT INTO number_location SELECT iccid_index, '济南', {START}, {START} FROM number"
    ));
    let view = run(number_view(&world.cx(), &caller, &by_iccid(1))).unwrap();
    assert_eq!(view.location, Some(("济南".to_owned(), Timestamp(START))));
}

// §7.2.3.4
#[test]
fn a_card_lives_on_its_temporary_number_until_it_is_written() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let look = |what: &OpenTimeRef| run(open_time(&world.cx(), &caller, what));
    let by_eid = OpenTimeRef::Eid(eid(0));
    let temporary = look(&by_eid).unwrap();
    assert_eq!(temporary.msisdn, ChipCsv::new(0).temp_msisdn);
    assert_eq!(
        (temporary.eid.clone(), temporary.status),
        (Some(eid_text(0)), LineStatus::Testing)
    );
    let text = |at: Option<Timestamp>| at.unwrap().to_rfc3339(&world.zone);
    assert!(text(temporary.open_time).ends_with("T00:00:00+08:00"));
    assert!(text(temporary.expire_time).ends_with("T00:00:00+08:00"));
    let temp = Msisdn::parse(&temporary.msisdn).unwrap();
    assert_eq!(look(&OpenTimeRef::Msisdn(temp.clone())).unwrap(), temporary);
    assert_eq!(look(&OpenTimeRef::Both(eid(0), temp.clone())).unwrap(), temporary);
    world.execute(&format!("UPDATE chip SET temp_expires_at = {START}"));
    assert_eq!(look(&by_eid).unwrap().status, LineStatus::Expired);
    world.execute(&format!("UPDATE chip SET temp_expires_at = {START} + 86400000"));

    world.write_chip(&caller, 0);
    world.execute(&format!("UPDATE number SET open_time = {START}"));
    let written = look(&by_eid).unwrap();
    assert_eq!(
        (written.msisdn.as_str(), written.status, written.expire_time),
        (
            msisdn(0).as_str(),
            LineStatus::Operator(NumberStatus::Written),
            None
        )
    );
    assert_eq!(written.open_time, Some(Timestamp(START)));
    assert_eq!(look(&OpenTimeRef::Both(eid(0), msisdn(0))).unwrap(), written);
}

#[test]
fn what_is_another_clients_has_no_opening_time() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.write_chip(&caller, 0);
    let other = other_client(&world);
    let temp = Msisdn::parse(&ChipCsv::new(1).temp_msisdn).unwrap();
    for (what, expected) in [
        (OpenTimeRef::Eid(eid(0)), Reason::UnknownChip),
        (OpenTimeRef::Msisdn(msisdn(0)), Reason::UnknownNumber),
        (OpenTimeRef::Msisdn(temp.clone()), Reason::UnknownNumber),
        (OpenTimeRef::Both(eid(0), msisdn(0)), Reason::UnknownChip),
    ] {
        assert_eq!(reason(run(open_time(&world.cx(), &other, &what))), expected);
    }
    let crossed = OpenTimeRef::Both(eid(0), temp);
    assert_eq!(
        reason(run(open_time(&world.cx(), &caller, &crossed))),
        Reason::ParameterNotApplicable
    );
}
