//! A database that gets another index key: everything is found under the new key alone, and nothing of the old is left.

mod world;

use std::collections::BTreeSet;

use domain::CardStatus;
use domain::error::{Error, Reason};
use operations::{TaskRef, cancel, status};
use rusqlite::types::ValueRef;
use store::reindex::{Reindex, ReindexError, Reindexed, reindex};
use store::sealed::{RowKey, SEALED_TABLES};
use store::{check_keys, transaction};
use test_support::eid::eid_text;
use test_support::inventory::{ChipCsv, NumberCsv, eid};
use test_support::operations::{World, reason, run};
use test_support::settings::{sealing_key, variables, vault};
use vault::{Vault, VaultSettings};

use super::faults::leaves_nothing_behind;
use super::imports::row_errors;
use world::{rich, seen};

/// The keys of the tests, with another index key.
pub(super) fn next_keys() -> Vault {
    let known = variables();
    Vault::from_settings(VaultSettings {
        sealing_keys: Some(&sealing_key(1)),
        index_key: &hex::encode([0x2e; 32]),
        home_key: known.home_key.as_ref().map(|key| key.as_str()),
        token_key: known.token_key.as_ref().map(|key| key.as_str()),
        link_key: known.link_key.as_ref().map(|key| key.as_str()),
        transport_keys: known.transport_keys.as_ref().map(|keys| keys.as_str()),
    })
    .unwrap()
}

pub(super) fn start(world: &World) -> Result<bool, Error> {
    run(check_keys(&world.db, &world.vault, world.time()))
}

pub(super) fn try_reindex(
    world: &World,
    new: &Vault,
    end_old_secrets: bool,
) -> Result<Reindexed, ReindexError> {
    let how = Reindex {
        old: &world.vault,
        new,
        random: &world.random,
        now: world.time(),
        end_old_secrets,
    };
    run(transaction(&world.db, async |tx| reindex(tx, &how).await))
}

/// Gives the database the next key, and the platform, too.
pub(super) fn change(world: &mut World) -> Reindexed {
    let new = next_keys();
    let done = try_reindex(world, &new, false).unwrap();
    world.vault = new;
    done
}

/// The columns of blind indexes that the schema has, but those of the tables of days.
fn index_columns(world: &World) -> Vec<String> {
    world.column(
        "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.name LIKE '%~_index' ESCAPE '~' AND t.name NOT LIKE 'call~_log~_%' ESCAPE '~' \
         ORDER BY 1",
    )
}

/// Calls `look` for every value of every row of every table, with the names of table and column.
fn each_value(world: &World, mut look: impl FnMut(&str, &str, ValueRef<'_>)) {
    for table in world.column("SELECT name FROM sqlite_master WHERE type = 'table'") {
        let connection = world.db.inner.connection();
        let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for (at, name) in names.iter().enumerate() {
                look(&table, name, row.get_ref(at).unwrap());
            }
        }
    }
}

/// Every blind index and digest of the database.
fn indexes(world: &World) -> BTreeSet<Vec<u8>> {
    let mut out = BTreeSet::new();
    each_value(world, |_, column, value| {
        if let ValueRef::Blob(bytes) = value
            && (column.ends_with("_index") || column == "imported_digest")
        {
            assert_eq!(bytes.len(), 16, "{column}");
            out.insert(bytes.to_vec());
        }
    });
    out
}

/// How many blind indexes there are, those in subjects included.
fn count_indexes(world: &World) -> u64 {
    let mut count = 0;
    each_value(world, |table, column, value| match value {
        ValueRef::Blob(_) if column.ends_with("_index") => count += 1,
        ValueRef::Text(text)
            if ["incident", "alert", "deviation"].contains(&table)
                && column == "subject"
                && text.starts_with(b"chip:") =>
        {
            count += 1;
        }
        _ => (),
    });
    count
}

/// Where one of these indexes is, as it is or in hexadecimal.
fn places(world: &World, old: &BTreeSet<Vec<u8>>) -> Vec<String> {
    let mut out = Vec::new();
    each_value(world, |table, column, value| {
        let is_there = match value {
            ValueRef::Blob(bytes) => bytes.windows(16).any(|part| old.contains(part)),
            ValueRef::Text(text) => text
                .windows(32)
                .any(|part| hex::decode(part).is_ok_and(|bytes| old.contains(&bytes))),
            _ => false,
        };
        if is_there {
            out.push(format!("{table}.{column}"));
        }
    });
    out
}

/// Every sealed value opens at its place.
fn opens(world: &World) -> usize {
    let mut count = 0;
    for table in SEALED_TABLES {
        let rows = run(table.page(&world.db, &RowKey::default(), 1_000)).unwrap();
        for row in rows {
            let place = table.row(&row.key);
            for (column, value) in table.columns.iter().zip(&row.values) {
                if let Some(sealed) = value {
                    world.vault.open(*column, &place, sealed).unwrap();
                    count += 1;
                }
            }
        }
    }
    count
}

