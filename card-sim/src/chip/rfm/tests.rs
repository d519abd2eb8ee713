//! Script vectors of TS 102 226 §5.2 and this application's rules.

use std::sync::Arc;

use super::*;
use crate::chip::nvm::Identity;
use crate::faults::{ApduIndex, ChipFault, Faults};
use crate::personalisation::Personalisation;

fn core() -> Core {
    let card = Personalisation::builder(
        "89086030202200000022000000000090".parse().unwrap(),
        [1; 16],
        [2; 16],
    )
    .iccid("89860112345678901234")
    .imsi("460001234567890")
    .build()
    .unwrap();
    Core::new(Arc::new(card))
}

fn run_hex(core: &mut Core, session: &mut CommandSession, script: &str) -> (String, Option<u8>) {
    let outcome = run(core, session, &hex::decode(script.replace(' ', "")).unwrap());
    (hex::encode_upper(outcome.response), outcome.refresh)
}

/// One script in a session of its own.
fn alone(script: &str) -> String {
    run_hex(&mut core(), &mut CommandSession::start(RfmStart::Usim), script).0
}

fn same(left: &str, right: &str) {
    assert_eq!(left, right.replace(' ', ""));
}

#[test]
fn the_published_imsi_write_answers_as_published() {
    let mut core = core();
    let mut session = CommandSession::start(RfmStart::Usim);
    let script = "AE80 2207 00A40004026F07 220E 00D6000009084906003175296408 0000";
    same(
        &run_hex(&mut core, &mut session, script).0,
        "AF80 2302 9000 2302 9000 0000",
    );
    assert_eq!(core.nvm.identity, Identity::Unverified);
    let back = "AE80 220E 00D6000009084906002143658709 0000";
    run_hex(&mut core, &mut session, back);
    assert_eq!(core.nvm.identity, Identity::Temporary);
}

#[test]
fn a_definite_script_gets_a_definite_answer_with_its_count() {
    same(&alone("AA09 2207 00A4000C026F07"), "AB07 800101 2302 9000");
    same(&alone("AA00"), "AB03 800100");
}

#[test]
fn response_data_come_only_with_le() {
    let fcp = "621782024121830 26F078A01058C03039291800200098801 38".replace(' ', "");
    same(
        &alone("AE80 2208 00A40004026F0700 0000"),
        &format!("AF80 231B {fcp} 9000 0000"),
    );
    same(
        &alone("AE80 2207 00A40004026F07 2205 00B0000000 0000"),
        "AF80 2302 9000 230B 084906002143658709 9000 0000",
    );
}

#[test]
fn long_answers_have_long_lengths() {
    let read = "2205 00B0000021".replace(' ', "");
    let answer = alone(&format!("AA81E2 2207 00A40004026F08 {}", read.repeat(31)));
    // 31 answers of 2 + 35 bytes, one of 2 + 2, and the count.
    assert!(answer.starts_with("AB82048280012023029000"), "{answer}");
}

#[test]
fn a_script_stops_at_the_first_error_and_executes_nothing_after_it() {
    let mut core = core();
    let mut session = CommandSession::start(RfmStart::Usim);
    let script = "AA22 2207 00A4000C026F99 2207 00A4000C026F07 220E 00D6000009084906003175296408";
    same(
        &run_hex(&mut core, &mut session, script).0,
        "AB07 800101 2302 6A82",
    );
    assert_eq!(core.nvm.identity, Identity::Temporary);
}

#[test]
fn a_script_that_is_none_is_answered_with_bad_format() {
    same(&alone("AE80 2203 00A400 0000"), "AF80 900102 0000");
    same(&alone("AE80 240100 0000"), "AF80 900101 0000");
    same(&alone("AA04 2210 00A4"), "AB06 800100 900102");
    same(&alone("00A40004"), "AF80 900101 0000");
    same(&alone(""), "AF80 900101 0000");
    same(&alone("AE"), "AF80 900103 0000");
}

