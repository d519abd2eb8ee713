//! After a restore no number goes to a card until a person proves it unused: no IMSI reaches two chips.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use domain::error::Reason;
use domain::{DAY_MS, HOUR_MS, NumberStatus, SECOND_MS, Timestamp};
use operations::{
    ActNote, Caller, Job, MaintenanceSettings, Proven, ReportEvent, Restored, TaskRef, backup_times, cancel,
    end_quarantine, pool_views, record_restore, run_job, withdraw_import,
};
use proptest::prelude::{ProptestConfig, prop_oneof, proptest};
use proptest::strategy::{Just, Strategy as _};
use store::backup_record::{self, BackupRecord, RecordKind};
use store::{Sqlite, invariant, transaction};
use tempfile::TempDir;
use test_support::inventory::NumberCsv;
use test_support::operations::{MAINTENANCE, World, designated, reason, run};

use super::faults::leaves_nothing_behind;
use super::temporary_numbers::{kinds, with_operator};

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "运营商核对单 2026-118",
};

fn restored(world: &World) -> Restored<'static> {
    Restored {
        backup_id: "0123456789abcdef",
        backup_at: world.time(),
        no_writes_since: None,
    }
}

/// A platform from a copy of a database, after a restore.
fn restore(copy: &Path, to: &Path, seed: u64) -> World {
    std::fs::copy(copy, to).unwrap();
    let world = World::in_file(to, seed);
    run(record_restore(&world.db, &restored(&world), world.time())).unwrap();
    world
}

/// The IMSI index of the number that each chip was written with.
fn imsis(world: &World) -> BTreeSet<String> {
    let sql = "SELECT hex(imsi_index) FROM number WHERE exposed = 1 OR written_at IS NOT NULL";
    world.column(sql).into_iter().collect()
}

fn iccids(count: u32) -> Vec<domain::Iccid> {
    let iccid = |n| domain::Iccid::parse(&NumberCsv::new(n).iccid).unwrap();
    (0..count).map(iccid).collect()
}

#[test]
fn none_of_fifty_numbers_that_were_written_after_the_backup_is_given_out_before_it_is_released() {
    test_support::of_sqlite!();
    let folder = TempDir::new().unwrap();
    let before = World::in_file(&folder.path().join("a.db"), 1);
    let caller = before.stocked(150, 50);
    before.pass(SECOND_MS);
    let later: Vec<NumberCsv> = (50..200).map(NumberCsv::new).collect();
    assert_eq!(before.numbers(&later).imported, 150);
    let copy = folder.path().join("copy.db");
    Sqlite::open(&folder.path().join("a.db"))
        .unwrap()
        .copy_to(&copy)
        .unwrap();
    for chip in 0..50 {
        before.write_chip(&caller, chip);
    }
    let lost = imsis(&before);
    assert_eq!(lost.len(), 50);

    let after = restore(&copy, &folder.path().join("b.db"), 2);
    assert_eq!(
        after.count("SELECT COUNT(*) FROM number WHERE quarantined = 1"),
        200
    );
    for chip in 50..100 {
        assert_eq!(
            reason(after.apply_auto(&caller, chip)),
            Reason::ProvinceWithoutNumber
        );
    }
    // The operator's list shows that all but the oldest are unused.
    let unused = iccids(200).split_off(50);
    let released = run(end_quarantine(&after.cx(), Proven::Numbers(&unused), &NOTE)).unwrap();
    assert_eq!(released, 150);
    for chip in 50..100 {
        after.write_chip(&caller, chip);
    }
    assert!(imsis(&after).is_disjoint(&lost));
    let pools = run(pool_views(&after.cx(), &MAINTENANCE)).unwrap();
    assert_eq!((pools[0].level, pools[0].quarantined), (100, 50));

    // As if the cards had been destroyed: the oldest numbers come first.
    run(end_quarantine(&after.cx(), Proven::Numbers(&iccids(50)), &NOTE)).unwrap();
    for chip in 100..150 {
        after.write_chip(&caller, chip);
    }
    assert_eq!(imsis(&after).intersection(&lost).count(), 50);
    assert!(run(invariant::broken(&after.db)).unwrap().is_empty());
}

