//! Every transaction can run twice: an engine may give one up in favour of another and ask for it again.

use std::process::Command;

use super::harness::{FIRST_COMMITS_FAIL, World};

/// Runs this whole suite once more, with the first commit of every transaction failing: every result is the same.
#[test]
fn every_operation_gives_the_same_result_when_its_first_commit_fails() {
    if std::env::var_os(FIRST_COMMITS_FAIL).is_some() {
        return;
    }
    let suite = std::env::current_exe().unwrap();
    let output = Command::new(suite).env(FIRST_COMMITS_FAIL, "1").output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}");
    assert!(printed.contains(" passed"), "{printed}");
}

#[test]
fn the_first_commit_fails_where_it_is_told_to() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.db.seen.borrow_mut().clear();
    world.apply_auto(&caller, 0).unwrap();
    let commits = world
        .db
        .seen
        .borrow()
        .iter()
        .filter(|sql| **sql == "COMMIT")
        .count();
    let expected = if std::env::var_os(FIRST_COMMITS_FAIL).is_some() {
        2
    } else {
        1
    };
    assert_eq!(commits, expected);
}
