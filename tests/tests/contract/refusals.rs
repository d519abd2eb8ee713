//! Every interface of clause 7.2 with every refusal it documents.
//!
//! A documented refusal that nothing here provokes, or a provoked one that is not documented, fails the test.

use std::collections::HashMap;

use domain::error::Reason;
use test_support::components::reuse_policies;
use test_support::http::TestRequest;
use test_support::platform::TestPlatform;
use tokio::io::AsyncWriteExt as _;
use web::{Content, MAX_PAIRS, MAX_QUERY_BYTES};

use crate::endpoints::{self, Endpoint, named};
use crate::refusal_coverage::{Provoked, RefusalCoverage};
use crate::refusals_by_endpoint;
use crate::valid_requests::{valid_request, valid_target};

/// Refusals that need real time or a broken connection, with the tests that provoke them.
const TESTED_ELSEWHERE: [(Reason, &str); 3] = [
    (
        Reason::SchemaBehind,
        "the tests of migrations in operations: only a migration that fails leaves the schema behind",
    ),
    (
        Reason::BodyTooSlow,
        "the tests of the crate web and of edge-host: it needs 20 s of real time",
    ),
    (
        Reason::BodyBroken,
        "a_truncated_body_changes_nothing_and_affects_no_other_request: the client is gone",
    ),
];

/// Methods, headers, queries and bodies that no interface accepts.
async fn malformed_requests(coverage: &mut RefusalCoverage<'_>, endpoint: &'static Endpoint) {
    let platform = coverage.platform;
    let call = || valid_request(platform, endpoint);
    let also = |more: &str| {
        let mut request = call();
        let separator = if request.target.ends_with('?') { "" } else { "&" };
        request.target += &format!("{separator}{more}");
        request
    };
    let first = first_pair(platform, endpoint);
    let bare = |query: String| with_token(platform, endpoint, &query);
    let token = &platform.owner.token;
    // Where an interface takes nothing but the token, the token is repeated.
    let repeated = match &first {
        Some(pair) => also(pair),
        None => bare(format!("token={token}&token={token}")),
    };
    let table = [
        (Reason::MethodNotAllowed, call().method("DELETE")),
        (
            Reason::HeaderForged,
            call().with("spin-client-addr", "198.51.100.1:1"),
        ),
        (
            Reason::QueryTooLong,
            also(&format!("x={}", "9".repeat(MAX_QUERY_BYTES))),
        ),
        (Reason::BadPercentEncoding, also("x=%zz")),
        (Reason::BadUtf8, also("x=%ff")),
        (Reason::TooManyParameters, also(&"x=1&".repeat(MAX_PAIRS + 1))),
        (Reason::ParameterUnknown, also("colour=red")),
        (Reason::ParameterRepeated, repeated),
        (
            Reason::BodyUnexpected,
            TestRequest {
                body: b"x=1".to_vec(),
                ..call()
            },
        ),
        (
            Reason::BodyTooLarge,
            TestRequest {
                body: vec![b'x'; Content::Parameters.max_bytes() + 1],
                ..call()
            },
        ),
    ];
    for (reason, request) in table {
        coverage.expect_refusal(endpoint, reason, request).await;
    }
    if let Some(pair) = &first {
        let name = pair.split('=').next().unwrap();
        coverage
            .expect_refusal(endpoint, Reason::ParameterMissing, bare(format!("{name}=%20")))
            .await;
        let long = format!("{name}={}", "9".repeat(1_025));
        coverage
            .expect_refusal(endpoint, Reason::ParameterTooLong, bare(long))
            .await;
    }
}

/// The first parameter of a successful request; `None` where the interface takes nothing but the token.
fn first_pair(platform: &TestPlatform, endpoint: &'static Endpoint) -> Option<String> {
    let target = valid_target(platform, endpoint);
    let (_, query) = target.split_once('?')?;
    let pair = query.split('&').next()?;
    (!pair.is_empty()).then(|| pair.to_owned())
}

/// A request with this query, and with the token where the interface takes one.
fn with_token(platform: &TestPlatform, endpoint: &'static Endpoint, query: &str) -> TestRequest {
    let request = TestRequest::get(format!("{}?{query}", endpoint.path));
    if endpoint.name == "token" {
        request
    } else {
        request.bearer(&platform.owner.token)
    }
}

