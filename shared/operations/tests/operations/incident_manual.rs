//! §8.2, §8.3.1: what administrators do about incidents.

use domain::error::{Error, Reason};
use domain::{
    DAY_MS, HOUR_MS, IncidentClass, IncidentId, IncidentKind, MINUTE_MS, Province, Receiver, Severity,
    Timestamp,
};
use operations::{
    About, IncidentAct, IncidentFilter, IncidentPage, IncidentView, Job, MAX_INCIDENT_TEXT_CHARS,
    NewIncident, Opened, enter_incident, faulty_chips, list_incidents, register_fault, show_incident,
};
use test_support::eid::eid_text;
use test_support::inventory::eid;
use test_support::operations::{World, reason, run};

use super::incidents::{act, all, enter, final_report, open_kinds};

fn open(world: &World, kind: IncidentKind, about: About, note: Option<&str>) -> Result<Opened, Error> {
    let new = NewIncident {
        kind,
        about,
        severity: None,
        note,
    };
    run(enter_incident(&world.cx(), &new))
}

fn report(world: &World, id: IncidentId, text: &str) -> Result<IncidentView, Error> {
    act(world, id, IncidentAct::Report(text))
}

fn settle(world: &World, id: IncidentId) -> Result<IncidentView, Error> {
    act(world, id, IncidentAct::Settle(Some("已恢复")))
}

#[test]
fn an_incident_is_about_a_chip_a_client_a_province_or_the_platform() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let chip = open(&world, IncidentKind::NoNetwork, About::Chip(eid(0)), None).unwrap();
    assert_eq!(chip.incident.eid, Some(eid_text(0)));
    let client = About::Client(caller.id.clone());
    let token = open(&world, IncidentKind::TokenRejected, client.clone(), None).unwrap();
    assert_eq!(token.incident.subject, format!("client:{}", caller.id.as_str()));
    let callback = open(&world, IncidentKind::CallbackUndeliverable, client, None).unwrap();
    let receiver = Receiver::Client(caller.id.clone());
    assert_eq!(
        callback.incident.subject,
        format!("receiver:{}", receiver.code()),
        "what the platform itself would open"
    );
    let province = About::Province(Province::parse("37").unwrap());
    let empty = open(&world, IncidentKind::ProvinceWithoutNumber, province, None).unwrap();
    assert_eq!(empty.incident.subject, "province:37");
    assert_eq!(enter(&world, IncidentKind::CallTimeout, None).subject, "platform");
    assert!(all(&world).iter().all(|one| one.opened_by.code() == "admin"));
}

#[test]
fn an_incident_is_shown_by_its_identifier() {
    let world = World::new();
    let opened = enter(&world, IncidentKind::CallTimeout, None);
    enter(&world, IncidentKind::ProvincesWithoutNumber, None);
    assert_eq!(run(show_incident(&world.cx(), opened.id)).unwrap(), opened);
    let unknown = run(show_incident(&world.cx(), opened.id.next()));
    assert_eq!(reason(unknown), Reason::UnknownIncident);
}

#[test]
fn an_incident_about_something_unknown_is_refused() {
    let world = World::new();
    let chip = open(&world, IncidentKind::NoNetwork, About::Chip(eid(0)), None);
    assert_eq!(reason(chip), Reason::UnknownChip);
    let client = domain::ClientId::new([1; 10]);
    let client = open(&world, IncidentKind::TokenRejected, About::Client(client), None);
    assert_eq!(reason(client), Reason::UnknownClient);
    assert!(all(&world).is_empty());
}

#[test]
fn an_incident_about_what_its_kind_is_not_about_is_refused_by_the_name_of_the_field() {
    let world = World::new();
    let caller = world.stocked(1, 0);
    let refusal = |kind, about| {
        let error = open(&world, kind, about, None).unwrap_err();
        (error.reason(), error.detail().unwrap().en.clone())
    };
    let (missing, no) = (Reason::ParameterMissing, Reason::ParameterNotApplicable);
    let client = || About::Client(caller.id.clone());
    for (kind, about, reason, field) in [
        (IncidentKind::NoNetwork, About::Platform, missing, "eid"),
        (
            IncidentKind::ProvinceWithoutNumber,
            About::Platform,
            missing,
            "province_code",
        ),
        (
            IncidentKind::ProvinceWithoutNumber,
            About::Chip(eid(0)),
            no,
            "eid",
        ),
        (IncidentKind::ChipFault, client(), no, "client_id"),
        (IncidentKind::ProvincesWithoutNumber, client(), no, "client_id"),
        (
            IncidentKind::CallbackUndeliverable,
            About::Chip(eid(0)),
            no,
            "eid",
        ),
    ] {
        assert_eq!(refusal(kind, about), (reason, field.to_owned()), "{kind:?}");
    }
    assert!(all(&world).is_empty());
}

