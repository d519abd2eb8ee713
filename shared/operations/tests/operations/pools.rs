//! §5.3.1.1, §8.2.1: the alerts about the pools of numbers.

use domain::error::Reason;
use domain::{HOUR_MS, PoolState, Province};
use operations::{
    Caller, Done, Job, MAX_COUNTED, MaintenanceSettings, PoolView, allot_numbers, pool_views,
    release_numbers, run_job, set_pool_low_water,
};
use test_support::eid::eid_text;
use test_support::inventory::NumberCsv;
use test_support::operations::{MAINTENANCE, World, automatic, reason, run};

use super::faults::leaves_nothing_behind;
use super::operator_reports::iccid;
use super::races::race;
use super::temporary_numbers::{AlertBody, kinds, raised, with_operator, writes};

/// A mark of 10: low at 10, no longer at 11.
const AT_TEN: MaintenanceSettings = MaintenanceSettings {
    pool_low_water: 10,
    ..MAINTENANCE
};

fn watch(world: &World) -> Done {
    run(run_job(&world.cx(), Job::Pools, &AT_TEN)).unwrap()
}

/// A platform whose province 37 has `count` numbers, 11 as many, and so on.
fn with_pools(provinces: &[&str], count: u32) -> World {
    let world = World::new();
    let numbers: Vec<NumberCsv> = (0..)
        .zip(provinces)
        .flat_map(|(place, province)| {
            (0..count).map(move |n| NumberCsv::of_province(place * 1_000 + n, province))
        })
        .collect();
    world.numbers(&numbers);
    world
}

/// Leaves `count` numbers in a pool and puts the rest out of use.
fn leave(world: &World, province: &str, count: u32) {
    world.execute(&format!(
        "UPDATE number SET status = CASE WHEN iccid_index IN (SELECT iccid_index FROM number \
         WHERE province = '{province}' ORDER BY iccid_index LIMIT {count}) THEN 'available' ELSE 'retired' END \
         WHERE province = '{province}'"
    ));
}

fn open_incidents(world: &World) -> Vec<String> {
    world.column("SELECT kind || ' ' || subject FROM incident WHERE closed_at IS NULL ORDER BY subject")
}

fn view(world: &World, province: &str) -> PoolView {
    let views = run(pool_views(&world.cx(), &AT_TEN)).unwrap();
    let found = views.into_iter().find(|view| view.province.code() == province);
    found.unwrap()
}

#[test]
fn a_pool_that_runs_low_is_told_once_until_it_is_well_above_its_mark_again() {
    let world = with_pools(&["37"], 20);
    assert_eq!(
        watch(&world),
        Done {
            count: 0,
            more: false
        }
    );
    for (level, state, alerts) in [
        (11, PoolState::Ok, 0),
        (10, PoolState::Low, 1),
        (4, PoolState::Low, 1),
        (10, PoolState::Low, 1),
        (11, PoolState::Ok, 1),
        (10, PoolState::Low, 2),
    ] {
        leave(&world, "37", level);
        watch(&world);
        assert_eq!(
            (view(&world, "37").state, kinds(&world).len()),
            (state, alerts),
            "{level}"
        );
    }
    let (kind, body) = raised(&world).remove(0);
    assert_eq!(kind, "pool_low");
    assert_eq!(body["province_code"], "37");
    assert_eq!(body["province"], "山东");
    assert_eq!(body["level"], "10");
    assert_eq!(body["low_water"], "10");
    assert_eq!(body["subject"], "province:37");
    assert!(open_incidents(&world).is_empty());
}

// §8.2.1 Table 3
#[test]
fn an_empty_pool_is_an_incident_until_there_are_numbers_again() {
    let world = with_pools(&["37"], 20);
    leave(&world, "37", 0);
    watch(&world);
    watch(&world);
    assert_eq!(open_incidents(&world), ["province_without_number province:37"]);
    assert_eq!(kinds(&world), ["pool_low"]);
    leave(&world, "37", 1);
    watch(&world);
    assert!(open_incidents(&world).is_empty());
    assert_eq!(view(&world, "37").state, PoolState::Low);
    assert_eq!(kinds(&world), ["pool_low"]);
    assert_eq!(world.count("SELECT COUNT(*) FROM incident"), 1);
}

#[test]
fn an_import_settles_it_and_what_is_used_up_at_once_is_an_incident_again() {
    let world = with_pools(&["37"], 1);
    leave(&world, "37", 0);
    watch(&world);
    world.numbers(&[NumberCsv::new(500)]);
    assert!(open_incidents(&world).is_empty());
    // Before anybody looked.
    leave(&world, "37", 0);
    watch(&world);
    assert_eq!(open_incidents(&world), ["province_without_number province:37"]);
    let more: Vec<NumberCsv> = (600..620).map(NumberCsv::new).collect();
    world.numbers(&more);
    watch(&world);
    assert_eq!(view(&world, "37").state, PoolState::Ok);
}

