//! File contents against published values and values computed by another implementation.
//!
//! "pySim" means: encoded and decoded with osmocom pySim's construct definitions
//! (`pySim/ts_31_102.py`, `pySim/ts_102_221.py`, `pySim/ts_51_011.py`), which share no code with this crate.

use hex::FromHex;
use uicc::ef::{
    Acc, AccessTechnology, Ad, DialNumber, EpsLoci, FilePath, FileSpec, Fplmn, Iccid, Imsi, Keys, Loci,
    MncDigits, MsisdnRecord, Plmn, PlmnWithAct, PlmnWithActList, PsLoci, SmspRecord, Spn, Structure,
    UpdateStatus, file,
};

fn bytes(text: &str) -> Vec<u8> {
    Vec::from_hex(text.replace(' ', "")).expect("hexadecimal digits")
}

#[test]
fn an_iccid_has_its_nibbles_swapped_and_an_odd_place_filled() {
    // TS 102 221 §13.2; encoded with pySim.
    for (digits, coded) in [
        ("89860112345678901234", "98681021436587092143"),
        ("8986011234567890123", "986810214365870921f3"),
        // pySim's own test vector.
        ("8988211000000430010", "988812010000400310f0"),
        // Hexadecimal digits occur in numbers of Chinese IoT cards.
        ("898604071120C0015291", "9868407011020c102519"),
    ] {
        let iccid: Iccid = digits.parse().unwrap();
        assert_eq!(iccid.encode(), bytes(coded), "{digits}");
        assert_eq!(Iccid::parse(&bytes(coded)).unwrap().digits(), digits);
    }
}

#[test]
fn nineteen_digits_with_and_without_their_filler_are_one_iccid() {
    // The bytes are pySim's own test vector.
    let coded = bytes("988812010000400310f0");
    for text in [
        "8988211000000430010",
        "8988211000000430010F",
        "8988211000000430010f",
    ] {
        let iccid: Iccid = text.parse().unwrap();
        assert_eq!(iccid.encode(), coded, "{text}");
        assert_eq!(iccid.digits(), "8988211000000430010");
    }
    for text in [
        "898821100000043001FF",
        "898821100000043001F",
        "898821100000043001ff",
    ] {
        assert!(text.parse::<Iccid>().is_err(), "{text}");
    }
}

#[test]
fn an_imsi_starts_with_its_length_and_the_parity_of_its_digits() {
    // TS 31.102 §4.2.2; encoded with pySim.
    for (digits, coded) in [
        ("460001357924680", "084906003175296408"),
        ("46000135792468", "0841060031752964f8"),
        ("460110123456789", "084906111032547698"),
        // pySim's own test vectors.
        ("228062800000208", "082982608200002080"),
        ("262011106487504", "082926101160845740"),
    ] {
        let imsi: Imsi = digits.parse().unwrap();
        assert_eq!(imsi.encode(), bytes(coded), "{digits}");
        assert_eq!(Imsi::parse(&bytes(coded)).unwrap(), imsi);
    }
}

#[test]
fn an_imsi_whose_parity_contradicts_its_digits_is_refused() {
    let error = Imsi::parse(&bytes("084106003175296408")).unwrap_err();
    assert_eq!(error.offset, 1);
    assert!(
        Imsi::parse(&bytes("ffffffffffffffffff")).is_err(),
        "a blank file holds no IMSI"
    );
}

#[test]
fn an_own_number_has_a_length_that_counts_its_type() {
    // TS 31.102 §4.2.26 and §4.4.2.3; encoded with pySim.
    let cases = [
        (
            DialNumber::INTERNATIONAL,
            "8613800138000",
            "0891683108108300f0ffffffffff",
        ),
        (
            DialNumber::INTERNATIONAL,
            "861440123456789",
            "099168410421436587f9ffffffff",
        ),
        (
            DialNumber::NATIONAL,
            "1440123456789",
            "08a1410421436587f9ffffffffff",
        ),
    ];
    for (kind, digits, coded) in cases {
        let number = DialNumber::new(kind, digits).unwrap();
        let record = MsisdnRecord::with_number(28, Some(number)).unwrap();
        let expected = [vec![0xFF; 14], bytes(coded)].concat();
        assert_eq!(record.encode(), expected, "{digits}");
        assert_eq!(MsisdnRecord::parse(&expected).unwrap(), record);
    }
    let plus: DialNumber = "+8613800138000".parse().unwrap();
    assert_eq!((plus.type_and_plan(), plus.digits()), (0x91, "8613800138000"));
}

