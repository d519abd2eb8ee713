//! The product as the demonstration runs it: platform, gateway, simulated modules, a receiver of callbacks.
//!
//! It must not call the gateway's routes itself: only a chip in a module brings a gateway to act.

use card_sim::{Module, PowerCycleReport};
use serde_json::Value;
use xieka::api::{Answer, Api};
use xieka::demo::check;
use xieka::demo::demo_env::DemoEnv;
use xieka::demo::world::World;
use xieka::inventory::{ChipRow, Inventory};
use xieka::stack::Stack;

use crate::components::{reuse, root};

/// How long callbacks may take to arrive, in seconds.
const CALLBACKS_SECS: u64 = 20;

/// A running platform and gateway, with what the demonstration prepares.
pub struct RunningStack {
    /// The views of a business system, an administrator and a device.
    pub world: World,
    stack: Stack,
}

impl RunningStack {
    /// Starts everything with `inventory` imported.
    pub async fn start(inventory: Inventory) -> Self {
        let demo_env = DemoEnv::new().await.unwrap();
        let mut launch = demo_env.launch(root());
        launch.reuse = reuse();
        let stack = launch.start().await.unwrap();
        let (api, gateway) = (stack.api.clone(), stack.gateway.addr());
        let world = World::prepare(demo_env, api, gateway, inventory, &|_, _| {})
            .await
            .unwrap();
        Self { world, stack }
    }

    /// Stops gateway and platform, in this order.
    pub async fn shutdown(self) {
        self.stack.shutdown().await;
    }
}

/// Requests and checks of the tests, beyond those of the demonstration.
#[expect(async_fn_in_trait, reason = "only tests call it, on one thread")]
pub trait TestActions {
    /// The card's state and progress.
    async fn card(&self, eid: &str) -> (String, String);
    /// Applies and returns the answer, success or not.
    async fn try_apply(&self, eid: &str) -> Answer;
    /// Reads a document of the administrator's interface.
    async fn admin(&self, path: &str, query: &[(&str, &str)]) -> Value;
    /// Ticks the platform, waits until `count` callbacks have arrived, and returns their bodies.
    async fn callbacks(&self, count: usize) -> Vec<Value>;
    /// Asserts that every check of the demonstration holds for this chip.
    async fn assert_written(&self, module: &Module);
}

impl TestActions for World {
    async fn card(&self, eid: &str) -> (String, String) {
        let status = self.status(eid).await.unwrap();
        (text(&status, "card_status"), text(&status, "progress"))
    }

    async fn try_apply(&self, eid: &str) -> Answer {
        let query = [
            ("token", self.token.as_str()),
            ("eid", eid),
            ("write_type", "1"),
            ("province_code", "37"),
        ];
        self.api.get("/v1/write/apply", &query).await.unwrap()
    }

    async fn admin(&self, path: &str, query: &[(&str, &str)]) -> Value {
        self.api
            .get_as(&self.admin_secret, path, query)
            .await
            .unwrap()
            .ok(path)
            .unwrap()
    }

    async fn callbacks(&self, count: usize) -> Vec<Value> {
        tick(
            &self.api,
            self.demo_env.secrets.get("SPIN_VARIABLE_CRON_SECRET").unwrap(),
        )
        .await;
        // A first delivery may already be in flight from the gateway's own tick, so the arrival is awaited.
        let arrived = async {
            loop {
                let changed = self.demo_env.receiver.changed();
                if self.demo_env.receiver.received().len() >= count {
                    return;
                }
                changed.await;
            }
        };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(CALLBACKS_SECS), arrived).await;
        assert_eq!(self.demo_env.receiver.refused(), Vec::<String>::new());
        self.demo_env
            .receiver
            .received()
            .into_iter()
            .map(|received| received.body)
            .collect()
    }

    async fn assert_written(&self, module: &Module) {
        let eid = module.chip().personalisation().eid.to_string();
        let status = self.status(&eid).await.unwrap();
        let callbacks = self.demo_env.receiver.received();
        let checks = check::examine(&self.inventory, module.chip(), &eid, &status, &callbacks).unwrap();
        let broken: Vec<_> = checks.results.iter().filter(|(holds, _)| !holds).collect();
        assert!(broken.is_empty(), "{eid}: {broken:?}");
    }
}

/// Runs one tick of the periodic work.
pub async fn tick(api: &Api, cron_secret: &str) {
    api.post_json(cron_secret, "/internal/cron", &Value::Null)
        .await
        .unwrap()
        .ok("ticking")
        .unwrap();
}

/// Applies for the chip and puts it into a module that is off.
pub async fn applied(world: &World, chip: &ChipRow) -> Module {
    world.apply(&chip.eid).await.unwrap();
    world.module(chip).unwrap()
}

/// Powers the module and asserts that the power cycle ended without a fault.
pub async fn power(module: &mut Module) -> PowerCycleReport {
    let report = module.power_on().await;
    assert!(report.finished(), "{report}");
    report
}

/// A string field of a document.
#[must_use]
pub fn text(document: &Value, field: &str) -> String {
    document[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {document}"))
        .to_owned()
}
