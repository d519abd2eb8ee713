//! Acts that need a second person: used up with the act, once.

use domain::error::{Error, Reason};
use domain::{AccountId, ApprovalId, ClientId, Right};
use operations::{
    Act, CallDigest, ClientChange, NewAccount, SecondPerson, StaffMember, agree, ask_for_approval,
    change_client, create_account, list_approvals, refuse_approval,
};
use test_support::operations::{World, days, reason, run};

use super::faults::leaves_nothing_behind;
use super::races::race;

const CALL: CallDigest = [7; 32];

fn act(who: &str) -> Act {
    let request = "request-1".to_owned();
    Act::new(
        who.to_owned(),
        Right::ClientsUpdate,
        "203.0.113.9".to_owned(),
        request,
    )
}

fn account(world: &World, name: &str) -> AccountId {
    let new = NewAccount {
        name: "王芳",
        sign_in_name: name,
        roles: &["business_operations".to_owned()],
    };
    run(create_account(&world.cx(), &StaffMember::Secret, &new))
        .unwrap()
        .id
}

fn ask(world: &World, who: AccountId, call: &CallDigest) -> Result<ApprovalId, Error> {
    let act = act(&format!("account:{who}"));
    let cx = world.cx();
    let cx = cx.acting(Some(&act));
    run(ask_for_approval(&cx, &act, call, &SecondPerson::default()))
}

/// A second person changes the name of a client.
fn carry_out(world: &World, client: &ClientId, id: ApprovalId) -> Result<(), Error> {
    let act = act("account:second");
    let cx = world.cx();
    let cx = cx.acting(Some(&act));
    run(agree(&cx, &act, &CALL, id))?;
    let change = ClientChange {
        name: Some("乙"),
        ..ClientChange::default()
    };
    run(change_client(&cx, client, &change)).map(drop)
}

fn asked(world: &World) -> (ClientId, ApprovalId) {
    let client = world.client().client_id;
    let who = account(world, "wang");
    (client, ask(world, who, &CALL).unwrap())
}

#[test]
fn of_second_people_at_once_one_carries_it_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("xieka.db");
    let world = World::in_file(&path, 1);
    let (client, id) = asked(&world);
    let results = race(&path, |world, _| carry_out(world, &client, id));
    let refused: Vec<Reason> = results
        .iter()
        .filter_map(|result| result.as_ref().err().map(Error::reason))
        .collect();
    assert_eq!(refused.len(), results.len() - 1, "{refused:?}");
    assert!(refused.iter().all(|reason| *reason == Reason::ApprovalEnded));
    assert_eq!(
        world.count("SELECT COUNT(*) FROM audit WHERE what = 'clients.update' AND outcome = 'done'"),
        1
    );
}

#[test]
fn what_was_agreed_to_is_used_up_with_the_act_or_not_at_all() {
    let arrange = || {
        let world = World::new();
        let arranged = asked(&world);
        (world, arranged)
    };
    leaves_nothing_behind("carry out", arrange, |world, (client, id)| {
        carry_out(world, client, *id)
    });
    leaves_nothing_behind("refuse", arrange, |world, (_, id)| {
        run(refuse_approval(&world.cx(), &StaffMember::Secret, *id))
    });
    leaves_nothing_behind(
        "ask",
        || {
            let world = World::new();
            let who = account(&world, "wang");
            (world, who)
        },
        |world, who| ask(world, *who, &CALL).map(drop),
    );
}

#[test]
fn what_one_account_asks_for_is_bounded_and_forgotten_after_a_while() {
    let world = World::new();
    let who = account(&world, "wang");
    let call = |n: u8| [n; 32];
    for n in 0..100 {
        ask(&world, who, &call(n)).unwrap();
    }
    assert_eq!(reason(ask(&world, who, &call(100))), Reason::TooMany);
    assert!(ask(&world, who, &call(0)).is_ok());
    let page = |after| run(list_approvals(&world.cx(), after, 60)).unwrap();
    let (first, next) = page(None);
    let (rest, end) = page(next);
    assert_eq!((first.len(), rest.len(), end), (60, 40, None));
    world.pass(days(3));
    assert_eq!(page(None).0.len(), 0);
    world.pass(days(30) + 1);
    ask(&world, who, &call(100)).unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM approval"), 1);
}