#[test]
fn a_chip_fault_opened_by_hand_enters_the_register_and_entering_the_register_opens_one() {
    let world = World::new();
    let caller = world.stocked(2, 1);
    open(&world, IncidentKind::ChipFault, About::Chip(eid(0)), None).unwrap();
    assert_eq!(reason(world.apply_auto(&caller, 0)), Reason::ChipFaulty);
    let registered = || {
        run(faulty_chips(&world.cx(), false, None, 10))
            .unwrap()
            .rows
            .len()
    };
    assert_eq!(registered(), 1);
    let mark = |faulty| run(register_fault(&world.cx(), &eid(1), faulty)).unwrap();
    mark(true);
    assert_eq!((open_kinds(&world).len(), registered()), (2, 2));
    let incident = all(&world).into_iter().find(|one| one.eid == Some(eid_text(1)));
    settle(&world, incident.unwrap().id).unwrap();
    mark(true);
    assert_eq!(open_kinds(&world), ["chip_fault"], "again opens no incident");
    mark(false);
    mark(true);
    assert_eq!(open_kinds(&world), ["chip_fault", "chip_fault"]);
}

#[test]
fn the_same_incident_is_open_once() {
    let world = World::new();
    let first = open(&world, IncidentKind::CallTimeout, About::Platform, Some("第一次")).unwrap();
    let again = open(&world, IncidentKind::CallTimeout, About::Platform, Some("第二次")).unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.incident, again.incident);
    settle(&world, first.incident.id).unwrap();
    let next = open(&world, IncidentKind::CallTimeout, About::Platform, None).unwrap();
    assert!(next.is_new && next.incident.id != first.incident.id);
}

#[test]
fn several_empty_provinces_are_severe_whoever_says_otherwise() {
    let world = World::new();
    let kind = IncidentKind::ProvincesWithoutNumber;
    let incident = enter(&world, kind, Some(Severity::General));
    assert_eq!(incident.state.severity, Severity::Severe);
}

#[test]
fn what_people_write_is_shown_to_them_and_sealed_in_the_database() {
    let world = World::new();
    world.stocked(1, 0);
    let note = format!("芯片 {} 上电后无网络", eid_text(0));
    let opened = open(
        &world,
        IncidentKind::NoNetwork,
        About::Chip(eid(0)),
        Some(&format!(" {note} ")),
    );
    let id = opened.unwrap().incident.id;
    act(&world, id, IncidentAct::Escalate).unwrap();
    report(&world, id, "已通知设备方案商").unwrap();
    settle(&world, id).unwrap();
    let shown = final_report(&world, id).unwrap();
    assert_eq!(shown, all(&world).remove(0));
    assert_eq!(shown.note.as_deref(), Some(note.as_str()));
    assert_eq!(shown.report.as_deref(), Some("已通知设备方案商"));
    assert_eq!(shown.settlement.as_deref(), Some("已恢复"));
    assert_eq!(shown.final_report.unwrap().root_cause, "连接池过小");
    let row = world.column(
        "SELECT hex(note_sealed || settlement_sealed || report_sealed || final_report_sealed) FROM incident",
    );
    for text in [note.as_str(), "已恢复", "已通知", "连接池"] {
        assert!(!row[0].contains(&hex::encode_upper(text)), "{text}");
    }
}

#[test]
fn a_text_that_is_empty_or_endless_is_refused() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    let longest = "长".repeat(MAX_INCIDENT_TEXT_CHARS);
    assert_eq!(reason(report(&world, incident.id, " \n")), Reason::ParameterEmpty);
    assert_eq!(
        reason(report(&world, incident.id, &format!("{longest}长"))),
        Reason::ParameterTooLong
    );
    report(&world, incident.id, &longest).unwrap();
}

