//! Inventory files: good rows in, bad rows reported precisely.

use domain::error::{Error, Reason};
use domain::{ClientId, DAY_MS, NumberRanges};
use operations::{
    ImportChoices, ImportReport, MAX_IMPORT_BYTES, MAX_IMPORT_ROWS, MAX_REPORTED_ERRORS, WarningKind,
    import_chips, import_numbers,
};
use test_support::inventory::{ChipCsv, NUMBER_HEADER, NumberCsv, chip_csv, number_csv};
use test_support::operations::{World, reason, run};

pub(super) fn number_file(world: &World, file: &[u8]) -> Result<ImportReport, Error> {
    run(import_numbers(&world.cx(), file, &ImportChoices::default()))
}

pub(super) fn chip_file(
    world: &World,
    file: &[u8],
    client: Option<&ClientId>,
) -> Result<ImportReport, Error> {
    run(import_chips(&world.cx(), file, client, &ImportChoices::default()))
}

pub(super) fn row_errors(report: &ImportReport) -> Vec<(u64, Option<&'static str>, Reason)> {
    report
        .errors
        .iter()
        .map(|error| (error.line, error.column, error.reason))
        .collect()
}

/// Every row, apart from the records of the imports themselves.
fn rows(world: &World) -> Vec<String> {
    let mut rows = world.dump();
    rows.retain(|row| !row.starts_with("import: "));
    rows
}

fn counts(report: &ImportReport) -> [usize; 4] {
    [report.rows, report.imported, report.unchanged, report.rejected]
}

#[test]
fn importing_the_same_file_again_changes_nothing() {
    let world = World::new();
    let client = world.client();
    let chips = [
        ChipCsv::new(0),
        ChipCsv {
            psk: Some([3; 16]),
            psk_identity: "aabb".to_owned(),
            ..ChipCsv::new(1)
        },
    ];
    let numbers = [NumberCsv::new(0), NumberCsv::allotted(1, &client.client_id)];
    assert_eq!(counts(&world.chips(&client.client_id, &chips)), [2, 2, 0, 0]);
    assert_eq!(counts(&world.numbers(&numbers)), [2, 2, 0, 0]);
    let before = rows(&world);
    assert_eq!(counts(&world.chips(&client.client_id, &chips)), [2, 0, 2, 0]);
    assert_eq!(counts(&world.numbers(&numbers)), [2, 0, 2, 0]);
    assert_eq!(rows(&world), before);
}

#[test]
fn a_row_stays_unchanged_also_after_the_card_went_on() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    world.write_chip(&caller, 0);
    let before = rows(&world);
    assert_eq!(counts(&world.chips(&caller.id, &[ChipCsv::new(0)])), [1, 0, 1, 0]);
    assert_eq!(counts(&world.numbers(&[NumberCsv::new(0)])), [1, 0, 1, 0]);
    assert_eq!(rows(&world), before);
}

#[test]
fn a_temporary_number_of_unknown_opening_counts_from_the_first_import() {
    let world = World::new();
    let client = world.client();
    let chips = [ChipCsv {
        temp_opened_on: String::new(),
        ..ChipCsv::new(0)
    }];
    assert_eq!(counts(&world.chips(&client.client_id, &chips)), [1, 1, 0, 0]);
    let opened = world.column("SELECT temp_opened_on FROM chip");
    assert_eq!(opened, [world.time().date_in(&world.zone).to_string()]);
    world.pass(DAY_MS);
    assert_eq!(counts(&world.chips(&client.client_id, &chips)), [1, 0, 1, 0]);
    assert_eq!(world.column("SELECT temp_opened_on FROM chip"), opened);
}

