//! Work that the gateway cannot carry out is a failure of the task: the next power-up would find the same.

use super::failures::failure;
use super::*;

type Spoil = fn(&mut World);

/// What the platform may ask of a gateway that cannot carry it out, and the failure that is reported.
const IMPOSSIBLE: &[(Spoil, &str, &str)] = &[
    (
        |world| world.profile = "unknown".into(),
        "profile_unknown",
        "no card profile \"unknown\"",
    ),
    (
        |world| world.profile.clear(),
        "profile_unknown",
        "no card profile",
    ),
    (
        |world| world.data.iccid = "8986011234567890123F4".into(),
        "data_unusable",
        "ICCID",
    ),
    (
        |world| world.data.imsi = "not digits".into(),
        "data_unusable",
        "IMSI",
    ),
    (|world| world.data.imsi = "46".into(), "data_unusable", "IMSI"),
    (|world| world.data.msisdn = "x".into(), "data_unusable", "MSISDN"),
    (
        |world| world.data.smsc = Some("?".into()),
        "data_unusable",
        "SMSC",
    ),
    (
        |world| world.data.k_wrapped = Some("00".into()),
        "keys_unusable",
        "K: a wrapped key is too short",
    ),
    (
        |world| world.data.opc_wrapped = None,
        "keys_unusable",
        "the platform sent no OPc",
    ),
    (
        |world| {
            world.data.k_wrapped = Some(
                LinkKey::parse(&"22".repeat(32))
                    .unwrap()
                    .wrap_hex(&[0; 16])
                    .unwrap(),
            )
        },
        "keys_unusable",
        "does not open under the link key",
    ),
    (
        |world| world.dek_bytes = 24,
        "keys_unusable",
        "a DEK must have 16 bytes",
    ),
];

#[test]
fn work_that_the_gateway_cannot_carry_out_fails_the_task_without_touching_the_card() {
    for (spoil, kind, detail) in IMPOSSIBLE {
        let (mut world, mut card) = (World::new(), Card::seed());
        spoil(&mut world);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished("work_not_understood"),
            "{detail}"
        );
        let reported = failure(&world);
        assert_eq!((reported.0, reported.1), (*kind, false), "{detail}");
        assert!(reported.2.contains(detail), "{:?} lacks {detail:?}", reported.2);
        assert_eq!(world.reports.len(), 1);
        assert!(card.updates.is_empty() && world.script_bytes.is_empty());
    }
}

#[test]
fn a_verification_that_the_gateway_cannot_carry_out_fails_the_task_too() {
    let mut world = World {
        work: Work::Verify,
        ..World::new()
    };
    world.profile = "unknown".into();
    assert_eq!(
        world.session(&mut Card::seed(), None, None),
        Ending::Finished("work_not_understood")
    );
    assert_eq!(failure(&world).0, "profile_unknown");
}

#[test]
fn a_failure_that_the_platform_did_not_acknowledge_is_reported_by_the_next_session() {
    let mut world = World::new();
    world.profile = "unknown".into();
    let mut machine = world.machine();
    machine.on_request(AgentRequest::default(), 0).unwrap();
    let output = machine.on_opened(Ok(world.session_answer()), None);
    assert!(
        matches!(output, Output::Report(ReportEvent::Failed { .. })),
        "{output:?}"
    );
    assert_eq!(
        machine.on_reported(Err(unavailable()), 0),
        Output::Reply(Reply::Unavailable)
    );
}