#[test]
fn a_number_that_waited_for_a_chip_or_was_allotted_or_held_is_not_written_either() {
    test_support::of_sqlite!();
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("a.db");
    let world = World::in_file(&file, 1);
    let caller = world.stocked(4, 4);
    world.numbers(&[NumberCsv::allotted(9, &caller.id)]);
    // Chip 0 waits; part of a number may be on chip 1.
    world.apply_auto(&caller, 0).unwrap();
    world.fail_chip(&caller, 1, domain::FailureKind::CardError);
    let held = world
        .column("SELECT hex(iccid_index) FROM number WHERE exposed = 1")
        .remove(0);
    let copy = folder.path().join("copy.db");
    Sqlite::open(&file).unwrap().copy_to(&copy).unwrap();

    let after = restore(&copy, &folder.path().join("b.db"), 2);
    assert_eq!(reason(after.open(0)), Reason::NumberSuspended);
    let (eid, number) = (test_support::eid::eid_text(2), NumberCsv::new(9));
    let request = designated(&eid, &number.iccid, &number.msisdn);
    assert_eq!(reason(after.apply(&caller, &request)), Reason::NumberSuspended);
    assert_eq!(
        reason(after.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );

    let all: Vec<_> = iccids(4).into_iter().chain(iccids(10).pop()).collect();
    run(end_quarantine(&after.cx(), Proven::Numbers(&all), &NOTE)).unwrap();
    after.open(0).unwrap();
    after.apply(&caller, &request).unwrap();
    after.apply_auto(&caller, 1).unwrap();
    let taken = "SELECT hex(iccid_index) FROM number WHERE exposed = 1 AND task_id IS NOT NULL ORDER BY 1";
    assert!(
        after.column(taken).contains(&held),
        "the chip gets the number that it holds"
    );
}

#[test]
fn files_that_were_imported_before_the_loss_are_quarantined_when_they_are_imported_again() {
    let world = World::new();
    let caller = world.stocked(2, 0);
    run(record_restore(&world.db, &restored(&world), world.time())).unwrap();
    let report = world.numbers(&[NumberCsv::new(0)]);
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::ProvinceWithoutNumber
    );
    // An import with numbers that may be on cards is not withdrawn, or they would come back unmarked.
    let import = report.id.expect("an import");
    assert_eq!(
        run(withdraw_import(&world.cx(), import, false)).unwrap().removed,
        0
    );

    assert_eq!(
        run(end_quarantine(&world.cx(), Proven::Import(import), &NOTE)).unwrap(),
        1
    );
    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(
        run(end_quarantine(&world.cx(), Proven::NewImports, &NOTE)).unwrap(),
        0
    );
    world.numbers(&[NumberCsv::new(1)]);
    world.apply_auto(&caller, 1).unwrap();
}

#[test]
fn nothing_is_quarantined_where_nothing_was_written_since_before_the_backup_and_that_is_recorded() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let stated = |since: Timestamp| Restored {
        no_writes_since: Some(since),
        ..restored(&world)
    };
    let before = world.dump();
    let later = stated(world.time().plus(1));
    assert_eq!(
        reason(run(record_restore(&world.db, &later, world.time()))),
        Reason::ParameterMalformed
    );
    assert_eq!(world.dump(), before);
    assert_eq!(
        run(record_restore(&world.db, &stated(world.time()), world.time())).unwrap(),
        0
    );
    let recorded = "SELECT kind || ' ' || quarantined || ' ' || no_writes_since FROM backup_record";
    assert_eq!(world.column(recorded), [format!("restore 0 {}", world.now.get())]);
    world.apply_auto(&caller, 0).unwrap();
}

