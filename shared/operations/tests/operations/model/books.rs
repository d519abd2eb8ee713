//! What must hold between the rows of a platform, whatever has happened, without regard to what was expected of it.

use domain::CardStatus;
use test_support::operations::World;

use super::expected::is_step;

/// Each line: what must hold, and how many rows it does not hold for.
const RULES: [(&str, &str); 13] = [
    (
        "a free number belongs to no chip and no task, and no gateway has sent it",
        "SELECT COUNT(*) FROM number WHERE status IN ('available', 'allotted') \
         AND (eid_index IS NOT NULL OR task_id IS NOT NULL OR exposed = 1 OR written_at IS NOT NULL)",
    ),
    (
        "a number that is allotted to a client is never in the pool, and one of the pool is nobody's",
        "SELECT COUNT(*) FROM number WHERE (status = 'available' AND client_id IS NOT NULL) \
         OR (status = 'allotted' AND client_id IS NULL)",
    ),
    (
        "a reserved number belongs to a chip, and without a task only when it may be on it",
        "SELECT COUNT(*) FROM number WHERE status = 'reserved' \
         AND (eid_index IS NULL OR (task_id IS NULL AND exposed = 0))",
    ),
    (
        "a number that was allotted is reserved for and written to chips of that client alone",
        "SELECT COUNT(*) FROM number n JOIN chip c ON c.eid_index = n.eid_index \
         WHERE n.client_id IS NOT NULL AND n.client_id <> c.client_id",
    ),
    (
        "a chip holds at most one written number",
        "SELECT COUNT(*) FROM (SELECT eid_index FROM number WHERE written_at IS NOT NULL GROUP BY eid_index \
         HAVING COUNT(*) > 1)",
    ),
    (
        "an open task has exactly its number, and that is reserved for its chip or out of use",
        "SELECT COUNT(*) FROM task t WHERE state IN ('waiting', 'writing') AND (SELECT COUNT(*) FROM number n \
         WHERE n.task_id = t.id AND n.status IN ('reserved', 'suspended', 'retired') AND n.written_at IS NULL \
         AND n.eid_index = t.eid_index AND n.iccid_index = t.iccid_index) <> 1",
    ),
    (
        "no number is bound to a finished task, unless that wrote it",
        "SELECT COUNT(*) FROM number n JOIN task t ON t.id = n.task_id WHERE t.state NOT IN ('waiting', 'writing') \
         AND (t.state <> 'succeeded' OR n.written_at IS NULL)",
    ),
    (
        "a number without a chip was sent to none",
        "SELECT COUNT(*) FROM number WHERE eid_index IS NULL \
         AND (exposed = 1 OR task_id IS NOT NULL OR written_at IS NOT NULL)",
    ),
    (
        "a card waits or is written exactly while a task is open",
        "SELECT COUNT(*) FROM chip c WHERE (status IN (2, 3)) <> (SELECT COUNT(*) FROM task t \
         WHERE t.eid_index = c.eid_index AND t.state IN ('waiting', 'writing') \
         AND (t.state = 'waiting') = (c.status = 2))",
    ),
    (
        "the history has no gap and ends in the card's state",
        "SELECT COUNT(*) FROM card_history h LEFT JOIN card_history p ON p.eid_index = h.eid_index \
         AND p.seq = h.seq - 1 WHERE h.from_status IS NOT p.to_status",
    ),
    (
        "the last step leads to the card's state",
        "SELECT COUNT(*) FROM chip c WHERE status <> (SELECT to_status FROM card_history h \
         WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)",
    ),
    (
        "each ended task has one message, unless its client withdrew it",
        "SELECT COUNT(*) FROM task t WHERE (state = 'succeeded' OR failure IS NOT NULL) <> \
         (SELECT COUNT(*) FROM message o WHERE o.task_id = t.id)",
    ),
    (
        "the allowance used is what the charged sessions cost",
        "SELECT COUNT(*) FROM chip c WHERE used_bytes <> (SELECT COALESCE(SUM(bytes_up + bytes_down), 0) \
         FROM device_session s WHERE s.eid_index = c.eid_index AND s.charged = 1)",
    ),
];

/// Holds the rows to [`RULES`], and the steps of all cards to those that there are.
pub(super) fn check(world: &World) {
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
