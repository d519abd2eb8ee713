//! §9.2: the audit trail. A change and its row are one transaction, and whoever changes, removes or moves a row is found.

use domain::error::Reason;
use domain::{DAY_MS, Right};
use operations::{
    Act, AuditFilter, AuditObjectRef, Context, Job, MaintenanceSettings, ReadFigures, ReceiverChange,
    Restored, change_receiver, conclude_act, list_audit, record_read, record_restore, register_fault,
    revoke_tokens, run_job,
};
use serde_json::json;
use store::audit::{self, AuditHead, Fault};
use store::invariant;
use test_support::fault_injecting_db::FaultInjectingDb;
use test_support::inventory::eid;
use test_support::operations::{MAINTENANCE, World, reason, run};

use super::faults::leaves_nothing_behind;

fn act(right: Right) -> Act {
    Act::new(
        "admin_secret".to_owned(),
        right,
        "203.0.113.9".to_owned(),
        "request-1".to_owned(),
    )
}

fn acting<'a>(world: &'a World, act: &'a Act) -> Context<'a, FaultInjectingDb> {
    world.cx().acting(Some(act))
}

/// Ends the tokens of a client, as an act of staff.
fn end_tokens(world: &World, client: &domain::ClientId) {
    let act = act(Right::ClientsRevokeTokens);
    act.ask(&world.vault, fields(json!({"client_id": client.as_str()})));
    run(revoke_tokens(&acting(world, &act), client)).unwrap();
    assert!(act.is_recorded());
}

fn fields(value: serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    value.as_object().unwrap().clone()
}

/// A platform with a trail of five rows.
fn with_trail() -> World {
    let world = World::new();
    let client = world.client().client_id;
    for _ in 0..5 {
        world.pass(1_000);
        end_tokens(&world, &client);
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 5);
    world
}

fn faults(world: &World, heads: &[AuditHead], restored: &[String]) -> Vec<Fault> {
    run(audit::verified(&world.db, heads, restored)).unwrap().3
}

fn end(world: &World) -> AuditHead {
    run(audit::last(&world.db)).unwrap()
}

#[test]
fn a_change_and_its_row_are_one_transaction() {
    let arrange = || {
        let world = World::new();
        let client = world.client().client_id;
        (world, client)
    };
    leaves_nothing_behind("revoke_tokens", arrange, |world, client| {
        let act = act(Right::ClientsRevokeTokens);
        act.ask(&world.vault, fields(json!({"client_id": client.as_str()})));
        let done = run(revoke_tokens(&acting(world, &act), client));
        let rows = world.count("SELECT COUNT(*) FROM audit");
        assert_eq!((act.is_recorded(), rows), (done.is_ok(), i64::from(done.is_ok())));
        done
    });
}

#[test]
fn what_no_member_of_staff_did_has_no_row() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.apply_auto(&caller, 0).unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM audit"), 0);
}

#[test]
fn a_row_says_who_did_what_on_what_from_where_and_how_it_was_before() {
    let world = World::new();
    world.stocked(1, 1);
    let chip = eid(0);
    let act = act(Right::ChipsFault);
    let request = json!({"eid": chip.as_str(), "faulty": true, "reason": "cracked", "password": "hunter2"});
    act.ask(&world.vault, fields(request));
    run(register_fault(&acting(&world, &act), &chip, true)).unwrap();
    let filter = || AuditFilter {
        object: Some(AuditObjectRef::Eid(chip)),
        limit: 10,
        ..AuditFilter::default()
    };
    let (rows, next) = run(list_audit(&world.cx(), filter())).unwrap();
    assert_eq!((rows.len(), next), (1, None));
    let row = &rows[0];
    assert_eq!(
        (
            row.who.as_str(),
            row.what.as_str(),
            row.address.as_str(),
            row.outcome.code()
        ),
        ("admin_secret", "chips.fault", "203.0.113.9", "done")
    );
    let shown = domain::masked(chip.as_str());
    assert_eq!(row.object, format!("eid={shown}"));
    assert_eq!(
        serde_json::Value::Object(row.detail.request.clone()),
        json!({"eid": shown, "faulty": true, "reason": "cracked", "password": "****"})
    );
    assert_eq!(row.detail.before["faulty"], false);
    assert_eq!(row.detail.after["faulty"], true);
    let others = [
        AuditFilter {
            who: Some("another"),
            ..filter()
        },
        AuditFilter {
            right: Some(Right::ChipsDestroy),
            ..filter()
        },
        AuditFilter {
            object: Some(AuditObjectRef::Eid(eid(1))),
            ..filter()
        },
        AuditFilter {
            to: Some(world.time()),
            ..filter()
        },
        AuditFilter {
            from: Some(world.time().plus(1)),
            ..filter()
        },
    ];
    for other in others {
        assert_eq!(
            run(list_audit(&world.cx(), other.clone())).unwrap().0,
            [],
            "{other:?}"
        );
    }
}

