//! `kill -9` of the gateway and of the platform in the middle of writing: nothing acknowledged is lost, nothing is
//! written twice, and the next power-up ends in success.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use card_sim::{ChipId, Event, Module, Observer};
use test_support::address::own_address;
use test_support::components::{inventory, root};
use test_support::postgres_server::PostgresServer;
use test_support::process::{Node, Part, Starter, Victim};
use test_support::stack::{TestActions as _, applied, power};
use xieka::api::Api;
use xieka::demo::demo_env::DemoEnv;
use xieka::demo::world::World;
use xieka_tests::chaos::{Engine, Plan, run};

/// Kills a process when the chip runs its n-th command.
struct KillAtCommand {
    countdown: AtomicU64,
    victim: Victim,
}

impl Observer for KillAtCommand {
    fn event(&self, _chip: &ChipId, event: &Event) {
        if matches!(event, Event::Apdu { .. }) && self.countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.victim.kill();
        }
    }
}

/// Platform and gateway as two processes with fixed addresses, and the data of the demonstration.
struct Processes {
    host: Option<Node>,
    gateway: Option<Node>,
    starter: Starter,
    world: World,
}

impl Processes {
    async fn start(chips: u32) -> Self {
        let demo_env = DemoEnv::new().await.unwrap();
        let folder = demo_env.state_dir().to_owned();
        demo_env.secrets.write_new(&folder.join(".env")).unwrap();
        let starter = Starter {
            program: env!("CARGO_BIN_EXE_chaos").into(),
            root: root(),
            folder,
            platform: own_address().unwrap(),
            gateway: own_address().unwrap(),
            ahead_secs: 0,
        };
        let host = starter.start(Part::Host).await.unwrap();
        let gateway = starter.start(Part::Gateway).await.unwrap();
        let api = Api::new(format!("http://{}", starter.platform));
        let world = World::prepare(demo_env, api, starter.gateway, inventory(chips), &|_, _| {})
            .await
            .unwrap();
        Self {
            host: Some(host),
            gateway: Some(gateway),
            starter,
            world,
        }
    }

    async fn restart_host(&mut self) {
        self.host = None;
        self.host = Some(self.starter.start(Part::Host).await.unwrap());
    }

    async fn restart_gateway(&mut self) {
        self.gateway = None;
        self.gateway = Some(self.starter.start(Part::Gateway).await.unwrap());
    }

    /// A module whose chip has been applied for; its n-th command kills the process.
    async fn module_that_kills(&self, index: usize, victim: &Node, nth: u64) -> Module {
        let mut module = applied(&self.world, &self.world.inventory.chips[index]).await;
        module.observe(Arc::new(KillAtCommand {
            countdown: AtomicU64::new(nth),
            victim: victim.victim(),
        }));
        module
    }
}

/// The commands of the chip at which the process is killed: reading, writing, keys, reading back.
const KILL_AT_COMMANDS: [u64; 5] = [1, 9, 17, 25, 33];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_loses_nothing() {
    let mut processes = Processes::start(u32::try_from(KILL_AT_COMMANDS.len()).unwrap()).await;
    for (index, nth) in KILL_AT_COMMANDS.into_iter().enumerate() {
        let mut module = processes
            .module_that_kills(index, processes.gateway.as_ref().unwrap(), nth)
            .await;
        let report = module.power_on().await;
        assert!(!report.finished(), "the gateway was not killed in time: {report}");
        let eid = processes.world.inventory.chips[index].eid.clone();
        assert_eq!(processes.world.card(&eid).await.0, "写卡中");
        processes.restart_gateway().await;
        power(&mut module).await;
        processes.world.callbacks(index + 1).await;
        processes.world.assert_written(&module).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_platform_loses_nothing_that_was_acknowledged() {
    let mut processes = Processes::start(u32::try_from(KILL_AT_COMMANDS.len()).unwrap()).await;
    for (index, nth) in KILL_AT_COMMANDS.into_iter().enumerate() {
        let mut module = processes
            .module_that_kills(index, processes.host.as_ref().unwrap(), nth)
            .await;
        module.settings_mut().max_duration = Duration::from_secs(30);
        let powering = tokio::spawn(async move {
            module.power_on().await;
            module
        });
        let victim = processes.host.as_ref().unwrap().victim();
        // The platform restarts while the device may still be powered; the gateway waits for it.
        let killed = async {
            while !victim.is_dead() {
                assert!(!powering.is_finished(), "the chip ran fewer than {nth} commands");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        killed.await;
        processes.restart_host().await;
        let mut module = powering.await.unwrap();
        let eid = processes.world.inventory.chips[index].eid.clone();
        if processes.world.card(&eid).await.0 != "写卡成功" {
            assert_eq!(processes.world.card(&eid).await.0, "写卡中", "the task survived");
            power(&mut module).await;
        }
        processes.world.callbacks(index + 1).await;
        processes.world.assert_written(&module).await;
    }
}

// The short form of `cargo run --bin chaos`.
#[tokio::test(flavor = "multi_thread")]
async fn random_kills_lose_duplicate_and_invent_nothing() {
    let plan = Plan {
        kills: 6,
        cards: 1_000,
        seed: 20_260_701,
        program: env!("CARGO_BIN_EXE_chaos").into(),
        root: root(),
        engine: Engine::Files,
    };
    let tally = run(&plan).await.unwrap();
    assert_eq!(tally.killed.values().sum::<u32>(), plan.kills);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_with_postgresql_and_redis_nothing_is_lost_or_doubled() {
    on_servers(Engine::Servers).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_takes_the_place_of_its_server_and_nothing_is_lost_or_doubled() {
    on_servers(Engine::Replica).await;
}

async fn on_servers(engine: Engine) {
    if PostgresServer::shared().is_none() {
        return;
    }
    let plan = Plan {
        kills: 6,
        cards: 1_000,
        seed: 20_261_127,
        program: env!("CARGO_BIN_EXE_chaos").into(),
        root: root(),
        engine,
    };
    let tally = run(&plan).await.unwrap();
    assert_eq!(tally.killed.values().sum::<u32>(), plan.kills);
}
