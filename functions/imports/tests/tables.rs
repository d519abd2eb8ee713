//! Tables as programs save them. The files in `tables/` are byte for byte in the forms that Excel and WPS write: marks,
//! encodings, separators, line ends, what they make of long numbers.
//!
//! Those in `tables/libreoffice/` were saved by LibreOffice 7.4. It opened rows of `cli/samples/` with a Chinese header, a
//! column of its own and a blank row, the ICCIDs as text, everything else as it takes it (`soffice --headless
//! --infilter="Text - txt - csv (StarCalc):44,34,76,1,1/2" --convert-to xlsx numbers.csv`), and saved the workbook in its
//! other forms (`--convert-to "csv:Text - txt - csv (StarCalc):59,34,76"`; 67 is GBK, 65535 UTF-16). In
//! `numbers-rounded` the ICCIDs are no text either, and in `chips` the days are dates.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where it goes wrong, helpers included"
)]

use serde_json::{Value, json};
use test_support::chained_host::ChainedHost;
use test_support::http::{TestRequest, refusal};
use test_support::router::{TestDatabase, TestRouter};
use test_support::settings::SECRET;
use web::{Routes, WORKBOOK};

const CHIPS: &str = include_str!("../../../cli/samples/chips.csv");
const NUMBERS: &str = include_str!("../../../cli/samples/numbers.csv");

/// A file of `tables/`.
macro_rules! table {
    ($($name:literal)+) => {
        include_bytes!(concat!("tables/", $($name),+)).as_slice()
    };
}

async fn inventory() -> TestRouter {
    TestRouter::new(routers()).await
}

fn routers() -> Routes {
    let routers = imports_router::router().merge(clients_router::router());
    routers.merge(gateway_router::router())
}

/// The same on a host where `spreadsheets` is reached.
async fn with_spreadsheets() -> TestRouter {
    let database = TestDatabase::new().await;
    let spreadsheets = vec![("spreadsheets", spreadsheets_router::router())];
    let host = ChainedHost::new(database.host(), spreadsheets);
    TestRouter::on(database, routers(), host)
}

/// A client to whom chips may belong.
async fn client(inventory: &TestRouter) -> String {
    let client =
        json!({"name": "甲", "phone": "13800000000", "ips": ["192.0.2.1"], "permissions": ["write.apply"]});
    let made = inventory.post("/admin/v1/clients", &client).await;
    made["client_id"].as_str().unwrap().to_owned()
}

async fn import(inventory: &TestRouter, path: &str, file: &[u8]) -> Value {
    let path = format!("/admin/v1/{path}");
    let media_type = if file.starts_with(b"PK") {
        WORKBOOK
    } else {
        "text/csv"
    };
    let request = TestRequest::post(&path, media_type, file.to_vec()).bearer(SECRET);
    inventory.send(request).await.body
}

fn counts(answer: &Value) -> Value {
    json!([
        answer["rows"],
        answer["imported"],
        answer["unchanged"],
        answer["rejected"]
    ])
}

fn errors(answer: &Value) -> Vec<Value> {
    let errors = answer["errors"].as_array().unwrap();
    errors
        .iter()
        .map(|error| json!([error["line"], error["column"], error["reason"]]))
        .collect()
}

#[tokio::test]
async fn tables_are_read_as_programs_save_them() {
    let first_two: Vec<&str> = NUMBERS.lines().take(3).collect();
    let first_two = first_two.join("\n");
    for (name, file) in [
        ("excel-utf8.csv", table!("excel-utf8.csv")),
        ("excel-unicode.txt", table!("excel-unicode.txt")),
        ("excel-macintosh.csv", table!("excel-macintosh.csv")),
        ("libreoffice-quoted.csv", table!("libreoffice-quoted.csv")),
    ] {
        let inventory = inventory().await;
        let answer = import(&inventory, "numbers:import", file).await;
        assert_eq!(counts(&answer), json!([2, 2, 0, 0]), "{name}: {answer}");
        let again = import(&inventory, "numbers:import", first_two.as_bytes()).await;
        assert_eq!(counts(&again), json!([2, 0, 2, 0]), "{name}: {again}");
    }
}

