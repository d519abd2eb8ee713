//! A clock that jumps destroys nothing, and one that comes back stalls nothing.

use domain::error::Reason;
use domain::{DAY_MS, FailureKind, HOUR_MS, MINUTE_MS};
use operations::{
    Caller, Job, MaintenanceSettings, clock_watch, confirm_clock, issue_token, revoke_tokens, rotate_secret,
    run_job, verify_token, watch_clock,
};
use test_support::operations::{MAINTENANCE, World, ip, reason, run};

use super::faults::leaves_nothing_behind;
use super::receiver_queues::due;

/// A run of the periodic work: what `maintenance` does at a tick, without looking at intervals.
fn tick(world: &World) -> bool {
    tick_of(world, false)
}

fn tick_of(world: &World, is_trusted: bool) -> bool {
    let clock_held = run(watch_clock(&world.cx(), is_trusted)).unwrap();
    let maintenance = MaintenanceSettings {
        clock_held,
        ..MAINTENANCE
    };
    for job in Job::ALL {
        run(run_job(&world.cx(), job, &maintenance)).unwrap();
    }
    clock_held
}

/// What a wrong clock could destroy for good: rows, open tasks, and notices that are given once.
fn what_time_destroys(world: &World) -> Vec<i64> {
    [
        "SELECT COUNT(*) FROM call_log",
        "SELECT COUNT(*) FROM message WHERE state = 'delivered'",
        "SELECT COUNT(*) FROM device_session WHERE closed_at IS NOT NULL",
        "SELECT COUNT(*) FROM task WHERE state IN ('waiting', 'writing')",
        "SELECT COUNT(*) FROM chip WHERE temp_stage > 0",
        "SELECT COUNT(*) FROM monthly_review",
        "SELECT COUNT(*) FROM receiver WHERE stopped_at IS NOT NULL",
    ]
    .map(|sql| world.count(sql))
    .into()
}

/// A platform with something of everything, which was ticked.
fn busy() -> (World, Caller) {
    let world = World::new();
    let caller = world.stocked(3, 3);
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    world.apply_auto(&caller, 2).unwrap();
    world.execute("UPDATE message SET state = 'delivered', finished_at = created_at, lease_until = 0");
    assert!(!tick(&world));
    (world, caller)
}

#[test]
fn after_a_gap_of_more_than_a_day_nothing_is_destroyed_until_a_person_confirms_the_time() {
    let (world, _) = busy();
    let before = what_time_destroys(&world);
    world.pass(400 * DAY_MS);
    assert!(tick(&world));
    world.pass(MINUTE_MS);
    assert!(tick(&world));
    assert_eq!(what_time_destroys(&world), before);
    assert_eq!(
        world.column("SELECT kind FROM alert WHERE kind = 'clock_held'"),
        ["clock_held"],
        "once"
    );
    let wrong = world.time().plus(11 * MINUTE_MS);
    assert_eq!(
        reason(run(confirm_clock(&world.cx(), wrong, "王芳", "停运"))),
        Reason::ClockDiffers
    );
    assert!(tick(&world));

    let read = world.time().plus(-9 * MINUTE_MS);
    assert!(run(confirm_clock(&world.cx(), read, "王芳", "停运")).unwrap());
    assert_eq!(run(clock_watch(&world.cx())).unwrap().held_at, None);
    assert!(!tick(&world));
    let after = what_time_destroys(&world);
    assert_eq!(after[..4], [0, 0, 0, 0], "what was due is done");
    assert!(after[4] > 0 && after[5] > 0);
    assert_eq!(world.count("SELECT COUNT(*) FROM clock_confirmation"), 1);
    assert!(!world.dump().join("\n").contains("王芳"), "sealed");
    // Confirming again releases nothing, and keeps the record.
    assert!(!run(confirm_clock(&world.cx(), world.time(), "王芳", "停运")).unwrap());
    assert_eq!(world.count("SELECT COUNT(*) FROM clock_confirmation"), 1);
}

#[test]
fn a_gap_of_a_day_waits_for_nobody_and_neither_does_a_clock_that_is_watched_by_other_means() {
    let (world, _) = busy();
    world.pass(DAY_MS);
    assert!(!tick(&world));
    world.pass(400 * DAY_MS);
    assert!(!tick_of(&world, true));
    assert_eq!(what_time_destroys(&world)[..4], [0, 0, 0, 0]);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM alert WHERE kind = 'clock_held'"),
        0
    );
}

