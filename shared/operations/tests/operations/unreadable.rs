//! A value that cannot be opened is named in its row, noted for the operator's log, and hides no other row.

use domain::IncidentKind;
use operations::{
    ActNote, CallFacts, ChipFilter, ImportChoices, IncidentFilter, NumberFilter, RefusalFilter,
    SessionFilter, TaskFilter, TaskRef, card_history, end_task, faulty_chips, import_numbers, list_alerts,
    list_chips, list_clients, list_imports, list_incidents, list_numbers, list_sessions, list_tasks,
    refused_applications, register_fault,
};
use test_support::inventory::{NumberCsv, eid, number_csv};
use test_support::operations::{World, run};

use super::incidents::enter;

/// Breaks the sealed value of a column in one row.
fn damage(world: &World, table: &str, column: &str, condition: &str) {
    world.execute(&format!(
        "UPDATE {table} SET {column} = x'00' WHERE rowid = (SELECT rowid FROM {table} WHERE {condition} LIMIT 1)"
    ));
}

/// The marks of the rows, those that are whole last; and that the log learns of as many values.
fn marks<'a>(rows: impl IntoIterator<Item = &'a Vec<&'static str>>) -> Vec<Vec<&'static str>> {
    let mut marks: Vec<_> = rows.into_iter().cloned().collect();
    marks.sort();
    marks.reverse();
    marks
}

#[test]
fn every_list_shows_the_rows_beside_one_that_cannot_be_opened() {
    let world = World::new();
    let caller = world.stocked(3, 3);
    world.client();
    for chip in [0, 1] {
        run(register_fault(&world.cx(), &eid(chip), true)).unwrap();
    }
    let task = world.apply_auto(&caller, 2).unwrap().task_id;
    world.open(2).unwrap();
    let note = ActNote {
        person: "Zhang",
        text: "lost",
    };
    run(end_task(&world.cx(), &TaskRef::Task(task), &note)).unwrap();
    enter(&world, IncidentKind::CallTimeout, None);
    damage(&world, "chip", "eid_sealed", "faulty = 1");
    damage(&world, "client", "phone_sealed", "true");
    damage(&world, "card_history", "note_sealed", "note_sealed IS NOT NULL");
    damage(&world, "incident", "note_sealed", "kind = 'call_timeout'");

    let cx = world.cx();
    let faulty = run(faulty_chips(&cx, false, None, 10)).unwrap().rows;
    assert_eq!(
        marks(faulty.iter().map(|chip| &chip.unreadable)),
        [vec!["eid"], vec![]]
    );
    let clients = run(list_clients(&cx, None, None, 10)).unwrap().clients;
    assert_eq!(
        marks(clients.iter().map(|client| &client.unreadable)),
        [vec!["phone"], vec![]]
    );
    let (steps, _) = run(card_history(&cx, &eid(2))).unwrap();
    let steps = marks(steps.iter().map(|step| &step.unreadable));
    assert_eq!((steps.len(), &steps[0]), (4, &vec!["note"]));
    let filter = IncidentFilter {
        limit: 10,
        ..IncidentFilter::default()
    };
    let incidents = run(list_incidents(&cx, &filter)).unwrap().incidents;
    assert_eq!(
        marks(incidents.iter().map(|incident| &incident.unreadable)),
        [vec!["note"], vec!["eid"], vec![]]
    );
    damage(&world, "chip", "eid_sealed", "faulty = 0");
    world.execute("UPDATE chip SET eid_sealed = x'00'");
    let sessions = run(list_sessions(
        &cx,
        &SessionFilter {
            limit: 10,
            ..SessionFilter::default()
        },
    ));
    assert_eq!(sessions.unwrap().sessions[0].unreadable, ["eid"]);
}

#[test]
fn a_call_says_once_how_many_values_it_could_not_open_and_why() {
    let world = World::new();
    world.client();
    world.client();
    world.execute("UPDATE client SET phone_sealed = x'00'");
    let found = CallFacts::default();
    let cx = world.cx().sharing(&found);
    run(list_clients(&cx, None, None, 10)).unwrap();
    let (count, why) = found.take_unreadable().unwrap();
    assert_eq!(count, 2);
    assert!(why.contains("client.phone"), "{why}");
    assert_eq!(found.take_unreadable(), None);
}