#[test]
fn an_incident_that_is_not_there_or_not_in_the_state_is_refused_with_the_reason() {
    let world = World::new();
    let nobody = IncidentId::first(world.time());
    let general = enter(&world, IncidentKind::ChipFault, None).id;
    assert_eq!(reason(settle(&world, nobody)), Reason::UnknownIncident);
    assert_eq!(reason(report(&world, nobody, "无")), Reason::UnknownIncident);
    assert_eq!(reason(report(&world, general, "无")), Reason::IncidentNotSevere);
    assert_eq!(reason(final_report(&world, general)), Reason::IncidentNotSevere);
    act(&world, general, IncidentAct::Escalate).unwrap();
    assert_eq!(reason(final_report(&world, general)), Reason::IncidentOpen);
    settle(&world, general).unwrap();
    let otherwise = act(&world, general, IncidentAct::Settle(Some("另一说明")));
    assert_eq!(reason(otherwise), Reason::IncidentSettled);
    let wordless = act(&world, general, IncidentAct::Settle(None));
    assert_eq!(reason(wordless), Reason::IncidentSettled);
    let escalated = act(&world, general, IncidentAct::Escalate);
    assert_eq!(reason(escalated), Reason::IncidentSettled);
    final_report(&world, general).unwrap();
}

#[test]
fn an_incident_made_severe_by_hand_is_told_and_its_hour_begins_then() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::ChipFault, None);
    world.pass(3 * HOUR_MS);
    let severe = act(&world, incident.id, IncidentAct::Escalate).unwrap();
    assert_eq!(severe.state.report_by(), Some(world.time().plus(HOUR_MS)));
    world.pass(MINUTE_MS);
    let again = act(&world, incident.id, IncidentAct::Escalate).unwrap();
    assert_eq!(again.state.severe_at, severe.state.severe_at);
    world.job(Job::IncidentClocks);
    assert_eq!(world.column("SELECT kind FROM alert"), ["incident_severe"]);
}

#[test]
fn a_report_that_is_corrected_keeps_its_time() {
    let world = World::new();
    let incident = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe));
    let first = report(&world, incident.id, "初步原因：负载").unwrap();
    world.pass(3 * HOUR_MS);
    let corrected = report(&world, incident.id, "初步原因：网络").unwrap();
    assert_eq!(corrected.state.reported_at, first.state.reported_at);
    assert_eq!(corrected.report.as_deref(), Some("初步原因：网络"));
    world.job(Job::IncidentClocks);
    let raised = world.column("SELECT kind FROM alert ORDER BY kind");
    assert_eq!(raised, ["incident_overdue", "incident_severe"]);
}

#[test]
fn what_is_done_again_with_the_same_words_after_a_lost_answer_is_answered_and_changes_nothing() {
    let world = World::new();
    let id = enter(&world, IncidentKind::CallTimeout, Some(Severity::Severe)).id;
    for act in [
        report,
        |world: &World, id, _: &str| settle(world, id),
        |world: &World, id, _: &str| final_report(world, id),
    ] {
        let first = act(&world, id, "初步原因：负载").unwrap();
        let rows = world.dump();
        world.pass(MINUTE_MS);
        assert_eq!(act(&world, id, " 初步原因：负载").unwrap(), first);
        assert_eq!(world.dump(), rows);
    }
    let wordless = enter(&world, IncidentKind::CallTimeout, None).id;
    for _ in 0..2 {
        act(&world, wordless, IncidentAct::Settle(None)).unwrap();
    }
}

#[test]
fn what_the_platform_settled_is_not_settled_by_hand_too() {
    let (world, _) = super::incidents::writing();
    run(register_fault(&world.cx(), &eid(0), true)).unwrap();
    let fault = open(&world, IncidentKind::ChipFault, About::Chip(eid(0)), None).unwrap();
    run(register_fault(&world.cx(), &eid(0), false)).unwrap();
    let again = act(&world, fault.incident.id, IncidentAct::Settle(None));
    assert_eq!(reason(again), Reason::IncidentSettled);
}

