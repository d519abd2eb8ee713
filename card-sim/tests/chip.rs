//! The chip over APDUs alone: file system, status words, toolkit, byte for byte.

#![allow(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use card_sim::{Chip, Faults, NoPower, Reset};
use test_support::chip::seed_card;
use uicc::cat::{Facility, TerminalProfile};

/// TERMINAL PROFILE of a terminal with BIP over TCP, events and timers.
fn able() -> String {
    profile(&card_sim::module::full_profile())
}

fn profile(bytes: &[u8]) -> String {
    format!("80100000{:02X}{}", bytes.len(), hex::encode_upper(bytes))
}

fn chip() -> Chip {
    let mut chip = Chip::new(seed_card("192.0.2.1:8443".parse().unwrap()).build().unwrap());
    chip.start(Reset::PowerUp);
    chip
}

/// One APDU, in hexadecimal digits both ways.
fn send(chip: &mut Chip, apdu: &str) -> String {
    hex::encode_upper(
        chip.transmit(&hex::decode(apdu.replace(' ', "")).unwrap())
            .unwrap(),
    )
}

/// Sends pairs of command and expected answer; blanks do not matter.
fn talk(chip: &mut Chip, conversation: &[(&str, &str)]) {
    for (command, expected) in conversation {
        assert_eq!(send(chip, command), expected.replace(' ', ""), "{command}");
    }
}

const SELECT_USIM: (&str, &str) = ("00A4040C 07 A0000000871002", "9000");

#[test]
fn files_are_selected_read_and_updated_with_the_right_status_words() {
    let mut chip = chip();
    talk(
        &mut chip,
        &[
            // MF and EF_ICCID.
            ("00A4000C 02 3F00", "9000"),
            ("00A4000C 02 2FE2", "9000"),
            ("00B00000 0A", "98681021436587092143 9000"),
            ("00B00000 00", "98681021436587092143 9000"),
            ("00B00008 02", "2143 9000"),
            ("00B00008 03", "6C02"),
            ("00B0000A 01", "6B00"),
            ("00D60000 01 FF", "6982"),
            // By short file identifier.
            ("00B08200 0A", "98681021436587092143 9000"),
            ("00B09F00 01", "6A82"),
            // What is not there.
            ("00A4000C 02 6F07", "6A82"),
            ("00A4000C 02 7FFF", "6A82"),
            ("00A4000C 01 2F", "6700"),
            ("00A4020C 02 2FE2", "6A86"),
            ("00A4000F 02 2FE2", "6A86"),
            ("00A4040C 07 A0000000871004", "6A82"),
            ("00A4040C 04 A0000000", "6A82"),
            // The USIM.
            SELECT_USIM,
            ("00B00000 01", "6986"),
            ("00B20104 01", "6986"),
            ("00A4000C 02 6F07", "9000"),
            ("00B00000 09", "084906002143658709 9000"),
            ("00D60000 09 084906003175296408", "6982"),
            ("00B20104 09", "6981"),
            ("00A4080C 04 7FFF6F07", "9000"),
            ("00A4080C 02 2FE2", "9000"),
            ("00A4000C 02 7FFF", "9000"),
            ("00A4090C 04 5FC04F01", "9000"),
            ("00A4000C 02 4F01", "9000"),
            ("00A40304", "612B"),
            // Records.
            ("00A4000C 02 6F40", "9000"),
            (
                "00B20104 1C",
                "FFFFFFFFFFFFFFFFFFFFFFFFFFFF 0991684104214365 87F9FFFF FFFF 9000",
            ),
            ("00B20204 1C", "6A83"),
            ("00B20004 1C", "6A86"),
            ("00B20102 1C", "6A86"),
            ("00DC0104 02 0102", "6700"),
            ("00D60000 01 FF", "6981"),
            // The terminal keeps its location itself.
            ("00A4000C 02 6F7E", "9000"),
            ("00D60000 0B 0000000164F0001001FF00", "9000"),
            ("00D6000A 02 0000", "6700"),
            ("00D6000B 01 00", "6B00"),
            // Classes and instructions.
            ("00FE0000", "6D00"),
            ("80FE0000", "6D00"),
            ("A0A40000 02 3F00", "6E00"),
            ("01A4000C 02 3F00", "6881"),
            ("00A4", "6700"),
            ("80F2000C", "9000"),
            ("80F20003", "6A86"),
            ("80D80040 02 8100", "6D00"),
        ],
    );
}

