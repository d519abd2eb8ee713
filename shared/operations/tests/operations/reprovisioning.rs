//! §5.3.1.3, §5.2.1.2: chips that are given other temporary numbers and more test allowance.

use domain::error::Reason;
use domain::{Iccid, Imsi, Msisdn, Network, Volume, parse_date};
use operations::{
    ActNote, Job, OpenTimeRef, Report, ReportEvent, Reprovision, Reprovisioned, open_time, reprovision,
};
use store::temporary_number::{PAST_ICCID, PAST_MSISDN, PastRow};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, eid};
use test_support::operations::{ALLOWANCE, World, days, failed, reason, run};
use vault::{BlindIndex, IndexKind};

use super::faults::leaves_nothing_behind;
use super::secrecy::{forms, found};
use super::temporary_numbers::{at, kinds};

/// Who acts, and why.
const NOTE: ActNote<'static> = ActNote {
    person: "王芳",
    text: "临时号码到期",
};

/// The temporary number that chip `n` would be delivered with.
pub(super) fn number(n: u32) -> Reprovision {
    let csv = ChipCsv::new(n);
    Reprovision {
        msisdn: Msisdn::parse(&csv.temp_msisdn).unwrap(),
        iccid: Iccid::parse(&csv.temp_iccid).unwrap(),
        imsi: Imsi::parse(&csv.temp_imsi).unwrap(),
        opened_on: None,
        network: None,
        allowance: None,
    }
}

fn mb(text: &str) -> Option<Volume> {
    Some(Volume::parse_test_allowance(text).unwrap())
}

fn give(world: &World, chip: u32, new: &Reprovision) -> Reprovisioned {
    run(reprovision(&world.cx(), &eid(chip), new, &NOTE)).unwrap()
}

fn refused(world: &World, chip: u32, new: &Reprovision) -> Reason {
    let before = world.dump();
    let reason = reason(run(reprovision(&world.cx(), &eid(chip), new, &NOTE)));
    assert_eq!(world.dump(), before);
    reason
}

fn open_incidents(world: &World) -> Vec<String> {
    world.column("SELECT kind FROM incident WHERE closed_at IS NULL ORDER BY kind")
}

// §5.3.1.3
#[test]
fn an_expired_chip_with_another_number_is_accepted_again_and_warned_of_in_its_new_period() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.now.set(at("2027-03-01T15:00:00+08:00"));
    world.job(Job::TemporaryNumbers);
    assert_eq!(
        reason(world.apply_auto(&caller, 0)),
        Reason::TemporaryNumberExpired
    );
    assert_eq!(open_incidents(&world), ["temporary_number_expired"]);

    let given = give(&world, 0, &number(7));
    assert!(given.changed);
    assert_eq!(given.expires_at.millis(), at("2027-11-27T00:00:00+08:00"));
    assert!(open_incidents(&world).is_empty());
    let view = run(open_time(&world.cx(), &caller, &OpenTimeRef::Eid(eid(0)))).unwrap();
    assert_eq!(view.msisdn, ChipCsv::new(7).temp_msisdn);
    assert_eq!(view.status.zh(), "测试期");
    world.now.set(at("2027-10-28T00:00:00+08:00") - 1);
    world.job(Job::TemporaryNumbers);
    assert_eq!(kinds(&world), ["temporary_numbers_expired"]);
    world.pass(1);
    world.job(Job::TemporaryNumbers);
    world.pass(days(30));
    world.job(Job::TemporaryNumbers);
    assert_eq!(
        kinds(&world)[1..],
        ["temporary_numbers_expiring", "temporary_numbers_expired"]
    );
    give(&world, 0, &number(8));
    world.apply_auto(&caller, 0).unwrap();
}

#[test]
fn the_day_of_opening_and_the_network_decide_the_new_period() {
    let world = World::new();
    world.stocked(1, 0);
    let new = Reprovision {
        opened_on: Some(parse_date("2026-06-20").unwrap()),
        network: Some(Network::NbIot),
        ..number(7)
    };
    let end = at("2026-12-18T00:00:00+08:00");
    assert_eq!(give(&world, 0, &new).expires_at.millis(), end);
    assert_eq!(
        world.count("SELECT temp_next_at FROM chip"),
        at("2026-11-18T00:00:00+08:00")
    );
    let beyond = Reprovision {
        opened_on: Some(parse_date("9999-12-31").unwrap()),
        ..number(7)
    };
    assert_eq!(refused(&world, 0, &beyond), Reason::ParameterMalformed);
}

