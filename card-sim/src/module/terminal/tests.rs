//! The terminal without a chip: results, timers, delays. The clock of the runtime is paused.

use super::*;
use crate::network::VirtualNetwork;
use uicc::cat::{Event as CatEvent, kind};

fn command(command: Command) -> ProactiveCommand {
    ProactiveCommand { number: 1, command }
}

fn channel() -> ChannelId {
    ChannelId::new(1).unwrap()
}

fn send_data() -> ProactiveCommand {
    command(Command::SendData(SendData {
        channel: channel(),
        immediate: true,
        data: vec![0; 10],
    }))
}

async fn answer(terminal: &mut Terminal<'_>, to: Command) -> TerminalResponse {
    terminal.perform(&command(to), &mut Traffic::default()).await
}

fn open(port: u16) -> Command {
    Command::OpenChannel(OpenChannel::tcp([127, 0, 0, 1].into(), port, 1500))
}

fn attached(terminal: &mut Terminal<'_>) {
    terminal.attached(VirtualNetwork::open().attach("460001234567890", 2).ok());
}

#[tokio::test(start_paused = true)]
async fn transfers_take_the_planned_times_in_turn() {
    let settings = ModuleSettings::default();
    let delays = [Duration::from_secs(1), Duration::from_millis(2500)];
    let mut terminal = Terminal::new(&settings, None, &delays);
    let begin = Instant::now();
    for _ in 0..3 {
        terminal.perform(&send_data(), &mut Traffic::default()).await;
    }
    assert_eq!(begin.elapsed(), Duration::from_millis(4500));
}

#[tokio::test(start_paused = true)]
async fn a_timer_expires_once_after_its_time() {
    let settings = ModuleSettings::default();
    let mut terminal = Terminal::new(&settings, None, &[]);
    let (timer, value) = (TimerId::new(2).unwrap(), TimerValue::from_seconds(90).unwrap());
    let started = answer(
        &mut terminal,
        Command::TimerManagement(TimerCommand::Start(timer, value)),
    )
    .await;
    assert_eq!(started.timer, Some(timer));
    assert!(!terminal.is_idle());
    let begin = Instant::now();
    terminal.envelope_due().await;
    assert_eq!(begin.elapsed().as_secs(), 90);
    let envelope = terminal.next_envelope(&mut Traffic::default());
    assert_eq!(envelope, Some(Envelope::TimerExpiration { timer, value }));
    assert!(terminal.is_idle() && terminal.next_envelope(&mut Traffic::default()).is_none());
}

#[tokio::test]
async fn a_channel_needs_service_a_peer_and_a_free_channel() {
    let settings = ModuleSettings::default();
    let mut terminal = Terminal::new(&settings, Some(512), &[]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();

    let refused = answer(&mut terminal, open(port)).await.result;
    assert_eq!(
        (refused.general, refused.additional),
        (GeneralResult::TerminalUnable, vec![NO_SERVICE])
    );
    attached(&mut terminal);
    let mut udp = OpenChannel::tcp([127, 0, 0, 1].into(), port, 1500);
    udp.transport = udp.transport.map(|transport| uicc::cat::Transport {
        protocol: TransportProtocol::UdpClientRemote,
        ..transport
    });
    let refused = answer(&mut terminal, Command::OpenChannel(udp)).await.result;
    assert_eq!(refused.bip_error(), Some(BipError::TransportNotAvailable));
    let granted = answer(&mut terminal, open(port)).await;
    assert_eq!(
        (granted.result.general, granted.buffer_size),
        (GeneralResult::Modified, Some(512))
    );
    assert_eq!(granted.channel_status, [ChannelStatus::established(channel())]);
    let status = answer(&mut terminal, Command::GetChannelStatus).await;
    assert_eq!(status.channel_status, [ChannelStatus::established(channel())]);
    assert_eq!(
        answer(&mut terminal, open(port)).await.result.bip_error(),
        Some(BipError::NoChannel)
    );
    let other = Command::ReceiveData {
        channel: ChannelId::new(2).unwrap(),
        requested: 1,
    };
    assert_eq!(
        answer(&mut terminal, other).await.result.bip_error(),
        Some(BipError::InvalidChannel)
    );
    let close = Command::CloseChannel {
        channel: channel(),
        qualifier: 0,
    };
    assert!(answer(&mut terminal, close.clone()).await.result.is_performed());
    assert_eq!(
        answer(&mut terminal, close).await.result.bip_error(),
        Some(BipError::ChannelClosed)
    );
    drop(listener);
    assert_eq!(
        answer(&mut terminal, open(port)).await.result.bip_error(),
        Some(BipError::RemoteUnreachable)
    );
}

#[tokio::test]
async fn only_events_that_were_asked_for_are_sent() {
    let settings = ModuleSettings::default();
    let mut terminal = Terminal::new(&settings, None, &[]);
    attached(&mut terminal);
    assert_eq!(terminal.next_envelope(&mut Traffic::default()), None);
    answer(
        &mut terminal,
        Command::SetUpEventList(vec![CatEvent::LocationStatus]),
    )
    .await;
    attached(&mut terminal);
    let envelope = terminal
        .next_envelope(&mut Traffic::default())
        .map(|envelope| hex::encode(envelope.encode()));
    assert_eq!(
        envelope.as_deref(),
        Some(
            "d61599010382028281 9b0100 9309 64f000 1001 0000010f"
                .replace(' ', "")
                .as_str()
        )
    );
}

#[tokio::test]
async fn the_imei_is_returned_and_what_is_unknown_is_beyond_the_terminal() {
    let settings = ModuleSettings::default();
    let mut terminal = Terminal::new(&settings, None, &[]);
    let imei = answer(&mut terminal, Command::ProvideLocalInformation(LOCAL_IMEI)).await;
    // IMEI 860000000000001, TS 24.008 §10.5.1.4.
    assert_eq!(hex::encode(&imei.others[0].value), "8a06000000000010");
    let time = answer(&mut terminal, Command::ProvideLocalInformation(0x03)).await;
    assert_eq!(time.result.general, GeneralResult::BeyondCapability);
    let menu = uicc::cat::OtherCommand {
        kind: kind::SET_UP_MENU,
        qualifier: 0,
        destination: uicc::cat::Device::Terminal,
        objects: Vec::new(),
    };
    let menu = answer(&mut terminal, Command::Other(menu)).await;
    assert_eq!(menu.result.general, GeneralResult::BeyondCapability);
}

#[tokio::test]
async fn a_channel_is_opened_from_the_address_of_the_module() {
    let server = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let settings = ModuleSettings {
        source: Some([127, 0, 0, 9].into()),
        ..ModuleSettings::default()
    };
    let mut terminal = Terminal::new(&settings, None, &[]);
    attached(&mut terminal);
    let port = server.local_addr().unwrap().port();
    let (opened, accepted) = tokio::join!(answer(&mut terminal, open(port)), server.accept());
    assert_eq!(opened.channel_status, [ChannelStatus::established(channel())]);
    assert_eq!(accepted.unwrap().1.ip(), IpAddr::from([127, 0, 0, 9]));
}
