//! The program around the library: settings, exit codes, signals, logs.

use std::process::Stdio;

use ota_gateway::keys::Purpose;
use test_support::eid::EID;
use test_support::gateway::agent::{Agent, FIRST_URI, Tls};
use test_support::gateway::card::Card;
use test_support::gateway::platform::{PlatformBehaviour, PlatformStub};
use test_support::gateway::{GATEWAY_SECRET, chip_key, link_key, master_keys};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;

fn program(variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ota-gateway"));
    command.env_clear().envs(
        variables
            .iter()
            .map(|(name, value)| (format!("XIEKA_GATEWAY_{name}"), value)),
    );
    command.kill_on_drop(true);
    command
}

fn variables(platform: &str) -> Vec<(&'static str, String)> {
    vec![
        ("PLATFORM_URL", platform.to_owned()),
        ("LISTEN", "127.0.0.1:0".to_owned()),
        ("METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ("GATEWAY_SECRET", GATEWAY_SECRET.to_owned()),
        ("LINK_KEY", link_key()),
        ("MASTER_KEYS", master_keys()),
        ("LOG_FORMAT", "json".to_owned()),
        ("LOG_FILTER", "trace".to_owned()),
    ]
}

#[tokio::test]
async fn settings_that_cannot_work_end_the_program_with_their_name() {
    let good = variables("http://127.0.0.1:9");
    let checked = program(&good).arg("--check").output().await.unwrap();
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    for (name, value, expected) in [
        (
            "PLATFORM_URL",
            "http://platform.example",
            "plain HTTP to platform.example",
        ),
        ("LINK_KEY", "zz", "link_key"),
        ("MASTER_KEYS", "64:zz", "master_keys"),
        ("PROFILES_DIR", "/nowhere", "/nowhere"),
        ("SURPRISE", "1", "XIEKA_GATEWAY_SURPRISE"),
        ("LOG_FILTER", "=,=", "log_filter"),
    ] {
        let mut spoiled = good.clone();
        spoiled.retain(|(other, _)| *other != name);
        spoiled.push((name, value.to_owned()));
        let ended = program(&spoiled).output().await.unwrap();
        let printed = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(
            !ended.status.success() && printed.contains(expected),
            "{printed:?} lacks {expected:?}"
        );
        assert!(!printed.contains(GATEWAY_SECRET) && !printed.contains(&link_key()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_writes_a_card_ends_on_sigterm_and_its_log_shows_no_secret() {
    let platform = PlatformStub::start(PlatformBehaviour::default()).await;
    let mut running = program(&variables(&format!("http://{}", platform.addr())))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut log = BufReader::new(running.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("gateway listens") {
        assert!(
            log.read_line(&mut printed).await.unwrap() > 0,
            "the program ended: {printed}"
        );
    }
    let line: serde_json::Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
    let addr = line["fields"]["addr"].as_str().unwrap().parse().unwrap();

    let mut card = Card::seed();
    let mut agent = Agent::connect_with(addr, Tls::default()).await.unwrap();
    let first = agent.begin(FIRST_URI, false).await;
    agent.run(&mut card, first).await;
    assert_eq!(card.refreshes, 1);
    assert!(agent.is_closed().await);

    let pid = running.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    log.read_to_string(&mut printed).await.unwrap();
    assert!(running.wait().await.unwrap().success());

    assert!(
        printed.contains("session ends") && printed.contains("890860****0090"),
        "{printed}"
    );
    let secrets = [
        EID.to_owned(),
        GATEWAY_SECRET.to_owned(),
        link_key(),
        master_keys(),
        hex::encode(chip_key(Purpose::Psk)),
        hex::encode(chip_key(Purpose::Dek)),
        hex::encode(&card.key_loads[0][2..18]),
        "460001357924680".to_owned(),
        "084906003175296408".to_owned(),
    ];
    for secret in secrets {
        assert!(!printed.contains(&secret), "{secret} is in the log");
    }
}
