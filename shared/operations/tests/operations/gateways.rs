//! What gateways announce: what they can write, and the failed handshakes of chips.

use domain::error::{Error, Reason};
use domain::{DAY_MS, MINUTE_MS};
use operations::{
    ActNote, AlertView, Announcement, ChipCorrection, Corrected, GatewayWarning, ImportChoices, ImportReport,
    ImportWarning, WarningKind, announce_gateway, card_history, correct_chip, gateway_views, import_chips,
    list_alerts,
};
use test_support::inventory::{ChipCsv, chip_csv, eid};
use test_support::operations::{World, run};

use super::faults::leaves_nothing_behind;

/// What a gateway with these profiles and key versions announces.
fn announcement(gateway: &str, seq: i64, profiles: &[&str], key_versions: &[&str]) -> Announcement {
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    Announcement {
        gateway: gateway.to_owned(),
        instance: format!("instance of {gateway}"),
        seq,
        profiles: owned(profiles),
        key_versions: owned(key_versions),
        failed_handshakes: Vec::new(),
    }
}

/// What a gateway announces of the handshakes of chip 0.
fn failing(seq: i64, count: u32, failure: &str) -> Announcement {
    Announcement {
        failed_handshakes: vec![(eid(0), count, failure.to_owned())],
        ..announcement("gw-1", seq, &["qibiao-seed"], &["64"])
    }
}

fn announce(world: &World, announcement: &Announcement) -> bool {
    run(announce_gateway(&world.cx(), announcement)).unwrap()
}

/// Name, profiles, key versions and whether it is stale, of every gateway.
fn shown(world: &World) -> Vec<(String, String, String, bool)> {
    let views = run(gateway_views(&world.cx())).unwrap().into_iter();
    views
        .map(|view| {
            let (profiles, versions) = (view.profiles.join(" "), view.key_versions.join(" "));
            (view.name, profiles, versions, view.stale)
        })
        .collect()
}

fn alerts(world: &World) -> Vec<AlertView> {
    run(list_alerts(&world.cx(), true, None, 100)).unwrap()
}

fn gateway(name: &str, profiles: &str, versions: &str, stale: bool) -> (String, String, String, bool) {
    (name.to_owned(), profiles.to_owned(), versions.to_owned(), stale)
}

#[test]
fn a_gateway_is_shown_as_it_announced_itself_last() {
    let world = World::new();
    assert!(shown(&world).is_empty());
    assert!(!announce(&world, &announcement("gw-2", 1, &["b"], &[])));
    assert!(!announce(&world, &announcement("gw-1", 1, &["a", "b"], &["64"])));
    assert!(!announce(&world, &announcement("gw-1", 2, &["a"], &["64", "65"])));
    assert_eq!(
        shown(&world),
        [
            gateway("gw-1", "a", "64 65", false),
            gateway("gw-2", "b", "", false)
        ]
    );
    // A process that began anew counts from one again.
    let restarted = Announcement {
        instance: "another".to_owned(),
        ..announcement("gw-1", 1, &["c"], &[])
    };
    assert!(!announce(&world, &restarted));
    assert_eq!(shown(&world)[0], gateway("gw-1", "c", "", false));
}

#[test]
fn a_repeated_or_overtaken_announcement_changes_nothing() {
    let world = World::new();
    world.stocked(1, 0);
    announce(&world, &failing(2, 3, "wrong_key"));
    let before = world.dump();
    world.pass(MINUTE_MS);
    assert!(announce(&world, &failing(2, 3, "wrong_key")));
    assert!(announce(&world, &failing(1, 3, "wrong_key")));
    assert_eq!(world.dump(), before);
}

#[test]
fn a_silent_gateway_is_stale_after_ten_minutes_and_forgotten_after_seven_days() {
    let world = World::new();
    announce(&world, &announcement("gw-1", 1, &["a"], &[]));
    world.pass(10 * MINUTE_MS);
    assert!(!shown(&world)[0].3);
    world.pass(1);
    assert!(shown(&world)[0].3);
    world.pass(7 * DAY_MS - 10 * MINUTE_MS - 1);
    announce(&world, &announcement("gw-2", 1, &["a"], &[]));
    assert_eq!(shown(&world).len(), 2);
    world.pass(1);
    announce(&world, &announcement("gw-2", 2, &["a"], &[]));
    assert_eq!(shown(&world), [gateway("gw-2", "a", "", false)]);
}

