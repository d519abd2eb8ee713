//! What a session does when nothing goes wrong, step by step.

use super::*;

#[test]
fn a_seed_card_is_surveyed_written_read_back_and_told_to_start_over() {
    let (mut world, mut card) = (World::new(), Card::seed());
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
    assert_eq!(card.refreshes, 1);
    assert_eq!(card.key_loads.len(), 1);
    assert_eq!(world.reports.last(), Some(&ReportEvent::Written));
    assert_eq!(card.content(0x6F7E).last(), Some(&1));
    let commands = world.commands();
    let first_update = commands
        .iter()
        .position(|command| command.starts_with("UPDATE"))
        .unwrap();
    let reads_before = commands[..first_update]
        .iter()
        .filter(|command| command.starts_with("READ"))
        .count();
    assert_eq!(reads_before, 13, "every file is read before any is written");
    assert_eq!(
        commands
            .iter()
            .filter(|command| command.contains("EF_IMSI") && !command.starts_with("READ"))
            .filter(|command| !command.starts_with("SELECT"))
            .collect::<Vec<_>>(),
        ["load key material and EF_IMSI"],
        "keys and IMSI change in one command"
    );
}

#[test]
fn progress_grows_with_every_acknowledged_script_and_keeps_its_total() {
    let mut world =
        World::with_profile(|text| text.replace("max_script_bytes = 1024", "max_script_bytes = 128"));
    let mut card = Card::seed();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    let progress: Vec<(u32, u32)> = world
        .reports
        .iter()
        .filter_map(|report| match report {
            ReportEvent::Progress { step, steps } => Some((*step, *steps)),
            _ => None,
        })
        .collect();
    assert!(progress.len() > 8, "{progress:?}");
    assert!(
        progress
            .windows(2)
            .all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1),
        "{progress:?}"
    );
    assert!(progress.iter().all(|(step, steps)| step < steps));
}

#[test]
fn scripts_keep_to_the_profile_and_to_the_record_the_chip_asked_for() {
    let mut world = World::new();
    assert_eq!(
        world.session(&mut Card::seed(), None, None),
        Ending::LastScript("written")
    );
    assert!(
        world.script_bytes.iter().all(|bytes| *bytes <= 1024),
        "{:?}",
        world.script_bytes
    );
    let few = world.script_bytes.len();
    let mut world = World {
        max_fragment: Some(512),
        ..World::new()
    };
    let mut card = Card::seed();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
    assert!(
        world.script_bytes.iter().all(|bytes| *bytes <= 512 - 320),
        "{:?}",
        world.script_bytes
    );
    assert!(world.script_bytes.len() > few);
}

#[test]
fn files_are_selected_by_path_where_the_profile_says_so() {
    for without_aid in [false, true] {
        let mut world = World::with_profile(|text| {
            let text = text.replace("style = \"fid\"", "style = \"path\"");
            if without_aid {
                text.replace("usim_aid = \"A0000000871002\"", "")
            } else {
                text
            }
        });
        let mut card = Card::seed();
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::LastScript("written")
        );
        assert_written(&card);
    }
}

#[test]
fn an_rfm_application_of_the_usim_needs_no_aid() {
    let mut world = World::with_profile(|text| text.replace("usim_aid = \"A0000000871002\"", ""));
    let mut card = Card::seed();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_written(&card);
}

#[test]
fn writing_a_written_card_again_changes_no_file_of_the_identity() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    card.power_cycle();
    let (updates, keys) = (card.updates.len(), card.key_loads.len());
    // As if the platform had not received the report.
    world.work = Work::Write;
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_eq!(card.updates.len(), updates);
    assert_eq!(
        card.key_loads.len(),
        keys,
        "acknowledged key material is not loaded again"
    );
    assert_written(&card);
}

#[test]
fn a_card_that_refreshes_by_itself_is_not_ordered_to() {
    let mut world = World {
        profile: "generic-usim".into(),
        ..World::new()
    };
    let mut card = Card::seed();
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("written"));
    assert_eq!(card.refreshes, 0);
    assert_written(&card);
}

#[test]
fn a_registered_card_that_holds_what_was_reserved_is_verified() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    card.register();
    let updates = card.updates.len();
    world.data.k_wrapped = None;
    world.data.opc_wrapped = None;
    world.allowance = None;
    assert_eq!(world.session(&mut card, None, None), Ending::Finished("verified"));
    assert_eq!(world.reports.last(), Some(&ReportEvent::Verified));
    assert_eq!(card.updates.len(), updates, "a verification writes nothing");
}

