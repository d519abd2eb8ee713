use axum::body::Body;
use futures::executor::block_on;
use http::Request;
use http_body_util::BodyExt as _;
use tower_service::Service as _;

use super::{MAX_TABLE_BYTES, PATH, router};

const WORKBOOK: &[u8] = include_bytes!("../../imports/tests/tables/libreoffice/numbers.xlsx");

fn send(query: &str, file: &[u8]) -> (u16, String) {
    let request = Request::post(format!("{PATH}{query}")).body(Body::from(file.to_vec()));
    block_on(async {
        let answer = router().call(request.unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(bytes.to_vec()).unwrap())
    })
}

#[test]
fn a_workbook_and_gbk_become_csv() {
    let (status, text) = send("", WORKBOOK);
    assert_eq!(status, 200, "{text}");
    assert!(text.starts_with('"') && text.lines().count() > 3, "{text}");
    assert_eq!(send("", b"\xba\xc5\xc2\xeb,1"), (200, "号码,1".to_owned()));
}

#[test]
fn why_a_table_cannot_be_read_is_in_both_languages() {
    for (query, file, en) in [
        ("?sheet=%E5%8D%A1", WORKBOOK, "there is no sheet 卡"),
        ("", b"PK\x03\x04", "cannot be read as an Excel workbook"),
        ("", b"\xff\xff", "neither"),
    ] {
        let (status, text) = send(query, file);
        assert_eq!(status, 422, "{text}");
        assert!(text.contains(en) && text.contains(r#"{"zh":"#), "{text}");
    }
}

#[test]
fn a_file_that_is_too_large_is_not_read() {
    assert_eq!(send("", &vec![b'a'; MAX_TABLE_BYTES]).0, 200);
    assert_eq!(send("", &vec![b'a'; MAX_TABLE_BYTES + 1]).0, 413);
}
