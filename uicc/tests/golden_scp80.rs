//! Secured packets against other implementations' output.
//!
//! Origins: "gsm0348" is the Java library of that name and an independent recomputation agreeing with it;
//! "pySim" is osmocom pySim's `tests/unittests/test_ota.py`.

use hex::FromHex;
use uicc::apdu::StatusWord;
use uicc::scp80::{
    Algorithm, CommandHeader, CommandPacket, CompactResponse, Dialect, Integrity, Key, KeySet, MacLength,
    PorStatus, ResponsePacket, SecurityError, Spi,
};

fn bytes(text: &str) -> Vec<u8> {
    Vec::from_hex(text.replace(' ', "")).expect("hexadecimal digits")
}

fn keys(algorithm: Algorithm, kic: &str, kid: &str) -> KeySet {
    KeySet {
        cipher: Some(Key::new(algorithm, &bytes(kic)).expect("a key")),
        checksum: Some(Key::new(algorithm, &bytes(kid)).expect("a key")),
        mac_length: MacLength::Eight,
    }
}

fn imsi_keys() -> KeySet {
    keys(
        Algorithm::Aes,
        "00112233445566778899aabbccddeeff",
        "0123456789abcdef0123456701234567",
    )
}

fn imsi_packet(spi: [u8; 2]) -> CommandPacket {
    CommandPacket {
        header: CommandHeader {
            spi: Spi(spi),
            kic: 0x32,
            kid: 0x32,
            tar: [0xB0, 0x00, 0x11],
        },
        counter: 5,
        data: bytes("00a40004026f07 00d6000009084906003175296408"),
    }
}

#[test]
fn an_aes_packet_agrees_with_gsm0348_in_both_dialects() {
    // TS 102 225 §5.1; TS 31.115 §4 (SMS-PP), TS 102 225 §6–7 (CAT_TP, TCP/IP).
    for (dialect, spi, coded) in [
        (
            Dialect::SmsPp,
            [0x16, 0x39],
            "00381516393232b00011d7d99c18f41e4df53c5d48d7c297bad55ebb5207adc0f40213dd4fbcef24d6620fcf4911395751085\
             59f13145e65d721",
        ),
        (
            Dialect::TcpIp,
            [0x16, 0x39],
            "01381516393232b0001158d3a589fcef12c2b37ba266bb2ab937ad243cecf117868248f7931da36b64246a32cf432ca34bba4\
             c1e1c85dad9bf61",
        ),
        // Output of pySim, accepted by onomondo-uicc.
        (
            Dialect::SmsPp,
            [0x16, 0x19],
            "00381516193232b0001198bb23253694cee24ad00201ff090b399d6d8f978e14f993ff7df65e11369f55827666678a8a7903f\
             c50462a630b8fa7",
        ),
    ] {
        let packet = imsi_packet(spi);
        assert_eq!(packet.seal(dialect, &imsi_keys()).unwrap(), bytes(coded));
        assert_eq!(
            CommandPacket::open(&bytes(coded), dialect, &imsi_keys()).unwrap(),
            packet
        );
        assert_eq!(
            CommandHeader::parse(&bytes(coded), dialect).unwrap(),
            packet.header
        );
    }
}

struct Vector {
    algorithm: Algorithm,
    kic: &'static str,
    kid: &'static str,
    header: CommandHeader,
    data: &'static str,
    command: Option<&'static str>,
    response: &'static str,
    status: u16,
}

const fn header(spi: [u8; 2], key_byte: u8, tar: [u8; 3]) -> CommandHeader {
    CommandHeader {
        spi: Spi(spi),
        kic: key_byte,
        kid: key_byte,
        tar,
    }
}

const USIM: [u8; 3] = [0xB0, 0x00, 0x11];
const RAM: [u8; 3] = [0xB0, 0x00, 0x00];

