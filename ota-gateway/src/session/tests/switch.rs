//! The switch from one K, OPc and IMSI to another, and cards that are busy meanwhile.

use super::*;

const EF_IMSI: u16 = 0x6F07;
const EF_SMSP: u16 = 0x6F42;
const BUSY: u16 = 0x9300;

/// A world whose profile loads keys in a command of their own.
fn two_commands(switch: &str) -> World {
    World::with_profile(|text| {
        text.replace("    { tag = 0x84, value = \"imsi\" },\n", "")
            .replace(
                "identity_switch = \"one-command\"",
                &format!("identity_switch = \"{switch}\""),
            )
    })
}

/// The commands of each script that was answered.
fn scripts(world: &World) -> Vec<Vec<String>> {
    let mut scripts = vec![Vec::new()];
    for event in &world.events {
        match event {
            SessionEvent::Script { .. } => scripts.push(Vec::new()),
            SessionEvent::Apdu(answered) => scripts.last_mut().unwrap().push(answered.description.clone()),
            _ => {}
        }
    }
    scripts
}

#[test]
fn a_switch_that_is_not_atomic_goes_alone_in_one_script() {
    let (mut world, mut card) = (two_commands("separate"), Card::seed());
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
    let scripts = scripts(&world);
    let with_keys: Vec<_> = scripts
        .iter()
        .filter(|script| script.contains(&"load key material".to_owned()))
        .collect();
    assert_eq!(
        with_keys,
        [&[
            "load key material",
            "SELECT ADF.USIM",
            "SELECT EF_IMSI",
            "UPDATE BINARY EF_IMSI"
        ]]
    );
}

#[test]
fn a_busy_card_between_keys_and_imsi_gets_its_imsi_in_the_same_session() {
    let (mut world, mut card) = (two_commands("separate"), Card::seed());
    card.busy.insert(EF_IMSI, 3);
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
    assert_eq!(card.key_loads.len(), 1);
}

#[test]
fn a_command_to_which_the_card_is_busy_is_sent_again() {
    for fid in [0x2FE2, EF_SMSP, EF_IMSI, 0x6F7E] {
        let (mut world, mut card) = (World::new(), Card::seed());
        card.busy.insert(fid, 5);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::LastScript("written"),
            "{fid:04X}"
        );
        assert_written(&card);
    }
}

#[test]
fn a_card_that_stays_busy_fails_only_in_the_next_session() {
    for fid in [EF_SMSP, EF_IMSI] {
        let (mut world, mut card) = (World::new(), Card::seed());
        card.busy.insert(fid, u32::MAX);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished("card_busy")
        );
        let failed = |world: &World| matches!(world.reports.last(), Some(ReportEvent::Failed { .. }));
        assert!(!failed(&world), "the first session ends without a verdict");
        card.power_cycle();
        assert_eq!(world.session(&mut card, None, None), Ending::Finished("failed"));
        assert!(
            matches!(world.reports.last(), Some(ReportEvent::Failed { detail, .. }) if detail.contains("9300"))
        );
    }
}

#[test]
fn a_card_that_is_no_longer_busy_in_the_next_session_is_written() {
    let (mut world, mut card) = (World::new(), Card::seed());
    card.busy.insert(EF_SMSP, u32::MAX);
    world.session(&mut card, None, None);
    card.power_cycle();
    card.busy.clear();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
}

#[test]
fn what_a_card_was_busy_with_in_another_attempt_does_not_count() {
    let (mut world, mut card) = (World::new(), Card::seed());
    card.busy.insert(EF_SMSP, u32::MAX);
    world.session(&mut card, None, None);
    world.attempt += 1;
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("card_busy")
    );
}

#[test]
fn a_card_that_is_busy_in_its_verification_is_not_written_again() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    card.register();
    card.refuse_read.insert(EF_IMSI, BUSY);
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("card_busy")
    );
    let judged = |report: &ReportEvent| matches!(report, ReportEvent::NotVerified { .. });
    assert!(
        !world.reports.iter().any(judged),
        "nothing is known about the number"
    );
    card.refuse_read.clear();
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("verified"));
}

#[test]
fn a_card_that_forgot_the_switch_at_power_up_gets_keys_and_imsi_again() {
    for switch in ["commit-at-refresh", "card-fallback"] {
        for keep in [true, false] {
            let whole = {
                let (mut world, mut card) = (two_commands(switch), Card::seed());
                world.session(&mut card, None, None);
                world.script_bytes.len()
            };
            for script in 0..whole {
                let (mut world, mut card) = (two_commands(switch), Card::seed());
                let old = card.content(EF_IMSI).to_vec();
                let cut = Some(Break::AfterRunning(script));
                let Ending::Broken { resume_at } = world.session(&mut card, None, cut) else {
                    panic!("the link did not break");
                };
                card.power_cycle();
                card.files.insert((0x7FFF, EF_IMSI), old);
                card.key_loads.clear();
                if !keep {
                    world.suspended = None;
                }
                assert_eq!(
                    world.session(&mut card, resume_at, None),
                    Ending::LastScript("written"),
                    "{switch}, script {script}"
                );
                assert_written(&card);
            }
        }
    }
}

#[test]
fn another_imsi_says_nothing_about_a_card_that_keeps_two_identities() {
    for (switch, expected) in [
        ("separate", true),
        ("commit-at-refresh", true),
        ("card-fallback", false),
    ] {
        let (mut world, mut card) = (two_commands(switch), Card::seed());
        world.work = Work::Verify;
        world.session(&mut card, None, None);
        let found = world.reports.iter().find_map(|report| match report {
            ReportEvent::NotVerified { other_imsi, .. } => Some(*other_imsi),
            _ => None,
        });
        assert_eq!(found, Some(expected), "{switch}");
    }
}
