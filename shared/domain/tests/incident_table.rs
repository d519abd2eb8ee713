//! The tables in `docs/incidents.md` and its Chinese counterpart are made from the kinds of incidents, and stay equal to
//! them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use domain::{HOUR_MS, IncidentKind, KindRow, Limit, MINUTE_MS, Severity};

const BEGIN: &str = "<!-- kinds: written by `UPDATE_DOCS=1 cargo test -p domain --test incident_table` -->\n";
const END: &str = "<!-- end of kinds -->";

/// A page, which of the two languages it is in, the head of its table, and its words for limits.
struct Page {
    file: &'static str,
    lang: usize,
    head: &'static str,
    at_once: &'static str,
    from_the_start: &'static str,
    general_and_severe: [&'static str; 2],
}

const PAGES: [Page; 2] = [
    Page {
        file: "incidents.md",
        lang: 1,
        head: "| table | kind | symptom | cause | remedy | who acts | time limit |",
        at_once: "at once, by whoever calls",
        from_the_start: "severe from the start: ",
        general_and_severe: ["general ", ", severe "],
    },
    Page {
        file: "incidents.zh-CN.md",
        lang: 0,
        head: "| 表 | 种类 | 异常现象 | 异常原因 | 处理方式 | 处理方 | 处理时限 |",
        at_once: "调用方即时处理",
        from_the_start: "即为严重异常，",
        general_and_severe: ["一般异常 ", "，严重异常 "],
    },
];

impl Page {
    fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../docs")
            .join(self.file)
    }

    fn limit(&self, row: &KindRow) -> String {
        let [first, second] = self.general_and_severe;
        match (row.limit, row.severity) {
            (Limit::Immediate, _) => self.at_once.to_owned(),
            (Limit::Within(ms), Severity::General) => time(ms),
            (Limit::Within(ms), Severity::Severe) => format!("{}{}", self.from_the_start, time(ms)),
            (Limit::BySeverity { general, severe }, _) => {
                format!("{first}{}{second}{}", time(general), time(severe))
            }
        }
    }

    fn table(&self) -> String {
        let columns = self.head.matches('|').count() - 1;
        let mut text = format!("{}\n|{}\n", self.head, " --- |".repeat(columns));
        for row in IncidentKind::all().map(IncidentKind::row) {
            let parties: Vec<&str> = row.parties.iter().map(|party| party.names()[self.lang]).collect();
            let _ = writeln!(
                text,
                "| {} {} | `{}` | {} | {} | {} | {} | {} |",
                row.class.table(),
                row.class.names()[self.lang],
                row.code,
                row.symptom[self.lang],
                row.cause[self.lang],
                row.remedy[self.lang],
                parties.join(["、", ", "][self.lang]),
                self.limit(row),
            );
        }
        text
    }

    /// The page with the table as it should be.
    fn renewed(&self, text: &str) -> String {
        let (before, rest) = text
            .split_once(BEGIN)
            .expect("the page has a place for the table");
        let (_, after) = rest.split_once(END).expect("the table has an end");
        format!("{before}{BEGIN}{}{END}{after}", self.table())
    }
}

fn time(ms: i64) -> String {
    if ms % HOUR_MS == 0 {
        format!("≤ {} h", ms / HOUR_MS)
    } else {
        format!("≤ {} min", ms / MINUTE_MS)
    }
}

#[test]
fn the_documented_kinds_are_those_of_the_tables() {
    for page in PAGES {
        let documented = std::fs::read_to_string(page.path()).unwrap();
        let renewed = page.renewed(&documented);
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::write(page.path(), &renewed).unwrap();
        } else {
            assert!(
                documented == renewed,
                "docs/{} is behind: run this test with UPDATE_DOCS=1",
                page.file
            );
        }
    }
}