#[test]
fn every_index_of_the_schema_is_known_here() {
    test_support::of_sqlite!();
    // One that is added must be filled by `rich`, and have a way to its new value.
    let known = [
        "audit_object.object_index",
        "call_log.eid_index",
        "card_history.eid_index",
        "chip.eid_index",
        "chip.psk_identity_index",
        "chip.temp_iccid_index",
        "chip.temp_imsi_index",
        "chip.temp_msisdn_index",
        "chip_destruction.eid_index",
        "chip_fault.eid_index",
        "client.phone_index",
        "device_session.eid_index",
        "device_session.iccid_index",
        "message.eid_index",
        "number.eid_index",
        "number.iccid_index",
        "number.imsi_index",
        "number.msisdn_index",
        "number.replaces_index",
        "number_location.iccid_index",
        "number_usage.iccid_index",
        "operator_inquiry.iccid_index",
        "task.eid_index",
        "task.iccid_index",
        "temporary_number_history.eid_index",
    ];
    let (world, _) = rich();
    assert_eq!(index_columns(&world), known);
    for column in known {
        let (table, column) = column.split_once('.').unwrap();
        let count = format!("SELECT COUNT({column}) FROM {table}");
        // The table of every day is one that older programs filled.
        assert!(
            table == "call_log" || world.count(&count) > 0,
            "{table}.{column} is empty"
        );
    }
    let subjects = world.column(
        "SELECT DISTINCT t.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
         AND c.name = 'subject' AND t.name NOT LIKE 'call~_log%' ESCAPE '~' ORDER BY 1",
    );
    assert_eq!(subjects, ["alert", "deviation", "incident"]);
    for table in subjects {
        let of_chips = format!("SELECT COUNT(*) FROM {table} WHERE subject LIKE 'chip:%'");
        assert!(world.count(&of_chips) > 0, "{table}");
    }
}

#[test]
fn everything_reads_the_same_under_the_new_key_and_nothing_of_the_old_key_is_left() {
    test_support::of_sqlite!();
    let (mut world, caller) = rich();
    // Rows of the table that older programs filled, and a subject of a chip that is not there any more.
    world.execute(
        "INSERT INTO call_log (id, interface, code, duration_us, request_id, eid_index) \
         SELECT 1, 'write.status', 200, 1, 'r', eid_index FROM chip WHERE status = 4 LIMIT 1",
    );
    let gone = world.cx().eid_index(&eid(99)).hex();
    world.execute(&format!(
        "UPDATE incident SET subject = 'chip:{gone}' WHERE id = (SELECT MIN(id) FROM incident)"
    ));
    let (before, opened, count) = (seen(&world, &caller), opens(&world), count_indexes(&world));
    let mut old = indexes(&world);
    old.insert(hex::decode(&gone).unwrap());
    assert!(old.len() > 50, "{}", old.len());
    assert!(!places(&world, &old).is_empty());
    let old_keys = std::mem::replace(&mut world.vault, next_keys());
    assert_eq!(reason(start(&world)), Reason::KeysWrong);
    world.vault = old_keys;

    let done = change(&mut world);
    start(&world).unwrap();
    assert_eq!(places(&world, &old), Vec::<String>::new());
    let after = seen(&world, &caller);
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(before, after);
    }
    assert_eq!((before.len(), opens(&world)), (after.len(), opened));
    // Two calls about a chip that is not there, and the subject.
    assert_eq!((done.forgotten, done.unopened, done.ended_secrets), (3, 0, 0));
    assert!(count > 100 && done.sealed > 50, "{done:?}");
    assert_eq!(done.indexes, count - 2, "all but those of the calls");
    assert!(world.column("SELECT 1 FROM pragma_foreign_key_check").is_empty());
    let index = world.cx().eid_index(&eid(0)).hex();
    let of_chip = format!("SELECT COUNT(*) FROM chip WHERE lower(hex(eid_index)) = '{index}'");
    assert_eq!(world.count(&of_chip), 1);

    world.vault = vault(&sealing_key(1));
    assert_eq!(reason(start(&world)), Reason::KeysWrong);
}

