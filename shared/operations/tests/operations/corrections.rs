//! Corrections of what was imported, by hand and by file, and what refuses them.

use domain::error::{Error, Reason};
use domain::{FailureKind, HOUR_MS, Work};
use operations::{
    ActNote, Caller, ChipCorrection, ImportChoices, ImportReport, ReportEvent, TaskRef, cancel, card_history,
    chip_keys, correct_chip, import_chips, import_numbers, list_imports,
};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv, wrapped};
use test_support::operations::{World, failed, reason, run};
use test_support::settings::LINK_KEY;
use vault::unwrap;

use crate::faults::leaves_nothing_behind;
use crate::imports::row_errors;

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "供应商更正",
};

fn choices() -> ImportChoices<'static> {
    ImportChoices {
        correct: Some(NOTE),
        ..ImportChoices::default()
    }
}

fn chips(world: &World, caller: &Caller, chips: &[ChipCsv]) -> ImportReport {
    let file = chip_csv(chips);
    run(import_chips(
        &world.cx(),
        file.as_bytes(),
        Some(&caller.id),
        &choices(),
    ))
    .unwrap()
}

fn numbers(world: &World, numbers: &[NumberCsv]) -> ImportReport {
    let file = number_csv(numbers);
    run(import_numbers(&world.cx(), file.as_bytes(), &choices())).unwrap()
}

fn other_k(n: u32) -> NumberCsv {
    NumberCsv {
        k_wrapped: wrapped([0x77; 16]),
        ..NumberCsv::new(n)
    }
}

fn model(text: &str) -> ChipCorrection {
    ChipCorrection {
        chip_model: Some(text.to_owned()),
        ..ChipCorrection::default()
    }
}

fn correct(world: &World, correction: &ChipCorrection) -> Result<Vec<&'static str>, Error> {
    let corrected = run(correct_chip(&world.cx(), &eid(0), correction, &NOTE))?;
    Ok(corrected.changed)
}

/// Reason code, person and note of the latest step of chip 0.
fn last_step(world: &World) -> (String, Option<String>, Option<String>) {
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!(step.from, Some(step.to));
    (step.reason, step.person, step.note)
}

/// A number that chip 0 holds, because it may be on it; no session runs.
fn held() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::CardError))
        .unwrap();
    world.report_event(session, 2, end()).unwrap();
    (world, caller)
}

fn end() -> ReportEvent {
    ReportEvent::Closed {
        reason: "closed".to_owned(),
    }
}

#[test]
fn a_correction_that_fails_changes_nothing() {
    leaves_nothing_behind("correct_chip", held, |world, _| {
        correct(world, &model("XK-2")).map(drop)
    });
    leaves_nothing_behind("corrected chips", held, |world, caller| {
        let row = ChipCsv {
            psk: Some([3; 16]),
            ..ChipCsv::new(0)
        };
        let file = chip_csv(&[row]);
        run(import_chips(
            &world.cx(),
            file.as_bytes(),
            Some(&caller.id),
            &choices(),
        ))
        .map(drop)
    });
    leaves_nothing_behind("corrected numbers", held, |world, _| {
        let file = number_csv(&[other_k(0)]);
        run(import_numbers(&world.cx(), file.as_bytes(), &choices())).map(drop)
    });
    leaves_nothing_behind("a second chip", held, |world, caller| {
        let row = ChipCsv {
            psk: Some([3; 16]),
            ..ChipCsv::new(0)
        };
        let file = chip_csv(&[row]);
        let choices = ImportChoices::default();
        run(import_chips(
            &world.cx(),
            file.as_bytes(),
            Some(&caller.id),
            &choices,
        ))
        .map(drop)
    });
}

#[test]
fn model_profile_imei_and_owner_are_corrected_by_hand_with_person_and_reason() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let owner = world.client().client_id;
    let correction = ChipCorrection {
        client_id: Some(owner.clone()),
        chip_model: Some("XK-2".to_owned()),
        profile: Some("generic-usim".to_owned()),
        imei: Some(Some("350000000000002".to_owned())),
    };
    let changed = ["client_id", "chip_model", "profile", "imei"];
    assert_eq!(correct(&world, &correction).unwrap(), changed);
    let (code, person, note) = last_step(&world);
    assert_eq!((code.as_str(), person.as_deref()), ("corrected", Some("王芳")));
    assert!(note.unwrap().ends_with("供应商更正"));
    let before = world.dump();
    assert_eq!(correct(&world, &correction).unwrap(), [""; 0]);
    assert_eq!(world.dump(), before);
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::UnknownChip);
    world.apply_auto(&Caller { id: owner }, 0).unwrap();
    let (_, work) = world.open(0).unwrap();
    assert_eq!(
        (work.chip_model.as_str(), work.profile.as_str()),
        ("XK-2", "generic-usim")
    );
}

