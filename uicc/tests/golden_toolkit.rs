//! Toolkit messages against captures from cards and other implementations.

use core::net::IpAddr;

use hex::FromHex;
use uicc::cat::{
    BipError, CatResult, ChannelId, ChannelInfo, ChannelStatus, Command, Device, Envelope, Event, Facility,
    GeneralResult, LocationService, MAX_PROACTIVE_BYTES, MAX_RECEIVE_DATA_BYTES, MAX_SEND_DATA_BYTES,
    OpenChannel, PollDuration, ProactiveCommand, Refresh, RefreshMode, SendData, TerminalProfile,
    TerminalResponse, TimeUnit, TimerCommand, TimerId, TimerValue, TransportProtocol,
};

fn bytes(text: &str) -> Vec<u8> {
    Vec::from_hex(text.replace(' ', "")).expect("hexadecimal digits")
}

fn channel(number: u8) -> ChannelId {
    ChannelId::new(number).expect("1 to 7")
}

fn first(command: Command) -> ProactiveCommand {
    ProactiveCommand { number: 1, command }
}

#[test]
fn an_open_channel_of_a_real_applet_is_understood() {
    // TS 102 223 §6.6.27; as YggdraSIM's toolkit sends it: default bearer, 1500 bytes, TCP to 192.0.2.1:8443.
    let coded =
        bytes("D026 8103054001 82028182 0500 350103 390205DC 470605636D696F74 3C030220FB 3E0521C0000201");
    let command = ProactiveCommand::parse(&coded).unwrap();
    let Command::OpenChannel(open) = &command.command else {
        panic!("an OPEN CHANNEL")
    };
    assert!(open.immediate && !open.auto_reconnect && !open.background && !open.dns_request);
    assert_eq!((open.alpha.as_deref(), open.buffer_size), (Some(&[][..]), 1500));
    assert_eq!(open.apn.as_ref().map(|apn| apn.as_str()), Some("cmiot"));
    let transport = open.transport.unwrap();
    assert_eq!(
        (transport.protocol, transport.port),
        (TransportProtocol::TcpClientRemote, 8443)
    );
    assert_eq!(open.destination, Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(command.encode(), coded);
}

#[test]
fn a_refresh_of_a_card_that_changed_its_imsi_is_understood() {
    // TS 102 223 §6.6.13; captured from onomondo-uicc after UPDATE BINARY of EF_IMSI.
    let coded = bytes("D012 8103010101 82028182 9207 01 3F007FF06F07");
    let command = ProactiveCommand::parse(&coded).unwrap();
    let Command::Refresh(refresh) = &command.command else {
        panic!("a REFRESH")
    };
    assert_eq!(refresh.mode, RefreshMode::FileChange);
    assert_eq!(refresh.files(), ["3F00/7FF0/6F07".parse().unwrap()]);
    assert_eq!(command.encode(), coded);

    // TS 102 223 §6.8: its answer, additional files read.
    let response = TerminalResponse::to(&command, CatResult::of(GeneralResult::AdditionalEfsRead));
    let coded = bytes("8103010101 02028281 030103");
    let parsed = TerminalResponse::parse(&coded).unwrap();
    assert_eq!(parsed, response);
    assert_eq!(
        TerminalResponse::parse(&bytes("8103010101 82028281 030100"))
            .unwrap()
            .result,
        CatResult::ok()
    );
    assert_eq!(response.encode(), bytes("8103010101 82028281 030103"));
}

#[test]
fn the_objects_agree_with_pysim_s_test_vectors() {
    // pySim/cat.py: bearer description, other address, transport level and network access name, here as
    // one OPEN CHANNEL whose objects are comprehension required.
    let coded = bytes(
        "D02D 8103014001 82028182 B50103 B90205DC C704036E6161 8D090470617373776F7264 BC03028000 BE052101020304",
    );
    let command = ProactiveCommand::parse(&coded).unwrap();
    let Command::OpenChannel(open) = &command.command else {
        panic!("an OPEN CHANNEL")
    };
    assert_eq!(open.apn.as_ref().map(|apn| apn.as_str()), Some("naa"));
    assert_eq!(open.transport.map(|transport| transport.port), Some(32768));
    assert_eq!(open.destination, Some(IpAddr::from([1, 2, 3, 4])));
    assert_eq!(open.login.as_deref(), Some(&b"\x04password"[..]));
}

#[test]
fn the_other_commands_are_coded_as_the_specification_says() {
    let status_events = vec![Event::LocationStatus, Event::DataAvailable, Event::ChannelStatus];
    let timer = TimerId::new(2).unwrap();
    let minute = TimerValue::from_seconds(3600 + 23 * 60 + 45).unwrap();
    let send = SendData {
        channel: channel(1),
        immediate: true,
        data: vec![0x16, 0x03, 0x03],
    };
    let cases = [
        (
            Command::SetUpEventList(status_events),
            "D00E 8103010500 82028182 990303090A",
        ),
        (
            Command::PollInterval(PollDuration {
                unit: TimeUnit::Seconds,
                interval: 30,
            }),
            "D00D 8103010300 82028182 8402011E",
        ),
        (Command::ProvideLocalInformation(1), "D009 8103012601 82028182"),
        (
            Command::TimerManagement(TimerCommand::Start(timer, minute)),
            "D011 8103012700 82028182 A40102 A503103254",
        ),
        (
            Command::TimerManagement(TimerCommand::Deactivate(timer)),
            "D00C 8103012701 82028182 A40102",
        ),
        (
            Command::TimerManagement(TimerCommand::Get(timer)),
            "D00C 8103012702 82028182 A40102",
        ),
        (
            Command::CloseChannel {
                channel: channel(1),
                qualifier: 0,
            },
            "D009 8103014100 82028121",
        ),
        (
            Command::ReceiveData {
                channel: channel(1),
                requested: 237,
            },
            "D00C 8103014200 82028121 B701ED",
        ),
        (Command::SendData(send), "D00E 8103014301 82028121 B603160303"),
        (Command::GetChannelStatus, "D009 8103014400 82028182"),
        (
            Command::Refresh(Refresh::of(RefreshMode::UiccReset)),
            "D009 8103010104 82028182",
        ),
    ];
    for (command, coded) in cases {
        let command = first(command);
        assert_eq!(
            hex::encode_upper(command.encode()),
            coded.replace(' ', ""),
            "{}",
            command.command.name()
        );
        assert_eq!(ProactiveCommand::parse(&bytes(coded)).unwrap(), command);
    }
}

#[test]
fn a_timer_is_started_stopped_or_asked_and_nothing_else() {
    // TS 102 223 §8.6: 03 is reserved. The qualifier is the third byte of the command details.
    let error = ProactiveCommand::parse(&bytes("D00C 8103012703 82028182 A40102")).unwrap_err();
    assert_eq!(error.offset, 6);
}

#[test]
fn a_command_of_another_type_passes_unchanged() {
    // SET UP MENU as cards send it at start.
    let coded = bytes("D018 8103012500 82028182 850553494D204F 8F060150726F6265");
    let command = ProactiveCommand::parse(&coded).unwrap();
    let Command::Other(menu) = &command.command else {
        panic!("another command")
    };
    assert_eq!(
        (menu.kind, menu.destination, menu.objects.len()),
        (0x25, Device::Terminal, 2)
    );
    assert_eq!(command.encode(), coded);
}

#[test]
fn an_unknown_object_that_must_be_understood_is_refused() {
    // TS 102 223 §6.10: without the comprehension-required bit it is ignored.
    assert!(ProactiveCommand::parse(&bytes("D00C 8103010104 82028182 780100")).is_ok());
    let error = ProactiveCommand::parse(&bytes("D00C 8103010104 82028182 F80100")).unwrap_err();
    assert_eq!(error.offset, 13);
}

#[test]
fn the_largest_receive_data_response_fills_one_apdu() {
    // TS 102 223 §6.8: 5 + 4 + 3 + 3 + 237 + 3 = 255.
    let command = first(Command::ReceiveData {
        channel: channel(1),
        requested: 0xED,
    });
    let mut response = TerminalResponse::to(&command, CatResult::ok());
    response.channel_data = Some(vec![0xAA; MAX_RECEIVE_DATA_BYTES]);
    response.channel_data_length = Some(0xFF);
    let coded = response.encode();
    assert_eq!(coded.len(), 255);
    assert_eq!(coded[12..15], bytes("3681ED"), "the long length form");
    assert_eq!(coded[252..], bytes("3701FF"));
    assert_eq!(TerminalResponse::parse(&coded).unwrap(), response);

    response.channel_data = Some(vec![0xAA; MAX_RECEIVE_DATA_BYTES + 1]);
    assert!(TerminalResponse::parse(&response.encode()).is_err());
}

#[test]
fn the_largest_send_data_fits_one_fetch() {
    let send = SendData {
        channel: channel(7),
        immediate: false,
        data: vec![0; MAX_SEND_DATA_BYTES],
    };
    let coded = first(Command::SendData(send)).encode();
    assert!(coded.len() <= MAX_PROACTIVE_BYTES, "{}", coded.len());
}

#[test]
fn an_opened_channel_is_reported_with_its_status_bearer_and_buffer() {
    // TS 102 223 §6.8.
    let open = OpenChannel::tcp(IpAddr::from([192, 0, 2, 1]), 8443, 1400);
    let bearer = open.bearer.clone();
    let mut response = TerminalResponse::to(&first(Command::OpenChannel(open)), CatResult::ok());
    response.channel_status = vec![ChannelStatus::established(channel(1))];
    response.bearer = Some(bearer);
    response.buffer_size = Some(1400);
    let coded = bytes("8103014001 82028281 030100 38028100 350103 39020578");
    assert_eq!(response.encode(), coded);
    assert_eq!(TerminalResponse::parse(&coded).unwrap(), response);

    let failed = TerminalResponse::parse(&bytes("8103014001 82028281 03023A07")).unwrap();
    assert_eq!(failed.result.bip_error(), Some(BipError::RemoteUnreachable));
    assert!(!failed.result.is_performed());
    assert_eq!(CatResult::bip(BipError::RemoteUnreachable), failed.result);
}

#[test]
fn events_are_coded_as_terminals_send_them() {
    // TS 102 223 §7.4, §7.5; TS 31.111 §7.1.1.
    let up = ChannelStatus::established(channel(1));
    let cases = [
        (
            Envelope::DataAvailable {
                status: up,
                waiting: 0xFF,
            },
            "D60E 990109 82028281 B8028100 B701FF",
        ),
        (
            Envelope::ChannelStatus(ChannelStatus::dropped(channel(1))),
            "D60B 99010A 82028281 B8020105",
        ),
        (
            Envelope::LocationStatus {
                service: LocationService::None,
                location: None,
            },
            "D60A 990103 82028281 9B0102",
        ),
        (
            Envelope::TimerExpiration {
                timer: TimerId::new(1).unwrap(),
                value: TimerValue::from_seconds(60).unwrap(),
            },
            "D70C 82028281 A40101 A503001000",
        ),
        (
            Envelope::SmsPpDownload {
                service_centre: Some(bytes("91683108")),
                tpdu: bytes("4408"),
            },
            "D10E 82028381 060491683108 8B024408",
        ),
        (
            Envelope::OtherEvent {
                event: Event::AccessTechnologyChange,
                objects: bytes("82028281 BF0108"),
            },
            "D60A 99010B 82028281 BF0108",
        ),
        (
            Envelope::Other {
                tag: 0xD3,
                content: bytes("82020181 900101"),
            },
            "D307 82020181 900101",
        ),
    ];
    for (envelope, coded) in cases {
        assert_eq!(hex::encode_upper(envelope.encode()), coded.replace(' ', ""));
        assert_eq!(Envelope::parse(&bytes(coded)).unwrap(), envelope, "{coded}");
    }
    let dropped = ChannelStatus::dropped(channel(1));
    assert_eq!(
        (dropped.established, dropped.info),
        (false, ChannelInfo::LinkDropped)
    );
}

#[test]
fn a_terminal_profile_tells_whether_a_channel_can_be_opened() {
    // TS 102 223 §5.2, bytes 5, 6, 12, 13 and 17.
    let profile = TerminalProfile::with(&Facility::BIP_TCP, 2).unwrap();
    assert_eq!(
        hex::encode(profile.encode()),
        "00000000010c0000000000 0f42 000000 01".replace(' ', "")
    );
    assert!(profile.supports_bip_tcp());
    assert_eq!(profile.channels(), 2);
    for missing in Facility::BIP_TCP {
        let others: Vec<_> = Facility::BIP_TCP
            .into_iter()
            .filter(|&facility| facility != missing)
            .collect();
        assert!(
            !TerminalProfile::with(&others, 2).unwrap().supports_bip_tcp(),
            "{missing:?}"
        );
    }
    assert!(
        !TerminalProfile::with(&Facility::BIP_TCP, 0)
            .unwrap()
            .supports_bip_tcp(),
        "no channel"
    );
    assert!(
        !TerminalProfile::parse(&[0xFF])
            .unwrap()
            .supports(Facility::OpenChannel),
        "a short profile"
    );
    assert!(TerminalProfile::with(&[], 8).is_err());
}

#[test]
fn debug_output_shows_no_channel_data() {
    let send = first(Command::SendData(SendData {
        channel: channel(1),
        immediate: true,
        data: vec![0xAB; 9],
    }));
    let shown = format!("{send:?}");
    assert!(shown.contains("9 bytes") && !shown.contains("171"), "{shown}");
}
