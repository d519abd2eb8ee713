//! 补换卡: the MSISDN of a written card moves to a new data card (§8.2.2).

use domain::error::Reason;
use domain::{CardStatus, FailureKind};
use operations::{
    ActNote, Caller, ImportReport, Job, NumberAct, ReportEvent, TaskRef, act_on_number, release_numbers,
    reopen, replace_chip, status,
};
use test_support::eid::eid_text;
use test_support::inventory::{NUMBER_HEADER, NumberCsv, eid, number_csv};
use test_support::operations::{World, designated, failed, reason, run};

use crate::imports::{number_file, row_errors};
use crate::operator_reports::{card, iccid};

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "客户换卡",
};

/// The data card 5, with the MSISDN of number 0, which it takes over from data card `replaced`.
fn import(world: &World, client: &str, replaced: &str) -> ImportReport {
    import_card(world, 5, client, replaced)
}

/// Data card `n`, with the MSISDN of number 0, which it takes over from data card `replaced`.
pub(crate) fn import_card(world: &World, n: u32, client: &str, replaced: &str) -> ImportReport {
    let row = NumberCsv {
        msisdn: NumberCsv::new(0).msisdn,
        client_id: client.to_owned(),
        ..NumberCsv::new(n)
    };
    let file = number_csv(&[row])
        .replace(NUMBER_HEADER, &format!("{NUMBER_HEADER},replaces_iccid"))
        .replace(",tk1\n", &format!(",tk1,{replaced}\n"));
    number_file(world, file.as_bytes()).unwrap()
}

/// Chip 0 is written with number 0, and data card 5 is there to replace it.
fn written() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(3, 1);
    world.write_chip(&caller, 0);
    let report = import(&world, caller.id.as_str(), &NumberCsv::new(0).iccid);
    assert_eq!(row_errors(&report), []);
    assert_eq!(report.imported, 1);
    (world, caller)
}

/// State and chip of numbers 0 and 5, in this order.
fn numbers(world: &World) -> Vec<String> {
    world.column("SELECT status || ' ' || CASE WHEN eid_index IS NULL THEN 0 ELSE 1 END FROM number ORDER BY imported_at, replaces_index IS NOT NULL")
}

fn card_status(world: &World, caller: &Caller, chip: u32) -> CardStatus {
    run(status(&world.cx(), caller, &TaskRef::Eid(eid(chip))))
        .unwrap()
        .card_status
}

pub(crate) fn replace(world: &World, new: u32) -> Result<operations::Applied, domain::error::Error> {
    run(replace_chip(&world.cx(), &eid(0), &eid(new), &NOTE))
}

/// Writes a chip that was applied for, and verifies it.
fn verify(world: &World, chip: u32) {
    for event in [ReportEvent::Written, ReportEvent::Verified] {
        let (session, _) = world.open(chip).unwrap();
        world.report_event(session, 1, event).unwrap();
    }
}

/// Reopens chip 0 and applies for it with another number, number 7.
fn reopen_and_apply(world: &World, caller: &Caller) {
    run(reopen(&world.cx(), &eid(0), &NOTE)).unwrap();
    assert_eq!(world.numbers(&[NumberCsv::new(7)]).imported, 1);
    world.apply_auto(caller, 0).unwrap();
}