#[test]
fn file_control_parameters_come_at_once_or_by_get_response() {
    let mut chip = chip();
    talk(
        &mut chip,
        &[
            ("00A40004 02 2FE2", "6119"),
            (
                "00C00000 19",
                "6217 82024121 83022FE2 8A0105 8C0303FF00 8002000A 880110 9000",
            ),
            ("00C00000 19", "6985"),
            (
                "00A40004 02 2FE2 00",
                "6217 82024121 83022FE2 8A0105 8C0303FF00 8002000A 880110 9000",
            ),
            SELECT_USIM,
            (
                "00A40004 02 6F40 00",
                "6219 82054221001C01 83026F40 8A0105 8C03039191 8002001C 8800 9000",
            ),
            ("00A40004 02 6F40", "611B"),
            ("00C00000 20", "6C1B"),
        ],
    );
}

#[test]
fn power_that_is_off_answers_nothing() {
    let mut chip = chip();
    chip.stop();
    assert_eq!(chip.transmit(&[0x80, 0xF2, 0, 0x0C]), Err(NoPower));
}

/// The conversation of boot, attach and OPEN CHANNEL, byte for byte (TS 102 223 §6.4.16, §6.4.27, §7.5).
#[test]
fn the_chip_subscribes_opens_a_channel_and_says_hello() {
    let mut chip = chip();
    talk(
        &mut chip,
        &[
            (&able(), "9110"),
            ("80120000 0F", "6C10"),
            ("80120000 10", "D00E 8103010500 82028182 990303090A 9000"),
            ("80120000 10", "6985"),
            ("80140000 0C 810301050082028281030100", "9000"),
            // Location status: normal service.
            ("80C20000 0C D60A 990103 82028281 9B0100", "9128"),
        ],
    );
    // The captured OPEN CHANNEL of a live applet: default bearer, 1500 bytes, APN cmiot, TCP 8443.
    let open = send(&mut chip, "8012000028");
    assert_eq!(
        open,
        "D026 8103024001 82028182 0500 350103 390205DC 4706 05636D696F74 3C030220FB 3E0521C0000201 9000"
            .replace(' ', "")
    );
    // Granted: channel 1, link established.
    let granted = "810302400182028281030100 38028100 350103 390205DC".replace(' ', "");
    assert_eq!(
        send(&mut chip, &format!("80140000{:02X}{granted}", granted.len() / 2)),
        "9113"
    );
    // Inactivity timer: 60 s.
    talk(
        &mut chip,
        &[("80120000 13", "D011 8103032700 82028182 A40101 A503001000 9000")],
    );
    let hello = send(&mut chip, "801400000F8103032700820282810301002401 01");
    assert!(hello.starts_with("91"), "{hello}");
    let length = &hello[2..];
    let sent = send(&mut chip, &format!("80120000{length}"));
    // SEND DATA, immediate, to channel 1; the channel data are a TLS handshake record.
    assert!(sent[4..].starts_with("810304430182028121B6"), "{sent}");
    assert!(sent.contains("160301"), "{sent}");
}

#[test]
fn a_terminal_without_bip_never_sees_a_channel() {
    let without_tcp: Vec<Facility> = Facility::BIP_TCP
        .into_iter()
        .filter(|facility| *facility != Facility::TcpClientRemote)
        .collect();
    for bytes in [
        vec![0xFF],
        TerminalProfile::with(&[Facility::SetUpEventList], 1)
            .unwrap()
            .encode(),
        TerminalProfile::with(&Facility::BIP_TCP, 0).unwrap().encode(),
        TerminalProfile::with(&without_tcp, 1).unwrap().encode(),
    ] {
        let mut chip = chip();
        assert_eq!(send(&mut chip, &profile(&bytes)), "9000");
        talk(&mut chip, &[("80C20000 0C D60A 990103 82028281 9B0100", "9000")]);
        for _ in 0..10 {
            assert_eq!(send(&mut chip, "80F2000C"), "9000");
        }
    }
}

#[test]
fn a_poll_is_enough_for_a_terminal_that_tells_no_location() {
    let mut chip = chip();
    send(&mut chip, &able());
    talk(
        &mut chip,
        &[
            ("80120000 10", "D00E 8103010500 82028182 990303090A 9000"),
            ("80140000 0C 810301050082028281030100", "9000"),
            ("80F2000C", "9128"),
        ],
    );
}

