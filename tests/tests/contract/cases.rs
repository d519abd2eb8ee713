//! Every interface of clause 7.2 with every refusal it documents.
//!
//! A documented refusal that nothing here provokes, or a provoked one that is not documented, fails the test.

use std::collections::{BTreeSet, HashMap};

use domain::error::{Lang, Reason};
use tokio::io::AsyncWriteExt as _;
use web::interface::{self, Interface, Methods, documented_reasons};
use web::{MAX_PAIRS, MAX_QUERY_BYTES};

use crate::door::{Door, Reply, Sent, reuses};
use crate::own_cases;

/// Refusals that only time or a broken line brings about: shown elsewhere, by the tests named.
const SHOWN_ELSEWHERE: [(Reason, &str); 2] = [
    (
        Reason::BodyTooSlow,
        "shared web::tests::doors and edge-host: needs 20 s of real time",
    ),
    (
        Reason::BodyBroken,
        "a_body_that_breaks_off below: there is nobody left to answer",
    ),
];

/// What has been provoked.
pub(crate) struct Score<'a> {
    pub(crate) door: &'a Door,
    provoked: BTreeSet<(&'static str, &'static str)>,
}

impl Score<'_> {
    /// Sends a request in both languages and holds the refusal against the catalogue.
    pub(crate) async fn refused(&mut self, interface: &Interface, reason: Reason, sent: Sent) -> Reply {
        let zh = self
            .door
            .send(sent.clone().with("x-request-id", "contract-1"))
            .await;
        let en = self.door.send(sent.with("accept-language", "en")).await;
        let case = format!("{} {}: {}", interface.name, reason.code(), zh.text);
        for (reply, lang) in [(&zh, Lang::Zh), (&en, Lang::En)] {
            assert_eq!(
                (reply.status, reply.reason()),
                (reason.status(), reason.code()),
                "{case}"
            );
            assert_eq!(reply.body["code"], reason.status(), "{case}");
            let message = reply.body["message"].as_str().unwrap();
            assert!(message.starts_with(reason.message(lang)), "{case}");
            assert_eq!(reply.body["remedy"], reason.remedy(lang), "{case}");
            assert_eq!(
                reply.header("content-length"),
                reply.text.len().to_string(),
                "{case}"
            );
            assert_eq!(
                reply.header("content-type"),
                "application/json; charset=utf-8",
                "{case}"
            );
        }
        assert_eq!(zh.body["request_id"], "contract-1", "{case}");
        assert_eq!(zh.header("x-request-id"), "contract-1", "{case}");
        self.note(interface, reason);
        zh
    }

    pub(crate) fn note(&mut self, interface: &Interface, reason: Reason) {
        assert!(
            documented_reasons(interface).contains(&reason),
            "{} is not documented to refuse with {}",
            interface.name,
            reason.code()
        );
        let known = interface::BUSINESS
            .iter()
            .find(|known| known.name == interface.name)
            .unwrap();
        self.provoked.insert((known.name, reason.code()));
    }
}

/// A call of the interface that succeeds.
pub(crate) fn good(door: &Door, interface: &Interface) -> String {
    let (chip, number) = (door.eid(0), &door.inventory.numbers[0]);
    let query = match interface.name {
        "token" => format!("client_id={}&client_secret={}", door.one.id, door.one.secret),
        "write.provinces" => String::new(),
        "write.apply" => format!("eid={}&write_type=1&province_code=37", door.eid(1)),
        "write.status" | "chip.read" | "number.open_time" => format!("eid={chip}"),
        "write.cancel" => format!("eid={}", door.eid(1)),
        _ => format!("iccid={}", number.iccid),
    };
    format!("{}?{query}", interface.path)
}

pub(crate) fn call(door: &Door, interface: &Interface) -> Sent {
    let sent = Sent::get(good(door, interface));
    if interface.name == "token" {
        sent
    } else {
        sent.bearer(&door.one.token)
    }
}

