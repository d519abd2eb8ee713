//! Imports by their identifier: what they added, and withdrawing it. What is unique among the living may come back.

use domain::error::Reason;
use domain::{CardStatus, FailureKind, ImportId};
use operations::{
    ActNote, ImportReport, NumberAct, NumberRef, TaskRef, act_on_number, cancel, list_imports, replace_chip,
    status, withdraw_import,
};
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, reason, run};

use crate::faults::leaves_nothing_behind;
use crate::imports::row_errors;

#[test]
fn a_withdrawal_that_fails_removes_nothing() {
    let arrange = || {
        let world = World::new();
        let client = world.client().client_id;
        let chips = id(&world.chips(&client, &[ChipCsv::new(0)]));
        let numbers = id(&world.numbers(&[NumberCsv::new(0)]));
        (world, [chips, numbers])
    };
    for at in 0..2 {
        leaves_nothing_behind("withdraw_import", arrange, |world, imports| {
            run(withdraw_import(&world.cx(), imports[at], false)).map(drop)
        });
    }
}

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "芯片损坏",
};

fn id(report: &ImportReport) -> ImportId {
    report.id.unwrap()
}

#[test]
fn every_import_has_an_identifier_and_its_counts_are_kept() {
    let world = World::new();
    let client = world.client().client_id;
    let chips = world.chips(&client, &[ChipCsv::new(0), ChipCsv::new(1)]);
    let again = world.chips(&client, &[ChipCsv::new(0), ChipCsv::new(1)]);
    let wrong = NumberCsv {
        imsi: "1".to_owned(),
        ..NumberCsv::new(1)
    };
    let numbers = world.numbers(&[NumberCsv::new(0), wrong]);
    let (imports, next) = run(list_imports(&world.cx(), None, 100)).unwrap();
    let mut found: Vec<_> = imports.iter().map(|one| (one.id, one.kind, one.counts)).collect();
    found.sort_unstable();
    let mut expected = [
        (id(&chips), "chip", [2, 2, 0, 0, 0]),
        (id(&again), "chip", [2, 0, 2, 0, 0]),
        (id(&numbers), "number", [2, 1, 0, 0, 1]),
    ];
    expected.sort_unstable();
    assert_eq!((found.as_slice(), next), (expected.as_slice(), None));
    let (first, next) = run(list_imports(&world.cx(), None, 2)).unwrap();
    let (rest, _) = run(list_imports(&world.cx(), next, 2)).unwrap();
    assert_eq!((first.len(), rest.len()), (2, 1));
}

