//! Clients with a token: who they are, from which addresses they may call, what they may call, and the task of a call.

use futures::executor::block_on;

use super::super::interface::{WRITE_APPLY, WRITE_STATUS};
use super::super::{Reply, Settings};
use super::{Answer, Fixed, Sent, send_to, variables};
use domain::{HOUR_MS, Timestamp};
use operations::{
    ApplyRequest, Caller, Context, NewClient, TaskRef, apply, create_client, import_chips, import_numbers,
    issue_token,
};
use store::{Sqlite, migrate};

const NOW: Timestamp = Timestamp(1_782_864_000_000);

const EIDS: [&str; 2] = [
    "89086030202200000000000000000123",
    "89086030202200000000000000000220",
];

const CHIPS: &str = "eid,chip_model,profile,network_type,temp_msisdn,temp_iccid,temp_imsi,temp_opened_on,\
    allowance_mb,imei,client_id,psk_identity,key_version,psk_wrapped,dek_wrapped,transport_key
89086030202200000000000000000123,M,p,4g,1441900000001,89860411269000000013,460041900000001,2026-06-01,5,,,,64,,,
89086030202200000000000000000220,M,p,4g,1441900000002,89860411269000000021,460041900000002,2026-06-01,5,,,,64,,,
";

// Key material: RFC 3394 §4.6's example, wrapped under the key of `variables`.
const NUMBERS: &str = "iccid,msisdn,imsi,province_code,smsc,services,client_id,k_wrapped,opc_wrapped,transport_key
89860415269000000019,1440190000001,460042600000001,37,,data,,64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7,\
64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7,t
89860415269000000027,1440190000002,460042600000002,37,,data,,64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7,\
64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7,t
";

/// A platform with one client that may ask for the status, from 203.0.113.0/28, and nothing else.
struct World {
    db: Sqlite,
    settings: Settings,
    token: String,
    caller: Caller,
}

impl World {
    fn new() -> Self {
        let db = Sqlite::in_memory().unwrap();
        let settings = Settings::from_variables(&variables()).unwrap();
        let (token, caller) = {
            let cx = context(&db, &settings);
            block_on(async {
                migrate(&db, NOW).await.unwrap();
                let new = NewClient {
                    name: "client",
                    phone: "13800000000",
                    ips: &["203.0.113.0/28".to_owned()],
                    permissions: &["write.status".to_owned()],
                    callback_url: None,
                    allow_http_callback: false,
                };
                let made = create_client(&cx, &new).await.unwrap();
                let (id, from) = (made.client_id, [203, 0, 113, 1].into());
                let issued = issue_token(&cx, id.as_str(), &made.client_secret, from)
                    .await
                    .unwrap();
                (issued.token, Caller { id })
            })
        };
        Self {
            db,
            settings,
            token,
            caller,
        }
    }

    /// The tasks of two fresh chips.
    fn two_tasks(&self) -> [String; 2] {
        let cx = context(&self.db, &self.settings);
        block_on(async {
            import_chips(&cx, CHIPS.as_bytes(), Some(&self.caller.id))
                .await
                .unwrap();
            import_numbers(&cx, NUMBERS.as_bytes()).await.unwrap();
        });
        EIDS.map(|eid| {
            let request = ApplyRequest {
                eid,
                write_type: "1",
                province_code: "37",
                ..ApplyRequest::default()
            };
            // Each task has its own time and with it its own identifier.
            let now = NOW.plus(i64::from(eid.ends_with("220")));
            let cx = context(&self.db, &self.settings).at(now);
            block_on(apply(&cx, &self.caller, &request))
                .unwrap()
                .task_id
                .text()
        })
    }

    fn ask(&self, at: Timestamp, sent: Sent) -> Answer {
        send_to(&self.db, at, &WRITE_STATUS, sent, async |call| {
            Ok(Reply::ok().with("client", call.caller()?.id.as_str()))
        })
    }