#[test]
fn chaining_needs_a_script_before() {
    let mut core = core();
    let mut session = CommandSession::start(RfmStart::Usim);
    same(
        &run_hex(&mut core, &mut session, "AE80 830102 0000").0,
        "AF80 830101 0000",
    );
    same(
        &run_hex(&mut core, &mut session, "AE80 830101 2207 00A4000C026F07 0000").0,
        "AF80 2302 9000 0000",
    );
    // The selection is still there.
    same(
        &run_hex(&mut core, &mut session, "AE80 830103 2205 00B0000001 0000").0,
        "AF80 2303 08 9000 0000",
    );
    same(
        &run_hex(&mut core, &mut session, "AE80 830103 0000").0,
        "AF80 830101 0000",
    );
}

#[test]
fn refresh_is_ordered_by_an_immediate_action_or_by_an_error_action() {
    let refresh = "8103010104 82028182".replace(' ', "");
    let mut session = CommandSession::start(RfmStart::Usim);
    let (answer, qualifier) = run_hex(&mut core(), &mut session, &format!("AE80 8109{refresh} 0000"));
    assert_eq!((answer.as_str(), qualifier), ("AF800000", Some(4)));
    let failing = format!("AE80 8209{refresh} 2207 00A4000C026F99 0000");
    assert_eq!(run_hex(&mut core(), &mut session, &failing).1, Some(4));
    let fine = format!("AE80 8209{refresh} 2207 00A4000C026F07 0000");
    assert_eq!(run_hex(&mut core(), &mut session, &fine).1, None);
}

#[test]
fn iccid_is_written_only_where_the_issuer_may() {
    let script = "AE80 2207 00A4000C023F00 2207 00A4000C022FE2 220F 00D600000A9868407011020C102519 0000";
    same(&alone(script), "AF80 2302 9000 2302 9000 2302 9000 0000");
    let mut strict = core();
    Arc::get_mut(&mut strict.card).unwrap().iccid_writable = false;
    let answer = run_hex(&mut strict, &mut CommandSession::start(RfmStart::Usim), script).0;
    same(&answer, "AF80 2302 9000 2302 9000 2302 6982 0000");
}

#[test]
fn rfm_runs_file_commands_and_the_key_command_and_nothing_else() {
    same(&alone("AE80 2204 00880000 0000"), "AF80 2302 6D00 0000");
    same(&alone("AE80 2204 80120000 0000"), "AF80 2302 6D00 0000");
    same(&alone("AE80 2204 A0A40000 0000"), "AF80 2302 6E00 0000");
    same(&alone("AE80 2206 80D80041 01FF 0000"), "AF80 2302 6A88 0000");
}

#[test]
fn a_chip_with_a_memory_problem_refuses_every_update() {
    let mut core = core();
    core.faults = Faults {
        chip: Some(ChipFault::MemoryProblem),
        ..Faults::default()
    };
    let mut session = CommandSession::start(RfmStart::Usim);
    let script = "AE80 2207 00A4000C026F07 2205 00B0000001 2206 00D600000108 0000";
    same(
        &run_hex(&mut core, &mut session, script).0,
        "AF80 2302 9000 2303 08 9000 2302 6581 0000",
    );
}

#[test]
fn power_lost_before_an_apdu_leaves_it_undone_and_after_it_done() {
    let script = "AE80 2207 00A4000C026F07 220E 00D6000009084906003175296408 2205 00B0000009 0000";
    for (side, written) in [(Side::Before, false), (Side::After, true)] {
        let mut core = core();
        core.faults = Faults::power_loss(ApduIndex::Script(1), side);
        run_hex(&mut core, &mut CommandSession::start(RfmStart::Usim), script);
        assert!(core.power_lost && core.faults.power_loss.is_none());
        assert_eq!(core.nvm.identity == Identity::Unverified, written);
    }
}

#[test]
fn more_data_than_an_answer_holds_is_cut_off() {
    let one = "2207 00A4000C026F08 2205 00B0000021".replace(' ', "");
    let many = format!("AE80{}0000", one.repeat(127));
    let mut session = CommandSession::start(RfmStart::Usim);
    let mut core = core();
    let (answer, _) = run_hex(&mut core, &mut session, &many);
    assert_eq!(core.script_apdus, 254);
    assert!(answer.len() / 2 < MAX_ANSWER_BYTES && answer.ends_with("90000000"));
}
