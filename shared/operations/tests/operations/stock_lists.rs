//! Lists of chips, numbers and refused applications: what each condition finds, page by page (§5.3.1.1).

use domain::error::Reason;
use domain::{CardStatus, Iccid, Imsi, MINUTE_MS, Msisdn, NumberStatus, Provinces};
use operations::{
    ChipFilter, NumberFilter, RefusalFilter, SearchedId, list_chips, list_numbers, refused_applications,
};
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

// §6.3 Table 2, 申请失败
#[test]
fn refused_applications_are_found_by_client_chip_reason_and_time() {
    let world = World::new();
    let caller = world.stocked(3, 0);
    let refused = |chip: u32, province: &str| {
        world
            .apply(&caller, &automatic(&eid_text(chip), province))
            .unwrap_err();
        world.pass(MINUTE_MS);
    };
    world.served.set(Some(Provinces::parse("37").unwrap()));
    refused(0, "37");
    refused(1, "37");
    // Again for the same reason: no further step.
    refused(1, "37");
    refused(1, "11");
    let list = |filter: RefusalFilter| -> Vec<(Option<String>, Option<Reason>)> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let filter = RefusalFilter {
                cursor,
                limit: 1,
                ..filter.clone()
            };
            let page = run(refused_applications(&world.cx(), filter)).unwrap();
            assert!(
                page.rows
                    .iter()
                    .all(|row| row.client_id.as_ref() == Some(&caller.id))
            );
            found.extend(page.rows.into_iter().map(|row| (row.eid, row.reason)));
            cursor = page.next;
            if cursor.is_none() {
                return found;
            }
        }
    };
    let of = |chip: u32, reason: Reason| (Some(eid_text(chip)), Some(reason));
    let all = [
        of(1, Reason::ProvinceNotServed),
        of(1, Reason::ProvinceWithoutNumber),
        of(0, Reason::ProvinceWithoutNumber),
    ];
    let filter = RefusalFilter::default;
    assert_eq!(list(filter()), all);
    assert_eq!(
        list(RefusalFilter {
            client_id: Some(caller.id.clone()),
            ..filter()
        }),
        all
    );
    assert_eq!(
        list(RefusalFilter {
            eid: Some(eid(0)),
            ..filter()
        }),
        all[2..]
    );
    assert_eq!(
        list(RefusalFilter {
            reason: Some(Reason::ProvinceNotServed),
            ..filter()
        }),
        all[..1]
    );
    assert_eq!(
        list(RefusalFilter {
            from: Some(world.time().plus(-4 * MINUTE_MS)),
            to: Some(world.time().plus(-MINUTE_MS)),
            ..filter()
        }),
        all[1..]
    );
    let other = world.client().client_id;
    assert_eq!(
        list(RefusalFilter {
            client_id: Some(other),
            ..filter()
        }),
        []
    );
}

