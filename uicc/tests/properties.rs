//! What holds for every value: reading back what was written, and no panic on any bytes.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use uicc::apdu::{CommandApdu, ResponseApdu, StatusWord};
use uicc::cat::{Envelope, ProactiveCommand, TerminalProfile, TerminalResponse};
use uicc::ef::{
    Acc, AccessTechnology, Ad, DialNumber, EpsLoci, FilePath, Fplmn, Iccid, Imsi, Keys, Loci, MsisdnRecord,
    Plmn, PlmnWithAct, PlmnWithActList, PsLoci, SmspRecord, Spn, UpdateStatus,
};
use uicc::ident::{Aid, Eid};
use uicc::scp80::{
    Algorithm, CommandHeader, CommandPacket, CompactResponse, Dialect, IdentificationPacket, Key, KeySet,
    MacLength, PorStatus, ResponsePacket, Spi,
};
use uicc::scp81::{
    AdminRequest, AdminResponse, AgentId, ContentType, PskIdentity, ScriptStatus, TargetedApplication,
    Trigger,
};
use uicc::script::{
    BadFormat, CommandScript, Form, ImmediateAction, ResponseForm, ResponseScript, ScriptCommand,
    ScriptResult,
};
use uicc::tlv::{ber, comprehension};

/// A decoder's own property: whatever it accepts, it writes as something it reads as the same.
macro_rules! reads_back {
    ($bytes:expr; $($kind:ty),+ $(,)?) => {
        $(if let Ok(value) = <$kind>::parse($bytes) {
            prop_assert_eq!(<$kind>::parse(&value.encode()), Ok(value), "{}", stringify!($kind));
        })+
    };
}

fn apdu() -> impl Strategy<Value = CommandApdu> {
    (any::<[u8; 4]>(), vec(any::<u8>(), 0..=255), any::<Option<u8>>()).prop_map(
        |([cla, ins, p1, p2], data, le)| {
            let command = CommandApdu::new(cla, ins, p1, p2)
                .with_data(data)
                .expect("at most 255 bytes");
            le.map_or(command.clone(), |le| command.with_le(le))
        },
    )
}

fn script_command() -> impl Strategy<Value = ScriptCommand> {
    prop_oneof![
        8 => apdu().prop_map(ScriptCommand::Apdu),
        1 => (1..0x80u8).prop_map(|record| ScriptCommand::ImmediateAction(ImmediateAction::Record(record))),
        1 => Just(ScriptCommand::ImmediateAction(ImmediateAction::ProactiveSession)),
    ]
}

fn script_result() -> impl Strategy<Value = ScriptResult> {
    prop_oneof![
        8 => (vec(any::<u8>(), 0..300), any::<u16>())
            .prop_map(|(data, status)| ScriptResult::Apdu(ResponseApdu { data, status: StatusWord(status) })),
        1 => any::<u8>().prop_map(|byte| ScriptResult::BadFormat(BadFormat::from_byte(byte))),
    ]
}

fn plmn() -> impl Strategy<Value = Plmn> {
    "[0-9]{5,6}".prop_map(|digits| digits.parse().expect("five or six digits"))
}

fn aid() -> impl Strategy<Value = Aid> {
    vec(any::<u8>(), 5..=16).prop_map(|bytes| Aid::parse(&bytes).expect("5 to 16 bytes"))
}

fn number() -> impl Strategy<Value = DialNumber> {
    (any::<u8>(), "[0-9*#PWE]{0,20}")
        .prop_map(|(kind, digits)| DialNumber::new(kind, &digits).expect("20 digits"))
}

fn key() -> impl Strategy<Value = Key> {
    let algorithm = prop_oneof![
        Just((Algorithm::Des, 8)),
        Just((Algorithm::TripleDes2, 16)),
        Just((Algorithm::TripleDes3, 24)),
        Just((Algorithm::Aes, 16)),
        Just((Algorithm::Aes, 24)),
        Just((Algorithm::Aes, 32)),
    ];
    (algorithm, any::<[u8; 32]>()).prop_map(|((algorithm, length), bytes)| {
        Key::new(algorithm, &bytes[..length]).expect("a fitting length")
    })
}