#[test]
fn a_task_whose_number_is_retired_ends_even_while_the_clock_is_held() {
    let (world, _) = busy();
    world.execute("UPDATE number SET status = 'retired' WHERE task_id IS NOT NULL AND status = 'reserved'");
    world.pass(400 * DAY_MS);
    let open = "SELECT COUNT(*) FROM task WHERE state IN ('waiting', 'writing')";
    assert_eq!(world.count(open), 1);
    assert!(tick(&world));
    assert_eq!(world.count(open), 0);
}

#[test]
fn a_clock_that_comes_back_releases_what_was_held() {
    let (world, _) = busy();
    world.pass(30 * DAY_MS);
    assert!(tick(&world));
    world.pass(-30 * DAY_MS + HOUR_MS);
    assert!(!tick(&world));
    world.pass(-30 * DAY_MS);
    assert!(!tick(&world), "set back: nothing is destroyed");
    world.pass(30 * DAY_MS);
    assert!(!tick(&world), "and returned");
}

#[test]
fn messages_claimed_in_a_wrong_future_are_sent_again_at_the_right_time() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.write_chip(&caller, 0);
    world.pass(30 * DAY_MS);
    assert_eq!(due(&world).len(), 1);
    world.pass(-30 * DAY_MS);
    assert!(due(&world).is_empty());
    assert!(!tick(&world));
    assert_eq!(due(&world).len(), 1);
}

#[test]
fn tokens_that_were_revoked_in_a_wrong_future_can_be_taken_anew_and_those_issued_there_end() {
    let world = World::new();
    let client = world.client();
    let address = ip("198.51.100.1");
    let token = || {
        run(issue_token(
            &world.cx(),
            client.client_id.as_str(),
            &client.client_secret,
            address,
        ))
        .unwrap()
        .token
    };
    let verify = |token: &str| run(verify_token(&world.cx(), token, address)).map(drop);
    let before = token();
    world.pass(30 * DAY_MS);
    let of_the_future = token();
    run(revoke_tokens(&world.cx(), &client.client_id)).unwrap();
    run(rotate_secret(&world.cx(), &client.client_id, 30 * 86_400)).unwrap();
    world.pass(-30 * DAY_MS);
    assert_eq!(reason(verify(&token())), Reason::TokenInvalid);
    tick(&world);
    world.pass(1);
    verify(&token()).unwrap();
    assert_eq!(reason(verify(&before)), Reason::TokenInvalid);
    assert_eq!(reason(verify(&of_the_future)), Reason::TokenExpired);
    // The overlap is what it would have been.
    let ends = world.count("SELECT expires_at FROM client_secret WHERE expires_at IS NOT NULL");
    assert!(ends <= world.now.get() + 30 * DAY_MS + HOUR_MS);
}

#[test]
fn incidents_and_cards_of_a_wrong_future_run_on_at_the_right_time() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    world.pass(30 * DAY_MS);
    world.open(0).unwrap();
    super::incidents::enter(&world, domain::IncidentKind::CallTimeout, None);
    world.pass(-30 * DAY_MS);
    assert!(!tick(&world));
    let future = world.now.get();
    for sql in [
        "SELECT MAX(since) FROM incident",
        "SELECT MAX(opened_at) FROM incident",
        "SELECT MAX(started_at) FROM task",
    ] {
        assert_eq!(world.count(sql), future, "{sql}");
    }
    world.pass(2 * HOUR_MS);
    assert!(!tick(&world));
    let kinds = super::incidents::open_kinds(&world);
    assert!(kinds.contains(&"stuck_writing".to_owned()), "{kinds:?}");
}

#[test]
fn whatever_fails_the_time_is_confirmed_or_not() {
    let held = || {
        let (world, _) = busy();
        world.pass(30 * DAY_MS);
        tick(&world);
        (world, ())
    };
    leaves_nothing_behind("confirm_clock", held, |world, ()| {
        run(confirm_clock(&world.cx(), world.time(), "王芳", "停运")).map(drop)
    });
    let jumped = || {
        let (world, _) = busy();
        world.pass(30 * DAY_MS);
        (world, ())
    };
    leaves_nothing_behind("watch_clock", jumped, |world, ()| {
        run(watch_clock(&world.cx(), false)).map(drop)
    });
    let ahead = || {
        let (world, caller) = busy();
        world.pass(30 * DAY_MS);
        run(revoke_tokens(&world.cx(), &caller.id)).unwrap();
        world.pass(-30 * DAY_MS);
        (world, ())
    };
    leaves_nothing_behind("times_ahead", ahead, |world, ()| {
        run(run_job(&world.cx(), Job::TimesAhead, &MAINTENANCE)).map(drop)
    });
}
