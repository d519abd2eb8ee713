//! Failures on the card's side, and what the business system learns of them.

use card_sim::{ApduIndex, Faults, Side};
use test_support::components::{inventory, root};
use test_support::stack::{RunningStack, TestActions as _, applied, power, text};
use uicc::apdu::StatusWord;
use xieka::api::Api;
use xieka::demo::demo_env::DemoEnv;
use xieka::demo::world::World;

const EF_IMSI: u16 = 0x6F07;

// Table 2: 写卡失败; Table 4
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_refuses_its_update_fails_the_write_and_a_new_application_works() {
    let running = RunningStack::start(inventory(2)).await;
    let world = &running.world;
    let chip = &world.inventory.chips[0];
    let mut module = applied(world, chip).await;
    module.set_faults(Faults::refusing(EF_IMSI, StatusWord(0x6982)));
    module.power_on().await;
    assert_eq!(world.card(&chip.eid).await.0, "写卡失败");
    let callbacks = world.callbacks(1).await;
    assert_eq!(callbacks.len(), 1);
    assert_eq!(
        (
            text(&callbacks[0], "card_status"),
            text(&callbacks[0], "write_result")
        ),
        ("写卡失败".into(), "失败".into())
    );
    assert!(!text(&callbacks[0], "description").is_empty());
    // The shipped profile writes EF_IMSI with the command that loads the keys.
    assert_eq!(text(&callbacks[0], "failure"), "keys_refused");

    module.set_faults(Faults::default());
    world.apply(&chip.eid).await.unwrap();
    power(&mut module).await;
    assert_eq!(world.card(&chip.eid).await, ("写卡成功".into(), "100%".into()));
    assert_eq!(world.callbacks(2).await.len(), 2);
    running.shutdown().await;
}

// Chips may be imported before any gateway says which card profiles it has.
#[tokio::test(flavor = "multi_thread")]
async fn a_chip_whose_profile_no_gateway_has_fails_its_task_in_its_first_session() {
    let mut stock = inventory(1);
    stock.chips[0].profile = "vendor-x".into();
    let demo_env = DemoEnv::new().await.unwrap();
    let launch = demo_env.launch(root());
    let host = launch.platform().await.unwrap();
    let api = Api::new(format!("http://{}", host.addr()));
    let nowhere = ([127, 0, 0, 1], 1).into();
    let mut world = World::prepare(demo_env, api, nowhere, stock, &|_, _| {})
        .await
        .unwrap();
    let gateway = launch.gateway(host.addr()).await.unwrap();
    world.gateway = gateway.addr();
    let chip = &world.inventory.chips[0];
    let mut module = applied(&world, chip).await;
    for _ in 0..2 {
        module.power_on().await;
        assert_eq!(world.card(&chip.eid).await.0, "写卡失败");
    }
    let callbacks = world.callbacks(1).await;
    assert_eq!(callbacks.len(), 1);
    assert_eq!(text(&callbacks[0], "failure"), "profile_unknown");
    let sessions = world
        .admin("/admin/v1/sessions", &[("reason", "work_not_understood")])
        .await;
    // Nothing of the number was sent: it is free at once, and the second power-up has nothing to look for.
    let tasks = sessions["sessions"].as_array().unwrap().iter();
    let tasks: Vec<_> = tasks.map(|session| session["task_id"].is_string()).collect();
    assert_eq!(tasks, [true], "{sessions}");
    gateway.shutdown().await;
    host.shutdown().await;
}

// §6.2.4.1: 若运营号无法正常通信，卡片状态维持写卡中
#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_cannot_attach_leaves_the_card_in_writing_until_it_can() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let chip = &world.inventory.chips[0];
    let number = &world.inventory.numbers[0];
    world.network.reject(&number.imsi);
    let mut module = applied(world, chip).await;
    let report = module.power_on().await;
    assert!(!report.attached, "{report}");
    assert_eq!(world.card(&chip.eid).await.0, "写卡中");
    module.power_on().await;
    assert_eq!(world.card(&chip.eid).await.0, "写卡中");
    assert!(
        world.demo_env.receiver.received().is_empty(),
        "a success was reported that is none"
    );

    world.network.admit(&number.imsi);
    power(&mut module).await;
    assert_eq!(world.callbacks(1).await.len(), 1);
    world.assert_written(&module).await;
    running.shutdown().await;
}

// §5.2.1.2, R505: an exhausted chip gets no session, and the allowance never goes up by itself
#[tokio::test(flavor = "multi_thread")]
async fn an_exhausted_test_allowance_ends_the_sessions_and_opens_an_incident() {
    /// Interrupted power-ups that use up 33 kB with certainty.
    const MAX_POWER_UPS: usize = 60;
    let mut stock = inventory(1);
    // Just enough to be allowed to apply (docs/limits.md).
    stock.chips[0].allowance_mb = "0.033".into();
    let running = RunningStack::start(stock).await;
    let world = &running.world;
    let chip = &world.inventory.chips[0];
    world.apply(&chip.eid).await.unwrap();
    // The platform counts by itself: the chip's own counter allows five megabytes.
    let mut module = world
        .module_with(chip, |card| card.allowance(5_000_000_u64))
        .unwrap();
    let mut incidents = Vec::new();
    for _ in 0..MAX_POWER_UPS {
        module.set_faults(Faults::power_loss(ApduIndex::Script(8), Side::Before));
        module.power_on().await;
        let list = world.admin("/admin/v1/incidents", &[]).await;
        incidents = list["incidents"].as_array().unwrap().clone();
        if !incidents.is_empty() {
            break;
        }
    }
    assert_eq!(
        incidents.len(),
        1,
        "the platform never ended a session: {incidents:?}"
    );
    assert_eq!(text(&incidents[0], "kind"), "allowance_exhausted");

    module.set_faults(Faults::default());
    module.power_on().await;
    assert_ne!(world.card(&chip.eid).await.0, "写卡成功");
    running.shutdown().await;
}

// R603: the allowance must suffice before an application is accepted
#[tokio::test(flavor = "multi_thread")]
async fn a_chip_without_test_allowance_cannot_be_applied_for() {
    let mut stock = inventory(1);
    stock.chips[0].allowance_mb = "0.001".into();
    let running = RunningStack::start(stock).await;
    let refused = running
        .world
        .try_apply(&running.world.inventory.chips[0].eid)
        .await;
    assert_eq!(
        (refused.status, text(&refused.body, "reason")),
        (403, "allowance_exhausted".into())
    );
    running.shutdown().await;
}

// Table 3: 无可用省份资源
#[tokio::test(flavor = "multi_thread")]
async fn of_two_chips_that_want_the_last_number_one_gets_it_and_the_other_is_refused() {
    let mut stock = inventory(2);
    stock.numbers.truncate(1);
    let running = RunningStack::start(stock).await;
    let world = &running.world;
    let (first, second) = (world.inventory.chips[0].clone(), world.inventory.chips[1].clone());
    let (one, other) = tokio::join!(world.try_apply(&first.eid), world.try_apply(&second.eid));
    let (winner, loser, refused) = match (one.status, other.status) {
        (200, 409) => (&first, &second, other),
        (409, 200) => (&second, &first, one),
        both => panic!("expected one success and one refusal, got {both:?}"),
    };
    assert_eq!(text(&refused.body, "reason"), "province_without_number");
    assert_eq!(world.card(&loser.eid).await.0, "申请失败");
    let mut module = world.module(winner).unwrap();
    power(&mut module).await;
    assert_eq!(world.callbacks(1).await.len(), 1);
    world.assert_written(&module).await;
    running.shutdown().await;
}