#[test]
fn failed_handshakes_are_counted_on_their_chip_with_time_and_reason() {
    let world = World::new();
    world.stocked(2, 0);
    let failed = |chip| run(card_history(&world.cx(), &eid(chip))).unwrap().1;
    assert_eq!(
        (failed(0).count, failed(0).at, failed(0).failure),
        (0, None, None)
    );
    announce(&world, &failing(1, 3, "closed"));
    world.pass(MINUTE_MS);
    announce(&world, &failing(2, 1, "wrong_key"));
    let shown = failed(0);
    assert_eq!((shown.count, shown.at), (4, Some(world.time())));
    assert_eq!(shown.failure.as_deref(), Some("wrong_key"));
    assert_eq!(failed(1).count, 0);
    announce(&world, &failing(3, 1, "Not a word"));
    assert_eq!(failed(0).failure.as_deref(), Some("other"));
    assert!(
        alerts(&world).is_empty(),
        "a wrong key is no fault of the gateway"
    );
    // A chip that is not known is left out.
    let unknown = Announcement {
        failed_handshakes: vec![(eid(9), 1, "wrong_key".to_owned())],
        ..failing(4, 0, "")
    };
    assert!(!announce(&world, &unknown));
}

#[test]
fn the_operator_is_alerted_to_chips_for_which_a_gateway_has_no_usable_keys() {
    let world = World::new();
    world.stocked(3, 0);
    let failed = |chip| (eid(chip), 5, "no_master_key".to_owned());
    let both = Announcement {
        failed_handshakes: vec![failed(1), failed(0), failed(9)],
        ..failing(1, 0, "")
    };
    announce(&world, &both);
    let raised = alerts(&world);
    assert_eq!(raised.len(), 1, "one for each announcement");
    assert_eq!(raised[0].kind, "chip_keys_missing");
    for (name, value) in [
        ("gateway", "gw-1"),
        ("failure", "no_master_key"),
        ("key_version", "64"),
        ("eid", eid(1).as_str()),
        ("chips", "2"),
    ] {
        assert_eq!(raised[0].body[name], value, "{name}");
    }
    // The same chips again, then another failure, then the first one a day later.
    announce(
        &world,
        &Announcement {
            seq: 2,
            ..both.clone()
        },
    );
    assert_eq!(alerts(&world).len(), 1);
    announce(&world, &failing(3, 1, "keys_unusable"));
    assert_eq!(alerts(&world).len(), 2);
    world.pass(DAY_MS);
    announce(&world, &failing(4, 1, "keys_unusable"));
    assert_eq!(alerts(&world).len(), 3);
}

/// Imports chip 0, and chip 1 with keys of its own.
fn import(world: &World) -> ImportReport {
    let own = ChipCsv {
        psk: Some([0x11; 16]),
        ..ChipCsv::new(1)
    };
    world.chips(&world.client().client_id, &[ChipCsv::new(0), own])
}

/// The warnings about gateways; the chips of the tests have wrong check digits, too.
fn warnings(report: &ImportReport) -> Vec<&ImportWarning> {
    let of_gateways = |warning: &&ImportWarning| warning.kind != WarningKind::CheckDigitWrong;
    report.warnings.iter().filter(of_gateways).collect()
}

/// Line, column and reason of each error.
fn errors(report: &ImportReport) -> Vec<(u64, Option<&'static str>, Reason)> {
    let errors = report.errors.iter();
    errors
        .map(|error| (error.line, error.column, error.reason))
        .collect()
}