/// Bodies that a POST may not have.
async fn malformed_bodies(coverage: &mut RefusalCoverage<'_>, endpoint: &'static Endpoint) {
    if endpoint.methods() != ["GET", "POST"] {
        return;
    }
    let post = |content_type: &str, body: &str| {
        let request = TestRequest::post(endpoint.path, content_type, body);
        if endpoint.name == "token" {
            request
        } else {
            request.bearer(&coverage.platform.owner.token)
        }
    };
    let table = [
        (Reason::MediaTypeUnsupported, post("text/plain", "x")),
        (Reason::BadJson, post("application/json", "{\"eid\":")),
        (Reason::NotAnObject, post("application/json", "[]")),
        (
            Reason::ParameterNotText,
            post("application/json", "{\"eid\":1.5}"),
        ),
    ];
    for (reason, request) in table {
        coverage.expect_refusal(endpoint, reason, request).await;
    }
}

/// A database row that cannot be read: the failure is the platform's own.
async fn platform_failures(coverage: &mut RefusalCoverage<'_>, endpoint: &'static Endpoint) {
    let platform = coverage.platform;
    let db = rusqlite::Connection::open(platform.database()).unwrap();
    // What the database holds for the client cannot be read: the platform's own failure.
    db.execute_batch("UPDATE client SET limits = '{broken'").unwrap();
    coverage
        .expect_refusal(endpoint, Reason::Internal, valid_request(platform, endpoint))
        .await;
    db.execute_batch("UPDATE client SET limits = '{}'").unwrap();
    drop(db);
}

/// A forwarded address that a trusted proxy sent and that is none.
async fn unknown_addresses(coverage: &mut RefusalCoverage<'_>, endpoint: &'static Endpoint) {
    let request = valid_request(coverage.platform, endpoint).with("x-forwarded-for", "nonsense");
    coverage
        .expect_refusal(endpoint, Reason::AddressUnknown, request)
        .await;
}

/// A client's second call when its limit is one a minute.
async fn exceeded_limits(coverage: &mut RefusalCoverage<'_>, endpoint: &'static Endpoint) {
    let platform = coverage.platform;
    let account = platform.create_account("127.0.0.1/32").await;
    let limits = HashMap::from([(endpoint.name, 1)]);
    let change = serde_json::json!({"client_id": account.id, "limits": limits});
    let request = if endpoint.name == "token" {
        TestRequest::get(format!(
            "/v1/token?client_id={}&client_secret={}",
            account.id, account.secret
        ))
    } else {
        TestRequest::get(endpoint.path).bearer(&account.token)
    };
    platform.admin_post("/admin/v1/clients:update", change).await;
    platform.advance_clock(60_000);
    platform.send(request.clone()).await;
    let reply = coverage
        .expect_refusal(endpoint, Reason::RateLimited, request)
        .await;
    assert_eq!(reply.header("retry-after"), "60");
    assert_eq!(
        reply.header("ratelimit-policy"),
        format!("\"{}\";q=1;w=60", endpoint.name)
    );
    assert_eq!(
        reply.header("ratelimit"),
        format!("\"{}\";r=0;t=60", endpoint.name)
    );
}

// R701 to R712; §7.1.1
#[tokio::test(flavor = "multi_thread")]
async fn every_documented_refusal_is_the_answer_it_is_documented_to_be() {
    for reuse in reuse_policies() {
        let platform = TestPlatform::start_with(reuse, &[("served_provinces", "37,11")]).await;
        refusals_by_endpoint::allot(&platform).await;
        let mut coverage = RefusalCoverage::new(&platform);
        for endpoint in endpoints::business() {
            malformed_requests(&mut coverage, endpoint).await;
            malformed_bodies(&mut coverage, endpoint).await;
            platform_failures(&mut coverage, endpoint).await;
            exceeded_limits(&mut coverage, endpoint).await;
            // Refusals of callers who are not known count per address and minute.
            platform.advance_clock(60_000);
        }
        refusals_by_endpoint::clients(&mut coverage).await;
        refusals_by_endpoint::parameters(&mut coverage).await;
        refusals_by_endpoint::cards(&mut coverage).await;
        refusals_by_endpoint::numbers(&mut coverage).await;
        let mut provoked = coverage.into_provoked();
        provoked.extend(behind_a_proxy(reuse).await);
        provoked.extend(without_a_database(reuse).await);
        let missing: Vec<_> = endpoints::business()
            .flat_map(|endpoint| {
                let reasons = endpoint.reasons().into_iter();
                reasons.map(|reason| (endpoint.name, reason))
            })
            .filter(|(name, reason)| {
                let elsewhere = TESTED_ELSEWHERE.iter().any(|(known, _)| known == reason);
                !elsewhere && !provoked.contains(&(*name, reason.code()))
            })
            .collect();
        assert_eq!(missing, [], "documented, but nothing here provokes it");
        platform.shutdown().await;
    }
}

