//! §5.3.1.1: workbooks and tables in GBK at the import interfaces, as the components read them.

use test_support::http::TestRequest;
use test_support::platform::TestPlatform;

const WORKBOOK: &[u8] = include_bytes!("../../../functions/imports/tests/tables/libreoffice/numbers.xlsx");
const GBK: &[u8] = include_bytes!("../../../functions/imports/tests/tables/libreoffice/numbers-gbk.csv");
const CSV: &[u8] = include_bytes!("../../../functions/imports/tests/tables/libreoffice/numbers-utf8.csv");
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

#[tokio::test(flavor = "multi_thread")]
async fn a_workbook_and_a_table_in_gbk_are_read_as_the_same_rows_in_utf_8() {
    let platform = TestPlatform::start().await;
    let secret = platform.admin_secret();
    let import = async |media_type: &str, file: &[u8]| {
        let path = "/admin/v1/numbers:import?preview=true";
        let request = TestRequest::post(path, media_type, file.to_vec()).bearer(&secret);
        let reply = platform.send(request).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        ["rows", "imported", "errors", "warnings"].map(|field| reply.body[field].clone())
    };
    let plain = import("text/csv", CSV).await;
    assert_eq!(plain[0], 3);
    assert_eq!(import("text/csv", GBK).await, plain);
    assert_eq!(import(XLSX, WORKBOOK).await, plain);
    platform.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_workbooks_is_not_reached_from_outside() {
    let platform = TestPlatform::start().await;
    for path in ["/internal/spreadsheets", "/"] {
        let request = TestRequest::post(path, "text/csv", CSV.to_vec());
        let forged = request.with("host", "spreadsheets.spin.internal");
        assert_eq!(platform.send(forged).await.status, 404, "{path}");
    }
    platform.shutdown().await;
}