#[test]
fn withdrawing_removes_unused_chips_and_names_those_in_use() {
    let world = World::new();
    let client = world.client();
    let chips: Vec<ChipCsv> = (0..4)
        .map(|n| ChipCsv {
            psk: Some([n as u8 + 1; 16]),
            ..ChipCsv::new(n)
        })
        .collect();
    let import = id(&world.chips(&client.client_id, &chips));
    world.numbers(&[NumberCsv::new(0)]);
    let caller = operations::Caller {
        id: client.client_id.clone(),
    };
    // One was applied for and withdrawn, one opened a session.
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    run(cancel(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    world.open(1).unwrap();
    let before = world.dump();
    let preview = run(withdraw_import(&world.cx(), import, true)).unwrap();
    assert_eq!(world.dump(), before);
    assert_eq!((preview.kind, preview.removed, preview.in_use), ("chip", 2, 2));
    let masked = |n| {
        let text = eid(n).as_str().to_owned();
        format!("{}****{}", &text[..6], &text[28..])
    };
    let mut named = preview.named.clone();
    named.sort_unstable();
    let mut expected = [masked(0), masked(1)];
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert_eq!(run(withdraw_import(&world.cx(), import, false)).unwrap(), preview);
    assert_eq!(world.count("SELECT COUNT(*) FROM chip"), 2);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM card_history WHERE reason = 'imported'"),
        2
    );
    // Again: nothing is left to remove, and the import says what became of it.
    let again = run(withdraw_import(&world.cx(), import, false)).unwrap();
    assert_eq!((again.removed, again.in_use), (0, 2));
    let (imports, _) = run(list_imports(&world.cx(), None, 100)).unwrap();
    let found = imports.iter().find(|one| one.id == import).unwrap();
    assert_eq!((found.removed, found.withdrawn_at), (2, Some(world.time())));
    assert_eq!(world.chips(&client.client_id, &chips[2..]).imported, 2);
}

#[test]
fn withdrawing_removes_free_numbers_and_leaves_those_that_were_ever_reserved() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    let rows: Vec<NumberCsv> = (0..4).map(NumberCsv::new).collect();
    let import = id(&world.numbers(&rows));
    world.fail_chip(&caller, 0, FailureKind::CardError);
    let task = world.apply_auto(&caller, 1).unwrap().task_id;
    run(cancel(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    let withdrawn = run(withdraw_import(&world.cx(), import, false)).unwrap();
    assert_eq!(
        (withdrawn.kind, withdrawn.removed, withdrawn.in_use),
        ("number", 2, 2)
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM number"), 2);
    let unknown = ImportId::new(world.time(), [1; 10]);
    let refused = run(withdraw_import(&world.cx(), unknown, true));
    assert_eq!(reason(refused), Reason::UnknownImport);
}

#[test]
fn a_conflict_names_the_column_and_both_values_masked() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let chip = ChipCsv {
        allowance_mb: "6".to_owned(),
        temp_imsi: ChipCsv::new(5).temp_imsi,
        ..ChipCsv::new(0)
    };
    let error = &world.chips(&caller.id, &[chip]).errors[0];
    assert_eq!(
        (error.line, error.column, error.reason),
        (2, Some("temp_imsi"), Reason::ImportConflict)
    );
    for part in [
        "temp_imsi",
        "460****0000",
        "460****0005",
        "allowance_mb",
        "\"5\"",
        "\"6\"",
    ] {
        assert!(error.en.contains(part), "{part}: {}", error.en);
    }
    let other = ChipCsv {
        temp_msisdn: ChipCsv::new(0).temp_msisdn,
        ..ChipCsv::new(7)
    };
    let error = &world.chips(&caller.id, &[other]).errors[0];
    let (stored, given) = (eid(0).masked(), eid(7).masked());
    assert_eq!(error.column, Some("temp_msisdn"));
    for text in [&error.zh, &error.en] {
        assert!(text.contains(&stored) && text.contains(&given), "{text}");
    }
    let number = NumberCsv {
        imsi: NumberCsv::new(0).imsi,
        ..NumberCsv::new(3)
    };
    let error = &world.numbers(&[number]).errors[0];
    assert_eq!(error.column, Some("imsi"));
    assert!(
        error.en.contains("898604****0000") && error.en.contains("898604****0003"),
        "{}",
        error.en
    );
}

#[test]
fn the_temporary_number_of_a_written_chip_may_come_back_in_new_data() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let heir = |n: u32| ChipCsv {
        eid: ChipCsv::new(n).eid,
        ..ChipCsv::new(0)
    };
    let refused = world.chips(&caller.id, &[heir(5)]);
    assert_eq!(
        row_errors(&refused),
        [(2, Some("temp_msisdn"), Reason::ImportConflict)]
    );
    world.write_chip(&caller, 0);
    assert_eq!(world.chips(&caller.id, &[heir(5)]).imported, 1);
    // It is unique among the living again.
    let refused = world.chips(&caller.id, &[heir(6)]);
    assert_eq!(
        row_errors(&refused),
        [(2, Some("temp_msisdn"), Reason::ImportConflict)]
    );
    assert_eq!(world.chips(&caller.id, &[ChipCsv::new(0)]).unchanged, 1);
    let view = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    assert_eq!(view.card_status, CardStatus::Written);
}

#[test]
fn the_temporary_number_of_a_replaced_chip_may_come_back_and_the_chip_then_needs_another() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    run(replace_chip(&world.cx(), &eid(0), &eid(1), &NOTE)).unwrap();
    let heir = ChipCsv {
        eid: ChipCsv::new(5).eid,
        ..ChipCsv::new(0)
    };
    assert_eq!(world.chips(&caller.id, &[heir]).imported, 1);
    run(operations::register_fault(&world.cx(), &eid(0), false)).unwrap();
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::TemporaryNumberExpired
    );
    world.apply_auto(&caller, 5).unwrap();
}

#[test]
fn msisdn_and_imsi_of_a_retired_number_may_come_back_with_another_card() {
    let world = World::new();
    world.numbers(&[NumberCsv::new(0)]);
    let heir = NumberCsv {
        iccid: NumberCsv::new(9).iccid,
        ..NumberCsv::new(0)
    };
    assert_eq!(
        row_errors(&world.numbers(std::slice::from_ref(&heir))),
        [(2, Some("msisdn"), Reason::ImportConflict)]
    );
    let iccid = domain::Iccid::parse(&NumberCsv::new(0).iccid).unwrap();
    run(act_on_number(
        &world.cx(),
        &NumberRef::Iccid(iccid),
        NumberAct::Retire,
    ))
    .unwrap();
    assert_eq!(world.numbers(std::slice::from_ref(&heir)).imported, 1);
    assert_eq!(world.numbers(&[NumberCsv::new(0)]).unchanged, 1);
    assert_eq!(world.numbers(&[heir]).unchanged, 1);
}