#[test]
fn the_msisdn_moves_once_the_new_card_is_verified_and_not_before() {
    let (world, caller) = written();
    let applied = replace(&world, 1).unwrap();
    assert_eq!(applied.card_status, CardStatus::WaitingPowerOn);
    let again = replace(&world, 1).unwrap();
    assert_eq!((again.task_id, again.repeated), (applied.task_id, true));
    assert_eq!(numbers(&world), ["written 1", "reserved 1"]);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Written);

    let (session, work) = world.open(1).unwrap();
    let data = work.data.unwrap();
    assert_eq!(data.msisdn.as_str(), NumberCsv::new(0).msisdn);
    assert_eq!(data.iccid.as_str(), NumberCsv::new(5).iccid);
    world
        .report_event(session, 1, operations::ReportEvent::Written)
        .unwrap();
    assert_eq!(
        numbers(&world),
        ["written 1", "reserved 1"],
        "the old card is in use"
    );
    let (session, _) = world.open(1).unwrap();
    world
        .report_event(session, 1, operations::ReportEvent::Verified)
        .unwrap();
    assert_eq!(numbers(&world), ["retired 1", "written 1"]);
    assert_eq!(card_status(&world, &caller, 1), CardStatus::Written);
    assert_eq!(world.column("SELECT kind FROM alert"), ["number_replaced"]);
    // The old chip is out of use, and the MSISDN is that of the new card.
    assert_eq!(reason(world.open(0)), Reason::ChipFaulty);
    let index = world
        .vault
        .blind_index(vault::IndexKind::Msisdn, NumberCsv::new(0).msisdn.as_bytes());
    let owner = format!(
        "SELECT status FROM number WHERE hex(msisdn_index) = '{}'",
        index.hex().to_uppercase()
    );
    assert_eq!(world.column(&owner), ["written"]);
    // The same file again says nothing new.
    let again = import(&world, caller.id.as_str(), &NumberCsv::new(0).iccid);
    assert_eq!((again.unchanged, again.rejected), (1, 0));
}

#[test]
fn a_replacement_that_fails_leaves_the_old_card_as_it_is() {
    let (world, caller) = written();
    replace(&world, 1).unwrap();
    let (session, _) = world.open(1).unwrap();
    world
        .report_event(session, 1, failed(FailureKind::FileRefused))
        .unwrap();
    assert_eq!(card_status(&world, &caller, 0), CardStatus::Written);
    assert_eq!(numbers(&world), ["written 1", "reserved 1"]);
    replace(&world, 1).unwrap();
    assert_eq!(card_status(&world, &caller, 1), CardStatus::WaitingPowerOn);
}

#[test]
fn a_written_chip_is_replaced_only_with_a_data_card_for_its_msisdn() {
    let world = World::new();
    let caller = world.stocked(3, 2);
    world.write_chip(&caller, 0);
    let before = world.dump();
    assert_eq!(reason(replace(&world, 1)), Reason::UnknownNumber);
    assert_eq!(world.dump(), before);

    let client = caller.id.as_str();
    let refused = |client: &str, replaced: &str| row_errors(&import(&world, client, replaced));
    let unknown = NumberCsv::new(9).iccid;
    let free = NumberCsv::new(1).iccid;
    let column = Some("replaces_iccid");
    assert_eq!(refused(client, &unknown), [(2, column, Reason::UnknownNumber)]);
    assert_eq!(
        refused(client, &free),
        [(2, column, Reason::NumberMismatch)],
        "no chip has it"
    );
    assert_eq!(
        refused("", &NumberCsv::new(0).iccid),
        [(2, Some("client_id"), Reason::ParameterMissing)],
        "the pool must not give it away"
    );
    assert_eq!(refused(client, ""), [(2, Some("msisdn"), Reason::ImportConflict)]);
}

#[test]
fn nothing_but_a_replacement_takes_the_new_data_card() {
    let (world, caller) = written();
    let new = NumberCsv::new(5);
    let chip = eid_text(2);
    let applied = world.apply(&caller, &designated(&chip, &new.iccid, &NumberCsv::new(0).msisdn));
    assert_eq!(reason(applied), Reason::NumberMismatch);
    assert_eq!(
        reason(world.apply_auto(&caller, 2)),
        Reason::ProvinceWithoutNumber
    );
}

#[test]
fn a_number_that_its_operator_retired_meanwhile_keeps_its_msisdn_for_the_new_card() {
    let (world, caller) = written();
    run(act_on_number(&world.cx(), &card(0), NumberAct::Retire)).unwrap();
    let other = NumberCsv {
        msisdn: NumberCsv::new(0).msisdn,
        ..NumberCsv::new(6)
    };
    let report = world_numbers(&world, &other);
    assert_eq!(row_errors(&report), [(2, Some("msisdn"), Reason::ImportConflict)]);
    replace(&world, 1).unwrap();
    verify(&world, 1);
    assert_eq!(numbers(&world), ["retired 1", "written 1"]);
    assert_eq!(card_status(&world, &caller, 1), CardStatus::Written);
}

