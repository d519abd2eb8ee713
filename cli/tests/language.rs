//! Help and errors of the command, in the language that the environment names.

use std::path::Path;
use std::process::{Command, Output};

const CHINESE: &[(&str, &str)] = &[];
const ENGLISH: &[(&str, &str)] = &[("LANG", "en_US.UTF-8")];

fn xieka(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xieka"));
    for name in ["LC_ALL", "LC_MESSAGES", "LANG"] {
        command.env_remove(name);
    }
    command
        .envs(environment.iter().copied())
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap_or_else(|error| panic!("the command did not start: {error}"))
}

fn printed(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn problem(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_help_is_chinese_or_english() {
    let folder = tempfile::tempdir().unwrap();
    let help = |environment| printed(&xieka(folder.path(), environment, &["up", "--help"]));
    let chinese = help(CHINESE);
    assert!(
        chinese.starts_with("运行平台与网关，保存数据，打印地址与首个凭据\n\n用法: xieka up [OPTIONS]\n"),
        "{chinese}"
    );
    assert!(
        chinese.contains("HTTP 接口的监听地址 [默认：127.0.0.1:3000]"),
        "{chinese}"
    );
    let english = help(ENGLISH);
    assert!(
        english.starts_with("Run platform and gateway, keep their data"),
        "{english}"
    );
    assert!(
        english.contains("Where the HTTP interfaces listen [default: 127.0.0.1:3000]"),
        "{english}"
    );
    assert_eq!(help(&[("LC_ALL", "C"), ("LANG", "en_US.UTF-8")]), chinese);
    assert_eq!(
        help(&[("LC_ALL", ""), ("LC_MESSAGES", "en_GB"), ("LANG", "C")]),
        english
    );
}

#[test]
fn files_are_written_and_problems_reported_in_the_same_language() {
    let folder = tempfile::tempdir().unwrap();
    for (environment, arguments, expected) in [
        (CHINESE, ["init", "zh"], "已写入 zh；请在安全的地方保存一份副本\n"),
        (ENGLISH, ["init", "en"], "wrote en; keep a copy in a safe place\n"),
    ] {
        assert_eq!(printed(&xieka(folder.path(), environment, &arguments)), expected);
    }
    let first_line = |name| {
        let file = std::fs::read_to_string(folder.path().join(name)).unwrap();
        file.lines().next().unwrap().to_owned()
    };
    assert!(first_line("zh").starts_with("# 一个 xieka 平台的密钥。"));
    assert!(first_line("en").starts_with("# Secrets of one xieka platform."));
    let power = ["power", "nothing.csv", "--env", "zh"];
    let chinese = problem(&xieka(folder.path(), CHINESE, &power));
    assert!(chinese.starts_with("xieka: 无法读取 nothing.csv: "), "{chinese}");
    let english = problem(&xieka(folder.path(), ENGLISH, &power));
    assert!(
        english.starts_with("xieka: cannot read nothing.csv: "),
        "{english}"
    );
}
