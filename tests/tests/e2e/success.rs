//! Writes that succeed.

use test_support::components::inventory;
use test_support::stack::{RunningStack, TestActions as _, applied, power, text};

// §6.2, §7.2.1, §7.2.2.2, §7.2.2.3, §7.3
#[tokio::test(flavor = "multi_thread")]
async fn an_application_ends_in_a_written_card_and_a_signed_callback() {
    let running = RunningStack::start(inventory(1)).await;
    let world = &running.world;
    let chip = world.inventory.chips[0].clone();
    let answer = world.apply(&chip.eid).await.unwrap();
    assert_eq!(text(&answer, "card_status"), "待开机上电");
    assert_eq!(world.card(&chip.eid).await, ("待开机上电".into(), "0%".into()));

    let mut module = world.module(&chip).unwrap();
    let report = power(&mut module).await;
    assert_eq!(report.resets, 1, "the chip restarted with its new identity");
    assert_eq!(
        report.sessions.len(),
        2,
        "one session wrote, one reported in over the operator number"
    );

    let callbacks = world.callbacks(1).await;
    assert_eq!(callbacks.len(), 1);
    world.assert_written(&module).await;
    // The identifiers of everything about a card end in the same byte.
    let task = text(&answer, "task_id");
    let home = &task[task.len() - 2..];
    let found = world.admin("/admin/v1/sessions", &[("eid", &chip.eid)]).await;
    let sessions = found["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2, "{found}");
    assert!(
        sessions.iter().all(|session| text(session, "id").ends_with(home)),
        "{task}: {found}"
    );
    let received = world.demo_env.receiver.received();
    assert!(received.iter().all(|callback| callback.id.ends_with(home)));
    assert!(
        report.bytes_up + report.bytes_down < 16_000,
        "a card costs few bytes: {report}"
    );
    running.shutdown().await;
}

// §7.1.3: retries change nothing twice
#[tokio::test(flavor = "multi_thread")]
async fn applying_again_with_the_same_parameters_answers_the_same_task() {
    let running = RunningStack::start(inventory(2)).await;
    let eid = running.world.inventory.chips[0].eid.clone();
    let first = running.world.apply(&eid).await.unwrap();
    let again = running.world.apply(&eid).await.unwrap();
    assert_eq!(text(&first, "task_id"), text(&again, "task_id"));
    running.shutdown().await;
}

// §6.2.4.1, Table 3
#[tokio::test(flavor = "multi_thread")]
async fn power_ups_do_not_change_a_written_card_and_another_application_is_refused() {
    let running = RunningStack::start(inventory(2)).await;
    let world = &running.world;
    let mut module = applied(world, &world.inventory.chips[0]).await;
    power(&mut module).await;
    let files = module.chip().read_file("ADF/6F07");
    module.power_on().await;
    assert_eq!(module.chip().read_file("ADF/6F07"), files);
    let refused = world.try_apply(&world.inventory.chips[0].eid).await;
    assert_eq!((refused.status, refused.body["code"].as_u64()), (409, Some(409)));
    assert_eq!(world.card(&world.inventory.chips[0].eid).await.0, "写卡成功");
    assert_eq!(world.callbacks(1).await.len(), 1);
    world.assert_written(&module).await;
    running.shutdown().await;
}

// §5.2.2: every suite a chip may offer
#[tokio::test(flavor = "multi_thread")]
async fn chips_of_every_tls_suite_and_fragment_length_are_written() {
    use card_sim::personalisation::{BodyCoding, MaxFragment, Suite, TlsChoice};
    let choices = [
        (Suite::Tls12CbcSha256, None, BodyCoding::Chunked),
        (
            Suite::Tls12CbcSha256,
            Some(MaxFragment::Bytes512),
            BodyCoding::ContentLength,
        ),
        (Suite::Tls12GcmSha256, None, BodyCoding::ContentLength),
        (
            Suite::Tls12GcmSha256,
            Some(MaxFragment::Bytes1024),
            BodyCoding::Chunked,
        ),
        (Suite::Tls13GcmSha256, None, BodyCoding::Chunked),
    ];
    let running = RunningStack::start(inventory(5)).await;
    let world = &running.world;
    for (chip, (suite, max_fragment, coding)) in world.inventory.chips.iter().zip(choices) {
        world.apply(&chip.eid).await.unwrap();
        let tls = TlsChoice { suite, max_fragment };
        let mut module = world
            .module_with(chip, |card| card.tls(tls).body_coding(coding))
            .unwrap();
        power(&mut module).await;
        assert_eq!(world.card(&chip.eid).await.0, "写卡成功");
    }
    running.shutdown().await;
}

// The other shipped card profile: the RFM application refreshes by itself, and the issuer may have locked EF_ICCID.
#[tokio::test(flavor = "multi_thread")]
async fn a_generic_usim_is_written_and_a_locked_iccid_is_reported() {
    use card_sim::personalisation::RefreshPolicy;
    /// REFRESH with a UICC reset (TS 102 223 §8.6).
    const UICC_RESET: u8 = 4;
    let mut stock = inventory(2);
    for chip in &mut stock.chips {
        chip.profile = "generic-usim".into();
    }
    let running = RunningStack::start(stock).await;
    let world = &running.world;
    let (open, locked) = (world.inventory.chips[0].clone(), world.inventory.chips[1].clone());
    for chip in [&open, &locked] {
        world.apply(&chip.eid).await.unwrap();
    }
    let automatic = RefreshPolicy::Automatic(UICC_RESET);
    let mut module = world.module_with(&open, |card| card.refresh(automatic)).unwrap();
    power(&mut module).await;
    world.callbacks(1).await;
    world.assert_written(&module).await;

    let mut module = world
        .module_with(&locked, |card| card.refresh(automatic).iccid_writable(false))
        .unwrap();
    module.power_on().await;
    assert_eq!(world.card(&locked.eid).await.0, "写卡失败");
    let callbacks = world.callbacks(2).await;
    assert_eq!(text(&callbacks[1], "failure"), "iccid_refused");
    running.shutdown().await;
}

// §8.2.1 Table 3: 若需更换运营号，需按特殊流程上报处理
#[tokio::test(flavor = "multi_thread")]
async fn a_reopened_card_is_written_with_another_number_over_the_one_it_has() {
    let running = RunningStack::start(inventory(2)).await;
    let world = &running.world;
    let chip = world.inventory.chips[0].clone();
    let mut module = applied(world, &chip).await;
    power(&mut module).await;
    let first = world.callbacks(1).await.remove(0);
    let identity = module.chip().read_file("ADF/6F07");

    let note = serde_json::json!({"eid": chip.eid, "person": "王芳", "reason": "更换运营号"});
    let reopened = world
        .api
        .post_json(&world.admin_secret, "/admin/v1/chips:reopen", &note)
        .await
        .unwrap()
        .ok("reopening")
        .unwrap();
    assert_eq!(text(&reopened, "card_status"), "待写卡");
    assert_eq!(module.chip().read_file("ADF/6F07"), identity);

    world.apply(&chip.eid).await.unwrap();
    power(&mut module).await;
    assert_eq!(world.card(&chip.eid).await.0, "写卡成功");
    let second = world.callbacks(2).await.remove(1);
    assert_eq!(text(&second, "write_result"), "成功");
    assert_ne!(text(&first, "iccid"), text(&second, "iccid"));
    assert_ne!(module.chip().read_file("ADF/6F07"), identity);
    let seen = world.admin("/admin/v1/alerts", &[]).await;
    assert!(seen.to_string().contains("number_replaced"), "{seen}");
    running.shutdown().await;
}