#[test]
fn chips_are_found_by_each_condition_while_more_are_imported() {
    let (world, caller, other, _) = tasks_in_every_state();
    let start = world.time();
    world.pass(MINUTE_MS);
    let late = ChipCsv {
        chip_model: "XK-2".to_owned(),
        ..ChipCsv::new(7)
    };
    world.chips(&other.id, &[late]);
    let list = |filter: ChipFilter, limit: u32| -> Vec<u32> {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let filter = ChipFilter {
                cursor,
                limit,
                ..filter.clone()
            };
            let page = run(list_chips(&world.cx(), filter)).unwrap();
            let number = |eid: &str| (0..20).find(|chip| eid_text(*chip) == eid).unwrap();
            found.extend(page.rows.iter().map(|chip| number(chip.eid.as_deref().unwrap())));
            cursor = page.next;
            if cursor.is_none() {
                found.sort_unstable();
                return found;
            }
        }
    };
    let temporary = ChipCsv::new(5);
    let by = |id: SearchedId| ChipFilter {
        id: Some(id),
        ..ChipFilter::default()
    };
    let number = number_of(&world, 0);
    let of = |status| ChipFilter {
        status: Some(status),
        ..ChipFilter::default()
    };
    for (filter, expected) in [
        (ChipFilter::default(), (0..8).collect()),
        (by(SearchedId::Eid(eid(3))), vec![3]),
        (
            by(SearchedId::Msisdn(Msisdn::parse(&temporary.temp_msisdn).unwrap())),
            vec![5],
        ),
        (
            by(SearchedId::Iccid(Iccid::parse(&temporary.temp_iccid).unwrap())),
            vec![5],
        ),
        (
            by(SearchedId::Imsi(Imsi::parse(&temporary.temp_imsi).unwrap())),
            vec![5],
        ),
        (by(SearchedId::Msisdn(Msisdn::parse(&number).unwrap())), vec![0]),
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
        (
            ChipFilter {
                client_id: Some(caller.id.clone()),
                ..ChipFilter::default()
            },
            (0..6).collect(),
        ),
        (
            ChipFilter {
                model: Some("XK-2".to_owned()),
                ..ChipFilter::default()
            },
            vec![7],
        ),
        (
            ChipFilter {
                from: Some(start),
                ..ChipFilter::default()
            },
            vec![7],
        ),
        (
            ChipFilter {
                to: Some(start),
                ..ChipFilter::default()
            },
            (0..7).collect(),
        ),
        (
            ChipFilter {
                seen_from: Some(start.plus(-3 * MINUTE_MS)),
                ..ChipFilter::default()
            },
            vec![4],
        ),
        (
            ChipFilter {
                seen_before: Some(start.plus(-3 * MINUTE_MS)),
                ..ChipFilter::default()
            },
            vec![0, 1, 2, 3, 5, 6, 7],
        ),
    ] {
        for limit in [1, 3, 200] {
            assert_eq!(list(filter.clone(), limit), expected, "{filter:?} by {limit}");
        }
    }
}

/// The MSISDN of the number that a chip holds.
fn number_of(world: &World, chip: u32) -> String {
    let filter = NumberFilter {
        id: Some(SearchedId::Eid(eid(chip))),
        limit: 1,
        ..NumberFilter::default()
    };
    let page = run(list_numbers(&world.cx(), filter)).unwrap();
    page.rows[0].msisdn.clone().unwrap()
}

#[test]
fn numbers_are_found_by_each_condition_page_by_page() {
    let (world, caller, _, tasks) = tasks_in_every_state();
    let list = |filter: NumberFilter, limit: u32| -> usize {
        let (mut found, mut cursor) = (Vec::new(), None);
        loop {
            let filter = NumberFilter {
                cursor,
                limit,
                ..filter.clone()
            };
            let page = run(list_numbers(&world.cx(), filter)).unwrap();
            found.extend(page.rows.into_iter().map(|number| number.iccid.unwrap()));
            cursor = page.next;
            if cursor.is_none() {
                let count = found.len();
                found.sort();
                found.dedup();
                assert_eq!(found.len(), count, "none twice");
                return count;
            }
        }
    };
    let of = |status| NumberFilter {
        status: Some(status),
        ..NumberFilter::default()
    };
    let by = |id: SearchedId| NumberFilter {
        id: Some(id),
        ..NumberFilter::default()
    };
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
        (
            NumberFilter {
                province: province("37"),
                ..NumberFilter::default()
            },
            8,
        ),
        (
            NumberFilter {
                client_id: Some(caller.id.clone()),
                ..NumberFilter::default()
            },
            1,
        ),
        (
            NumberFilter {
                to: Some(world.time().plus(-7 * MINUTE_MS)),
                ..NumberFilter::default()
            },
            0,
        ),
    ];
    searches.extend(searched_ids().into_iter().map(|id| (by(id), 1)));
    for (filter, expected) in searches {
        for limit in [1, 3, 200] {
            assert_eq!(list(filter.clone(), limit), expected, "{filter:?} by {limit}");
        }
    }
    let page = run(list_numbers(&world.cx(), by(SearchedId::Eid(eid(5))))).unwrap();
    let number = &page.rows[0];
    assert_eq!(
        (number.status, number.task_id, number.eid.as_deref()),
        (NumberStatus::Reserved, Some(tasks[5]), Some(eid_text(5).as_str()))
    );
}
