//! What has reached its end is found by an index, and the pages have every retention.

use std::fs;
use std::path::Path;

use operations::RETENTION;
use test_support::operations::World;

#[test]
fn what_is_due_is_found_by_an_index() {
    test_support::of_sqlite!();
    let world = World::new();
    for (sql, index) in [
        (
            "SELECT id FROM task WHERE state IN ('failed', 'cancelled') AND finished_at < $1",
            "task_ended",
        ),
        (
            "SELECT seq FROM card_history WHERE at < $1 ORDER BY at",
            "card_history_at",
        ),
        (
            "SELECT id FROM incident WHERE closed_at IS NOT NULL AND closed_at < $1",
            "incident_closed",
        ),
        (
            "SELECT iccid_index FROM number WHERE written_at IS NOT NULL AND keys_destroyed_at IS NULL \
             AND written_at < $1",
            "number_keys",
        ),
        (
            "SELECT iccid_index FROM number WHERE status = 'retired' AND eid_index IS NULL AND changed_at < $1",
            "number_retired",
        ),
        (
            "SELECT eid_index FROM chip WHERE replaced = 1 AND changed_at < $1",
            "chip_replaced",
        ),
        // What a deleted row is looked for in.
        (
            "SELECT 1 FROM device_session WHERE task_id = $1",
            "device_session_task",
        ),
        ("SELECT 1 FROM message WHERE task_id = $1", "message_task"),
        ("SELECT 1 FROM task WHERE client_id = $1", "task_client"),
        ("SELECT 1 FROM number WHERE client_id = $1", "number_client"),
    ] {
        let plan = world.plan(sql);
        assert!(plan.contains(index), "{sql}: {plan}");
    }
}

/// The rows of the table of retentions in a page: setting, default, minimum.
fn documented(page: &str) -> Vec<[String; 3]> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(page);
    let text = fs::read_to_string(path).unwrap();
    let cells = |line: &str| {
        line.split('|')
            .map(|cell| cell.trim().replace(['`', ','], ""))
            .collect::<Vec<_>>()
    };
    let rows = text
        .lines()
        .map(cells)
        .filter(|cells| cells.len() > 5 && cells[2].ends_with("_days"));
    rows.map(|cells| [cells[2].clone(), cells[3].clone(), cells[4].clone()])
        .collect()
}

#[test]
fn the_pages_have_every_retention_with_its_default_and_its_minimum() {
    for page in ["retention.md", "retention.zh-CN.md"] {
        let documented = documented(page);
        for setting in RETENTION {
            let row = [
                setting.name.to_owned(),
                setting.default.to_string(),
                setting.least.to_string(),
            ];
            assert!(documented.contains(&row), "{page} lacks {row:?}");
        }
        let known = |row: &[String; 3]| RETENTION.iter().any(|setting| setting.name == row[0]);
        assert!(documented.iter().all(known), "{page}: {documented:?}");
    }
}
