//! Runs tests: once to see which mutants each of them reaches, then with one mutant active at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::compile::Program;

/// How long a test without a mutant may take, and what one with a mutant may take beyond ten times its usual time.
const TEST_LIMIT: Duration = Duration::from_secs(300);
const MUTANT_LIMIT: Duration = Duration::from_secs(30);
/// How often a running test is looked at.
const POLL: Duration = Duration::from_millis(2);
/// The most tests that one process runs for a mutant.
const LARGEST_GROUP: usize = 64;
/// Runs the whole suite again, with failing commits: it takes minutes and notices what the suite notices.
const LEFT_OUT: &str = "reruns::";

/// One test.
#[derive(Clone, Debug)]
pub(crate) struct Test {
    pub(crate) program: Program,
    pub(crate) name: String,
    pub(crate) took: Duration,
    pub(crate) reaches: BTreeSet<usize>,
}

/// How a group of tests ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    Failed,
    TimedOut,
}

/// Every test of the programs that passes without a mutant, the shortest first, with the mutants that it reaches.
pub(crate) fn reached(programs: &[Program], scratch: &Path) -> Result<Vec<Test>> {
    let mut tests = Vec::new();
    for program in programs {
        for name in names(program)? {
            tests.push(Test {
                program: program.clone(),
                name,
                took: Duration::ZERO,
                reaches: BTreeSet::new(),
            });
        }
    }
    std::fs::create_dir_all(scratch)?;
    let done = in_parallel(&tests, |number, test| {
        let path = scratch.join(number.to_string());
        let _ = std::fs::remove_file(&path);
        let started = Instant::now();
        let variable = ("XIEKA_MUTANTS_REACHED", path.to_string_lossy().into_owned());
        let ended = run(&[test], &variable, TEST_LIMIT)?;
        let printed = std::fs::read_to_string(&path).unwrap_or_default();
        let reaches = printed.lines().filter_map(|line| line.parse().ok()).collect();
        Ok((ended == Ended::Passed).then(|| Test {
            took: started.elapsed(),
            reaches,
            ..test.clone()
        }))
    })?;
    for (test, passed) in tests.iter().zip(&done) {
        if passed.is_none() {
            println!("left out, it fails without a mutant: {}", test.name);
        }
    }
    let mut passed: Vec<Test> = done.into_iter().flatten().collect();
    passed.sort_by_key(|test| test.took);
    Ok(passed)
}

/// Runs the tests with a mutant until one notices it: single ones first, then groups that grow.
pub(crate) fn judge(tests: &[&Test], id: usize) -> Result<(Ended, String)> {
    let variable = ("XIEKA_MUTANT", id.to_string());
    let (mut at, mut size) = (0, 1);
    while at < tests.len() {
        let group = &tests[at..tests.len().min(at + size)];
        let mut by_program: BTreeMap<&Path, Vec<&Test>> = BTreeMap::new();
        for test in group {
            by_program.entry(&test.program.path).or_default().push(test);
        }
        for tests in by_program.values() {
            let usual: Duration = tests.iter().map(|test| test.took).sum();
            let ended = run(tests, &variable, usual * 10 + MUTANT_LIMIT)?;
            if ended != Ended::Passed {
                let names: Vec<&str> = tests.iter().map(|test| test.name.as_str()).collect();
                return Ok((ended, names.join(" ")));
            }
        }
        at += size;
        size = LARGEST_GROUP.min(if at < 6 { 1 } else { size * 2 });
    }
    Ok((Ended::Passed, format!("{} tests", tests.len())))
}

/// Runs the function for each element, on as many threads as there are processors; answers in the order of the list.
pub(crate) fn in_parallel<T: Sync, R: Send>(
    list: &[T],
    function: impl Fn(usize, &T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    let work = || {
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(element) = list.get(number) else {
                return;
            };
            let result = function(number, element);
            if let Ok(mut done) = done.lock() {
                done.insert(number, result);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let done = done.into_inner().ok().context("a thread failed")?;
    done.into_values().collect()
}

fn names(program: &Program) -> Result<Vec<String>> {
    let mut command = Command::new(&program.path);
    command
        .args(["--list", "--format", "terse"])
        .current_dir(&program.folder);
    let printed = command.stderr(Stdio::null()).output()?;
    ensure!(
        printed.status.success(),
        "{} does not list its tests",
        program.path.display()
    );
    let text = String::from_utf8(printed.stdout)?;
    let names = text.lines().filter_map(|line| line.strip_suffix(": test"));
    let names = names.filter(|name| !name.starts_with(LEFT_OUT));
    Ok(names.map(str::to_owned).collect())
}

fn run(tests: &[&Test], variable: &(&str, String), limit: Duration) -> Result<Ended> {
    let program = &tests.first().context("a group has a test")?.program;
    let mut command = Command::new(&program.path);
    command.arg("--exact").args(tests.iter().map(|test| &test.name));
    command.args(["--test-threads", "1"]).current_dir(&program.folder);
    command
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env(variable.0, &variable.1);
    command
        .env("INSTA_UPDATE", "no")
        .env("RUST_BACKTRACE", "0")
        .env_remove("UPDATE_DOCS");
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(if status.success() {
                Ended::Passed
            } else {
                Ended::Failed
            });
        }
        if started.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            return Ok(Ended::TimedOut);
        }
        std::thread::sleep(POLL);
    }
}