#[test]
fn incidents_are_found_by_state_kind_class_severity_and_time() {
    let world = World::new();
    world.stocked(2, 0);
    let began = world.time();
    let silent = |chip| {
        open(&world, IncidentKind::NumberSilent, About::Chip(eid(chip)), None)
            .unwrap()
            .incident
    };
    let first = silent(0);
    world.pass(DAY_MS);
    let second = silent(1);
    settle(&world, second.id).unwrap();
    let third = enter(&world, IncidentKind::ProvincesWithoutNumber, None);
    let found = |filter: IncidentFilter| -> Vec<IncidentId> {
        let filter = IncidentFilter { limit: 200, ..filter };
        let page = run(list_incidents(&world.cx(), &filter)).unwrap();
        page.incidents.iter().map(|one| one.id).collect()
    };
    let any = IncidentFilter::default;
    assert_eq!(found(any()).len(), 3);
    let open = Some(true);
    let mut expected = vec![third.id, first.id];
    assert_eq!(found(IncidentFilter { open, ..any() }), expected);
    let open = Some(false);
    assert_eq!(found(IncidentFilter { open, ..any() }), [second.id]);
    let kind = Some(IncidentKind::ProvincesWithoutNumber);
    assert_eq!(found(IncidentFilter { kind, ..any() }), [third.id]);
    let class = Some(IncidentClass::Writing);
    let mut writing = found(IncidentFilter { class, ..any() });
    writing.sort();
    assert_eq!(writing, [first.id, second.id]);
    assert!(found(IncidentFilter { kind, class, ..any() }).is_empty());
    let severity = Some(Severity::Severe);
    assert_eq!(found(IncidentFilter { severity, ..any() }), [third.id]);
    let to = Some(began.plus(1));
    assert_eq!(found(IncidentFilter { to, ..any() }), [first.id]);
    let from = to;
    expected = found(IncidentFilter { from, ..any() });
    expected.sort();
    let mut later = [second.id, third.id];
    later.sort();
    assert_eq!(expected, later);
}

#[test]
fn pages_of_incidents_follow_each_other() {
    let world = World::new();
    for _ in 0..5 {
        let incident = enter(&world, IncidentKind::CallTimeout, None);
        settle(&world, incident.id).unwrap();
        world.pass(1);
    }
    let page = |cursor| -> IncidentPage {
        let filter = IncidentFilter {
            cursor,
            limit: 2,
            ..IncidentFilter::default()
        };
        run(list_incidents(&world.cx(), &filter)).unwrap()
    };
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = page(cursor);
        seen.extend(page.incidents);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, all(&world));
    assert!(open_kinds(&world).is_empty());
}

#[test]
fn the_register_of_faulty_chips_is_shown_page_by_page_the_latest_first() {
    let world = World::new();
    let caller = world.stocked(6, 0);
    let mark = |chip, faulty| run(register_fault(&world.cx(), &eid(chip), faulty)).unwrap();
    for chip in 0..3 {
        mark(chip, true);
    }
    world.pass(MINUTE_MS);
    for chip in 3..5 {
        mark(chip, true);
    }
    // Since when does not change by registering again.
    mark(0, true);
    mark(4, false);
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = run(faulty_chips(&world.cx(), false, cursor, 2)).unwrap();
        seen.extend(page.rows);
        let Some(next) = page.next else { break };
        cursor = Some(store::ListKey::parse(&next.text()).unwrap());
    }
    assert_eq!(seen.len(), 4);
    assert_eq!(seen[0].eid, Some(eid_text(3)));
    assert_eq!(seen[0].since, world.time());
    let mut earlier: Vec<_> = seen[1..].iter().map(|chip| chip.eid.clone()).collect();
    earlier.sort();
    assert_eq!(earlier, [0, 1, 2].map(|chip| Some(eid_text(chip))));
    assert!(
        seen[1..]
            .iter()
            .all(|chip| chip.since == world.time().plus(-MINUTE_MS))
    );
    assert!(
        seen.iter()
            .all(|chip| chip.client_id == caller.id.as_str() && chip.chip_model == "XK-1")
    );
    for text in [
        "",
        "-",
        "1",
        "x-00-1",
        "1-zz-1",
        "1-00",
        "1-00-1-1",
        "99999999999999999999-00-1",
    ] {
        assert!(store::ListKey::parse(text).is_err(), "{text}");
    }
    assert_eq!(world.time(), Timestamp(world.now.get()));
}
