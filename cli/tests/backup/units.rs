//! The units of systemd that make backups and drills: what they call exists, and systemd understands them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

/// Where the units call the program.
const PROGRAM: &str = "/usr/local/bin/xieka";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Name and text of each unit.
fn units() -> Vec<(String, String)> {
    let files = fs::read_dir(root().join("deploy/systemd")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let named = |file: PathBuf| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(file).unwrap())
    };
    let mut units: Vec<_> = files.map(named).collect();
    units.sort();
    units
}

#[test]
fn each_service_calls_a_command_that_exists_and_has_a_timer() {
    let units = units();
    let services: Vec<_> = units
        .iter()
        .filter(|(name, _)| name.ends_with(".service"))
        .collect();
    assert_eq!(services.len(), 2);
    for (name, text) in services {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="))
            .unwrap();
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], PROGRAM, "{name}");
        let parsed = xieka::command_line().try_get_matches_from(&words);
        assert!(parsed.is_ok(), "{name}: {}", parsed.unwrap_err());
        let timer = name.replace(".service", ".timer");
        assert!(units.iter().any(|(name, _)| *name == timer), "{timer}");
    }
}

#[test]
fn the_documents_name_each_unit_in_both_languages() {
    for document in ["docs/backup.md", "docs/backup.zh-CN.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for (name, _) in units() {
            let (unit, _) = name.rsplit_once('.').unwrap();
            assert!(
                text.contains(&format!("deploy/systemd/{unit}.service")),
                "{document}: {unit}"
            );
            assert!(
                text.contains(&format!("{unit}.timer")),
                "{document}: {unit}.timer"
            );
        }
    }
}

#[test]
fn systemd_finds_nothing_wrong_with_the_units() {
    let folder = TempDir::new().unwrap();
    let mut verify = Command::new("systemd-analyze");
    verify.arg("verify");
    for (name, text) in units() {
        let file = folder.path().join(name);
        // The program has to be there.
        let text = text.replace(PROGRAM, env!("CARGO_BIN_EXE_xieka"));
        fs::write(&file, text).unwrap();
        verify.arg(file);
    }
    let Ok(output) = verify.output() else {
        eprintln!("not run: systemd-analyze is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
}