#[test]
fn a_card_that_did_not_register_stays_unverified_and_is_not_rewritten() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    card.power_cycle();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("not_registered")
    );
    assert!(matches!(
        world.reports.last(),
        Some(ReportEvent::NotVerified { rewrite: false, .. })
    ));
    assert_eq!(card.refreshes, 1);
}

#[test]
fn an_order_to_start_over_that_was_lost_with_the_link_is_given_again() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    let refreshes = card.refreshes;
    let resumed = Some(Cursor {
        session: "t1".into(),
        seq: 9,
    });
    assert_eq!(
        world.session(&mut card, resumed, None),
        Ending::LastScript("not_registered")
    );
    assert_eq!(card.refreshes, refreshes + 1);
}

#[test]
fn one_updated_location_file_is_proof_enough() {
    for (registered, proven) in [(0x6F7E, true), (0x6FE3, true), (0x6F73, false)] {
        let (mut world, mut card) = (World::new(), Card::seed());
        world.session(&mut card, None, None);
        *card
            .files
            .get_mut(&(0x7FFF, registered))
            .unwrap()
            .last_mut()
            .unwrap() = 0;
        let ending = world.session(&mut card, None, None);
        assert_eq!(ending == Ending::Finished("verified"), proven, "{registered:04X}");
    }
}

#[test]
fn a_card_that_holds_something_else_is_written_again_in_the_same_session_if_the_platform_says_so() {
    for at_once in [false, true] {
        let (mut world, mut card) = (
            World {
                rewrites_at_once: at_once,
                ..World::new()
            },
            Card::seed(),
        );
        world.session(&mut card, None, None);
        card.files.insert((0x7FFF, 0x6F07), vec![0xFF; 9]);
        let ending = world.session(&mut card, None, None);
        if at_once {
            assert_eq!(ending, Ending::LastScript("written"));
            assert_written(&card);
            assert_eq!(card.key_loads.len(), 2, "a new attempt loads its key material");
        } else {
            assert_eq!(ending, Ending::Finished("not_verified"));
        }
        let rewrite = world.reports.iter().any(|report| {
            matches!(report, ReportEvent::NotVerified { rewrite: true, detail, .. } if detail.contains("EF_IMSI"))
        });
        assert!(rewrite, "{:?}", world.reports);
    }
}

#[test]
fn only_another_imsi_that_can_be_read_is_reported_as_another_one() {
    // Of other SIM cards: 460 00 1357924681, and no IMSI at all.
    for (held, other_imsi) in [("084906003175296418", true), ("ffffffffffffffffff", false)] {
        let (mut world, mut card) = (World::new(), Card::seed());
        world.work = Work::Verify;
        card.files.insert((0x7FFF, 0x6F07), hex::decode(held).unwrap());
        world.session(&mut card, None, None);
        assert!(
            matches!(world.reports[0], ReportEvent::NotVerified { other_imsi: found, .. } if found == other_imsi),
            "{held}: {:?}",
            world.reports
        );
    }
}

#[test]
fn the_iccid_counts_in_a_verification_only_where_it_had_to_be_written() {
    for (rule, ending) in [("write", "not_verified"), ("optional", "verified")] {
        let rule = format!("iccid = \"{rule}\"");
        let mut world = World::with_profile(|profile| {
            profile
                .replace("iccid = \"write\"", &rule)
                .replace("efs = [\"iccid\", ", "efs = [")
        });
        let mut card = Card::seed();
        world.session(&mut card, None, None);
        card.register();
        card.files.insert((0x3F00, 0x2FE2), vec![0x98; 10]);
        assert_eq!(
            world.session(&mut card, None, None),
            Ending::Finished(ending),
            "{rule}"
        );
    }
}

#[test]
fn a_kept_iccid_is_never_touched() {
    let mut world = World::with_profile(|text| {
        text.replace("iccid = \"write\"", "iccid = \"keep\"")
            .replace("efs = [\"iccid\", ", "efs = [")
    });
    let mut card = Card::seed();
    let before = card.content(0x2FE2).to_vec();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_eq!(card.content(0x2FE2), before);
    assert!(world.commands().iter().all(|command| !command.contains("ICCID")));
}

#[test]
fn a_session_without_work_ends_at_once() {
    let mut world = World {
        work: Work::None,
        ..World::new()
    };
    assert_eq!(
        world.session(&mut Card::seed(), None, None),
        Ending::Finished("nothing_to_do")
    );
    assert!(world.reports.is_empty());
}

#[test]
fn key_material_is_never_shown() {
    let (mut world, mut card) = (World::new(), Card::seed());
    world.session(&mut card, None, None);
    let loaded = hex::encode(&card.key_loads[0]);
    let shown = format!("{:?}", world.events);
    assert!(
        shown.contains("load key material") && !shown.contains(&loaded[..32]),
        "{shown}"
    );
}
