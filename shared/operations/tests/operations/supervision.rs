//! §10.2: what happened otherwise than the standard demands is found, listed, and ends when it is set right.

use domain::{DAY_MS, Deviation, HOUR_MS, IncidentKind, MINUTE_MS, SECOND_MS, Severity};
use operations::{IncidentAct, Job, MaintenanceSettings, list_deviations, run_job};
use store::backup_record::{self, BackupRecord, RecordKind};
use store::transaction;
use test_support::eid::eid_text;
use test_support::inventory::ChipCsv;
use test_support::operations::{MAINTENANCE, World, automatic, run};

use super::faults::leaves_nothing_behind;
use super::incidents::{act, enter, final_report, settle};
use super::temporary_numbers::kinds;

/// The deviations of a platform, the earliest first: kind and EID or subject. With `ended_too` also those set right.
fn deviations(world: &World, ended_too: bool) -> Vec<(Deviation, String)> {
    let found = run(list_deviations(&world.cx(), None, ended_too, None, 200)).unwrap();
    let mut named: Vec<_> = found
        .into_iter()
        .map(|view| {
            let subject = view.row.subject.text().to_owned();
            (view.row.kind, view.eid.unwrap_or(subject))
        })
        .collect();
    named.sort();
    named
}

/// The same, by their kinds.
fn open(world: &World) -> Vec<Deviation> {
    deviations(world, false)
        .into_iter()
        .map(|(kind, _)| kind)
        .collect()
}

fn compare(world: &World) {
    world.job(Job::Supervision);
}

/// Lets every other job run, so that none is overdue, and then the next comparison.
fn compare_after(world: &World, ms: i64) {
    world.pass(ms);
    // As `record_run` does after each run.
    let names: Vec<String> = Job::ALL.iter().map(|job| format!("('{}')", job.code())).collect();
    world.execute(&format!(
        "INSERT INTO job (name, ran_at, succeeded_at, failures) \
         SELECT column1, {now}, {now}, 0 FROM (VALUES {names}, ('messages')) AS names WHERE true \
         ON CONFLICT (name) DO UPDATE SET succeeded_at = excluded.succeeded_at",
        now = world.time().millis(),
        names = names.join(", ")
    ));
    compare(world);
}

/// A card in every state in which a card stays: fresh, waiting, written, failed, cancelled, refused.
fn cards_in_every_state() -> World {
    let world = World::new();
    let caller = world.stocked(8, 6);
    world.apply_auto(&caller, 1).unwrap();
    world.write_chip(&caller, 2);
    world.fail_chip(&caller, 3, domain::FailureKind::CardError);
    world.apply_auto(&caller, 4).unwrap();
    world.open(4).unwrap();
    let chip = eid_text(5);
    world.apply(&caller, &automatic(&chip, "11")).unwrap_err();
    world
}

#[test]
fn nothing_deviates_where_all_went_as_the_standard_demands() {
    let world = cards_in_every_state();
    compare(&world);
    assert_eq!(deviations(&world, true), []);
    assert_eq!(kinds(&world), [""; 0]);
}