/// pySim `test_ota.py`, SmsOtaTestCase and Test_SMS_3DES.
const PYSIM: [Vector; 6] = [
    Vector {
        algorithm: Algorithm::Aes,
        kic: "200102030405060708090a0b0c0d0e0f",
        kid: "201102030405060708090a0b0c0d0e0f",
        header: header([0x06, 0x19], 0x22, USIM),
        data: "00a40004023f00",
        command: Some("00281506192222b00011e87cceebb2d93083011ce294f93fc4d8de80da1abae8c37ca3e72ec4432e5058"),
        response: "027100002412b00011ebc6b497e2cad7aedf36ace0e3a29b38853f0fe9ccde81913be5702b73abce1f",
        status: 0x6132,
    },
    Vector {
        algorithm: Algorithm::TripleDes2,
        kic: "300102030405060708090a0b0c0d0e0f",
        kid: "301102030405060708090a0b0c0d0e0f",
        header: header([0x06, 0x19], 0x35, USIM),
        data: "00a40004023f00",
        command: Some("00201506193535b00011ae733256918d050b87c94fbfe12e4dc402f262c41cf67f2f"),
        response: "027100001c12b000118bb989492c632529326a2f4681feb37c825bc9021c9f6d0b",
        status: 0x6132,
    },
    Vector {
        algorithm: Algorithm::TripleDes2,
        kic: "300102030405060708090a0b0c0d0e0f",
        kid: "301102030405060708090a0b0c0d0e0f",
        header: header([0x06, 0x09], 0x35, USIM),
        data: "00a40004023f00",
        command: Some("00201506093535b00011c49ac91ab8159ba5b83a54fb6385e0a5e31694f8b215fafc"),
        response: "027100001612b0001100000000000000b5bcd6353a421fae016132",
        status: 0x6132,
    },
    Vector {
        algorithm: Algorithm::TripleDes2,
        kic: "300102030405060708090a0b0c0d0e0f",
        kid: "301102030405060708090a0b0c0d0e0f",
        header: header([0x06, 0x01], 0x35, USIM),
        data: "00a40004023f00",
        command: Some("00201506013535b000113190be334900f52b025f3f7eddfe868e96ebf310023b7769"),
        response: "027100000e0ab0001100000000000000016132",
        status: 0x6132,
    },
    Vector {
        algorithm: Algorithm::TripleDes2,
        kic: "C21DD66ACAC13CB3BC8B331B24AFB57B",
        kid: "12110C78E678C25408233076AA033615",
        header: header([0x04, 0x19], 0x35, RAM),
        data: "00a40000023f00",
        command: Some("00180d04193535b00000e3ec80a849b554421276af3883927c20"),
        response: "027100001c12b000119660ebdb81be189b5e4389e9e7ab2bc0954f963ad869ed7c",
        status: 0x612F,
    },
    Vector {
        algorithm: Algorithm::TripleDes2,
        kic: "C21DD66ACAC13CB3BC8B331B24AFB57B",
        kid: "12110C78E678C25408233076AA033615",
        header: header([0x02, 0x09], 0x35, RAM),
        data: "00a40000023f00",
        // pySim leaves the packet length 001d off when it does not cipher, but the checksum covers it.
        command: Some("001d1502193535b00000000000000000072ea17bdb72060e00a40000023f00"),
        response: "027100001612b000110000000000000055f47118381175fb01612f",
        status: 0x612F,
    },
];

#[test]
fn commands_agree_with_pysim_s_test_suite() {
    for vector in &PYSIM {
        let Some(command) = vector.command else { continue };
        let keys = keys(vector.algorithm, vector.kic, vector.kid);
        let coded = bytes(command);
        let packet = CommandPacket::open(&coded, Dialect::SmsPp, &keys).unwrap();
        assert_eq!(packet.data, bytes(vector.data), "{command}");
        assert_eq!((packet.counter, packet.header.tar), (0, vector.header.tar));
        assert_eq!(packet.seal(Dialect::SmsPp, &keys).unwrap(), coded);
    }
}

#[test]
fn proofs_of_receipt_agree_with_pysim_s_test_suite() {
    // TS 102 225 §5.2: here the user data header 02 71 00 is covered by the checksum.
    for vector in &PYSIM {
        let keys = keys(vector.algorithm, vector.kic, vector.kid);
        let coded = bytes(vector.response);
        let packet = ResponsePacket::open(&coded, &vector.header, Dialect::SmsPp, &keys).unwrap();
        assert_eq!(packet.status, PorStatus::Ok);
        let answer = CompactResponse::parse(&packet.data).unwrap();
        assert_eq!(
            (answer.executed, answer.last.status),
            (1, StatusWord(vector.status))
        );
        assert!(answer.last.data.is_empty());
        assert_eq!(packet.seal(&vector.header, Dialect::SmsPp, &keys).unwrap(), coded);
    }
}

