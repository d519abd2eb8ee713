//! What must hold between the rows of a platform, whatever has happened, without regard to what was expected of it.

use domain::CardStatus;
use test_support::operations::{World, run};

use super::expected::is_step;

/// What holds here besides: nothing is destroyed, and nobody tops up or gives a chip to another client. Each line: what
/// must hold, and how many rows it does not hold for.
const RULES: [(&str, &str); 3] = [
    (
        "a number that was allotted is reserved for and written to chips of that client alone",
        "SELECT COUNT(*) FROM number n JOIN chip c ON c.eid_index = n.eid_index \
         WHERE n.client_id IS NOT NULL AND n.client_id <> c.client_id",
    ),
    (
        "each ended task has one message, unless its client withdrew it",
        "SELECT COUNT(*) FROM task t WHERE CASE WHEN state = 'succeeded' OR failure IS NOT NULL THEN 1 ELSE 0 END <> \
         (SELECT COUNT(*) FROM message o WHERE o.task_id = t.id)",
    ),
    (
        "the allowance used is what the charged sessions cost",
        "SELECT COUNT(*) FROM chip c WHERE used_bytes <> (SELECT COALESCE(SUM(bytes_up + bytes_down), 0) \
         FROM device_session s WHERE s.eid_index = c.eid_index AND s.charged = 1)",
    ),
];

/// Holds the rows to the invariants and [`RULES`], and the steps of all cards to those that there are.
pub(super) fn check(world: &World) {
    let broken = run(store::invariant::broken(&world.db)).unwrap();
    assert_eq!(broken, [], "{broken:?}");
    for (rule, sql) in RULES {
        assert_eq!(world.count(sql), 0, "{rule}");
    }
    let steps = world.column(
        // What changes no state of the card is a note of an administrator, or one more refusal.
        "SELECT DISTINCT from_status || ' ' || to_status FROM card_history WHERE from_status <> to_status",
    );
    for step in steps {
        let mut names = step.split(' ').map(card_name);
        let (from, to) = (names.next().unwrap(), names.next().unwrap());
        assert!(is_step(from, to), "no such step: {from} to {to}");
    }
}

/// What Table 2 calls the state with this code.
pub(super) fn card_name(code: &str) -> &'static str {
    CardStatus::from_code(code.parse().unwrap()).unwrap().zh()
}