#[test]
fn a_number_whose_period_ends_within_30_days_is_warned_of_at_once() {
    let world = World::new();
    world.stocked(1, 0);
    let new = Reprovision {
        opened_on: Some(parse_date("2025-10-15").unwrap()),
        ..number(7)
    };
    give(&world, 0, &new);
    world.job(Job::TemporaryNumbers);
    assert_eq!(kinds(&world), ["temporary_numbers_expiring"]);
}

#[test]
fn the_same_again_changes_nothing_and_makes_no_period_longer() {
    let world = World::new();
    world.stocked(1, 0);
    let new = Reprovision {
        allowance: mb("7.5"),
        ..number(7)
    };
    let first = give(&world, 0, &new);
    let before = world.dump();
    world.pass(days(3));
    let second = give(&world, 0, &new);
    assert_eq!(world.dump(), before);
    assert_eq!(
        second,
        Reprovisioned {
            changed: false,
            ..first
        }
    );
}

#[test]
fn a_number_that_comes_back_keeps_the_day_on_which_it_was_opened() {
    let world = World::new();
    world.stocked(1, 0);
    let opened_on = || world.column("SELECT temp_opened_on FROM chip").remove(0);
    let delivered = opened_on();
    let first = give(&world, 0, &number(7)).expires_at;
    let day = opened_on();
    world.pass(days(20));
    give(&world, 0, &number(8));
    world.pass(days(20));
    assert_eq!(give(&world, 0, &number(7)).expires_at, first);
    assert_eq!(opened_on(), day);
    give(&world, 0, &number(0));
    assert_eq!(opened_on(), delivered);
    let raised = Reprovision {
        opened_on: Some(parse_date("2026-08-05").unwrap()),
        ..number(7)
    };
    give(&world, 0, &raised);
    assert_eq!(opened_on(), "2026-08-05");
    // Half of a number is another number.
    let mixed = Reprovision {
        iccid: number(9).iccid,
        ..number(8)
    };
    give(&world, 0, &mixed);
    assert_eq!(opened_on(), "2026-08-10");
}

#[test]
fn a_value_of_another_chip_is_refused_by_name() {
    let world = World::new();
    world.stocked(2, 0);
    for (name, new) in [
        (
            "temp_msisdn",
            Reprovision {
                msisdn: number(1).msisdn,
                ..number(7)
            },
        ),
        (
            "temp_iccid",
            Reprovision {
                iccid: number(1).iccid,
                ..number(7)
            },
        ),
        (
            "temp_imsi",
            Reprovision {
                imsi: number(1).imsi,
                ..number(7)
            },
        ),
    ] {
        assert_eq!(refused(&world, 0, &new), Reason::ImportConflict);
        let error = run(reprovision(&world.cx(), &eid(0), &new, &NOTE)).unwrap_err();
        let both = format!(
            "{name} belongs to {}, not to {}",
            eid(1).masked(),
            eid(0).masked()
        );
        assert_eq!((error.field(), &error.detail().unwrap().en), (Some(name), &both));
    }
    // A number that was given up is free for another chip.
    give(&world, 1, &number(7));
    give(&world, 0, &number(1));
}

#[test]
fn a_card_that_is_being_written_or_is_written_keeps_its_number() {
    let world = World::new();
    let caller = world.stocked(2, 2);
    assert_eq!(refused(&world, 5, &number(7)), Reason::UnknownChip);
    world.apply_auto(&caller, 0).unwrap();
    give(&world, 0, &number(7));
    world.open(0).unwrap();
    assert_eq!(refused(&world, 0, &number(8)), Reason::WrongState);
    world.write_chip(&caller, 1);
    assert_eq!(refused(&world, 1, &number(8)), Reason::WrongState);
}

