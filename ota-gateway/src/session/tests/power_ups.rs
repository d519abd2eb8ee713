//! Cards that say by which power-up they come (§5.2.1.2).

use super::*;

const ADF: u16 = 0x7FFF;
const COUNTER: u16 = 0x6F99;

/// A profile with a boot counter before its other files.
fn named(text: &str) -> String {
    let file = "\n[[file]]\npath = \"ADF/6F99\"\nef = \"powerups\"\n";
    text.replacen("\n[[file]]\n", &format!("{file}\n[[file]]\n"), 1)
}

/// A world whose profile names a boot counter.
fn world() -> World {
    World::with_profile(|text| named(&text))
}

fn card() -> Card {
    let mut card = Card::seed();
    card.files.insert((ADF, COUNTER), vec![0x00, 0x2A]);
    card
}

fn markers(world: &World) -> Vec<&str> {
    let found = world.reports.iter().filter_map(|report| match report {
        ReportEvent::PoweredUp { marker } => Some(marker.as_str()),
        _ => None,
    });
    found.collect()
}

#[test]
fn the_platform_learns_of_the_power_up_once_before_anything_is_written() {
    let (mut world, mut card) = (world(), card());
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert_eq!(markers(&world), ["002a"]);
    assert_eq!(world.reports[0].kind(), "powered_up");
    assert_eq!(card.content(COUNTER), [0x00, 0x2A], "it is never written");
    assert_written(&card);
    card.register();
    world.session(&mut card, None, None);
    assert_eq!(markers(&world).len(), 1, "a verification is no request");
}

#[test]
fn a_power_up_whose_session_failed_gets_nothing_written() {
    let mut world = World {
        power_up_is_spent: true,
        ..world()
    };
    let mut card = card();
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::Finished("stopped_by_platform")
    );
    assert_eq!(markers(&world), ["002a"]);
    assert!(card.updates.is_empty() && card.key_loads.is_empty());
}

#[test]
fn a_card_without_the_counter_is_written_all_the_same() {
    let (mut world, mut card) = (world(), Card::seed());
    assert_eq!(
        world.session(&mut card, None, None),
        Ending::LastScript("written")
    );
    assert!(markers(&world).is_empty());
    assert_written(&card);
}

#[test]
fn a_counter_of_power_ups_is_not_read_back() {
    let text = named(crate::profile::SHIPPED[1]).replace("efs = [", "efs = [\"powerups\", ");
    let error = format!("{:#}", Profile::parse(&text).unwrap_err());
    assert!(error.contains("read_back.efs"), "{error}");
}
