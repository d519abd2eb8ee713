//! Key material in inventory files: it must unwrap under the named key, be complete, and never stand in a report.

use domain::error::Reason;
use test_support::inventory::{CHIP_HEADER, ChipCsv, NumberCsv, number_csv, wrapped};
use test_support::operations::World;

use crate::imports::{chip_file, number_file, row_errors};

#[test]
fn key_material_must_unwrap_under_the_named_key() {
    let world = World::new();
    let damaged = wrapped([1; 16]).replacen(|c: char| c != '0', "0", 1);
    let numbers = [
        NumberCsv {
            k_wrapped: damaged.clone(),
            ..NumberCsv::new(0)
        },
        NumberCsv {
            opc_wrapped: String::new(),
            ..NumberCsv::new(1)
        },
        NumberCsv {
            opc_wrapped: "00112233445566778899aabbccddeeff".to_owned(),
            ..NumberCsv::new(2)
        },
        NumberCsv {
            k_wrapped: "zz".to_owned(),
            ..NumberCsv::new(3)
        },
    ];
    let report = world.numbers(&numbers);
    assert_eq!(
        row_errors(&report),
        [
            (2, Some("k_wrapped"), Reason::KeyMalformed),
            (3, Some("opc_wrapped"), Reason::ParameterMissing),
            (4, Some("opc_wrapped"), Reason::KeyMalformed),
            (5, Some("k_wrapped"), Reason::ParameterMalformed),
        ]
    );
    let shown = |wrong: &str| {
        let number = NumberCsv {
            k_wrapped: wrong.to_owned(),
            ..NumberCsv::new(9)
        };
        let error = world.numbers(&[number]).errors.remove(0);
        format!("{}{}", error.zh, error.en)
    };
    for wrong in ["0x9e 0x8d 0x7c", "9e+8d/7c="] {
        let text = shown(wrong);
        assert!(
            !["9e", "8d", "7c"].iter().any(|part| text.contains(part)),
            "{text}"
        );
    }
    let csv = number_csv(&[NumberCsv::new(4)]).replace(",tk1", ",tk9");
    let report = number_file(&world, csv.as_bytes()).unwrap();
    assert!(
        row_errors(&report)
            .iter()
            .all(|error| *error == (2, Some("transport_key"), Reason::KeyMalformed))
    );
    assert_eq!(report.rejected, 1);
}

#[test]
fn a_psk_comes_with_its_dek() {
    let world = World::new();
    let client = world.client();
    let line = ChipCsv {
        psk: Some([1; 16]),
        ..ChipCsv::new(0)
    }
    .line();
    let dek = wrapped([1u8; 16].map(|byte| !byte));
    let csv = format!("{CHIP_HEADER}\n{}\n", line.replace(&dek, ""));
    let report = chip_file(&world, csv.as_bytes(), Some(&client.client_id)).unwrap();
    assert_eq!(
        row_errors(&report),
        [(2, Some("dek_wrapped"), Reason::ParameterMissing)]
    );
}