#[test]
fn a_card_whose_rows_do_not_fit_together_is_found_and_ends_when_they_do_again() {
    let eid_of = |world: &World, n: u32| {
        let sql = "SELECT lower(hex(eid_index)) FROM chip ORDER BY eid_index";
        let indexes = world.column(sql);
        let chip = world.cx().eid_index(&domain::Eid::parse(&eid_text(n)).unwrap());
        indexes.into_iter().find(|index| *index == chip.hex()).unwrap()
    };
    let where_chip = |world: &World, n| format!("WHERE lower(hex(eid_index)) = '{}'", eid_of(world, n));
    let history = "DELETE FROM card_history ";
    let last = " AND seq = (SELECT MAX(seq) FROM card_history h WHERE h.eid_index = card_history.eid_index)";
    let second =
        " AND seq = (SELECT MIN(seq) + 1 FROM card_history h WHERE h.eid_index = card_history.eid_index)";
    use Deviation::{CardWithoutHistory, CardWithoutTask};
    for (change, chip, rest, expected) in [
        (history, 2, last, vec![CardWithoutHistory]),
        (history, 2, second, vec![CardWithoutHistory]),
        (history, 0, "", vec![CardWithoutHistory]),
        ("UPDATE chip SET status = 4 ", 0, "", vec![CardWithoutHistory]),
        (
            "UPDATE chip SET status = 3 ",
            1,
            "",
            vec![CardWithoutHistory, CardWithoutTask],
        ),
        (
            "UPDATE task SET state = 'cancelled', finished_at = 1 ",
            1,
            "",
            vec![CardWithoutTask],
        ),
        ("UPDATE task SET state = 'waiting' ", 4, "", vec![CardWithoutTask]),
        ("UPDATE task SET state = 'waiting' ", 2, "", vec![CardWithoutTask]),
    ] {
        let world = cards_in_every_state();
        let before = world.column("SELECT CAST(status AS TEXT) FROM chip ORDER BY eid_index");
        world.execute(&format!("{change}{}{rest}", where_chip(&world, chip)));
        compare(&world);
        let found = deviations(&world, false);
        let named: Vec<_> = expected.iter().map(|kind| (*kind, eid_text(chip))).collect();
        assert_eq!(found, named, "{change} {rest}");
        // One alert, and none when it is found again.
        assert_eq!(kinds(&world), ["flow_deviation"], "{change}");
        compare_after(&world, DAY_MS);
        assert_eq!(deviations(&world, false), named, "{change}");
        assert_eq!(kinds(&world), ["flow_deviation"], "{change}");

        if change.starts_with("UPDATE chip") {
            let status = &before[eid_position(&world, chip)];
            let set_right = format!("UPDATE chip SET status = {status} {}", where_chip(&world, chip));
            world.execute(&set_right);
            compare_after(&world, DAY_MS - MINUTE_MS);
            assert_eq!(deviations(&world, false), named, "cards are compared once a day");
            compare_after(&world, MINUTE_MS);
            assert_eq!(deviations(&world, false), []);
            assert_eq!(deviations(&world, true), named);
            // The same once more is a new one.
            world.execute(&format!("{change}{}", where_chip(&world, chip)));
            compare_after(&world, DAY_MS);
            assert_eq!(deviations(&world, false), named);
            assert_eq!(kinds(&world), ["flow_deviation"; 2]);
        }
    }
}

/// The position of a chip among all, by its key.
fn eid_position(world: &World, n: u32) -> usize {
    let chip = world.cx().eid_index(&domain::Eid::parse(&eid_text(n)).unwrap());
    let all = world.column("SELECT lower(hex(eid_index)) FROM chip ORDER BY eid_index");
    all.iter().position(|index| *index == chip.hex()).unwrap()
}

#[test]
fn steps_that_were_destroyed_at_the_end_of_their_retention_are_not_missed() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    world.write_chip(&caller, 0);
    world.pass(1_100 * DAY_MS);
    world.job(Job::Retention);
    assert_eq!(world.count("SELECT COUNT(*) FROM card_history"), 0);
    compare_after(&world, SECOND_MS);
    assert!(!open(&world).contains(&Deviation::CardWithoutHistory));
}

#[test]
fn all_cards_are_compared_page_by_page() {
    const CHIPS: u32 = 2_300;
    let world = World::new();
    let client = world.client();
    let chips: Vec<ChipCsv> = (0..CHIPS).map(ChipCsv::new).collect();
    assert_eq!(world.chips(&client.client_id, &chips).imported, CHIPS as usize);
    // Of the last thousand, but for the last.
    world.execute(
        "DELETE FROM card_history WHERE eid_index IN (SELECT eid_index FROM chip ORDER BY eid_index LIMIT 3 OFFSET 2200)",
    );
    for (run, expected) in [(1, 0), (2, 0), (3, 3), (4, 3)] {
        compare_after(&world, 10 * SECOND_MS);
        assert_eq!(open(&world).len(), expected, "after {run} pages");
    }
    // They are reported with one alert.
    assert_eq!(kinds(&world), ["flow_deviation"]);
    let mut cursor = None;
    let mut pages = Vec::new();
    while let Some(last) = {
        let page = run(list_deviations(&world.cx(), None, false, cursor.as_ref(), 2)).unwrap();
        pages.push(page.len());
        page.last().map(|view| view.row.key())
    } {
        cursor = Some(last);
    }
    assert_eq!(pages, [2, 1, 0]);
}

#[test]
fn results_that_reach_nobody_deviate_until_they_are_delivered() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.fail_chip(&caller, 0, domain::FailureKind::CardError);
    compare(&world);
    let undelivered = (
        Deviation::MessagesUndelivered,
        format!("receiver:{}", caller.id.as_str()),
    );
    assert_eq!(deviations(&world, false), []);
    world.execute("UPDATE message SET state = 'dead'");
    let known = world.count("SELECT COUNT(*) FROM message");
    assert!(known > 0, "the result is reported");
    compare_after(&world, HOUR_MS);
    assert_eq!(deviations(&world, false), [undelivered]);
    world.execute("UPDATE message SET state = 'delivered'");
    compare_after(&world, HOUR_MS - 1);
    assert_eq!(
        open(&world),
        [Deviation::MessagesUndelivered],
        "compared every hour"
    );
    compare_after(&world, 1);
    assert_eq!(open(&world), []);
}

