//! The tables of README.md agree with the program.

use gateway_protocol::FailureKind;
use ota_gateway::Settings;
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
    for kind in FailureKind::all() {
        let suspected = if kind.suspects_chip() { "yes" } else { "no" };
        let line = format!(
            "| `{}` | {suspected} | {} | {} |",
            kind.code(),
            kind.remedy_zh(),
            kind.remedy_en()
        );
        assert!(README.contains(&line), "README.md lacks {line}");
    }
}
