//! Measures the platform against two baselines of the same run: a component that does nothing, in the same host, and a
//! native server that does the same work through the same operations. Prints ratios; absolute figures of a shared
//! machine mean little.
//!
//! Ends with an error only when something was answered wrongly. A ratio that was not reached is printed, not failed.

mod against;
mod callbacks;
mod client;
mod floods;
mod generate;
mod imports;
mod lists;
mod native;
mod periodic;
mod platform;
mod postgres;
mod refusals;
mod table;
mod work;

use std::path::PathBuf;

use anyhow::Result;
use clap::{CommandFactory as _, Parser, Subcommand};

use crate::callbacks::{Database, callbacks};

/// Most measurements of each side in one comparison: a night.
const MAX_PAIRS: i64 = 50;

#[derive(Parser)]
#[command(name = "xieka-load", about = "How fast the platform is, as ratios")]
struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything below, with a small database and a large one.
    All {
        /// Chips and numbers of the large database.
        #[arg(long, default_value_t = 2_000_000)]
        large: u32,
    },
    /// Status queries at 16 connections and at one.
    Status,
    /// Durable applications at 16 connections.
    Apply,
    /// Sixteen clients apply for the last 1,000 numbers of a province.
    LastNumbers,
    /// What a fresh instance costs, and how large the components are.
    Instances,
    /// The same rates with few and with many chips and numbers, and ticks with nothing due.
    Scale {
        /// Chips and numbers of the large database.
        #[arg(long, default_value_t = 2_000_000)]
        large: u32,
    },
    /// Callbacks to receivers that take their time, one in ten of which is dead.
    Callbacks {
        /// Callbacks a minute.
        #[arg(long, default_value_t = 2_000)]
        rate: u32,
        /// Minutes.
        #[arg(long, default_value_t = 2)]
        minutes: u32,
        /// The state in a PostgreSQL server of its own instead of a SQLite file.
        #[arg(long)]
        postgres: bool,
    },
    /// A large import of numbers and one of chips: time, and memory of the component.
    Imports {
        /// Rows of each.
        #[arg(long, default_value_t = 100_000)]
        rows: u32,
    },
    /// A client alone and beside refused calls of an unauthenticated caller, and what those leave in the call log.
    Refusals {
        /// Refused calls a second; 0: as many as are answered.
        #[arg(long, default_value_t = 500)]
        rate: u32,
    },
    /// Chips at a gateway alone and beside thousands of connections that send no ClientHello.
    Floods,
    /// Status queries, applications and the last 1,000 numbers on a PostgreSQL server of its own.
    Postgres {
        /// Chips and numbers of the large database.
        #[arg(long, default_value_t = 2_000_000)]
        large: u32,
    },
    /// Ticks of the periodic work with nothing due.
    Ticks {
        /// Chips and numbers.
        #[arg(long, default_value_t = 2_000_000)]
        large: u32,
    },
    /// Pages of lists, searches and exports over many chips and calls.
    Lists {
        /// Chips, numbers and tasks.
        #[arg(long, default_value_t = 2_000_000)]
        chips: u32,
        /// Rows of the call log.
        #[arg(long, default_value_t = 10_000_000)]
        calls: u32,
    },
    /// A year of temporary numbers, day by day.
    Year {
        /// Chips.
        #[arg(long, default_value_t = 1_000_000)]
        chips: u32,
    },
    /// Status queries and applications of this checkout and of another revision, in turns; prints ratios.
    Compare {
        /// The other revision, as git names it. It is checked out and built below `target/against/`.
        #[arg(long)]
        against: String,
        /// How often each side is measured.
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=MAX_PAIRS))]
        pairs: u32,
    },
    /// Fills a new database file with chips and numbers, as imports would.
    Generate {
        /// How many of each.
        #[arg(long)]
        count: u32,
        /// The folder for the database and for `.env` with its keys.
        #[arg(long)]
        out: PathBuf,
    },
}

/// What the command line understands, for whoever holds documents to it.
#[must_use]
pub fn command_line() -> clap::Command {
    Args::command()
}

/// Runs the command line of this process.
///
/// # Errors
/// When something was answered wrongly, or could not be built or started.
pub fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match Args::parse().what {
        What::Status => runtime.block_on(work::status()),
        What::Apply => runtime.block_on(work::apply()),
        What::LastNumbers => runtime.block_on(work::last_numbers()),
        What::Instances => runtime.block_on(work::instances()),
        What::Scale { large } => runtime.block_on(work::scale(large)),
        What::Callbacks {
            rate,
            minutes,
            postgres,
        } => {
            let database = if postgres {
                Database::on_server()?
            } else {
                Database::Sqlite
            };
            runtime.block_on(callbacks(rate, minutes, &database))
        }
        What::Imports { rows } => runtime.block_on(imports::imports(rows)),
        What::Refusals { rate } => runtime.block_on(refusals::refusals(rate)),
        What::Postgres { large } => runtime.block_on(postgres::postgres(large)),
        What::Floods => runtime.block_on(floods::floods()),
        What::Ticks { large } => runtime.block_on(async {
            let platform = platform::MeasuredPlatform::with(large).await?;
            periodic::idle_ticks(&platform).await?;
            platform.shutdown().await;
            Ok(())
        }),
        What::Lists { chips, calls } => runtime.block_on(lists::lists(chips, calls)),
        What::Year { chips } => periodic::year(chips),
        What::Compare { against, pairs } => against::compare(&against, pairs),
        What::Generate { count, out } => runtime.block_on(generate::into_folder(count, &out)),
        What::All { large } => runtime.block_on(async {
            work::status().await?;
            work::apply().await?;
            work::last_numbers().await?;
            work::instances().await?;
            callbacks(2_000, 2, &Database::Sqlite).await?;
            imports::imports(100_000).await?;
            work::scale(large).await?;
            postgres::postgres(large).await?;
            callbacks(2_000, 2, &Database::on_server()?).await
        }),
    }
}
