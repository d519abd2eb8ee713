//! Proactive commands: commands of the card to the terminal (TS 102 223 §6.4, §6.6).
//!
//! Only what a card needs for remote administration has a type of its own; the rest passes as
//! [`OtherCommand`]. It must never hold the result of a command: that is [`super::TerminalResponse`].

use core::fmt;
use core::net::IpAddr;

use super::{
    Apn, Bearer, ChannelId, Device, Event, PollDuration, RawObject, Refresh, TimerId, TimerValue, Transport,
    kind,
};

/// A proactive command as FETCH delivers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProactiveCommand {
    /// Command number, repeated in the terminal response.
    pub number: u8,
    /// The command with its parameters.
    pub command: Command,
}

/// Type and parameters of a proactive command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// REFRESH: files of the card changed.
    Refresh(Refresh),
    /// POLL INTERVAL.
    PollInterval(PollDuration),
    /// SET UP EVENT LIST: the events the terminal reports; it replaces an earlier list.
    SetUpEventList(Vec<Event>),
    /// PROVIDE LOCAL INFORMATION with its qualifier (`00` location, `01` IMEI, …).
    ProvideLocalInformation(u8),
    /// TIMER MANAGEMENT: start, stop or read a timer.
    TimerManagement(TimerCommand),
    /// OPEN CHANNEL.
    OpenChannel(OpenChannel),
    /// CLOSE CHANNEL.
    CloseChannel {
        /// Channel to close.
        channel: ChannelId,
        /// Server mode only: bit 1 keeps listening.
        qualifier: u8,
    },
    /// RECEIVE DATA.
    ReceiveData {
        /// Channel to read from.
        channel: ChannelId,
        /// Most bytes to return.
        requested: u8,
    },
    /// SEND DATA.
    SendData(SendData),
    /// GET CHANNEL STATUS.
    GetChannelStatus,
    /// Any other command.
    Other(OtherCommand),
}

/// Bytes for a channel.
#[derive(Clone, PartialEq, Eq)]
pub struct SendData {
    /// Channel to send on.
    pub channel: ChannelId,
    /// Send `data` and all stored bytes now; otherwise store `data`.
    pub immediate: bool,
    /// The bytes, at most [`super::MAX_SEND_DATA_BYTES`] to fit one FETCH.
    pub data: Vec<u8>,
}

impl fmt::Debug for SendData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "SendData({:?}, immediate {}, {} bytes)",
            self.channel,
            self.immediate,
            self.data.len()
        )
    }
}

/// TIMER MANAGEMENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimerCommand {
    /// Start this timer with this value.
    Start(TimerId, TimerValue),
    /// Deactivate this timer.
    Deactivate(TimerId),
    /// Return the remaining time of this timer.
    Get(TimerId),
}

impl TimerCommand {
    pub(super) const fn qualifier(self) -> u8 {
        match self {
            Self::Start(..) => 0,
            Self::Deactivate(_) => 1,
            Self::Get(_) => 2,
        }
    }
}

/// OPEN CHANNEL for packet data service, client mode (TS 102 223 §6.6.27.2, §6.6.27.3).
#[derive(Clone, PartialEq, Eq)]
pub struct OpenChannel {
    /// Establish the link at once, not with the first data.
    pub immediate: bool,
    /// Re-establish a lost link.
    pub auto_reconnect: bool,
    /// Answer at once and report the link by an event.
    pub background: bool,
    /// Ask for DNS server addresses.
    pub dns_request: bool,
    /// Text for the user; if empty, the terminal shows nothing.
    pub alpha: Option<Vec<u8>>,
    /// Bearer to use.
    pub bearer: Bearer,
    /// Requested size of the receive buffer, in bytes.
    pub buffer_size: u16,
    /// Access point name.
    pub apn: Option<Apn>,
    /// Text string with the user login (data coding scheme byte first).
    pub login: Option<Vec<u8>>,
    /// Text string with the user password (data coding scheme byte first).
    pub password: Option<Vec<u8>>,
    /// Transport protocol and port.
    pub transport: Option<Transport>,
    /// Address of the server.
    pub destination: Option<IpAddr>,
}

