//! The incidents that follow the sessions of a chip.

use domain::{FailureKind, IncidentKind};
use operations::ReportEvent;
use test_support::operations::World;

use super::incidents::{all, writing};

#[test]
fn an_incident_that_follows_a_session_names_why_it_ended() {
    let ends = |reason: &str| ReportEvent::Closed {
        reason: reason.to_owned(),
    };
    let note = |world: &World, kind| {
        let found = all(world)
            .into_iter()
            .find(|incident| incident.state.kind == kind);
        let note = found.unwrap().note.unwrap();
        note.rsplit(' ').next().unwrap().to_owned()
    };
    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    let fault = ReportEvent::Failed {
        status_word: None,
        failure: FailureKind::MemoryProblem,
        detail: String::new(),
        chip_fault: true,
    };
    world.report_event(session, 1, fault).unwrap();
    assert_eq!(note(&world, IncidentKind::ChipFault), "memory_problem");

    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ReportEvent::Written).unwrap();
    let (session, _) = world.open(0).unwrap();
    let silent = ReportEvent::NotVerified {
        other_imsi: false,
        rewrite: false,
        detail: String::new(),
    };
    world.report_event(session, 1, silent).unwrap();
    assert_eq!(note(&world, IncidentKind::NumberSilent), "not_registered");

    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    world
        .report_event(session, 1, ends("allowance_exhausted"))
        .unwrap();
    assert_eq!(
        note(&world, IncidentKind::AllowanceExhausted),
        "allowance_exhausted"
    );

    // A chip that comes back without allowance: why its last session ended.
    let (world, _) = writing();
    let (session, _) = world.open(0).unwrap();
    world.report_event(session, 1, ends("tls_alert")).unwrap();
    world.execute("UPDATE chip SET used_bytes = allowance_bytes");
    assert!(world.open(0).is_err());
    assert_eq!(note(&world, IncidentKind::AllowanceExhausted), "tls_alert");
}