#[test]
fn a_chip_whose_profile_or_key_version_no_gateway_has_is_refused() {
    let world = World::new();
    announce(&world, &announcement("gw-1", 1, &["vendor-x"], &["64"]));
    announce(&world, &announcement("gw-2", 1, &["vendor-x", "vendor-y"], &[]));
    let report = import(&world);
    let unknown = |line, column| (line, Some(column), Reason::UnknownToGateways);
    assert_eq!(errors(&report), [unknown(2, "profile"), unknown(3, "profile")]);
    assert!(
        report.errors[0]
            .en
            .ends_with("profile qibiao-seed; announced: vendor-x, vendor-y")
    );
    assert_eq!(world.count("SELECT COUNT(*) FROM chip"), 0);

    announce(&world, &announcement("gw-2", 2, &["qibiao-seed"], &["65"]));
    announce(&world, &announcement("gw-1", 2, &["qibiao-seed"], &[]));
    let report = import(&world);
    assert_eq!(errors(&report), [unknown(2, "key_version")]);
    assert!(report.errors[0].en.ends_with("key_version 64; announced: 65"));
    assert_eq!(report.imported, 1, "keys of its own need no master key");
}

#[test]
fn a_value_that_only_some_gateways_have_is_a_warning_that_names_them() {
    let world = World::new();
    announce(&world, &announcement("gw-1", 1, &["qibiao-seed"], &["64"]));
    announce(&world, &announcement("gw-2", 1, &["qibiao-seed"], &["64"]));
    announce(&world, &announcement("gw-3", 1, &["generic-usim"], &["64"]));
    let report = import(&world);
    let shown = warnings(&report);
    assert_eq!((report.imported, shown.len()), (2, 1), "{report:?}");
    let warning = shown[0];
    assert_eq!(
        (
            warning.kind,
            warning.column.as_deref(),
            warning.line,
            warning.lines
        ),
        (WarningKind::KnownToSomeGateways, Some("profile"), 2, 2)
    );
    assert_eq!(warning.gateways, ["gw-1", "gw-2"]);
}

#[test]
fn chips_are_imported_with_a_warning_as_long_as_no_gateway_has_announced_itself() {
    let world = World::new();
    let report = import(&world);
    assert_eq!(report.imported, 2);
    let shown = warnings(&report);
    assert_eq!(shown.len(), 1, "{report:?}");
    assert_eq!(
        (shown[0].kind, shown[0].lines),
        (WarningKind::NoGatewayAnnounced, 2)
    );

    announce(&world, &announcement("gw-1", 1, &["qibiao-seed"], &["64"]));
    let caller = world.client().client_id;
    let report = world.chips(&caller, &[ChipCsv::new(2)]);
    assert_eq!((report.imported, warnings(&report).len()), (1, 0));
    // A chip that is there stays as it is when its profile goes.
    announce(&world, &announcement("gw-1", 2, &[], &[]));
    let report = world.chips(&caller, &[ChipCsv::new(2)]);
    assert_eq!((report.unchanged, report.rejected), (1, 0));
}

const NOTE: ActNote<'_> = ActNote {
    person: "王芳",
    text: "供应商更正",
};

/// Corrects chip 0 of `world` by a file, or shows what that would do.
fn correct_by_file(world: &World, chip: &ChipCsv, preview: bool) -> ImportReport {
    let choices = ImportChoices {
        correct: Some(NOTE),
        preview,
        ..ImportChoices::default()
    };
    let client = domain::ClientId::parse(&world.column("SELECT client_id FROM chip")[0]).unwrap();
    let file = chip_csv(std::slice::from_ref(chip));
    run(import_chips(
        &world.cx(),
        file.as_bytes(),
        Some(&client),
        &choices,
    ))
    .unwrap()
}

fn correct_profile(world: &World, profile: &str) -> Result<Corrected, Error> {
    let correction = ChipCorrection {
        profile: Some(profile.to_owned()),
        ..ChipCorrection::default()
    };
    run(correct_chip(&world.cx(), &eid(0), &correction, &NOTE))
}

