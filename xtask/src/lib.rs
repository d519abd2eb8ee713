//! What a developer types in a checkout: the demonstration, the tests, the platform, and the checks of the source.
//!
//! It must never depend on another crate, so that it compiles in seconds on a machine that has compiled nothing yet.

mod command;
// The rule is that of `xieka`. The file needs nothing of its crate, so it can be compiled here as well.
#[path = "../../cli/src/language.rs"]
mod language;
mod launch;
mod picture;
mod source;
#[cfg(test)]
mod temp;
mod tidy;
mod unused_pub;
mod walk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub use command::Command;

/// Runs the command line of this process.
#[must_use]
pub fn main() -> ExitCode {
    language::choose();
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = Command::parse(&words).and_then(|command| run(&command, &root()));
    match outcome {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command, root: &Path) -> Result<ExitCode, String> {
    match command {
        Command::Demo(arguments) => launch::program(root, "demo", arguments),
        Command::Up(arguments) => launch::program(root, "up", arguments),
        Command::Test(arguments) => launch::tests(root, arguments),
        Command::Mutants(arguments) => launch::mutants(root, arguments),
        Command::Tidy => tidy::run(root),
        Command::Picture => {
            let printed = std::io::read_to_string(std::io::stdin());
            let printed = printed.map_err(|problem| format!("standard input: {problem}"))?;
            print!("{}", picture::svg(&printed));
            Ok(ExitCode::SUCCESS)
        }
        Command::UnusedPub => unused_pub::run(root),
        Command::Help => {
            print!("{}", command::help());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// The checkout that `cargo run` was typed in; without cargo, the one that this program was built in.
///
/// Several checkouts may build into one folder: what the program was built in may then be another one.
fn root() -> PathBuf {
    let own = std::env::var_os("CARGO_MANIFEST_DIR").map_or(env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.parent().unwrap_or(&own).to_path_buf()
}