#[test]
fn an_imei_is_removed_by_hand_and_entered_again() {
    let world = World::new();
    world.stocked(1, 0);
    let imei = |imei: Option<&str>| ChipCorrection {
        imei: Some(imei.map(str::to_owned)),
        ..ChipCorrection::default()
    };
    let stored = "SELECT COUNT(*) FROM chip WHERE imei_sealed IS NOT NULL";
    assert_eq!(correct(&world, &imei(Some("350000000000002"))).unwrap(), ["imei"]);
    assert_eq!(world.count(stored), 1);
    assert_eq!(correct(&world, &imei(None)).unwrap(), ["imei"]);
    assert_eq!(world.count(stored), 0);
    assert_eq!(last_step(&world).2.unwrap(), "imei: 供应商更正");
    let before = world.dump();
    assert_eq!(correct(&world, &imei(None)).unwrap(), [""; 0]);
    assert_eq!(world.dump(), before);
    assert_eq!(correct(&world, &imei(Some("350000000000003"))).unwrap(), ["imei"]);
}

#[test]
fn a_correction_waits_for_the_session_and_another_owner_for_the_task() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    let owner = ChipCorrection {
        client_id: Some(world.client().client_id),
        ..ChipCorrection::default()
    };
    assert_eq!(correct(&world, &model("XK-2")).unwrap(), ["chip_model"]);
    let refused = correct(&world, &owner).unwrap_err();
    assert_eq!(
        (refused.reason(), refused.field()),
        (Reason::TaskOpen, Some("client_id"))
    );
    run(cancel(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    let (session, _) = world.open(0).unwrap();
    let before = world.dump();
    for correction in [&model("XK-3"), &owner] {
        assert_eq!(reason(correct(&world, correction)), Reason::SessionRunning);
    }
    assert_eq!(world.dump(), before);
    world.report_event(session, 1, end()).unwrap();
    assert_eq!(correct(&world, &owner).unwrap(), ["client_id"]);
    // A gateway that stopped without a word keeps a chip for an hour.
    world.open(0).unwrap();
    world.pass(HOUR_MS - 1);
    assert_eq!(reason(correct(&world, &model("XK-3"))), Reason::SessionRunning);
    world.pass(2);
    assert_eq!(correct(&world, &model("XK-3")).unwrap(), ["chip_model"]);
    let unknown = ChipCorrection {
        client_id: Some(domain::ClientId::new([9; 10])),
        ..ChipCorrection::default()
    };
    assert_eq!(reason(correct(&world, &unknown)), Reason::UnknownClient);
    let unknown = run(correct_chip(&world.cx(), &eid(8), &model("XK-3"), &NOTE));
    assert_eq!(reason(unknown), Reason::UnknownChip);
}

#[test]
fn keys_and_identity_are_corrected_by_a_file_and_are_no_second_chip() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    let corrected = ChipCsv {
        psk: Some([0x21; 16]),
        psk_identity: "0a0b".to_owned(),
        ..ChipCsv::new(0)
    };
    let report = chips(
        &world,
        &caller,
        &[corrected.clone(), ChipCsv::new(1), ChipCsv::new(9)],
    );
    assert_eq!(row_errors(&report), [(4, Some("eid"), Reason::UnknownChip)]);
    let counts = (
        report.imported,
        report.unchanged,
        report.corrected,
        report.rejected,
    );
    assert_eq!(counts, (0, 1, 1, 1));
    let keys = run(chip_keys(&world.cx(), &[0x0a, 0x0b], None)).unwrap();
    let psk = unwrap(&LINK_KEY, &keys.psk_wrapped.unwrap()).unwrap();
    assert_eq!(psk.as_slice(), [0x21; 16]);
    assert_eq!(world.count("SELECT COUNT(*) FROM incident"), 0);
    let (_, _, note) = last_step(&world);
    assert_eq!(
        note.as_deref(),
        Some("psk_identity, psk_wrapped, dek_wrapped: 供应商更正")
    );
    let (imports, _) = run(list_imports(&world.cx(), None, 100)).unwrap();
    let import = imports.iter().find(|one| Some(one.id) == report.id).unwrap();
    assert_eq!(
        (import.person.as_deref(), import.note.as_deref()),
        (Some("王芳"), Some("供应商更正"))
    );
    // What a plain import says the same way is not new, and a correction can be taken back by the first file.
    assert_eq!(world.chips(&caller.id, &[corrected]).unchanged, 1);
    assert_eq!(chips(&world, &caller, &[ChipCsv::new(0)]).corrected, 1);
    assert_eq!(
        run(chip_keys(&world.cx(), b"", Some(&eid(0))))
            .unwrap()
            .psk_wrapped,
        None
    );
}

