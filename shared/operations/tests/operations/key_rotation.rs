//! Sealing keys, token keys and link keys are changed while the platform runs.

use domain::error::Reason;
use domain::{BatchKind, DAY_MS, FailureKind, HOUR_MS, IncidentKind, MINUTE_MS, Right, Severity};
use operations::{
    About, Act, ActNote, Caller, DueRequest, ImportChoices, IncidentAct, IncidentFilter, Job,
    MaintenanceSettings, NewAccount, NewBatch, NewIncident, Proven, Restored, SessionFilter, StaffMember,
    TaskRef, batch_rows, card_history, confirm_clock, create_account, create_batch, destroy_chip,
    due_messages, end_quarantine, end_task, enter_incident, import_numbers, issue_token, key_views,
    list_alerts, list_batches, list_clients, list_incidents, list_sessions, record_restore, reprovision,
    run_job, status, verify_token, watch_clock,
};
use store::sealed::{SEALED_TABLES, SealedTable};
use store::{check_keys, transaction};
use test_support::inventory::{ChipCsv, NumberCsv, eid, number_csv};
use test_support::operations::{MAINTENANCE, World, ip, reason, run};
use test_support::settings::{sealing_key, variables, vault};
use vault::{Vault, VaultSettings};

use super::incidents::{act, final_report};

const NOTE: ActNote<'static> = ActNote {
    person: "王芳",
    text: "设备已报废",
};

/// Keys with these numbers: the first seals.
fn sealing(ids: &[u8]) -> Vault {
    let keys: Vec<String> = ids.iter().map(|id| sealing_key(*id)).collect();
    vault(&keys.join(","))
}

fn start(world: &World) -> Result<bool, domain::error::Error> {
    run(check_keys(&world.db, &world.vault, world.time()))
}

/// Runs the job until nothing is left to do now.
fn rotate(world: &World) -> usize {
    let mut count = 0;
    for _ in 0..1_000 {
        let done = world.job(Job::KeyRotation);
        count += done.count;
        if !done.more {
            return count;
        }
    }
    panic!("the job has no end");
}

fn retired(world: &World) -> Vec<String> {
    world.column("SELECT name FROM key_check WHERE retired_at IS NOT NULL ORDER BY name")
}

/// Names of the columns with their tables, as the schema has them.
fn sealed_columns(world: &World) -> Vec<String> {
    world.column(
        "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.name LIKE '%sealed%' ORDER BY 1",
    )
}

/// How many values of a column are under this key, and how many there are.
fn under(world: &World, column: &str, id: u8) -> (i64, i64) {
    let (table, column) = column.split_once('.').unwrap();
    let of_key = format!("SELECT COUNT(*) FROM {table} WHERE hex(substr({column}, 2, 1)) = '{id:02X}'");
    let all = format!("SELECT COUNT(*) FROM {table} WHERE {column} IS NOT NULL");
    (world.count(&of_key), world.count(&all))
}

/// Records the destruction of chip 3, as an act that has its row in the audit trail.
fn destroy_as_staff(world: &World, day: jiff::civil::Date) {
    let act = Act::new(
        "admin_secret".to_owned(),
        Right::ChipsDestroy,
        "203.0.113.9".to_owned(),
        "request-1".to_owned(),
    );
    let asked = serde_json::Map::from_iter([("eid".to_owned(), eid(3).as_str().into())]);
    act.ask(&world.vault, asked);
    let cx = world.cx().acting(Some(&act));
    run(destroy_chip(&cx, &eid(3), day, &NOTE)).unwrap();
}

