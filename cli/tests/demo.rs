//! The demonstration, as the README has it.

use std::process::Command;

fn demo(chips: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_xieka"))
        .args(["demo", "--chips", chips])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap_or_else(|error| panic!("the demonstration did not start: {error}"));
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
    )
}

#[test]
fn the_demonstration_of_one_card_shows_every_step_and_succeeds() {
    let (success, shown) = demo("1");
    assert!(success, "{shown}");
    for step in [
        "POST /admin/v1/chips:import",
        "GET /v1/write/apply",
        "OPEN CHANNEL",
        "TLSv1.2 PSK-AES128",
        "UPDATE BINARY EF_IMSI",
        "REFRESH",
        "写卡成功, 100%",
        "both signatures valid",
    ] {
        assert!(shown.contains(step), "{step} is not shown:\n{shown}");
    }
}

#[test]
fn the_demonstration_of_many_cards_writes_each_with_a_number_of_its_own() {
    let (success, shown) = demo("25");
    assert!(success, "{shown}");
    assert!(
        shown.contains("25 × 写卡成功") && shown.contains("25 different numbers in 25 chips"),
        "{shown}"
    );
}