#[test]
fn a_row_that_contradicts_an_earlier_one_is_told_with_its_column() {
    let world = World::new();
    let caller = world.stocked(1, 1);
    let chips = [
        ChipCsv {
            allowance_mb: "6".to_owned(),
            ..ChipCsv::new(0)
        },
        ChipCsv {
            temp_msisdn: ChipCsv::new(0).temp_msisdn,
            ..ChipCsv::new(7)
        },
        ChipCsv {
            temp_iccid: ChipCsv::new(0).temp_iccid,
            ..ChipCsv::new(8)
        },
        ChipCsv {
            temp_imsi: ChipCsv::new(0).temp_imsi,
            ..ChipCsv::new(9)
        },
    ];
    // One file each: within one, the rows would contradict one another.
    let errors: Vec<_> = chips
        .iter()
        .map(|chip| row_errors(&world.chips(&caller.id, std::slice::from_ref(chip))))
        .collect();
    let conflict = Reason::ImportConflict;
    let columns = ["allowance_mb", "temp_msisdn", "temp_iccid", "temp_imsi"];
    assert_eq!(errors, columns.map(|column| vec![(2, Some(column), conflict)]));
    let numbers = [
        NumberCsv {
            province: "11".to_owned(),
            ..NumberCsv::new(0)
        },
        NumberCsv {
            msisdn: NumberCsv::new(0).msisdn,
            ..NumberCsv::new(8)
        },
        NumberCsv {
            imsi: NumberCsv::new(0).imsi,
            ..NumberCsv::new(9)
        },
    ];
    let errors: Vec<_> = numbers
        .iter()
        .map(|number| row_errors(&world.numbers(std::slice::from_ref(number))))
        .collect();
    assert_eq!(
        errors,
        ["province_code", "msisdn", "imsi"].map(|column| vec![(2, Some(column), conflict)])
    );
}

#[test]
fn rows_of_one_file_that_share_a_psk_identity_are_all_refused() {
    let world = World::new();
    let client = world.client();
    let chip = |n| ChipCsv {
        psk_identity: "0a0b".to_owned(),
        psk: Some([1; 16]),
        ..ChipCsv::new(n)
    };
    let report = world.chips(&client.client_id, &[chip(0), chip(1)]);
    assert_eq!(
        row_errors(&report),
        [
            (2, Some("psk_identity"), Reason::ImportConflict),
            (3, Some("psk_identity"), Reason::ImportConflict)
        ]
    );
    assert_eq!(report.imported, 0);
}

#[test]
fn good_rows_are_imported_and_each_bad_one_is_told_with_line_column_and_reason() {
    let world = World::new();
    let client = world.client();
    let chip = |n: u32, change: &dyn Fn(&mut ChipCsv)| {
        let mut chip = ChipCsv::new(n);
        change(&mut chip);
        chip
    };
    let chips = [
        chip(0, &|_| ()),
        chip(1, &|row| row.eid.replace_range(31.., "x")),
        chip(2, &|row| row.temp_msisdn = "13800138000".to_owned()),
        chip(3, &|row| row.temp_iccid.push('0')),
        chip(4, &|row| row.temp_imsi.clear()),
        chip(5, &|row| row.network_type = "5g".to_owned()),
        chip(6, &|row| row.temp_opened_on = "2026-02-30".to_owned()),
        chip(7, &|row| row.allowance_mb = "-5".to_owned()),
        chip(8, &|row| row.client_id = "cl_00000000000000000000".to_owned()),
        chip(9, &|row| row.client_id = "nobody".to_owned()),
        chip(10, &|row| row.psk_identity = "xyz".to_owned()),
        chip(11, &|_| ()),
    ];
    let report = world.chips(&client.client_id, &chips);
    assert_eq!(counts(&report), [12, 2, 0, 10]);
    assert_eq!(
        row_errors(&report),
        [
            (3, Some("eid"), Reason::EidMalformed),
            (4, Some("temp_msisdn"), Reason::MsisdnMalformed),
            (5, Some("temp_iccid"), Reason::IccidMalformed),
            (6, Some("temp_imsi"), Reason::ParameterMissing),
            (7, Some("network_type"), Reason::ParameterMalformed),
            (8, Some("temp_opened_on"), Reason::ParameterMalformed),
            (9, Some("allowance_mb"), Reason::ParameterMalformed),
            (10, Some("client_id"), Reason::UnknownClient),
            (11, Some("client_id"), Reason::ParameterMalformed),
            (12, Some("psk_identity"), Reason::ParameterMalformed),
        ]
    );
    assert!(
        report
            .errors
            .iter()
            .all(|error| !error.zh.is_empty() && !error.en.is_empty())
    );
}