#[test]
fn a_packet_with_a_crc_opens_without_keys() {
    // TS 102 225 §5.1.3.2; the CRC 32 was computed with zlib.
    let coded = include_bytes!("../fuzz/seeds/scp80_command/crc");
    let packet = CommandPacket::open(coded, Dialect::SmsPp, &KeySet::default()).unwrap();
    assert_eq!(
        (packet.header.spi.integrity(), packet.data),
        (Integrity::Redundancy, bytes("00a40000023f00"))
    );
    let mut changed = *coded;
    changed[coded.len() - 1] ^= 1;
    let opened = CommandPacket::open(&changed, Dialect::SmsPp, &KeySet::default());
    assert_eq!(opened.unwrap_err(), SecurityError::Integrity);
}

#[test]
fn a_changed_packet_does_not_open() {
    let coded = imsi_packet([0x16, 0x39])
        .seal(Dialect::SmsPp, &imsi_keys())
        .unwrap();
    for at in 3..coded.len() {
        let mut changed = coded.clone();
        changed[at] ^= 0x40;
        assert!(
            CommandPacket::open(&changed, Dialect::SmsPp, &imsi_keys()).is_err(),
            "byte {at}"
        );
    }
    // pySim's test_resp_3des_signed_err.
    let keys = keys(
        Algorithm::TripleDes2,
        "C21DD66ACAC13CB3BC8B331B24AFB57B",
        "12110C78E678C25408233076AA033615",
    );
    let changed = bytes("027100001612b000110000000000000055f47118381175fb02612f");
    let opened = ResponsePacket::open(&changed, &header([0x02, 0x09], 0x35, RAM), Dialect::SmsPp, &keys);
    assert_eq!(opened.unwrap_err(), SecurityError::Integrity);
}

#[test]
fn a_packet_is_not_opened_without_the_algorithm_it_names() {
    let coded = imsi_packet([0x16, 0x39])
        .seal(Dialect::SmsPp, &imsi_keys())
        .unwrap();
    let none = CommandPacket::open(&coded, Dialect::SmsPp, &KeySet::default());
    assert_eq!(none.unwrap_err(), SecurityError::NoKey);
    assert_eq!(SecurityError::NoKey.por_status(), PorStatus::InsufficientSecurity);
    let des = keys(
        Algorithm::TripleDes2,
        "00112233445566778899aabbccddeeff",
        "0123456789abcdef0123456701234567",
    );
    assert_eq!(
        CommandPacket::open(&coded, Dialect::SmsPp, &des).unwrap_err(),
        SecurityError::NoKey
    );
    let signed = imsi_packet([0x17, 0x39]).seal(Dialect::SmsPp, &imsi_keys());
    assert_eq!(signed.unwrap_err(), SecurityError::Unsupported);
}

#[test]
fn a_counter_has_five_bytes_and_is_never_cut() {
    // TS 102 225 §5.1: CNTR.
    let with = |counter| CommandPacket {
        counter,
        ..imsi_packet([0x16, 0x39])
    };
    let last = with(0xFF_FFFF_FFFF);
    let sealed = last.seal(Dialect::SmsPp, &imsi_keys()).unwrap();
    assert_eq!(
        CommandPacket::open(&sealed, Dialect::SmsPp, &imsi_keys()).unwrap(),
        last
    );
    for counter in [0x100_0000_0000, u64::MAX] {
        assert_eq!(
            with(counter).seal(Dialect::SmsPp, &imsi_keys()).unwrap_err(),
            SecurityError::Counter
        );
    }
}

#[test]
fn a_proof_of_receipt_without_the_protection_asked_for_is_refused() {
    let plain = bytes("027100000e0ab0001100000000000000016132");
    let asked = header([0x06, 0x09], 0x35, USIM);
    let vector = &PYSIM[2];
    let keys = keys(vector.algorithm, vector.kic, vector.kid);
    assert!(ResponsePacket::open(&plain, &asked, Dialect::SmsPp, &keys).is_err());
}

#[test]
fn the_spi_of_sgp_02_says_what_the_specification_wants() {
    let spi = Spi::SGP02;
    assert_eq!(spi.integrity(), Integrity::Checksum);
    assert!(spi.ciphered() && spi.por_ciphered() && spi.por_by_submit());
    assert_eq!(spi.counter_mode(), uicc::scp80::CounterMode::Higher);
    assert_eq!(spi.por(), uicc::scp80::Por::Always);
}

#[test]
fn keys_are_of_the_right_length_and_never_shown() {
    assert!(Key::new(Algorithm::Aes, &[0; 15]).is_err());
    assert!(Key::new(Algorithm::Des, &[0; 16]).is_err());
    let key = Key::new(Algorithm::Aes, &[0xAA; 16]).unwrap();
    assert_eq!(format!("{key:?}"), "Key(Aes)");
}
