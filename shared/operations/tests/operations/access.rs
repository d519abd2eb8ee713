//! Who may call how often, what wrong credentials cost, and what is written down about it (§7.1.2, §9.2).

use std::collections::BTreeMap;
use std::time::Duration;

use domain::error::{Error, Reason};
use domain::{DAY_MS, Eid, MINUTE_MS, Permission, SECOND_MS, TaskId};
use operations::{
    ALL_REFUSALS_PER_MINUTE, CallFilter, ClientChange, CreatedClient, Job, LOGGED_REFUSALS_PER_MINUTE,
    Limits as _, REFUSALS_PER_MINUTE, Refused, TOKENS_PER_MINUTE, WRONG_SECRETS_PER_MINUTE, address_key,
    change_client, count_refusal, issue_token, list_clients, record_calls, revoke_secret, revoke_tokens,
    rotate_secret, search_calls, verify_token,
};
use store::call_log::{NewCallRow, RefusedCaller};
use test_support::inventory::eid;
use test_support::operations::{CALL_LOG_DAYS, World, ip, reason, run};
use vault::IndexKind;

const HOME: &str = "198.51.100.7";

fn take(world: &World, client: &CreatedClient, secret: &str, from: &str) -> Result<String, Error> {
    let id = client.client_id.as_str();
    run(issue_token(&world.cx(), id, secret, ip(from))).map(|issued| issued.token)
}

fn works(world: &World, token: &str) -> Result<(), Reason> {
    run(verify_token(&world.cx(), token, ip(HOME)))
        .map(drop)
        .map_err(|error| error.reason())
}

// §9.2.1
#[test]
fn in_a_rotation_both_secrets_are_good_and_then_only_the_new_one() {
    let world = World::new();
    let client = world.client();
    let id = &client.client_id;
    let old = client.client_secret.as_str();
    let old_token = take(&world, &client, old, HOME).unwrap();
    let rotated = run(rotate_secret(&world.cx(), id, 60)).unwrap();
    let new = rotated.client_secret.as_str();
    assert_eq!(rotated.generation, 2);
    assert_eq!(
        rotated.previous_expires_at,
        Some(world.time().plus(60 * SECOND_MS))
    );
    let new_token = take(&world, &client, new, HOME).unwrap();
    assert!(take(&world, &client, old, HOME).is_ok());
    assert_eq!(
        reason(run(rotate_secret(&world.cx(), id, 60)).map(drop)),
        Reason::SecretsInRotation
    );

    world.pass(60 * SECOND_MS);
    assert_eq!(
        reason(take(&world, &client, old, HOME)),
        Reason::ClientUnknownOrSecretWrong
    );
    assert_eq!(works(&world, &old_token), Err(Reason::TokenInvalid));
    assert_eq!(works(&world, &new_token), Ok(()));
    assert_eq!(run(rotate_secret(&world.cx(), id, 0)).unwrap().generation, 3);
    assert_eq!(works(&world, &new_token), Err(Reason::TokenInvalid));
}

#[test]
fn a_revoked_secret_takes_its_tokens_along_and_no_others() {
    let world = World::new();
    let client = world.client();
    let id = &client.client_id;
    let old_token = take(&world, &client, &client.client_secret, HOME).unwrap();
    let rotated = run(rotate_secret(&world.cx(), id, 3_600)).unwrap();
    let new_token = take(&world, &client, &rotated.client_secret, HOME).unwrap();
    run(revoke_secret(&world.cx(), id, 1)).unwrap();
    assert_eq!(works(&world, &old_token), Err(Reason::TokenInvalid));
    assert_eq!(works(&world, &new_token), Ok(()));
    for generation in [1, 3, -1] {
        assert_eq!(
            reason(run(revoke_secret(&world.cx(), id, generation))),
            Reason::UnknownSecret
        );
    }
    // With the newest revoked there is no way in until another is made.
    run(revoke_secret(&world.cx(), id, 2)).unwrap();
    assert!(take(&world, &client, &rotated.client_secret, HOME).is_err());
    let fresh = run(rotate_secret(&world.cx(), id, 0)).unwrap();
    assert_eq!((fresh.generation, fresh.previous_expires_at), (3, None));
    assert!(take(&world, &client, &fresh.client_secret, HOME).is_ok());
}

