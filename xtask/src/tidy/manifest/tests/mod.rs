//! Faults planted in a checkout in which everything agrees.

mod source;

use super::fixture::checkout;
use super::*;

fn findings(checkout: Vec<File>) -> Vec<Finding> {
    let (code, files): (Vec<File>, Vec<File>) =
        checkout.into_iter().partition(|file| file.path.ends_with(".rs"));
    let sources: Vec<Source> = code.into_iter().map(Source::new).collect();
    check(&sources, &files.iter().collect::<Vec<_>>())
}

/// Replaces a text, and expects one finding: in this file, at a line that begins like this, with this text.
fn assert_found(path: &str, (from, to): (&str, &str), at: &str, text: &str) {
    let found = findings(checkout(path, from, to));
    let [finding] = found.as_slice() else {
        panic!("{from} -> {to}: {found:#?}");
    };
    assert_eq!(finding.text, text, "{from} -> {to}");
    let changed = checkout(path, from, to);
    let file = changed.iter().find(|file| file.path == finding.path).unwrap();
    let line = file.text.lines().nth(finding.line - 1).unwrap();
    assert!(line.starts_with(at), "{from} -> {to}: {finding}: {line}");
}

fn assert_found_in_manifest(planted: &[(&str, &str, &str, &str)]) {
    for (from, to, at, text) in planted {
        assert_found(MANIFEST, (from, to), at, text);
    }
}

#[test]
fn a_manifest_that_agrees_has_no_findings() {
    assert_eq!(findings(checkout("", "", "")), []);
}

#[test]
fn a_checkout_without_components_needs_no_manifest() {
    let kept = |endings: &'static [&str]| {
        let is_kept = |file: &File| !endings.iter().any(|ending| file.path.ends_with(ending));
        findings(checkout("", "", "").into_iter().filter(is_kept).collect())
    };
    assert_eq!(kept(&[".rs", MANIFEST]), []);
    let found = kept(&[MANIFEST]);
    assert_eq!(
        found.iter().map(Finding::to_string).collect::<Vec<_>>(),
        ["spin.toml:1: manifest: is missing"]
    );
}

#[test]
fn a_stanza_of_another_shape_is_found() {
    assert_found_in_manifest(&[
        (
            "one.wasm",
            "eins.wasm",
            "source = ",
            "`source` has to be \"target/wasm32-wasip2/component/one.wasm\"",
        ),
        (
            "-p one",
            "-p two",
            "command = ",
            "`command` has to be \"cargo build --target wasm32-wasip2 --profile component -p one\"",
        ),
        (
            ", \"functions/page/page.html\"",
            "",
            "watch = ",
            "`watch` has to be [\"functions/page/**/*.rs\", \"functions/page/**/Cargo.toml\", \"functions/page/page.html\"]",
        ),
        (
            "sqlite_databases = [\"default\"]\n",
            "",
            "[component.one]",
            "`sqlite_databases` is missing in `[component.one]`",
        ),
        (
            "[\"default\"]",
            "[\"other\"]",
            "sqlite_databases = ",
            "`sqlite_databases` has to be [\"default\"]",
        ),
        (
            "page.wasm\"\n",
            "page.wasm\"\nsqlite_databases = [\"default\"]\n",
            "sqlite_databases",
            "`sqlite_databases` does not belong into `[component.page]`",
        ),
        (
            "sqlite_databases",
            "key_value_stores = [\"default\"]\nsqlite_databases",
            "key_value_stores",
            "`key_value_stores` does not belong into `[component.one]`",
        ),
        (
            "= \"Shows a page\"",
            "= \"\"",
            "description = \"\"",
            "`description` of `[component.page]` is empty or no text",
        ),
        (
            "description = \"Shows a page\"\n",
            "",
            "[component.page]",
            "`description` is missing in `[component.page]`",
        ),
        (
            "[component.page.build]\ncommand = \"cargo build --target wasm32-wasip2 --profile component-small -p page\"\nwatch = [\"functions/page/**/*.rs\", \"functions/page/**/Cargo.toml\", \"functions/page/page.html\"]\n",
            "",
            "[component.page]",
            "`[component.page.build]` is missing",
        ),
    ]);
}

