//! How often a client may call an interface, counted in windows of a minute.

use domain::error::Reason;
use domain::{DAY_MS, SECOND_MS};
use operations::{Context, spend_calls};
use test_support::operations::{World, reason};

// §7.1.2
#[test]
fn a_minute_has_so_many_calls_and_they_come_back_with_the_next() {
    let world = World::new();
    let client = world.client().client_id;
    let other = world.client().client_id;
    let spend = |who, interface: &str, permits| spend_calls(&world.cx(), who, interface, 30, permits);
    let mut granted = 0;
    while let Ok((permits, _)) = spend(&client, "chip.read", 4) {
        granted += permits;
    }
    assert_eq!(granted, 30);
    let wait = spend(&client, "chip.read", 1).unwrap_err().wait().unwrap();
    assert_eq!((wait.secs, wait.budget.map(|budget| budget.left)), (60, Some(0)));
    assert!(spend(&client, "number.read", 1).is_ok());
    assert!(spend(&other, "chip.read", 1).is_ok());
    world.pass(i64::from(wait.secs) * SECOND_MS - 1);
    assert_eq!(reason(spend(&client, "chip.read", 1)), Reason::RateLimited);
    world.pass(1);
    let (taken, budget) = spend(&client, "chip.read", 16).unwrap();
    assert_eq!(
        (taken, budget.limit, budget.left, budget.full_in_secs),
        (16, 30, 14, 60)
    );
    // Of the last calls a lease gets what is left.
    assert_eq!(spend(&client, "chip.read", 16).unwrap().0, 14);
    assert_eq!(reason(spend(&client, "chip.read", 1)), Reason::RateLimited);
    assert!(!world.has_table("call_rate"));
}

#[test]
fn a_clock_that_is_set_back_blocks_nobody() {
    let world = World::new();
    let client = world.client().client_id;
    let spend = || spend_calls(&world.cx(), &client, "chip.read", 2, 1);
    world.pass(365 * DAY_MS + 30 * SECOND_MS);
    assert!(spend().is_ok() && spend().is_ok() && spend().is_err());
    // Nodes whose clocks differ a little still share the window.
    world.pass(-20 * SECOND_MS);
    assert!(spend().is_err());
    world.pass(-364 * DAY_MS);
    assert!(spend().is_ok() && spend().is_ok() && spend().is_err());
}

#[test]
fn where_calls_cannot_be_counted_nobody_is_held_back() {
    let world = World::new();
    let client = world.client().client_id;
    let cx = Context::new(
        (&world.db, &world.db),
        &world.vault,
        world.time(),
        &world.random,
        &world.zone,
    );
    for _ in 0..3 {
        let (taken, budget) = spend_calls(&cx, &client, "chip.read", 2, 1).unwrap();
        assert_eq!((taken, budget.left), (1, 1));
    }
}
