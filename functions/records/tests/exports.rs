//! Exports and cursors of the lists through their routes.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use test_support::http::{Reply, TestRequest, refusal};
use test_support::inventory::{ChipCsv, NumberCsv, chip_csv, number_csv};
use test_support::router::TestRouter;
use test_support::settings::SECRET;

/// Chips and numbers: more than two pages of an export.
const COUNT: u32 = 450;
/// The exports of this component, with the name of the list in its page.
const EXPORTS: [(&str, &str); 4] = [
    ("tasks", "tasks"),
    ("chips", "chips"),
    ("numbers", "numbers"),
    ("applications/refused", "applications"),
];

struct Platform {
    router: TestRouter,
    client: String,
    token: String,
}

impl Platform {
    /// A platform with chips of a client, as many numbers, an application for each of the first three chips, and one for
    /// the fourth that was refused.
    async fn new() -> Self {
        let router = TestRouter::new(
            records_router::router()
                .merge(cards_router::router())
                .merge(clients_router::router())
                .merge(imports_router::router())
                .merge(token_router::router())
                .merge(write_apply_router::router()),
        )
        .await;
        let client = json!({
            "name": "甲", "phone": "13800000000", "ips": ["203.0.113.0/24"],
            "permissions": ["write.apply", "write.tasks"],
        });
        let made = router.post("/admin/v1/clients", &client).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (client, secret) = (text("client_id"), text("client_secret"));
        let path = format!("/v1/token?client_id={client}&client_secret={secret}");
        let token = router.send(TestRequest::get(path)).await.body["token"].clone();
        let chips: Vec<_> = (1..=COUNT)
            .map(|n| ChipCsv {
                // The model is text of others: a spreadsheet must not take it for a formula.
                chip_model: if n == 1 { "=1+1" } else { "XK-1" }.to_owned(),
                ..ChipCsv::new(n)
            })
            .collect();
        let path = format!("/admin/v1/chips:import?client_id={client}");
        let report = router.import(&path, &chip_csv(&chips)).await;
        assert_eq!(report["imported"], COUNT, "{report}");
        let numbers: Vec<_> = (1..=COUNT).map(|n| NumberCsv::of_province(n, "37")).collect();
        let report = router
            .import("/admin/v1/numbers:import", &number_csv(&numbers))
            .await;
        assert_eq!(report["imported"], COUNT, "{report}");
        let platform = Self {
            router,
            client,
            token: token.as_str().unwrap().to_owned(),
        };
        for (n, province, status) in [(1, "37", 200), (2, "37", 200), (3, "37", 200), (4, "65", 409)] {
            let eid = ChipCsv::new(n).eid;
            let path = format!("/v1/write/apply?eid={eid}&write_type=1&province_code={province}");
            let applied = platform
                .router
                .send(TestRequest::get(path).bearer(&platform.token))
                .await;
            assert_eq!(applied.status, status, "{}", applied.text);
        }
        platform
    }

    async fn ask(&self, path: &str) -> Reply {
        self.router.send(TestRequest::get(path).bearer(SECRET)).await
    }

    /// The rows of an export as JSON, and its end record.
    async fn export(&self, path: &str) -> (Vec<Value>, Value) {
        let reply = self.ask(path).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        let mut lines: Vec<Value> = reply
            .text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let end = lines.pop().unwrap();
        // The digest is of every byte before the end record.
        let body = &reply.text[..reply.text.trim_end().rfind('\n').map_or(0, |at| at + 1)];
        assert_eq!(end["end"]["sha256"], hex::encode(Sha256::digest(body)), "{path}");
        (lines, end["end"].clone())
    }
}