// §5.1.3
#[test]
fn numbers_of_people_and_undirected_services_are_refused() {
    let world = World::new();
    let number = |n: u32, change: &dyn Fn(&mut NumberCsv)| {
        let mut number = NumberCsv::new(n);
        change(&mut number);
        number
    };
    let numbers = [
        number(0, &|row| row.msisdn = "13800138000".to_owned()),
        number(1, &|row| row.services = "data;voice".to_owned()),
        number(2, &|row| row.services = "directed_sms".to_owned()),
        number(3, &|row| {
            row.services = "directed_sms;data;directed_voice".to_owned()
        }),
        number(4, &|row| row.province = "370100".to_owned()),
        number(5, &|row| row.imsi = "4600".to_owned()),
    ];
    let report = world.numbers(&numbers);
    assert_eq!(
        row_errors(&report),
        [
            (2, Some("msisdn"), Reason::MsisdnMalformed),
            (3, Some("services"), Reason::ParameterMalformed),
            (4, Some("services"), Reason::ParameterMalformed),
            (6, Some("province_code"), Reason::ProvinceMalformed),
            (7, Some("imsi"), Reason::ImsiMalformed),
        ]
    );
    assert_eq!(
        world.column("SELECT services FROM number"),
        ["data;directed_voice;directed_sms"]
    );
}

#[test]
fn a_chip_needs_an_owner() {
    let world = World::new();
    let report = chip_file(&world, chip_csv(&[ChipCsv::new(0)]).as_bytes(), None).unwrap();
    assert_eq!(
        row_errors(&report),
        [(2, Some("client_id"), Reason::ParameterMissing)]
    );
}

#[test]
fn columns_may_come_in_any_order_after_a_byte_order_mark() {
    let world = World::new();
    let client = world.client().client_id;
    let row = ChipCsv::new(0);
    let csv = format!(
        "\u{feff}key_version,eid,allowance_mb, chip_model ,profile,network_type,temp_imsi,temp_iccid,temp_msisdn,\
         temp_opened_on\r\n64,{},5,\"XK-1\",qibiao-seed,NB-IoT,{},{},{},2026-06-01\r\n",
        row.eid, row.temp_imsi, row.temp_iccid, row.temp_msisdn
    );
    let report = chip_file(&world, csv.as_bytes(), Some(&client)).unwrap();
    assert_eq!((counts(&report), row_errors(&report)), ([1, 1, 0, 0], vec![]));
}

#[test]
fn a_wrong_header_refuses_the_file() {
    let world = World::new();
    let missing = NUMBER_HEADER.replace("imsi,", "");
    let repeated = NUMBER_HEADER.replace("smsc", "imsi");
    for header in ["", "\u{feff}", "iccid;msisdn", &missing, &repeated] {
        let csv = format!("{header}\n{}\n", NumberCsv::new(0).line());
        assert_eq!(
            reason(number_file(&world, csv.as_bytes())),
            Reason::BadCsv,
            "{header}"
        );
    }
    assert_eq!(world.count("SELECT COUNT(*) FROM number"), 0);
}

#[test]
fn rows_of_another_width_are_reported_by_line() {
    let world = World::new();
    let (good, whole) = (NumberCsv::new(0).line(), NumberCsv::new(1).line());
    let csv = format!("{NUMBER_HEADER}\n{good},,\n\n{whole},x\na,b\n");
    let report = number_file(&world, csv.as_bytes()).unwrap();
    assert_eq!(counts(&report), [3, 1, 0, 2]);
    let errors = row_errors(&report);
    assert_eq!(errors[0], (4, None, Reason::BadCsv));
    assert!(errors[1..].contains(&(5, Some("iccid"), Reason::IccidMalformed)));
    assert!(errors[1..].contains(&(5, Some("imsi"), Reason::ParameterMissing)));
    let warnings: Vec<_> = report
        .warnings
        .iter()
        .map(|warning| (warning.kind, warning.line))
        .collect();
    assert_eq!(warnings, [(WarningKind::RowShort, 5)]);
}

