//! Keys are changed while calls go on, and a clock that jumps destroys nothing: over HTTP, on several nodes.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use edge_host::Host;
use serde_json::{Value, json};
use test_support::components::reuse;
use test_support::http::{Reply, TestRequest};
use test_support::platform::TestPlatform;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Callers at a time.
const CALLERS: usize = 4;
/// Between two calls of one of them.
const PAUSE: Duration = Duration::from_millis(20);

/// The settings that are changed, with what they are now, and a new value of each.
const CHANGED: [&str; 6] = [
    "sealing_keys",
    "token_key",
    "link_key",
    "admin_secret",
    "gateway_secret",
    "cron_secret",
];

struct Rotation {
    platform: TestPlatform,
    old: Vec<String>,
    new: Vec<String>,
}

impl Rotation {
    async fn begin() -> Self {
        let platform = TestPlatform::start().await;
        let old = CHANGED.map(|name| platform.secret(name)).to_vec();
        let fresh = |name: &str| match name {
            "sealing_keys" => format!("2:{}", "c2".repeat(32)),
            name => format!("{:02x}", name.len()).repeat(32),
        };
        let new = CHANGED.map(fresh).to_vec();
        Self { platform, old, new }
    }

    /// A node with these values of every setting.
    async fn node(&self, value: impl Fn(&str, &str) -> String) -> Host {
        let values: Vec<String> = self
            .old
            .iter()
            .zip(&self.new)
            .map(|(old, new)| value(old, new))
            .collect();
        let changed: Vec<(&str, &str)> = CHANGED
            .into_iter()
            .zip(values.iter().map(String::as_str))
            .collect();
        self.platform.start_node_with(&changed).await
    }

    async fn get(&self, node: &Host, path: &str, secret: &str) -> Reply {
        self.platform
            .send_to(node, TestRequest::get(path).bearer(secret))
            .await
    }

    /// Ticks until no more is to be done, with every secret that the node accepts.
    async fn tick(&self, node: &Host, cron_secret: &str) {
        for _ in 0..1_000 {
            let ticked = self.get(node, "/internal/cron", cron_secret).await;
            assert_eq!(ticked.status, 200, "{}", ticked.text);
            if ticked.body["more"] == false {
                return;
            }
        }
        panic!("the periodic work has no end");
    }

