//! Power is lost at every single APDU, before and after its execution; the next power-up ends in success.

use std::collections::HashSet;

use card_sim::{ApduIndex, Faults, Module, Side, power_all};
use test_support::components::inventory;
use test_support::stack::{RunningStack, TestActions as _, applied, power};
use xieka::demo::world::World;

/// Modules powered at the same time.
const AT_ONCE: usize = 8;
/// Power-ups after which a card must be written; one is enough unless power was lost after the last report.
const POWER_UPS: usize = 2;

/// Every point at which power can be lost, found by writing one card without faults.
async fn fault_points(world: &World) -> Vec<(ApduIndex, Side)> {
    let mut module = applied(world, &world.inventory.chips[0]).await;
    let report = power(&mut module).await;
    assert!(
        report.script_apdus > 10 && report.apdus > report.script_apdus,
        "{report}"
    );
    let interface = (0..report.apdus).map(ApduIndex::Interface);
    let scripts = (0..report.script_apdus).map(ApduIndex::Script);
    interface
        .chain(scripts)
        .flat_map(|at| [(at, Side::Before), (at, Side::After)])
        .collect()
}

// §6.2.4.1: writing can be run again after another power-up
#[tokio::test(flavor = "multi_thread")]
async fn a_power_loss_at_any_apdu_is_recovered_by_the_next_power_up() {
    let points = {
        let running = RunningStack::start(inventory(1)).await;
        let points = fault_points(&running.world).await;
        running.shutdown().await;
        points
    };
    let running = RunningStack::start(inventory(u32::try_from(points.len()).unwrap())).await;
    let world = &running.world;
    let mut modules = Vec::new();
    for (chip, (at, side)) in world.inventory.chips.iter().zip(&points) {
        let mut module = applied(world, chip).await;
        module.set_faults(Faults::power_loss(*at, *side));
        modules.push(module);
    }
    let mut lost = 0;
    for power_up in 0..=POWER_UPS {
        let mut unfinished: Vec<Module> = Vec::new();
        power_all(std::mem::take(&mut modules), AT_ONCE, |module, report| {
            lost += usize::from(report.outcome == card_sim::module::Outcome::PowerLost);
            unfinished.push(module);
        })
        .await;
        if power_up == 0 {
            // The number of APDUs varies a little between runs, since it depends on how bytes arrive on the link.
            assert!(
                lost * 10 >= points.len() * 9,
                "power was lost {lost} times of {}",
                points.len()
            );
        }
        modules = unfinished;
    }
    world.callbacks(modules.len()).await;
    let mut numbers = HashSet::new();
    for module in &modules {
        world.assert_written(module).await;
        assert!(
            numbers.insert(module.chip().read_file("3F00/2FE2")),
            "a number is in two chips"
        );
    }
    assert_eq!(numbers.len(), points.len());
    running.shutdown().await;
}
