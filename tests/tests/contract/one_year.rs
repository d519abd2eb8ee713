//! A year, day by day, with a clock that the test advances. Cards are applied for, written, fail, get stuck or stay
//! unused; receivers are down for days; temporary numbers expire; old records are deleted. The invariants are checked
//! every day.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use test_support::http::TestRequest;

use crate::callback_fixture::{CallbackFixture, Client};
use crate::test_receiver::Behaviour;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Days of the test: every temporary number of the first month has expired by the last one.
const DAYS: usize = 366;
/// Minutes of the day at which the platform is ticked: around the deadlines of incidents, and through the night.
const TICKS: [i64; 6] = [5, 31, 65, 6 * 60, 12 * 60, 18 * 60];
/// Chips imported each month.
const MONTHLY: u32 = 6;
/// Days for which records are kept (docs/limits.md), and one for the tick that deletes.
const RETENTION_DAYS: i64 = 185 + 1;

/// Days on which the client's receiver is down: one day, and one longer than five.
fn is_down(day: usize) -> bool {
    day == 40 || (100..109).contains(&day)
}

struct Year {
    fixture: CallbackFixture,
    client: Client,
    used: usize,
    /// How often each chip was reported, by kind of alert and EID.
    reported: BTreeMap<String, BTreeMap<String, u32>>,
    seen_alerts: BTreeSet<String>,
}

impl Year {
    async fn begin() -> Self {
        let fixture = CallbackFixture::start().await;
        fixture.receiver.set_behaviour("/good", Behaviour::accepts());
        fixture.receiver.set_behaviour("/operator", Behaviour::accepts());
        let operator = json!({"receiver": "operator", "url": fixture.receiver.url("/operator")});
        fixture.post("/admin/v1/receivers:update", operator).await;
        let client = fixture.client("/good", MONTHLY).await;
        Self {
            fixture,
            client,
            used: 0,
            reported: BTreeMap::new(),
            seen_alerts: BTreeSet::new(),
        }
    }

    fn count(&self, sql: &str) -> i64 {
        self.fixture.platform.number(sql)
    }

    /// Imports chips each month. Every sixth day applies for a chip, which is then written, fails or gets stuck.
    async fn act(&mut self, day: usize) {
        if day.is_multiple_of(30) && day > 0 {
            let more = self.fixture.import_chips(&self.client.id, MONTHLY).await;
            self.client.chips.extend(more);
        }
        if !day.is_multiple_of(6) || self.used + 2 >= self.client.chips.len() {
            return;
        }
        let eid = self.client.chips[self.used].clone();
        self.used += 1;
        match self.used % 3 {
            0 => drop(self.fixture.fail(&self.client, &eid).await),
            1 => self.fixture.write(&self.client, &eid).await,
            _ => {
                self.fixture.apply(&self.client, &eid).await;
                self.fixture.platform.open_session(&eid).await;
            }
        }
    }

    /// Writes the chip that got stuck, some days later.
    async fn finish_stuck(&mut self) {
        let stuck = "SELECT count(*) FROM task WHERE state = 'writing'";
        if self.count(stuck) > 0 {
            let eid = self.client.chips[self.used - 1].clone();
            self.fixture.write_and_verify(&eid).await;
        }
    }

    /// Counts the open alerts by kind and chip, and acknowledges them.
    async fn collect_alerts(&mut self) {
        let alerts = self.fixture.alerts().await;
        for alert in alerts {
            let id = alert["id"].as_str().unwrap().to_owned();
            if !self.seen_alerts.insert(id) {
                continue;
            }
            let kind = alert["kind"].as_str().unwrap().to_owned();
            let of_kind = self.reported.entry(kind).or_default();
            let eids = alert["body"]["eids"].as_str().unwrap_or_default();
            for eid in eids.split(',').filter(|eid| !eid.is_empty()) {
                *of_kind.entry(eid.to_owned()).or_default() += 1;
            }
            self.fixture
                .post("/admin/v1/alerts:note", json!({"ids": [alert["id"]]}))
                .await;
        }
    }

