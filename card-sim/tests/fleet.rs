//! Many chips in one process, and the program's inventory file.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::sync::Arc;

use card_sim::inventory::Inventory;
use card_sim::{Module, ModuleSettings, Personalisation, VirtualNetwork, power_all};
use test_support::admin_server::{Server, no_content};
use test_support::chip::{DEK, PSK};
use test_support::eid::eid_text;

fn fleet(count: u32, gateway: std::net::SocketAddr) -> Vec<Module> {
    let network = Arc::new(VirtualNetwork::open());
    (0..count)
        .map(|serial| {
            let card = Personalisation::builder(eid_text(serial).parse().unwrap(), PSK, DEK)
                .imsi(format!("46000{serial:010}"))
                .gateway(gateway);
            Module::new(
                card.build().unwrap(),
                ModuleSettings::default(),
                Arc::clone(&network),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_module_of_a_fleet_is_powered_once_and_comes_back() {
    let server = Server::by_uri(vec![("/adminagent", no_content(None))]);
    let mut ids = Vec::new();
    power_all(fleet(40, server.address), 8, |module, report| {
        assert!(report.finished(), "{report}");
        ids.push(module.id());
    })
    .await;
    assert_eq!(server.posts().len(), 40);
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
}

#[tokio::test]
async fn thousands_of_chips_that_may_not_speak_settle_quickly() {
    // No server at all: with an exhausted allowance no chip opens a channel.
    let network = Arc::new(VirtualNetwork::open());
    let modules = (0..2000).map(|serial| {
        let card = Personalisation::builder(eid_text(serial).parse().unwrap(), PSK, DEK).allowance(0);
        Module::new(
            card.build().unwrap(),
            ModuleSettings::default(),
            Arc::clone(&network),
        )
    });
    let mut settled = 0;
    power_all(modules, 64, |_, report| {
        assert_eq!(report.sessions, []);
        settled += 1;
    })
    .await;
    assert_eq!(settled, 2000);
}

#[test]
fn the_shipped_example_describes_chips() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/chips.toml");
    let cards = Inventory::read(&file).unwrap().personalise().unwrap();
    assert_eq!(cards.len(), 2);
}

#[test]
fn the_program_says_what_became_of_each_chip() {
    let server = Server::by_uri(vec![("/adminagent", no_content(None))]);
    let folder = std::env::temp_dir().join(format!("card-sim-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("chips.toml");
    let key = hex::encode(PSK);
    let text = format!(
        "gateway = \"{}\"\n[[chips]]\neid = \"{}\"\npsk = \"{key}\"\ndek = \"{key}\"\n",
        server.address,
        eid_text(7)
    );
    std::fs::write(&file, text).unwrap();
    let run = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_card-sim"))
            .arg(&file)
            .args(arguments)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let (code, out, _) = run(&["--power-ups", "2"]);
    assert_eq!(
        (code, out.matches("session finished").count()),
        (Some(0), 2),
        "{out}"
    );
    let (_, verbose, _) = run(&["--verbose"]);
    assert!(verbose.contains("OPEN CHANNEL") && !verbose.contains(&eid_text(7)) && !verbose.contains(&key));
    server.posts();
    let (code, ..) = run(&[]);
    assert_eq!(code, Some(1));
    std::fs::write(&file, "gateway = 1").unwrap();
    let (code, _, err) = run(&[]);
    assert_eq!(code, Some(2), "{err}");
    std::fs::remove_dir_all(&folder).unwrap();
}
