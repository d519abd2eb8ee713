//! Lists of chips, numbers and refused applications: what each condition finds, page by page (§5.3.1.1).

use std::collections::BTreeSet;

use domain::error::Reason;
use domain::{CardStatus, Iccid, Imsi, MINUTE_MS, Msisdn, NumberStatus};
use operations::{
    Caller, ChipFilter, ListPage, NumberFilter, NumberListing, RefusalFilter, SearchedId, list_chips,
    list_numbers, refused_applications,
};
use store::ListKey;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, automatic, run};

use super::task_lists::{province, tasks_in_every_state};

/// An identifier of each kind, of the chip and the number that wait together.
pub(super) fn searched_ids() -> Vec<SearchedId> {
    let number = NumberCsv::new(10);
    vec![
        SearchedId::Eid(eid(5)),
        SearchedId::Iccid(Iccid::parse(&number.iccid).unwrap()),
        SearchedId::Msisdn(Msisdn::parse(&number.msisdn).unwrap()),
        SearchedId::Imsi(Imsi::parse(&number.imsi).unwrap()),
    ]
}

/// Everything that a search finds, in pages.
fn every<T>(mut page: impl FnMut(Option<ListKey>) -> ListPage<T>) -> Vec<T> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let next = page(cursor);
        found.extend(next.rows);
        match next.next {
            Some(key) => cursor = Some(key),
            None => return found,
        }
    }
}

/// Chip and reason of the refused applications that a search finds, one on a page.
fn refused(world: &World, filter: &RefusalFilter) -> Vec<(Option<String>, Option<Reason>)> {
    let rows = every(|cursor| {
        let filter = RefusalFilter {
            cursor,
            limit: 1,
            ..filter.clone()
        };
        run(refused_applications(&world.cx(), filter)).unwrap()
    });
    rows.into_iter().map(|row| (row.eid, row.reason)).collect()
}

// §6.3 Table 2, 申请失败
#[test]
fn refused_applications_are_found_by_client_chip_reason_and_time() {
    let world = World::new().serving("37");
    let caller = world.stocked(3, 0);
    // The third is a repetition for the same reason: no further step.
    for (chip, province) in [(0, "37"), (1, "37"), (1, "37"), (1, "11")] {
        let request = eid_text(chip);
        world.apply(&caller, &automatic(&request, province)).unwrap_err();
        world.pass(MINUTE_MS);
    }
    let of = |chip: u32, reason: Reason| (Some(eid_text(chip)), Some(reason));
    let all = [
        of(1, Reason::ProvinceNotServed),
        of(1, Reason::ProvinceWithoutNumber),
        of(0, Reason::ProvinceWithoutNumber),
    ];
    let by = |change: &dyn Fn(&mut RefusalFilter)| {
        let mut filter = RefusalFilter::default();
        change(&mut filter);
        refused(&world, &filter)
    };
    assert_eq!(by(&|_| ()), all);
    assert_eq!(by(&|filter| filter.client_id = Some(caller.id.clone())), all);
    assert_eq!(by(&|filter| filter.eid = Some(eid(0))), all[2..]);
    assert_eq!(
        by(&|filter| filter.reason = Some(Reason::ProvinceNotServed)),
        all[..1]
    );
    let (from, to) = (world.time().plus(-4 * MINUTE_MS), world.time().plus(-MINUTE_MS));
    assert_eq!(
        by(&|filter| (filter.from, filter.to) = (Some(from), Some(to))),
        all[1..]
    );
    let other = world.client().client_id;
    assert_eq!(by(&|filter| filter.client_id = Some(other.clone())), []);
}

/// The chips that a search finds, by their numbers.
fn chips(world: &World, filter: &ChipFilter, limit: u32) -> Vec<u32> {
    let rows = every(|cursor| {
        let filter = ChipFilter {
            cursor,
            limit,
            ..filter.clone()
        };
        run(list_chips(&world.cx(), filter)).unwrap()
    });
    let number = |eid: &str| (0..20).find(|chip| eid_text(*chip) == eid).unwrap();
    let mut found: Vec<u32> = rows
        .iter()
        .map(|chip| number(chip.eid.as_deref().unwrap()))
        .collect();
    found.sort_unstable();
    found
}

fn chip_search(change: impl FnOnce(&mut ChipFilter)) -> ChipFilter {
    let mut filter = ChipFilter::default();
    change(&mut filter);
    filter
}

