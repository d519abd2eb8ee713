//! One card, every step shown.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::check;
use super::screen::Screen;
use super::world::World;

/// How often the status is asked for while the card is written.
const STATUS_INTERVAL: Duration = Duration::from_millis(50);
/// How long the callback may take after the card was written.
const CALLBACK_TIMEOUT: Duration = Duration::from_secs(20);

/// Applies for the first chip of the sample, powers it, and checks the outcome.
pub(crate) async fn run(screen: &Screen, world: &World) -> Result<()> {
    let chip = world
        .inventory
        .chips
        .first()
        .context("the sample has no chip")?
        .clone();
    screen.chapter("Apply (§6.2.2)");
    let applied = world.apply(&chip.eid).await?;
    screen.line(
        "client",
        &format!("GET /v1/write/apply eid={} write_type=1 → {applied}", chip.eid),
    );

    screen.chapter("Power up, write, report in (§6.2.3, §6.2.4)");
    let mut module = world.module(&chip)?;
    module.observe(Arc::new(screen.clone()));
    let report = {
        let watch = watch_status(screen, world, &chip.eid);
        tokio::pin!(watch);
        tokio::select! {
            report = module.power_on() => report,
            ended = &mut watch => match ended? {},
        }
    };
    screen.line("module", &report.to_string());
    wait_for_callback(world).await;

    screen.chapter("Check");
    let status = world.status(&chip.eid).await?;
    let findings = check::examine(
        &world.inventory,
        module.chip(),
        &chip.eid,
        &status,
        &world.ground.receiver.received(),
    )?;
    for (holds, claim) in &findings.claims {
        screen.check(*holds, claim);
    }
    if !findings.all_hold() {
        for refusal in world.ground.receiver.refused() {
            screen.line("client", &format!("refused a callback: {refusal}"));
        }
        bail!("not everything holds");
    }
    screen.line("", "the card holds its operator identity, and its owner knows");
    Ok(())
}

/// Asks for the status again and again and shows each change; ends only by an error.
async fn watch_status(screen: &Screen, world: &World, eid: &str) -> Result<std::convert::Infallible> {
    let mut last = String::new();
    loop {
        let status = world.status(eid).await?;
        let shown = format!("{} {}", text(&status["card_status"]), text(&status["progress"]));
        if shown != last {
            screen.line("client", &format!("GET /v1/write/status → {shown}"));
            last = shown;
        }
        tokio::time::sleep(STATUS_INTERVAL).await;
    }
}

/// Waits until a callback arrived or the time is over; the check that follows says which.
async fn wait_for_callback(world: &World) {
    let arrived = async {
        loop {
            let changed = world.ground.receiver.changed();
            if !world.ground.receiver.received().is_empty() {
                return;
            }
            changed.await;
        }
    };
    let _ = tokio::time::timeout(CALLBACK_TIMEOUT, arrived).await;
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or("?")
}