/// Provokes the refusals of a platform behind a trusted proxy.
async fn behind_a_proxy(reuse: edge_host::Reuse) -> Provoked {
    let platform = TestPlatform::start_with(reuse, &[("trusted_proxies", "127.0.0.1")]).await;
    let mut coverage = RefusalCoverage::new(&platform);
    for endpoint in endpoints::business() {
        unknown_addresses(&mut coverage, endpoint).await;
    }
    let provoked = coverage.into_provoked();
    platform.shutdown().await;
    provoked
}

/// Provokes the refusals of a database that is newer than the program, of one with other keys, and of one that cannot be
/// opened.
async fn without_a_database(reuse: edge_host::Reuse) -> Provoked {
    let platform = TestPlatform::start_with(reuse, &[]).await;
    let calls: Vec<_> = endpoints::business()
        .map(|endpoint| valid_request(&platform, endpoint))
        .collect();
    let db = rusqlite::Connection::open(platform.database()).unwrap();
    // Instances that have looked already are gone after a second of idleness; a new host looks again.
    db.execute_batch("INSERT INTO schema_version VALUES (1000, 0)")
        .unwrap();
    let mut provoked = Provoked::new();
    let second = platform.start_second_node().await;
    for (endpoint, request) in endpoints::business().zip(&calls) {
        let reply = platform.send_to(&second, request.clone()).await;
        assert_eq!(
            (reply.status, reply.reason()),
            (503, "schema_ahead"),
            "{}",
            endpoint.name
        );
        assert!(!reply.header("retry-after").is_empty());
        provoked.insert((endpoint.name, Reason::SchemaAhead.code()));
    }
    second.shutdown().await;
    db.execute_batch("DELETE FROM schema_version WHERE version = 1000")
        .unwrap();
    let wrong = "ab".repeat(32);
    let others = platform.start_node_with(&[("index_key", &wrong)]).await;
    for (endpoint, request) in endpoints::business().zip(&calls) {
        let reply = platform.send_to(&others, request.clone()).await;
        assert_eq!(
            (reply.status, reply.reason()),
            (503, "keys_wrong"),
            "{}",
            endpoint.name
        );
        assert!(
            !reply.text.contains("index_key"),
            "internal detail: {}",
            reply.text
        );
        provoked.insert((endpoint.name, Reason::KeysWrong.code()));
    }
    others.shutdown().await;
    drop(db);
    // A locked database would still answer whoever only reads.
    let (file, away) = (platform.database(), platform.database().with_extension("away"));
    std::fs::rename(&file, &away).unwrap();
    std::fs::create_dir(&file).unwrap();
    let alone = platform.start_second_node().await;
    let waiting = endpoints::business().zip(calls).map(|(endpoint, request)| {
        let (platform, alone) = (&platform, &alone);
        async move {
            let reply = platform.send_to(alone, request).await;
            assert_eq!(
                (reply.status, reply.reason()),
                (503, "unavailable"),
                "{}: {}",
                endpoint.name,
                reply.text
            );
            (endpoint.name, Reason::Unavailable.code())
        }
    });
    provoked.extend(futures::future::join_all(waiting).await);
    alone.shutdown().await;
    std::fs::remove_dir(&file).unwrap();
    std::fs::rename(&away, &file).unwrap();
    platform.shutdown().await;
    provoked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_truncated_body_changes_nothing_and_affects_no_other_request() {
    let platform = TestPlatform::start().await;
    let mut socket = tokio::net::TcpStream::connect(platform.host.addr())
        .await
        .unwrap();
    let head = format!(
        "POST /v1/write/apply HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 500\r\n\r\n{{\"eid\"",
        platform.owner.token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    let reply = platform
        .send(valid_request(&platform, named("write.status")))
        .await;
    assert_eq!(
        (reply.status, reply.body["card_status"].as_str()),
        (200, Some("待写卡"))
    );
    platform.shutdown().await;
}