    /// Checks the invariants, the retention, and the incidents of stuck cards.
    fn assert_invariants(&self, day: usize) {
        for (what, sql) in INVARIANTS {
            assert_eq!(self.count(sql), 0, "day {day}: {what}");
        }
        let now = self.fixture.platform.now();
        let old = now - RETENTION_DAYS * DAY;
        for (what, sql) in [
            (
                "messages",
                format!("SELECT count(*) FROM message WHERE finished_at < {old}"),
            ),
            (
                "sessions",
                format!("SELECT count(*) FROM device_session WHERE closed_at < {old}"),
            ),
        ] {
            assert_eq!(self.count(&sql), 0, "day {day}: old {what} were not deleted");
        }
        let days = self.fixture.platform.call_rows("SELECT day FROM call_log_day");
        let days: Vec<i64> = days.iter().map(|row| row[0].parse().unwrap()).collect();
        let (all, old) = (
            days.len(),
            days.iter().filter(|day| (*day + 1) * DAY <= old).count(),
        );
        assert!(all > 0 && old == 0, "day {day}: {old} old of {all} days of calls");
        let overdue = format!(
            "SELECT count(*) FROM task t WHERE t.state = 'writing' AND t.started_at <= {} AND NOT EXISTS (SELECT 1 FROM \
             incident i WHERE i.kind = 'stuck_writing' AND i.closed_at IS NULL AND i.subject = 'chip:' || lower(hex(t.eid_index)))",
            now - 31 * MINUTE
        );
        assert_eq!(self.count(&overdue), 0, "day {day}: stuck without an incident");
        let severe = "SELECT count(*) FROM incident WHERE kind = 'stuck_writing' AND severity = 'severe'";
        assert_eq!(
            self.count(severe),
            0,
            "day {day}: lateness made a stuck card severe"
        );
        for (kind, counts) in &self.reported {
            let twice: Vec<_> = counts.iter().filter(|(_, times)| **times > 1).collect();
            assert!(twice.is_empty(), "day {day}: {kind} twice: {twice:?}");
        }
    }
}

