//! What operators report about their numbers, and what administrators do with them.

use domain::error::Reason;
use domain::{ClientId, Eid, Iccid, MINUTE_MS, Msisdn, NumberStatus, TaskId};
use operations::{
    Caller, IngestReport, NumberAct, NumberRef, Topic, act_on_number, allot_numbers, ingest, number_view,
    register_fault, release_numbers,
};
use test_support::eid::eid_text;
use test_support::inventory::{NumberCsv, eid};
use test_support::operations::{World, designated, reason, run};

pub(crate) fn ingest_lines(world: &World, topic: Topic, lines: &[String]) -> IngestReport {
    run(ingest(&world.cx(), topic, lines.join("\n").as_bytes())).unwrap()
}

fn counts(report: &IngestReport) -> (usize, usize, usize, usize) {
    (report.accepted, report.unchanged, report.stale, report.rejected)
}

pub(crate) fn line(number: u32, rest: &str) -> String {
    format!(r#"{{"msisdn":"{}",{rest}}}"#, NumberCsv::new(number).msisdn)
}

pub(crate) fn usage(number: u32, used: &str, as_of: &str) -> String {
    line(
        number,
        &format!(r#""total_mb":"100.5","used_mb":{used},"as_of":"2026-07-01T{as_of}+08:00""#),
    )
}

pub(crate) fn iccid(number: u32) -> Iccid {
    Iccid::parse(&NumberCsv::new(number).iccid).unwrap()
}

pub(crate) fn card(number: u32) -> NumberRef {
    NumberRef::Iccid(iccid(number))
}

fn status(world: &World, number: u32) -> String {
    let iccid = world
        .vault
        .blind_index(vault::IndexKind::Iccid, iccid(number).as_str().as_bytes());
    let hex = hex::encode(iccid.as_bytes());
    world
        .column(&format!(
            "SELECT status FROM number WHERE hex(iccid_index) = upper('{hex}')"
        ))
        .remove(0)
}

#[test]
fn a_record_is_taken_once_and_only_a_later_one_replaces_it() {
    let world = World::new();
    let caller = world.stocked(0, 0);
    world.numbers(&[NumberCsv::allotted(1, &caller.id)]);
    let reported = |lines: &[String]| counts(&ingest_lines(&world, Topic::Usage, lines));
    let used = || {
        let view = run(number_view(&world.cx(), &caller, &card(1))).unwrap();
        view.usage.map(|usage| (usage.total.mb(), usage.used.mb()))
    };
    assert_eq!(reported(&[usage(1, "0.000001", "07:00:00")]), (1, 0, 0, 0));
    assert_eq!(used(), Some(("100.5".into(), "0.000001".into())));
    let before = world.dump();
    assert_eq!(reported(&[usage(1, "0.000001", "07:00:00")]), (0, 1, 0, 0));
    assert_eq!(reported(&[usage(1, "9", "06:59:59")]), (0, 0, 1, 0));
    assert_eq!(reported(&[usage(1, "9", "07:00:00")]), (0, 0, 0, 1));
    assert_eq!(world.dump(), before);
    // The same in one call, line after line.
    let lines = [
        usage(1, "1", "07:10:00"),
        usage(1, "1", "07:10:00"),
        usage(1, "2", "07:10:00"),
        usage(1, "0.5", "07:05:00"),
        usage(1, "3.25", "07:20:00"),
    ];
    let report = ingest_lines(&world, Topic::Usage, &lines);
    assert_eq!(counts(&report), (2, 1, 1, 1));
    assert_eq!(
        (report.errors[0].line, report.errors[0].error.reason()),
        (3, Reason::RecordConflict)
    );
    assert_eq!(used(), Some(("100.5".into(), "3.25".into())));
}

#[test]
fn bad_lines_are_named_and_leave_the_others_alone() {
    let world = World::new();
    world.stocked(0, 2);
    let at = r#""as_of":"2026-07-01T07:00:00+08:00""#;
    let ahead = "2026-07-01T08:05:01+08:00";
    let lines = [
        line(0, &format!(r#""city":"济南",{at}"#)),
        String::new(),
        "not json".to_owned(),
        line(9, &format!(r#""city":"济南",{at}"#)),
        line(1, at),
        line(1, r#""city":"","as_of":"2026-07-01T07:00:00+08:00""#),
        line(1, r#""city":"济南","as_of":"yesterday""#),
        line(1, &format!(r#""city":"济南","as_of":"{ahead}""#)),
        line(1, &format!(r#""city":"济南","used_mb":1,{at}"#)),
        line(1, &format!(r#""city":"济南","colour":1,{at}"#)),
        line(1, &format!(r#""city":"{}",{at}"#, "长".repeat(65))),
        line(1, &format!(r#""city":"{}",{at}"#, "a".repeat(600))),
        format!(r#"{{"city":"济南",{at}}}"#),
        format!(r#"{{"msisdn":"13800138000","city":"济南",{at}}}"#),
    ];
    let report = ingest_lines(&world, Topic::Location, &lines);
    assert_eq!(report.rows, 13);
    assert_eq!(counts(&report), (1, 0, 0, 12));
    let found: Vec<_> = report
        .errors
        .iter()
        .map(|error| (error.line, error.field, error.error.reason()))
        .collect();
    assert_eq!(
        found,
        [
            (3, None, Reason::BadJson),
            (4, None, Reason::UnknownNumber),
            (5, Some("city"), Reason::ParameterMissing),
            (6, Some("city"), Reason::ParameterEmpty),
            (7, Some("as_of"), Reason::ParameterMalformed),
            (8, Some("as_of"), Reason::ParameterMalformed),
            (9, Some("used_mb"), Reason::ParameterUnknown),
            (10, None, Reason::ParameterUnknown),
            (11, Some("city"), Reason::ParameterTooLong),
            (12, None, Reason::ParameterTooLong),
            (13, Some("msisdn"), Reason::ParameterMissing),
            (14, Some("msisdn"), Reason::MsisdnMalformed),
        ]
    );
    world.pass(5 * MINUTE_MS);
    let late = line(1, &format!(r#""city":"济南","as_of":"{ahead}""#));
    assert_eq!(
        counts(&ingest_lines(&world, Topic::Location, &[late])),
        (1, 0, 0, 0)
    );
}

#[test]
fn numbers_times_and_byte_order_marks_are_read_as_operators_write_them() {
    let world = World::new();
    let caller = world.stocked(0, 0);
    world.numbers(&[NumberCsv::allotted(1, &caller.id)]);
    let msisdn = NumberCsv::new(1).msisdn;
    let record = |number: &str, total: &str, used: &str, as_of: &str| {
        format!(
            "\u{feff}{{{number},\"total_mb\":{total},\"used_mb\":{used},\"as_of\":\"2026-07-01T07:00:00{as_of}\"}}\r"
        )
    };
    let number = format!("\"msisdn\":{msisdn},\"iccid\":null");
    let text = format!("\"iccid\":\" \",\"msisdn\":\"{msisdn}\"");
    let exponent = format!("\"msisdn\":{}e1", &msisdn[..12]);
    let lines = [
        record(&number, "1e2", "\"12.50\"", " 08:00"),
        record(&text, "100.0", "12.5", "+08:00"),
        "\u{feff}".to_owned(),
        record(&number, "\"1E+2\"", "1250e-2", "Z\u{2028}"),
        record(&number, "\"0.1e3\"", "12.500000000", "+08:00"),
        record(&exponent, "100", "12.5", "+08:00"),
        record("\"msisdn\":true", "100", "12.5", "+08:00"),
        record("\"msisdn\":1.5", "100", "12.5", "+08:00"),
        record("\"msisdn\":\"\"", "100", "12.5", "+08:00"),
        record(&number, "1e-7", "0", "+08:00"),
        record(&number, "null", "0", "+08:00"),
        record(&number, "[1]", "0", "+08:00"),
    ];
    let report = ingest_lines(&world, Topic::Usage, &lines);
    let found: Vec<_> = report
        .errors
        .iter()
        .map(|error| (error.line, error.field, error.error.reason()))
        .collect();
    assert_eq!(report.rows, 11);
    assert_eq!(
        found,
        [
            (4, Some("as_of"), Reason::ParameterMalformed),
            (6, None, Reason::UnknownNumber),
            (7, Some("msisdn"), Reason::ParameterMalformed),
            (8, Some("msisdn"), Reason::MsisdnMalformed),
            (9, Some("msisdn"), Reason::ParameterMissing),
            (10, Some("total_mb"), Reason::ParameterMalformed),
            (11, Some("total_mb"), Reason::ParameterMissing),
            (12, Some("total_mb"), Reason::ParameterMalformed),
        ]
    );
    assert_eq!(counts(&report), (1, 2, 0, 8));
    let view = run(number_view(&world.cx(), &caller, &card(1))).unwrap();
    let usage = view.usage.unwrap();
    assert_eq!((usage.total.mb(), usage.used.mb()), ("100".into(), "12.5".into()));
}

#[test]
fn of_many_bad_lines_all_are_counted_and_the_first_thousand_named() {
    let world = World::new();
    let lines = vec!["not json".to_owned(); 1_001];
    let report = ingest_lines(&world, Topic::Usage, &lines);
    assert_eq!(counts(&report), (0, 0, 0, 1_001));
    assert_eq!(report.errors.len(), 1_000);
    assert_eq!(report.errors.last().map(|error| error.line), Some(1_000));
}

#[test]
fn many_records_in_one_call_and_not_one_more() {
    let world = World::new();
    world.stocked(0, 3);
    let lines: Vec<_> = (0..2_500)
        .map(|n| usage(n % 3, "1", &format!("06:{:02}:{:02}", n / 60, n % 60)))
        .collect();
    assert_eq!(
        counts(&ingest_lines(&world, Topic::Usage, &lines)),
        (2_500, 0, 0, 0)
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM number_usage"), 3);
    let too_many = "{}\n".repeat(100_001);
    let refused = run(ingest(&world.cx(), Topic::Usage, too_many.as_bytes())).map(drop);
    assert_eq!(reason(refused), Reason::BodyTooLarge);
}

#[test]
fn an_operators_state_suspends_resumes_and_retires_a_number() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    world.numbers(&[NumberCsv::allotted(5, &caller.id)]);
    world.write_chip(&caller, 0);
    world.apply_auto(&caller, 1).unwrap();
    let reported = |number, state: &str, minute| {
        let at = format!(r#""status":"{state}","as_of":"2026-07-01T07:{minute:02}:00+08:00""#);
        ingest_lines(&world, Topic::Status, &[line(number, &at)])
    };
    for (number, home) in [(0, "written"), (1, "reserved"), (5, "allotted")] {
        assert_eq!(status(&world, number), home);
        reported(number, "suspended", 1);
        assert_eq!(status(&world, number), "suspended");
        reported(number, "active", 2);
        assert_eq!(status(&world, number), home);
    }
    reported(5, "retired", 3);
    assert_eq!(status(&world, 5), "retired");
    let report = reported(5, "active", 4);
    assert_eq!(report.errors[0].error.reason(), Reason::NumberInUse);
    assert_eq!(status(&world, 5), "retired");
}

// §5.4.1
#[test]
fn numbers_are_allotted_and_released_all_or_none() {
    let world = World::new();
    let caller = world.stocked(1, 4);
    let allot = |client: &ClientId, numbers: &[u32]| {
        let iccids: Vec<_> = numbers.iter().map(|number| iccid(*number)).collect();
        run(allot_numbers(&world.cx(), client, &iccids))
    };
    assert_eq!(allot(&caller.id, &[1, 2, 1]).unwrap(), 2);
    assert_eq!(allot(&caller.id, &[1, 3]).unwrap(), 1);
    let other = world.client().client_id;
    let before = world.dump();
    assert_eq!(reason(allot(&other, &[0, 1])), Reason::NumberInUse);
    assert_eq!(reason(allot(&other, &[0, 9])), Reason::UnknownNumber);
    let nobody = ClientId::new([9; 10]);
    assert_eq!(reason(allot(&nobody, &[0])), Reason::UnknownClient);
    assert_eq!(world.dump(), before);

    let number = NumberCsv::new(1);
    let eid_0 = eid_text(0);
    world
        .apply(&caller, &designated(&eid_0, &number.iccid, &number.msisdn))
        .unwrap();
    assert_eq!(
        reason(run(release_numbers(&world.cx(), &[iccid(2), iccid(1)]))),
        Reason::NumberInUse
    );
    assert_eq!(status(&world, 2), "allotted");
    assert_eq!(
        run(release_numbers(&world.cx(), &[iccid(2), iccid(0)])).unwrap(),
        1
    );
    assert_eq!(status(&world, 2), "available");
}

#[test]
fn a_suspended_number_is_not_written_and_goes_on_when_it_is_resumed() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let act = |act| run(act_on_number(&world.cx(), &card(0), act));
    assert_eq!(act(NumberAct::Suspend).unwrap(), NumberStatus::Suspended);
    assert_eq!(act(NumberAct::Suspend).unwrap(), NumberStatus::Suspended);
    let before = world.dump();
    assert_eq!(reason(world.open(0)), Reason::NumberSuspended);
    assert_eq!(world.dump(), before);
    assert_eq!(reason(act(NumberAct::Retire)), Reason::NumberInUse);
    assert_eq!(act(NumberAct::Resume).unwrap(), NumberStatus::Reserved);
    assert!(world.open(0).is_ok());
    assert_eq!(reason(act(NumberAct::Retire)), Reason::NumberInUse);
}

#[test]
fn a_retired_number_never_comes_back() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let msisdn = Msisdn::parse(&NumberCsv::new(0).msisdn).unwrap();
    let act = |act| {
        run(act_on_number(
            &world.cx(),
            &NumberRef::Msisdn(msisdn.clone()),
            act,
        ))
    };
    assert_eq!(act(NumberAct::Retire).unwrap(), NumberStatus::Retired);
    assert_eq!(act(NumberAct::Retire).unwrap(), NumberStatus::Retired);
    assert_eq!(reason(act(NumberAct::Resume)), Reason::NumberInUse);
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::ProvinceWithoutNumber
    );
    let crossed = NumberRef::Both(msisdn, Iccid::parse(&NumberCsv::new(7).iccid).unwrap());
    assert_eq!(
        reason(run(act_on_number(&world.cx(), &crossed, NumberAct::Suspend))),
        Reason::UnknownNumber
    );
}

// §8.2.2
#[test]
fn a_chip_in_the_register_of_faults_is_left_alone_until_it_is_taken_out() {
    let world = World::new();
    let caller: Caller = world.stocked(1, 1);
    let register = |chip: &Eid, faulty| run(register_fault(&world.cx(), chip, faulty));
    register(&eid(0), true).unwrap();
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipFaulty);
    register(&eid(0), false).unwrap();
    let applied: TaskId = world.apply_auto(&caller, 0).unwrap().task_id;
    assert!(!applied.text().is_empty());
    assert_eq!(reason(register(&eid(9), true)), Reason::UnknownChip);
}