#[test]
fn tokens_can_be_stopped_while_the_secret_stays() {
    let world = World::new();
    let client = world.client();
    let token = take(&world, &client, &client.client_secret, HOME).unwrap();
    run(revoke_tokens(&world.cx(), &client.client_id)).unwrap();
    assert_eq!(works(&world, &token), Err(Reason::TokenInvalid));
    world.pass(1);
    let token = take(&world, &client, &client.client_secret, HOME).unwrap();
    assert_eq!(works(&world, &token), Ok(()));
}

#[test]
fn a_client_is_changed_in_what_is_named_and_nothing_else() {
    let world = World::new();
    let client = world.client();
    let id = &client.client_id;
    let limits = BTreeMap::from([("chip.read".to_owned(), 2)]);
    let change = ClientChange {
        name: Some("乙"),
        limits: Some(&limits),
        callback_url: Some(None),
        ..ClientChange::default()
    };
    run(change_client(&world.cx(), id, &change)).unwrap();
    let page = run(list_clients(&world.cx(), Some(id), None, 10)).unwrap();
    let view = &page.clients[0];
    assert_eq!((view.name.as_str(), view.callback_url.as_deref()), ("乙", None));
    assert_eq!((view.limits.clone(), view.active), (limits, true));
    assert_eq!(view.permissions.len(), Permission::ALL.len());
    assert_eq!(view.phone.as_deref(), Some("138****8000"));
    assert_eq!(view.secrets.len(), 1);
    let token = take(&world, &client, &client.client_secret, HOME).unwrap();
    let verified = run(verify_token(&world.cx(), &token, ip(HOME))).unwrap();
    assert_eq!(verified.calls_per_minute("chip.read"), Some(2));
    assert_eq!(verified.calls_per_minute("write.apply"), None);

    let before = world.dump();
    for bad in [("chip.write", 1), ("chip.read", 0), ("chip.read", 1_000_001)] {
        let limits = BTreeMap::from([(bad.0.to_owned(), bad.1)]);
        let change = ClientChange {
            limits: Some(&limits),
            ..ClientChange::default()
        };
        assert_eq!(
            reason(run(change_client(&world.cx(), id, &change))),
            Reason::ParameterMalformed,
            "{bad:?}"
        );
    }
    assert_eq!(world.dump(), before);
}