    /// The task of a call, as the handler sees it.
    fn meant(&self, query: &str) -> Answer {
        let sent = Sent::get(&format!("/v1/write/status?token={}&{query}", self.token));
        send_to(&self.db, NOW, &WRITE_STATUS, sent, async |call| {
            Ok(Reply::ok().with(
                "meant",
                match call.task_ref().await? {
                    TaskRef::Eid(eid) => eid.as_str().to_owned(),
                    TaskRef::Task(id) => id.text(),
                },
            ))
        })
    }
}

fn context<'a>(db: &'a Sqlite, settings: &'a Settings) -> Context<'a, Sqlite> {
    Context::new((db, db), &settings.vault, NOW, &Fixed, &settings.zone)
}

// §7.1.2
#[test]
fn a_token_leads_to_its_client_from_either_place_for_24_hours() {
    let world = World::new();
    let in_query = || Sent::get(&format!("/v1/write/status?token={}", world.token));
    let in_header = Sent::get("/v1/write/status").header("authorization", &format!("Bearer {}", world.token));
    for sent in [in_query(), in_header] {
        let answer = world.ask(NOW, sent);
        assert_eq!(answer.body["client"], world.caller.id.as_str(), "{}", answer.text);
    }
    assert_eq!(world.ask(NOW.plus(24 * HOUR_MS - 1), in_query()).status, 200);
    assert_eq!(
        world.ask(NOW.plus(24 * HOUR_MS), in_query()).reason(),
        "token_expired"
    );
}

// §6.2.1.1
#[test]
fn a_client_calls_from_its_own_addresses_only() {
    let world = World::new();
    let target = format!("/v1/write/status?token={}", world.token);
    let sent = Sent::get(&target)
        .without("spin-client-addr")
        .header("spin-client-addr", "203.0.113.16:1");
    let answer = world.ask(NOW, sent.header("x-forwarded-for", "203.0.113.1"));
    assert_eq!((answer.status, answer.reason()), (403, "ip_not_allowed"));
}

// §6.2.1.1
#[test]
fn a_client_calls_only_what_was_opened_for_it() {
    let world = World::new();
    let sent = Sent::get(&format!("/v1/write/apply?token={}&eid=1", world.token));
    let answer = send_to(&world.db, NOW, &WRITE_APPLY, sent, async |_| {
        panic!("must not be reached")
    });
    assert_eq!((answer.status, answer.reason()), (403, "permission_missing"));
}

#[test]
fn a_token_given_twice_is_a_repeated_parameter() {
    let world = World::new();
    let sent = Sent::get(&format!("/v1/write/status?token={0}&token={0}", world.token));
    let answer = world.ask(NOW, sent);
    assert_eq!(
        (answer.reason(), answer.body["field"].as_str()),
        ("parameter_repeated", Some("token"))
    );
}

// §7.2.2.3 c
#[test]
fn a_task_is_meant_by_eid_or_by_task_id_or_by_both_if_they_agree() {
    let world = World::new();
    let [first, second] = world.two_tasks();
    let eid = EIDS[0];
    assert_eq!(world.meant(&format!("eid={eid}")).body["meant"], eid);
    assert_eq!(world.meant(&format!("task_id={first}")).body["meant"], first);
    assert_eq!(
        world.meant(&format!("eid={eid}&task_id={first}")).body["meant"],
        first
    );
    let crossed = world.meant(&format!("eid={eid}&task_id={second}"));
    assert_eq!(
        (crossed.status, crossed.reason()),
        (400, "parameter_not_applicable")
    );
    for (query, reason, field) in [
        ("", "parameter_missing", Some("eid|task_id")),
        (
            "eid=89086030202200000000000000000124",
            "eid_malformed",
            Some("eid"),
        ),
        ("task_id=7", "parameter_malformed", Some("task_id")),
        (
            "task_id=0190a5b0-0000-7000-8000-000000000001&eid=89086030202200000000000000000123",
            "unknown_task",
            None,
        ),
    ] {
        let answer = world.meant(query);
        assert_eq!(
            (answer.reason(), answer.body["field"].as_str()),
            (reason, field),
            "{query}"
        );
    }
}
