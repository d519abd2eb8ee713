//! Exports over built components: every list as a file that says whether it is whole, also to a reader that waits.

use serde_json::Value;
use test_support::http::TestRequest;
use test_support::inventory::{ChipCsv, chip_csv};
use test_support::platform::TestPlatform;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::endpoints::every_operation;

/// Chips of a long export: some twenty pages.
const MANY: u32 = 4_000;

/// The end record of a file with a JSON object in each line, and how many lines come before it.
fn end_of(text: &str) -> (Value, usize) {
    let mut lines: Vec<&str> = text.lines().collect();
    let end: Value = serde_json::from_str(lines.pop().unwrap()).unwrap();
    (end["end"].clone(), lines.len())
}

/// Makes a batch of one row, and returns its identifier.
async fn batch(platform: &TestPlatform) -> String {
    let path = format!(
        "/admin/v1/batches?kind=cancel&key=k&client_id={}",
        platform.owner.id
    );
    let table = format!("eid\n{}\n", test_support::eid::eid_text(1));
    let request = TestRequest::post(path, "text/csv", table).bearer(&platform.admin_secret());
    let made = platform.send(request).await;
    assert_eq!(made.status, 200, "{}", made.text);
    made.body["batch"]["batch_id"].as_str().unwrap().to_owned()
}

// R507
#[tokio::test(flavor = "multi_thread")]
async fn every_list_is_exported_whole_in_both_formats() {
    let platform = TestPlatform::start().await;
    platform.write_card(0).await;
    platform.apply(1).await;
    let exports: Vec<_> = every_operation()
        .filter(|operation| operation.path.ends_with(":export"))
        .collect();
    assert_eq!(exports.len(), 9, "lists");
    let batch = batch(&platform).await;
    for operation in exports {
        let list = operation.path.strip_suffix(":export").unwrap();
        // The rows of a batch are those of one batch.
        let which = match list {
            "/admin/v1/batches/rows" => format!("batch_id={batch}&"),
            _ => String::new(),
        };
        let page = platform.admin_get(&format!("{list}?{which}")).await;
        let rows = page.as_object().unwrap().values().find_map(Value::as_array);
        let rows = rows.unwrap().len();
        let ask = |format: &str| {
            let request = TestRequest::get(format!("{}?{which}format={format}", operation.path));
            platform.send(request.bearer(&platform.admin_secret()))
        };
        let ndjson = ask("ndjson").await;
        assert_eq!(ndjson.status, 200, "{list}: {}", ndjson.text);
        let (end, lines) = end_of(&ndjson.text);
        assert_eq!(end["complete"], true, "{list}: {}", ndjson.text);
        // The call that read the page may be a row of its own.
        assert!(lines == rows || lines == rows + 1, "{list}: {lines} of {rows}");
        let csv = ask("csv").await;
        assert_eq!(csv.header("content-type"), "text/csv; charset=utf-8", "{list}");
        let last = csv.text.lines().last().unwrap();
        assert!(last.starts_with("#end,complete,"), "{list}: {last}");
    }
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_waits_holds_nobody_up_and_gets_the_whole_file() {
    let platform = TestPlatform::start().await;
    let chips: Vec<_> = (100_000..100_000 + MANY).map(ChipCsv::new).collect();
    let path = format!("/admin/v1/chips:import?client_id={}", platform.owner.id);
    let request = TestRequest::post(path, "text/csv", chip_csv(&chips));
    let imported = platform.send(request.bearer(&platform.admin_secret())).await;
    assert_eq!(imported.body["imported"], MANY, "{}", imported.text);

    let address = platform.host.addr();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /admin/v1/chips:export?format=ndjson HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         connection: close\r\n\r\n",
        platform.admin_secret()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut head = [0; 1_024];
    socket.read_exact(&mut head).await.unwrap();
    // The file has begun, and its reader takes no more of it. Cards are applied for and written meanwhile.
    platform.apply(1).await;
    platform.write_card(2).await;
    let mut rest = Vec::new();
    socket.read_to_end(&mut rest).await.unwrap();
    let text = String::from_utf8_lossy(&rest);
    let end = text.lines().find(|line| line.starts_with("{\"end\":")).unwrap();
    let end: Value = serde_json::from_str(end).unwrap();
    assert_eq!(end["end"]["complete"], true, "{end}");
    let rows = platform.number("SELECT COUNT(*) FROM chip");
    assert_eq!(end["end"]["rows"], rows, "{end}");
    platform.shutdown().await;
}
