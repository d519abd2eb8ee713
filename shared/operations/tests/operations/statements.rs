//! How many statements a transaction takes between BEGIN and COMMIT. On PostgreSQL each one is two round trips, and the
//! locks of the transaction are kept for all of them.

use domain::CardChange;
use operations::{
    ApplyRequest, Caller, POWER_UP_GAP_SECS, POWER_UPS_PER_HOUR, PowerUpLimits, ReportEvent, SessionWork,
};
use store::Engine;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv};
use test_support::operations::{World, designated};

use super::state_changes::select;

/// Chips and numbers 0 to 2, of which number 2 is allotted; the client gets a message about every change, and chips are
/// held to what they are held to in production.
fn stocked() -> (World, Caller) {
    let world = World::new();
    world.power_ups.set(PowerUpLimits {
        gap_secs: POWER_UP_GAP_SECS,
        per_hour: POWER_UPS_PER_HOUR,
    });
    let caller = Caller {
        id: world.client().client_id,
    };
    let chips: Vec<ChipCsv> = (0..3).map(ChipCsv::new).collect();
    world.chips(&caller.id, &chips);
    let numbers = [
        NumberCsv::new(0),
        NumberCsv::new(1),
        NumberCsv::allotted(2, &caller.id),
    ];
    world.numbers(&numbers);
    select(&world, &caller, &CardChange::ALL);
    (world, caller)
}

/// What `act` gives, if it runs at most so many statements between BEGIN and COMMIT, on PostgreSQL and on SQLite.
fn counted<T>(world: &World, name: &str, most: [usize; 2], act: impl FnOnce(&World) -> T) -> T {
    world.db.seen.borrow_mut().clear();
    let result = act(world);
    let seen = world.db.seen.borrow();
    // The last run of the transaction, should there be several.
    let begin = seen.iter().rposition(|sql| sql.starts_with("BEGIN")).unwrap();
    assert_eq!(seen.last(), Some(&"COMMIT"), "{name}");
    let found = seen.len() - begin - 2;
    println!("{name}: {found}");
    let most = match world.db.inner.engine() {
        Engine::Postgres => most[0],
        Engine::Sqlite => most[1],
    };
    assert!(found <= most, "{name}: {:#?}", &seen[begin..]);
    result
}

#[test]
fn an_application_takes_at_most_three_statements_on_postgresql() {
    let (world, caller) = stocked();
    counted(&world, "apply", [3, 6], |world| {
        world.apply_auto(&caller, 0).unwrap()
    });
    counted(&world, "apply again", [1, 1], |world| {
        world.apply_auto(&caller, 0).unwrap()
    });
    let (eid, number) = (eid_text(2), NumberCsv::new(2));
    let request: ApplyRequest<'_> = designated(&eid, &number.iccid, &number.msisdn);
    counted(&world, "apply, designated", [3, 7], |world| {
        world.apply(&caller, &request).unwrap()
    });
}

#[test]
fn opening_a_session_takes_at_most_three_statements_on_postgresql() {
    let (world, caller) = stocked();
    world.apply_auto(&caller, 0).unwrap();
    let open = |name: &str, most, chip| -> SessionWork {
        counted(&world, name, most, |world| world.open(chip).unwrap().1)
    };
    open("open, to write", [3, 12], 0);
    open("open, in place of another", [3, 8], 0);
    open("open, nothing to do", [3, 6], 1);
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    open("open, to verify", [3, 5], 0);
}

#[test]
fn a_report_takes_at_most_three_statements_on_postgresql() {
    let (world, caller) = stocked();
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let report = |name: &str, most, session, seq, event| {
        counted(&world, name, most, |world| {
            world.report_event(session, seq, event).unwrap()
        });
    };
    let step = ReportEvent::Progress { step: 1, steps: 4 };
    report("progress", [3, 4], session, 1, step.clone());
    report("progress, repeated", [2, 1], session, 1, step);
    report("written", [3, 4], session, 2, ReportEvent::Written);
    let closed = || ReportEvent::Closed {
        reason: "end".to_owned(),
    };
    report("closed", [3, 3], session, 3, closed());
    let (session, _) = world.open(0).unwrap();
    report("verified", [3, 9], session, 1, ReportEvent::Verified);
}

#[test]
fn an_import_of_many_rows_takes_as_many_statements_as_one_of_few() {
    let import = |rows: u32| {
        let world = World::new();
        let client = world.client().client_id;
        let chips: Vec<ChipCsv> = (0..rows).map(ChipCsv::new).collect();
        let numbers: Vec<NumberCsv> = (0..rows).map(NumberCsv::new).collect();
        for report in [
            counted(&world, "chips", [5, 5], |world| world.chips(&client, &chips)),
            counted(&world, "numbers", [5, 5], |world| world.numbers(&numbers)),
        ] {
            assert_eq!(report.imported, rows as usize);
        }
    };
    import(1);
    import(300);
}