/// A file that LibreOffice saved.
macro_rules! saved {
    ($name:literal) => {
        table!("libreoffice/" $name)
    };
}

#[tokio::test]
async fn tables_that_libreoffice_saved_are_read() {
    for (name, file) in [
        ("utf8", saved!("numbers-utf8.csv")),
        ("semicolon", saved!("numbers-semicolon.csv")),
        ("tab", saved!("numbers-tab.csv")),
        ("utf16", saved!("numbers-utf16.csv")),
        ("quoted", saved!("numbers-quoted.csv")),
    ] {
        let inventory = inventory().await;
        let answer = import(&inventory, "numbers:import", file).await;
        assert_eq!(counts(&answer), json!([3, 3, 0, 0]), "{name}: {answer}");
        let warnings = answer["warnings"].as_array().unwrap();
        let columns: Vec<_> = warnings.iter().map(|warning| &warning["column"]).collect();
        assert_eq!(columns, ["备注"], "{name}: {answer}");
    }
    let inventory = inventory().await;
    let client = client(&inventory).await;
    let chips = import(
        &inventory,
        &format!("chips:import?client_id={client}"),
        saved!("chips.csv"),
    )
    .await;
    assert_eq!(counts(&chips), json!([3, 3, 0, 0]), "{chips}");
}

#[tokio::test]
async fn what_libreoffice_made_of_numbers_is_refused_by_name_with_its_line() {
    let answer = import(
        &inventory().await,
        "numbers:import",
        saved!("numbers-rounded.csv"),
    )
    .await;
    let rounded = [2, 3, 4].map(|line| json!([line, "iccid", "number_rounded"]));
    assert_eq!(errors(&answer), rounded, "{answer}");
}

#[tokio::test]
async fn a_column_that_is_not_defined_is_a_warning() {
    let inventory = inventory().await;
    let answer = import(&inventory, "numbers:import", table!("excel-utf8.csv")).await;
    let warning = &answer["warnings"][0];
    assert_eq!(
        json!([
            warning["warning"],
            warning["column"],
            warning["line"],
            warning["lines"]
        ]),
        json!(["column_unknown", "备注", 1, 1]),
        "{answer}"
    );
    assert_eq!(answer["warnings"].as_array().unwrap().len(), 1, "{answer}");
}

#[tokio::test]
async fn a_file_with_semicolons_has_its_services_in_quotes() {
    let inventory = inventory().await;
    let answer = import(&inventory, "numbers:import", table!("excel-semicolon.csv")).await;
    assert_eq!(counts(&answer), json!([2, 2, 0, 0]), "{answer}");
}

#[tokio::test]
async fn dates_are_read_as_spreadsheets_show_them() {
    let inventory = inventory().await;
    let client = client(&inventory).await;
    let path = format!("chips:import?client_id={client}");
    let answer = import(&inventory, &path, table!("excel-dates.csv")).await;
    assert_eq!(counts(&answer), json!([3, 3, 0, 0]), "{answer}");
}

#[tokio::test]
async fn workbooks_and_gbk_are_imported_as_the_same_rows_in_csv() {
    let first_two: Vec<&str> = NUMBERS.lines().take(3).collect();
    let first_two = first_two.join("\n");
    for (name, file, rows) in [
        ("wps-gbk.csv", table!("wps-gbk.csv"), 2),
        ("numbers.xlsx", saved!("numbers.xlsx"), 3),
        ("numbers-gbk.csv", saved!("numbers-gbk.csv"), 3),
    ] {
        let inventory = with_spreadsheets().await;
        let preview = import(&inventory, "numbers:import?preview=true", file).await;
        let answer = import(&inventory, "numbers:import", file).await;
        assert_eq!(counts(&answer), json!([rows, rows, 0, 0]), "{name}: {answer}");
        assert_eq!(counts(&preview), counts(&answer), "{name}: {preview}");
        let again = import(&inventory, "numbers:import", first_two.as_bytes()).await;
        assert_eq!(counts(&again), json!([2, 0, 2, 0]), "{name}: {again}");
    }
    let inventory = with_spreadsheets().await;
    let path = format!("chips:import?client_id={}", client(&inventory).await);
    let chips = import(&inventory, &path, saved!("chips.xlsx")).await;
    assert_eq!(counts(&chips), json!([3, 3, 0, 0]), "{chips}");
}