/// A platform on which operations have filled every sealed column but that of the IMEI.
pub(super) fn full() -> (World, Caller) {
    let world = World::new();
    start(&world).unwrap();
    let caller = Caller {
        id: world.client().client_id,
    };
    let chips: Vec<ChipCsv> = (0..5)
        .map(|n| ChipCsv {
            psk: Some([n; 16]),
            psk_identity: hex::encode(format!("identity-{n}")),
            ..ChipCsv::new(n.into())
        })
        .collect();
    world.chips(&caller.id, &chips);
    let numbers: Vec<NumberCsv> = (0..5).map(NumberCsv::new).collect();
    world.numbers(&numbers);
    world.write_chip(&caller, 0);
    world.fail_chip(&caller, 1, FailureKind::CardError);
    world.apply_auto(&caller, 2).unwrap();
    run(end_task(&world.cx(), &TaskRef::Eid(eid(2)), &NOTE)).unwrap();
    let day = world.time().date_in(&world.zone);
    destroy_as_staff(&world, day);
    run(reprovision(
        &world.cx(),
        &eid(4),
        &super::reprovisioning::number(9),
        &NOTE,
    ))
    .unwrap();
    let correction = ImportChoices {
        correct: Some(NOTE),
        ..ImportChoices::default()
    };
    let file = number_csv(&[NumberCsv::new(4)]);
    run(import_numbers(&world.cx(), file.as_bytes(), &correction)).unwrap();
    let new = NewIncident {
        kind: IncidentKind::CallTimeout,
        about: About::Platform,
        severity: Some(Severity::Severe),
        note: Some("14:00 起超时"),
    };
    let incident = run(enter_incident(&world.cx(), &new)).unwrap().incident;
    act(&world, incident.id, IncidentAct::Report("已上报")).unwrap();
    act(&world, incident.id, IncidentAct::Settle(Some("已恢复"))).unwrap();
    final_report(&world, incident.id).unwrap();
    assert!(!run(watch_clock(&world.cx(), false)).unwrap());
    world.pass(2 * DAY_MS);
    assert!(run(watch_clock(&world.cx(), false)).unwrap());
    assert!(run(confirm_clock(&world.cx(), world.time(), "王芳", "停运")).unwrap());
    world.pass(-2 * DAY_MS);
    let restored = Restored {
        backup_id: "0123456789abcdef",
        backup_at: world.time(),
        no_writes_since: None,
    };
    run(record_restore(&world.db, &restored, world.time())).unwrap();
    run(end_quarantine(&world.cx(), Proven::NewImports, &NOTE)).unwrap();
    world.execute("UPDATE number SET quarantined = 0");
    batch_of_ends(&world);
    let new = NewAccount {
        name: "王芳",
        sign_in_name: "wangfang",
        roles: &["auditor".to_owned()],
    };
    run(create_account(&world.cx(), &StaffMember::Secret, &new)).unwrap();
    let accounts = SEALED_TABLES.iter().find(|table| table.name == "staff_account");
    fill(&world, accounts.unwrap(), 1);
    (world, caller)
}

/// Makes a batch that ends tasks.
fn batch_of_ends(world: &World) {
    let new = NewBatch {
        key: "batch-1",
        kind: BatchKind::End,
        client: None,
        note: Some(NOTE),
        fail_when_exhausted: false,
    };
    let file = format!("eid\n{}\n", eid(4).as_str());
    run(create_batch(
        &world.cx(),
        &StaffMember::Secret,
        &new,
        file.as_bytes(),
    ))
    .unwrap();
}

/// Fills a column that is empty in every row, in the first row of its table.
fn fill(world: &World, table: &SealedTable, at: usize) {
    run(transaction(&world.db, async |tx| {
        let mut rows = table.page(tx, &Default::default(), 1).await?;
        let mut row = rows.pop().expect("a row");
        let place = table.row(&row.key);
        let sealed = world
            .vault
            .seal(&world.random, table.columns[at], &place, b"350000000000001");
        row.values[at] = Some(sealed.unwrap());
        table.set(tx, row).await
    }))
    .unwrap();
}

#[test]
fn every_sealed_column_of_the_schema_is_among_those_that_are_sealed_anew() {
    test_support::of_sqlite!();
    let world = World::new();
    let listed: usize = SEALED_TABLES.iter().map(|table| table.columns.len()).sum();
    let columns = sealed_columns(&world);
    assert_eq!(columns.len(), listed, "{columns:?}");
    for table in SEALED_TABLES {
        let of_table = columns
            .iter()
            .filter(|column| column.split('.').next() == Some(table.name));
        assert_eq!(of_table.count(), table.columns.len(), "{}", table.name);
    }
    // A value is a blob; whatever is one and is not sealed is an index, a digest or a place.
    let others = world.column(
        "SELECT t.name || '.' || c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND c.type = 'BLOB' AND c.name NOT LIKE '%sealed' AND c.name NOT LIKE '%index' \
         ORDER BY 1",
    );
    let known = [
        "approval.digest",
        "audit.detail_digest",
        "audit.hash",
        "audit_cut.hash",
        "audit_head.hash",
        "chip.imported_digest",
        "client_secret.hash",
        "key_check.value",
        "number.imported_digest",
        "reseal.after",
        "staff_account.enrolment_hash",
        "staff_credential.hash",
        "supervision.reached",
    ];
    assert_eq!(others, known);
}

