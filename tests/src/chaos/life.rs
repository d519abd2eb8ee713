//! One card's life while everything around it keeps dying: applied for, perhaps withdrawn and applied for again, powered
//! until it is written. Every call is repeated until it is answered, as a business system would.

use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::Value;
use xieka::api::Answer;
use xieka::demo::world::World;

/// Every so many cards one application is withdrawn first.
const WITHDRAWN_EVERY: u32 = 3;
/// Power-ups after which something is wrong.
const MAX_POWER_UPS: u32 = 60;
/// How long a device stays powered at most.
const POWERED: Duration = Duration::from_secs(10);
/// Tries of one call.
const MAX_TRIES: u32 = 400;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(50);

/// What was acknowledged to a card's client.
#[derive(Debug, Default)]
pub(super) struct Fate {
    /// Tasks that were acknowledged as withdrawn.
    pub cancelled: Vec<String>,
    /// The task that wrote it.
    pub written: String,
    /// How often it was powered.
    pub power_ups: u32,
}

/// Lives the card's life and says what was acknowledged.
pub(super) async fn live(world: &World, index: u32) -> Result<(String, Fate)> {
    let chip = &world.inventory.chips[index as usize];
    let mut fate = Fate::default();
    let mut task = apply(world, &chip.eid).await?;
    if index.is_multiple_of(WITHDRAWN_EVERY) {
        cancel(world, &task).await?;
        fate.cancelled.push(task);
        task = apply(world, &chip.eid).await?;
    }
    let mut module = world.module(chip)?;
    module.settings_mut().max_duration = POWERED;
    loop {
        module.power_on().await;
        fate.power_ups += 1;
        let status = status(world, &chip.eid).await?;
        ensure!(
            status["task_id"] == task.as_str(),
            "{}: another task: {status}",
            chip.eid
        );
        if status["card_status"] == "写卡成功" {
            break;
        }
        ensure!(
            fate.power_ups < MAX_POWER_UPS,
            "{} is never written: {status}",
            chip.eid
        );
    }
    fate.written = task;
    Ok((chip.eid.clone(), fate))
}

async fn apply(world: &World, eid: &str) -> Result<String> {
    let query = [
        ("token", world.token.as_str()),
        ("eid", eid),
        ("write_type", "1"),
        ("province_code", "37"),
    ];
    let applied = answered(world, "/v1/write/apply", &query).await?.ok("applying")?;
    Ok(applied["task_id"].as_str().unwrap_or_default().to_owned())
}

async fn cancel(world: &World, task: &str) -> Result<()> {
    let query = [("token", world.token.as_str()), ("task_id", task)];
    let answer = answered(world, "/v1/write/cancel", &query).await?;
    // A repetition of a call whose answer was lost finds it withdrawn already.
    let repeated = answer.status == 403 && answer.body["reason"] == "wrong_state";
    ensure!(answer.status == 200 || repeated, "withdrawing: {}", answer.body);
    Ok(())
}

async fn status(world: &World, eid: &str) -> Result<Value> {
    let query = [("token", world.token.as_str()), ("eid", eid)];
    answered(world, "/v1/write/status", &query).await?.ok("asking")
}

/// Repeats a call until it is answered by something else than a platform that is not there.
async fn answered(world: &World, path: &str, query: &[(&str, &str)]) -> Result<Answer> {
    for _ in 0..MAX_TRIES {
        match world.api.get(path, query).await {
            Ok(answer) if answer.status < 500 && answer.status != 429 => return Ok(answer),
            // 503: the database was locked by somebody who died. 429: limits hold here, too.
            Ok(answer) if answer.status == 500 => anyhow::bail!("{path}: {}", answer.body),
            _ => tokio::time::sleep(PAUSE).await,
        }
    }
    anyhow::bail!("{path}: never answered")
}
