//! Tasks that end without a written card, and what becomes of their numbers (§6.3 Table 2, Table 4).

use std::collections::BTreeMap;

use domain::error::{Error, Reason};
use domain::{CardStatus, FailureKind, NumberStatus, TaskFailure, TaskId};
use operations::{
    ActNote, Caller, DueRequest, EndedTask, Job, NumberAct, ReportEvent, TaskRef, Topic, act_on_number,
    cancel, card_history, due_messages, end_task, register_fault, run_job, status,
};
use test_support::inventory::eid;
use test_support::operations::{MAINTENANCE, World, failed, reason, run};

use super::faults::leaves_nothing_behind;
use super::operator_reports::{card, ingest_lines, line};
use super::temporary_numbers::raised;

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "设备已报废",
};

fn end_by_eid(world: &World, chip: u32) -> Result<EndedTask, Error> {
    run(end_task(&world.cx(), &TaskRef::Eid(eid(chip)), &NOTE))
}

fn applied() -> (World, Caller, TaskId) {
    let world = World::new();
    let caller = world.stocked(2, 1);
    let task = world.apply_auto(&caller, 0).unwrap().task_id;
    (world, caller, task)
}

fn card_status(world: &World, caller: &Caller) -> CardStatus {
    let view = run(status(&world.cx(), caller, &TaskRef::Eid(eid(0))));
    view.unwrap().card_status
}

/// State of the only number, and whether it belongs to a chip and to a task.
fn number(world: &World) -> String {
    let row = "SELECT status || ' ' || CASE WHEN eid_index IS NULL THEN 0 ELSE 1 END || CASE WHEN task_id IS NULL THEN 0 ELSE 1 END FROM number";
    world.column(row).remove(0)
}

/// The fields of the messages that are due.
fn messages(world: &World) -> Vec<BTreeMap<String, String>> {
    let due = run(due_messages(&world.cx(), DueRequest::ALL)).unwrap();
    due.iter()
        .map(|message| serde_json::from_slice(&message.body).unwrap())
        .collect()
}

fn act(world: &World, act: NumberAct) -> Result<NumberStatus, Error> {
    run(act_on_number(&world.cx(), &card(0), act))
}