#[test]
fn every_sealed_column_opens_under_the_new_key_alone_once_the_old_one_is_removed() {
    test_support::of_sqlite!();
    let (mut world, caller) = full();
    fill(&world, &SEALED_TABLES[0], 4);
    let columns = sealed_columns(&world);
    for column in &columns {
        let (old, all) = under(&world, column, 1);
        assert!(
            all > 0 && old == all,
            "{column} has no value of the old key: {old} of {all}"
        );
    }

    // First every node accepts the new key, then uses it.
    world.vault = sealing(&[1, 2]);
    start(&world).unwrap();
    assert_eq!(rotate(&world), 0);
    world.vault = sealing(&[2, 1]);
    start(&world).unwrap();
    world.pass(MINUTE_MS);
    assert!(rotate(&world) > columns.len());
    for column in &columns {
        let (new, all) = under(&world, column, 2);
        assert_eq!(new, all, "{column}");
    }
    // A node that still seals under the old key; the old key is needed until it has not been used for a day.
    assert!(retired(&world).is_empty());
    world.vault = sealing(&[1, 2]);
    world.chips(&caller.id, &[ChipCsv::new(6)]);
    world.vault = sealing(&[2]);
    assert_eq!(reason(start(&world)), Reason::KeysWrong);
    world.vault = sealing(&[2, 1]);
    world.pass(27 * HOUR_MS);
    start(&world).unwrap();
    assert!(rotate(&world) > 0);
    assert_eq!(retired(&world), ["sealing_key:1"]);
    assert_eq!(rotate(&world), 0);

    world.vault = sealing(&[2]);
    start(&world).unwrap();
    opens_everything(&world, &caller);
    // The old key is refused now.
    world.vault = sealing(&[1, 2]);
    let error = start(&world).unwrap_err();
    assert!(format!("{error}").contains("sealing_key:1"), "{error}");
}

/// What people and clients read of the tables.
fn opens_everything(world: &World, caller: &Caller) {
    let cx = world.cx();
    for chip in 0..5 {
        run(status(&cx, caller, &TaskRef::Eid(eid(chip)))).unwrap();
    }
    // Of the chip whose task was ended by hand.
    run(card_history(&cx, &eid(2))).unwrap();
    assert!(!run(list_alerts(&cx, true, None, 100)).unwrap().is_empty());
    let filter = IncidentFilter::default();
    assert!(!run(list_incidents(&cx, &filter)).unwrap().incidents.is_empty());
    let filter = SessionFilter {
        limit: 100,
        ..SessionFilter::default()
    };
    assert!(!run(list_sessions(&cx, &filter)).unwrap().sessions.is_empty());
    assert!(!run(list_clients(&cx, None, None, 10)).unwrap().clients.is_empty());
    assert!(!run(due_messages(&cx, DueRequest::ALL)).unwrap().is_empty());
    let batches = run(list_batches(&cx, None, None, 1)).unwrap().0;
    let rows = run(batch_rows(&cx, batches[0].id, None, None, 1)).unwrap().0;
    assert_eq!((batches[0].unreadable.len(), rows[0].unreadable.len()), (0, 0));
    assert_eq!(rows[0].identifiers[0].as_deref(), Some(eid(4).as_str()));
}

#[test]
fn a_pass_that_is_cut_off_anywhere_goes_on_and_loses_nothing() {
    test_support::of_sqlite!();
    let failures = (1..).step_by(7).take(30);
    for n in failures {
        let (mut world, _) = full();
        world.vault = sealing(&[2, 1]);
        start(&world).unwrap();
        world.db.fail_at(Some(n));
        let first = run(run_job(&world.cx(), Job::KeyRotation, &MAINTENANCE));
        world.db.fail_at(None);
        assert!(!world.db.inner.is_in_transaction());
        rotate(&world);
        for column in sealed_columns(&world) {
            let (new, all) = under(&world, &column, 2);
            assert_eq!(new, all, "{column}, statement {n}");
        }
        if first.is_ok() {
            return;
        }
    }
}

