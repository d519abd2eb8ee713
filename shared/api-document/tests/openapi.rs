//! The committed description of the interfaces is what the code says. `UPDATE_DOCS=1` writes it anew.

use std::path::Path;

use api_document::{document, page};

fn compare(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../functions/openapi")
        .join(name);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, made).expect("written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == made,
        "{name} is not what the code says: run with UPDATE_DOCS=1"
    );
}

#[test]
fn the_openapi_document_is_that_of_the_code() {
    compare("openapi.json", &document());
}

#[test]
fn the_page_is_that_of_the_code_and_takes_nothing_from_elsewhere() {
    let page = page();
    compare("page.html", &page);
    for foreign in ["<script", "http://", "https://", "@import", "url("] {
        assert!(!page.contains(foreign), "{foreign}");
    }
}
