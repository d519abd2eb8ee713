//! Faults planted in the source, and what it then demands of the manifest.

use super::*;

#[test]
fn requests_that_go_nobody_knows_where_are_found() {
    for (path, from, to) in [
        ("shared/web/src/log.rs", "{}", "{ host.send(request) }"),
        (
            "functions/one/src/lib.rs",
            "fresh(&call)",
            "fresh(&call.host().send(request))",
        ),
        (
            "functions/page/component/src/lib.rs",
            "{}",
            "{ client.send(request) }",
        ),
    ] {
        let line = if path.ends_with("src/log.rs") {
            "pub fn log"
        } else {
            ""
        };
        assert_found(
            path,
            (from, to),
            line,
            "sends requests outside of shared/web/src/outbound/",
        );
    }
    assert_found(
        "shared/web/src/outbound/mod.rs",
        ("pub struct Received;", "pub fn receive() { host.send(request) }"),
        "pub fn receive",
        "sends requests: add where, in `DESTINATIONS` of xtask",
    );
}

#[test]
fn a_flag_without_its_function_and_a_function_without_its_flag_are_found() {
    let flagged = |path: &str, from: &str, to: &str| -> Vec<String> {
        let found = findings(checkout(path, from, to)).into_iter();
        let own = found.filter(|finding| finding.path == "functions/one/component/src/lib.rs");
        own.map(|finding| finding.text).collect()
    };
    assert_eq!(
        flagged(
            "functions/one/component/src/lib.rs",
            "operator: true",
            "operator: false"
        ),
        ["`fresh` needs `operator` in REQUIRED_VARIABLES"]
    );
    assert_eq!(
        flagged(
            "functions/one/src/lib.rs",
            "use web::outbound::fresh",
            "use web::outbound::log"
        ),
        ["`operator` of REQUIRED_VARIABLES is for shared/web/src/outbound/operator.rs, which is not used"]
    );
}

#[test]
fn a_package_that_lacks_a_part_or_has_another_name_is_found() {
    assert_found(
        "functions/one/Cargo.toml",
        ("\"one-router\"", "\"one\""),
        "[package]",
        "the package has to be `one-router`",
    );
    assert_found(
        "functions/two-three/component/Cargo.toml",
        ("\"two-three\"", "\"two_three\""),
        "[package]",
        "the package has to be `two-three`",
    );
    for missing in ["functions/one/src/lib.rs", "functions/one/component/src/lib.rs"] {
        let kept = checkout("", "", "")
            .into_iter()
            .filter(|file| file.path != missing);
        let found = findings(kept.collect());
        let is_meant = |finding: &Finding| finding.path == missing && finding.text == "is missing";
        assert!(found.iter().any(is_meant), "{missing}: {found:#?}");
    }
}

#[test]
fn what_changes_a_component_follows_from_its_packages() {
    assert_found(
        "functions/page/Cargo.toml",
        ("[dev-dependencies]", "[build-dependencies]"),
        "watch = [\"functions/page",
        "`watch` has to be [\"functions/page/**/*.rs\", \"functions/page/**/Cargo.toml\", \"functions/page/page.html\", \"shared/**/*.rs\", \"shared/**/*.sql\", \"shared/**/Cargo.toml\", \"uicc/src/**/*.rs\", \"uicc/Cargo.toml\"]",
    );
    assert_found(
        "functions/page/src/lib.rs",
        ("concat!(env!(\"OUT_DIR\"), \"/page\")", "\"../more.html\""),
        "watch = [\"functions/page",
        "`watch` has to be [\"functions/page/**/*.rs\", \"functions/page/**/Cargo.toml\", \"functions/page/page.html\", \"functions/page/more.html\"]",
    );
}

#[test]
fn an_operation_that_is_documented_otherwise_than_it_is_read_is_found() {
    assert_found_among_others(
        "functions/two-three/src/lib.rs",
        ("path = TICK_PATH", "path = TACK_PATH"),
        "the path is neither a text nor a constant that this check finds",
    );
    assert_found_among_others(
        "functions/page/src/lib.rs",
        ("path: \"/page\"", "path: \"page\""),
        "serves nothing that this check understands",
    );
}

/// Replaces a text, and expects this finding in the same file among others.
fn assert_found_among_others(path: &str, (from, to): (&str, &str), text: &str) {
    let found = findings(checkout(path, from, to));
    let is_meant = |finding: &&Finding| finding.path == path && finding.text == text;
    assert_eq!(
        found.iter().filter(is_meant).count(),
        1,
        "{from} -> {to}: {found:#?}"
    );
}

#[test]
fn what_is_read_otherwise_than_expected_is_found() {
    let unread = "a variable is read in a way that this check does not understand";
    for (path, from, to) in [
        (host::VARIABLES, "(true, \"zone\"", "(false, \"zone\""),
        (host::VARIABLES, "let texts = [", "let words = ["),
    ] {
        let found = findings(checkout(path, from, to));
        let is_meant = |finding: &Finding| finding.path == path && finding.text == unread;
        assert!(found.iter().any(is_meant), "{from} -> {to}: {found:#?}");
    }
    assert_found(
        "shared/spin-host/src/sqlite.rs",
        ("const LABEL", "fn a() { text(\"more\") }\nconst LABEL"),
        "fn a()",
        "`more` is read outside of shared/spin-host/src/variables.rs",
    );
    assert_found(
        "functions/one/component/src/lib.rs",
        ("token_key: true,", "token_key: true,\n    link_key: true,"),
        "",
        "`link_key` of REQUIRED_VARIABLES stands for no variable in shared/spin-host/src/variables.rs",
    );
}