/// Keys, and a header that names them, with every protection but signatures.
fn protection() -> impl Strategy<Value = (KeySet, CommandHeader)> {
    let mac = prop_oneof![Just(MacLength::Four), Just(MacLength::Eight)];
    let integrity = || prop_oneof![Just(0u8), Just(1), Just(2)];
    (
        key(),
        key(),
        mac,
        integrity(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<[u8; 3]>(),
    )
        .prop_map(
            |(cipher, checksum, mac_length, integrity, ciphered, por_ciphered, crc16, tar)| {
                let spi = [
                    integrity | u8::from(ciphered) << 2,
                    integrity << 2 | u8::from(por_ciphered) << 4,
                ];
                let kic = 0x10 | cipher.algorithm().nibble();
                let crc = if crc16 { 0x1 } else { 0x5 };
                let kid = 0x10
                    | if integrity == 1 {
                        crc
                    } else {
                        checksum.algorithm().nibble()
                    };
                let keys = KeySet {
                    cipher: Some(cipher),
                    checksum: Some(checksum),
                    mac_length,
                };
                (
                    keys,
                    CommandHeader {
                        spi: Spi(spi),
                        kic,
                        kid,
                        tar,
                    },
                )
            },
        )
}

fn dialect() -> impl Strategy<Value = Dialect> {
    prop_oneof![Just(Dialect::SmsPp), Just(Dialect::TcpIp)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_make_a_decoder_panic_and_what_is_accepted_reads_back(bytes in vec(any::<u8>(), 0..300)) {
        let bytes = bytes.as_slice();
        reads_back!(bytes; CommandApdu, ResponseApdu, CommandScript, ResponseScript);
        reads_back!(bytes; ProactiveCommand, TerminalResponse, Envelope, TerminalProfile);
        reads_back!(bytes; Iccid, Imsi, MsisdnRecord, SmspRecord, Acc, Ad, Loci, PsLoci, EpsLoci, Keys, Spn);
        reads_back!(bytes; Plmn, PlmnWithActList, Fplmn, FilePath, Aid);
        if let Ok(eid) = Eid::from_bcd(bytes) {
            prop_assert_eq!(Eid::from_bcd(&eid.to_bcd()), Ok(eid));
        }
        reads_back!(bytes; TargetedApplication, AgentId, ContentType, ScriptStatus, PskIdentity, Trigger);
        reads_back!(bytes; CompactResponse, IdentificationPacket);
    }

    #[test]
    fn bytes_that_look_like_messages_do_not_panic_either(
        tag in prop_oneof![Just(0xAAu8), Just(0xAB), Just(0xD0), Just(0xD1), Just(0xD6), Just(0xD7), Just(0x81)],
        objects in vec((any::<u8>(), vec(any::<u8>(), 0..8)), 0..8),
    ) {
        let content: Vec<u8> =
            objects.iter().flat_map(|(tag, value)| [&[*tag, value.len() as u8], value.as_slice()].concat()).collect();
        let mut bytes = Vec::new();
        ber::put(&mut bytes, u16::from(tag), &content);
        let bytes = bytes.as_slice();
        reads_back!(bytes; CommandScript, ResponseScript, ProactiveCommand, Envelope, Trigger);
        reads_back!(content.as_slice(); TerminalResponse);
    }

    #[test]
    fn tlv_objects_read_back(tag in 0x01u16..0x7FFF, value in vec(any::<u8>(), 0..70_000), required: bool) {
        let mut bytes = Vec::new();
        comprehension::put(&mut bytes, tag, required, &value);
        let object = comprehension::Object::parse(&bytes).unwrap();
        prop_assert_eq!((object.tag, object.required, object.value), (tag, required, value.as_slice()));
        if let Ok(tag) = ber::Tag::new(tag) {
            let tlv = ber::Tlv { tag, value: &value, offset: 0 };
            let bytes = tlv.encode();
            let read = ber::Tlv::parse(&bytes).unwrap();
            prop_assert_eq!((read.tag, read.value), (tag, value.as_slice()));
            prop_assert_eq!(read.offset + value.len(), bytes.len());
        }
    }

    #[test]
    fn a_cut_message_is_refused_at_an_offset_inside_it(command in apdu(), cut in any::<prop::sample::Index>()) {
        let script = CommandScript::of_apdus(Form::Indefinite, [command]).encode();
        let cut = &script[..cut.index(script.len())];
        let error = CommandScript::parse(cut).unwrap_err();
        prop_assert!(error.offset <= cut.len());
    }

    #[test]
    fn scripts_read_back(commands in vec(script_command(), 0..20), definite: bool) {
        let form = if definite { Form::Definite } else { Form::Indefinite };
        let script = CommandScript { form, commands };
        prop_assert_eq!(CommandScript::parse(&script.encode()), Ok(script));
    }

    #[test]
    fn answers_read_back(results in vec(script_result(), 0..20), executed in any::<Option<u16>>()) {
        let form = executed.map_or(ResponseForm::Indefinite, |executed| ResponseForm::Definite { executed });
        let answer = ResponseScript { form, results };
        prop_assert_eq!(ResponseScript::parse(&answer.encode()), Ok(answer));
    }

    #[test]
    fn identities_read_back(
        imsi in "[0-9]{6,15}", iccid in "[0-9A-F]{17,19}[0-9A-E]", eid in "[0-9]{32}", aid in aid(),
        key_id: u8, key_version: u8,
    ) {
        let imsi: Imsi = imsi.parse().unwrap();
        prop_assert_eq!(Imsi::parse(&imsi.encode()), Ok(imsi.clone()));
        prop_assert!(Acc::for_imsi(&imsi).0.is_power_of_two());
        let iccid: Iccid = iccid.parse().unwrap();
        prop_assert_eq!(Iccid::parse(&iccid.encode()), Ok(iccid.clone()));
        if iccid.digits().len() == Iccid::MAX_DIGITS - 1 {
            prop_assert_eq!(format!("{}F", iccid.digits()).parse(), Ok(iccid));
        }
        let eid = Eid::from_digits(&eid).unwrap();
        prop_assert_eq!(Eid::from_digits(eid.as_str()), Ok(eid));
        let identity = PskIdentity { eid, aid: aid.clone(), key_id, key_version };
        prop_assert_eq!(PskIdentity::parse(&identity.encode()), Ok(identity));
        let target = TargetedApplication(aid.clone());
        prop_assert_eq!(TargetedApplication::parse(&target.encode()), Ok(target));
        let agent = AgentId { eid, aid };
        prop_assert_eq!(AgentId::parse(&agent.encode()), Ok(agent));
    }

    #[test]
    fn records_read_back_at_their_size(
        number in option::of(number()), centre in number(), alpha in 0usize..30, validity: u8,
    ) {
        let record = MsisdnRecord::with_number(14 + alpha, number).unwrap();
        prop_assert_eq!(record.encode().len(), 14 + alpha);
        prop_assert_eq!(MsisdnRecord::parse(&record.encode()), Ok(record));
        let record = SmspRecord::with_service_centre(28 + alpha, centre, validity).unwrap();
        prop_assert_eq!(record.encode().len(), 28 + alpha);
        prop_assert_eq!(SmspRecord::parse(&record.encode()), Ok(record));
    }

    #[test]
    fn location_files_read_back(home in plmn(), area: u16, status: u8, technology: u16) {
        let status = UpdateStatus::from_byte(status & 7);
        let loci = Loci { area, status, ..Loci::reset(home) };
        prop_assert_eq!(Loci::parse(&loci.encode()), Ok(loci));
        let loci = PsLoci { area, status, ..PsLoci::reset(home) };
        prop_assert_eq!(PsLoci::parse(&loci.encode()), Ok(loci));
        let loci = EpsLoci { tracking_area: area, status, ..EpsLoci::reset(home) };
        prop_assert_eq!(EpsLoci::parse(&loci.encode()), Ok(loci));
        let entry = PlmnWithAct { plmn: Some(home), technology: AccessTechnology(technology) };
        let list = PlmnWithActList::filling(40, vec![entry]).unwrap();
        prop_assert_eq!(list.encode().len(), 40);
        prop_assert_eq!(PlmnWithActList::parse(&list.encode()), Ok(list));
    }

    #[test]
    fn sealed_packets_open_with_the_same_keys(
        (keys, header) in protection(), dialect in dialect(), counter in 0..=uicc::scp80::MAX_COUNTER,
        data in vec(any::<u8>(), 0..300), status: u8,
    ) {
        let packet = CommandPacket { header, counter, data: data.clone() };
        let sealed = packet.seal(dialect, &keys).unwrap();
        prop_assert_eq!(CommandPacket::open(&sealed, dialect, &keys), Ok(packet));
        prop_assert_eq!(CommandHeader::parse(&sealed, dialect), Ok(header));
        let receipt = ResponsePacket { tar: header.tar, counter, status: PorStatus::from_byte(status), data };
        let sealed = receipt.seal(&header, dialect, &keys).unwrap();
        prop_assert_eq!(ResponsePacket::open(&sealed, &header, dialect, &keys), Ok(receipt));
    }

    #[test]
    fn no_bytes_make_a_packet_or_a_head_panic(
        (keys, header) in protection(), dialect in dialect(), bytes in vec(any::<u8>(), 0..120),
        name in "(X-Admin-[A-Za-z-]{2,22}|Content-Type|Host)", code: u16,
    ) {
        let _ = CommandPacket::open(&bytes, dialect, &keys);
        let _ = ResponsePacket::open(&bytes, &header, dialect, &keys);
        let protocol = ("X-Admin-Protocol", uicc::scp81::PROTOCOL.as_bytes());
        let lines = [protocol, (name.as_str(), bytes.as_slice())];
        for head in [AdminRequest::from_head("/x", lines).map(|request| request.encode(b"")),
            AdminResponse::from_head(code, lines).map(|response| response.encode(b""))].into_iter().flatten() {
            let text = String::from_utf8(head).unwrap();
            prop_assert!(text.lines().count() <= 10, "no value starts a line of its own: {text}");
        }
    }
}