#[test]
fn a_value_that_no_key_opens_keeps_the_old_key_and_fails_the_job() {
    let (mut world, _) = full();
    world.execute("UPDATE client SET phone_sealed = (SELECT eid_sealed FROM chip LIMIT 1)");
    world.vault = sealing(&[2, 1]);
    start(&world).unwrap();
    world.pass(27 * HOUR_MS);
    start(&world).unwrap();
    let error = run(run_job(&world.cx(), Job::KeyRotation, &MAINTENANCE)).unwrap_err();
    assert!(format!("{error}").contains("1 sealed values"), "{error}");
    assert!(retired(&world).is_empty());
    // The others are under the new key.
    let (new, all) = under(&world, "chip.eid_sealed", 2);
    assert_eq!(new, all);
}

#[test]
fn no_key_is_retired_while_the_clock_is_held() {
    let (mut world, _) = full();
    world.vault = sealing(&[2, 1]);
    start(&world).unwrap();
    world.pass(30 * DAY_MS);
    start(&world).unwrap();
    let held = MaintenanceSettings {
        clock_held: true,
        ..MAINTENANCE
    };
    while run(run_job(&world.cx(), Job::KeyRotation, &held)).unwrap().more {}
    assert!(retired(&world).is_empty());
    rotate(&world);
    assert_eq!(retired(&world), ["sealing_key:1"]);
}

/// A vault of a component that handles tokens and keys of the link.
fn others(token: &str, link: &str) -> Vault {
    let known = variables();
    Vault::from_settings(VaultSettings {
        sealing_keys: known.sealing_keys.as_ref().map(|keys| keys.as_str()),
        index_key: &known.index_key,
        home_key: None,
        token_key: Some(token),
        link_key: Some(link),
        transport_keys: None,
    })
    .unwrap()
}

#[test]
fn token_and_link_keys_are_changed_without_a_refused_token_and_the_old_ones_are_refused_afterwards() {
    let [old, new] = [[1; 32], [2; 32]].map(hex::encode);
    let mut world = World::new();
    world.vault = others(&old, &old);
    start(&world).unwrap();
    let client = world.client();
    let address = ip("198.51.100.1");
    let token = |world: &World| {
        run(issue_token(
            &world.cx(),
            client.client_id.as_str(),
            &client.client_secret,
            address,
        ))
        .unwrap()
        .token
    };
    let of_old = token(&world);
    // Without the overlap the new key is refused, and so is one that was mistyped.
    for wrong in [others(&new, &old), others(&old, &new)] {
        world.vault = wrong;
        assert_eq!(reason(start(&world)), Reason::KeysWrong);
    }
    let both = format!("{old},{new}");
    world.vault = others(&both, &both);
    start(&world).unwrap();
    run(verify_token(&world.cx(), &of_old, address)).unwrap();
    let both = format!("{new},{old}");
    world.vault = others(&both, &both);
    start(&world).unwrap();
    run(verify_token(&world.cx(), &of_old, address)).unwrap();
    let of_new = token(&world);
    // A node that has the new key, and does not use it yet.
    world.vault = others(&format!("{old},{new}"), &old);
    run(verify_token(&world.cx(), &of_new, address)).unwrap();
    // A key that leaked is known and not accepted.
    world.vault = others(&format!("{new},!{old}"), &both);
    start(&world).unwrap();
    run(verify_token(&world.cx(), &of_new, address)).unwrap();
    assert_eq!(
        reason(run(verify_token(&world.cx(), &of_old, address))),
        Reason::TokenInvalid
    );

    world.vault = others(&both, &both);
    world.pass(25 * HOUR_MS);
    start(&world).unwrap();
    assert_eq!(rotate(&world), 0);
    world.pass(HOUR_MS);
    start(&world).unwrap();
    assert_eq!(rotate(&world), 2);
    world.vault = others(&new, &new);
    start(&world).unwrap();
    let views = run(key_views(&world.cx())).unwrap();
    assert_eq!(views.iter().filter(|key| key.retired_at.is_some()).count(), 2);
    world.vault = others(&format!("{old},{new}"), &new);
    assert_eq!(reason(start(&world)), Reason::KeysWrong);
}
