//! A year, day by day, with a clock that the test owns: cards are applied for, written, fail, get stuck and are left
//! alone; receivers are down for days; temporary numbers expire; what is old is destroyed. What must always hold is
//! looked at every day.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde_json::json;

use crate::door::Sent;
use crate::receiver::Manner;
use crate::rig::{Client, Rig};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Days from the first to the last: everything that was imported in the first month has run out by then.
const DAYS: usize = 366;
/// Minutes of the day at which the platform is ticked: around the limits of the clocks, and through the night.
const TICKS: [i64; 6] = [5, 31, 65, 6 * 60, 12 * 60, 18 * 60];
/// Chips that come in each month.
const MONTHLY: u32 = 6;
/// Days for which records are kept (docs/limits.md), and one for the tick that destroys.
const KEPT_DAYS: i64 = 185 + 1;

/// Days on which the client's receiver is down: one day, and one longer than five.
fn is_down(day: usize) -> bool {
    day == 40 || (100..109).contains(&day)
}

struct Year {
    rig: Rig,
    client: Client,
    used: usize,
    /// What has been told of each kind, by EID.
    warned: BTreeMap<String, BTreeMap<String, u32>>,
    seen_alerts: BTreeSet<String>,
}

impl Year {
    async fn begin() -> Self {
        let rig = Rig::start().await;
        rig.receiver.behave("/good", Manner::good());
        rig.receiver.behave("/operator", Manner::good());
        let operator = json!({"receiver": "operator", "url": rig.receiver.url("/operator")});
        rig.post("/admin/v1/receivers:update", operator).await;
        let client = rig.client("/good", MONTHLY).await;
        Self {
            rig,
            client,
            used: 0,
            warned: BTreeMap::new(),
            seen_alerts: BTreeSet::new(),
        }
    }

    fn db(&self) -> Connection {
        Connection::open(self.rig.door.database()).unwrap()
    }

    fn count(&self, sql: &str) -> i64 {
        self.db()
            .query_row(sql, [], |row| row.get(0))
            .unwrap_or_else(|problem| panic!("{sql}: {problem}"))
    }

    /// Every third day a card: written, failed, or opened and forgotten; the rest is left alone.
    async fn act(&mut self, day: usize) {
        if day.is_multiple_of(30) && day > 0 {
            let more = self.rig.chips_for(&self.client.id, MONTHLY).await;
            self.client.chips.extend(more);
        }
        if !day.is_multiple_of(6) || self.used + 2 >= self.client.chips.len() {
            return;
        }
        let eid = self.client.chips[self.used].clone();
        self.used += 1;
        match self.used % 3 {
            0 => drop(self.rig.fail_eid(&self.client, &eid).await),
            1 => self.rig.write(&self.client, &eid).await,
            _ => {
                self.rig.apply(&self.client, &eid).await;
                self.rig.door.session_of(&eid).await;
            }
        }
    }

    /// Writes what got stuck, some days later.
    async fn help(&mut self) {
        let stuck = "SELECT count(*) FROM task WHERE state = 'writing'";
        if self.count(stuck) > 0 {
            let eid = self.client.chips[self.used - 1].clone();
            self.rig.finish(&eid).await;
        }
    }

    async fn take_note_of_alerts(&mut self) {
        let alerts = self.rig.alerts().await;
        for alert in alerts {
            let id = alert["id"].as_str().unwrap().to_owned();
            if !self.seen_alerts.insert(id) {
                continue;
            }
            let kind = alert["kind"].as_str().unwrap().to_owned();
            let of_kind = self.warned.entry(kind).or_default();
            let eids = alert["body"]["eids"].as_str().unwrap_or_default();
            for eid in eids.split(',').filter(|eid| !eid.is_empty()) {
                *of_kind.entry(eid.to_owned()).or_default() += 1;
            }
            self.rig
                .post("/admin/v1/alerts:note", json!({"ids": [alert["id"]]}))
                .await;
        }
    }

    fn look(&self, day: usize) {
        for (what, sql) in INVARIANTS {
            assert_eq!(self.count(sql), 0, "day {day}: {what}");
        }
        let now = self.rig.door.now();
        let old = now - KEPT_DAYS * DAY;
        for (what, sql) in [
            (
                "calls",
                format!("SELECT count(*) FROM call_log WHERE id < {old} * 4194304"),
            ),
            (
                "messages",
                format!("SELECT count(*) FROM outbox WHERE finished_at < {old}"),
            ),
            (
                "sessions",
                format!("SELECT count(*) FROM device_session WHERE closed_at < {old}"),
            ),
        ] {
            assert_eq!(self.count(&sql), 0, "day {day}: old {what} are still there");
        }
        let overdue = format!(
            "SELECT count(*) FROM task t WHERE t.state = 'writing' AND t.started_at <= {} AND NOT EXISTS (SELECT 1 FROM \
             incident i WHERE i.kind = 'stuck_writing' AND i.closed_at IS NULL AND i.subject = 'chip:' || lower(hex(t.eid_index)))",
            now - 31 * MINUTE
        );
        assert_eq!(self.count(&overdue), 0, "day {day}: stuck and nobody knows");
        let mild = format!(
            "SELECT count(*) FROM task t JOIN incident i ON i.subject = 'chip:' || lower(hex(t.eid_index)) \
             WHERE t.state = 'writing' AND t.started_at <= {} AND i.kind = 'stuck_writing' AND i.closed_at IS NULL \
             AND i.severity <> 'severe'",
            now - 61 * MINUTE
        );
        assert_eq!(
            self.count(&mild),
            0,
            "day {day}: stuck for an hour and not severe"
        );
        for (kind, told) in &self.warned {
            let twice: Vec<_> = told.iter().filter(|(_, times)| **times > 1).collect();
            assert!(twice.is_empty(), "day {day}: {kind} twice: {twice:?}");
        }
    }
}

