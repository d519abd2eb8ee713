//! `xieka demo`: cards written over the air, from application to callback, in a temporary directory.
//!
//! It uses only the published interfaces, as a business system, an administrator, a module and a callback receiver do,
//! and succeeds only if every check holds.

pub(crate) mod card_text;
pub mod check;
pub mod demo_env;
mod many_cards;
pub(crate) mod screen;
mod single_card;
pub mod world;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};

use crate::args::DemoOptions;
use crate::components;
use crate::inventory::{Inventory, SAMPLE_TRANSPORT_KEY, SAMPLE_TRANSPORT_KEY_NAME};
use crate::language::{Language, text};
use crate::stack::Stack;
use demo_env::DemoEnv;
use screen::Screen;
use world::World;

/// Runs the demonstration that was asked for.
pub(crate) async fn run(options: DemoOptions) -> Result<()> {
    let root = components::application_root()?;
    let screen = Screen::new();
    if !options.no_build {
        screen.heading(text("构建", "Build"));
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
        single_card::run(&screen, &world).await
    } else {
        many_cards::run(&screen, &world).await
    };
    stack.shutdown().await;
    outcome.with_context(|| {
        let folder = world.demo_env.keep_logs();
        let folder = folder.display();
        text(
            format!("各组件的日志在 {folder}"),
            format!("the components' log lines are in {folder}"),
        )
    })
}

/// Starts platform and gateway and prepares them; shows the events of the gateway if `show_events`.
async fn start(
    screen: &Screen,
    root: PathBuf,
    inventory: Inventory,
    show_events: bool,
) -> Result<(Stack, World)> {
    screen.heading(text("启动", "Start"));
    let demo_env = DemoEnv::new().await?;
    let mut launch = demo_env.launch(root);
    launch.observer = show_events.then(|| Arc::new(screen.clone()) as Arc<dyn ota_gateway::Observer>);
    let stack = launch.start().await?;
    screen.line("platform", &format!("http://{}", stack.host.addr()));
    let gateway = stack.gateway.addr();
    screen.line(
        "gateway",
        &text(
            format!("{gateway}，供芯片连接，使用预共享密钥的 TLS"),
            format!("{gateway} for chips, TLS with pre-shared keys"),
        ),
    );
    let url = demo_env.receiver.url();
    screen.line(
        "client",
        &text(format!("回调接收端 {url}"), format!("callback receiver at {url}")),
    );
    screen.heading(text("准备（§6.2.1）", "Prepare (§6.2.1)"));
    let api = stack.api.clone().in_language(Language::of_this_process());
    let world = World::prepare(demo_env, api, gateway, inventory, &|source, line| {
        screen.line(source, &line)
    })
    .await?;
    Ok((stack, world))
}
