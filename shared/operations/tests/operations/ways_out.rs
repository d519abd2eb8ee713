//! Ways out for chips: reopened for another number, destroyed, replaced, ended by a time limit (§6.2.4.1, §8.2).

use domain::error::{Error, Reason};
use domain::{CardStatus, HOUR_MS, NumberStatus, TaskId, Work};
use jiff::civil::{Date, date};
use operations::{
    ActNote, Applied, Caller, Job, MaintenanceSettings, NumberAct, ReportEvent, TaskRef, Topic,
    act_on_number, cancel, card_history, destroy_chip, end_task, register_fault, reopen, replace_chip,
    run_job, status,
};
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{MAINTENANCE, World, designated, reason, run};

use super::operator_reports::{card, ingest_lines, line};
use super::temporary_numbers::{AlertBody, raised};

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "销毁单 2026-0701",
};
const DAY: Date = date(2026, 6, 30);

fn card_status(world: &World, caller: &Caller, chip: u32) -> CardStatus {
    let view = run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))));
    view.unwrap().card_status
}

/// State of number `n`, and whether it belongs to a chip and to a task.
fn number(world: &World, n: u32) -> String {
    let iccid = NumberCsv::new(n).iccid;
    let index = world.vault.blind_index(vault::IndexKind::Iccid, iccid.as_bytes());
    let row = format!(
        "SELECT status || ' ' || CASE WHEN eid_index IS NULL THEN 0 ELSE 1 END || CASE WHEN task_id IS NULL THEN 0 ELSE 1 END FROM number \
         WHERE hex(iccid_index) = '{}'",
        index.hex().to_uppercase()
    );
    world.column(&row).remove(0)
}

/// The alerts of one kind.
fn alerts(world: &World, kind: &str) -> Vec<AlertBody> {
    let all = raised(world).into_iter();
    all.filter(|(known, _)| known == kind)
        .map(|(_, body)| body)
        .collect()
}

fn replace(world: &World, old: u32, new: u32) -> Result<Applied, Error> {
    run(replace_chip(&world.cx(), &eid(old), &eid(new), &NOTE))
}

fn destroy(world: &World, chip: u32) {
    run(destroy_chip(&world.cx(), &eid(chip), DAY, &NOTE)).unwrap();
}

/// A chip that was written with number 0, of two numbers.
fn written() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.apply_auto(&caller, 0).unwrap();
    world.write_chip(&caller, 0);
    (world, caller)
}

// §8.2.1 Table 3: 若需更换运营号，需按特殊流程上报处理
#[test]
fn a_reopened_card_keeps_its_number_until_another_one_is_verified() {
    let (world, caller) = written();
    assert_eq!(number(&world, 0), "written 11");
    let at = world.time().to_rfc3339(&world.zone);
    let used = format!(r#""total_mb":100,"used_mb":7,"as_of":"{at}""#);
    assert_eq!(ingest_lines(&world, Topic::Usage, &[line(0, &used)]).accepted, 1);
    assert_eq!(
        run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap(),
        CardStatus::ToWrite
    );
    assert_eq!(
        run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap(),
        CardStatus::ToWrite
    );
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!(
        (step.reason.as_str(), step.person.as_deref()),
        ("reopened", Some("王芳"))
    );
    assert_eq!(step.note.as_deref(), Some(NOTE.text));

    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(
        (number(&world, 0), number(&world, 1)),
        ("written 11".into(), "reserved 11".into())
    );
    let (session, work) = world.open(0).unwrap();
    assert_eq!(work.work, Work::Write);
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    assert_eq!(number(&world, 0), "written 11");
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Written);
    assert_eq!(
        (number(&world, 0), number(&world, 1)),
        ("suspended 00".into(), "written 11".into())
    );
    let alert = alerts(&world, "number_replaced").remove(0);
    assert_eq!(alert["iccid"], NumberCsv::new(0).iccid);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM number_usage"),
        0,
        "the next owner must not see it"
    );
    // Its operator reports it as active, as every day, and knows nothing of the change.
    let rest = format!(
        r#""status":"active","as_of":"{}""#,
        world.time().to_rfc3339(&world.zone)
    );
    assert_eq!(ingest_lines(&world, Topic::Status, &[line(0, &rest)]).accepted, 1);
    assert_eq!(number(&world, 0), "suspended 00");
    // A person puts it back.
    assert_eq!(
        run(act_on_number(&world.cx(), &card(0), NumberAct::Resume)).unwrap(),
        NumberStatus::Available
    );
}