#[test]
fn incidents_deviate_while_a_deadline_has_passed() {
    let world = World::new();
    let severe = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    compare(&world);
    assert_eq!(open(&world), []);
    compare_after(&world, HOUR_MS + 1);
    let subject = format!("incident:{}", severe.id.text());
    let unreported = (Deviation::ReportOverdue, subject.clone());
    assert!(
        deviations(&world, false).contains(&unreported),
        "{:?}",
        open(&world)
    );
    act(&world, severe.id, IncidentAct::Report("首次上报")).unwrap();
    compare_after(&world, 30 * DAY_MS);
    assert_eq!(
        deviations(&world, false),
        [(Deviation::IncidentOverdue, subject.clone())]
    );
    settle(&world, severe.id);
    compare_after(&world, HOUR_MS);
    assert_eq!(open(&world), []);
    compare_after(&world, DAY_MS);
    assert_eq!(
        deviations(&world, false),
        [(Deviation::FinalReportOverdue, subject)]
    );
    final_report(&world, severe.id).unwrap();
    compare_after(&world, HOUR_MS);
    assert_eq!(open(&world), []);
}

#[test]
fn a_month_without_review_deviates_until_it_is_reviewed() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    compare_after(&world, 70 * DAY_MS);
    assert_eq!(open(&world), [Deviation::ReviewMissing]);
    world.job(Job::MonthlyReview);
    compare_after(&world, HOUR_MS);
    assert_eq!(open(&world), []);
}

#[test]
fn jobs_backups_and_drills_that_are_overdue_deviate() {
    let world = World::new();
    let maintenance = MaintenanceSettings {
        backup_days: 1,
        drill_days: 30,
        ..MAINTENANCE
    };
    let compare = |world: &World| run(run_job(&world.cx(), Job::Supervision, &maintenance)).unwrap();
    compare(&world);
    assert_eq!(
        open(&world),
        [],
        "of a platform that was just set up nothing is overdue"
    );
    world.pass(2 * DAY_MS);
    compare(&world);
    let found = deviations(&world, false);
    assert!(found.contains(&(Deviation::BackupOverdue, "platform".to_owned())));
    assert!(found.contains(&(Deviation::JobOverdue, "job:retention".to_owned())));
    assert!(!found.iter().any(|(kind, _)| *kind == Deviation::DrillOverdue));
    let record = |kind| {
        let record = BackupRecord {
            kind,
            backup_id: "0123456789abcdef",
            backup_at: world.time(),
            quarantined: 0,
            no_writes_since: None,
        };
        run(transaction(&world.db, async |tx| {
            backup_record::add(tx, &record, world.time()).await
        }))
        .unwrap();
    };
    record(RecordKind::Backup);
    world.pass(HOUR_MS);
    compare(&world);
    assert!(!open(&world).contains(&Deviation::BackupOverdue));
    world.pass(30 * DAY_MS);
    compare(&world);
    assert!(open(&world).contains(&Deviation::DrillOverdue));
    record(RecordKind::Drill);
    world.pass(HOUR_MS);
    compare(&world);
    assert!(!open(&world).contains(&Deviation::DrillOverdue));
}

#[test]
fn a_comparison_is_stored_as_a_whole_or_not_at_all() {
    let arrange = || {
        let world = cards_in_every_state();
        world.execute("UPDATE chip SET status = 3 WHERE status = 2");
        // The rest was compared just now.
        let now = world.time().millis();
        world.execute(&format!(
            "INSERT INTO supervision (part, began_at) VALUES ('rest', {now})"
        ));
        (world, ())
    };
    leaves_nothing_behind("supervision", arrange, |world, ()| {
        run(run_job(&world.cx(), Job::Supervision, &MAINTENANCE)).map(drop)
    });
}

#[test]
fn what_was_set_right_is_destroyed_with_the_incidents_of_its_time() {
    let world = cards_in_every_state();
    world.execute("UPDATE chip SET status = 3 WHERE status = 2");
    compare(&world);
    world.execute(
        "UPDATE chip SET status = 2 WHERE status = 3 AND eid_index IN \
        (SELECT eid_index FROM task WHERE state = 'waiting')",
    );
    compare_after(&world, DAY_MS);
    assert_eq!(open(&world), []);
    assert_eq!(deviations(&world, true).len(), 2);
    world.pass(1_096 * DAY_MS);
    world.job(Job::Retention);
    assert_eq!(deviations(&world, true), []);
}