#[test]
fn a_file_of_another_encoding_is_refused_as_a_whole() {
    let world = World::new();
    let mut csv = format!("{NUMBER_HEADER}\n{}\n", NumberCsv::new(0).line()).into_bytes();
    csv.extend(b"\xff\xfe,,,,,,,,,\n");
    let refused = number_file(&world, &csv).unwrap_err();
    assert_eq!(refused.reason(), Reason::BadCsv);
    assert!(refused.to_string().contains("line 3"), "{refused}");
    assert_eq!(world.count("SELECT COUNT(*) FROM number"), 0);
}

#[test]
fn rows_that_contradict_one_another_are_all_refused_and_a_repeated_one_is_unchanged() {
    let world = World::new();
    let other_province = NumberCsv {
        province: "11".to_owned(),
        ..NumberCsv::new(0)
    };
    // Malformed, and all the same about the number of line 3.
    let malformed = NumberCsv {
        services: "television".to_owned(),
        ..NumberCsv::new(1)
    };
    let numbers = [
        NumberCsv::new(0),
        NumberCsv::new(1),
        NumberCsv::new(2),
        NumberCsv::new(2),
        other_province,
        malformed,
    ];
    let report = world.numbers(&numbers);
    assert_eq!(counts(&report), [6, 1, 1, 4]);
    let conflict = |line| (line, Some("iccid"), Reason::ImportConflict);
    assert_eq!(
        row_errors(&report),
        [
            conflict(2),
            conflict(3),
            conflict(6),
            (7, Some("services"), Reason::ParameterMalformed),
            conflict(7),
        ]
    );
    assert!(report.errors[0].en.contains("line 6"), "{:?}", report.errors[0]);
}

#[test]
fn many_other_errors_never_hide_a_contradiction() {
    let world = World::new();
    let bad = "x,,,,,,,,,\n";
    let contradicting = [NumberCsv::of_province(0, "11"), NumberCsv::new(0)].map(|row| row.line());
    let csv = format!(
        "{NUMBER_HEADER}\n{}{}\n",
        bad.repeat(MAX_REPORTED_ERRORS),
        contradicting.join("\n")
    );
    let report = number_file(&world, csv.as_bytes()).unwrap();
    assert_eq!(report.errors.len(), MAX_REPORTED_ERRORS + 2);
    let first = u64::try_from(MAX_REPORTED_ERRORS).unwrap() + 2;
    assert_eq!(
        row_errors(&report)[MAX_REPORTED_ERRORS..],
        [first, first + 1].map(|line| (line, Some("iccid"), Reason::ImportConflict))
    );
}

// §5.4.2.1
#[test]
fn eids_without_check_digits_come_in_where_they_are_allowed_and_need_an_identity_with_letters() {
    let world = World::new();
    let client = world.client().client_id;
    let with_eid = |n, eid: &str, psk_identity: &str| ChipCsv {
        eid: eid.to_owned(),
        psk_identity: psk_identity.to_owned(),
        ..ChipCsv::new(n)
    };
    let csv = chip_csv(&[
        with_eid(0, "89086030202200000022000000000091", ""),
        with_eid(1, "0011223344556677889aabbccddeeff0", "a1"),
        with_eid(2, "0011223344556677889AABBCCDDEEFF1", ""),
        with_eid(3, "0011223344556677889AABBCCDDEEFF", "a2"),
        with_eid(4, "0011223344556677889aAbBcCdDeEfF0", "a3"),
    ]);
    let malformed = |line| (line, Some("eid"), Reason::EidMalformed);
    let import = |unchecked_eids| {
        let choices = ImportChoices {
            unchecked_eids,
            ..ImportChoices::default()
        };
        run(import_chips(&world.cx(), csv.as_bytes(), Some(&client), &choices)).unwrap()
    };
    let refused = import(false);
    let conflict = |line| (line, Some("eid"), Reason::ImportConflict);
    let missing = (4, Some("psk_identity"), Reason::ParameterMissing);
    assert_eq!(
        row_errors(&refused),
        [
            malformed(2),
            malformed(3),
            conflict(3),
            malformed(4),
            malformed(5),
            malformed(6),
            conflict(6)
        ]
    );
    let taken = import(true);
    assert_eq!(counts(&taken), [5, 1, 0, 4]);
    assert_eq!(
        row_errors(&taken),
        [conflict(3), missing, malformed(5), conflict(6)]
    );
}