#[test]
fn several_empty_pools_are_told_once_until_fewer_than_two_are_empty() {
    let world = with_pools(&["11", "37", "44"], 2);
    let quiet = MaintenanceSettings {
        pool_low_water: 0,
        ..MAINTENANCE
    };
    let watch = || {
        run(run_job(&world.cx(), Job::Pools, &quiet)).unwrap();
        world.job(Job::IncidentClocks);
    };
    let alerts_sent = || kinds(&world).iter().filter(|kind| *kind == "pools_empty").count();
    let is_incident_open =
        || open_incidents(&world).contains(&"provinces_without_number platform".to_owned());
    leave(&world, "37", 0);
    watch();
    assert!(!is_incident_open() && kinds(&world).is_empty());
    leave(&world, "11", 0);
    watch();
    watch();
    assert!(is_incident_open());
    leave(&world, "44", 0);
    watch();
    let body = pools_empty(&world);
    assert_eq!(body["province_codes"], "11,37");
    assert_eq!(body["provinces"], "北京,山东");
    assert_eq!(alerts_sent(), 1);
    leave(&world, "11", 1);
    watch();
    assert!(is_incident_open());
    leave(&world, "37", 1);
    watch();
    assert_eq!(open_incidents(&world), ["province_without_number province:44"]);
    leave(&world, "37", 0);
    watch();
    assert_eq!(alerts_sent(), 2);
}

/// The first alert about several empty provinces.
fn pools_empty(world: &World) -> AlertBody {
    let raised = raised(world).into_iter();
    let body = raised
        .filter(|(kind, _)| kind == "pools_empty")
        .map(|(_, body)| body);
    body.min_by_key(|body| body["at"].to_string()).unwrap()
}

/// Applies in a province that has no number.
fn ask(world: &World, caller: &Caller, province: &str) {
    let refused = world.apply(caller, &automatic(&eid_text(0), province));
    assert_eq!(reason(refused), Reason::ProvinceWithoutNumber);
}

#[test]
fn several_empty_provinces_are_told_whoever_noticed_and_stay_told_while_they_are_empty() {
    let world = World::new().serving("37,54,65");
    let caller = world.stocked(1, 20);
    let several = "provinces_without_number platform".to_owned();
    // 65 never had a number, 54 neither; 37 has some.
    ask(&world, &caller, "65");
    ask(&world, &caller, "54");
    for _ in 0..2 {
        watch(&world);
        world.job(Job::IncidentClocks);
        assert!(open_incidents(&world).contains(&several));
    }
    assert_eq!(kinds(&world).len(), 2, "that they are, and that it is severe");
    assert_eq!(pools_empty(&world)["province_codes"], "54,65");
    world.numbers(&[NumberCsv::of_province(900, "54")]);
    assert_eq!(open_incidents(&world), ["province_without_number province:65"]);
    leave(&world, "37", 0);
    watch(&world);
    assert!(
        open_incidents(&world).contains(&several),
        "37, which was watched, and 65"
    );
}

#[test]
fn what_an_administrator_settled_is_opened_again_when_the_pool_was_filled_or_an_application_is_refused() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let settle_all = || {
        for one in super::incidents::all(&world) {
            if one.state.closed_at.is_none() {
                super::incidents::settle(&world, one.id);
            }
        }
    };
    leave(&world, "37", 0);
    watch(&world);
    settle_all();
    for _ in 0..3 {
        world.pass(HOUR_MS);
        watch(&world);
        assert!(open_incidents(&world).is_empty());
    }
    ask(&world, &caller, "37");
    assert_eq!(open_incidents(&world), ["province_without_number province:37"]);
    settle_all();
    watch(&world);
    assert!(open_incidents(&world).is_empty());
    world.numbers(&[NumberCsv::new(500)]);
    leave(&world, "37", 0);
    watch(&world);
    assert_eq!(open_incidents(&world), ["province_without_number province:37"]);
}

// §5.4.1 Table 1
#[test]
fn numbers_set_aside_for_a_client_are_no_pool() {
    let world = World::new();
    let client = world.client().client_id;
    world.numbers(&[NumberCsv::allotted(0, &client)]);
    watch(&world);
    assert!(run(pool_views(&world.cx(), &AT_TEN)).unwrap().is_empty());
    run(release_numbers(&world.cx(), &[iccid(0)])).unwrap();
    watch(&world);
    assert_eq!(
        (view(&world, "37").state, view(&world, "37").level),
        (PoolState::Low, 1)
    );
    run(allot_numbers(&world.cx(), &client, &[iccid(0)])).unwrap();
    watch(&world);
    assert_eq!(
        (view(&world, "37").state, view(&world, "37").level),
        (PoolState::Empty, 0)
    );
    assert_eq!(open_incidents(&world), ["province_without_number province:37"]);
}