// R507
#[tokio::test]
async fn an_export_has_every_row_of_the_list_over_several_pages_and_says_that_it_is_whole() {
    let platform = Platform::new().await;
    for (list, count) in [
        ("tasks", 3),
        ("chips", COUNT),
        ("numbers", COUNT),
        ("applications/refused", 1),
    ] {
        let path = format!("/admin/v1/{list}:export?format=ndjson");
        let reply = platform.ask(&path).await;
        assert_eq!(
            reply.header("content-type"),
            "application/x-ndjson; charset=utf-8",
            "{list}"
        );
        assert!(
            reply
                .header("content-disposition")
                .starts_with("attachment; filename=\""),
            "{list}"
        );
        let (rows, end) = platform.export(&path).await;
        assert_eq!(rows.len(), usize::try_from(count).unwrap(), "{list}");
        assert_eq!(
            (&end["complete"], &end["rows"], &end["next"], &end["reason"]),
            (&json!(true), &json!(count), &Value::Null, &Value::Null),
            "{list}"
        );
    }
    let (rows, _) = platform
        .export("/admin/v1/chips:export?format=ndjson&order=asc")
        .await;
    let (reversed, _) = platform.export("/admin/v1/chips:export?format=ndjson").await;
    let eids = |rows: Vec<Value>| -> Vec<Value> { rows.into_iter().map(|row| row["eid"].clone()).collect() };
    let (rows, mut reversed) = (eids(rows), eids(reversed));
    reversed.reverse();
    assert_eq!(rows, reversed);
    let mut distinct = rows;
    distinct.sort_by_key(Value::to_string);
    distinct.dedup();
    assert_eq!(distinct.len(), COUNT as usize);
}

#[tokio::test]
async fn an_export_masks_the_identifiers_that_its_list_shows_in_full() {
    let platform = Platform::new().await;
    for (list, rows) in EXPORTS {
        let page = platform.router.get(&format!("/admin/v1/{list}")).await;
        let shown = &page[rows][0];
        let (exported, _) = platform
            .export(&format!("/admin/v1/{list}:export?format=ndjson"))
            .await;
        for (field, value) in exported[0].as_object().unwrap() {
            let is_identifier = ["eid", "iccid", "msisdn", "imsi", "temp_msisdn"].contains(&field.as_str());
            match (is_identifier, value) {
                (true, Value::String(masked)) => {
                    assert!(masked.contains("****"), "{list}: {field} {masked}");
                    let (start, end) = masked.split_once("****").unwrap();
                    let whole = shown[field].as_str().unwrap();
                    assert!(
                        whole.starts_with(start) && whole.ends_with(end),
                        "{list}: {field}"
                    );
                }
                _ => assert_eq!(value, &shown[field], "{list}: {field}"),
            }
        }
    }
}

#[tokio::test]
async fn csv_has_the_fields_of_the_list_a_line_for_each_row_and_no_formula() {
    let platform = Platform::new().await;
    for (list, rows) in EXPORTS {
        let reply = platform.ask(&format!("/admin/v1/{list}:export?format=csv")).await;
        assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8", "{list}");
        let text = reply.text.strip_prefix('\u{feff}').unwrap();
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let columns: Vec<_> = reader.headers().unwrap().iter().map(str::to_owned).collect();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        let (end, records) = records.split_last().unwrap();
        assert_eq!((&end[0], &end[1]), ("#end", "complete"), "{list}");
        assert_eq!(end[2].parse::<usize>().unwrap(), records.len(), "{list}");
        let before = &reply.text[..reply.text.trim_end().rfind('\n').unwrap() + 1];
        assert_eq!(end[5], hex::encode(Sha256::digest(before)), "{list}");
        let page = platform.router.get(&format!("/admin/v1/{list}")).await;
        let shown = page[rows][0].as_object().unwrap();
        for field in shown.keys() {
            assert!(columns.contains(field), "{list}: {field} is no column");
        }
        for record in records {
            assert!(
                record.iter().all(|cell| !cell.starts_with('=')),
                "{list}: {record:?}"
            );
        }
    }
    let chips = platform
        .ask("/admin/v1/chips:export?format=csv&chip_model=%3D1%2B1")
        .await;
    assert!(chips.text.contains(",'=1+1,"), "{}", chips.text);
}