fn report_state(world: &World, state: &str, minute: u32) {
    let rest = format!(r#""status":"{state}","as_of":"2026-07-01T07:{minute:02}:00+08:00""#);
    assert_eq!(ingest_lines(world, Topic::Status, &[line(0, &rest)]).accepted, 1);
}

/// The operator retires the number, and the periodic work finds its task.
fn retired(world: &World) {
    report_state(world, "retired", 1);
    assert_eq!(world.job(Job::HopelessTasks).count, 1);
    assert_eq!(world.job(Job::HopelessTasks).count, 0);
}

fn written(world: &World) {
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
}

// §6.3 Table 2: 待开机上电 → 待写卡
#[test]
fn ending_a_task_that_waits_for_power_up_frees_its_number_and_tells_the_client() {
    let (world, caller, task) = applied();
    world.pass(7);
    let ended = end_by_eid(&world, 0).unwrap();
    assert_eq!((ended.task_id, ended.at), (task, world.time()));
    assert_eq!(ended.card_status, CardStatus::ToWrite);
    assert_eq!(card_status(&world, &caller), CardStatus::ToWrite);
    assert_eq!(number(&world), "available 00");
    let messages = messages(&world);
    assert_eq!(messages.len(), 1);
    for (key, value) in [
        ("task_id", task.text().as_str()),
        ("card_status", "待写卡"),
        ("write_result", "失败"),
        ("failure", "ended_by_operator"),
    ] {
        assert_eq!(messages[0][key], value, "{key}");
    }
    assert!(
        world.apply_auto(&caller, 1).is_ok(),
        "another chip gets the number"
    );
}

// §6.3 Table 2: 写卡中 → 写卡失败
#[test]
fn ending_a_task_that_is_being_written_stops_its_session_and_keeps_the_number_for_its_chip() {
    let (world, caller, task) = applied();
    let (session, _) = world.open(0).unwrap();
    let ended = run(end_task(&world.cx(), &TaskRef::Task(task), &NOTE)).unwrap();
    assert_eq!(ended.card_status, CardStatus::Failed);
    assert_eq!(number(&world), "reserved 10", "part of it may be on the chip");
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
    assert_eq!(messages(&world)[0]["failure"], "ended_by_operator");
    assert_eq!(messages(&world).len(), 0, "one message");
    // The report of the gateway is refused, and changes only the bytes.
    let before = card_status(&world, &caller);
    let used = || world.count("SELECT used_bytes FROM chip ORDER BY used_bytes DESC LIMIT 1");
    assert_eq!(used(), 0);
    assert_eq!(
        reason(world.report_event(session, 1, ReportEvent::Written)),
        Reason::SessionSuperseded
    );
    assert_eq!((used(), card_status(&world, &caller)), (3_000, before));
    // Applying again takes the number that the chip holds.
    let again = world.apply_auto(&caller, 0).unwrap();
    assert_ne!(again.task_id, task);
    assert_eq!(number(&world), "reserved 11");
}

#[test]
fn ending_a_task_again_changes_nothing_and_an_ended_one_cannot_be_ended() {
    let (world, caller, task) = applied();
    let first = end_by_eid(&world, 0).unwrap();
    let before = world.dump();
    world.pass(1_000);
    assert_eq!(end_by_eid(&world, 0).unwrap(), first);
    assert_eq!(
        run(end_task(&world.cx(), &TaskRef::Task(task), &NOTE)).unwrap(),
        first
    );
    assert_eq!(world.dump(), before);
    // What an administrator ended cannot be withdrawn by the client as well.
    let by_task = TaskRef::Task(task);
    assert_eq!(
        reason(run(cancel(&world.cx(), &caller, &by_task))),
        Reason::WrongState
    );
    world.write_chip(&caller, 0);
    assert_eq!(reason(end_by_eid(&world, 0)), Reason::WrongState);
    assert_eq!(reason(end_by_eid(&world, 1)), Reason::UnknownTask);
    assert_eq!(reason(end_by_eid(&world, 9)), Reason::UnknownChip);
}

#[test]
fn the_history_says_who_ended_a_task_and_why_and_the_database_does_not() {
    let (world, _, task) = applied();
    end_by_eid(&world, 0).unwrap();
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!(
        (step.actor.as_str(), step.reason.as_str()),
        ("admin", "ended_by_operator")
    );
    assert_eq!((step.task_id, step.to), (Some(task), CardStatus::ToWrite));
    assert_eq!(step.person.as_deref(), Some("王芳"));
    assert_eq!(step.note.as_deref(), Some("设备已报废"));
    let hex = hex::encode_upper("王芳");
    let rows = world.dump().join("\n");
    assert!(!rows.contains("王芳") && !rows.contains(&hex));
}

// Table 4: the number of a faulty chip returns
#[test]
fn a_fault_ends_the_open_task_and_only_a_number_that_was_sent_stays_with_the_chip() {
    let (world, caller, _) = applied();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    assert_eq!(card_status(&world, &caller), CardStatus::ToWrite);
    assert_eq!(number(&world), "available 00");
    assert_eq!(messages(&world)[0]["failure"], "chip_faulty");

    let (world, caller, _) = applied();
    world.open(0).unwrap();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    assert_eq!(card_status(&world, &caller), CardStatus::Failed);
    assert_eq!(number(&world), "reserved 10");
    assert_eq!(world.open(0).unwrap().1.task_id, None, "it is only looked at");
}

#[test]
fn a_number_that_is_suspended_while_its_task_ends_is_free_when_it_is_resumed() {
    let (world, caller, task) = applied();
    act(&world, NumberAct::Suspend).unwrap();
    run(cancel(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    assert_eq!(number(&world), "suspended 00");
    assert_eq!(act(&world, NumberAct::Resume).unwrap(), NumberStatus::Available);
    assert!(world.apply_auto(&caller, 1).is_ok());
}

#[test]
fn a_number_that_was_sent_stays_with_its_chip_through_suspending_and_resuming() {
    let (world, caller, _) = applied();
    let (session, _) = world.open(0).unwrap();
    act(&world, NumberAct::Suspend).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::CardError))
        .unwrap();
    assert_eq!(number(&world), "suspended 10");
    assert_eq!(act(&world, NumberAct::Resume).unwrap(), NumberStatus::Reserved);
    assert_eq!(number(&world), "reserved 10");
    assert_eq!(
        reason(world.apply_auto(&caller, 1)),
        Reason::ProvinceWithoutNumber
    );
    // Lost for good: it may be retired, because no task writes it.
    assert_eq!(act(&world, NumberAct::Retire).unwrap(), NumberStatus::Retired);
}

#[test]
fn a_number_that_its_operator_retires_ends_the_task_that_waits_for_it() {
    let (world, caller, task) = applied();
    retired(&world);
    assert_eq!(card_status(&world, &caller), CardStatus::ToWrite);
    assert_eq!(number(&world), "retired 00");
    let messages = messages(&world);
    assert_eq!(messages[0]["failure"], "number_retired");
    assert_eq!(messages[0]["card_status"], "待写卡");
    let view = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    assert_eq!(view.task.unwrap().failure, Some(TaskFailure::NumberRetired));
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!(step.actor, "operator");
}

#[test]
fn a_number_that_its_operator_retires_ends_the_writing_of_it() {
    let (world, caller, _) = applied();
    let (session, _) = world.open(0).unwrap();
    retired(&world);
    assert_eq!(card_status(&world, &caller), CardStatus::Failed);
    assert_eq!(number(&world), "retired 10");
    assert_eq!(messages(&world)[0]["failure"], "number_retired");
    assert_eq!(
        reason(world.report_event(session, 1, ReportEvent::Written)),
        Reason::SessionSuperseded
    );
}

// §5.3.1.3: a card whose temporary number has expired reaches no network.
#[test]
fn an_application_ends_with_the_test_period_when_its_card_never_powered_up() {
    let (world, caller, task) = applied();
    let period = world.count("SELECT min(temp_expires_at) FROM chip") - world.time().millis();
    world.pass(period - 1);
    assert_eq!(world.job(Job::HopelessTasks).count, 0);
    assert_eq!(card_status(&world, &caller), CardStatus::WaitingPowerOn);
    world.pass(1);
    assert_eq!(world.job(Job::HopelessTasks).count, 1);
    assert_eq!(card_status(&world, &caller), CardStatus::ToWrite);
    assert_eq!(number(&world), "available 00");
    let view = run(status(&world.cx(), &caller, &TaskRef::Task(task))).unwrap();
    assert_eq!(view.task.unwrap().failure, Some(TaskFailure::NotPoweredUp));
    assert_eq!(messages(&world)[0]["failure"], "not_powered_up");
    let step = run(card_history(&world.cx(), &eid(0))).unwrap().0.remove(0);
    assert_eq!((step.actor.as_str(), step.person), ("platform", None));
}

#[test]
fn a_task_that_is_being_written_goes_on_when_the_test_period_ends() {
    let (world, caller, _) = applied();
    world.open(0).unwrap();
    world.pass(world.count("SELECT max(temp_expires_at) FROM chip") - world.time().millis());
    assert_eq!(world.job(Job::HopelessTasks).count, 0);
    assert_eq!(card_status(&world, &caller), CardStatus::Writing);
}

// What a verification proves is a fact.
#[test]
fn a_verification_succeeds_although_the_number_was_suspended_and_the_operator_is_told() {
    let (world, caller, _) = applied();
    written(&world);
    act(&world, NumberAct::Suspend).unwrap();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Verified).unwrap();
    assert_eq!(card_status(&world, &caller), CardStatus::Written);
    assert_eq!(number(&world), "suspended 11");
    let (kind, body) = raised(&world).remove(0);
    assert_eq!(kind, "written_number_out_of_use");
    assert_eq!(body["number_status"], "suspended");
    assert_eq!(messages(&world)[0]["write_result"], "成功");
    assert_eq!(act(&world, NumberAct::Resume).unwrap(), NumberStatus::Written);
}