#[test]
fn an_administrator_sees_the_pools_and_sets_the_mark_of_one() {
    let world = with_pools(&["11", "37"], 20);
    let shandong = Province::parse("37").unwrap();
    run(set_pool_low_water(&world.cx(), shandong, Some(20))).unwrap();
    watch(&world);
    let seen = view(&world, "37");
    assert_eq!(
        (seen.state, seen.level, seen.is_capped),
        (PoolState::Low, 20, false)
    );
    assert_eq!((seen.low_water, view(&world, "11").low_water), (20, 10));
    assert_eq!(view(&world, "11").state, PoolState::Ok);
    assert_eq!(seen.changed_at, world.time());
    run(set_pool_low_water(&world.cx(), shandong, None)).unwrap();
    watch(&world);
    assert_eq!(
        (view(&world, "37").state, view(&world, "37").low_water),
        (PoolState::Ok, 10)
    );
    let nowhere = Province::parse("65").unwrap();
    assert_eq!(
        reason(run(set_pool_low_water(&world.cx(), nowhere, Some(1)))),
        Reason::ProvinceWithoutNumber
    );
}

#[test]
fn a_large_pool_is_counted_up_to_a_limit() {
    test_support::of_sqlite!();
    let world = with_pools(&["37"], 1);
    let copies = |count: u32| {
        world.execute(&format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) \
             INSERT INTO number (iccid_index, iccid_sealed, msisdn_index, msisdn_sealed, imsi_index, imsi_sealed, \
             province, services, k_sealed, opc_sealed, status, exposed, imported_digest, imported_at, changed_at) \
             SELECT randomblob(16), x'', randomblob(16), x'', randomblob(16), x'', province, services, x'', x'', \
             status, 0, imported_digest, imported_at, changed_at FROM (SELECT * FROM number LIMIT 1), n"
        ));
    };
    copies(MAX_COUNTED - 1);
    let seen = view(&world, "37");
    assert_eq!((seen.level, seen.is_capped), (MAX_COUNTED, false));
    copies(1);
    let seen = view(&world, "37");
    assert_eq!((seen.level, seen.is_capped), (MAX_COUNTED, true));
    watch(&world);
    assert_eq!(world.count("SELECT level FROM pool_level"), 11);
}

#[test]
fn a_look_at_pools_that_are_as_they_were_writes_nothing() {
    let world = with_pools(&["11", "37"], 20);
    leave(&world, "11", 0);
    watch(&world);
    world.db.seen.borrow_mut().clear();
    // Far above its mark a pool may change without anything to note.
    leave(&world, "37", 15);
    assert_eq!(watch(&world), Done::default());
    assert_eq!(writes(&world), [""; 0]);
}

#[test]
fn every_statement_finds_its_numbers_by_an_index() {
    test_support::of_sqlite!();
    let world = with_pools(&["11", "37"], 20);
    world.db.seen.borrow_mut().clear();
    watch(&world);
    leave(&world, "11", 0);
    leave(&world, "37", 0);
    watch(&world);
    run(pool_views(&world.cx(), &AT_TEN)).unwrap();
    let seen: Vec<&str> = world.db.seen.borrow().clone();
    let mut counts = 0;
    for sql in seen.into_iter().filter(|sql| sql.contains(' ')) {
        let plan = world.plan(sql);
        for table in ["number", "incident", "chip"] {
            assert!(!plan.contains(&format!("SCAN {table}")), "{sql}: {plan}");
        }
        if sql.contains("FROM number") && sql.contains("COUNT") {
            let index = match sql.contains("quarantined = 1") {
                true => "number_quarantined",
                false => "number_pool",
            };
            assert!(plan.contains(&format!("COVERING INDEX {index}")), "{plan}");
            counts += 1;
        }
    }
    assert!(counts > 4);
}

#[test]
fn looks_at_the_same_time_tell_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    world.numbers(&[NumberCsv::new(0), NumberCsv::of_province(1, "11")]);
    leave(&world, "37", 0);
    leave(&world, "11", 0);
    let counts = race(&path, |world, _| {
        let count = watch(world).count;
        world.job(Job::IncidentClocks);
        count
    });
    assert_eq!(counts.iter().sum::<usize>(), 2);
    let mut kinds = kinds(&world);
    kinds.sort();
    assert_eq!(kinds, ["incident_severe", "pool_low", "pool_low", "pools_empty"]);
    assert_eq!(world.count("SELECT COUNT(*) FROM incident"), 3);
}

#[test]
fn a_look_that_breaks_off_notes_nothing_and_the_next_notes_all() {
    let arrange = || {
        let world = with_pools(&["11", "37"], 2);
        with_operator(&world);
        leave(&world, "11", 0);
        leave(&world, "37", 0);
        (world, ())
    };
    leaves_nothing_behind("pools", arrange, |world, ()| {
        run(run_job(&world.cx(), Job::Pools, &AT_TEN)).map(drop)
    });
}
