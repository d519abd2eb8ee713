//! Access to every route, in one table. A route that is missing from it fails the test.

use std::collections::BTreeSet;

use serde_json::json;
use test_support::components::root;
use test_support::http::TestRequest;
use test_support::platform::{ClientAccount, TestPlatform};
use web::Access;

use crate::endpoints::{self, Endpoint};
use crate::valid_requests::valid_target;

/// Which secret opens an internal interface.
const SECRETS: [(&str, &str); 5] = [
    ("/admin/", "admin_secret"),
    ("/ingest/", "ingest_secret"),
    ("/internal/gateway/", "gateway_secret"),
    ("/internal/cron", "cron_secret"),
    ("/internal/upkeep", "cron_secret"),
];

/// Routes that anybody may read; they hold nothing of a client.
const PUBLIC: [&str; 2] = ["/openapi.json", "/docs"];

/// The variable with the secret that opens an internal path.
pub(crate) fn secret_of(path: &str) -> &'static str {
    let found = SECRETS.iter().find(|(start, _)| path.starts_with(start));
    found
        .unwrap_or_else(|| panic!("{path} is in no row of the table"))
        .1
}

/// Whether a route of the manifest leads to a documented path.
fn covers(route: &str, path: &str) -> bool {
    if let Some(prefix) = route.strip_suffix("...") {
        return path.starts_with(prefix);
    }
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let is_same =
        |(route, path): (&&str, &&str)| route == path || route.starts_with(':') && path.starts_with('{');
    route.len() == path.len() && route.iter().zip(&path).all(is_same)
}

#[test]
fn every_route_of_the_manifest_belongs_to_an_interface_and_every_interface_to_a_route() {
    let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    // A component with a private route is called by other components alone.
    let is_public =
        |trigger: &&toml::Value| trigger["route"].get("private").and_then(toml::Value::as_bool) != Some(true);
    let triggers: Vec<&toml::Value> = triggers.iter().filter(is_public).collect();
    let routes: BTreeSet<&str> = triggers
        .iter()
        .map(|trigger| trigger["route"].as_str().unwrap())
        .collect();
    assert_eq!(routes.len(), triggers.len());
    for endpoint in endpoints::all() {
        let found = routes.iter().any(|route| covers(route, endpoint.path));
        assert!(found, "{} has no route", endpoint.path);
    }
    for route in routes.iter().filter(|route| !PUBLIC.contains(route)) {
        let found = endpoints::all().any(|endpoint| covers(route, endpoint.path));
        assert!(found, "{route} leads to no interface");
    }
}

/// Clients whose tokens must be refused, each for its own reason.
struct RefusedClients {
    revoked: ClientAccount,
    of_revoked_secret: ClientAccount,
    disabled: ClientAccount,
    elsewhere: ClientAccount,
    without_permission: ClientAccount,
    tampered_token: String,
}

impl RefusedClients {
    async fn create(platform: &TestPlatform) -> Self {
        let account = || platform.create_account("127.0.0.1/32");
        let (revoked, of_revoked_secret) = (account().await, account().await);
        let (disabled, elsewhere, without_permission) = (account().await, account().await, account().await);
        let change = "/admin/v1/clients:update";
        for (path, body) in [
            (
                "/admin/v1/clients:revoke-tokens",
                json!({"client_id": revoked.id}),
            ),
            (
                "/admin/v1/clients:revoke-secret",
                json!({"client_id": of_revoked_secret.id, "generation": 1}),
            ),
            (change, json!({"client_id": disabled.id, "active": false})),
            (
                change,
                json!({"client_id": elsewhere.id, "ips": ["198.51.100.7"]}),
            ),
            (
                change,
                json!({"client_id": without_permission.id, "permissions": ["write.provinces"]}),
            ),
        ] {
            platform.admin_post(path, body).await;
        }
        let mut tampered_token = platform.owner.token.clone();
        let last = tampered_token.pop().unwrap();
        tampered_token.push(if last == 'A' { 'B' } else { 'A' });
        Self {
            revoked,
            of_revoked_secret,
            disabled,
            elsewhere,
            without_permission,
            tampered_token,
        }
    }

