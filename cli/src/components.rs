//! Builds the Spin components with the build commands of the manifest, as `spin build` does.
//!
//! It must never edit the manifest nor use an older component: a failed build is an error.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

use crate::language::text;

/// File name of the application's manifest.
pub const MANIFEST: &str = "spin.toml";

#[derive(Deserialize)]
struct Manifest {
    component: BTreeMap<String, Component>,
}

#[derive(Deserialize)]
struct Component {
    source: PathBuf,
    build: Option<Build>,
}

#[derive(Deserialize)]
struct Build {
    command: String,
}

/// Finds the folder of the manifest: the current one or the nearest above it, else the one this binary was built in.
pub fn application_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context(text("没有当前目录", "no current directory"))?;
    let above = here.ancestors().map(Path::to_path_buf);
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map(Path::to_path_buf);
    for folder in above.chain(built_in) {
        if folder.join(MANIFEST).is_file() && folder.join("functions").is_dir() {
            return Ok(folder);
        }
    }
    bail!(text(
        format!("此处及上级目录没有 {MANIFEST}：请在 xieka 的检出目录中运行"),
        format!("no {MANIFEST} here or above: run this inside a checkout of xieka")
    ))
}

/// Runs every component's build command in the application's root.
///
/// Commands that differ only in their package (`-p`) are joined into one cargo call, which is faster.
pub fn build(root: &Path) -> Result<()> {
    let manifest = read(root)?;
    let mut calls: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for (name, component) in &manifest.component {
        let Some(build) = &component.build else { continue };
        let (call, package) = split_package(&build.command).with_context(|| {
            text(
                format!("组件 {name}：无法识别其构建命令"),
                format!("component {name}: cannot read its build command"),
            )
        })?;
        calls.entry(call).or_default().insert(package);
    }
    for (call, packages) in calls {
        let mut command = Command::new(if call[0] == "cargo" {
            cargo()
        } else {
            call[0].clone()
        });
        // The manifest expects the components below `target/`, whatever `CARGO_TARGET_DIR` says.
        command
            .args(&call[1..])
            .current_dir(root)
            .env("CARGO_TARGET_DIR", root.join("target"))
            // What is tested is what ships: built by the compiler itself, whatever wraps it for this program's crates.
            .env_remove("RUSTC_WORKSPACE_WRAPPER");
        for package in &packages {
            command.args(["-p", package]);
        }
        let status = command
            .status()
            .with_context(|| text(format!("无法运行 {}", call[0]), format!("cannot run {}", call[0])))?;
        if !status.success() {
            let problem = text("构建组件失败", "building the components failed");
            bail!("{problem}: {} {status}", call.join(" "));
        }
    }
    for (name, component) in &manifest.component {
        if !root.join(&component.source).is_file() {
            let file = component.source.display();
            bail!(text(
                format!("组件 {name}：构建后缺少 {file}"),
                format!("component {name}: {file} is missing after the build")
            ));
        }
    }
    Ok(())
}

/// Names and sizes in bytes of the built components.
pub fn sizes(root: &Path) -> Result<Vec<(String, u64)>> {
    let mut sizes = Vec::new();
    for (name, component) in read(root)?.component {
        sizes.push((name, std::fs::metadata(root.join(component.source))?.len()));
    }
    Ok(sizes)
}

fn read(root: &Path) -> Result<Manifest> {
    let path = root.join(MANIFEST);
    let file = path.display();
    let manifest = std::fs::read_to_string(&path)
        .with_context(|| text(format!("无法读取 {file}"), format!("cannot read {file}")))?;
    toml::from_str(&manifest)
        .with_context(|| text(format!("无法理解 {file}"), format!("cannot understand {file}")))
}

/// The cargo that runs this program, so that the toolchain is the same; else the one in the path.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".into())
}

/// Splits a build command into the command without `-p NAME`, and NAME.
fn split_package(command: &str) -> Result<(Vec<String>, String)> {
    let mut words = command.split_whitespace();
    let mut call = Vec::new();
    let mut package = None;
    while let Some(word) = words.next() {
        if word == "-p" || word == "--package" {
            package = words.next();
        } else {
            call.push(word.to_owned());
        }
    }
    match (call.is_empty(), package) {
        (false, Some(package)) => Ok((call, package.to_owned())),
        _ => bail!(text(
            format!("应为 `cargo build … -p NAME`，实为 `{command}`"),
            format!("expected `cargo build … -p NAME`, found `{command}`")
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_package_is_taken_out_of_a_build_command() {
        let (call, package) = split_package("cargo build --target wasm32-wasip2 -p token").unwrap();
        assert_eq!(
            (call.join(" ").as_str(), package.as_str()),
            ("cargo build --target wasm32-wasip2", "token")
        );
        assert!(split_package("make").is_err());
    }
}
