//! `kill -9` of the gateway and of the platform in the middle of writing: nothing acknowledged is lost, nothing is
//! written twice, and the next power-up ends in success.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use card_sim::{ChipId, Event, Module, Observer};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use xieka::api::Api;
use xieka::demo::world::{Ground, World};

use crate::support::{Doors as _, applied, inventory, own_address, power, root};

/// A part of the product as a process.
struct Node(Arc<Mutex<std::process::Child>>);

impl Node {
    /// Starts a part and waits until it serves.
    async fn start(part: &str, folder: &std::path::Path, platform: SocketAddr, listen: SocketAddr) -> Self {
        let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_node"))
            .arg(part)
            .arg(folder)
            .args([platform.to_string(), listen.to_string()])
            .current_dir(root())
            // Its end tells the node that this process is gone.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = tokio::process::ChildStdout::from_std(child.stdout.take().unwrap()).unwrap();
        let node = Self(Arc::new(Mutex::new(child)));
        let line = BufReader::new(stdout).lines().next_line().await.unwrap();
        assert!(
            line.is_some_and(|line| line.starts_with("serving")),
            "{part} did not start"
        );
        node
    }
}

/// `kill -9`, and the process is gone when this returns.
fn kill(child: &Mutex<std::process::Child>) {
    let mut child = child.lock().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

impl Drop for Node {
    fn drop(&mut self) {
        kill(&self.0);
    }
}

/// Kills a process when the chip has run its n-th command.
struct KillAt {
    countdown: AtomicU64,
    child: Arc<Mutex<std::process::Child>>,
}

impl Observer for KillAt {
    fn event(&self, _chip: &ChipId, event: &Event) {
        if matches!(event, Event::Apdu { .. }) && self.countdown.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill(&self.child);
        }
    }
}

/// Platform and gateway as two processes with fixed addresses, and a world on top.
struct Processes {
    host: Option<Node>,
    gateway: Option<Node>,
    folder: PathBuf,
    host_address: SocketAddr,
    world: World,
}

impl Processes {
    async fn start(chips: u32) -> Self {
        let ground = Ground::new().await.unwrap();
        let folder = ground.state_dir().to_owned();
        ground.secrets.write_new(&folder.join(".env")).unwrap();
        let (host_address, gateway_address) = (own_address(), own_address());
        let host = Node::start("host", &folder, host_address, host_address).await;
        let gateway = Node::start("gateway", &folder, host_address, gateway_address).await;
        let api = Api::new(format!("http://{host_address}"));
        let world = World::prepare(ground, api, gateway_address, inventory(chips), &|_, _| {})
            .await
            .unwrap();
        Self {
            host: Some(host),
            gateway: Some(gateway),
            folder,
            host_address,
            world,
        }
    }

    async fn restart_host(&mut self) {
        self.host = None;
        self.host = Some(Node::start("host", &self.folder, self.host_address, self.host_address).await);
    }

    async fn restart_gateway(&mut self) {
        self.gateway = None;
        let listen = self.world.gateway;
        self.gateway = Some(Node::start("gateway", &self.folder, self.host_address, listen).await);
    }

    /// A module whose chip has been applied for, and which kills `victim` at its n-th command.
    async fn doomed(&self, index: usize, victim: &Node, nth: u64) -> Module {
        let mut module = applied(&self.world, &self.world.inventory.chips[index]).await;
        module.observe(Arc::new(KillAt {
            countdown: AtomicU64::new(nth),
            child: victim.0.clone(),
        }));
        module
    }
}

/// At which commands of the chip the process is killed: reading, writing, keys, reading back.
const MOMENTS: [u64; 5] = [1, 9, 17, 25, 33];

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_gateway_loses_nothing() {
    let mut processes = Processes::start(u32::try_from(MOMENTS.len()).unwrap()).await;
    for (index, nth) in MOMENTS.into_iter().enumerate() {
        let mut module = processes
            .doomed(index, processes.gateway.as_ref().unwrap(), nth)
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
    let mut processes = Processes::start(u32::try_from(MOMENTS.len()).unwrap()).await;
    for (index, nth) in MOMENTS.into_iter().enumerate() {
        let mut module = processes
            .doomed(index, processes.host.as_ref().unwrap(), nth)
            .await;
        module.settings_mut().max_duration = Duration::from_secs(30);
        let powering = tokio::spawn(async move {
            module.power_on().await;
            module
        });
        let victim = processes.host.as_ref().unwrap().0.clone();
        // The platform comes back while the device may still be powered: the gateway waits for it a while.
        let killed = async {
            while victim.lock().unwrap().try_wait().unwrap().is_none() {
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