    /// Requests to a business interface, with the status and reason of their refusal.
    fn requests(
        &self,
        platform: &TestPlatform,
        endpoint: &'static Endpoint,
    ) -> Vec<(TestRequest, u16, &'static str)> {
        let bare = || TestRequest::get(valid_target(platform, endpoint));
        let with = |token: &str| bare().bearer(token);
        let mut table = vec![
            (
                bare().with("spin-client-addr", "198.51.100.7:1"),
                400,
                "header_forged",
            ),
            (bare().with("spin-path-info", "/x"), 400, "header_forged"),
        ];
        if matches!(endpoint.access, Access::Client(_)) {
            table.extend([
                (bare(), 401, "token_missing"),
                (with(""), 401, "token_invalid"),
                (with("v1.x.1.9999999999999.AAAA"), 401, "token_invalid"),
                (with(&self.tampered_token), 401, "token_invalid"),
                (with(&self.revoked.token), 401, "token_invalid"),
                (with(&self.of_revoked_secret.token), 401, "token_invalid"),
                (with(&self.disabled.token), 403, "client_disabled"),
                (with(&self.elsewhere.token), 403, "ip_not_allowed"),
                // The header counts only behind a trusted proxy.
                (
                    with(&self.elsewhere.token).with("x-forwarded-for", "198.51.100.7"),
                    403,
                    "ip_not_allowed",
                ),
                (with(&platform.secret("admin_secret")), 401, "token_invalid"),
                (bare().with("authorization", "Basic eDp5"), 401, "token_invalid"),
            ]);
        }
        if endpoint.name != "write.provinces" && endpoint.name != "token" {
            table.push((with(&self.without_permission.token), 403, "permission_missing"));
        }
        table
    }
}

async fn assert_refused(
    platform: &TestPlatform,
    endpoint: &'static Endpoint,
    request: TestRequest,
    (status, reason): (u16, &str),
) {
    let reply = platform.send(request).await;
    assert_eq!(
        (reply.status, reply.reason()),
        (status, reason),
        "{}: {}",
        endpoint.name,
        reply.text
    );
}

/// Only the interface's own secret opens it, and not with a forged header.
async fn assert_internal_access(platform: &TestPlatform, endpoint: &'static Endpoint) {
    let own = secret_of(endpoint.path);
    let target = endpoint.operations[0].example_path();
    let may_be_posted = endpoint.methods().contains(&"POST");
    let request = || match may_be_posted {
        true => TestRequest::post(target.as_str(), "application/json", "{}"),
        false => TestRequest::get(target.as_str()),
    };
    let mut wrong = vec![String::new(), "x".repeat(64), platform.owner.token.clone()];
    let others = SECRETS.iter().filter(|(_, name)| *name != own);
    wrong.extend(others.map(|(_, name)| platform.secret(name)));
    let refused = (401, "credential_wrong");
    assert_refused(platform, endpoint, request(), refused).await;
    for credential in wrong {
        assert_refused(platform, endpoint, request().bearer(&credential), refused).await;
    }
    let forged = TestRequest::get(target.as_str())
        .bearer(&platform.secret(own))
        .with("spin-client-addr", "10.0.0.1:1");
    let name = endpoint.name;
    assert_eq!(platform.send(forged).await.reason(), "header_forged", "{name}");
    let allowed = platform.send(request().bearer(&platform.secret(own))).await;
    assert_ne!(allowed.status, 401, "{name}");
}