async fn requests(score: &mut Score<'_>, interface: &Interface) {
    let door = score.door;
    let call = || call(door, interface);
    let also = |more: &str| {
        let mut sent = call();
        let glue = if sent.target.ends_with('?') { "" } else { "&" };
        sent.target += &format!("{glue}{more}");
        sent
    };
    let first = good(door, interface)
        .split_once('?')
        .and_then(|(_, query)| query.split('&').next().map(str::to_owned))
        .filter(|pair| !pair.is_empty());
    // Where an interface takes nothing but the token, the token is what is repeated, empty or too long.
    let name = first
        .as_deref()
        .map_or("token", |pair| pair.split('=').next().unwrap());
    let bare = |query: String| {
        let sent = Sent::get(format!("{}?{query}", interface.path));
        if interface.name == "token" {
            sent
        } else {
            sent.bearer(&door.one.token)
        }
    };
    let token = &door.one.token;
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
            Sent {
                body: b"x=1".to_vec(),
                ..call()
            },
        ),
        (
            Reason::BodyTooLarge,
            Sent {
                body: vec![b'x'; interface.max_body_bytes + 1],
                ..call()
            },
        ),
    ];
    for (reason, sent) in table {
        score.refused(interface, reason, sent).await;
    }
    if first.is_some() {
        score
            .refused(interface, Reason::ParameterEmpty, bare(format!("{name}=%20")))
            .await;
        let long = format!("{name}={}", "9".repeat(1_025));
        score
            .refused(interface, Reason::ParameterTooLong, bare(long))
            .await;
    }
}

async fn bodies(score: &mut Score<'_>, interface: &Interface) {
    if interface.methods != Methods::GetOrPost {
        return;
    }
    let post = |content_type: &str, body: &str| {
        let sent = Sent::post(interface.path, content_type, body);
        if interface.name == "token" {
            sent
        } else {
            sent.bearer(&score.door.one.token)
        }
    };
    let table = [
        (Reason::MediaTypeUnsupported, post("text/plain", "x")),
        (Reason::BadJson, post("application/json", "{\"eid\":")),
        (Reason::BadJson, post("application/json", "[]")),
        (
            Reason::ParameterNotText,
            post("application/json", "{\"eid\":1.5}"),
        ),
    ];
    for (reason, sent) in table {
        score.refused(interface, reason, sent).await;
    }
}

async fn platform(score: &mut Score<'_>, interface: &Interface) {
    let door = score.door;
    let db = rusqlite::Connection::open(door.database()).unwrap();
    // What the database holds for the client cannot be read: the platform's own failure.
    db.execute_batch("UPDATE client SET limits = '{broken'").unwrap();
    score
        .refused(interface, Reason::Internal, call(door, interface))
        .await;
    db.execute_batch("UPDATE client SET limits = '{}'").unwrap();
    drop(db);
}

async fn proxies(score: &mut Score<'_>, interface: &Interface) {
    let sent = call(score.door, interface).with("x-forwarded-for", "nonsense");
    score.refused(interface, Reason::AddressUnknown, sent).await;
}

async fn limits(score: &mut Score<'_>, interface: &Interface) {
    let door = score.door;
    let account = door.account("127.0.0.1/32").await;
    let limits = HashMap::from([(interface.name, 1)]);
    let change = serde_json::json!({"client_id": account.id, "limits": limits});
    let sent = if interface.name == "token" {
        Sent::get(format!(
            "/v1/token?client_id={}&client_secret={}",
            account.id, account.secret
        ))
    } else {
        Sent::get(interface.path).bearer(&account.token)
    };
    door.admin_post("/admin/v1/clients:update", change).await;
    door.pass(60_000);
    door.send(sent.clone()).await;
    let reply = score.refused(interface, Reason::RateLimited, sent).await;
    assert_eq!(reply.header("retry-after"), "60");
    assert_eq!(
        reply.header("ratelimit-policy"),
        format!("\"{}\";q=1;w=60", interface.name)
    );
    assert_eq!(
        reply.header("ratelimit"),
        format!("\"{}\";r=0;t=60", interface.name)
    );
}

