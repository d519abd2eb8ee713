//! The tables of README.md and README.zh-CN.md agree with the program.

use gateway_protocol::FailureKind;
use ota_gateway::Settings;
use toml::{Table, Value};

/// One language of the page, and its words in the tables.
struct Page {
    file: &'static str,
    text: &'static str,
    /// What stands for a setting without a default.
    none: &'static str,
    yes: &'static str,
    no: &'static str,
    remedy: fn(FailureKind) -> &'static str,
}

const PAGES: [Page; 2] = [
    Page {
        file: "README.md",
        text: include_str!("../README.md"),
        none: "none",
        yes: "yes",
        no: "no",
        remedy: FailureKind::remedy_en,
    },
    Page {
        file: "README.zh-CN.md",
        text: include_str!("../README.zh-CN.md"),
        none: "无",
        yes: "是",
        no: "否",
        remedy: FailureKind::remedy_zh,
    },
];

impl Page {
    fn assert_has(&self, row: &str) {
        assert!(self.text.contains(row), "{} lacks {row}", self.file);
    }

    fn assert_listed(&self, settings: &Table) {
        for (name, value) in settings {
            let default = match value {
                Value::Table(limits) => {
                    self.assert_listed(limits);
                    continue;
                }
                Value::String(text) if text.is_empty() => self.none.to_owned(),
                Value::String(text) => format!("`{text}`"),
                other => format!("`{other}`"),
            };
            self.assert_has(&format!("| `{name}` | {default} |"));
        }
    }
}

#[test]
fn every_setting_is_listed_with_its_default() {
    let settings = Table::try_from(Settings::default()).unwrap();
    for page in &PAGES {
        page.assert_listed(&settings);
    }
}

#[test]
fn every_failure_is_listed_with_its_remedy() {
    for page in &PAGES {
        for kind in FailureKind::all() {
            let suspected = if kind.suspects_chip() { page.yes } else { page.no };
            let remedy = (page.remedy)(kind);
            page.assert_has(&format!("| `{}` | {suspected} | {remedy} |", kind.code()));
        }
    }
}
