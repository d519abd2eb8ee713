//! `docs/errors.md` is made from the catalogue of failures, and stays equal to it.

use std::fmt::Write as _;
use std::path::Path;

use domain::error::{Lang, Reason};

fn table() -> String {
    let mut text = String::from(
        "# Errors\n\nEvery failure of every interface: its stable `reason`, its HTTP status (equal to `code`), what happened and what to do.\n\n\
         | reason | code | 说明 | 处理 | meaning | remedy |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for reason in Reason::ALL {
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} | {} |",
            reason.code(),
            reason.status(),
            reason.message(Lang::Zh),
            reason.remedy(Lang::Zh),
            reason.message(Lang::En),
            reason.remedy(Lang::En),
        );
    }
    text
}

#[test]
fn the_documented_errors_are_those_of_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, table()).unwrap();
    }
    let documented = std::fs::read_to_string(&path).unwrap();
    assert!(
        documented == table(),
        "docs/errors.md is behind: run this test with UPDATE_DOCS=1"
    );
}