#[test]
fn a_platform_goes_on_under_the_new_key() {
    test_support::of_sqlite!();
    let (mut world, caller) = rich();
    change(&mut world);
    let before = world.count("SELECT (SELECT COUNT(*) FROM chip) + (SELECT COUNT(*) FROM number)");
    // The same files again.
    let chips: Vec<ChipCsv> = (0..4)
        .map(|n| ChipCsv {
            psk: Some([n; 16]),
            psk_identity: hex::encode(format!("identity-{n}")),
            ..ChipCsv::new(n.into())
        })
        .collect();
    let report = world.chips(&caller.id, &chips);
    assert_eq!((row_errors(&report), report.unchanged), (vec![], 4));
    let numbers: Vec<NumberCsv> = (0..5).map(NumberCsv::new).collect();
    let report = world.numbers(&numbers);
    assert_eq!((row_errors(&report), report.unchanged), (vec![], 5));
    // What a living chip or number has is still had once only.
    let copy = ChipCsv {
        eid: eid_text(20),
        ..ChipCsv::new(8)
    };
    let report = world.chips(&caller.id, &[copy]);
    assert_eq!(
        row_errors(&report),
        [(2, Some("temp_msisdn"), Reason::ImportConflict)]
    );
    let after = world.count("SELECT (SELECT COUNT(*) FROM chip) + (SELECT COUNT(*) FROM number)");
    assert_eq!(after, before);

    run(cancel(&world.cx(), &caller, &TaskRef::Eid(eid(7)))).unwrap();
    world.write_chip(&caller, 6);
    let written = run(status(&world.cx(), &caller, &TaskRef::Eid(eid(6)))).unwrap();
    assert_eq!(written.card_status, CardStatus::Written);
    assert!(world.open(0).is_ok());
    // Back again, as if nothing had happened.
    let back = vault(&sealing_key(1));
    try_reindex(&world, &back, false).unwrap();
    world.vault = back;
    run(status(&world.cx(), &caller, &TaskRef::Eid(eid(6)))).unwrap();
}

#[test]
fn a_change_that_fails_at_any_statement_changes_nothing() {
    test_support::of_sqlite!();
    let arrange = || {
        let world = World::new();
        start(&world).unwrap();
        let caller = world.stocked(2, 2);
        world.write_chip(&caller, 0);
        (world, next_keys())
    };
    leaves_nothing_behind("reindex", arrange, |world, new| {
        let done = try_reindex(world, new, false);
        done.map(drop).map_err(|error| match error {
            ReindexError::Database(error) => error.into(),
            other => panic!("{other}"),
        })
    });
}

#[test]
fn an_identifier_that_cannot_be_opened_and_an_index_of_nothing_are_refused_by_name() {
    test_support::of_sqlite!();
    let refused = |damage: &str| {
        let (world, _) = rich();
        world.execute(damage);
        let before = world.dump();
        let error = try_reindex(&world, &next_keys(), false).unwrap_err();
        assert_eq!(world.dump(), before);
        error
    };
    let unopened = |column, count| ReindexError::Unopened { column, count };
    assert_eq!(
        refused("UPDATE chip SET temp_imsi_sealed = temp_msisdn_sealed WHERE status = 2"),
        unopened("chip.temp_imsi_sealed", 1)
    );
    assert_eq!(
        refused("UPDATE number SET iccid_sealed = msisdn_sealed WHERE status = 'retired'"),
        unopened("number.iccid_sealed", 1)
    );
    assert_eq!(
        refused("UPDATE chip SET temp_iccid_index = randomblob(16) WHERE status = 2"),
        ReindexError::Unmatched {
            column: "chip.temp_iccid_index".to_owned(),
            count: 1
        }
    );
    assert_eq!(
        refused(
            "UPDATE chip SET psk_identity_index = randomblob(16) WHERE status = 4 AND psk_identity_index IS NOT NULL"
        ),
        ReindexError::Unmatched {
            column: "chip.psk_identity_index".to_owned(),
            count: 1
        }
    );
    assert_eq!(
        refused(
            "PRAGMA foreign_keys = OFF; UPDATE task SET iccid_index = randomblob(16) WHERE state = 'waiting'"
        ),
        ReindexError::Unmatched {
            column: "task.iccid_index".to_owned(),
            count: 1
        }
    );
}

#[test]
fn another_value_that_cannot_be_opened_stays_and_is_counted() {
    test_support::of_sqlite!();
    let (mut world, caller) = rich();
    world.execute("UPDATE chip SET psk_sealed = dek_sealed WHERE psk_sealed IS NOT NULL");
    let damaged = world.count("SELECT COUNT(*) FROM chip WHERE psk_sealed IS NOT NULL");
    let done = change(&mut world);
    assert_eq!(i64::try_from(done.unopened), Ok(damaged));
    run(status(&world.cx(), &caller, &TaskRef::Eid(eid(0)))).unwrap();
}

#[test]
fn a_pass_that_seals_values_anew_begins_again() {
    test_support::of_sqlite!();
    let (mut world, _) = rich();
    world.execute(
        "INSERT INTO reseal (id, key_id, place, after, after_seq, unopened, began_at, done_at) \
         SELECT 1, 1, 0, MAX(eid_index), 0, 0, 1, NULL FROM chip",
    );
    change(&mut world);
    assert_eq!(world.count("SELECT COUNT(*) FROM reseal"), 0);
}