#[test]
fn an_alert_whose_message_cannot_be_opened_is_listed_without_it() {
    let world = World::new();
    for kind in [IncidentKind::CallTimeout, IncidentKind::TokenRejected] {
        enter(&world, kind, Some(domain::Severity::Severe));
    }
    world.job(operations::Job::IncidentClocks);
    damage(&world, "alert", "body_sealed", "true");
    let alerts = run(list_alerts(&world.cx(), false, None, 10)).unwrap();
    assert_eq!(
        marks(alerts.iter().map(|alert| &alert.unreadable)),
        [vec!["body"], vec![]]
    );
    assert_eq!(alerts.iter().filter(|alert| alert.body.is_empty()).count(), 1);
}

#[test]
fn an_import_whose_person_cannot_be_opened_hides_no_other() {
    let world = World::new();
    world.stocked(1, 1);
    let note = ActNote {
        person: "王芳",
        text: "供应商更正",
    };
    let correction = ImportChoices {
        correct: Some(note),
        ..ImportChoices::default()
    };
    let file = number_csv(&[NumberCsv::new(0)]);
    run(import_numbers(&world.cx(), file.as_bytes(), &correction)).unwrap();
    damage(&world, "import", "person_sealed", "person_sealed IS NOT NULL");
    let (imports, _) = run(list_imports(&world.cx(), None, 10)).unwrap();
    assert_eq!(
        marks(imports.iter().map(|import| &import.unreadable)),
        [vec!["person"], vec![], vec![]]
    );
    let corrected = imports.iter().find(|import| import.note.is_some()).unwrap();
    assert_eq!(corrected.note.as_deref(), Some("供应商更正"));
}

#[test]
fn a_task_chip_number_or_refusal_that_cannot_be_opened_is_marked_beside_the_others() {
    let world = World::new();
    let caller = world.stocked(4, 2);
    world.apply_auto(&caller, 0).unwrap();
    world.apply_auto(&caller, 1).unwrap();
    for chip in [2, 3] {
        world.apply_auto(&caller, chip).unwrap_err();
    }
    damage(&world, "chip", "eid_sealed", "status = 2");
    damage(&world, "chip", "eid_sealed", "status = 6");
    damage(&world, "number", "msisdn_sealed", "true");
    let cx = world.cx();
    let tasks = TaskFilter {
        limit: 10,
        ..TaskFilter::default()
    };
    let tasks = run(list_tasks(&cx, &tasks)).unwrap().tasks;
    let named = |field| {
        tasks
            .iter()
            .filter(|task| task.unreadable.contains(&field))
            .count()
    };
    assert_eq!((tasks.len(), named("eid"), named("msisdn")), (2, 1, 1));
    let chips = ChipFilter {
        limit: 10,
        ..ChipFilter::default()
    };
    let chips = run(list_chips(&cx, chips)).unwrap().rows;
    assert_eq!(
        marks(chips.iter().map(|chip| &chip.unreadable)),
        [vec!["eid"], vec!["eid"], vec![], vec![]]
    );
    let numbers = NumberFilter {
        limit: 10,
        ..NumberFilter::default()
    };
    let numbers = run(list_numbers(&cx, numbers)).unwrap().rows;
    let named = |field| {
        numbers
            .iter()
            .filter(|number| number.unreadable.contains(&field))
            .count()
    };
    assert_eq!((numbers.len(), named("eid"), named("msisdn")), (2, 1, 1));
    let refusals = RefusalFilter {
        limit: 10,
        ..RefusalFilter::default()
    };
    let refusals = run(refused_applications(&cx, refusals)).unwrap().rows;
    assert_eq!(
        marks(refusals.iter().map(|row| &row.unreadable)),
        [vec!["eid"], vec![]]
    );
}
