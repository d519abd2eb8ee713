//! Scripts and APDUs against published values.

use hex::FromHex;
use uicc::apdu::build::{self, Fcp};
use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord, SwClass};
use uicc::cat::{Command, ProactiveCommand, Refresh, RefreshMode};
use uicc::ef::{Imsi, file};
use uicc::script::{
    BadFormat, Chaining, ChainingResult, CommandScript, ErrorAction, Form, ImmediateAction, ResponseForm,
    ResponseScript, ScriptCommand, ScriptResult,
};

fn bytes(text: &str) -> Vec<u8> {
    Vec::from_hex(text.replace(' ', "")).expect("hexadecimal digits")
}

#[test]
fn a_definite_script_and_its_answer_agree_with_pysim() {
    // TS 102 226 §5.2; vectors of osmocom pySim's tests of the expanded format.
    let coded = bytes("AA0A 2208 80F24002024F0000");
    let script = CommandScript::parse(&coded).unwrap();
    assert_eq!(script.form, Form::Definite);
    let apdus: Vec<_> = script.apdus().collect();
    assert_eq!(apdus.len(), 1);
    assert_eq!(
        (apdus[0].ins, apdus[0].data(), apdus[0].le),
        (0xF2, &[0x4F, 0x00][..], Some(0))
    );
    assert_eq!(script.encode(), coded);

    let coded = bytes("AB07 800101 2302 6132");
    let answer = ResponseScript::parse(&coded).unwrap();
    assert_eq!(answer.form, ResponseForm::Definite { executed: 1 });
    assert_eq!(
        answer.results,
        [ScriptResult::Apdu(ResponseApdu::status(StatusWord(0x6132)))]
    );
    assert_eq!(answer.encode(), coded);
}

#[test]
fn an_imsi_is_written_by_an_indefinite_script() {
    // TS 102 226 §5.2.1: the form that HTTP transport uses.
    let imsi: Imsi = "460001357924680".parse().unwrap();
    let script = CommandScript::of_apdus(
        Form::Indefinite,
        [
            build::select_fid(file::IMSI.fid, Fcp::Returned),
            build::update_binary(0, imsi.encode()).unwrap(),
        ],
    );
    let coded = bytes("AE80 2207 00A40004026F07 220E 00D6000009084906003175296408 0000");
    assert_eq!(script.encode(), coded);
    assert_eq!(CommandScript::parse(&coded).unwrap(), script);

    let coded = bytes("AF80 2302 9000 2302 9000 0000");
    let answer = ResponseScript::parse(&coded).unwrap();
    assert_eq!(answer.form, ResponseForm::Indefinite);
    assert!(answer.apdus().all(|apdu| apdu.status.is_success()));
    assert_eq!(answer.encode(), coded);
}

#[test]
fn an_apdu_above_127_bytes_takes_the_long_length_form() {
    // Seen on live cards: 22 81 F5 in scripts, 23 81 FC in answers.
    let command = build::update_binary(0, vec![0x5A; 240]).unwrap();
    let coded = CommandScript::of_apdus(Form::Indefinite, [command]).encode();
    assert_eq!(coded[..5], bytes("AE80 2281F5"));
    let answer = ResponseScript {
        form: ResponseForm::Indefinite,
        results: vec![ScriptResult::Apdu(ResponseApdu::ok(vec![0; 250]))],
    };
    assert_eq!(answer.encode()[..5], bytes("AF80 2381FC"));
    assert_eq!(ResponseScript::parse(&answer.encode()).unwrap(), answer);
}

