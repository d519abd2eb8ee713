//! The demonstration of one card: every step is shown.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use super::card_text;
use super::check;
use super::screen::Screen;
use super::world::World;
use crate::language::text;

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
        .context(text("示例中没有芯片", "the sample has no chip"))?
        .clone();
    screen.heading(text("申请（§6.2.2）", "Apply (§6.2.2)"));
    let applied = world.apply(&chip.eid).await?;
    screen.line(
        "client",
        &format!("GET /v1/write/apply eid={} write_type=1 → {applied}", chip.eid),
    );

    screen.heading(text(
        "上电、写卡、反馈（§6.2.3、§6.2.4）",
        "Power up, write, report in (§6.2.3, §6.2.4)",
    ));
    let mut module = world.module(&chip)?;
    module.observe(Arc::new(screen.clone()));
    let report = {
        let polling = poll_status(screen, world, &chip.eid);
        tokio::pin!(polling);
        tokio::select! {
            report = module.power_on() => report,
            ended = &mut polling => match ended? {},
        }
    };
    screen.line("module", &card_text::report(&report));
    wait_for_callback(world).await;

    screen.heading(text("核对", "Check"));
    let status = world.status(&chip.eid).await?;
    let checks = check::examine(
        &world.inventory,
        module.chip(),
        &chip.eid,
        &status,
        &world.demo_env.receiver.received(),
    )?;
    for (holds, result) in &checks.results {
        screen.check(*holds, result);
    }
    if !checks.all_hold() {
        for refusal in world.demo_env.receiver.refused() {
            let refused = text("拒绝了一次回调", "refused a callback");
            screen.line("client", &format!("{refused}: {refusal}"));
        }
        bail!(text("并非每项核对都成立", "not every check holds"));
    }
    screen.line(
        "",
        text(
            "卡中已是其运营号，业务系统已收到回调",
            "the card holds its operator identity, and the client received the callback",
        ),
    );
    Ok(())
}

/// Polls the status and shows each change; ends only with an error.
async fn poll_status(screen: &Screen, world: &World, eid: &str) -> Result<std::convert::Infallible> {
    let mut last = String::new();
    loop {
        let status = world.status(eid).await?;
        let state = format!("{} {}", shown(&status["card_status"]), shown(&status["progress"]));
        if state != last {
            screen.line("client", &format!("GET /v1/write/status → {state}"));
            last = state;
        }
        tokio::time::sleep(STATUS_INTERVAL).await;
    }
}

/// Waits until a callback arrived or the time-out is over; the checks show which.
async fn wait_for_callback(world: &World) {
    let arrived = async {
        loop {
            let changed = world.demo_env.receiver.changed();
            if !world.demo_env.receiver.received().is_empty() {
                return;
            }
            changed.await;
        }
    };
    let _ = tokio::time::timeout(CALLBACK_TIMEOUT, arrived).await;
}

fn shown(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or("?")
}