// §5.2.1.2, §8.2.4 Table 6
#[test]
fn an_exhausted_chip_gets_allowance_again_and_what_it_used_stays_used() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    let (session_id, _) = world.open(0).unwrap();
    let report = |seq, event| Report {
        session_id,
        seq,
        event,
        bytes_up: ALLOWANCE + 1_000,
        bytes_down: 0,
        unopened: None,
    };
    let failed = failed(domain::FailureKind::CardError);
    world.report(&report(1, failed)).unwrap();
    world
        .report(&report(
            2,
            ReportEvent::Closed {
                reason: "allowance_exhausted".to_owned(),
            },
        ))
        .unwrap();
    assert_eq!(open_incidents(&world), ["allowance_exhausted"]);

    let with = |allowance| Reprovision {
        allowance,
        ..number(0)
    };
    assert!(!give(&world, 0, &with(None)).changed);
    let given = give(&world, 0, &with(mb("0.01")));
    assert_eq!((given.changed, given.remaining.bytes()), (true, 10_000));
    assert_eq!(open_incidents(&world), ["allowance_exhausted"]);
    let given = give(&world, 0, &with(mb("1")));
    assert_eq!((given.changed, given.remaining.bytes()), (true, 1_000_000));
    assert!(open_incidents(&world).is_empty());
    assert_eq!(
        world.count("SELECT used_bytes FROM chip"),
        i64::try_from(ALLOWANCE).unwrap() + 1_000
    );
    assert_eq!(
        world.count("SELECT allowance_bytes - used_bytes FROM chip"),
        1_000_000
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM temporary_number_history"), 0);
    world.apply_auto(&caller, 0).unwrap();
}

#[test]
fn the_numbers_before_are_kept_sealed_each_in_its_own_place() {
    test_support::of_sqlite!();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    world.stocked(1, 0);
    give(&world, 0, &number(7));
    world.pass(days(1));
    give(&world, 0, &number(8));
    let index = world.vault.blind_index(IndexKind::Eid, eid_text(0).as_bytes());
    let rows = past(&world);
    assert_eq!(rows.len(), 2);
    for ((seq, msisdn, iccid), of) in rows.iter().zip([0, 7]) {
        let open = |column, sealed| {
            let row = PastRow::row(&index, *seq);
            world.vault.open_identifier(column, &row, sealed).unwrap()
        };
        assert_eq!(open(PAST_MSISDN, msisdn), ChipCsv::new(of).temp_msisdn);
        assert_eq!(open(PAST_ICCID, iccid), ChipCsv::new(of).temp_iccid);
    }
    let other = PastRow::row(&BlindIndex::from_bytes(index.as_bytes()).unwrap(), 2);
    assert!(world.vault.open(PAST_MSISDN, &other, &rows[0].1).is_err());
    for name in ["xieka.db", "xieka.db-wal"] {
        let file = std::fs::read(folder.path().join(name)).unwrap();
        for csv in [0, 7, 8].map(ChipCsv::new) {
            for form in [csv.temp_msisdn, csv.temp_iccid, csv.temp_imsi]
                .iter()
                .flat_map(|text| forms(text))
            {
                assert!(!found(&file, &form), "{name}");
            }
        }
    }
}

/// Number, sealed MSISDN and sealed ICCID of the rows of the history.
fn past(world: &World) -> Vec<(i64, Vec<u8>, Vec<u8>)> {
    let sql = "SELECT seq, msisdn_sealed, iccid_sealed FROM temporary_number_history ORDER BY seq";
    let mut statement = world.db.inner.connection().prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

#[test]
fn every_statement_finds_its_rows_by_an_index() {
    test_support::of_sqlite!();
    let world = World::new();
    world.stocked(1, 0);
    world.db.seen.borrow_mut().clear();
    let new = Reprovision {
        allowance: mb("7"),
        ..number(7)
    };
    give(&world, 0, &new);
    for sql in world.db.seen.borrow().iter().filter(|sql| sql.contains(' ')) {
        let plan = world.plan(sql);
        // A list that was handed in is gone through; a table is not.
        let scans = plan
            .lines()
            .any(|line| line.contains("SCAN") && !line.contains("json_each"));
        assert!(!scans, "{sql}: {plan}");
    }
}

#[test]
fn whatever_fails_a_chip_has_all_of_it_or_nothing() {
    let arrange = || {
        let world = World::new();
        world.stocked(1, 0);
        (world, ())
    };
    leaves_nothing_behind("reprovision", arrange, |world, ()| {
        let new = Reprovision {
            allowance: mb("7"),
            ..number(7)
        };
        run(reprovision(&world.cx(), &eid(0), &new, &NOTE)).map(drop)
    });
}