#[test]
fn what_is_not_expected_is_found() {
    assert_found_in_manifest(&[
        (
            "version = 2",
            "version = 1",
            "spin_manifest_version",
            "`spin_manifest_version` has to be 2",
        ),
        (
            "\"1.2.3\"",
            "\"1.2.4\"",
            "version = ",
            "`version` has to be \"1.2.3\"",
        ),
        (
            "[variables]",
            "[other]\n\n[variables]",
            "[other]",
            "`[other]` does not belong here",
        ),
        (
            "[component.page.build]",
            "[component.page.tool]\n\n[component.page.build]",
            "[component.page.tool]",
            "`[component.page.tool]` does not belong here",
        ),
        (
            "name = \"a\"\n",
            "name = \"a\"\nauthors = ['b']\n",
            "authors",
            "not TOML as this check reads it: `authors = ['b']`",
        ),
        (
            "[component.page]",
            "[component.side]\n\n[component.page]",
            "[component.side]",
            "functions/side is missing",
        ),
    ]);
    let found = findings(checkout(MANIFEST, "[component.page]", "[component.pages]"));
    assert!(
        found
            .iter()
            .any(|finding| finding.text == "`[component.page]` is missing")
    );
}

#[test]
fn a_variable_too_many_or_too_few_is_found() {
    assert_found_in_manifest(&[
        (
            "tick_secret = \"{{ tick_secret }}\"\n",
            "tick_secret = \"{{ tick_secret }}\"\ntoken_key = \"{{ token_key }}\"\n",
            "token_key = \"{{",
            "`token_key` does not belong into `[component.two-three.variables]`",
        ),
        (
            "token_key = \"{{ token_key }}\"\n",
            "",
            "[component.one.variables]",
            "`token_key` is missing in `[component.one.variables]`",
        ),
        (
            "operator_api = \"{{ operator_api }}\"\n",
            "",
            "[component.one.variables]",
            "`operator_api` is missing in `[component.one.variables]`",
        ),
        (
            "tick_secret = \"{{ tick_secret }}\"\n",
            "",
            "[component.two-three.variables]",
            "`tick_secret` is missing in `[component.two-three.variables]`",
        ),
        (
            "zone = \"{{ zone }}\"\n",
            "zone = \"{{ index_key }}\"\n",
            "zone = \"{{ index_key",
            "`zone` has to be \"{{ zone }}\"",
        ),
    ]);
}

#[test]
fn a_variable_that_is_declared_otherwise_than_it_is_read_is_found() {
    assert_found_in_manifest(&[
        (
            "zone = { default",
            "more = { default = \"\", description = \"More\" }\nzone = { default",
            "more",
            "no component reads `more`",
        ),
        (
            "zone = { default = \"\", ",
            "zone = { default = \"\", secret = true, ",
            "zone",
            "`secret` does not belong into `[variables.zone]`",
        ),
        (
            "token_key = { required = true, secret = true, ",
            "token_key = { required = true, ",
            "token_key",
            "`secret` is missing in `[variables.token_key]`",
        ),
        (
            "zone = { default = \"\", ",
            "zone = { default = \"\", required = true, ",
            "zone",
            "`required` does not belong into `[variables.zone]`",
        ),
        (
            "zone = { default = \"\", ",
            "zone = { ",
            "zone",
            "`required` is missing in `[variables.zone]`",
        ),
        (
            ", description = \"How to ask the operator\"",
            "",
            "operator_api",
            "`description` is missing in `[variables.operator_api]`",
        ),
        (
            "zone = { default = \"\", description = \"Time zone; operator_api ignores it\" }\n",
            "",
            "[variables]",
            "`zone` is missing",
        ),
    ]);
}

#[test]
fn destinations_without_requests_and_requests_without_destinations_are_found() {
    assert_found_in_manifest(&[
        (
            "page.wasm\"\n",
            "page.wasm\"\nallowed_outbound_hosts = [\"https://*:*\"]\n",
            "allowed_outbound_hosts",
            "`allowed_outbound_hosts` does not belong into `[component.page]`",
        ),
        (
            ", \"http://one.spin.internal\"]",
            "]",
            "allowed_outbound_hosts",
            "`allowed_outbound_hosts` has to be [\"{{ database_host_1 }}\", \"{{ database_host_2 }}\", \"{{ database_host_3 }}\", \"https://*:*\", \"{{ callback_extra_host }}\", \"http://one.spin.internal\"]",
        ),
        (
            "\"http://one.spin.internal\"",
            "\"http://*.spin.internal\"",
            "allowed_outbound_hosts",
            "`allowed_outbound_hosts` has to be [\"{{ database_host_1 }}\", \"{{ database_host_2 }}\", \"{{ database_host_3 }}\", \"https://*:*\", \"{{ callback_extra_host }}\", \"http://one.spin.internal\"]",
        ),
    ]);
    assert_found(
        "functions/two-three/src/more.rs",
        ("web::outbound::post(a)", "web::outbound::log(a)"),
        "allowed_outbound_hosts = [\"{{ database_host_1 }}\", \"{{ database_host_2 }}\", \"{{ database_host_3 }}\", \"https",
        "`allowed_outbound_hosts` has to be [\"{{ database_host_1 }}\", \"{{ database_host_2 }}\", \"{{ database_host_3 }}\", \"http://one.spin.internal\"]",
    );
}

