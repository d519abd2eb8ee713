//! The document is clean for a linter, and clients that are generated from it compile, know the type of every field,
//! and reach the platform.
//!
//! The tools come from PyPI and npm into `target/`, with the versions of `tests/document-tools`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use test_support::components::root;
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

use crate::python_tools::{installed, path_with, run};

const TOOLS: &str = "document-tools";
const LINTER: &str = "node_modules/@redocly/cli/bin/cli.js";
const COMPILER: &str = "node_modules/typescript/bin/tsc";

/// The installed tools.
struct Tools {
    /// Programs from PyPI: Python, Node and the generator.
    programs: PathBuf,
    /// The folder with `node_modules`.
    npm: PathBuf,
}

impl Tools {
    /// Installs what is not installed yet; one test does it for all.
    fn installed() -> &'static Self {
        static TOOLS_ONCE: OnceLock<Tools> = OnceLock::new();
        TOOLS_ONCE.get_or_init(|| {
            let programs = installed(TOOLS);
            let (source, npm) = (
                root().join("tests").join(TOOLS),
                root().join("target").join(TOOLS).join("npm"),
            );
            let tools = Self { programs, npm };
            let wanted = fs::read_to_string(source.join("package-lock.json")).unwrap();
            let marker = tools.npm.join("installed.json");
            if fs::read_to_string(&marker).is_ok_and(|present| present == wanted) {
                return tools;
            }
            fs::create_dir_all(&tools.npm).unwrap();
            for name in ["package.json", "package-lock.json"] {
                fs::copy(source.join(name), tools.npm.join(name)).unwrap();
            }
            run(tools
                .command("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .current_dir(&tools.npm));
            fs::write(marker, wanted).unwrap();
            tools
        })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env("PATH", path_with(&self.programs));
        command
    }

    /// A script of an npm package.
    fn script(&self, script: &str) -> Command {
        let mut command = self.command("node");
        command.arg(self.npm.join(script)).env("REDOCLY_TELEMETRY", "off");
        command.env("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true");
        command
    }

    fn generate(&self, generator: &str, document: &Path, target: &Path) {
        let mut command = self.command("openapi-generator-cli");
        command.args(["generate", "--generator-name", generator, "--input-spec"]);
        command.arg(document).arg("--output").arg(target);
        run(command.args(["--additional-properties", "packageName=xieka"]));
    }
}

/// A file of `tests/document-tools`, copied into a folder.
fn copied(name: &str, folder: &Path) -> PathBuf {
    let target = folder.join(name);
    fs::copy(root().join("tests").join(TOOLS).join(name), &target).unwrap();
    target
}

/// A platform, and a folder with the document that it serves.
async fn platform_and_document() -> (TestPlatform, tempfile::TempDir) {
    let platform = TestPlatform::start().await;
    let served = platform.send(TestRequest::get("/openapi.json")).await;
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("openapi.json"), served.text).unwrap();
    (platform, folder)
}

/// What `call.py` and `call.ts` need.
fn arguments(platform: &TestPlatform) -> [String; 4] {
    [
        format!("http://{}", platform.host.addr()),
        platform.owner.id.clone(),
        platform.owner.secret.clone(),
        platform.eid(0).to_owned(),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_linter_finds_nothing_in_the_document() {
    tokio::task::spawn_blocking(|| {
        let document = root().join("functions/openapi/openapi.json");
        let mut lint = Tools::installed().script(LINTER);
        run(lint
            .args(["lint", "--extends", "recommended-strict"])
            .arg(document));
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_python_client_is_typed_and_reaches_the_platform() {
    let (platform, folder) = platform_and_document().await;
    let arguments = arguments(&platform);
    let state = tokio::task::spawn_blocking(move || {
        let (tools, folder) = (Tools::installed(), folder.path());
        tools.generate("python", &folder.join("openapi.json"), folder);
        let python = |script: &[&str]| run(tools.command("python").args(script).current_dir(folder));
        python(&["-m", "compileall", "-q", "xieka"]);
        python(&["-m", "mypy", "--package", "xieka"]);
        copied("models.py", folder);
        copied("call.py", folder);
        python(&["models.py"]);
        python(&["-m", "mypy", "--strict", "--follow-imports", "silent", "call.py"]);
        run(tools
            .command("python")
            .arg("call.py")
            .args(arguments)
            .current_dir(folder))
    })
    .await
    .unwrap();
    assert_eq!(state.trim(), "待写卡");
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_typescript_client_is_typed_and_reaches_the_platform() {
    let (platform, folder) = platform_and_document().await;
    let arguments = arguments(&platform);
    let state = tokio::task::spawn_blocking(move || {
        let (tools, folder) = (Tools::installed(), folder.path());
        let client = folder.join("client");
        tools.generate("typescript-fetch", &folder.join("openapi.json"), &client);
        assert_eq!(untyped_fields(&client.join("models")), Vec::<String>::new());
        copied("call.ts", folder);
        copied("tsconfig.json", folder);
        std::os::unix::fs::symlink(tools.npm.join("node_modules"), folder.join("node_modules")).unwrap();
        run(tools
            .script(COMPILER)
            .arg("--project")
            .arg(folder.join("tsconfig.json")));
        run(tools
            .command("node")
            .arg(folder.join("compiled/call.js"))
            .args(arguments))
    })
    .await
    .unwrap();
    assert_eq!(state.trim(), "待写卡");
    platform.shutdown().await;
}

/// The fields of generated interfaces that can hold anything.
fn untyped_fields(models: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(models).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let mut interface = None;
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("export interface ") {
                interface = Some(rest.trim_end_matches(" {"));
            } else if line.starts_with('}') {
                interface = None;
            }
            let kind = line.split_once(": ").map(|(_, kind)| kind).unwrap_or_default();
            let mut words = kind.split(|letter: char| !letter.is_alphanumeric());
            if let (Some(interface), true) = (interface, words.any(|word| word == "any" || word == "object"))
            {
                found.push(format!("{interface}: {}", line.trim()));
            }
        }
    }
    found
}