/// Each counts what must not be.
const INVARIANTS: [(&str, &str); 8] = [
    (
        "a card with two numbers",
        "SELECT count(*) FROM (SELECT 1 FROM number WHERE eid_index IS NOT NULL AND status IN ('reserved', 'written') \
         GROUP BY eid_index HAVING count(*) > 1)",
    ),
    (
        "a free number that belongs to a card",
        "SELECT count(*) FROM number WHERE (status = 'available') <> (eid_index IS NULL)",
    ),
    (
        "a history with gaps",
        "SELECT count(*) FROM (SELECT 1 FROM card_history GROUP BY eid_index HAVING max(seq) <> count(*))",
    ),
    (
        "a card that is not where its history ends",
        "SELECT count(*) FROM chip c WHERE c.status <> (SELECT to_status FROM card_history h \
         WHERE h.eid_index = c.eid_index ORDER BY seq DESC LIMIT 1)",
    ),
    (
        "an allowance below nothing",
        "SELECT count(*) FROM chip WHERE allowance_bytes < 0 OR used_bytes < 0",
    ),
    (
        "an attempt without its message",
        "SELECT count(*) FROM outbox_attempt a WHERE NOT EXISTS (SELECT 1 FROM outbox o WHERE o.id = a.outbox_id)",
    ),
    (
        "a written card whose incident is open",
        "SELECT count(*) FROM incident i JOIN chip c ON i.subject = 'chip:' || lower(hex(c.eid_index)) \
         WHERE c.status = 4 AND i.closed_at IS NULL AND i.kind IN ('stuck_writing', 'number_silent')",
    ),
    (
        "two open incidents of a kind and subject",
        "SELECT count(*) FROM (SELECT 1 FROM incident WHERE closed_at IS NULL GROUP BY kind, subject HAVING count(*) > 1)",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_year_passes_and_everything_holds_every_day() {
    let mut year = Year::begin().await;
    for day in 0..DAYS {
        let manner = if is_down(day) {
            Manner::Says("503 Service Unavailable", String::new())
        } else {
            Manner::good()
        };
        year.rig.receiver.behave("/good", manner);
        if day == 110 {
            // Nine days of failures stopped the address; whoever runs the receiver has it entered again.
            let address = json!({"receiver": year.client.id, "url": year.rig.receiver.url("/good")});
            year.rig.post("/admin/v1/receivers:update", address).await;
            let missed = json!({"receiver": year.client.id, "from": "2026-07-01T00:00:00+08:00"});
            year.rig.post("/admin/v1/callbacks:resend", missed).await;
        }
        year.rig.renew(&mut year.client).await;
        year.act(day).await;
        let morning = year.rig.door.now();
        for minute in TICKS {
            year.rig
                .door
                .pass(morning + minute * MINUTE - year.rig.door.now());
            while year.rig.tick().await.body["more"] == true {}
            year.look(day);
        }
        if day % 6 == 3 {
            year.help().await;
        }
        year.take_note_of_alerts().await;
        year.rig.door.pass(morning + DAY - year.rig.door.now());
    }
    ends_well(&year).await;
    year.rig.door.close().await;
}

async fn ends_well(year: &Year) {
    // Every outcome that is still on record reached the client; none twice under another identifier.
    let arrived = year.rig.receiver.at("/good");
    let mut told: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in &arrived {
        let task = one.body["task_id"].as_str().unwrap();
        told.entry(task).or_default().insert(&one.headers["webhook-id"]);
    }
    assert!(told.values().all(|ids| ids.len() == 1));
    let finished = year.count("SELECT count(*) FROM task WHERE state IN ('succeeded', 'failed')");
    assert_eq!(i64::try_from(told.len()).unwrap(), finished);
    assert_eq!(
        year.count("SELECT count(*) FROM outbox WHERE state <> 'delivered'"),
        0
    );

    // Each chip that was not written by then was warned of once and told of its end once.
    let none = BTreeMap::new();
    let (warned, expired) = (
        year.warned.get("temporary_numbers_expiring").unwrap_or(&none),
        year.warned.get("temporary_numbers_expired").unwrap_or(&none),
    );
    assert!(!expired.is_empty());
    for eid in expired.keys() {
        assert_eq!(warned.get(eid), Some(&1), "{eid} expired without a warning");
    }
    for kind in ["monthly_review", "incident_severe"] {
        assert!(
            year.warned.contains_key(kind),
            "no {kind} in a year: {:?}",
            year.warned.keys()
        );
    }
    let review = year
        .rig
        .door
        .admin_get("/admin/v1/incidents/review?month=2026-09")
        .await;
    assert_eq!(review["month"], "2026-09", "{review}");
    // From the first month in which anything happened to the one before the last day.
    assert_eq!(year.count("SELECT count(*) FROM monthly_review"), 12);
    // What the operator was told is what stands in the list.
    let told: BTreeSet<_> = year
        .rig
        .receiver
        .at("/operator")
        .iter()
        .map(|one| one.body["type"].as_str().unwrap().to_owned())
        .collect();
    let listed: BTreeSet<_> = year.warned.keys().cloned().collect();
    assert_eq!(told, listed);
    // One that failed in the first weeks and was left alone since.
    let own = expired
        .keys()
        .find(|eid| year.client.chips.contains(eid))
        .unwrap();
    let refused = Sent::get(format!("/v1/write/apply?eid={own}&write_type=1&province_code=37"));
    let token = year
        .rig
        .door
        .token(&year.client.id, &year.client.client_secret)
        .await;
    let refused = year.rig.door.send(refused.bearer(&token)).await;
    assert_eq!(refused.reason(), "temporary_number_expired", "{}", refused.text);
}
