//! xieka on one machine: the platform, its gateway and simulated cards behind one command.
//!
//! The command assembles independent parts; it must never contain a rule about chips, numbers or tasks.

pub mod api;
mod args;
pub mod components;
pub mod demo;
mod init;
mod interrupt;
pub mod inventory;
mod personalise;
mod power;
pub mod receiver;
pub mod secrets;
pub mod stack;
mod up;

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::{CommandFactory as _, Parser as _};

use args::{Arguments, Command};

/// What the command line understands, for whoever holds documents to it.
#[must_use]
pub fn command_line() -> clap::Command {
    Arguments::command()
}

/// Runs the command line of this process.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Runtime::new().context("cannot start");
    match runtime.and_then(|runtime| runtime.block_on(run(arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xieka: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<()> {
    match arguments.command {
        Command::Demo(options) => tokio::select! {
            outcome = demo::run(options) => outcome,
            // Dropping the demonstration stops platform and gateway and removes the temporary directory.
            outcome = interrupt::received() => outcome.and_then(|()| bail!("interrupted")),
        },
        Command::Up(options) => up::run(options).await,
        Command::Init(options) => init::run(&options),
        Command::Power(options) => power::run(options).await,
        Command::Inventory(options) => init::inventory(&options),
    }
}