#[test]
fn envelopes_and_responses_out_of_turn_are_refused_and_change_nothing() {
    let mut chip = chip();
    send(&mut chip, &able());
    talk(
        &mut chip,
        &[
            ("80140000 0C 810301050082028281030100", "6985"),
            ("80120000 10", "D00E 8103010500 82028182 990303090A 9000"),
            // Fetched and not answered: busy.
            ("80C20000 0C D60A 990103 82028281 9B0100", "9300"),
            ("80140000 0C 810302050082028281030100", "6A80"),
            ("80140000 03 810301", "6A80"),
            ("80140000 0C 810301050082028281030100", "9000"),
            ("80C20000 02 D6FF", "6A80"),
            ("80C20000 0C D60A 990103 82028281 9B0100", "9128"),
        ],
    );
}

#[test]
fn every_file_reads_back_what_it_was_delivered_with() {
    let chip = chip();
    for (path, content) in [
        ("3F00/2FE2", "98681021436587092143"),
        ("ADF/6F07", "084906002143658709"),
        ("ADF/6F78", "0001"),
        ("ADF/6FAD", "00000002"),
        ("ADF/6F62", "64F0004000FFFFFF0000"),
        ("ADF/6F7E", "FFFFFFFF64F0000000FF01"),
        ("ADF/6F7B", "FFFFFFFFFFFFFFFFFFFFFFFF"),
    ] {
        assert_eq!(
            hex::encode_upper(chip.read_file(path).unwrap()),
            content,
            "{path}"
        );
    }
    assert_eq!(chip.read_file("ADF/6F99"), None);
    assert_eq!(chip.keys_loaded(), None);
}

#[test]
fn what_is_written_survives_power_loss_and_what_is_selected_does_not() {
    let mut chip = chip();
    talk(
        &mut chip,
        &[
            SELECT_USIM,
            ("00A4000C 02 6F7E", "9000"),
            ("00D60000 04 01020304", "9000"),
        ],
    );
    chip.stop();
    chip.start(Reset::PowerUp);
    talk(
        &mut chip,
        &[
            ("00B00000 04", "6986"),
            SELECT_USIM,
            ("00B08B00 04", "01020304 9000"),
        ],
    );
    assert_eq!(*chip.faults(), Faults::default());
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    /// Commands that look like commands: a known class and instruction more often than not.
    fn command() -> impl Strategy<Value = Vec<u8>> {
        let class = prop_oneof![8 => Just(0x00u8), 8 => Just(0x80), 1 => any::<u8>()];
        let known = prop::sample::select(vec![
            0xA4u8, 0xB0, 0xB2, 0xD6, 0xDC, 0xF2, 0xC0, 0x10, 0x12, 0x14, 0xC2, 0xD8,
        ]);
        let ins = prop_oneof![8 => known, 1 => any::<u8>()];
        let small = || prop_oneof![3 => 0u8..16, 1 => any::<u8>()];
        let data = prop_oneof![
            prop::sample::select(vec![
                "3F00",
                "7FFF",
                "2FE2",
                "6F07",
                "6F40",
                "5FC0",
                "A0000000871002",
                "810301050082028281030100",
                "D60A990103820282819B0100"
            ])
            .prop_map(|digits| hex::decode(digits).unwrap()),
            prop::collection::vec(any::<u8>(), 0..40),
        ];
        (class, ins, small(), small(), data, prop::option::of(any::<u8>())).prop_map(
            |(cla, ins, p1, p2, data, le)| {
                let mut bytes = vec![cla, ins, p1, p2];
                if !data.is_empty() {
                    bytes.push(data.len() as u8);
                    bytes.extend(data);
                }
                bytes.extend(le);
                bytes
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn arbitrary_apdus_are_answered_with_a_status_word(commands in prop::collection::vec(command(), 1..60)) {
            let mut chip = chip();
            send(&mut chip, &able());
            for command in commands {
                let answer = chip.transmit(&command).unwrap();
                prop_assert!((2..=258).contains(&answer.len()));
                // An announced command is always as long as announced.
                if let [0x91, length] = answer[answer.len() - 2..] {
                    let fetched = chip.transmit(&[0x80, 0x12, 0, 0, length]).unwrap();
                    prop_assert_eq!(fetched.len() - 2, if length == 0 { 256 } else { usize::from(length) });
                }
            }
        }

        #[test]
        fn arbitrary_bytes_are_answered_with_a_status_word(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let answer = chip().transmit(&bytes).unwrap();
            prop_assert!(answer.len() >= 2);
        }
    }
}