#[test]
fn a_reopened_card_needs_neither_its_temporary_number_nor_its_test_allowance() {
    let (world, caller) = written();
    world.pass(10 * 365 * 24 * HOUR_MS);
    world.execute("UPDATE chip SET used_bytes = allowance_bytes");
    run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap();
    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(world.job(Job::HopelessTasks).count, 0, "it has no test period");
    let (session, work) = world.open(0).unwrap();
    assert_eq!((work.work, work.allowance_bytes), (Work::Write, None));
    let used = || world.count("SELECT used_bytes FROM chip ORDER BY used_bytes DESC LIMIT 1");
    let before = used();
    let answer = world.report_event(session, 1, ReportEvent::Written).unwrap();
    assert!(answer.go_on);
    assert_eq!(used(), before);
}

#[test]
fn only_a_written_card_is_reopened() {
    let (world, caller) = written();
    let refused = |chip: u32| reason(run(reopen(&world.cx(), &eid(chip), &NOTE)));
    assert_eq!(refused(1), Reason::WrongState);
    assert_eq!(refused(7), Reason::UnknownChip);
    world.apply_auto(&caller, 1).unwrap();
    assert_eq!(refused(1), Reason::WrongState);
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    assert_eq!(refused(0), Reason::ChipFaulty);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Written);
}

// Table 4
#[test]
fn what_a_destroyed_chip_held_is_free_and_the_chip_stays_out_of_use() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    destroy(&world, 0);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Failed);
    assert_eq!(number(&world, 0), "available 00");
    assert!(
        world.apply_auto(&caller, 1).is_ok(),
        "another chip gets the number"
    );

    assert_eq!(
        reason(run(register_fault(&world.cx(), &eid(0), false))),
        Reason::WrongState
    );
    assert_eq!(reason(world.open(0)), Reason::ChipFaulty);
    let shown = alerts(&world, "returned_after_end");
    assert_eq!(shown.len(), 1, "it came back although it is destroyed");
    assert_eq!(shown[0]["failure"], "chip_destroyed");
    world.open(0).unwrap_err();
    assert_eq!(alerts(&world, "returned_after_end").len(), 1, "once");

    let before = world.dump();
    world.pass(1_000);
    let again = run(destroy_chip(&world.cx(), &eid(0), date(2026, 1, 1), &NOTE)).unwrap();
    assert_eq!(again.0, "2026-06-30");
    assert_eq!(world.dump(), before);
    let rows = before.join("\n");
    assert!(!rows.contains(NOTE.person) && !rows.contains("2026-0701"));
    let tomorrow = world.time().date_in(&world.zone).tomorrow().unwrap();
    assert_eq!(
        reason(run(destroy_chip(&world.cx(), &eid(1), tomorrow, &NOTE))),
        Reason::ParameterMalformed
    );
}

#[test]
fn a_number_in_service_stays_when_its_chip_is_destroyed() {
    let (world, _) = written();
    destroy(&world, 0);
    assert_eq!(number(&world, 0), "written 11");
}

/// Two chips and one data card of their client; the first chip was applied for with it.
fn with_data_card() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 0);
    world.numbers(&[NumberCsv::allotted(0, &caller.id)]);
    let card = NumberCsv::new(0);
    let chip = test_support::eid::eid_text(0);
    world
        .apply(&caller, &designated(&chip, &card.iccid, &card.msisdn))
        .unwrap();
    (world, caller)
}

// Table 4: 更换故障芯片，重新发起写卡申请
#[test]
fn a_data_card_that_no_gateway_sent_follows_to_the_new_chip_at_once() {
    let (world, caller) = with_data_card();
    let applied = replace(&world, 0, 1).unwrap();
    assert_eq!(applied.card_status, CardStatus::WaitingPowerOn);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::ToWrite);
    assert_eq!(card_status(&world, &caller, 1), CardStatus::WaitingPowerOn);
    assert_eq!(number(&world, 0), "reserved 11");
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipFaulty);
    let again = replace(&world, 0, 1).unwrap();
    assert_eq!((again.task_id, again.repeated), (applied.task_id, true));
    let step = run(card_history(&world.cx(), &eid(1))).unwrap().0.remove(0);
    assert_eq!(
        (step.actor.as_str(), step.reason.as_str()),
        ("admin", "chip_replaced")
    );
    assert_eq!(step.person.as_deref(), Some("王芳"));
    assert!(world.open(1).is_ok(), "it is written as any other");
}

#[test]
fn a_data_card_that_may_be_on_the_old_chip_follows_only_after_its_destruction() {
    let (world, caller) = with_data_card();
    world.open(0).unwrap();
    let before = world.dump();
    assert_eq!(reason(replace(&world, 0, 1)), Reason::NumberTaken);
    assert_eq!(world.dump(), before, "a refusal changes nothing");
    destroy(&world, 0);
    replace(&world, 0, 1).unwrap();
    assert_eq!(card_status(&world, &caller, 1), CardStatus::WaitingPowerOn);
    assert_eq!(number(&world, 0), "reserved 11");
}

