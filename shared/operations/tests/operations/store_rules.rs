//! Rules every statement keeps.

use domain::error::Reason;
use test_support::fault_injecting_db::parameters;
use test_support::operations::{World, run};

#[test]
fn a_transaction_that_fails_leaves_none_open() {
    let world = World::new();
    let result = run(store::transaction(&world.db, async |_| {
        Err::<(), domain::error::Error>(Reason::Conflict.into())
    }));
    assert_eq!(result.unwrap_err().reason(), Reason::Conflict);
    assert!(!world.db.inner.is_in_transaction());
}

#[test]
#[should_panic(expected = "appears too early")]
fn parameters_out_of_order_are_noticed() {
    parameters("SELECT $2, $1");
}