impl OpenChannel {
    /// A TCP client channel over the default bearer, link at once, with no other option.
    #[must_use]
    pub fn tcp(destination: IpAddr, port: u16, buffer_size: u16) -> Self {
        Self {
            immediate: true,
            auto_reconnect: false,
            background: false,
            dns_request: false,
            alpha: None,
            bearer: Bearer::default_bearer(),
            buffer_size,
            apn: None,
            login: None,
            password: None,
            transport: Some(Transport {
                protocol: super::TransportProtocol::TcpClientRemote,
                port,
            }),
            destination: Some(destination),
        }
    }

    pub(super) fn qualifier(&self) -> u8 {
        [
            self.immediate,
            self.auto_reconnect,
            self.background,
            self.dns_request,
        ]
        .iter()
        .enumerate()
        .fold(0, |bits, (at, &set)| bits | u8::from(set) << at)
    }
}

impl fmt::Debug for OpenChannel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenChannel")
            .field("qualifier", &self.qualifier())
            .field("bearer", &self.bearer)
            .field("buffer_size", &self.buffer_size)
            .field("apn", &self.apn)
            .field("login", &self.login.is_some())
            .field("transport", &self.transport)
            .field("destination", &self.destination)
            .finish_non_exhaustive()
    }
}

/// A command without a type of its own here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherCommand {
    /// Type of command.
    pub kind: u8,
    /// Command qualifier.
    pub qualifier: u8,
    /// Device it is addressed to.
    pub destination: Device,
    /// The objects after the device identities.
    pub objects: Vec<RawObject>,
}

impl Command {
    /// The type of command, see [`kind`].
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Refresh(_) => kind::REFRESH,
            Self::PollInterval(_) => kind::POLL_INTERVAL,
            Self::SetUpEventList(_) => kind::SET_UP_EVENT_LIST,
            Self::ProvideLocalInformation(_) => kind::PROVIDE_LOCAL_INFORMATION,
            Self::TimerManagement(_) => kind::TIMER_MANAGEMENT,
            Self::OpenChannel(_) => kind::OPEN_CHANNEL,
            Self::CloseChannel { .. } => kind::CLOSE_CHANNEL,
            Self::ReceiveData { .. } => kind::RECEIVE_DATA,
            Self::SendData(_) => kind::SEND_DATA,
            Self::GetChannelStatus => kind::GET_CHANNEL_STATUS,
            Self::Other(other) => other.kind,
        }
    }

    /// The command qualifier.
    #[must_use]
    pub fn qualifier(&self) -> u8 {
        match self {
            Self::Refresh(refresh) => refresh.mode.byte(),
            Self::ProvideLocalInformation(qualifier) | Self::CloseChannel { qualifier, .. } => *qualifier,
            Self::TimerManagement(timer) => timer.qualifier(),
            Self::OpenChannel(open) => open.qualifier(),
            Self::SendData(send) => u8::from(send.immediate),
            Self::Other(other) => other.qualifier,
            Self::PollInterval(_)
            | Self::SetUpEventList(_)
            | Self::ReceiveData { .. }
            | Self::GetChannelStatus => 0,
        }
    }

    /// To whom the command is addressed.
    #[must_use]
    pub const fn destination(&self) -> Device {
        match self {
            Self::CloseChannel { channel, .. } | Self::ReceiveData { channel, .. } => {
                Device::Channel(*channel)
            }
            Self::SendData(send) => Device::Channel(send.channel),
            Self::Other(other) => other.destination,
            _ => Device::Terminal,
        }
    }

    /// The command's name in the specification.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.kind() {
            kind::REFRESH => "REFRESH",
            kind::MORE_TIME => "MORE TIME",
            kind::POLL_INTERVAL => "POLL INTERVAL",
            kind::POLLING_OFF => "POLLING OFF",
            kind::SET_UP_EVENT_LIST => "SET UP EVENT LIST",
            kind::SET_UP_MENU => "SET UP MENU",
            kind::PROVIDE_LOCAL_INFORMATION => "PROVIDE LOCAL INFORMATION",
            kind::TIMER_MANAGEMENT => "TIMER MANAGEMENT",
            kind::OPEN_CHANNEL => "OPEN CHANNEL",
            kind::CLOSE_CHANNEL => "CLOSE CHANNEL",
            kind::RECEIVE_DATA => "RECEIVE DATA",
            kind::SEND_DATA => "SEND DATA",
            kind::GET_CHANNEL_STATUS => "GET CHANNEL STATUS",
            _ => "another command",
        }
    }
}
