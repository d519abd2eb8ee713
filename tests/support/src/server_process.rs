//! A database server that ends with the test program.
//!
//! It must not be asked to stop gently: what a sudden end leaves is what tests look at.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// Longest time until a server serves.
const MAX_START: Duration = Duration::from_secs(60);

/// Lines of a server's log that are shown when it does not start.
const SHOWN_LINES: usize = 30;

/// Runs a server until standard input ends, which it does with the test program, however that ends, and removes its
/// folder unless it reads `keep`. The shell keeps no copy of the server's output, so that this ends with the server.
const SCRIPT: &str = r#"signal=$1; folder=$2; shift 2; "$@" 2>&1 & pid=$!; exec >/dev/null 2>&1
read -r word; kill -s "$signal" "$pid"; wait "$pid"; [ "$word" = keep ] || rm -rf "$folder""#;

/// A running server.
pub(crate) struct ServerProcess(Child);

impl ServerProcess {
    /// Starts a server and waits for the line of its log that says that it serves. `signal` ends it at once, and its
    /// folder, if it has one, goes with it.
    pub(crate) fn start(
        command: &[String],
        signal: &str,
        ready: &'static str,
        folder: Option<&Path>,
    ) -> Self {
        let name = &command[0];
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh", signal])
            .arg(folder.unwrap_or(Path::new("")))
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, started) = mpsc::channel();
        let output = shell.stdout.take().unwrap();
        std::thread::spawn(move || watch(output, ready, &sender));
        match started.recv_timeout(MAX_START) {
            Ok(Ok(())) => Self(shell),
            Ok(Err(log)) => panic!("{name} did not start:\n{log}"),
            Err(_) => panic!("{name} does not serve after {MAX_START:?}"),
        }
    }
}

impl ServerProcess {
    /// Ends the server at once and keeps its folder.
    pub(crate) fn end_and_keep(mut self) {
        if let Some(input) = &mut self.0.stdin {
            // It may have ended by itself.
            let _ = input.write_all(b"keep\n");
        }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It may have ended by itself.
        let _ = self.0.wait();
    }
}

/// Reads a server's log to its end, so that the server never waits for a reader.
fn watch(output: impl Read, ready: &str, started: &mpsc::Sender<Result<(), String>>) {
    let mut last = VecDeque::new();
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if line.contains(ready) {
            let _ = started.send(Ok(()));
        }
        last.push_back(line);
        if last.len() > SHOWN_LINES {
            last.pop_front();
        }
    }
    // Nobody listens any more if it had started.
    let _ = started.send(Err(Vec::from(last).join("\n")));
}

/// A program that is in one of the folders or in the path; `None` where it is not installed, which one line says.
/// Where `CI` is set, tests need it.
pub(crate) fn find(program: &str, folders: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = folders
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(program))
        .find(|file| file.is_file());
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{program} is not installed");
        eprintln!("not run: {program} is not installed");
    }
    found
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}
