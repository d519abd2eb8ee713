//! `xieka demo`: cards written over the air, from application to callback, in a temporary directory.
//!
//! It drives the product only through its outside doors, as a business system, an administrator, a module and a
//! callback receiver would, and succeeds only if everything it checked is true.

pub mod check;
mod fleet;
pub(crate) mod screen;
mod story;
pub mod world;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::args::DemoOptions;
use crate::components;
use crate::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use crate::stack::Stack;
use screen::Screen;
use world::{Ground, World};

/// Runs the demonstration that was asked for.
pub(crate) async fn run(options: DemoOptions) -> Result<()> {
    let root = components::application_root()?;
    let screen = Screen::new();
    if !options.no_build {
        screen.chapter("Build");
        components::build(&root)?;
    }
    for (name, bytes) in components::sizes(&root)? {
        screen.line("build", &format!("{name}.wasm, {} KB", bytes / 1000));
    }
    let single = options.chips == 1;
    let inventory = if single {
        Inventory::sample()?
    } else {
        Inventory::generate(1, options.chips, SAMPLE_TRANSPORT_KEY_NAME, &SAMPLE_TRANSPORT_KEY)?
    };
    let (stack, world) = start(&screen, root, inventory, single).await?;
    let outcome = if single {
        story::run(&screen, &world).await
    } else {
        fleet::run(&screen, &world).await
    };
    stack.shutdown().await;
    outcome.with_context(|| format!("the components' log lines are in {}", world.keep_logs().display()))
}

/// Starts everything; the gateway's events are shown if one card is to be watched.
async fn start(screen: &Screen, root: PathBuf, inventory: Inventory, watch: bool) -> Result<(Stack, World)> {
    screen.chapter("Start");
    let ground = Ground::new().await?;
    let mut launch = ground.launch(root);
    launch.observer = watch.then(|| Arc::new(screen.clone()) as Arc<dyn ota_gateway::Observer>);
    let stack = launch.start().await?;
    screen.line("platform", &format!("http://{}", stack.host.addr()));
    screen.line(
        "gateway",
        &format!("{} for chips, TLS with pre-shared keys", stack.gateway.addr()),
    );
    screen.line(
        "client",
        &format!("callback receiver at {}", ground.receiver.url()),
    );
    screen.chapter("Prepare (§6.2.1)");
    let (api, gateway) = (stack.api.clone(), stack.gateway.addr());
    let world = World::prepare(ground, api, gateway, inventory, &|who, what| {
        screen.line(who, &what)
    })
    .await?;
    Ok((stack, world))
}

/// Counts how often each text occurs.
fn tally<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_default() += 1;
    }
    counts
}