#[tokio::test]
async fn what_a_workbook_lost_is_refused_by_name_with_its_line() {
    let inventory = with_spreadsheets().await;
    let answer = import(&inventory, "numbers:import", saved!("numbers-rounded.xlsx")).await;
    let rounded = [2, 3, 4].map(|line| json!([line, "iccid", "number_rounded"]));
    assert_eq!(errors(&answer), rounded, "{answer}");
}

#[tokio::test]
async fn a_sheet_is_chosen_by_its_name() {
    let inventory = with_spreadsheets().await;
    let file = saved!("numbers.xlsx");
    let unknown = import(&inventory, "numbers:import?sheet=%E5%8D%A1", file).await;
    assert_eq!(refusal(&unknown), (400, "bad_csv", None), "{unknown}");
    let message = unknown["message"].as_str().unwrap();
    let sheet = message.rsplit('：').next().unwrap();
    let answer = import(&inventory, &format!("numbers:import?sheet={sheet}"), file).await;
    assert_eq!(counts(&answer), json!([3, 3, 0, 0]), "{answer}");
    let csv = import(&inventory, "numbers:import?sheet=a", NUMBERS.as_bytes()).await;
    assert_eq!(
        refusal(&csv),
        (400, "parameter_malformed", Some("sheet")),
        "{csv}"
    );
}