/// Each query counts rows that break the invariant it is named after.
const INVARIANTS: [(&str, &str); 8] = [
    (
        "a card with two numbers",
        "SELECT count(*) FROM (SELECT 1 FROM number WHERE eid_index IS NOT NULL AND status IN ('reserved', 'written') \
         GROUP BY eid_index HAVING count(*) > 1) AS shared",
    ),
    (
        "a free number that belongs to a card",
        "SELECT count(*) FROM number WHERE (status = 'available') <> (eid_index IS NULL)",
    ),
    (
        "a history with gaps",
        "SELECT count(*) FROM (SELECT 1 FROM card_history GROUP BY eid_index HAVING max(seq) <> count(*)) AS gaps",
    ),
    (
        "a card that is not where its history ends",
        "SELECT count(*) FROM chip c WHERE c.status <> (SELECT to_status FROM card_history h \
         WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)",
    ),
    (
        "a negative allowance",
        "SELECT count(*) FROM chip WHERE allowance_bytes < 0 OR used_bytes < 0",
    ),
    (
        "an attempt without its message",
        "SELECT count(*) FROM message_attempt a WHERE NOT EXISTS (SELECT 1 FROM message o WHERE o.id = a.message_id)",
    ),
    (
        "a written card whose incident is open",
        "SELECT count(*) FROM incident i JOIN chip c ON i.subject = 'chip:' || lower(hex(c.eid_index)) \
         WHERE c.status = 4 AND i.closed_at IS NULL AND i.kind IN ('stuck_writing', 'number_silent')",
    ),
    (
        "two open incidents of a kind and subject",
        "SELECT count(*) FROM (SELECT 1 FROM incident WHERE closed_at IS NULL GROUP BY kind, subject HAVING count(*) > 1) AS twice",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_invariant_holds_on_every_day_of_a_year() {
    let mut year = Year::begin().await;
    for day in 0..DAYS {
        let behaviour = if is_down(day) {
            Behaviour::Responds("503 Service Unavailable", String::new())
        } else {
            Behaviour::accepts()
        };
        year.fixture.receiver.set_behaviour("/good", behaviour);
        if day == 110 {
            // Nine days of failures stopped the address; an administrator enters it again.
            let address = json!({"receiver": year.client.id, "url": year.fixture.receiver.url("/good")});
            year.fixture.post("/admin/v1/receivers:update", address).await;
            let missed = json!({"receiver": year.client.id, "from": "2026-07-01T00:00:00+08:00"});
            year.fixture.post("/admin/v1/callbacks:resend", missed).await;
        }
        year.fixture.renew_token(&mut year.client).await;
        year.act(day).await;
        let morning = year.fixture.platform.now();
        for minute in TICKS {
            year.fixture
                .platform
                .advance_clock(morning + minute * MINUTE - year.fixture.platform.now());
            while year.fixture.tick().await.body["more"] == true {}
            year.assert_invariants(day);
        }
        if day % 6 == 3 {
            year.finish_stuck().await;
        }
        year.collect_alerts().await;
        year.fixture
            .platform
            .advance_clock(morning + DAY - year.fixture.platform.now());
    }
    assert_final_state(&year).await;
    year.fixture.platform.shutdown().await;
}

/// Checks callbacks, alerts, the monthly review and the refusal of an expired chip.
async fn assert_final_state(year: &Year) {
    // Every outcome reached the client, each under one message id.
    let received = year.fixture.receiver.requests_at("/good");
    let mut ids: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for request in &received {
        let task = request.body["task_id"].as_str().unwrap();
        ids.entry(task)
            .or_default()
            .insert(&request.headers["webhook-id"]);
    }
    assert!(ids.values().all(|ids| ids.len() == 1));
    let finished = year.count("SELECT count(*) FROM task WHERE state IN ('succeeded', 'failed')");
    assert_eq!(i64::try_from(ids.len()).unwrap(), finished);
    assert_eq!(
        year.count("SELECT count(*) FROM message WHERE state <> 'delivered'"),
        0
    );

    // Each chip that expired unwritten was reported once before and once after.
    let none = BTreeMap::new();
    let (warned, expired) = (
        year.reported.get("temporary_numbers_expiring").unwrap_or(&none),
        year.reported.get("temporary_numbers_expired").unwrap_or(&none),
    );
    assert!(!expired.is_empty());
    for eid in expired.keys() {
        assert_eq!(warned.get(eid), Some(&1), "{eid} expired without a warning");
    }
    for kind in ["monthly_review", "incident_overdue"] {
        assert!(
            year.reported.contains_key(kind),
            "no {kind} in a year: {:?}",
            year.reported.keys()
        );
    }
    let review = year
        .fixture
        .platform
        .admin_get("/admin/v1/incidents/review?month=2026-09")
        .await;
    assert_eq!(review["month"], "2026-09", "{review}");
    // One review for each full month of the test.
    assert_eq!(year.count("SELECT count(*) FROM monthly_review"), 12);
    // The operator received every kind of alert that is in the list, and the ends of the audit trail.
    let mut received: BTreeSet<_> = year
        .fixture
        .receiver
        .requests_at("/operator")
        .iter()
        .map(|request| request.body["type"].as_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<_> = year.reported.keys().cloned().collect();
    assert!(received.remove("audit_head"));
    assert_eq!(received, listed);
    // A chip that failed in the first weeks and was not used since.
    let own = expired
        .keys()
        .find(|eid| year.client.chips.contains(eid))
        .unwrap();
    let refused = TestRequest::get(format!("/v1/write/apply?eid={own}&write_type=1&province_code=37"));
    let token = year
        .fixture
        .platform
        .token(&year.client.id, &year.client.client_secret)
        .await;
    let refused = year.fixture.platform.send(refused.bearer(&token)).await;
    assert_eq!(refused.reason(), "temporary_number_expired", "{}", refused.text);
}
