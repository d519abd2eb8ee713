//! Measures the platform against two baselines of the same run: a component that does nothing, in the same host, and a
//! native server that does the same work through the same operations. Prints ratios; absolute figures of a shared
//! machine mean little.
//!
//! Ends with an error only when something was answered wrongly. A ratio that was not reached is printed, not failed.

mod callbacks;
mod client;
mod generate;
mod native;
mod periodic;
mod platform;
mod table;
mod work;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Parser, Subcommand};

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
    },
    /// Ticks of the periodic work with nothing due.
    Ticks {
        /// Chips and numbers.
        #[arg(long, default_value_t = 2_000_000)]
        large: u32,
    },
    /// A year of temporary numbers, day by day.
    Year {
        /// Chips.
        #[arg(long, default_value_t = 1_000_000)]
        chips: u32,
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

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match Args::parse().what {
        What::Status => runtime.block_on(work::status()),
        What::Apply => runtime.block_on(work::apply()),
        What::LastNumbers => runtime.block_on(work::last_numbers()),
        What::Instances => runtime.block_on(work::instances()),
        What::Scale { large } => runtime.block_on(work::scale(large)),
        What::Callbacks { rate, minutes } => runtime.block_on(callbacks::callbacks(rate, minutes)),
        What::Ticks { large } => runtime.block_on(async {
            let platform = platform::MeasuredPlatform::with(large).await?;
            periodic::idle_ticks(&platform).await?;
            platform.shutdown().await;
            Ok(())
        }),
        What::Year { chips } => periodic::year(chips),
        What::Generate { count, out } => generate::into_folder(count, &out),
        What::All { large } => runtime.block_on(async {
            work::status().await?;
            work::apply().await?;
            work::last_numbers().await?;
            work::instances().await?;
            callbacks::callbacks(2_000, 2).await?;
            work::scale(large).await
        }),
    }
}