fn world_numbers(world: &World, row: &NumberCsv) -> ImportReport {
    number_file(world, number_csv(std::slice::from_ref(row)).as_bytes()).unwrap()
}

#[test]
fn a_data_card_that_took_over_an_msisdn_can_be_written_to_a_third_chip() {
    let (world, caller) = written();
    replace(&world, 1).unwrap();
    verify(&world, 1);
    run(reopen(&world.cx(), &eid(1), &NOTE)).unwrap();
    assert_eq!(world.numbers(&[NumberCsv::new(7)]).imported, 1);
    world.apply_auto(&caller, 1).unwrap();
    verify(&world, 1);
    run(act_on_number(&world.cx(), &card(5), NumberAct::Resume)).unwrap();

    let (chip, new, former) = (eid_text(2), NumberCsv::new(5), NumberCsv::new(0));
    let request = designated(&chip, &new.iccid, &former.msisdn);
    world.apply(&caller, &request).unwrap();
    verify(&world, 2);
    assert_eq!(card_status(&world, &caller, 2), CardStatus::Written);
    assert_eq!(
        world.column("SELECT status FROM number WHERE replaces_index IS NOT NULL"),
        ["written"]
    );
}

#[test]
fn the_open_task_of_a_chip_that_was_reopened_ends_when_another_chip_has_its_msisdn() {
    let (world, caller) = written();
    replace(&world, 1).unwrap();
    reopen_and_apply(&world, &caller);
    verify(&world, 1);
    assert_eq!(card_status(&world, &caller, 0), CardStatus::ToWrite);
    let failures = "SELECT failure FROM task WHERE failure IS NOT NULL";
    assert_eq!(world.column(failures), ["chip_replaced"]);
    assert_eq!(reason(world.open(0)), Reason::ChipFaulty);
    world.apply_auto(&caller, 2).unwrap();
}

#[test]
fn a_chip_that_waits_for_a_number_whose_msisdn_moves_stays_in_use() {
    let (world, caller) = written();
    replace(&world, 1).unwrap();
    reopen_and_apply(&world, &caller);
    verify(&world, 0);
    run(act_on_number(&world.cx(), &card(0), NumberAct::Resume)).unwrap();
    world.apply_auto(&caller, 2).unwrap();
    verify(&world, 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM chip WHERE faulty = 1"), 0);
    world.job(Job::HopelessTasks);
    let failures = "SELECT failure FROM task WHERE failure IS NOT NULL";
    assert_eq!(world.column(failures), ["number_retired"]);
    assert_eq!(card_status(&world, &caller, 2), CardStatus::ToWrite);
}

#[test]
fn a_data_card_that_takes_over_an_msisdn_does_not_go_to_the_pool() {
    let (world, _) = written();
    let before = world.dump();
    assert_eq!(
        reason(run(release_numbers(&world.cx(), &[iccid(5)]))),
        Reason::NumberInUse
    );
    assert_eq!(world.dump(), before);
}

#[test]
fn one_data_card_at_a_time_takes_over_from_another() {
    let (world, caller) = written();
    let replaced = NumberCsv::new(0).iccid;
    let second = || row_errors(&import_card(&world, 6, caller.id.as_str(), &replaced));
    assert_eq!(second(), [(2, Some("replaces_iccid"), Reason::NumberTaken)]);
    run(act_on_number(&world.cx(), &card(5), NumberAct::Retire)).unwrap();
    assert_eq!(second(), []);
    replace(&world, 1).unwrap();
    let data = world.open(1).unwrap().1.data.unwrap();
    assert_eq!(data.iccid.as_str(), NumberCsv::new(6).iccid);
}
