//! The samples in all languages are asked the same, over `vectors.json` and some bodies that a JSON file cannot hold.
//! A language whose tool is not installed is left out, and standard error says so.
#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use xieka_samples::{canonical, key_of, sign, verify};

/// Where the samples lie.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const VECTORS: &str = include_str!("../../vectors.json");
const DOCUMENTS: [&str; 2] = [
    include_str!("../../../../callbacks.md"),
    include_str!("../../../../callbacks.zh-CN.md"),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    body: String,
    secrets: Vec<String>,
    now: i64,
    expected: Expected,
    /// None where the body is malformed.
    canonical: Option<String>,
    /// What the first secret makes of the canonical text; none where either is missing.
    sign: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expected {
    Valid,
    Invalid,
}
use Expected::{Invalid, Valid};

impl Expected {
    fn of(valid: bool) -> Self {
        if valid { Valid } else { Invalid }
    }

    fn text(self) -> &'static str {
        match self {
            Valid => "valid",
            Invalid => "invalid",
        }
    }
}

fn vectors() -> Vec<Vector> {
    serde_json::from_str(VECTORS).unwrap()
}

struct Case {
    name: String,
    body: Vec<u8>,
    secrets: Vec<String>,
    now: i64,
    expected: Expected,
}

/// Every vector, and bodies that are not text, or that nobody would want to read in a file. Where one is wrong, its form
/// alone is wrong: it carries the signature that a lenient reader would compute.
fn cases() -> Vec<Case> {
    let vectors = vectors();
    let (now, secret) = (vectors[0].now, vectors[0].secrets[0].clone());
    let key = key_of(&secret).unwrap();
    let signed = |value: &[u8], read_as: &str| {
        let sign = sign(&key, &format!("a={read_as}&timestamp={now}"));
        let rest = format!(r#"","timestamp":"{now}","sign":"{sign}"}}"#);
        [br#"{"a":""#, value, rest.as_bytes()].concat()
    };
    let utf16 = |text: &[u8]| -> Vec<u8> {
        let units = String::from_utf8_lossy(text).into_owned();
        units.encode_utf16().flat_map(u16::to_le_bytes).collect()
    };
    let extra = [
        ("nothing", vec![], Invalid),
        ("a byte that is not UTF-8", signed(b"\xff", "\u{fffd}"), Invalid),
        ("an overlong form", signed(b"\xc0\xaf", "/"), Invalid),
        (
            "surrogates encoded one by one",
            signed(b"\xed\xa0\xbd\xed\xb1\x8d", "👍"),
            Invalid,
        ),
        ("UTF-16", utf16(&signed(b"1", "1")), Invalid),
        ("arrays nested too deep", b"[".repeat(100_000), Invalid),
        ("objects nested too deep", br#"{"a":"#.repeat(100_000), Invalid),
        (
            "a long value",
            signed(&b"\\n1".repeat(50_000), &"\n1".repeat(50_000)),
            Valid,
        ),
    ];
    let extra = extra.map(|(name, body, expected)| Case {
        name: name.to_owned(),
        body,
        secrets: vec![secret.clone()],
        now,
        expected,
    });
    let vectors = vectors.into_iter().map(|vector| Case {
        name: vector.name,
        body: vector.body.into_bytes(),
        secrets: vector.secrets,
        now: vector.now,
        expected: vector.expected,
    });
    vectors.chain(extra).collect()
}

/// Runs a sample over all cases and looks at each answer.
fn assert_right_answers(command: &mut Command) {
    let cases = cases();
    let lines = cases.iter().map(|case| {
        let secrets = case.secrets.join(",");
        format!("{}\t{secrets}\t{}\n", case.now, STANDARD.encode(&case.body))
    });
    let program = Path::new(command.get_program()).file_name().unwrap();
    let questions = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(program)
        .with_extension("questions");
    fs::write(&questions, lines.collect::<String>()).unwrap();

    let output = command
        .current_dir(FOLDER)
        .stdin(File::open(&questions).unwrap())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaint}");
    let answers = String::from_utf8(output.stdout).unwrap();
    let answers: Vec<&str> = answers.lines().collect();
    assert_eq!(answers.len(), cases.len(), "answers of {command:?}: {complaint}");
    let wrong: Vec<_> = cases
        .iter()
        .zip(answers)
        .filter(|(case, answer)| case.expected.text() != *answer)
        .map(|(case, answer)| format!("{}: {answer}", case.name))
        .collect();
    assert!(wrong.is_empty(), "{command:?} is wrong: {wrong:#?}");
}

/// Whether a tool is here and recent enough, as a command of it tells.
fn is_here(sample: &str, needs: &str, tool: &str, question: &[&str]) -> bool {
    let answer = Command::new(tool).args(question).output();
    let here = answer.is_ok_and(|output| output.status.success());
    if !here {
        // Not eprintln!, which the test harness shows only where a test fails.
        let _ = writeln!(io::stderr(), "{sample} was NOT run: {needs} is not on PATH");
    }
    here
}

#[test]
fn the_vectors_show_what_is_signed() {
    for vector in vectors() {
        let Some(expected) = vector.canonical else {
            assert_eq!(vector.expected, Invalid, "{}", vector.name);
            continue;
        };
        let mut fields: BTreeMap<String, String> = serde_json::from_str(&vector.body).unwrap();
        fields.retain(|key, value| !["sign", "sign_previous"].contains(&key.as_str()) && !value.is_empty());
        assert_eq!(canonical(&fields), expected, "{}", vector.name);
        let key = vector.secrets.first().and_then(|secret| key_of(secret));
        assert_eq!(
            key.map(|key| sign(&key, &expected)),
            vector.sign,
            "{}",
            vector.name
        );
    }
}

#[test]
fn the_documents_show_the_first_vector() {
    let vectors = vectors();
    let first = &vectors[0];
    let shown = [
        &first.body,
        &first.secrets[0],
        first.canonical.as_ref().unwrap(),
        first.sign.as_ref().unwrap(),
    ];
    for document in DOCUMENTS {
        for text in shown {
            assert!(document.contains(text.as_str()), "not shown: {text}");
        }
    }
}

#[test]
fn the_fields_given_back_are_those_that_are_signed() {
    let vectors = vectors();
    let emptied = vectors
        .iter()
        .find(|vector| vector.name == "an empty field is not signed")
        .unwrap();
    let fields = verify(emptied.body.as_bytes(), &emptied.secrets, emptied.now).unwrap();
    assert_eq!(Some(canonical(&fields)), emptied.canonical);
}

#[test]
fn rust_answers_right() {
    for case in cases() {
        let fields = verify(&case.body, &case.secrets, case.now);
        assert_eq!(Expected::of(fields.is_some()), case.expected, "{}", case.name);
    }
}

#[test]
fn the_rust_command_answers_right() {
    assert_right_answers(&mut Command::new(env!("CARGO_BIN_EXE_xieka-samples")));
}

#[test]
fn python_answers_right() {
    assert_right_answers(Command::new("python3").arg("verify.py"));
}

#[test]
fn javascript_answers_right() {
    let recent = "process.exit(parseInt(process.versions.node) >= 18 ? 0 : 1)";
    if is_here("verify.js", "Node 18 or later (node)", "node", &["-e", recent]) {
        assert_right_answers(Command::new("node").arg("verify.js"));
    }
}

#[test]
fn java_answers_right() {
    // A runtime without a compiler cannot run a source file.
    if is_here(
        "Verify.java",
        "a JDK 17 or later (javac)",
        "javac",
        &["--release", "17", "--version"],
    ) {
        assert_right_answers(Command::new("java").arg("Verify.java"));
    }
}

#[test]
fn go_answers_right() {
    if is_here("verify.go", "Go (go)", "go", &["version"]) {
        assert_right_answers(Command::new("go").args(["run", "verify.go"]));
    }
}
