//! xieka on one machine: the platform, its gateway and simulated cards behind one command.
//!
//! The command assembles independent parts; it must never contain a rule about chips, numbers or tasks.

pub mod api;
mod args;
mod backup;
pub mod components;
mod database;
pub mod demo;
mod help;
mod import;
mod init;
mod interrupt;
pub mod inventory;
mod language;
mod personalise;
mod power;
mod preflight;
pub mod receiver;
mod recover;
mod reindex;
pub mod secrets;
pub mod stack;
mod up;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{CommandFactory as _, FromArgMatches as _};

use args::{Arguments, Command};
use language::{Language, text};

/// What the command line understands, for whoever holds documents to it.
#[must_use]
pub fn command_line() -> clap::Command {
    help::in_language(Arguments::command(), Language::of_this_process())
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    language::choose();
    let arguments = Arguments::from_arg_matches(&command_line().get_matches());
    let arguments = arguments.unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Runtime::new().context(text("无法启动", "cannot start"));
    match runtime.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xieka: {error:#}");
            let problem = error.downcast_ref::<backup::Problem>();
            problem.map_or(ExitCode::FAILURE, |problem| problem.exit_code().into())
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Demo(options) => tokio::select! {
            outcome = demo::run(options) => outcome,
            // Dropping the demonstration stops platform and gateway and removes the temporary directory.
            outcome = interrupt::received() => outcome.and_then(|()| bail!(text("已中断", "interrupted"))),
        },
        Command::Up(options) => up::run(options).await,
        Command::Init(options) => init::run(&options),
        Command::Power(options) => power::run(options).await,
        Command::Import(options) => import::run(&options).await,
        Command::Recover(options) => recover::run(&options).await,
        Command::Reindex(options) => reindex::run(&options).await,
        Command::Backup(options) => backup::run(&options).await,
        Command::Verify(options) => backup::verify(&options).await,
        Command::Restore(options) => backup::restore(&options).await,
        Command::Migrate(options) => backup::migrate(&options).await,
        Command::Audit(action) => backup::audit(&action).await,
        Command::Inventory(options) => init::inventory(&options),
    }
}
