//! §9.2: every operation of staff that changes something, and every one that lists rows, leaves a row in the audit trail.

use std::fmt::Write as _;

use api_document::{Operation, operations};
use domain::Does;
use serde_json::Value;
use test_support::http::TestRequest;
use test_support::router::TestRouter;
use test_support::settings::SECRET;
use web::{Access, Routes};

/// The routers of the management interfaces.
fn routes() -> Routes {
    [
        accounts_router::router(),
        batches_router::router(),
        cards_router::router(),
        clients_router::router(),
        imports_router::router(),
        incidents_router::router(),
        inventory_router::router(),
        messages_router::router(),
        records_router::router(),
    ]
    .into_iter()
    .fold(Routes::new(), Routes::merge)
}

/// The example request of an operation.
fn example(operation: &Operation) -> TestRequest {
    let mut target = operation.example_path();
    for (at, (name, value)) in operation.example_query.iter().enumerate() {
        let separator = if at == 0 { '?' } else { '&' };
        write!(target, "{separator}{name}=").expect("a text");
        for byte in value.bytes() {
            write!(target, "%{byte:02X}").expect("a text");
        }
    }
    let request = match &operation.example_body {
        None => TestRequest::get(target).method(operation.method),
        Some(body) => {
            let text = match &body.value {
                Value::String(file) => file.clone(),
                document => document.to_string(),
            };
            TestRequest::post(target, &body.media_type, text)
        }
    };
    request.bearer(SECRET)
}

/// The latest rows of the trail.
async fn trail(routers: &TestRouter) -> Vec<Value> {
    let answer = routers.get("/admin/v1/audit?limit=3").await;
    answer["rows"].as_array().expect("rows").clone()
}

#[tokio::test]
async fn every_act_of_staff_and_every_list_that_they_read_has_a_row() {
    let routers = TestRouter::new(routes()).await;
    let (mut changes, mut reads) = (0, 0);
    for operation in operations() {
        let Access::Staff(right) = operation.access else {
            continue;
        };
        let before = trail(&routers).await;
        let reply = routers.send(example(&operation)).await;
        let case = format!("{}: {}", operation.id, reply.text);
        assert!(reply.status < 500, "{case}");
        let after = trail(&routers).await;
        // Reading the trail has a row, too.
        let of_trail = usize::from(!before.is_empty());
        let new: Vec<&Value> = after
            .iter()
            .take_while(|row| before.first().is_none_or(|last| row["seq"] != last["seq"]))
            .filter(|row| row["what"] == right.code())
            .collect();
        let is_trail = right.code() == "audit.list";
        match right.does() {
            Does::Reads => assert_eq!(new.len(), 0, "{case}"),
            Does::Lists if reply.status != 200 => assert_eq!(new.len(), 0, "{case}"),
            Does::Lists if is_trail => assert_eq!(new.len(), 1 + of_trail, "{case}"),
            Does::Lists => {
                reads += 1;
                // An export has a row when it begins, and one with its figures at its end.
                let rows = if right.code().ends_with(".export") { 2 } else { 1 };
                assert_eq!((new.len(), &new[0]["kind"]), (rows, &"read".into()), "{case}");
                assert!(new[0]["detail"]["sha256"].is_string(), "{case}");
            }
            Does::Changes => {
                changes += 1;
                assert_eq!((new.len(), &new[0]["kind"]), (1, &"change".into()), "{case}");
                let outcome = if reply.status == 200 { "done" } else { "refused" };
                assert_eq!(new[0]["outcome"], outcome, "{case}");
                assert_eq!(new[0]["reason"], reply.body["reason"], "{case}");
                assert!(
                    new[0]["object"].as_str().is_some_and(|object| !object.is_empty()),
                    "{case}"
                );
                assert!(
                    !new[0].to_string().contains("89086030202200000022000000000090"),
                    "{case}"
                );
            }
        }
    }
    assert!(changes > 30 && reads > 8, "{changes} {reads}");
}