#[test]
fn a_correction_to_a_profile_or_key_version_that_no_gateway_has_is_refused_and_changes_nothing() {
    let world = World::new();
    world.stocked(1, 0);
    announce(&world, &announcement("gw-1", 1, &["qibiao-seed"], &["64"]));
    let own_keys = ChipCsv {
        psk: Some([0x11; 16]),
        key_version: 65,
        ..ChipCsv::new(0)
    };
    let other_profile = ChipCsv {
        profile: "vendor-x".to_owned(),
        ..ChipCsv::new(0)
    };
    let other_version = ChipCsv {
        key_version: 65,
        ..ChipCsv::new(0)
    };
    for (chip, column) in [(&other_profile, "profile"), (&other_version, "key_version")] {
        let before = world.dump();
        let report = correct_by_file(&world, chip, true);
        assert_eq!(errors(&report), [(2, Some(column), Reason::UnknownToGateways)]);
        assert_eq!(world.dump(), before);
        let report = correct_by_file(&world, chip, false);
        assert_eq!(errors(&report), [(2, Some(column), Reason::UnknownToGateways)]);
    }
    let refused = correct_profile(&world, "vendor-x").unwrap_err();
    assert_eq!(
        (refused.reason(), refused.field()),
        (Reason::UnknownToGateways, Some("profile"))
    );
    assert!(
        refused
            .detail()
            .unwrap()
            .en
            .ends_with("profile vendor-x; announced: qibiao-seed")
    );
    assert_eq!(
        world.count("SELECT COUNT(*) FROM card_history WHERE reason = 'corrected'"),
        0
    );
    // With keys of its own the version is not looked at; it is again when they are taken away.
    assert_eq!(correct_by_file(&world, &own_keys, false).corrected, 1);
    let report = correct_by_file(&world, &other_version, false);
    assert_eq!(
        errors(&report),
        [(2, Some("key_version"), Reason::UnknownToGateways)]
    );
}

#[test]
fn what_a_correction_leaves_is_not_compared_and_what_only_some_gateways_have_is_a_warning() {
    let world = World::new();
    world.stocked(1, 0);
    let unannounced = WarningKind::NoGatewayAnnounced;
    let warned = correct_profile(&world, "vendor-x").unwrap().warnings;
    assert_eq!(
        (warned.len(), warned[0].kind, warned[0].column),
        (1, unannounced, None)
    );
    announce(&world, &announcement("gw-1", 1, &["qibiao-seed"], &["64"]));
    announce(&world, &announcement("gw-2", 1, &["generic-usim"], &["64"]));
    // No gateway has the profile of the chip any more, and that is not what is corrected.
    let other_model = ChipCsv {
        chip_model: "XK-2".to_owned(),
        profile: "vendor-x".to_owned(),
        ..ChipCsv::new(0)
    };
    let report = correct_by_file(&world, &other_model, false);
    assert_eq!((report.corrected, warnings(&report).len()), (1, 0), "{report:?}");

    let known = GatewayWarning {
        kind: WarningKind::KnownToSomeGateways,
        column: Some("profile"),
        gateways: vec!["gw-2".to_owned()],
    };
    let corrected = correct_profile(&world, "generic-usim").unwrap();
    assert_eq!(
        (corrected.changed, corrected.warnings),
        (vec!["profile"], vec![known])
    );
    assert_eq!(
        correct_profile(&world, "generic-usim").unwrap(),
        Corrected::default()
    );
    let first = ChipCsv {
        chip_model: "XK-2".to_owned(),
        ..ChipCsv::new(0)
    };
    for preview in [true, false] {
        let report = correct_by_file(&world, &first, preview);
        let shown = warnings(&report);
        assert_eq!((report.corrected, shown.len()), (1, 1), "{report:?}");
        assert_eq!(
            (shown[0].kind, shown[0].column.as_deref(), shown[0].line),
            (WarningKind::KnownToSomeGateways, Some("profile"), 2)
        );
        assert_eq!(shown[0].gateways, ["gw-1"]);
    }
}

#[test]
fn an_announcement_is_stored_whole_or_not_at_all() {
    let arrange = || {
        let world = World::new();
        world.stocked(1, 0);
        (world, ())
    };
    leaves_nothing_behind("announce", arrange, |world, ()| {
        run(announce_gateway(&world.cx(), &failing(1, 2, "no_master_key"))).map(drop)
    });
}