#[test]
fn an_immediate_action_is_a_byte_or_a_refresh() {
    let refresh = ProactiveCommand {
        number: 1,
        command: Command::Refresh(Refresh::of(RefreshMode::UiccReset)),
    };
    for (action, coded) in [
        (ImmediateAction::ProactiveSession, "AA03 810181"),
        (ImmediateAction::EarlyResponse, "AA03 810182"),
        (ImmediateAction::Record(5), "AA03 810105"),
        (
            ImmediateAction::Proactive(refresh),
            "AA0B 8109 8103010104 82028182",
        ),
    ] {
        let script = CommandScript {
            form: Form::Definite,
            commands: vec![ScriptCommand::ImmediateAction(action)],
        };
        assert_eq!(script.encode(), bytes(coded));
        assert_eq!(CommandScript::parse(&bytes(coded)).unwrap(), script);
    }
    assert_eq!(
        CommandScript::parse(&bytes("AA03 810180")).unwrap_err().offset,
        4,
        "80 is reserved"
    );
}

#[test]
fn error_actions_and_chaining_are_understood() {
    let coded = bytes("AA08 830101 8200 820103");
    let script = CommandScript::parse(&coded).unwrap();
    assert_eq!(
        script.commands,
        [
            ScriptCommand::Chaining(Chaining::FirstDeleteOnReset),
            ScriptCommand::ErrorAction(ErrorAction::None),
            ScriptCommand::ErrorAction(ErrorAction::Record(3)),
        ]
    );
    assert_eq!(script.encode(), coded);
    assert!(
        CommandScript::parse(&bytes("AA05 8200 830101")).is_err(),
        "chaining stands first"
    );
}

#[test]
fn a_card_says_why_it_cannot_follow_a_chain() {
    // TS 102 226 §5.2.2.4.
    for (value, result) in [
        ("01", ChainingResult::NoPreviousScript),
        ("02", ChainingResult::NotSupported),
        ("03", ChainingResult::UnableToProcess),
    ] {
        let coded = bytes(&format!("AB06 800100 8301{value}"));
        let answer = ResponseScript::parse(&coded).unwrap();
        assert_eq!(answer.results, [ScriptResult::Chaining(result)]);
        assert_eq!(answer.encode(), coded);
    }
    assert!(ResponseScript::parse(&bytes("AB06 800100 830104")).is_err());
}

#[test]
fn a_bad_format_answer_keeps_what_was_executed_before() {
    let answer = ResponseScript::parse(&bytes("AF80 23029000 900102 0000")).unwrap();
    assert_eq!(answer.apdus().count(), 1);
    assert_eq!(answer.bad_format(), Some(BadFormat::WrongLength));
}

#[test]
fn errors_tell_where_and_what() {
    let cases = [
        ("", 0),
        ("AC00", 0),
        ("AA05 2203 00A4", 1),
        ("AA04 2203 00A4", 3),
        ("AE80 2207 00A40004026F07", 11),
        ("AE80 2207 00A40004026F07 0001", 12),
        ("AA02 2200 00", 4),
        ("AA02 9900", 4),
        ("AE00", 1),
    ];
    for (coded, offset) in cases {
        let error = CommandScript::parse(&bytes(coded)).unwrap_err();
        assert_eq!(error.offset, offset, "{coded}: {error}");
    }
    let error = ResponseScript::parse(&bytes("AB02 2300")).unwrap_err();
    assert_eq!(error.offset, 2);
    assert!(error.to_string().contains("number of executed commands"));
}

#[test]
fn builders_make_the_commands_of_the_specification() {
    // TS 102 221 §11.1, TS 102 223 §5.2, §6.1.
    let aid = "A0000000871002FF86FFFF89FFFFFFFF".parse().unwrap();
    let cases = [
        (build::select_fid(0x6F07, Fcp::Returned), "00A40004026F07"),
        (build::select_fid(0x6F07, Fcp::None), "00A4000C026F07"),
        (
            build::select_path(&file::IMSI.path(), Fcp::Returned),
            "00A40804047FFF6F07",
        ),
        (
            build::select_aid(&aid, Fcp::Returned),
            "00A4040410A0000000871002FF86FFFF89FFFFFFFF",
        ),
        (build::read_binary(0x0102, 0).unwrap(), "00B0010200"),
        (build::update_binary(4, [0xAB]).unwrap(), "00D6000401AB"),
        (build::read_record(2, 0x1C), "00B202041C"),
        (build::update_record(1, [1, 2]).unwrap(), "00DC0104020102"),
        (build::status(), "80F2000C"),
        (build::fetch(0x28), "8012000028"),
        (build::terminal_profile([0xFF, 0xFF]).unwrap(), "8010000002FFFF"),
        (build::terminal_response([0x81]).unwrap(), "801400000181"),
        (build::envelope([0xD6, 0x00]).unwrap(), "80C2000002D600"),
    ];
    for (command, coded) in cases {
        assert_eq!(command.encode(), bytes(coded));
        assert_eq!(CommandApdu::parse(&bytes(coded)).unwrap(), command);
    }
    assert!(
        build::read_binary(0x8000, 1).is_err(),
        "P1 would mean a short file identifier"
    );
    assert!(build::update_binary(0, vec![0; 256]).is_err());
}