// R701 to R712; §7.1.1
#[tokio::test(flavor = "multi_thread")]
async fn every_documented_refusal_is_the_answer_it_is_documented_to_be() {
    for reuse in reuses() {
        let door = Door::open_with(reuse, &[]).await;
        own_cases::allot(&door).await;
        let mut score = Score {
            door: &door,
            provoked: BTreeSet::new(),
        };
        for interface in interface::BUSINESS {
            requests(&mut score, interface).await;
            bodies(&mut score, interface).await;
            platform(&mut score, interface).await;
            limits(&mut score, interface).await;
            // Refusals of callers who are not known count per address and minute.
            door.pass(60_000);
        }
        own_cases::clients(&mut score).await;
        own_cases::parameters(&mut score).await;
        own_cases::cards(&mut score).await;
        own_cases::numbers(&mut score).await;
        let mut provoked = std::mem::take(&mut score.provoked);
        provoked.extend(behind_a_proxy(reuse).await);
        provoked.extend(without_a_database(reuse).await);
        let missing: Vec<_> = interface::BUSINESS
            .iter()
            .flat_map(|interface| {
                let reasons = documented_reasons(interface).into_iter();
                reasons.map(|reason| (interface.name, reason))
            })
            .filter(|(name, reason)| {
                let elsewhere = SHOWN_ELSEWHERE.iter().any(|(known, _)| known == reason);
                !elsewhere && !provoked.contains(&(*name, reason.code()))
            })
            .collect();
        assert_eq!(missing, [], "documented, but nothing here provokes it");
        door.close().await;
    }
}

type Provoked = BTreeSet<(&'static str, &'static str)>;

async fn behind_a_proxy(reuse: edge_host::Reuse) -> Provoked {
    let door = Door::open_with(reuse, &[("trusted_proxies", "127.0.0.1")]).await;
    let mut score = Score {
        door: &door,
        provoked: BTreeSet::new(),
    };
    for interface in interface::BUSINESS {
        proxies(&mut score, interface).await;
    }
    let provoked = std::mem::take(&mut score.provoked);
    door.close().await;
    provoked
}

/// A database that is newer than the program, and one that somebody else holds.
async fn without_a_database(reuse: edge_host::Reuse) -> Provoked {
    let door = Door::open_with(reuse, &[]).await;
    let calls: Vec<_> = interface::BUSINESS
        .iter()
        .map(|interface| call(&door, interface))
        .collect();
    let db = rusqlite::Connection::open(door.database()).unwrap();
    // Instances that have looked already are gone after a second of idleness; a new host looks again.
    db.execute_batch("INSERT INTO schema_version VALUES (1000, 0)")
        .unwrap();
    let mut provoked = BTreeSet::new();
    let newer = door.second().await;
    for (interface, sent) in interface::BUSINESS.iter().zip(&calls) {
        let reply = door.send_to(&newer, sent.clone()).await;
        assert_eq!(
            (reply.status, reply.reason()),
            (503, "schema_ahead"),
            "{}",
            interface.name
        );
        assert!(!reply.header("retry-after").is_empty());
        provoked.insert((interface.name, Reason::SchemaAhead.code()));
    }
    newer.shutdown().await;
    db.execute_batch("DELETE FROM schema_version WHERE version = 1000")
        .unwrap();
    db.execute_batch("BEGIN EXCLUSIVE; UPDATE client SET name = name")
        .unwrap();
    let waiting = interface::BUSINESS.iter().zip(calls).map(|(interface, sent)| {
        let door = &door;
        async move {
            let reply = door.send(sent).await;
            assert_eq!(
                (reply.status, reply.reason()),
                (503, "unavailable"),
                "{}: {}",
                interface.name,
                reply.text
            );
            (interface.name, Reason::Unavailable.code())
        }
    });
    provoked.extend(futures::future::join_all(waiting).await);
    drop(db);
    door.close().await;
    provoked
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_changes_nothing_and_harms_nobody() {
    let door = Door::open().await;
    let mut socket = tokio::net::TcpStream::connect(door.host.addr()).await.unwrap();
    let head = format!(
        "POST /v1/write/apply HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 500\r\n\r\n{{\"eid\"",
        door.one.token
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    drop(socket);
    let reply = door.send(call(&door, &interface::WRITE_STATUS)).await;
    assert_eq!(
        (reply.status, reply.body["card_status"].as_str()),
        (200, Some("待写卡"))
    );
    door.close().await;
}