#[test]
fn ending_a_task_and_retiring_its_number_are_all_or_nothing() {
    let arrange = || (applied().0, ());
    leaves_nothing_behind("end_task_waiting", arrange, |world, ()| {
        end_by_eid(world, 0).map(drop)
    });
    let writing = || {
        let (world, ..) = applied();
        world.open(0).unwrap();
        (world, ())
    };
    leaves_nothing_behind("end_task_writing", writing, |world, ()| {
        end_by_eid(world, 0).map(drop)
    });
    leaves_nothing_behind("fault_with_task", writing, |world, ()| {
        run(register_fault(&world.cx(), &eid(0), true))
    });
    let hopeless = || {
        let (world, ..) = applied();
        world.open(0).unwrap();
        report_state(&world, "retired", 1);
        (world, ())
    };
    leaves_nothing_behind("hopeless_task", hopeless, |world, ()| {
        run(run_job(&world.cx(), Job::HopelessTasks, &MAINTENANCE)).map(drop)
    });
}

#[test]
fn a_task_that_cannot_be_ended_does_not_keep_the_others() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    for chip in 0..3 {
        world.apply_auto(&caller, chip).unwrap();
    }
    world.execute("UPDATE chip SET eid_sealed = x'00' WHERE eid_index = (SELECT eid_index FROM chip ORDER BY eid_index LIMIT 1)");
    world.pass(world.count("SELECT max(temp_expires_at) FROM chip") - world.time().millis());
    assert_eq!(
        reason(run(run_job(&world.cx(), Job::HopelessTasks, &MAINTENANCE))),
        Reason::Internal
    );
    assert_eq!(
        world.count("SELECT count(*) FROM task WHERE state = 'waiting'"),
        1
    );
    assert_eq!(world.count("SELECT count(*) FROM message"), 2);
}

// Each minute, whatever the size of the platform.
#[test]
fn finding_hopeless_tasks_reads_an_index_each() {
    test_support::of_sqlite!();
    let world = World::new();
    for (sql, index) in [
        (
            "SELECT task_id FROM number WHERE status = 'retired' AND task_id IS NOT NULL AND written_at IS NULL \
             ORDER BY task_id LIMIT 1",
            "number_retired_in_task",
        ),
        (
            "SELECT eid_index FROM chip WHERE temp_next_at <= 1 AND temp_expires_at <= 1 AND status = 2 \
             ORDER BY temp_next_at LIMIT 1",
            "chip_temp_next",
        ),
        (
            "SELECT id FROM task WHERE state = 'writing' AND next_work = 'write' AND started_at <= 1 \
             ORDER BY started_at LIMIT 1",
            "task_in_writing",
        ),
    ] {
        let plan = world.plan(sql);
        assert!(plan.contains(index), "{plan}");
    }
}