// §5.1.3
#[test]
fn numbers_come_from_the_configured_ranges_alone() {
    let world = World::new();
    let csv = number_csv(&[
        NumberCsv::new(0),
        NumberCsv {
            msisdn: "1064112345678".to_owned(),
            ..NumberCsv::new(1)
        },
    ]);
    let report = number_file(&world, csv.as_bytes()).unwrap();
    assert_eq!(
        row_errors(&report),
        [(3, Some("msisdn"), Reason::MsisdnMalformed)]
    );
    assert!(
        report.errors[0].en.contains("106****5678 is in no IoT range"),
        "{:?}",
        report.errors[0]
    );
    let choices = ImportChoices {
        ranges: NumberRanges::parse("10641").unwrap(),
        ..ImportChoices::default()
    };
    let report = run(import_numbers(&world.cx(), csv.as_bytes(), &choices)).unwrap();
    assert_eq!(
        row_errors(&report),
        [(2, Some("msisdn"), Reason::MsisdnMalformed)]
    );
    assert_eq!(report.imported, 1);
}

#[test]
fn a_message_centre_that_lost_its_sign_is_international() {
    let world = World::new();
    let lines: String = ["+8613800100500", "8613800100500", "13800100500", "86138", ""]
        .iter()
        .zip(0..)
        .map(|(smsc, n)| NumberCsv::new(n).line().replace("+8613800100500", smsc) + "\n")
        .collect();
    let csv = format!("{NUMBER_HEADER}\n{lines}");
    assert_eq!(number_file(&world, csv.as_bytes()).unwrap().imported, 5);
    assert_eq!(
        world.column("SELECT COALESCE(smsc, '') FROM number ORDER BY rowid"),
        ["+8613800100500", "+8613800100500", "13800100500", "86138", ""]
    );
    assert_eq!(number_file(&world, csv.as_bytes()).unwrap().unchanged, 5);
}

#[test]
fn a_file_has_a_largest_size() {
    let world = World::new();
    let too_many = format!("{NUMBER_HEADER}\n{}", "x,,,,,,,,,\n".repeat(MAX_IMPORT_ROWS + 1));
    assert_eq!(
        reason(number_file(&world, too_many.as_bytes())),
        Reason::BodyTooLarge
    );
    let too_large = vec![b' '; MAX_IMPORT_BYTES + 1];
    assert_eq!(reason(number_file(&world, &too_large)), Reason::BodyTooLarge);

    let bad = format!("{NUMBER_HEADER}\n{}", "x,,,,,,,,,\n".repeat(MAX_IMPORT_ROWS));
    let report = number_file(&world, bad.as_bytes()).unwrap();
    assert_eq!(
        (report.rejected, report.errors.len()),
        (MAX_IMPORT_ROWS, MAX_REPORTED_ERRORS)
    );
}

#[test]
fn the_largest_good_file_is_imported_as_a_whole() {
    let world = World::new();
    let most = u32::try_from(MAX_IMPORT_ROWS).unwrap();
    let numbers: Vec<NumberCsv> = (0..most).map(NumberCsv::new).collect();
    assert_eq!(world.numbers(&numbers).imported, MAX_IMPORT_ROWS);
}
