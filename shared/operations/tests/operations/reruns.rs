//! Every transaction can run twice: an engine may roll one back in favour of another.

use std::process::Command;

use test_support::fault_injecting_db::RERUN_AT;
use test_support::operations::World;

/// Runs this whole suite once more, with the first run of every transaction rolled back at `statement`.
fn the_suite_passes_with_reruns_at(statement: &str) {
    if std::env::var_os(RERUN_AT).is_some() {
        return;
    }
    let suite = std::env::current_exe().unwrap();
    let output = Command::new(suite).env(RERUN_AT, statement).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains(" passed"), "{printed}");
}

#[test]
fn every_operation_gives_the_same_result_when_its_first_commit_fails() {
    the_suite_passes_with_reruns_at("commit");
}

// A read that does not go through the transaction would fail the call instead.
#[test]
fn every_operation_gives_the_same_result_when_a_read_of_its_transaction_fails() {
    the_suite_passes_with_reruns_at("read");
}

#[test]
fn the_first_run_is_given_up_where_the_variable_says() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.db.seen.borrow_mut().clear();
    world.apply_auto(&caller, 0).unwrap();
    let seen = world.db.seen.borrow();
    let count = |word: &str| seen.iter().filter(|seen| seen.starts_with(word)).count();
    let expected = match std::env::var(RERUN_AT).as_deref() {
        Ok("commit") => (2, 2),
        Ok("read") => (2, 1),
        _ => (1, 1),
    };
    assert_eq!((count("BEGIN"), count("COMMIT")), expected);
}