// R711, R903, R515; §5.3.2.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_can_call_an_interface_without_access_to_it() {
    let platform = TestPlatform::start().await;
    let refused = RefusedClients::create(&platform).await;
    let old = platform.create_account("127.0.0.1/32").await;
    let mut covered = BTreeSet::new();
    for endpoint in endpoints::business() {
        for (request, status, reason) in refused.requests(&platform, endpoint) {
            assert_refused(&platform, endpoint, request, (status, reason)).await;
        }
        covered.insert(endpoint.name);
        platform.advance_clock(60_000);
    }
    for endpoint in endpoints::internal() {
        assert_internal_access(&platform, endpoint).await;
        covered.insert(endpoint.name);
        platform.advance_clock(60_000);
    }
    for endpoint in endpoints::sign_in() {
        let request = TestRequest::document(endpoint.path, &json!({}));
        assert_refused(&platform, endpoint, request, (400, "parameter_missing")).await;
        covered.insert(endpoint.name);
    }
    let all: BTreeSet<_> = endpoints::all().map(|endpoint| endpoint.name).collect();
    assert_eq!(covered, all);

    platform.advance_clock(86_400_000);
    for endpoint in endpoints::business().filter(|endpoint| endpoint.name != "token") {
        let late = TestRequest::get(valid_target(&platform, endpoint)).bearer(&old.token);
        assert_refused(&platform, endpoint, late, (401, "token_expired")).await;
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_of_another_client_do_not_exist_for_a_client() {
    let platform = TestPlatform::start().await;
    let task = platform.write_card(0).await;
    let waiting = platform.apply(1).await;
    let (eid, chip) = (platform.eid(0), &platform.inventory.chips[2]);
    let mut paths = vec![
        format!("/v1/write/status?eid={eid}"),
        format!("/v1/write/status?task_id={task}"),
        format!("/v1/write/tasks?task_id={task}"),
        format!("/v1/write/cancel?eid={}", platform.eid(1)),
        format!("/v1/write/cancel?task_id={waiting}"),
        format!("/v1/write/apply?eid={}&write_type=1&province_code=37", chip.eid),
        format!("/v1/chip?eid={eid}"),
        format!("/v1/number/open-time?eid={eid}"),
        format!("/v1/number/open-time?msisdn={}", chip.temp_msisdn),
    ];
    for number in &platform.inventory.numbers {
        for path in ["/v1/number", "/v1/number/usage", "/v1/number/city"] {
            paths.push(format!("{path}?iccid={}", number.iccid));
        }
        paths.push(format!("/v1/number/open-time?msisdn={}", number.msisdn));
    }
    for path in paths {
        let reply = platform
            .send(TestRequest::get(path.as_str()).bearer(&platform.other.token))
            .await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
    let listed = platform
        .send(TestRequest::get(format!("/v1/write/tasks?eid={eid}")).bearer(&platform.other.token))
        .await;
    assert_eq!((listed.status, &listed.body["tasks"]), (200, &json!([])));
    let still = platform
        .send(TestRequest::get(format!("/v1/write/status?task_id={waiting}")).bearer(&platform.owner.token))
        .await;
    assert_eq!(still.body["card_status"], "待开机上电");
    platform.shutdown().await;
}

// §9.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_rotated_without_a_gap() {
    let platform = TestPlatform::start().await;
    let (id, old) = (&platform.owner.id, &platform.owner.secret);
    let rotation = json!({"client_id": id, "overlap_secs": 60});
    let rotated = platform
        .admin_post("/admin/v1/clients:rotate-secret", rotation.clone())
        .await;
    let new = rotated.body["client_secret"].as_str().unwrap();
    assert_eq!(rotated.body["previous_expires_at"], "2026-07-01T08:01:00+08:00");
    let status = async |token: &str| {
        let request = TestRequest::get(format!("/v1/chip?eid={}", platform.eid(0))).bearer(token);
        platform.send(request).await.status
    };
    let (by_old, by_new) = (platform.token(id, old).await, platform.token(id, new).await);
    assert_eq!((status(&by_old).await, status(&by_new).await), (200, 200));
    let again = TestRequest::post(
        "/admin/v1/clients:rotate-secret",
        "application/json",
        rotation.to_string(),
    );
    let refused = platform.send(again.bearer(&platform.admin_secret())).await;
    assert_eq!((refused.status, refused.reason()), (409, "secrets_in_rotation"));
    platform.advance_clock(60_000);
    assert_eq!((status(&by_old).await, status(&by_new).await), (401, 200));
    let refused = platform
        .send(TestRequest::get(format!(
            "/v1/token?client_id={id}&client_secret={old}"
        )))
        .await;
    assert_eq!(refused.reason(), "client_unknown_or_secret_wrong");
    platform.shutdown().await;
}
