//! Whichever statement of an operation fails, nothing of the operation remains.

use domain::error::{Error, Reason};
use domain::{DAY_MS, FailureKind, IncidentId, IncidentKind, Severity};
use operations::{
    About, AttemptResult, Caller, DueRequest, FinalReport, ImportChoices, IncidentAct, Job, NewIncident,
    NumberAct, ReportEvent, TaskRef, Topic, act_on_number, allot_numbers, cancel, create_client,
    due_messages, enter_incident, import_chips, import_numbers, ingest, record_attempt, register_fault,
    release_numbers, rotate_secret, run_job,
};
use store::migrate;
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, eid, number_csv};
use test_support::operations::{MAINTENANCE, World, automatic, failed, run};

use super::incidents::act;
use super::operator_reports::{card, iccid, usage};

/// Most statements one operation of these tests may take.
const MAX_STATEMENTS: usize = 400;

/// Runs `act` on a world made by `arrange`, with statement 1, 2, … failing, until it succeeds.
pub(crate) fn leaves_nothing_behind<A>(
    name: &str,
    arrange: impl Fn() -> (World, A),
    act: impl Fn(&World, &A) -> Result<(), Error>,
) {
    for n in 1..=MAX_STATEMENTS {
        let (world, arranged) = arrange();
        let before = world.dump();
        world.db.fail_at(Some(n));
        let result = act(&world, &arranged);
        world.db.fail_at(None);
        assert!(
            !world.db.inner.is_in_transaction(),
            "{name}: a transaction is open after statement {n}"
        );
        match result {
            Ok(()) => {
                assert!(n > 1, "{name} runs no statement");
                assert_ne!(world.dump(), before, "{name} does nothing");
                return;
            }
            Err(error) => {
                assert_eq!(error.reason(), Reason::Internal, "{name}: {error}");
                assert_eq!(
                    world.dump(),
                    before,
                    "{name}: something remains after statement {n}"
                );
                act(&world, &arranged)
                    .unwrap_or_else(|error| panic!("{name}: a second try after {n}: {error}"));
            }
        }
    }
    panic!("{name} takes more than {MAX_STATEMENTS} statements");
}

fn applied() -> (World, Caller) {
    let (world, caller) = stocked();
    world.apply_auto(&caller, 0).unwrap();
    (world, caller)
}

fn stocked() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(2, 2);
    (world, caller)
}

#[test]
fn an_application() {
    leaves_nothing_behind("apply", stocked, |world, caller| {
        world.apply_auto(caller, 0).map(drop)
    });
}

#[test]
fn a_refused_application() {
    let serving = || {
        let (world, caller) = stocked();
        (world.serving("37,65"), caller)
    };
    let apply = |world: &World, caller: &Caller| world.apply(caller, &automatic(&eid_text(0), "65"));
    leaves_nothing_behind("refused", serving, |world, caller| match apply(world, caller) {
        Err(error) if error.reason() == Reason::ProvinceWithoutNumber => Ok(()),
        other => other.map(drop),
    });
    leaves_nothing_behind("not served", stocked, |world, caller| {
        match apply(world, caller) {
            Err(error) if error.reason() == Reason::ProvinceNotServed => Ok(()),
            other => other.map(drop),
        }
    });
}

#[test]
fn a_cancellation() {
    leaves_nothing_behind("cancel", applied, |world, caller| {
        run(cancel(&world.cx(), caller, &TaskRef::Eid(eid(0)))).map(drop)
    });
}

#[test]
fn opening_a_session() {
    leaves_nothing_behind("open", applied, |world, _| world.open(0).map(drop));
}

#[test]
fn opening_a_session_in_place_of_another() {
    let arrange = || {
        let (world, _) = applied();
        world.open(0).unwrap();
        (world, ())
    };
    leaves_nothing_behind("supersede", arrange, |world, ()| world.open(0).map(drop));
}

