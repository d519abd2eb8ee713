//! Lists of tasks: what each condition finds, page by page, and for whom (§5.3.1.1).

use domain::error::Reason;
use domain::{
    CardStatus, FailureKind, Iccid, MINUTE_MS, Msisdn, Province, TaskFailure, TaskId, TaskStatus, Timestamp,
};
use operations::{
    ActNote, Caller, TaskFilter, TaskListing, TaskRef, cancel, end_task, list_tasks, own_tasks,
};
use store::MAX_SIFTED;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, automatic, designated, reason, run};

use super::migrations::{at_schema, column};

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "设备已报废",
};

pub(super) fn province(code: &str) -> Option<Province> {
    Some(Province::parse(code).unwrap())
}

/// The chips of a list, by their numbers.
fn chips_of(tasks: &[TaskListing]) -> Vec<u32> {
    let number = |task: &TaskListing| (0..20).find(|chip| task.eid.as_deref() == Some(&eid_text(*chip)));
    tasks.iter().map(|task| number(task).unwrap()).collect()
}

/// The chips of the tasks that a search finds, in pages of `limit`.
pub(super) fn find(world: &World, filter: &TaskFilter, limit: u32) -> Vec<u32> {
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = TaskFilter {
            cursor,
            limit,
            ..filter.clone()
        };
        let page = run(list_tasks(&world.cx(), &page)).unwrap();
        found.extend(chips_of(&page.tasks));
        match page.next {
            Some(next) => cursor = Some(next),
            None => return found,
        }
    }
}

/// Tasks in every state, a minute between two of them: chip 0 written, 1 failed, 2 cancelled, 3 ended by hand, 4 being
/// written, 5 waiting with a designated number of province 11; chip 6 of another client waits.
pub(super) fn tasks_in_every_state() -> (World, Caller, Caller, Vec<TaskId>) {
    let world = World::new();
    let caller = world.stocked(6, 8);
    let other = Caller {
        id: world.client().client_id,
    };
    world.chips(&other.id, &[ChipCsv::new(6)]);
    world.numbers(&[NumberCsv {
        province: "11".to_owned(),
        ..NumberCsv::allotted(10, &caller.id)
    }]);
    let mut tasks = vec![world.write_chip(&caller, 0)];
    world.pass(MINUTE_MS);
    tasks.push(world.fail_chip(&caller, 1, FailureKind::ReadBackMismatch));
    world.pass(MINUTE_MS);
    tasks.push(world.apply_auto(&caller, 2).unwrap().task_id);
    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(2)))).unwrap();
    world.pass(MINUTE_MS);
    tasks.push(world.apply_auto(&caller, 3).unwrap().task_id);
    run(end_task(&world.cx(), &TaskRef::Eid(eid(3)), &NOTE)).unwrap();
    world.pass(MINUTE_MS);
    tasks.push(world.apply_auto(&caller, 4).unwrap().task_id);
    world.open(4).unwrap();
    world.pass(MINUTE_MS);
    let number = NumberCsv::new(10);
    let request = [eid_text(5), number.iccid, number.msisdn];
    let request = designated(&request[0], &request[1], &request[2]);
    tasks.push(world.apply(&caller, &request).unwrap().task_id);
    world.pass(MINUTE_MS);
    tasks.push(world.apply_auto(&other, 6).unwrap().task_id);
    (world, caller, other, tasks)
}

/// A search that a change makes of one without conditions.
fn search(change: impl FnOnce(&mut TaskFilter)) -> TaskFilter {
    let mut filter = TaskFilter::default();
    change(&mut filter);
    filter
}

/// Every search that a person may make with one condition, and the chips whose tasks it finds.
pub(super) fn searches(
    caller: &Caller,
    other: &Caller,
    tasks: &[TaskId],
    start: i64,
) -> Vec<(TaskFilter, Vec<u32>)> {
    let of_client = |caller: &Caller| search(|filter| filter.client_id = Some(caller.id.clone()));
    let status = |status| search(|filter| filter.status = Some(status));
    let failure = |failure| search(|filter| filter.failure = Some(failure));
    let of_province = |code| search(|filter| filter.province = province(code));
    let msisdn = |text: &str| search(|filter| filter.msisdn = Some(Msisdn::parse(text).unwrap()));
    let number = NumberCsv::new(10);
    let at = |minute: i64| Some(Timestamp(start + minute * MINUTE_MS));
    vec![
        (TaskFilter::default(), vec![6, 5, 4, 3, 2, 1, 0]),
        (status(TaskStatus::Waiting), vec![6, 5]),
        (status(TaskStatus::Writing), vec![4]),
        (status(TaskStatus::Succeeded), vec![0]),
        (status(TaskStatus::Failed), vec![1]),
        (status(TaskStatus::Cancelled), vec![2]),
        (status(TaskStatus::Ended), vec![3]),
        (failure(TaskFailure::EndedByOperator), vec![3]),
        (failure(FailureKind::ReadBackMismatch.into()), vec![1]),
        (failure(TaskFailure::ChipDestroyed), vec![]),
        (of_client(caller), vec![5, 4, 3, 2, 1, 0]),
        (of_client(other), vec![6]),
        (of_province("37"), vec![6, 4, 3, 2, 1, 0]),
        (of_province("11"), vec![5]),
        (search(|filter| filter.eid = Some(eid(3))), vec![3]),
        (
            search(|filter| filter.iccid = Some(Iccid::parse(&number.iccid).unwrap())),
            vec![5],
        ),
        (msisdn(&number.msisdn), vec![5]),
        (msisdn("1440199999999"), vec![]),
        (search(|filter| filter.task_id = Some(tasks[4])), vec![4]),
        (
            search(|filter| (filter.from, filter.to) = (at(2), at(4))),
            vec![3, 2],
        ),
    ]
}