#[test]
fn what_no_correction_changes_and_what_another_chip_has_is_a_conflict() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    let identity = |n| ChipCsv {
        psk_identity: "0a0b".to_owned(),
        psk: Some([1; 16]),
        ..ChipCsv::new(n)
    };
    assert_eq!(chips(&world, &caller, &[identity(0)]).corrected, 1);
    let before = world.count("SELECT COUNT(*) FROM card_history");
    let other_number = ChipCsv {
        temp_msisdn: ChipCsv::new(5).temp_msisdn,
        ..ChipCsv::new(0)
    };
    for (row, column) in [(identity(1), "psk_identity"), (other_number, "temp_msisdn")] {
        let report = chips(&world, &caller, &[row]);
        assert_eq!(row_errors(&report), [(2, Some(column), Reason::ImportConflict)]);
    }
    world.open(1).unwrap();
    let running = ChipCsv {
        psk: Some([2; 16]),
        ..ChipCsv::new(1)
    };
    let report = chips(&world, &caller, &[running]);
    assert_eq!(row_errors(&report), [(2, None, Reason::SessionRunning)]);
    assert_eq!(world.count("SELECT COUNT(*) FROM card_history"), before);
}

#[test]
fn k_and_opc_of_a_number_are_corrected_until_a_chip_is_written_with_it() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    let report = numbers(&world, &[other_k(0), NumberCsv::new(1), NumberCsv::new(9)]);
    assert_eq!((report.corrected, report.unchanged), (1, 1));
    assert_eq!(row_errors(&report), [(4, None, Reason::UnknownNumber)]);
    world.apply_auto(&caller, 0).unwrap();
    let (session, work) = world.open(0).unwrap();
    let k = unwrap(&LINK_KEY, &work.data.unwrap().k_wrapped.unwrap()).unwrap();
    assert_eq!(k.as_slice(), [0x77; 16]);
    // Not while its chip is in a session.
    let report = numbers(&world, &[NumberCsv::new(0)]);
    assert_eq!(row_errors(&report), [(2, None, Reason::SessionRunning)]);
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    let report = numbers(&world, &[NumberCsv::new(0)]);
    assert_eq!(row_errors(&report), [(2, None, Reason::NumberInUse)]);
    let other_imsi = NumberCsv {
        imsi: NumberCsv::new(7).imsi,
        ..NumberCsv::new(1)
    };
    let report = numbers(&world, &[other_imsi]);
    assert_eq!(row_errors(&report), [(2, Some("imsi"), Reason::ImportConflict)]);
}

#[test]
fn a_card_that_may_hold_the_former_keys_is_written_anew() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    world.report_event(session, 2, end()).unwrap();
    assert_eq!(numbers(&world, &[other_k(0)]).corrected, 1);
    assert_eq!(last_step(&world).0, "number_keys_corrected");
    let (_, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.attempt, work.resume_step), (Work::Write, 2, 0));
    let k = unwrap(&LINK_KEY, &work.data.unwrap().k_wrapped.unwrap()).unwrap();
    assert_eq!(k.as_slice(), [0x77; 16]);
}

#[test]
fn a_new_k_or_opc_is_the_evidence_on_which_a_held_number_goes_home() {
    let (world, caller) = held();
    // Its chip holds it: nobody else gets it, and the same keys again are no evidence.
    assert_eq!(numbers(&world, &[NumberCsv::new(0)]).unchanged, 1);
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
    let number =
        "SELECT status || ' ' || exposed || ' ' || CASE WHEN eid_index IS NULL THEN 1 ELSE 0 END FROM number";
    assert_eq!(world.column(number), ["reserved 1 0"]);
    let preview = ImportChoices {
        preview: true,
        ..choices()
    };
    let before = world.dump();
    let file = number_csv(&[other_k(0)]);
    let report = run(import_numbers(&world.cx(), file.as_bytes(), &preview)).unwrap();
    assert_eq!((report.corrected, report.id), (1, None));
    assert_eq!(world.dump(), before);
    assert_eq!(numbers(&world, &[other_k(0)]).corrected, 1);
    assert_eq!(world.column(number), ["available 0 1"]);
    let (code, person, note) = last_step(&world);
    assert_eq!(
        (code.as_str(), person.as_deref()),
        ("number_released_by_new_keys", Some("王芳"))
    );
    assert_eq!(note.as_deref(), Some("898604****0000: 供应商更正"));
    world.apply_auto(&caller, 1).unwrap();
}
