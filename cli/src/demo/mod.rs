//! `xieka demo`: cards written over the air, from application to callback, in a temporary directory.
//!
//! It drives the product only through its outside doors, as a business system, an administrator, a module and a
//! callback receiver would, and succeeds only if everything it checked is true.

mod check;
mod fleet;
mod screen;
mod story;
pub mod world;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::args::DemoOptions;
use crate::components;
use crate::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use screen::Screen;
use world::World;

/// Runs the demonstration that was asked for.
pub async fn run(options: DemoOptions) -> Result<()> {
    let root = components::application_root()?;
    let screen = Screen::new();
    if !options.no_build {
        screen.chapter("Build");
        components::build(&root)?;
    }
    for (name, bytes) in components::sizes(&root)? {
        screen.line("build", &format!("{name}.wasm, {} KB", bytes / 1000));
    }
    if options.chips == 1 {
        story::run(&screen, World::start(root, Inventory::sample()?, Some(&screen)).await?).await
    } else {
        let inventory = Inventory::generate(1, options.chips, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?;
        fleet::run(&screen, World::start(root, inventory, None).await?).await
    }
}

/// Counts how often each text occurs.
fn tally<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts
}