/// Both searches as one: a task must fit both.
fn both(first: &TaskFilter, second: &TaskFilter) -> TaskFilter {
    TaskFilter {
        task_id: first.task_id.or(second.task_id),
        client_id: first.client_id.clone().or(second.client_id.clone()),
        eid: first.eid.or(second.eid),
        iccid: first.iccid.clone().or(second.iccid.clone()),
        msisdn: first.msisdn.clone().or(second.msisdn.clone()),
        status: first.status.or(second.status),
        province: first.province.or(second.province),
        failure: first.failure.or(second.failure),
        from: first.from.or(second.from),
        to: first.to.or(second.to),
        ..TaskFilter::default()
    }
}

/// Whether two searches have a condition of the same kind.
fn collide(first: &TaskFilter, second: &TaskFilter) -> bool {
    first.client_id.is_some() && second.client_id.is_some()
        || first.status.is_some() && second.status.is_some()
        || first.province.is_some() && second.province.is_some()
        || first.failure.is_some() && second.failure.is_some()
        || first.msisdn.is_some() && second.msisdn.is_some()
}

/// Every search with one or two conditions, and what it finds.
pub(super) fn one_and_two(searches: &[(TaskFilter, Vec<u32>)]) -> Vec<(TaskFilter, Vec<u32>)> {
    let mut all = searches.to_vec();
    for (at, (first, found)) in searches.iter().enumerate() {
        for (second, too) in &searches[at + 1..] {
            if !collide(first, second) {
                let found = found.iter().filter(|chip| too.contains(chip)).copied();
                all.push((both(first, second), found.collect()));
            }
        }
    }
    all
}

// R507
#[test]
fn tasks_are_found_by_each_condition_and_by_two_of_them_in_pages_of_any_size() {
    let (world, caller, other, tasks) = tasks_in_every_state();
    // The second task was applied for a minute after this time, and so on.
    let start = world.now.get() - 6 * MINUTE_MS;
    let searches = one_and_two(&searches(&caller, &other, &tasks, start));
    assert!(searches.len() > 100);
    for (filter, expected) in searches {
        for limit in [1, 2, 200] {
            assert_eq!(find(&world, &filter, limit), expected, "{filter:?} by {limit}");
        }
    }
}

#[test]
fn no_task_is_lost_or_shown_twice_while_others_are_added_between_pages() {
    let world = World::new();
    let caller = world.stocked(12, 12);
    for chip in 0..6 {
        world.apply_auto(&caller, chip).unwrap();
        world.pass(1);
    }
    let (mut seen, mut cursor) = (Vec::new(), None);
    for added in 6..12 {
        let filter = TaskFilter {
            client_id: Some(caller.id.clone()),
            cursor,
            limit: 2,
            ..TaskFilter::default()
        };
        let page = run(list_tasks(&world.cx(), &filter)).unwrap();
        seen.extend(chips_of(&page.tasks));
        world.apply_auto(&caller, added).unwrap();
        world.pass(1);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1, 0]);
}

#[test]
fn a_task_says_where_its_card_stands() {
    let (world, _, _, tasks) = tasks_in_every_state();
    let show = |at: usize| {
        let filter = TaskFilter {
            task_id: Some(tasks[at]),
            limit: 10,
            ..TaskFilter::default()
        };
        run(list_tasks(&world.cx(), &filter)).unwrap().tasks.remove(0)
    };
    let written = show(0);
    // Two sessions, each of which reported 1,000 bytes up and 2,000 down.
    assert_eq!((written.sessions, written.bytes), (2, 6_000));
    assert_eq!(
        (written.status, written.card_status, written.progress),
        (TaskStatus::Succeeded, CardStatus::Written, 100)
    );
    assert!(written.finished_at > written.started_at && written.started_at.is_some());
    let failed = show(1);
    assert_eq!(failed.failure, Some(FailureKind::ReadBackMismatch.into()));
    let writing = show(4);
    assert_eq!((writing.sessions, writing.is_session_open), (1, true));
    assert_eq!(writing.gateway.as_deref(), Some("gateway"));
    let waiting = show(5);
    let number = NumberCsv::new(10);
    assert_eq!(
        (waiting.iccid, waiting.msisdn, waiting.province.as_deref()),
        (Some(number.iccid), Some(number.msisdn), Some("11"))
    );
    assert_eq!(
        (waiting.started_at, waiting.sessions, waiting.bytes),
        (None, 0, 0)
    );
}