#[test]
fn a_release_is_all_or_nothing_may_be_repeated_and_is_recorded_sealed() {
    let world = World::new();
    world.stocked(0, 2);
    run(record_restore(&world.db, &restored(&world), world.time())).unwrap();
    let before = world.dump();
    let with_unknown: Vec<_> = iccids(2).into_iter().chain(iccids(6).pop()).collect();
    let release = |proven| run(end_quarantine(&world.cx(), proven, &NOTE));
    assert_eq!(
        reason(release(Proven::Numbers(&with_unknown))),
        Reason::UnknownNumber
    );
    assert_eq!(
        reason(release(Proven::Import(domain::ImportId::last()))),
        Reason::UnknownImport
    );
    assert_eq!(world.dump(), before);
    let one = [iccids(1).remove(0), iccids(1).remove(0)];
    assert_eq!(release(Proven::Numbers(&one)).unwrap(), 1);
    assert_eq!(release(Proven::Numbers(&one)).unwrap(), 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM quarantine_release"), 1);
    assert_eq!(world.count("SELECT released FROM quarantine_release"), 1);
    let sealed = "SELECT hex(person_sealed || reference_sealed) FROM quarantine_release";
    let text = hex::encode_upper("王芳");
    assert!(!world.column(sealed)[0].contains(&text));
}

#[test]
fn a_restore_and_a_release_leave_nothing_behind_when_a_statement_fails() {
    let arrange = || {
        let world = World::new();
        world.stocked(1, 2);
        (world, ())
    };
    leaves_nothing_behind("record_restore", arrange, |world, ()| {
        run(record_restore(&world.db, &restored(world), world.time())).map(drop)
    });
    let quarantined = || {
        let (world, ()) = arrange();
        run(record_restore(&world.db, &restored(&world), world.time())).unwrap();
        (world, ())
    };
    leaves_nothing_behind("end_quarantine", quarantined, |world, ()| {
        run(end_quarantine(&world.cx(), Proven::Numbers(&iccids(2)), &NOTE)).map(drop)
    });
}

/// What happens to a chip.
#[derive(Clone, Copy, Debug)]
enum Step {
    Apply(u32),
    Cancel(u32),
    PowerUp(u32),
    Release(u32),
}

fn take(world: &World, caller: &Caller, step: Step) {
    match step {
        Step::Apply(chip) => {
            let _ = world.apply_auto(caller, chip);
        }
        Step::Cancel(chip) => {
            let task = TaskRef::Eid(test_support::inventory::eid(chip));
            let _ = run(cancel(&world.cx(), caller, &task));
        }
        Step::PowerUp(chip) => {
            if let Ok((session, work)) = world.open(chip)
                && work.data.is_some()
            {
                let event = match work.work {
                    domain::Work::Write => ReportEvent::Written,
                    _ => ReportEvent::Verified,
                };
                let _ = world.report_event(session, 1, event);
            }
        }
        // Only what no card of before has may be released.
        Step::Release(_) => (),
    }
    world.pass(SECOND_MS);
}

/// The chip that each IMSI was sent to, as far as the rows know.
fn sent(world: &World, found: &mut BTreeMap<String, BTreeSet<String>>) {
    let sql = "SELECT hex(imsi_index) || ' ' || hex(eid_index) FROM number WHERE exposed = 1 AND eid_index IS NOT NULL";
    for line in world.column(sql) {
        let (imsi, chip) = line.split_once(' ').unwrap();
        found.entry(imsi.to_owned()).or_default().insert(chip.to_owned());
    }
}

fn steps() -> impl proptest::strategy::Strategy<Value = Vec<Step>> {
    let step =
        (0_u32..6, prop_oneof![Just(0), Just(1), Just(2), Just(3)]).prop_map(|(chip, kind)| match kind {
            0 => Step::Apply(chip),
            1 => Step::Cancel(chip),
            2 => Step::PowerUp(chip),
            _ => Step::Release(chip),
        });
    proptest::collection::vec(step, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_imsi_reaches_two_chips_whatever_happened_before_the_backup_after_it_and_after_the_restore(
        known in steps(), lost in steps(), later in steps(),
    ) {
        // The copy of a database is a file.
        if test_support::postgres_server::is_chosen() {
            return Ok(());
        }
        let folder = TempDir::new().unwrap();
        let file = folder.path().join("a.db");
        let before = World::in_file(&file, 1);
        let caller = before.stocked(6, 8);
        for step in known {
            take(&before, &caller, step);
        }
        let copy = folder.path().join("copy.db");
        Sqlite::open(&file).unwrap().copy_to(&copy).unwrap();
        let mut reached = BTreeMap::new();
        for step in lost {
            take(&before, &caller, step);
            sent(&before, &mut reached);
        }
        let after = restore(&copy, &folder.path().join("b.db"), 2);
        after.now.set(before.now.get());
        for step in later {
            if let Step::Release(n) = step {
                let number = iccids(n + 1).split_off(n as usize);
                let index = after.vault.blind_index(vault::IndexKind::Iccid, number[0].as_str().as_bytes());
                let sql = format!("SELECT hex(imsi_index) FROM number WHERE hex(iccid_index) = '{}'", index.hex().to_uppercase());
                // The operator knows the numbers that no card has.
                if reached.contains_key(&after.column(&sql)[0]) {
                    continue;
                }
                run(end_quarantine(&after.cx(), Proven::Numbers(&number), &NOTE)).unwrap();
            }
            take(&after, &caller, step);
            sent(&after, &mut reached);
        }
        // A number that was on its chip when the backup was made stays there.
        for (imsi, chips) in reached {
            assert!(chips.len() <= 1, "{imsi} is on {chips:?}");
        }
    }
}

#[test]
fn a_backup_or_a_drill_that_is_too_old_raises_one_alert_and_a_new_one_ends_it() {
    let world = World::new();
    with_operator(&world);
    world.execute(&format!(
        "UPDATE schema_version SET applied_at = {}",
        world.now.get()
    ));
    let settings = MaintenanceSettings {
        backup_days: 2,
        drill_days: 30,
        ..MAINTENANCE
    };
    let watch = || run(run_job(&world.cx(), Job::Backups, &settings)).unwrap().count;
    let made = |kind| {
        let record = BackupRecord {
            kind,
            backup_id: "b",
            backup_at: world.time(),
            quarantined: 0,
            no_writes_since: None,
        };
        let now = world.time();
        run(transaction(&world.db, async |tx| {
            backup_record::add(tx, &record, now).await
        }))
        .unwrap();
    };
    assert_eq!(watch(), 0);
    world.pass(2 * DAY_MS);
    assert_eq!((watch(), watch()), (1, 0));
    assert_eq!(kinds(&world), ["backup_overdue"]);
    made(RecordKind::Backup);
    world.pass(2 * DAY_MS - HOUR_MS);
    assert_eq!(watch(), 0);
    world.pass(HOUR_MS);
    assert_eq!(watch(), 1);
    made(RecordKind::Drill);
    made(RecordKind::Backup);
    let at = Some(world.time());
    assert_eq!(run(backup_times(&world.cx())).unwrap(), [at, at, None]);
    world.pass(30 * DAY_MS);
    made(RecordKind::Backup);
    assert_eq!((watch(), watch()), (1, 0));
    assert_eq!(
        kinds(&world)
            .iter()
            .filter(|kind| *kind == "drill_overdue")
            .count(),
        1
    );
    // 0 days: never.
    world.pass(365 * DAY_MS);
    assert_eq!(
        run(run_job(&world.cx(), Job::Backups, &MAINTENANCE))
            .unwrap()
            .count,
        0
    );
}

#[test]
fn a_number_that_is_suspended_and_resumed_stays_quarantined() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    run(record_restore(&world.db, &restored(&world), world.time())).unwrap();
    let number = operations::NumberRef::Iccid(iccids(1).remove(0));
    for (act, status) in [
        (operations::NumberAct::Suspend, NumberStatus::Suspended),
        (operations::NumberAct::Resume, NumberStatus::Available),
    ] {
        world.pass(SECOND_MS);
        assert_eq!(
            run(operations::act_on_number(&world.cx(), &number, act)).unwrap(),
            status
        );
    }
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::ProvinceWithoutNumber
    );
}