#[tokio::test]
async fn what_is_neither_a_table_of_text_nor_a_workbook_is_refused_by_name() {
    let inventory = with_spreadsheets().await;
    for (file, what) in [
        (saved!("numbers.xls"), ".xls"),
        (saved!("numbers.ods"), ".ods"),
        // An archive that is no workbook.
        (table!("excel.xlsx"), ".xlsx"),
    ] {
        let answer = import(&inventory, "numbers:import", file).await;
        assert_eq!(refusal(&answer), (400, "bad_csv", None), "{what}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(what) && message.contains("另存为"), "{message}");
    }
}

#[tokio::test]
async fn where_spreadsheets_is_not_reached_tables_are_refused_by_name() {
    let inventory = inventory().await;
    for (file, what) in [
        (table!("wps-gbk.csv"), "GBK"),
        (table!("excel.xlsx"), ".xlsx"),
        (table!("excel.xls"), ".xls"),
        (table!("libreoffice.ods"), ".ods"),
        (saved!("numbers-gbk.csv"), "GBK"),
        (saved!("numbers.xlsx"), ".xlsx"),
        (saved!("numbers.xls"), ".xls"),
        (saved!("numbers.ods"), ".ods"),
    ] {
        let answer = import(&inventory, "numbers:import", file).await;
        assert_eq!(refusal(&answer), (400, "bad_csv", None), "{what}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(what) && message.contains("另存为"), "{message}");
    }
}

#[tokio::test]
async fn numbers_with_an_exponent_are_refused_by_name_whatever_was_chosen() {
    for path in ["numbers:import", "numbers:import?accept_zeros=true"] {
        let answer = import(&inventory().await, path, table!("excel-exponents.csv")).await;
        let of_line = |line: u64| {
            ["iccid", "msisdn", "imsi", "smsc"].map(|column| json!([line, column, "number_rounded"]))
        };
        assert_eq!(errors(&answer), [of_line(2), of_line(3)].concat(), "{answer}");
    }
}

#[tokio::test]
async fn iccids_with_zeros_for_digits_are_refused_by_name_unless_accepted() {
    let inventory = inventory().await;
    let file = table!("wps-zeros.csv");
    let answer = import(&inventory, "numbers:import", file).await;
    let rounded = |line: u64| json!([line, "iccid", "number_rounded"]);
    assert_eq!(errors(&answer), [rounded(2), rounded(3)], "{answer}");
    // Both rows now have the same ICCID.
    let answer = import(&inventory, "numbers:import?accept_zeros=true", file).await;
    let conflict = |line: u64| json!([line, "iccid", "import_conflict"]);
    assert_eq!(errors(&answer), [conflict(2), conflict(3)], "{answer}");
    let one: Vec<&[u8]> = file.split_inclusive(|byte| *byte == b'\n').take(2).collect();
    let answer = import(&inventory, "numbers:import?accept_zeros=true", &one.concat()).await;
    assert_eq!(counts(&answer), json!([1, 1, 0, 0]), "{answer}");
    assert_eq!(answer["warnings"][0]["warning"], "check_digit_wrong", "{answer}");
}

#[tokio::test]
async fn a_preview_answers_the_same_and_changes_nothing() {
    let inventory = inventory().await;
    let client = client(&inventory).await;
    // A row twice, a row that is wrong, and one that contradicts another.
    let mut lines: Vec<String> = NUMBERS.lines().map(str::to_owned).collect();
    lines.push(lines[1].clone());
    lines.push(lines[1].replace("4600426", "46004"));
    lines.push(lines[2].replace(",37,", ",11,"));
    let numbers = lines.join("\n");
    for (path, file) in [
        ("numbers:import?".to_owned(), numbers.as_str()),
        (format!("chips:import?client_id={client}&"), CHIPS),
    ] {
        let preview = import(&inventory, &format!("{path}preview=true"), file.as_bytes()).await;
        let again = import(&inventory, &format!("{path}preview=true"), file.as_bytes()).await;
        let done = import(&inventory, &format!("{path}preview=false"), file.as_bytes()).await;
        assert_ne!(done["imported"], 0, "{done}");
        for field in ["rows", "imported", "unchanged", "rejected", "errors", "warnings"] {
            assert_eq!(preview[field], done[field], "{field}");
            assert_eq!(preview[field], again[field], "{field}");
        }
        let repeated = import(&inventory, &format!("{path}preview=true"), file.as_bytes()).await;
        assert_eq!(repeated["imported"], 0, "{repeated}");
    }
}

/// Announces a gateway with these profiles.
async fn announce(inventory: &TestRouter, gateway: &str, profiles: &[&str]) {
    let announcement = json!({
        "gateway": gateway, "instance": "one", "seq": 1, "profiles": profiles, "key_versions": [64],
    });
    let answer = inventory.post("/internal/gateway/announce", &announcement).await;
    assert_eq!(answer["code"], 200, "{answer}");
}

#[tokio::test]
async fn chips_are_compared_with_what_gateways_announced() {
    let inventory = inventory().await;
    let path = format!("chips:import?client_id={}", client(&inventory).await);
    let preview = format!("{path}&preview=true");
    let answer = import(&inventory, &preview, CHIPS.as_bytes()).await;
    let warning = &answer["warnings"][0];
    assert_eq!(warning["warning"], "no_gateway_announced", "{answer}");
    assert_eq!(warning["gateways"], json!([]));

    announce(&inventory, "gw-1", &["vendor-x"]).await;
    let answer = import(&inventory, &preview, CHIPS.as_bytes()).await;
    assert_eq!(answer["imported"], 0, "{answer}");
    let error = &answer["errors"][0];
    assert_eq!(
        json!([error["line"], error["column"], error["reason"]]),
        json!([2, "profile", "unknown_to_gateways"])
    );
    assert!(
        error["detail"].as_str().unwrap().contains("已公布：vendor-x"),
        "{error}"
    );
    assert!(error["remedy"].is_string());

    announce(&inventory, "gw-2", &["qibiao-seed"]).await;
    let answer = import(&inventory, &path, CHIPS.as_bytes()).await;
    assert_eq!(answer["rejected"], 0, "{answer}");
    let warning = &answer["warnings"][0];
    assert_eq!(
        (&warning["warning"], &warning["column"], &warning["gateways"]),
        (
            &json!("known_to_some_gateways"),
            &json!("profile"),
            &json!(["gw-2"])
        )
    );
}
