//! Routes, headers, well-known paths, variables and environment.

use serde_json::{Value, json};

use crate::test_host::TestHost;

fn values<'a>(headers: &'a Value, name: &str) -> Vec<&'a str> {
    headers
        .as_array()
        .unwrap()
        .iter()
        .filter(|pair| pair[0] == name)
        .map(|pair| pair[1].as_str().unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_reach_the_component_of_their_route_and_no_other() {
    let host = TestHost::new().await;
    let headers = host.call("/open/headers", Value::Null).await;
    assert_eq!(values(&headers, "spin-component-route"), ["/open"]);
    let headers = host.call("/closed/deeper/headers", Value::Null).await;
    assert_eq!(values(&headers, "spin-component-route"), ["/closed"]);
    assert_eq!(values(&headers, "spin-path-info"), ["/deeper/headers"]);
    assert_eq!(host.send("/elsewhere", &[], &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_component_is_not_reachable_from_outside() {
    let host = TestHost::new().await;
    for path in ["/hidden", "/hidden/headers", "/..."] {
        assert_eq!(host.send(path, &[], &Value::Null).await.status, 404, "{path}");
    }
    let forged = [("host", "hidden.spin.internal")];
    assert_eq!(host.send("/headers", &forged, &Value::Null).await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_spin_headers_stay_and_the_hosts_own_come_last() {
    let host = TestHost::new().await;
    let forged = [
        ("spin-client-addr", "6.6.6.6:6"),
        ("spin-path-match-user-id", "root"),
    ];
    let headers = host.send("/users/42/headers", &forged, &Value::Null).await.body;
    let addresses = values(&headers, "spin-client-addr");
    assert_eq!(addresses.len(), 2, "{headers}");
    assert_eq!(addresses[0], "6.6.6.6:6");
    assert!(addresses[1].starts_with("127.0.0.1:"), "{addresses:?}");
    assert_eq!(values(&headers, "spin-path-match-user-id"), ["root", "42"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_spin_headers_describe_the_request() {
    let host = TestHost::new().await;
    let headers = host.call("/users/42/headers?x=1", Value::Null).await;
    let full_url = format!("http://{}/users/42/headers?x=1", host.inner.addr());
    for (name, value) in [
        ("spin-full-url", full_url.as_str()),
        ("spin-matched-route", "/users/:user_id/..."),
        ("spin-raw-component-route", "/users/:user_id/..."),
        ("spin-component-route", "/users/:user_id"),
        ("spin-base-path", "/"),
        ("spin-path-info", "/headers"),
    ] {
        assert_eq!(values(&headers, name), [value], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_info_are_answered_by_the_host() {
    let host = TestHost::new().await;
    let health = host.send("/.well-known/spin/health", &[], &Value::Null).await;
    assert_eq!((health.status, health.text.as_str()), (200, "OK"));
    let info = host.send("/.well-known/spin/info", &[], &Value::Null).await;
    assert_eq!(info.body, json!({ "name": "probes", "version": "1.2.3" }));
    assert_eq!(info.headers["content-type"], "application/json");
    let other = host.send("/.well-known/spin/other", &[], &Value::Null).await;
    assert_eq!(other.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_the_variables_of_its_own_table_alone() {
    let host = TestHost::new().await;
    let value = host.call("/open/variable", json!({ "name": "both" })).await;
    assert_eq!(value, "by default and hush");
    for path in ["/open/variable", "/closed/variable"] {
        let error = host.call_error(path, json!({ "name": "secret" })).await;
        assert!(error.contains("ndefined"), "{error}");
    }
    let error = host
        .call_error("/open/variable", json!({ "name": "No-Name" }))
        .await;
    assert!(error.contains("nvalid"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_sees_the_environment_of_its_own_table_alone() {
    let host = TestHost::new().await;
    assert_eq!(
        host.call("/open/environment", Value::Null).await,
        json!([["COLOUR", "green"]])
    );
    assert_eq!(host.call("/closed/environment", Value::Null).await, json!([]));
}
