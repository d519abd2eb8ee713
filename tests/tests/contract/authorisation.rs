//! Who may call what: one table over every route there is. A route that is missing from it fails the test.

use std::collections::BTreeSet;

use serde_json::json;
use web::interface::{self, Access, Interface, Methods};

use crate::cases::good;
use crate::door::{Door, Sent, root};

/// Which secret opens an internal interface.
const SECRETS: [(&str, &str); 5] = [
    ("/admin/", "admin_secret"),
    ("/ingest/", "ingest_secret"),
    ("/internal/gateway/", "gateway_secret"),
    ("/internal/cron", "cron_secret"),
    ("/internal/upkeep", "cron_secret"),
];

/// Routes that anybody may read: nothing in them is anybody's.
const PUBLIC: [&str; 2] = ["/openapi.json", "/docs"];

fn secret_of(interface: &Interface) -> &'static str {
    let found = SECRETS.iter().find(|(path, _)| interface.path.starts_with(path));
    found
        .unwrap_or_else(|| panic!("{} is in no row of the table", interface.path))
        .1
}

#[test]
fn every_route_of_the_manifest_belongs_to_an_interface_and_every_interface_to_a_route() {
    let manifest = std::fs::read_to_string(root().join("spin.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let triggers = manifest["trigger"]["http"].as_array().unwrap();
    let routes: BTreeSet<&str> = triggers
        .iter()
        .map(|trigger| trigger["route"].as_str().unwrap())
        .collect();
    assert_eq!(routes.len(), triggers.len());
    let covers = |route: &str, path: &str| match route.strip_suffix("...") {
        Some(prefix) => path.starts_with(prefix),
        None => route == path,
    };
    for interface in interface::all() {
        let found = routes.iter().any(|route| covers(route, interface.path));
        assert!(found, "{} has no route", interface.path);
    }
    for route in routes.iter().filter(|route| !PUBLIC.contains(route)) {
        let found = interface::all().any(|interface| covers(route, interface.path));
        assert!(found, "{route} leads to no interface");
    }
}

// R711, R903, R515; §5.3.2.2
#[tokio::test(flavor = "multi_thread")]
async fn nobody_calls_what_was_not_opened_for_them() {
    let door = Door::open().await;
    let revoked = door.account("127.0.0.1/32").await;
    let of_revoked_secret = door.account("127.0.0.1/32").await;
    let disabled = door.account("127.0.0.1/32").await;
    let elsewhere = door.account("127.0.0.1/32").await;
    let powerless = door.account("127.0.0.1/32").await;
    let old = door.account("127.0.0.1/32").await;
    door.admin_post(
        "/admin/v1/clients:revoke-tokens",
        json!({"client_id": revoked.id}),
    )
    .await;
    let generation = json!({"client_id": of_revoked_secret.id, "generation": 1});
    door.admin_post("/admin/v1/clients:revoke-secret", generation)
        .await;
    let change = "/admin/v1/clients:update";
    door.admin_post(change, json!({"client_id": disabled.id, "active": false}))
        .await;
    door.admin_post(
        change,
        json!({"client_id": elsewhere.id, "ips": ["198.51.100.7"]}),
    )
    .await;
    let token_only = json!({"client_id": powerless.id, "permissions": ["write.provinces"]});
    door.admin_post(change, token_only).await;
    let mut tampered = door.one.token.clone();
    let last = tampered.pop().unwrap();
    tampered.push(if last == 'A' { 'B' } else { 'A' });

    let mut covered = BTreeSet::new();
    for interface in interface::BUSINESS {
        let target = good(&door, interface);
        let with = |token: &str| Sent::get(target.as_str()).bearer(token);
        let mut table = vec![
            (
                Sent::get(target.as_str()).with("spin-client-addr", "198.51.100.7:1"),
                400,
                "header_forged",
            ),
            (
                Sent::get(target.as_str()).with("spin-path-info", "/x"),
                400,
                "header_forged",
            ),
        ];
        if matches!(interface.access, Access::Client(_)) {
            table.extend([
                (Sent::get(target.as_str()), 401, "token_missing"),
                (with(""), 401, "token_invalid"),
                (with("v1.x.1.9999999999999.AAAA"), 401, "token_invalid"),
                (with(&tampered), 401, "token_invalid"),
                (with(&revoked.token), 401, "token_invalid"),
                (with(&of_revoked_secret.token), 401, "token_invalid"),
                (with(&disabled.token), 403, "client_disabled"),
                (with(&elsewhere.token), 403, "ip_not_allowed"),
                // Believed only behind a proxy that is known.
                (
                    with(&elsewhere.token).with("x-forwarded-for", "198.51.100.7"),
                    403,
                    "ip_not_allowed",
                ),
                (with(&door.secret("admin_secret")), 401, "token_invalid"),
                (
                    Sent::get(target.as_str()).with("authorization", "Basic eDp5"),
                    401,
                    "token_invalid",
                ),
            ]);
        }
        if interface.name != "write.provinces" && interface.name != "token" {
            table.push((with(&powerless.token), 403, "permission_missing"));
        }
        for (sent, status, reason) in table {
            let reply = door.send(sent).await;
            assert_eq!(
                (reply.status, reply.reason()),
                (status, reason),
                "{}: {}",
                interface.name,
                reply.text
            );
        }
        covered.insert(interface.name);
        door.pass(60_000);
    }
    for interface in interface::INTERNAL {
        let own = secret_of(interface);
        let send = |bearer: Option<&str>| {
            let mut sent = match interface.methods {
                Methods::Get => Sent::get(interface.path),
                _ => Sent::post(interface.path, "application/json", "{}"),
            };
            if let Some(bearer) = bearer {
                sent = sent.bearer(bearer);
            }
            door.send(sent)
        };
        let mut strangers = vec![
            None,
            Some(String::new()),
            Some("x".repeat(64)),
            Some(door.one.token.clone()),
        ];
        let others = SECRETS.iter().filter(|(_, name)| *name != own);
        strangers.extend(others.map(|(_, name)| Some(door.secret(name))));
        for stranger in strangers {
            let reply = send(stranger.as_deref()).await;
            assert_eq!(
                (reply.status, reply.reason()),
                (401, "credential_wrong"),
                "{}: {}",
                interface.name,
                reply.text
            );
        }
        let forged = Sent::get(interface.path)
            .bearer(&door.secret(own))
            .with("spin-client-addr", "10.0.0.1:1");
        assert_eq!(
            door.send(forged).await.reason(),
            "header_forged",
            "{}",
            interface.name
        );
        assert_ne!(
            send(Some(&door.secret(own))).await.status,
            401,
            "{}",
            interface.name
        );
        covered.insert(interface.name);
        door.pass(60_000);
    }
    let all: BTreeSet<_> = interface::all().map(|interface| interface.name).collect();
    assert_eq!(covered, all);

    door.pass(86_400_000);
    for interface in interface::BUSINESS
        .iter()
        .filter(|interface| interface.name != "token")
    {
        let reply = door
            .send(Sent::get(good(&door, interface)).bearer(&old.token))
            .await;
        assert_eq!(
            (reply.status, reply.reason()),
            (401, "token_expired"),
            "{}",
            interface.name
        );
    }
    door.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_another_clients_does_not_exist() {
    let door = Door::open().await;
    let task = door.written(0).await;
    let waiting = door.applied(1).await;
    let (eid, chip) = (door.eid(0), &door.inventory.chips[2]);
    let mut paths = vec![
        format!("/v1/write/status?eid={eid}"),
        format!("/v1/write/status?task_id={task}"),
        format!("/v1/write/cancel?eid={}", door.eid(1)),
        format!("/v1/write/cancel?task_id={waiting}"),
        format!("/v1/write/apply?eid={}&write_type=1&province_code=37", chip.eid),
        format!("/v1/chip?eid={eid}"),
        format!("/v1/number/open-time?eid={eid}"),
        format!("/v1/number/open-time?msisdn={}", chip.temp_msisdn),
    ];
    for number in &door.inventory.numbers {
        for path in ["/v1/number", "/v1/number/usage", "/v1/number/city"] {
            paths.push(format!("{path}?iccid={}", number.iccid));
        }
        paths.push(format!("/v1/number/open-time?msisdn={}", number.msisdn));
    }
    for path in paths {
        let reply = door
            .send(Sent::get(path.as_str()).bearer(&door.other.token))
            .await;
        assert_eq!(reply.status, 404, "{path}: {}", reply.text);
    }
    let still = door
        .send(Sent::get(format!("/v1/write/status?task_id={waiting}")).bearer(&door.one.token))
        .await;
    assert_eq!(still.body["card_status"], "待开机上电");
    door.close().await;
}

// §9.2.1
#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_replaced_without_a_gap() {
    let door = Door::open().await;
    let (id, old) = (&door.one.id, &door.one.secret);
    let rotation = json!({"client_id": id, "overlap_secs": 60});
    let rotated = door
        .admin_post("/admin/v1/clients:rotate-secret", rotation.clone())
        .await;
    let new = rotated.body["client_secret"].as_str().unwrap();
    assert_eq!(rotated.body["previous_expires_at"], "2026-07-01T08:01:00+08:00");
    let status = async |token: &str| {
        let sent = Sent::get(format!("/v1/chip?eid={}", door.eid(0))).bearer(token);
        door.send(sent).await.status
    };
    let (by_old, by_new) = (door.token(id, old).await, door.token(id, new).await);
    assert_eq!((status(&by_old).await, status(&by_new).await), (200, 200));
    let again = Sent::post(
        "/admin/v1/clients:rotate-secret",
        "application/json",
        rotation.to_string(),
    );
    let refused = door.send(again.bearer(&door.admin())).await;
    assert_eq!((refused.status, refused.reason()), (409, "secrets_in_rotation"));
    door.pass(60_000);
    assert_eq!((status(&by_old).await, status(&by_new).await), (401, 200));
    let refused = door
        .send(Sent::get(format!("/v1/token?client_id={id}&client_secret={old}")))
        .await;
    assert_eq!(refused.reason(), "client_unknown_or_secret_wrong");
    door.close().await;
}