#[test]
fn clients_are_listed_page_by_page() {
    let world = World::new();
    let mut made: Vec<_> = (0..5).map(|_| world.client().client_id).collect();
    made.sort_by(|one, other| one.as_str().cmp(other.as_str()));
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = run(list_clients(&world.cx(), None, after.as_ref(), 2)).unwrap();
        seen.extend(page.clients.into_iter().map(|client| client.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[test]
fn who_presents_wrong_secrets_has_to_wait_and_others_do_not() {
    let world = World::new();
    let client = world.client();
    world.pass(20 * SECOND_MS);
    for _ in 0..WRONG_SECRETS_PER_MINUTE {
        assert_eq!(
            reason(take(&world, &client, "xks_wrong", HOME)),
            Reason::ClientUnknownOrSecretWrong
        );
    }
    // Even the right one is not looked at any more.
    let right = client.client_secret.as_str();
    let refused = take(&world, &client, right, HOME).unwrap_err();
    assert_eq!(
        (refused.reason(), refused.wait().map(|wait| wait.secs)),
        (Reason::RateLimited, Some(40))
    );
    assert!(take(&world, &client, right, "198.51.100.8").is_ok());
    world.pass(40 * SECOND_MS);
    assert!(take(&world, &client, right, HOME).is_ok());
}

#[test]
fn an_ipv6_network_counts_as_one_address() {
    let world = World::new();
    let refused = |from: &str| {
        let caller = RefusedCaller::Address(address_key(ip(from)));
        count_refusal(&world.cx(), &caller)
    };
    for host in 0..REFUSALS_PER_MINUTE {
        let becomes = if host < LOGGED_REFUSALS_PER_MINUTE {
            Refused::Logged
        } else {
            Refused::Summed
        };
        assert_eq!(refused(&format!("2001:db8::{host:x}")), becomes, "{host}");
    }
    assert_eq!(refused("2001:db8::ffff:1"), Refused::Limited);
    assert_eq!(refused("2001:db8:0:1::1"), Refused::Logged);
    // Minutes begin anew, whatever the one before was.
    world.pass(MINUTE_MS);
    assert_eq!(refused("2001:db8::1"), Refused::Logged);
}

#[test]
fn beyond_the_limit_of_all_callers_no_address_is_counted_by_itself() {
    let world = World::new();
    let refused = |n: u32| {
        let caller = RefusedCaller::Address(format!("203.0.113.{n}"));
        count_refusal(&world.cx(), &caller)
    };
    for n in 0..ALL_REFUSALS_PER_MINUTE {
        assert_eq!(refused(n), Refused::Logged);
    }
    let counters = world.limits.keys().len();
    assert_eq!(refused(ALL_REFUSALS_PER_MINUTE), Refused::Limited);
    assert_eq!(world.limits.keys().len(), counters);
    // A client's own limit has nothing to do with them.
    let client = RefusedCaller::client(&world.client().client_id);
    assert_eq!(count_refusal(&world.cx(), &client), Refused::Logged);
}

#[test]
fn the_counters_of_past_minutes_are_deleted_and_those_of_the_last_one_are_kept() {
    let world = World::new();
    let caller = RefusedCaller::Address("203.0.113.9".to_owned());
    for _ in 0..3 {
        count_refusal(&world.cx(), &caller);
        world.pass(MINUTE_MS);
    }
    // One of the address, and one of all of them, in each of the minutes.
    assert_eq!(world.limits.keys().len(), 3 * 2);
    world.job(Job::IpThrottles);
    assert_eq!(world.limits.keys().len(), 2);
}

#[test]
fn tokens_are_limited_like_other_calls() {
    let world = World::new();
    let client = world.client();
    let secret = client.client_secret.as_str();
    for _ in 0..TOKENS_PER_MINUTE {
        take(&world, &client, secret, HOME).unwrap();
    }
    assert_eq!(reason(take(&world, &client, secret, HOME)), Reason::RateLimited);
}

pub(super) fn record(
    world: &World,
    interface: &str,
    about: Option<&Eid>,
    task: Option<&str>,
    reason: Option<&'static str>,
) {
    let index = about.map(|eid| world.vault.blind_index(IndexKind::Eid, eid.as_str().as_bytes()));
    let call = NewCallRow {
        at: world.time(),
        client_id: None,
        secret_generation: Some(2),
        interface: interface.to_owned(),
        code: if reason.is_some() { 404 } else { 200 },
        reason,
        address: Some(ip("::ffff:192.0.2.1")),
        duration: Duration::from_micros(1_234),
        request_id: "r1".into(),
        eid_index: index,
        task_id: task.map(str::to_owned),
        subject: Some("eid=890860****0090".to_owned()),
    };
    run(record_calls(&world.cx(), &[call])).unwrap();
}

// §9.2.2
#[test]
fn calls_are_found_by_chip_task_interface_reason_and_time() {
    let world = World::new();
    let task = TaskId::new(world.time(), [3; 10]);
    record(&world, "chip.read", Some(&eid(0)), None, None);
    world.pass(1_000);
    record(&world, "chip.read", Some(&eid(1)), None, Some("unknown_chip"));
    world.pass(1_000);
    record(&world, "write.apply", Some(&eid(0)), Some(&task.text()), None);
    let found = |filter: CallFilter<'_>| -> Vec<String> {
        let page = run(search_calls(&world.cx(), &CallFilter { limit: 10, ..filter })).unwrap();
        page.calls.into_iter().map(|call| call.interface).collect()
    };
    let filter = CallFilter::default;
    let about = |eid| CallFilter {
        eid: Some(eid),
        ..filter()
    };
    assert_eq!(found(about(eid(0))), ["write.apply", "chip.read"]);
    assert_eq!(found(about(eid(2))), [""; 0]);
    assert_eq!(
        found(CallFilter {
            task_id: Some(task),
            ..filter()
        }),
        ["write.apply"]
    );
    assert_eq!(
        found(CallFilter {
            reason: Some("unknown_chip"),
            ..filter()
        }),
        ["chip.read"]
    );
    assert_eq!(
        found(CallFilter {
            interface: Some("chip.read"),
            from: Some(world.time().plus(-1_000)),
            to: Some(world.time()),
            ..filter()
        }),
        ["chip.read"]
    );
    let first = run(search_calls(&world.cx(), &CallFilter { limit: 2, ..filter() })).unwrap();
    let rest = CallFilter {
        limit: 2,
        cursor: first.next,
        ..filter()
    };
    let rest = run(search_calls(&world.cx(), &rest)).unwrap();
    assert_eq!((first.calls.len(), rest.calls.len(), rest.next), (2, 1, None));
    let call = &rest.calls[0];
    assert_eq!(call.at(), world.time().plus(-2_000));
    assert_eq!(
        (call.address.as_deref(), call.duration_us, call.code),
        (Some("192.0.2.1"), 1_234, 200)
    );
}

#[test]
fn each_search_uses_its_index() {
    test_support::of_sqlite!();
    let world = World::new();
    let client = world.client().client_id;
    let task = TaskId::new(world.time(), [3; 10]);
    let plan_of = |filter: CallFilter<'_>| {
        run(search_calls(&world.cx(), &filter)).unwrap();
        let statement = *world.db.seen.borrow().last().unwrap();
        world.plan(statement)
    };
    let filter = CallFilter::default;
    for (filter, index) in [
        (
            CallFilter {
                eid: Some(eid(0)),
                ..filter()
            },
            "INDEX call_log_eid (eid_index=? AND id>? AND id<?)",
        ),
        (
            CallFilter {
                task_id: Some(task),
                ..filter()
            },
            "INDEX call_log_task (task_id=? AND id>? AND id<?)",
        ),
        (
            CallFilter {
                client_id: Some(client),
                ..filter()
            },
            "INDEX call_log_client (client_id=? AND id>? AND id<?)",
        ),
        (filter(), "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
    ] {
        let plan = plan_of(filter);
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn calls_are_kept_for_half_a_year_and_then_swept() {
    test_support::of_sqlite!();
    let world = World::new();
    record(&world, "token", None, None, None);
    world.pass(DAY_MS);
    record(&world, "token", None, None, None);
    let left = || {
        let days = world.column("SELECT CAST(day AS TEXT) FROM call_log_day");
        days.iter()
            .map(|day| world.count(&format!("SELECT COUNT(*) FROM call_log_{day}")))
            .sum::<i64>()
    };
    // The whole of the first day is kept until its last call is old enough.
    world.pass((CALL_LOG_DAYS - 1) * DAY_MS);
    assert!(!world.job(Job::Retention).more);
    assert_eq!(left(), 2);
    world.pass(DAY_MS - 1);
    assert!(!world.job(Job::Retention).more);
    world.pass(1);
    let done = world.job(Job::Retention);
    assert_eq!((left(), done.count, done.more), (1, 1, true));
    assert!(!world.job(Job::Retention).more);
    assert_eq!(
        world.column("SELECT kind || ' ' || count FROM destruction"),
        ["calls 1"]
    );
    let tables = "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'call_log_2%'";
    // A table and four indexes for the second day, yesterday, this one and the next.
    assert_eq!(world.count(tables), 4 * 5);
}

// §9.1.2
#[test]
fn dropping_a_day_of_calls_takes_as_many_statements_however_many_there_are() {
    let statements = |calls: usize| {
        let world = World::new();
        for _ in 0..calls {
            record(&world, "token", None, None, None);
        }
        world.pass((CALL_LOG_DAYS + 1) * DAY_MS);
        world.db.seen.borrow_mut().clear();
        assert_eq!(world.job(Job::Retention).count, calls);
        world.db.seen.borrow().len()
    };
    assert_eq!(statements(1), statements(300));
}

#[test]
fn calls_of_several_days_are_found_and_so_are_those_from_before_there_were_days() {
    let world = World::new();
    world.execute(&format!(
        "INSERT INTO call_log (id, interface, code, duration_us, request_id) VALUES ({} * 4194304, 'old', 200, 1, 'r')",
        world.now.get() - DAY_MS
    ));
    for _ in 0..3 {
        record(&world, "token", Some(&eid(0)), None, None);
        world.pass(DAY_MS);
    }
    let found = |limit, cursor| {
        let filter = CallFilter {
            cursor,
            limit,
            ..CallFilter::default()
        };
        let page = run(search_calls(&world.cx(), &filter)).unwrap();
        (page.calls.len(), page.next)
    };
    let (first, next) = found(2, None);
    assert_eq!((first, found(2, next).0), (2, 2));
    let about = CallFilter {
        eid: Some(eid(0)),
        limit: 10,
        ..CallFilter::default()
    };
    assert_eq!(run(search_calls(&world.cx(), &about)).unwrap().calls.len(), 3);
}