#[test]
fn an_unused_own_number_is_all_fillers() {
    let record = MsisdnRecord::with_number(14, None).unwrap();
    assert_eq!(record.encode(), [0xFF; 14]);
    assert_eq!(MsisdnRecord::parse(&[0xFF; 14]).unwrap().number, None);
}

#[test]
fn short_message_parameters_clear_the_bit_of_what_is_there() {
    // TS 31.102 §4.2.27; encoded with pySim.
    let centre: DialNumber = "+8613800100500".parse().unwrap();
    let record = SmspRecord::with_service_centre(40, centre, SmspRecord::ONE_DAY).unwrap();
    let expected = [
        vec![0xFF; 12],
        bytes("e1"),
        vec![0xFF; 12],
        bytes("0891683108100005f0ffffff"),
        bytes("0000a7"),
    ]
    .concat();
    assert_eq!(record.encode(), expected);
    assert_eq!(SmspRecord::parse(&expected).unwrap(), record);
}

#[test]
fn administrative_data_tell_the_length_of_the_network_code() {
    // TS 31.102 §4.2.18; encoded with pySim.
    assert_eq!(Ad::normal(MncDigits::Two).encode(), bytes("00000002"));
    assert_eq!(
        Ad::parse(&bytes("00000002")).unwrap().mnc_digits,
        Some(MncDigits::Two)
    );
    assert_eq!(Ad::parse(&bytes("0000000f")).unwrap_err().offset, 3);
}

#[test]
fn the_access_class_follows_the_last_digit_of_the_imsi() {
    // TS 31.102 §4.2.15.
    let class_3: Imsi = "460001357924683".parse().unwrap();
    assert_eq!(Acc::for_imsi(&class_3).encode(), bytes("0008"));
    let class_9: Imsi = "460001357924689".parse().unwrap();
    assert_eq!(Acc::for_imsi(&class_9).encode(), bytes("0200"));
}

#[test]
fn a_home_network_selector_names_its_access_technologies() {
    // TS 31.102 §4.2.54; encoded with pySim.
    let home = Plmn::new("460", "00").unwrap();
    assert_eq!(home.encode(), bytes("64f000"));
    let entry = PlmnWithAct {
        plmn: Some(home),
        technology: AccessTechnology::E_UTRAN,
    };
    let list = PlmnWithActList::filling(10, vec![entry]).unwrap();
    assert_eq!(list.encode(), bytes("64f0004000 ffffff0000"));
    assert_eq!(PlmnWithActList::parse(&list.encode()).unwrap(), list);
    // pySim's own test vectors, and an example of three digits.
    let others = bytes("62F2104000 62F2108000 62F220488C");
    let list = PlmnWithActList::parse(&others).unwrap();
    let technologies: Vec<_> = list.0.iter().map(|entry| entry.technology).collect();
    assert_eq!(
        technologies[..2],
        [AccessTechnology::E_UTRAN, AccessTechnology::UTRAN]
    );
    assert_eq!(
        technologies[2].0 & AccessTechnology::NG_RAN.0,
        AccessTechnology::NG_RAN.0
    );
    assert_eq!(list.encode(), others);
    assert_eq!(
        Plmn::new("310", "410").unwrap().encode(),
        bytes("130014"),
        "TS 24.008 §10.5.1.13"
    );
}

#[test]
fn reset_location_files_say_not_updated() {
    // TS 31.102 annex E; the first also decoded with pySim.
    let home = Plmn::new("460", "00").unwrap();
    assert_eq!(Loci::reset(home).encode(), bytes("ffffffff 64f000 0000 ff 01"));
    assert_eq!(
        PsLoci::reset(home).encode(),
        bytes("ffffffff ffffff 64f000 0000 ff 01")
    );
    assert_eq!(
        EpsLoci::reset(home).encode(),
        bytes("ffffffffffffffffffffffff 64f000 0000 01")
    );
    assert_eq!(Keys::reset().encode(), [vec![7], vec![0xFF; 32]].concat());
    assert_eq!(Fplmn::cleared(12).encode(), [0xFF; 12]);
}

