//! A tick in this process: the router of the dispatcher, and behind it that of `maintenance`.

use serde_json::json;
use test_support::chained_host::ChainedHost;
use test_support::http::{Reply, TestRequest};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::{SECRET, variables};

use super::{MAINTENANCE, MAINTENANCE_PATH, router};
use web::{App, Variables, service};

/// The dispatcher, with or without `maintenance`, on a new database.
async fn dispatcher(with_maintenance: bool) -> TestRouter {
    let database = TestDatabase::new().await;
    let maintenance = || service(maintenance_router::router(), App::new(database.host()));
    let components = with_maintenance.then(|| (MAINTENANCE, maintenance()));
    let host = ChainedHost::new(database.host(), components.into_iter().collect());
    TestRouter::on(database, router(), host)
}

async fn get(dispatcher: &TestRouter, query: &str) -> Reply {
    let request = TestRequest::get(format!("/internal/cron?{query}"));
    dispatcher.send(request).await
}

async fn tick(dispatcher: &TestRouter) -> Reply {
    get(dispatcher, &format!("key={SECRET}")).await
}

#[tokio::test]
async fn a_tick_runs_every_job_that_is_due_and_the_next_one_only_sends_messages() {
    let dispatcher = dispatcher(true).await;
    let first = tick(&dispatcher).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let idle = r#"{"done":0,"more":false}"#;
    let jobs = [
        "audit_heads",
        "backups",
        "batches",
        "hopeless_tasks",
        "incident_clocks",
        "ip_throttles",
        "key_rotation",
        "messages",
        "monthly_review",
        "pools",
        "refusals",
        "retention",
        "stuck_tasks",
        "supervision",
        "temporary_numbers",
        "times_ahead",
    ];
    let jobs = jobs.map(|name| format!("\"{name}\":{idle}")).join(",");
    let head = r#"{"code":200,"message":"成功","delivered":0,"retrying":0,"dead":0,"jobs":{"#;
    assert_eq!(first.text, format!("{head}{jobs}}},\"more\":false}}"));
    let second = tick(&dispatcher).await;
    assert_eq!(
        second.text,
        format!("{head}\"messages\":{idle}}},\"more\":false}}")
    );
}

#[tokio::test]
async fn a_maintenance_that_does_not_answer_is_named_and_messages_are_sent_all_the_same() {
    let Reply {
        status, body: answer, ..
    } = tick(&dispatcher(false).await).await;
    assert_eq!(status, 200);
    let expected = json!({
        "maintenance": {"failed": "unavailable"},
        "messages": {"done": 0, "more": false},
    });
    assert_eq!((&answer["jobs"], &answer["more"]), (&expected, &json!(false)));
}

// §7.3
#[tokio::test]
async fn a_message_whose_receiver_does_not_answer_is_counted_and_not_due_at_once_again() {
    let database = TestDatabase::new().await;
    // An environment of tests: its network needs no guard.
    let native = database.host_with(&Variables {
        callback_allow_http: Some("true".to_owned()),
        ..variables()
    });
    let routes = router()
        .merge(incidents_router::router())
        .merge(maintenance_router::router())
        .merge(messages_router::router());
    let platform = TestRouter::on(database, routes, ChainedHost::new(native, Vec::new()));
    let receiver = json!({"receiver": "operator", "url": "https://receiver.example/alerts"});
    let incident = json!({"kind": "call_timeout", "severity": "severe"});
    for (path, document) in [
        ("/admin/v1/receivers:update", receiver),
        ("/admin/v1/incidents:open", incident),
    ] {
        let done = platform.post(path, &document).await;
        assert_eq!(done["code"], 200, "{done}");
    }
    // The alert of the incident, and the end of the audit trail.
    platform.get(MAINTENANCE_PATH).await;
    let counts = async || {
        let Reply { body, .. } = tick(&platform).await;
        let counts = ["delivered", "retrying", "dead", "more"].map(|name| body[name].clone());
        (body["jobs"]["messages"].clone(), json!(counts))
    };
    let once = json!({"done": 2, "more": false});
    assert_eq!(counts().await, (once, json!([0, 2, 0, false])));
    let nothing = json!({"done": 0, "more": false});
    assert_eq!(counts().await, (nothing, json!([0, 0, 0, false])));
}

#[tokio::test]
async fn a_timer_shows_its_secret_and_no_other_parameter() {
    let dispatcher = dispatcher(false).await;
    for (query, status, reason) in [
        ("key=wrong", 401, "credential_wrong"),
        (&*format!("key={SECRET}&colour=red"), 400, "parameter_unknown"),
    ] {
        let reply = get(&dispatcher, query).await;
        assert_eq!((reply.status, reply.reason()), (status, reason), "{}", reply.text);
    }
}

#[test]
fn the_path_of_maintenance_is_that_of_its_router() {
    let router = maintenance_router::router();
    assert!(router.into_openapi().paths.paths.contains_key(MAINTENANCE_PATH));
}