#[test]
fn every_kind_of_report() {
    let session = || {
        let (world, _) = applied();
        let session = world.open(0).unwrap().0;
        (world, session)
    };
    let verifying = || {
        let (world, old) = session();
        world.report_event(old, 1, ReportEvent::Written).unwrap();
        let session = world.open(0).unwrap().0;
        (world, session)
    };
    let fault = ReportEvent::Failed {
        failure: FailureKind::MemoryProblem,
        detail: "SW 6581".to_owned(),
        chip_fault: true,
        status_word: Some("6581".to_owned()),
    };
    for event in [
        ReportEvent::Progress { step: 1, steps: 2 },
        ReportEvent::Written,
        ReportEvent::Closed {
            reason: "end".to_owned(),
        },
        failed(FailureKind::CardError),
        fault,
    ] {
        let name = format!("{event:?}");
        leaves_nothing_behind(&name, session, |world, id| {
            world.report_event(*id, 1, event.clone()).map(drop)
        });
    }
    for event in [
        ReportEvent::Verified,
        ReportEvent::NotVerified {
            other_imsi: false,
            rewrite: true,
            detail: String::new(),
        },
        ReportEvent::NotVerified {
            other_imsi: false,
            rewrite: false,
            detail: String::new(),
        },
    ] {
        let name = format!("{event:?}");
        leaves_nothing_behind(&name, verifying, |world, id| {
            world.report_event(*id, 1, event.clone()).map(drop)
        });
    }
}

#[test]
fn imports() {
    let arrange = || {
        let world = World::new();
        let client = world.client().client_id;
        (world, client)
    };
    leaves_nothing_behind("import_chips", arrange, |world, client| {
        let csv = chip_csv(&[ChipCsv::new(0), ChipCsv::new(1)]);
        run(import_chips(
            &world.cx(),
            csv.as_bytes(),
            Some(client),
            &ImportChoices::default(),
        ))
        .map(drop)
    });
    leaves_nothing_behind("import_numbers", arrange, |world, client| {
        let csv = number_csv(&[NumberCsv::new(0), NumberCsv::allotted(1, client)]);
        run(import_numbers(
            &world.cx(),
            csv.as_bytes(),
            &ImportChoices::default(),
        ))
        .map(drop)
    });
}

#[test]
fn messages() {
    let written = || {
        let (world, caller) = stocked();
        world.write_chip(&caller, 0);
        (world, ())
    };
    leaves_nothing_behind("due_callbacks", written, |world, ()| {
        run(due_messages(&world.cx(), DueRequest::ALL)).map(drop)
    });
    let claimed = || {
        let (world, ()) = written();
        let id = run(due_messages(&world.cx(), DueRequest::ALL)).unwrap()[0].id;
        (world, id)
    };
    for result in [
        AttemptResult::Accepted { status: 200 },
        AttemptResult::Refused {
            status: None,
            error: "connection refused".to_owned(),
            retry_after_secs: None,
        },
    ] {
        leaves_nothing_behind("record_delivery", claimed, |world, id| {
            run(record_attempt(&world.cx(), *id, 1, &result)).map(drop)
        });
    }
}

#[test]
fn a_new_client() {
    let arrange = || (World::new(), ());
    leaves_nothing_behind("create_client", arrange, |world, ()| {
        let new = operations::NewClient {
            name: "甲",
            phone: "13800138000",
            ips: &["192.0.2.1".to_owned()],
            permissions: &["write.apply".to_owned()],
            callback_url: None,
            allow_http_callback: false,
        };
        run(create_client(&world.cx(), &new)).map(drop)
    });
}

#[test]
fn work_on_the_pool() {
    let cards = [iccid(0), iccid(1)];
    leaves_nothing_behind("allot_numbers", stocked, |world, caller| {
        run(allot_numbers(&world.cx(), &caller.id, &cards)).map(drop)
    });
    let allotted = || {
        let (world, caller) = stocked();
        run(allot_numbers(&world.cx(), &caller.id, &cards)).unwrap();
        (world, caller)
    };
    leaves_nothing_behind("release_numbers", allotted, |world, _| {
        run(release_numbers(&world.cx(), &cards)).map(drop)
    });
    leaves_nothing_behind("act_on_number", stocked, |world, _| {
        run(act_on_number(&world.cx(), &card(0), NumberAct::Retire)).map(drop)
    });
}

