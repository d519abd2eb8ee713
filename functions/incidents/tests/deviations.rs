//! Deviations (§10.2), through the router and on a database, as administrators see them.

#![expect(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use domain::{ClientId, Deviation, Timestamp};
use serde_json::Value;
use store::{Sqlite, Subject, deviation, transaction};
use test_support::http::TestRequest;
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::SECRET;

/// Subjects of different lengths.
fn subjects() -> [Subject; 3] {
    [
        Subject::client(&ClientId::new([7; 10])),
        Subject::job("supervision"),
        Subject::province("650000"),
    ]
}

/// Six deviations found at two times, those of `job_overdue` set right.
async fn with_deviations() -> TestRouter {
    let database = TestDatabase::new().await;
    let db = Sqlite::open(&database.file()).unwrap();
    let subjects = subjects();
    for (kind, at) in [
        (Deviation::FinalReportOverdue, 1_000),
        (Deviation::JobOverdue, 2_000),
    ] {
        transaction(&db, async |tx| {
            deviation::seen(tx, kind, &subjects, Timestamp(at)).await
        })
        .await
        .unwrap();
    }
    transaction(&db, async |tx| {
        deviation::ended(tx, Deviation::JobOverdue, Timestamp(3_000), Timestamp(4_000)).await
    })
    .await
    .unwrap();
    let host = database.host();
    TestRouter::on(database, incidents_router::router(), host)
}

/// Kinds and subjects of all pages of one row.
async fn all(router: &TestRouter, query: &str) -> Vec<(String, String)> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = router
            .get(&format!("/admin/v1/deviations?limit=1{query}{cursor}"))
            .await;
        for row in page["deviations"].as_array().unwrap() {
            let text = |name: &str| row[name].as_str().unwrap().to_owned();
            found.push((text("kind"), text("subject")));
        }
        let Value::String(next) = &page["next"] else {
            return found;
        };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn pages_of_one_row_show_each_deviation_once_whatever_its_subject() {
    let router = with_deviations().await;
    let mut sorted = subjects().map(|subject| subject.text().to_owned());
    sorted.sort_unstable_by(|one, other| other.cmp(one));
    let expected = |kind: &str| sorted.clone().map(|subject| (kind.to_owned(), subject));
    let open = expected("final_report_overdue");
    assert_eq!(all(&router, "").await, open);
    assert_eq!(
        all(&router, "&state=all").await,
        [expected("job_overdue"), open.clone()].concat()
    );
    assert_eq!(all(&router, "&state=all&kind=final_report_overdue").await, open);
}

#[tokio::test]
async fn a_cursor_goes_on_with_its_own_search_only() {
    let router = with_deviations().await;
    let page = router.get("/admin/v1/deviations?limit=1").await;
    let next = page["next"].as_str().unwrap();
    for (query, reason) in [
        (format!("state=all&cursor={next}"), "cursor_mismatch"),
        (format!("kind=job_overdue&cursor={next}"), "cursor_mismatch"),
        ("cursor=00".to_owned(), "parameter_malformed"),
        ("state=closed".to_owned(), "parameter_malformed"),
        ("kind=late".to_owned(), "parameter_malformed"),
    ] {
        let request = TestRequest::get(format!("/admin/v1/deviations?{query}").as_str()).bearer(SECRET);
        let reply = router.send(request).await;
        assert_eq!(
            (reply.status, reply.body["reason"].as_str()),
            (400, Some(reason)),
            "{query}"
        );
    }
}