#[test]
fn a_route_that_leads_elsewhere_or_nowhere_is_found() {
    assert_found_in_manifest(&[
        (
            "[component.page]",
            "[[trigger.http]]\nroute = \"/pages\"\ncomponent = \"page\"\n\n[component.page]",
            "[[trigger.http]]",
            "`/pages` leads to no path that `page` serves",
        ),
        (
            "[component.page]",
            "[[trigger.http]]\nroute = \"/v1/...\"\ncomponent = \"one\"\n\n[component.page]",
            "[[trigger.http]]",
            "`/v1/...` leads to no path that `one` serves",
        ),
        (
            "[component.page]",
            "[[trigger.http]]\nroute = \"/page\"\ncomponent = \"page\"\n\n[component.page]",
            "[[trigger.http]]",
            "the route `/page` is there already",
        ),
        (
            "route = \"/page\"\n",
            "route = \"/page\"\nexecutor = { type = \"wagi\" }\n",
            "executor",
            "`executor` does not belong into `[trigger.http]`",
        ),
    ]);
    let texts = |from: &str, to: &str| -> Vec<String> {
        findings(checkout(MANIFEST, from, to))
            .into_iter()
            .map(|finding| finding.text)
            .collect()
    };
    assert_eq!(
        texts(
            "\"/v1/one\"\ncomponent = \"one\"",
            "\"/v1/one\"\ncomponent = \"page\""
        ),
        [
            "`/v1/one` leads to no path that `page` serves",
            "`/v1/one`, which `one` serves, leads to `page`"
        ]
    );
    assert_eq!(
        texts("\"/internal/...\"", "\"/internal/other/...\""),
        [
            "`/internal/other/...` leads to no path that `two-three` serves",
            "`/internal/tock`, which `two-three` serves, leads to `nothing`"
        ]
    );
}

#[test]
fn nothing_leads_from_outside_to_a_component_with_a_private_route() {
    let private = |more: &str| -> Vec<String> {
        let to = format!("route = {{ private = true }}\ncomponent = \"page\"\n{more}");
        let from = "route = \"/page\"\ncomponent = \"page\"\n";
        let found = findings(checkout(MANIFEST, from, &to));
        found.into_iter().map(|finding| finding.text).collect()
    };
    assert_eq!(private(""), [""; 0]);
    assert_eq!(
        private("\n[[trigger.http]]\nroute = \"/page\"\ncomponent = \"page\"\n"),
        ["`/page`, which `page` serves, leads to `page`"]
    );
    assert_eq!(
        private("executor = { type = \"wagi\" }\n"),
        ["`executor` does not belong into `[trigger.http]`"]
    );
}

#[test]
fn a_variable_segment_of_a_route_stands_for_one_of_the_path() {
    let served = |path: &str, route: &str| -> Vec<String> {
        let to = format!("/{path}\"");
        let mut files = checkout("functions/one/src/lib.rs", "/v1/one\"", &to);
        let more = format!("[[trigger.http]]\nroute = \"{route}\"\ncomponent = \"one\"\n\n[component.page]");
        files[0].text = files[0].text.replacen("[component.page]", &more, 1);
        findings(files).into_iter().map(|finding| finding.text).collect()
    };
    assert_eq!(served("v1/one/{code}", "/v1/one/:code"), [""; 0]);
    assert_eq!(
        served("v1/one/{code}/more", "/v1/one/:code"),
        [
            "`/v1/one/:code` leads to no path that `one` serves",
            "`/v1/one/{code}/more`, which `one` serves, leads to `nothing`"
        ]
    );
}

#[test]
fn a_description_that_contradicts_is_found() {
    assert_found_in_manifest(&[
        (
            "Calls `one`",
            "Calls `eins`",
            "description",
            "the description names `eins`, which is no component",
        ),
        (
            "for /internal/tick",
            "for /internal/ticks",
            "tick_secret",
            "the description names `/internal/ticks`, which is not there",
        ),
        (
            "see docs/a.md",
            "see docs/b.md",
            "tick_secret",
            "the description names `docs/b.md`, which is not there",
        ),
        (
            "operator_api ignores it",
            "operator_apis ignore it",
            "zone",
            "the description names `operator_apis`, which is not there",
        ),
        (
            "(clause 7.2.1)",
            "(clause 7.2.2)",
            "description",
            "the description lacks `(clause 7.2.1)`, that of `/v1/one`",
        ),
    ]);
    assert_found(
        "functions/one/src/lib.rs",
        ("One thing (§7.2.1)", "One thing"),
        "#[utoipa::path(post",
        "the summary of `/v1/one` does not end with its clause, as in `(§7.1)`",
    );
}