#[test]
fn chips_are_found_by_each_condition_in_pages_of_any_size() {
    let (world, caller, other, _) = tasks_in_every_state();
    let start = world.time();
    world.pass(MINUTE_MS);
    let late = ChipCsv {
        chip_model: "XK-2".to_owned(),
        ..ChipCsv::new(7)
    };
    world.chips(&other.id, &[late]);
    let temporary = ChipCsv::new(5);
    let by = |id: SearchedId| chip_search(|filter| filter.id = Some(id));
    let msisdn = |text: &str| by(SearchedId::Msisdn(Msisdn::parse(text).unwrap()));
    let of = |status| chip_search(|filter| filter.status = Some(status));
    let of_client = |caller: &Caller| chip_search(|filter| filter.client_id = Some(caller.id.clone()));
    let seen = Some(start.plus(-3 * MINUTE_MS));
    for (filter, expected) in [
        (ChipFilter::default(), (0..8).collect()),
        (by(SearchedId::Eid(eid(3))), vec![3]),
        (msisdn(&temporary.temp_msisdn), vec![5]),
        (
            by(SearchedId::Iccid(Iccid::parse(&temporary.temp_iccid).unwrap())),
            vec![5],
        ),
        (
            by(SearchedId::Imsi(Imsi::parse(&temporary.temp_imsi).unwrap())),
            vec![5],
        ),
        (msisdn(&number_of(&world, 0)), vec![0]),
        (of(CardStatus::ToWrite), vec![2, 3, 7]),
        (of(CardStatus::Written), vec![0]),
        (of(CardStatus::Writing), vec![4]),
        (
            ChipFilter {
                client_id: Some(other.id.clone()),
                ..of(CardStatus::ToWrite)
            },
            vec![7],
        ),
        (of_client(&caller), (0..6).collect()),
        (
            chip_search(|filter| filter.model = Some("XK-2".to_owned())),
            vec![7],
        ),
        (chip_search(|filter| filter.from = Some(start)), vec![7]),
        (chip_search(|filter| filter.to = Some(start)), (0..7).collect()),
        (chip_search(|filter| filter.seen_from = seen), vec![4]),
        (
            chip_search(|filter| filter.seen_before = seen),
            vec![0, 1, 2, 3, 5, 6, 7],
        ),
    ] {
        for limit in [1, 3, 200] {
            let found = chips(&world, &filter, limit);
            assert_eq!(found, expected, "{filter:?} by {limit}");
        }
    }
}

/// The MSISDN of the number that a chip holds.
fn number_of(world: &World, chip: u32) -> String {
    let filter = number_search(|filter| filter.id = Some(SearchedId::Eid(eid(chip))));
    numbers(world, &filter, 1)[0].msisdn.clone().unwrap()
}

fn numbers(world: &World, filter: &NumberFilter, limit: u32) -> Vec<NumberListing> {
    every(|cursor| {
        let filter = NumberFilter {
            cursor,
            limit,
            ..filter.clone()
        };
        run(list_numbers(&world.cx(), filter)).unwrap()
    })
}

fn number_search(change: impl FnOnce(&mut NumberFilter)) -> NumberFilter {
    let mut filter = NumberFilter::default();
    change(&mut filter);
    filter
}

#[test]
fn numbers_are_found_by_each_condition_in_pages_of_any_size() {
    let (world, caller, _, tasks) = tasks_in_every_state();
    let of = |status| number_search(|filter| filter.status = Some(status));
    let by = |id: SearchedId| number_search(|filter| filter.id = Some(id));
    let before = world.time().plus(-7 * MINUTE_MS);
    let mut searches = vec![
        (NumberFilter::default(), 9),
        (of(NumberStatus::Written), 1),
        (of(NumberStatus::Allotted), 0),
        (
            NumberFilter {
                province: province("11"),
                ..of(NumberStatus::Reserved)
            },
            1,
        ),
        (number_search(|filter| filter.province = province("37")), 8),
        (
            number_search(|filter| filter.client_id = Some(caller.id.clone())),
            1,
        ),
        (number_search(|filter| filter.to = Some(before)), 0),
    ];
    searches.extend(searched_ids().into_iter().map(|id| (by(id), 1)));
    for (filter, expected) in searches {
        for limit in [1, 3, 200] {
            let found = numbers(&world, &filter, limit);
            let different: BTreeSet<_> = found.iter().map(|number| &number.iccid).collect();
            assert_eq!(
                (found.len(), different.len()),
                (expected, expected),
                "{filter:?} by {limit}"
            );
        }
    }
    let number = numbers(&world, &by(SearchedId::Eid(eid(5))), 1).remove(0);
    assert_eq!(
        (number.status, number.task_id, number.eid.as_deref()),
        (NumberStatus::Reserved, Some(tasks[5]), Some(eid_text(5).as_str()))
    );
}