// A designated task has a province too, and is no automatic application for it.
#[test]
fn an_automatic_application_is_no_repetition_of_a_designated_one_of_its_province() {
    let (world, caller, _, _) = tasks_in_every_state();
    let again = world.apply(&caller, &automatic(&eid_text(5), "11"));
    assert_eq!(reason(again), Reason::ApplicationPending);
}

#[test]
fn a_client_finds_its_own_tasks_alone() {
    let (world, caller, other, tasks) = tasks_in_every_state();
    let own = |caller: &Caller, filter: TaskFilter| {
        let filter = TaskFilter { limit: 10, ..filter };
        run(own_tasks(&world.cx(), caller, filter)).map(|page| chips_of(&page.tasks))
    };
    let all = TaskFilter::default();
    assert_eq!(own(&caller, all.clone()).unwrap(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(own(&other, all.clone()).unwrap(), [6]);
    let of_other = TaskFilter {
        client_id: Some(caller.id.clone()),
        ..all.clone()
    };
    assert_eq!(own(&other, of_other).unwrap(), [6], "the caller decides");
    let of_chip = TaskFilter {
        eid: Some(eid(0)),
        ..all.clone()
    };
    assert_eq!(own(&other, of_chip.clone()).unwrap(), Vec::<u32>::new());
    assert_eq!(own(&caller, of_chip).unwrap(), [0]);
    let of_task = TaskFilter {
        task_id: Some(tasks[0]),
        ..all
    };
    assert_eq!(own(&caller, of_task.clone()).unwrap(), [0]);
    assert_eq!(reason(own(&other, of_task)), Reason::UnknownTask);
}

/// As many more tasks of the first chip that succeeded, a millisecond after one another, of which the first is of
/// another province.
fn with_many_tasks(world: &World, count: u32) {
    world.execute(&format!(
        "INSERT INTO task (id, eid_index, seq, client_id, write_type, province, iccid_index, state, next_work, attempt,
             step, progress, created_at, changed_at)
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})
         SELECT '01900000-0000-7000-8000-' || substr('000000000000' || n.i, -12), t.eid_index, 100 + n.i, t.client_id, 1,
             CASE n.i WHEN 1 THEN '54' ELSE '37' END, t.iccid_index, 'succeeded', 'verify', 1, 0, 100, 1, 1
         FROM n, task t WHERE t.seq = 1 AND t.state = 'succeeded'"
    ));
}

#[test]
fn a_page_with_several_conditions_looks_at_a_bounded_number_of_rows_and_says_where_to_go_on() {
    test_support::of_sqlite!();
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.write_chip(&caller, 0);
    with_many_tasks(&world, 2 * MAX_SIFTED);
    let filter = TaskFilter {
        client_id: Some(caller.id),
        province: province("54"),
        limit: 2,
        ..TaskFilter::default()
    };
    let first = run(list_tasks(&world.cx(), &filter)).unwrap();
    assert_eq!(first.tasks.len(), 0);
    assert!(first.next.is_some());
    let (mut pages, mut found, mut cursor) = (1, 0, first.next);
    while cursor.is_some() {
        let page = TaskFilter {
            cursor,
            ..filter.clone()
        };
        let page = run(list_tasks(&world.cx(), &page)).unwrap();
        found += page.tasks.len();
        pages += 1;
        cursor = page.next;
    }
    assert_eq!((pages, found), (3, 1));
}

// A list of tasks by province also finds those whose client designated the number.
#[test]
fn a_designated_task_of_before_gets_the_province_of_its_number() {
    let db = at_schema(21);
    let mut rows = String::new();
    for (name, province, requested) in [("01", "11", "NULL"), ("02", "37", "'37'")] {
        rows += &format!(
            "INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed,
                 province, services, k_sealed, opc_sealed, status, exposed, imported_digest, imported_at, changed_at)
             VALUES (x'{name}', x'', x'{name}', x'', x'{name}', x'', '{province}', '', x'', x'', 'available', 0, x'', 0, 0);
             INSERT INTO task (id, eid_index, seq, client_id, write_type, province, iccid_index, state, next_work,
                 attempt, step, progress, created_at, changed_at)
             VALUES ('task-{name}', x'{name}', 1, 'client', 0, {requested}, x'{name}', 'waiting', 'write', 1, 0, 0, 0, 0);"
        );
    }
    db.connection().execute_batch(&rows).unwrap();
    run(store::migrate(&db, Timestamp(1_000))).unwrap();
    let provinces = column(&db, "SELECT id || ' ' || province FROM task ORDER BY id");
    assert_eq!(provinces, ["task-01 11", "task-02 37"]);
}