#[test]
fn a_location_file_of_a_registered_terminal_says_updated() {
    // pySim's own test vectors for EF_LOCI.
    let registered = Loci::parse(&bytes("47d1264a62f21037211e00")).unwrap();
    assert_eq!(registered.status, UpdateStatus::Updated);
    assert_eq!(
        (registered.plmn, registered.area),
        (Some(Plmn::new("262", "01").unwrap()), 0x3721)
    );
    assert_eq!(registered.encode(), bytes("47d1264a62f21037211e00"));
    let other_home = Plmn::new("262", "02").unwrap();
    assert_eq!(Loci::reset(other_home).encode(), bytes("ffffffff62f2200000ff01"));
}

#[test]
fn records_with_an_alpha_identifier_agree_with_pysim_s_own_vectors() {
    let own = bytes("456967656e65205275666e756d6d6572ffffffff0891947172199181f3ffffffffff");
    let record = MsisdnRecord::parse(&own).unwrap();
    assert_eq!(record.number, Some("+4917279119183".parse().unwrap()));
    assert!(record.alpha.starts_with(b"Eigene Rufnummer\xFF"));
    assert_eq!(record.encode(), own);

    let sent =
        bytes("534d5343ffffffffffffffffffffffffe1ffffffffffffffffffffffff0891945197109099f9ffffff0000a9");
    let record = SmspRecord::parse(&sent).unwrap();
    assert_eq!(record.service_centre, Some("+4915790109999".parse().unwrap()));
    assert_eq!((record.destination, record.validity), (None, Some(0xA9)));
    assert_eq!(record.encode(), sent);

    let filler = "ff".repeat(24);
    let with_both = bytes(&format!(
        "{filler} fc 0b919403214365f7ffffffff 07919403214365f7ffffffff ffffff"
    ));
    let record = SmspRecord::parse(&with_both).unwrap();
    assert_eq!(record.service_centre, Some("+49301234567".parse().unwrap()));
    assert!(record.destination.is_some());
    assert_eq!(
        (record.protocol, record.coding, record.validity),
        (None, None, None)
    );
    assert_eq!(record.encode(), with_both);
}

#[test]
fn a_provider_name_is_plain_or_in_ucs2() {
    let plain = Spn::new(0, "Test 1").unwrap();
    assert_eq!(plain.encode(), bytes("00 546573742031 ffffffffffffffffffff"));
    // pySim's own test vector, one byte longer; the hyphen is not in the plain alphabet of new().
    let railway = Spn::parse(&bytes("0147534d2d52204348ffffffffffffffff")).unwrap();
    assert_eq!((railway.display, railway.name()), (1, None));
    let chinese = Spn::new(0, "物联网").unwrap();
    assert_eq!(chinese.encode(), bytes("00 80 7269 8054 7f51 ffffffffffffffffff"));
    assert_eq!(
        Spn::parse(&chinese.encode()).unwrap().name().as_deref(),
        Some("物联网")
    );
    assert!(
        Spn::new(0, "中国移动物联网卡").is_err(),
        "eight characters take seventeen bytes"
    );
}

#[test]
fn every_file_is_found_by_its_name_and_has_one_place() {
    for spec in file::ALL {
        assert_eq!(FileSpec::by_name(spec.name), Some(spec));
        assert_eq!(FileSpec::by_fid(spec.parent, spec.fid), Some(spec));
        let Structure::Transparent { size } = spec.structure else {
            continue;
        };
        assert!(size > 0, "{}", spec.name);
    }
    assert_eq!(file::ICCID.path().to_string(), "3F00/2FE2");
    assert_eq!(file::IMSI.path(), "ADF/6F07".parse().unwrap());
    assert_eq!(file::IMSI.path().encode(), bytes("3f007fff6f07"));
}

#[test]
fn a_path_names_the_master_file_once() {
    assert!("3F00".parse::<FilePath>().is_err());
    assert!("6F07/3F00".parse::<FilePath>().is_err());
    assert_eq!("3F00/2FE".parse::<FilePath>().unwrap_err().offset, 5);
}

#[test]
fn no_codec_shows_a_whole_number() {
    let iccid: Iccid = "89860112345678901234".parse().unwrap();
    assert_eq!(format!("{iccid:?}"), "Iccid(898601****1234)");
    let imsi: Imsi = "460001357924680".parse().unwrap();
    assert_eq!(format!("{imsi:?}"), "Imsi(460****4680)");
    let number: DialNumber = "+8613800138000".parse().unwrap();
    assert_eq!(format!("{number:?}"), "DialNumber(91, 861****8000)");
    assert_eq!(format!("{:?}", Keys::reset()), "Keys(identifier 7)");
}