#[tokio::test]
async fn an_export_takes_the_conditions_of_its_list() {
    let platform = Platform::new().await;
    let eid = ChipCsv::new(2).eid;
    for (query, count) in [
        (format!("tasks:export?format=ndjson&eid={eid}"), 1),
        ("tasks:export?format=ndjson&status=failed".to_owned(), 0),
        (format!("chips:export?format=ndjson&eid={eid}"), 1),
        (
            format!("chips:export?format=ndjson&client_id={}", platform.client),
            COUNT as usize,
        ),
        ("numbers:export?format=ndjson&status=reserved".to_owned(), 3),
        (
            "applications/refused:export?format=ndjson&reason=chip_faulty".to_owned(),
            0,
        ),
    ] {
        let (rows, end) = platform.export(&format!("/admin/v1/{query}")).await;
        assert_eq!((rows.len(), &end["complete"]), (count, &json!(true)), "{query}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_the_query_that_returned_it() {
    let platform = Platform::new().await;
    let page = platform
        .router
        .get("/admin/v1/chips?limit=2&chip_model=XK-1")
        .await;
    let next = page["next"].as_str().unwrap();
    // Another number of rows, another order of the parameters and what is ignored do not make another query.
    for same in [
        format!("/admin/v1/chips?limit=2&chip_model=XK-1&cursor={next}"),
        format!("/admin/v1/chips?cursor={next}&chip_model=XK-1&limit=50&_=1"),
    ] {
        assert_eq!(platform.router.get(&same).await["code"], 200, "{same}");
    }
    let mismatch = (400, "cursor_mismatch", Some("cursor"));
    for other in [
        format!("/admin/v1/chips?cursor={next}"),
        format!("/admin/v1/chips?chip_model=XK-2&cursor={next}"),
        format!("/admin/v1/chips?chip_model=XK-1&order=asc&cursor={next}"),
        format!("/admin/v1/numbers?cursor={next}"),
        format!("/admin/v1/chips:export?format=csv&chip_model=XK-1&cursor={next}"),
    ] {
        assert_eq!(refusal(&platform.router.get(&other).await), mismatch, "{other}");
    }
    let zh = platform
        .router
        .get(&format!("/admin/v1/numbers?cursor={next}"))
        .await;
    assert_eq!(zh["message"], "cursor 与本次查询不符：cursor");
    let request = TestRequest::get(format!("/admin/v1/numbers?cursor={next}")).bearer(SECRET);
    let en = platform.router.send(request.with("accept-language", "en")).await;
    assert_eq!(en.body["message"], "the cursor is one of another query: cursor");
}

#[tokio::test]
async fn pages_in_either_order_have_every_row_once() {
    let platform = Platform::new().await;
    for (list, rows, field) in [
        ("tasks", "tasks", "task_id"),
        ("chips", "chips", "eid"),
        ("numbers", "numbers", "iccid"),
    ] {
        let mut both = Vec::new();
        for order in ["asc", "desc"] {
            let (mut seen, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("/admin/v1/{list}?limit=70&order={order}{cursor}");
                let page = platform.router.get(&path).await;
                seen.extend(
                    page[rows]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|row| row[field].clone()),
                );
                let Some(next) = page["next"].as_str() else { break };
                cursor = format!("&cursor={next}");
            }
            both.push(seen);
        }
        let mut descending = both.pop().unwrap();
        descending.reverse();
        assert_eq!(both[0], descending, "{list}");
    }
}

#[tokio::test]
async fn an_export_is_asked_for_strictly() {
    let platform = Platform::new().await;
    let wrong = |reason, field| (400, reason, Some(field));
    for (query, expected) in [
        ("tasks:export", wrong("parameter_missing", "format")),
        ("tasks:export?format=xlsx", wrong("parameter_malformed", "format")),
        (
            "chips:export?format=csv&limit=5",
            wrong("parameter_unknown", "limit"),
        ),
        (
            "chips:export?format=csv&format=csv",
            wrong("parameter_repeated", "format"),
        ),
        ("chips:export?format=csv&eid=1", wrong("eid_malformed", "eid")),
        (
            "numbers:export?format=csv&cursor=x",
            wrong("parameter_malformed", "cursor"),
        ),
        (
            "numbers:export?format=csv&colour=red",
            wrong("parameter_unknown", "colour"),
        ),
        (
            "applications/refused:export?format=csv&reason=sad",
            wrong("parameter_malformed", "reason"),
        ),
    ] {
        let answer = platform.router.get(&format!("/admin/v1/{query}")).await;
        assert_eq!(refusal(&answer), expected, "{query}");
    }
    for (list, _) in EXPORTS {
        let path = format!("/admin/v1/{list}:export?format=csv");
        let bare = platform.router.send(TestRequest::get(path.as_str())).await;
        assert_eq!(bare.status, 401, "{path}");
        let client = TestRequest::get(path.as_str()).bearer(&platform.token);
        assert_eq!(platform.router.send(client).await.status, 401, "{path}");
    }
}