#[test]
fn an_automatic_application_follows_with_a_number_of_the_same_province() {
    let world = World::new();
    let caller = world.stocked(3, 2);
    world.apply_auto(&caller, 0).unwrap();
    world.open(0).unwrap();
    replace(&world, 0, 1).unwrap();
    assert_eq!(
        (number(&world, 0), number(&world, 1)),
        ("reserved 10".into(), "reserved 11".into())
    );
    // Another chip takes the place of the second one: there is no number left, and nothing changes.
    let before = world.dump();
    world.open(1).unwrap();
    let opened = world.dump();
    assert_ne!(before, opened);
    assert_eq!(reason(replace(&world, 1, 2)), Reason::ProvinceWithoutNumber);
    assert_eq!(world.dump(), opened);
}

#[test]
fn only_an_applied_chip_is_replaced_by_a_free_one_of_the_same_client() {
    let (world, _) = written();
    run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap();
    assert_eq!(reason(replace(&world, 0, 1)), Reason::WrongState);
    let (world, caller) = written();
    assert_eq!(reason(replace(&world, 1, 0)), Reason::UnknownTask);
    world.apply_auto(&caller, 1).unwrap();
    assert_eq!(reason(replace(&world, 1, 0)), Reason::AlreadyWritten);
    assert_eq!(reason(replace(&world, 1, 1)), Reason::UnknownChip);
    assert_eq!(reason(replace(&world, 1, 9)), Reason::UnknownChip);
}

fn limited(world: &World, hours: u32) -> usize {
    let maintenance = MaintenanceSettings {
        writing_limit_hours: hours,
        ..MAINTENANCE
    };
    run(run_job(&world.cx(), Job::HopelessTasks, &maintenance))
        .unwrap()
        .count
}

// §6.2.4.1
#[test]
fn a_time_limit_ends_a_writing_but_not_one_that_was_read_back_equal() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    for chip in [0, 1] {
        world.apply_auto(&caller, chip).unwrap();
        let (session, _) = world.open(chip).unwrap();
        if chip == 1 {
            world.report_event(session, 1, ReportEvent::Written).unwrap();
        }
    }
    world.pass(2 * HOUR_MS - 1);
    assert_eq!(limited(&world, 2), 0);
    world.pass(1_000 * HOUR_MS);
    assert_eq!(limited(&world, 0), 0, "off");
    assert_eq!(limited(&world, 2), 1);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Failed);
    assert_eq!(card_status(&world, &caller, 1), CardStatus::Writing);
    let failure: Vec<String> = world.column("SELECT failure FROM task WHERE failure IS NOT NULL");
    assert_eq!(failure, ["not_written_in_time"]);
}

// §6.3 Table 2
#[test]
fn a_chip_that_returns_after_its_task_was_ended_is_shown_once_for_each_task() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    world.open(0).unwrap();
    run(end_task(&world.cx(), &TaskRef::Eid(eid(0)), &NOTE)).unwrap();
    for _ in 0..2 {
        let (_, work) = world.open(0).unwrap();
        assert_eq!((work.work, work.task_id), (Work::Verify, None));
    }
    let shown = |task: TaskId| {
        let all = alerts(&world, "returned_after_end");
        all.iter().filter(|alert| alert["task_id"] == task.text()).count()
    };
    assert_eq!(shown(task), 1);
    // It may be applied for again, with the number that it holds.
    let again = world.apply_auto(&caller, 0).unwrap().task_id;
    world.write_chip(&caller, 0);
    assert_eq!((shown(task), shown(again)), (1, 0));
}

#[test]
fn an_application_that_its_client_withdrew_is_not_taken_over() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    world.apply_auto(&caller, 0).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
    let before = world.dump();
    assert_eq!(reason(replace(&world, 0, 1)), Reason::WrongState);
    assert_eq!(world.dump(), before);
}

#[test]
fn a_data_card_that_another_chip_has_is_taken_whatever_becomes_of_the_old_one() {
    let (world, caller) = with_data_card();
    run(end_task(&world.cx(), &TaskRef::Eid(eid(0)), &NOTE)).unwrap();
    let card = NumberCsv::new(0);
    let other = test_support::eid::eid_text(1);
    world
        .apply(&caller, &designated(&other, &card.iccid, &card.msisdn))
        .unwrap();
    world.open(1).unwrap();
    world.chips(&caller.id, &[test_support::inventory::ChipCsv::new(2)]);
    let refused = replace(&world, 0, 2).unwrap_err();
    assert_eq!(refused.reason(), Reason::NumberTaken);
    assert!(refused.detail().is_none(), "{refused:?}");
}