    /// Calls every node as clients do, while `work` goes on; every call succeeds.
    async fn under_load(&self, nodes: &[&Host], work: impl Future<Output = ()>) {
        let (is_over, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
        let caller = |n: usize| {
            let (is_over, calls) = (&is_over, &calls);
            async move {
                let owner = &self.platform.owner;
                while !is_over.load(Ordering::SeqCst) {
                    let node = nodes[calls.fetch_add(1, Ordering::SeqCst) % nodes.len()];
                    let target = match n % 2 {
                        0 => format!("/v1/write/status?eid={}", self.platform.eid(n)),
                        _ => format!("/v1/chip?eid={}", self.platform.eid(n)),
                    };
                    let reply = self.get(node, &target, &owner.token).await;
                    // The clock stands still, so the client's limit is not filled up again.
                    assert!([200, 429].contains(&reply.status), "{}", reply.text);
                    let target = format!("/v1/token?client_id={}&client_secret={}", owner.id, owner.secret);
                    let reply = self.platform.send_to(node, TestRequest::get(target)).await;
                    assert!([200, 429].contains(&reply.status), "{}", reply.text);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        };
        let callers = futures::future::join_all((0..CALLERS).map(caller));
        let work = async {
            work.await;
            while calls.load(Ordering::SeqCst) <= CALLERS {
                tokio::time::sleep(PAUSE).await;
            }
            is_over.store(true, Ordering::SeqCst);
        };
        futures::future::join(callers, work).await;
    }

    /// Lets a day pass, after which nothing uses the old keys any more; returns a token of then.
    async fn a_day_later(&self, using: &Host) -> String {
        let platform = &self.platform;
        platform.advance_clock(27 * HOUR);
        let token = |reply: Reply| reply.body["token"].as_str().expect(&reply.text).to_owned();
        let owner = &platform.owner;
        let target = format!("/v1/token?client_id={}&client_secret={}", owner.id, owner.secret);
        let token = token(platform.send_to(using, TestRequest::get(target)).await);
        let session = json!({"session_id": "0190a5b0-0000-7000-8000-00000000fffe", "eid": platform.eid(3),
            "peer": "192.0.2.1:1", "agent": null, "resumed": false});
        let session = TestRequest::document("/internal/gateway/sessions", &session).bearer(&self.new[4]);
        let opened = platform.send_to(using, session).await;
        assert!(opened.status < 500 && opened.status != 401, "{}", opened.text);
        for _ in 0..2 {
            platform.advance_clock(MINUTE);
            self.tick(using, &self.new[5]).await;
        }
        let (new, all) = sealed_under(platform, 2);
        assert_eq!(new, all);
        let keys = self.keys(using).await;
        let retired = keys.iter().filter(|(_, is_retired)| *is_retired).count();
        assert_eq!(retired, 3, "sealing, token and link key");
        token
    }

    async fn keys(&self, node: &Host) -> Vec<(String, bool)> {
        let health = self.get(node, "/admin/v1/health", &self.new[3]).await;
        assert_eq!(health.status, 200, "{}", health.text);
        let key = |key: &Value| {
            (
                key["name"].as_str().unwrap().to_owned(),
                key["retired_at"].is_string(),
            )
        };
        health.body["keys"].as_array().unwrap().iter().map(key).collect()
    }
}

/// How many sealed values are under the key with this number, of how many.
fn sealed_under(platform: &TestPlatform, id: u8) -> (i64, i64) {
    let columns = platform.sealed_columns();
    assert!(!columns.is_empty());
    columns.iter().fold((0, 0), |(of_key, all), (table, column)| {
        let is_under = format!("hex(substr({column}, 2, 1)) = '{id:02X}'");
        let found = platform.number(&format!("SELECT COUNT(*) FROM {table} WHERE {is_under}"));
        let count = platform.number(&format!("SELECT COUNT({column}) FROM {table}"));
        (of_key + found, all + count)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_secrets_are_changed_under_load_without_a_failed_call_and_the_old_ones_are_removed() {
    let rotation = Rotation::begin().await;
    let platform = &rotation.platform;
    platform.write_card(0).await;

    // Every node accepts the new values; then every node uses them.
    let accepting = rotation.node(|old, new| format!("{old},{new}")).await;
    rotation
        .under_load(
            &[&platform.host, &accepting],
            rotation.tick(&accepting, &rotation.new[5]),
        )
        .await;
    assert_eq!(sealed_under(platform, 2).0, 0);
    let using = rotation.node(|old, new| format!("{new},{old}")).await;
    rotation
        .under_load(&[&accepting, &using], async {
            // The next run of each job is a minute away.
            platform.advance_clock(MINUTE);
            rotation.tick(&using, &rotation.old[5]).await;
        })
        .await;
    let (new, all) = sealed_under(platform, 2);
    assert!(all > 0 && new > all / 2, "{new} of {all}");
    let health = rotation.keys(&using).await;
    assert!(health.iter().all(|(_, is_retired)| !is_retired), "{health:?}");
    accepting.shutdown().await;

    let token = rotation.a_day_later(&using).await;
    let only_new = rotation.node(|_, new| new.to_owned()).await;
    for path in ["/v1/write/status", "/v1/chip"] {
        let target = format!("{path}?eid={}", platform.eid(0));
        let reply = rotation.get(&only_new, &target, &token).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    for path in [
        "/admin/v1/callbacks",
        "/admin/v1/incidents",
        "/admin/v1/alerts",
        "/admin/v1/clients",
    ] {
        let reply = rotation.get(&only_new, path, &rotation.new[3]).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let refused = rotation.get(&only_new, path, &rotation.old[3]).await;
        assert_eq!((refused.status, refused.reason()), (401, "credential_wrong"));
    }
    let only_old = rotation.node(|old, _| old.to_owned()).await;
    let refused = rotation
        .get(&only_old, &format!("/v1/chip?eid={}", platform.eid(0)), &token)
        .await;
    assert_eq!((refused.status, refused.reason()), (503, "keys_wrong"));
    for node in [using, only_new, only_old] {
        node.shutdown().await;
    }
    rotation.platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_of_any_kind_is_refused_by_every_component_that_has_it() {
    let platform = TestPlatform::start().await;
    platform.write_card(0).await;
    let status = format!("/v1/write/status?eid={}", platform.eid(0));
    let session = json!({"session_id": "0190a5b0-0000-7000-8000-00000000ffff", "eid": platform.eid(1),
        "peer": "192.0.2.1:1", "agent": null, "resumed": false});
    let calls = [
        (
            "sealing_keys",
            format!("1:{}", "ab".repeat(32)),
            TestRequest::get(&status).bearer(&platform.owner.token),
        ),
        (
            "token_key",
            "ab".repeat(32),
            TestRequest::get(&status).bearer(&platform.owner.token),
        ),
        (
            "link_key",
            "ab".repeat(32),
            TestRequest::document("/internal/gateway/sessions", &session)
                .bearer(&platform.secret("gateway_secret")),
        ),
    ];
    for (name, value, request) in calls {
        let node = platform.start_node_with(&[(name, &value)]).await;
        let reply = platform.send_to(&node, request).await;
        assert_eq!((reply.status, reply.reason()), (503, "keys_wrong"), "{name}");
        assert!(!reply.text.contains(name), "internal detail: {}", reply.text);
        node.shutdown().await;
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_destroys_nothing_until_its_time_is_confirmed() {
    let platform = TestPlatform::start_with(reuse(), &[("clock_trusted", "false")]).await;
    platform.write_card(0).await;
    let tick = || async {
        let request = TestRequest::get("/internal/cron").bearer(&platform.secret("cron_secret"));
        let ticked = platform.send(request).await;
        assert_eq!(ticked.status, 200, "{}", ticked.text);
    };
    let calls = || platform.count_calls("true");
    tick().await;
    let before = calls();
    platform.advance_clock(400 * DAY);
    tick().await;
    platform.advance_clock(MINUTE);
    tick().await;
    assert!(calls() >= before);
    let health = platform.admin_get("/admin/v1/health").await;
    assert_eq!(health["healthy"], false);
    assert!(health["clock_held_at"].is_string(), "{health}");

    let confirm = |time: &str| {
        let document = json!({"time": time, "person": "王芳", "reason": "机房停电检修"});
        TestRequest::document("/admin/v1/clock:confirm", &document).bearer(&platform.admin_secret())
    };
    let wrong = platform.send(confirm("2026-07-01T08:00:00+08:00")).await;
    assert_eq!(
        (wrong.status, wrong.reason()),
        (409, "clock_differs"),
        "{}",
        wrong.text
    );
    let now = domain::Timestamp(platform.now()).to_rfc3339(domain::Zone::UTC);
    let confirmed = platform.send(confirm(&now)).await;
    assert_eq!(
        (confirmed.status, &confirmed.body["was_held"]),
        (200, &json!(true))
    );
    let again = platform.send(confirm(&now)).await;
    assert_eq!((again.status, &again.body["was_held"]), (200, &json!(false)));
    platform.advance_clock(MINUTE);
    tick().await;
    assert!(calls() < before);
    assert!(platform.admin_get("/admin/v1/health").await["clock_held_at"].is_null());
    platform.shutdown().await;
}
