//! §8.2.2, §8.2.4: the register of faulty chips, and the faults that clients report.

use domain::error::Reason;
use domain::{FailureKind, IncidentKind, MINUTE_MS, Severity};
use operations::{
    Caller, ChipFaultKind, ChipFaultReport, Fault, FaultReported, MAX_FAULT_TEXT_CHARS, ReportEvent,
    faulty_chips, register_chip_fault, register_fault, report_chip_fault,
};
use test_support::eid::eid_text;
use test_support::inventory::eid;
use test_support::operations::{World, reason, run};

use super::faults::leaves_nothing_behind;
use super::incidents::{all, open_kinds};

/// An entry of the register: chip, fault, status word, firmware, whether it was taken out.
type Entry = (String, String, Option<String>, Option<String>, bool);

/// Every entry of the register.
fn register(world: &World) -> Vec<Entry> {
    let page = run(faulty_chips(&world.cx(), true, None, 100)).unwrap();
    let entries = page.rows.into_iter();
    entries
        .map(|chip| {
            (
                chip.eid.unwrap(),
                chip.fault,
                chip.status_word,
                chip.firmware,
                chip.until.is_some(),
            )
        })
        .collect()
}

// §8.2.2 Table 4: 写卡平台记录故障芯片信息，纳入质量管控
#[test]
fn the_register_keeps_the_fault_and_its_status_word_after_the_chip_was_taken_out() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let fault = ReportEvent::Failed {
        failure: FailureKind::MemoryProblem,
        detail: "UPDATE BINARY EF_IMSI: 6581 (memory problem)".to_owned(),
        chip_fault: true,
        status_word: Some("6581".to_owned()),
    };
    world.report_event(session, 1, fault).unwrap();
    let (entered, out) = (world.time(), world.time().plus(MINUTE_MS));
    world.pass(MINUTE_MS);
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    let page = run(faulty_chips(&world.cx(), true, None, 100)).unwrap();
    assert_eq!(page.rows.len(), 1);
    let chip = &page.rows[0];
    assert_eq!(
        (chip.fault.as_str(), chip.status_word.as_deref()),
        ("memory_problem", Some("6581"))
    );
    assert_eq!(
        (chip.chip_model.as_str(), chip.since, chip.until),
        ("XK-1", entered, Some(out))
    );
    assert!(
        run(faulty_chips(&world.cx(), false, None, 100))
            .unwrap()
            .rows
            .is_empty()
    );
    world.apply_auto(&caller, 0).unwrap();
}

#[test]
fn each_time_a_chip_is_entered_is_an_entry_with_what_was_said_of_it() {
    let world = World::new();
    world.stocked(1, 0);
    let fault = Fault {
        code: "no_answer",
        status_word: Some("6F00"),
        firmware: Some("1.2.3"),
    };
    run(register_chip_fault(&world.cx(), &eid(0), Some(fault))).unwrap();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    world.pass(MINUTE_MS);
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        register(&world),
        [
            (eid_text(0), "registered".to_owned(), None, None, false),
            (
                eid_text(0),
                "no_answer".to_owned(),
                text("6F00"),
                text("1.2.3"),
                true
            ),
        ]
    );
}

#[test]
fn a_text_that_is_no_status_word_is_not_kept() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session, _) = world.open(0).unwrap();
    let fault = ReportEvent::Failed {
        failure: FailureKind::MemoryProblem,
        detail: String::new(),
        chip_fault: true,
        status_word: Some(eid_text(0)),
    };
    world.report_event(session, 1, fault).unwrap();
    assert_eq!(register(&world)[0].2, None);
}

fn report(world: &World, caller: &Caller, fault: ChipFaultKind) -> FaultReported {
    run(report_chip_fault(
        &world.cx(),
        caller,
        &of(fault, Some("上电后无响应")),
    ))
    .unwrap()
}

fn of(fault: ChipFaultKind, description: Option<&str>) -> ChipFaultReport<'_> {
    ChipFaultReport {
        eid: eid(0),
        fault,
        description,
    }
}

// §8.2: 上报故障
#[test]
fn a_fault_that_a_client_reports_is_an_incident_and_never_a_block() {
    for fault in ChipFaultKind::ALL {
        let world = World::new();
        let caller = world.stocked(1, 1);
        let reported = report(&world, &caller, fault);
        assert!(reported.is_new);
        let incident = all(&world).remove(0);
        assert_eq!(
            (incident.id, incident.state.kind),
            (reported.incident_id, fault.kind())
        );
        assert_eq!(incident.state.severity, Severity::General);
        assert_eq!(incident.opened_by.code(), "client");
        assert_eq!(incident.note.as_deref(), Some("上电后无响应"));
        assert_eq!(incident.eid, Some(eid_text(0)));
        assert!(register(&world).is_empty());
        world.write_chip(&caller, 0);
    }
}

#[test]
fn a_fault_that_is_reported_again_changes_nothing_and_names_the_same_incident() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let first = report(&world, &caller, ChipFaultKind::NoNetwork);
    world.pass(MINUTE_MS);
    let before = world.dump();
    let again = report(&world, &caller, ChipFaultKind::NoNetwork);
    assert_eq!(
        (again.incident_id, again.is_new, again.at),
        (first.incident_id, false, first.at)
    );
    assert_eq!(world.dump(), before);
}

#[test]
fn a_client_reports_faults_of_its_own_chips_alone() {
    let world = World::new();
    world.stocked(1, 0);
    let other = Caller {
        id: world.client().client_id,
    };
    let refused = run(report_chip_fault(
        &world.cx(),
        &other,
        &of(ChipFaultKind::ChipFault, None),
    ));
    assert_eq!(reason(refused), Reason::UnknownChip);
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn a_description_may_be_absent_and_has_a_limit() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let long = "芯".repeat(MAX_FAULT_TEXT_CHARS + 1);
    let refused = run(report_chip_fault(
        &world.cx(),
        &caller,
        &of(ChipFaultKind::ChipFault, Some(&long)),
    ));
    assert_eq!(reason(refused), Reason::ParameterTooLong);
    run(report_chip_fault(
        &world.cx(),
        &caller,
        &of(ChipFaultKind::ChipFault, Some("  ")),
    ))
    .unwrap();
    assert_eq!(all(&world).remove(0).note, None);
    assert_eq!(all(&world)[0].state.kind, IncidentKind::ChipFault);
}

#[test]
fn whatever_fails_a_reported_fault_is_there_or_not_at_all() {
    let arrange = || {
        let world = World::new();
        let caller = world.stocked(1, 0);
        (world, caller)
    };
    leaves_nothing_behind("report_chip_fault", arrange, |world, caller| {
        let report = of(ChipFaultKind::ModuleIncompatible, Some("BIP"));
        run(report_chip_fault(&world.cx(), caller, &report)).map(drop)
    });
}
