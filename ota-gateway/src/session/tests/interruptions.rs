//! The link breaks at every possible point, once and twice; the gateway has kept the checkpoint or not.

use super::*;

/// Sessions until the card is written; fails if that takes too many.
fn write_with_breaks(world: &mut World, card: &mut Card, breaks: &[Break], keep: bool) -> usize {
    let mut resume_at = None;
    let mut sessions = 0;
    for cut in breaks.iter().copied().map(Some).chain([None, None]) {
        sessions += 1;
        match world.session(card, resume_at.take(), cut) {
            Ending::Broken { resume_at: cursor } => {
                card.power_cycle();
                resume_at = cursor;
                if !keep {
                    world.suspended = None;
                }
            }
            Ending::LastScript(_) => return sessions,
            other => panic!("{other:?} after {breaks:?}"),
        }
    }
    panic!("not written after {sessions} sessions with {breaks:?}");
}

fn assert_nothing_wrong_or_twice(card: &Card, breaks: &[Break], clean: &Card) {
    assert_written(card);
    assert_eq!(card.files, clean.files, "{breaks:?}");
    for update in &card.updates {
        assert!(
            clean.updates.contains(update),
            "{breaks:?}: {update:?} is not what was reserved"
        );
    }
    let mut repeated: Vec<u16> = card.updates.iter().map(|(fid, _)| *fid).collect();
    repeated.sort_unstable();
    let total = repeated.len();
    repeated.dedup();
    let lost_answers = breaks
        .iter()
        .filter(|cut| matches!(cut, Break::AfterRunning(_)))
        .count();
    if lost_answers == 0 {
        assert_eq!(repeated.len(), total, "{breaks:?}: a file was written twice");
    }
    assert!(
        card.key_loads.len() <= 1 + lost_answers,
        "{breaks:?}: key material loaded too often"
    );
    assert!(card.key_loads.iter().all(|load| *load == clean.key_loads[0]));
}

fn small_scripts() -> World {
    World::with_profile(|text| text.replace("max_script_bytes = 1024", "max_script_bytes = 192"))
}

fn undisturbed() -> (Card, usize) {
    let (mut world, mut card) = (small_scripts(), Card::seed());
    assert_eq!(write_with_breaks(&mut world, &mut card, &[], true), 1);
    (card, world.script_bytes.len())
}

#[test]
fn a_link_that_breaks_at_any_script_is_made_good_in_the_next_session() {
    let (clean, scripts) = undisturbed();
    assert!(scripts > 6, "{scripts}");
    for keep in [true, false] {
        for script in 0..scripts {
            for cut in [Break::BeforeRunning(script), Break::AfterRunning(script)] {
                let (mut world, mut card) = (small_scripts(), Card::seed());
                assert_eq!(
                    write_with_breaks(&mut world, &mut card, &[cut], keep),
                    2,
                    "{cut:?}"
                );
                assert_nothing_wrong_or_twice(&card, &[cut], &clean);
            }
        }
    }
}

#[test]
fn a_link_that_breaks_twice_is_made_good_too() {
    let (clean, scripts) = undisturbed();
    for first in 0..scripts {
        for second in 0..3 {
            let breaks = [Break::AfterRunning(first), Break::BeforeRunning(second)];
            let (mut world, mut card) = (small_scripts(), Card::seed());
            write_with_breaks(&mut world, &mut card, &breaks, true);
            assert_nothing_wrong_or_twice(&card, &breaks, &clean);
        }
    }
}

#[test]
fn a_kept_checkpoint_sends_the_missing_script_again_and_surveys_nothing_twice() {
    let (_, scripts) = undisturbed();
    let cut = Break::BeforeRunning(scripts - 2);
    let sent = |keep| {
        let (mut world, mut card) = (small_scripts(), Card::seed());
        write_with_breaks(&mut world, &mut card, &[cut], keep);
        world.script_bytes.len()
    };
    assert_eq!(
        sent(true),
        scripts + 1,
        "only the script that was lost is repeated"
    );
    assert!(sent(false) > sent(true));
}

#[test]
fn a_checkpoint_of_another_task_or_another_uri_is_not_used() {
    type Spoil = fn(&mut World, &mut Option<Cursor>);
    let spoils: [Spoil; 3] = [
        |world, _| world.attempt += 1,
        |_, cursor| cursor.as_mut().unwrap().seq += 5,
        |_, cursor| cursor.as_mut().unwrap().session = "other".into(),
    ];
    for spoil in spoils {
        let (mut world, mut card) = (small_scripts(), Card::seed());
        let Ending::Broken { mut resume_at } = world.session(&mut card, None, Some(Break::AfterRunning(3)))
        else {
            panic!("the link did not break");
        };
        world.events.clear();
        spoil(&mut world, &mut resume_at);
        assert_eq!(
            world.session(&mut card, resume_at, None),
            Ending::LastScript("written")
        );
        assert_eq!(world.commands()[1], "SELECT EF_ICCID");
        assert_eq!(
            world.commands()[2],
            "READ BINARY EF_ICCID",
            "the card is surveyed anew"
        );
        assert_written(&card);
    }
}

#[test]
fn a_verification_whose_link_breaks_is_done_again() {
    for cut in [Break::BeforeRunning(0), Break::AfterRunning(0)] {
        let (mut world, mut card) = (World::new(), Card::seed());
        world.session(&mut card, None, None);
        card.register();
        let Ending::Broken { resume_at } = world.session(&mut card, None, Some(cut)) else {
            panic!("the link did not break");
        };
        card.power_cycle();
        assert_eq!(
            world.session(&mut card, resume_at, None),
            Ending::Finished("verified")
        );
    }
}