#[test]
fn each_case_of_command_has_one_reading() {
    for (coded, data, le) in [
        ("00A40000", 0, None),
        ("00B0000000", 0, Some(0)),
        ("00D6000002AABB", 2, None),
        ("00A4000402 3F00 00", 2, Some(0)),
    ] {
        let command = CommandApdu::parse(&bytes(coded)).unwrap();
        assert_eq!((command.data().len(), command.le), (data, le), "{coded}");
        assert_eq!(command.encode(), bytes(coded));
    }
    for (coded, offset) in [
        ("00A400", 0),
        ("00D6000000AA", 4),
        ("00D6000003AABB", 5),
        ("00D6000001AA0000", 7),
    ] {
        assert_eq!(
            CommandApdu::parse(&bytes(coded)).unwrap_err().offset,
            offset,
            "{coded}"
        );
    }
}

#[test]
fn status_words_have_a_class_and_a_meaning_in_two_languages() {
    // TS 102 221 §10.2.
    let cases = [
        (0x9000, SwClass::Ok, true),
        (0x9128, SwClass::ProactivePending(0x28), true),
        (0x6132, SwClass::DataAvailable(0x32), true),
        (0x9F10, SwClass::DataAvailable(0x10), true),
        (0x63C2, SwClass::Warning, true),
        (0x6282, SwClass::Warning, false),
        (0x62F1, SwClass::Warning, false),
        (0x9300, SwClass::Busy, false),
        (0x6C0A, SwClass::WrongLe(0x0A), false),
        (0x6581, SwClass::Error, false),
        (0x6700, SwClass::Error, false),
        (0x6982, SwClass::Error, false),
        (0x6985, SwClass::Error, false),
        (0x6A80, SwClass::Error, false),
        (0x6A82, SwClass::Error, false),
        (0x6A83, SwClass::Error, false),
        (0x6A86, SwClass::Error, false),
        (0x6B00, SwClass::Error, false),
        (0x6D00, SwClass::Error, false),
        (0x6E00, SwClass::Error, false),
    ];
    for (word, class, success) in cases {
        let word = StatusWord(word);
        assert_eq!((word.class(), word.is_success()), (class, success), "{word}");
        assert_ne!(word.meaning(), "unknown status", "{word:?}");
        assert_ne!(word.meaning_zh(), "未知状态", "{word:?}");
    }
    assert!(
        !StatusWord::RESPONSE_TRUNCATED.continues_script(),
        "TS 102 226 §5.2: 62F1 stops a script"
    );
    assert!(StatusWord(0x6282).continues_script());
    assert_eq!(StatusWord(0x6A82).to_string(), "6A82 (file not found)");
}

#[test]
fn debug_output_shows_no_data() {
    let command = build::update_binary(0, bytes("084906003175296408")).unwrap();
    assert_eq!(
        format!("{command:?}"),
        "CommandApdu(00 D6 00 00, 9 data bytes, Le absent)"
    );
    let answer = ResponseApdu::ok(bytes("084906003175296408"));
    assert_eq!(format!("{answer:?}"), "ResponseApdu(9 data bytes, 9000 (done))");
}
