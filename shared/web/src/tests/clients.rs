//! Clients with a token: who they are, from which addresses they may call, what they may call, and the task of a call.

use futures::executor::block_on;

use super::{Answered, NOW, Sent, TestHost, send_to};
use domain::{ClientId, HOUR_MS, Timestamp};
use operations::{ApplyRequest, Caller, ImportChoices, apply, import_chips, import_numbers};

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

/// A platform with one client that may ask for the status and cancel, from 203.0.113.0/28, and nothing else.
struct World {
    host: TestHost,
    client: ClientId,
    token: String,
}

impl World {
    fn new() -> Self {
        let host = TestHost::new();
        let (client, token) = host.add_client(&["write.status", "write.cancel"]);
        Self { host, client, token }
    }

    /// The tasks of two fresh chips.
    fn two_tasks(&self) -> [String; 2] {
        let caller = Caller {
            id: self.client.clone(),
        };
        let context = self.host.context();
        block_on(async {
            import_chips(
                &context,
                CHIPS.as_bytes(),
                Some(&caller.id),
                &ImportChoices::default(),
            )
            .await
            .unwrap();
            import_numbers(&context, NUMBERS.as_bytes(), &ImportChoices::default())
                .await
                .unwrap();
        });
        EIDS.map(|eid| {
            let request = ApplyRequest {
                eid,
                write_type: "1",
                province_code: "37",
                ..ApplyRequest::default()
            };
            // Each task has its own time and with it its own identifier.
            let context = context.at(NOW.plus(i64::from(eid.ends_with("220"))));
            block_on(apply(&context, &caller, &request))
                .unwrap()
                .task_id
                .text()
        })
    }

    fn ask(&self, at: Timestamp, sent: Sent) -> Answered {
        self.host.set_time(at);
        send_to(&self.host, sent)
    }

    /// The task of a call, as the handler sees it.
    fn meant(&self, query: &str) -> Answered {
        let sent = Sent::get(&format!("/v1/write/cancel?token={}&{query}", self.token));
        send_to(&self.host, sent)
    }
}

// §7.1.2
#[test]
fn a_token_leads_to_its_client_from_either_place_for_24_hours() {
    let world = World::new();
    let in_query = || Sent::get(&format!("/v1/write/status?token={}", world.token));
    let bearer = format!("Bearer {}", world.token);
    let in_header = || Sent::get("/v1/write/status").header("authorization", &bearer);
    for sent in [
        in_query(),
        in_header(),
        in_query().header("authorization", &bearer),
    ] {
        let answer = world.ask(NOW, sent);
        assert_eq!(answer.body["seen"], world.client.as_str(), "{}", answer.text);
    }
    assert_eq!(world.ask(NOW.plus(24 * HOUR_MS - 1), in_query()).status, 200);
    for sent in [in_query(), in_header()] {
        let answer = world.ask(NOW.plus(24 * HOUR_MS), sent);
        assert_eq!((answer.status, answer.reason()), (401, "token_expired"));
    }
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
    // Before its parameters are looked at.
    let sent = Sent::get(&format!("/v1/write/apply?token={}&eid=1&colour=red", world.token));
    let answer = send_to(&world.host, sent);
    assert_eq!((answer.status, answer.reason()), (403, "permission_missing"));
}

#[test]
fn a_token_given_twice_is_a_repeated_parameter() {
    let world = World::new();
    let sent = Sent::get(&format!("/v1/write/status?token={0}&token={0}", world.token));
    let answer = world.ask(NOW, sent);
    assert_eq!(
        (answer.reason(), answer.field()),
        ("parameter_repeated", Some("token"))
    );
}

// §7.1.2
#[test]
fn every_answer_to_a_client_says_what_it_has_left_of_its_limit() {
    let world = World::new();
    let success = world.ask(NOW, Sent::get(&format!("/v1/write/status?token={}", world.token)));
    assert_eq!(
        success.headers["ratelimit-policy"],
        "\"write.status\";q=3000;w=60"
    );
    assert_eq!(success.headers["ratelimit"], "\"write.status\";r=2999;t=60");
    let refusal = world.meant("colour=red");
    assert_eq!(refusal.reason(), "parameter_unknown");
    assert_eq!(refusal.headers["ratelimit"], "\"write.cancel\";r=599;t=60");
    let unknown = world.ask(NOW, Sent::get("/v1/write/status?token=abc"));
    assert!(!unknown.headers.contains_key("ratelimit"));
}

// §7.2.2.3 c
#[test]
fn a_task_is_meant_by_eid_or_by_task_id_or_by_both_if_they_agree() {
    let world = World::new();
    let [first, second] = world.two_tasks();
    let eid = EIDS[0];
    assert_eq!(world.meant(&format!("eid={eid}")).body["seen"], eid);
    assert_eq!(world.meant(&format!("task_id={first}")).body["seen"], first);
    assert_eq!(
        world.meant(&format!("eid={eid}&task_id={first}")).body["seen"],
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
            "eid=8908603020220000000000000000012",
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
        assert_eq!((answer.reason(), answer.field()), (reason, field), "{query}");
    }
}
