//! The tables of README.md say what the program says.

use ota_gateway::{FAILURES, Settings};
use toml::{Table, Value};

const README: &str = include_str!("../README.md");

fn assert_listed(settings: &Table) {
    for (name, value) in settings {
        let default = match value {
            Value::Table(limits) => {
                assert_listed(limits);
                continue;
            }
            Value::String(text) if text.is_empty() => "none".to_owned(),
            Value::String(text) => format!("`{text}`"),
            other => format!("`{other}`"),
        };
        let row = format!("| `{name}` | {default} |");
        assert!(README.contains(&row), "README.md lacks {row}");
    }
}

#[test]
fn every_setting_is_listed_with_its_default() {
    assert_listed(&Table::try_from(Settings::default()).unwrap());
}

#[test]
fn every_failure_is_listed_with_its_remedies() {
    for row in FAILURES {
        let suspected = if row.chip_fault { "yes" } else { "no" };
        let line = format!(
            "| `{}` | {suspected} | {} | {} |",
            row.name, row.remedy_zh, row.remedy_en
        );
        assert!(README.contains(&line), "README.md lacks {line}");
    }
}