#[test]
fn what_was_refused_and_what_was_read_has_a_row_of_its_own() {
    let world = World::new();
    let unknown = world.client().client_id;
    let tried = act(Right::ReceiversUpdate);
    let change = ReceiverChange {
        allow_http: Some(true),
        ..ReceiverChange::default()
    };
    let nobody = domain::Receiver::Client(domain::ClientId::new([7; 10]));
    let refused = reason(run(change_receiver(&acting(&world, &tried), &nobody, &change)));
    assert_eq!(refused, Reason::UnknownReceiver);
    assert!(!tried.is_recorded());
    run(conclude_act(&acting(&world, &tried), Some(refused))).unwrap();
    // What has its row gets no other.
    run(conclude_act(&acting(&world, &tried), Some(refused))).unwrap();
    let read = act(Right::TasksList);
    read.ask(&world.vault, fields(json!({"client_id": unknown.as_str()})));
    let figures = ReadFigures::of_fields(br#"{"tasks":[{},{},{}],"next":null}"#);
    assert_eq!(figures.rows, 3);
    run(record_read(&acting(&world, &read), Some(figures))).unwrap();
    let all = AuditFilter {
        limit: 10,
        ..AuditFilter::default()
    };
    let (rows, _) = run(list_audit(&world.cx(), all)).unwrap();
    let seen: Vec<_> = rows
        .iter()
        .map(|row| (row.kind.code(), row.outcome.code(), row.reason.as_deref()))
        .collect();
    assert_eq!(
        seen,
        [
            ("read", "done", None),
            ("change", "refused", Some("unknown_receiver"))
        ]
    );
    assert_eq!(rows[0].detail.rows, Some(3));
    assert_eq!(rows[0].detail.sha256.as_ref().unwrap().len(), 64);
}

#[test]
fn pages_follow_one_another() {
    let world = with_trail();
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let filter = AuditFilter {
            cursor,
            limit: 2,
            ..AuditFilter::default()
        };
        let (rows, next) = run(list_audit(&world.cx(), filter)).unwrap();
        seen.extend(rows.iter().map(|row| row.seq));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
}

#[test]
fn every_kind_of_tampering_is_found() {
    let whole = with_trail();
    assert_eq!(faults(&whole, &[end(&whole)], &[]), []);
    assert_eq!(run(invariant::broken(&whole.db)).unwrap(), []);
    let cases: [(&str, &[Fault]); 5] = [
        (
            "UPDATE audit SET who = 'another' WHERE seq = 3",
            &[Fault::Changed(3)],
        ),
        (
            "UPDATE audit SET object = 'other' WHERE seq = 5",
            &[Fault::Changed(5)],
        ),
        (
            "DELETE FROM audit WHERE seq = 3",
            &[Fault::Missing { from: 3, to: 3 }],
        ),
        (
            "DELETE FROM audit WHERE seq <= 2",
            &[Fault::Missing { from: 1, to: 2 }],
        ),
        (
            "UPDATE audit SET seq = -seq; UPDATE audit SET seq = CASE seq WHEN -2 THEN 4 WHEN -4 THEN 2 ELSE -seq END",
            &[
                Fault::Changed(2),
                Fault::Changed(3),
                Fault::Changed(4),
                Fault::Changed(5),
            ],
        ),
    ];
    for (sql, expected) in cases {
        let world = with_trail();
        world.execute(sql);
        assert_eq!(faults(&world, &[], &[]), expected, "{sql}");
        assert!(!run(invariant::broken(&world.db)).unwrap().is_empty(), "{sql}");
    }
}

#[test]
fn a_tail_that_was_cut_or_a_chain_that_was_written_anew_is_found_by_a_head() {
    let world = with_trail();
    let head = end(&world);
    world.execute("DELETE FROM audit WHERE seq > 3");
    assert_eq!(faults(&world, &[], &[]), []);
    assert_eq!(
        faults(&world, &[head], &[]),
        [Fault::TailCut { head: 5, last: 3 }]
    );
    let client = world.client().client_id;
    for _ in 0..3 {
        end_tokens(&world, &client);
    }
    assert_eq!(faults(&world, &[], &[]), []);
    assert_eq!(faults(&world, &[head], &[]), [Fault::OtherChain(5)]);
}

#[test]
fn the_end_of_the_chain_goes_to_the_operator_once() {
    let world = with_trail();
    let url = ReceiverChange {
        url: Some(Some("https://audit.example.com/heads")),
        ..ReceiverChange::default()
    };
    run(change_receiver(&world.cx(), &domain::Receiver::Operator, &url)).unwrap();
    for _ in 0..2 {
        run(run_job(&world.cx(), Job::AuditHeads, &MAINTENANCE)).unwrap();
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM audit_head"), 1);
    assert_eq!(
        world.count("SELECT COUNT(*) FROM message WHERE topic = 'audit_head'"),
        1
    );
    // A tail that is cut is found by the head that the database has, too.
    world.execute("DELETE FROM audit WHERE seq > 3");
    assert_eq!(faults(&world, &[], &[]), [Fault::TailCut { head: 5, last: 3 }]);
}

#[test]
fn a_restore_begins_a_branch_that_names_the_backup() {
    let world = with_trail();
    let lost = {
        let copy = end(&world);
        AuditHead {
            seq: copy.seq + 2,
            hash: [9; 32],
            ..copy
        }
    };
    world.pass(1_000);
    let restored = Restored {
        backup_id: "0123456789abcdef",
        backup_at: world.time(),
        no_writes_since: None,
    };
    run(record_restore(&world.db, &restored, world.time())).unwrap();
    assert_eq!(faults(&world, &[], &[]), []);
    assert_eq!(
        faults(&world, &[lost], &[]),
        [Fault::TailCut { head: 7, last: 6 }]
    );
    assert_eq!(faults(&world, &[lost], &["another".to_owned()]).len(), 1);
    assert_eq!(faults(&world, &[lost], &["0123456789abcdef".to_owned()]), []);
}

#[test]
fn the_first_rows_are_destroyed_at_their_end_and_the_chain_goes_on() {
    let world = with_trail();
    let first = end(&world);
    world.pass(200 * DAY_MS);
    let client = world.client().client_id;
    end_tokens(&world, &client);
    let retention = MAINTENANCE.retention.with("audit_days", 185).unwrap();
    let settings = MaintenanceSettings {
        retention,
        ..MAINTENANCE
    };
    run(run_job(&world.cx(), Job::Retention, &settings)).unwrap();
    let rows = world.column("SELECT CAST(seq AS TEXT) FROM audit ORDER BY seq");
    assert_eq!(rows, ["6", "7"]);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit_detail"), 1);
    assert_eq!(world.count("SELECT COUNT(*) FROM audit_object WHERE seq <= 5"), 0);
    assert_eq!(
        world.count("SELECT count FROM destruction WHERE kind = 'audit'"),
        5
    );
    assert_eq!(faults(&world, &[first], &[]), []);
    // Days that somebody drops have no such row.
    world.execute("UPDATE audit_cut SET seq = 6, hash = (SELECT hash FROM audit WHERE seq = 6)");
    world.execute("DELETE FROM audit WHERE seq = 6");
    assert_eq!(faults(&world, &[], &[]), [Fault::Dropped(6)]);
}