#[test]
fn acts_about_incidents() {
    let enter = |world: &World| {
        let new = NewIncident {
            kind: IncidentKind::NoNetwork,
            about: About::Chip(eid(0)),
            severity: Some(Severity::Severe),
            note: Some("上电后无网络"),
        };
        run(enter_incident(&world.cx(), &new)).map(|opened| opened.incident.id)
    };
    leaves_nothing_behind("enter_incident", stocked, |world, _| enter(world).map(drop));
    let opened = || {
        let (world, _) = stocked();
        let id = enter(&world).unwrap();
        (world, id)
    };
    leaves_nothing_behind("settle_incident", opened, |world, id| {
        act(world, *id, IncidentAct::Settle(Some("已恢复"))).map(drop)
    });
    leaves_nothing_behind("report_incident", opened, |world, id| {
        act(world, *id, IncidentAct::Report("信号弱")).map(drop)
    });
    let settled = || {
        let (world, id) = opened();
        super::incidents::settle(&world, id);
        (world, id)
    };
    let conclude = |world: &World, id: &IncidentId| {
        let report = FinalReport {
            course: "调整设备位置",
            root_cause: "信号弱",
            measures: "加装天线",
        };
        act(world, *id, IncidentAct::Conclude(report)).map(drop)
    };
    leaves_nothing_behind("final_report_incident", settled, conclude);
    let general = || {
        let (world, _) = stocked();
        let id = super::incidents::enter(&world, IncidentKind::CallTimeout, None).id;
        (world, id)
    };
    leaves_nothing_behind("escalate_incident", general, |world, id| {
        act(world, *id, IncidentAct::Escalate).map(drop)
    });
    let faulty = || {
        let (world, _) = stocked();
        run(register_fault(&world.cx(), &eid(0), true)).unwrap();
        (world, ())
    };
    leaves_nothing_behind("register_fault", faulty, |world, ()| {
        run(register_fault(&world.cx(), &eid(0), false))
    });
}

#[test]
fn the_periodic_work_on_incidents() {
    let late = || {
        let (world, _) = applied();
        world.open(0).unwrap();
        super::incidents::enter(&world, IncidentKind::CallTimeout, None);
        // Late enough for the review of the month too.
        world.pass(33 * DAY_MS);
        (world, ())
    };
    for job in [Job::StuckTasks, Job::IncidentClocks, Job::MonthlyReview] {
        leaves_nothing_behind(job.code(), late, |world, ()| {
            run(run_job(&world.cx(), job, &MAINTENANCE)).map(drop)
        });
    }
}

#[test]
fn records_of_operators() {
    leaves_nothing_behind("ingest", stocked, |world, _| {
        let lines = [usage(0, "1.5", "08:00:00"), usage(1, "2", "09:00:00")].join("\n");
        run(ingest(&world.cx(), Topic::Usage, lines.as_bytes())).map(drop)
    });
}

#[test]
fn a_second_secret() {
    leaves_nothing_behind("rotate_secret", stocked, |world, caller| {
        run(rotate_secret(&world.cx(), &caller.id, 3_600)).map(drop)
    });
}

#[test]
fn a_migration() {
    test_support::of_sqlite!();
    for n in 1..=MAX_STATEMENTS {
        let world = World::new();
        drop_every_table(&world);
        world.db.fail_at(Some(n));
        let result = run(migrate(&world.db, world.time()));
        world.db.fail_at(None);
        assert!(!world.db.inner.is_in_transaction());
        // The change of the journal mode, the third statement at most, may fail without harm.
        if result.is_ok() && n > 3 {
            return;
        }
        if result.is_err() {
            assert_eq!(
                world.count("SELECT COUNT(*) FROM sqlite_master"),
                0,
                "statement {n}"
            );
        }
        run(migrate(&world.db, world.time())).unwrap();
    }
    panic!("the migration takes more than {MAX_STATEMENTS} statements");
}

fn drop_every_table(world: &World) {
    let connection = world.db.inner.connection();
    let mut find = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table'")
        .unwrap();
    let tables: Vec<String> = find
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    connection.pragma_update(None, "foreign_keys", false).unwrap();
    for table in tables {
        connection.execute_batch(&format!("DROP TABLE {table}")).unwrap();
    }
    connection.pragma_update(None, "foreign_keys", true).unwrap();
}

#[test]
fn a_failed_commit_is_a_failure() {
    let (world, caller) = stocked();
    let before = world.dump();
    world.db.seen.borrow_mut().clear();
    world.apply_auto(&caller, 0).unwrap();
    let statements = world.db.seen.borrow().len();
    assert_eq!(world.db.seen.borrow().last(), Some(&"COMMIT"));

    let (world, caller) = stocked();
    world.db.fail_at(Some(statements));
    assert!(world.apply_auto(&caller, 0).is_err());
    world.db.fail_at(None);
    assert_eq!(world.dump(), before);
    assert!(!world.db.inner.is_in_transaction());
}
