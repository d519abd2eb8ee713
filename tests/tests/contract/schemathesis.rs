//! Schemathesis, which reads only `/openapi.json`, finds no answer that the document does not allow.
//!
//! Installed from PyPI into `target/`, with the versions of `tests/schemathesis/requirements.txt`.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::json;
use test_support::components::root;
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

use crate::authorisation::secret_of;
use crate::endpoints;
use crate::python_tools::installed;

/// Runs the program with Python's cyclic collector off: in 3.11 a collection during parsing breaks the parser
/// (python/cpython#106905), and the program parses its own source.
const WITHOUT_COLLECTOR: &str = "import gc, sys; gc.disable(); from schemathesis.cli import schemathesis; sys.argv[0] = 'schemathesis'; schemathesis()";
/// The same cases in every run.
const SEED: &str = "20260701";
/// Generated cases of one operation.
const CASES: &str = "40";

/// A credential for each path, as JSON.
fn credentials(platform: &TestPlatform) -> String {
    let business = endpoints::business().map(|endpoint| (endpoint.path, platform.owner.token.clone()));
    let internal =
        endpoints::internal().map(|endpoint| (endpoint.path, platform.secret(secret_of(endpoint.path))));
    json!(business.chain(internal).collect::<BTreeMap<_, _>>()).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn schemathesis_finds_no_server_error_and_no_answer_outside_the_document() {
    let program = tokio::task::spawn_blocking(|| installed("schemathesis").join("python"))
        .await
        .unwrap();
    let platform = TestPlatform::start().await;
    let limits: serde_json::Map<_, _> = endpoints::business()
        .map(|endpoint| (endpoint.name.to_owned(), json!(1_000_000)))
        .collect();
    platform
        .admin_post(
            "/admin/v1/clients:update",
            json!({"client_id": platform.owner.id, "limits": limits}),
        )
        .await;
    let served = platform.send(TestRequest::get("/openapi.json")).await;
    assert_eq!((served.status, &served.body["openapi"]), (200, &json!("3.1.0")));
    let url = format!("http://{}/openapi.json", platform.host.addr());
    let folder = tempfile::tempdir().unwrap();
    let run = Command::new(program)
        .current_dir(folder.path())
        .env("PYTHONPATH", root().join("tests/schemathesis"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("XIEKA_CREDENTIALS", credentials(&platform))
        .args(["-c", WITHOUT_COLLECTOR, "--config-file"])
        .arg(root().join("tests/schemathesis/schemathesis.toml"))
        .args(["run", &url, "--phases", "examples,coverage,fuzzing"])
        .args([
            "--max-examples",
            CASES,
            "--seed",
            SEED,
            "--workers",
            "4",
            "--request-timeout",
            "30",
        ])
        .args(["--generation-database", "none", "--warnings", "off"])
        .output();
    let output = run.unwrap();
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{stdout}{stderr}");
    let as_administrator = platform.count_calls("interface = 'admin.pools' AND code = 200");
    assert!(as_administrator > 0, "it did not call with the secrets");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_and_the_document_are_served_with_what_a_browser_needs() {
    let platform = TestPlatform::start().await;
    let page = platform.send(TestRequest::get("/docs")).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    assert!(
        page.header("content-security-policy")
            .starts_with("default-src 'none'")
    );
    assert!(page.text.contains("/v1/number/open-time"));
    let tag = page.header("etag").to_owned();
    let again = platform
        .send(TestRequest::get("/docs").with("if-none-match", tag))
        .await;
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let refused = platform.send(TestRequest::post("/docs", "text/plain", "x")).await;
    assert_eq!((refused.status, refused.header("allow")), (405, "GET, HEAD"));
    platform.shutdown().await;
}
