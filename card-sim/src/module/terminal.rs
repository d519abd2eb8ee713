//! The terminal side of the toolkit: carries out proactive commands (TS 102 223 §6.4).
//!
//! It must never answer a RECEIVE DATA with more than 237 bytes, nor open a second channel.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use uicc::cat::{
    BipError, CatResult, ChannelId, ChannelStatus, Command, Envelope, Event as CatEvent, GeneralResult,
    LENGTH_255_OR_MORE, LocationService, MAX_RECEIVE_DATA_BYTES, OpenChannel, ProactiveCommand, RawObject,
    SendData, TerminalResponse, TimerCommand, TimerId, TimerValue, TransportProtocol, tag,
};

use super::channel::{Channel, Traffic};
use super::settings::ModuleSettings;
use crate::network::Registration;

/// Longest time a TCP connection may take to be established.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// Identifier of the only channel of this terminal.
const CHANNEL: u8 = 1;
/// Additional information to "terminal unable": no service (TS 102 223 §8.12.2).
const NO_SERVICE: u8 = 0x04;
/// PROVIDE LOCAL INFORMATION: IMEI.
const LOCAL_IMEI: u8 = 0x01;

/// State of the terminal since the last reset of the chip.
pub(super) struct Terminal<'a> {
    settings: &'a ModuleSettings,
    buffer_limit: u16,
    delays: &'a [Duration],
    transfers: usize,
    subscribed: Vec<CatEvent>,
    timers: BTreeMap<TimerId, (Instant, TimerValue)>,
    channel: Option<Channel>,
    /// Registration in the network; `None` while not attached.
    pub registration: Option<Registration>,
    location_event_due: bool,
}

impl<'a> Terminal<'a> {
    /// Makes the terminal for a chip after a power-up or reset. Transfers over the air take the `delays` in turn.
    pub(super) fn new(
        settings: &'a ModuleSettings,
        buffer_limit: Option<u16>,
        delays: &'a [Duration],
    ) -> Self {
        Self {
            settings,
            buffer_limit: buffer_limit.unwrap_or(u16::MAX).min(settings.max_buffer),
            delays,
            transfers: 0,
            subscribed: Vec::new(),
            timers: BTreeMap::new(),
            channel: None,
            registration: None,
            location_event_due: false,
        }
    }

    /// Tells whether there is neither a channel nor a running timer.
    pub(super) fn is_idle(&self) -> bool {
        self.channel.is_none() && self.timers.is_empty()
    }

    /// Takes the result of an attach.
    pub(super) fn attached(&mut self, registration: Option<Registration>) {
        self.registration = registration;
        self.location_event_due = true;
    }

    /// Carries out a proactive command and returns the terminal response.
    pub(super) async fn perform(
        &mut self,
        command: &ProactiveCommand,
        traffic: &mut Traffic,
    ) -> TerminalResponse {
        let mut answer = TerminalResponse::to(command, CatResult::ok());
        match &command.command {
            Command::SetUpEventList(events) => self.subscribed.clone_from(events),
            Command::PollInterval(duration) => answer.duration = Some(*duration),
            Command::ProvideLocalInformation(what) => self.local_information(*what, &mut answer),
            Command::TimerManagement(timer) => self.timer(*timer, &mut answer),
            Command::OpenChannel(open) => self.open(open, &mut answer).await,
            Command::CloseChannel { channel, .. } => self.close(*channel, &mut answer),
            Command::SendData(send) => self.send(send, traffic, &mut answer).await,
            Command::ReceiveData { channel, requested } => {
                self.receive(*channel, *requested, traffic, &mut answer).await;
            }
            Command::GetChannelStatus => answer.channel_status.extend(self.channel_status()),
            Command::Refresh(_) => {}
            Command::Other(_) => answer.result = CatResult::of(GeneralResult::BeyondCapability),
        }
        answer
    }

    fn local_information(&self, what: u8, answer: &mut TerminalResponse) {
        if what != LOCAL_IMEI {
            answer.result = CatResult::of(GeneralResult::BeyondCapability);
            return;
        }
        // TS 24.008 §10.5.1.4: type of identity and odd indication share the first byte with digit one.
        let digits = format!("A{}", self.settings.imei);
        if let Ok(value) = uicc::bcd::encode_hex_digits(&digits) {
            answer.others.push(RawObject {
                tag: tag::IMEI,
                required: false,
                value,
            });
        }
    }

    fn timer(&mut self, command: TimerCommand, answer: &mut TerminalResponse) {
        match command {
            TimerCommand::Start(timer, value) => {
                let at = Instant::now() + Duration::from_secs(u64::from(value.seconds()));
                self.timers.insert(timer, (at, value));
                answer.timer = Some(timer);
            }
            TimerCommand::Deactivate(timer) | TimerCommand::Get(timer) => {
                let left = self
                    .timers
                    .get(&timer)
                    .map(|(at, _)| at.saturating_duration_since(Instant::now()));
                let seconds = left.and_then(|left| u32::try_from(left.as_secs()).ok());
                answer.timer = Some(timer);
                answer.timer_value = seconds.and_then(|seconds| TimerValue::from_seconds(seconds).ok());
                if matches!(command, TimerCommand::Deactivate(_)) {
                    self.timers.remove(&timer);
                }
            }
        }
    }

    async fn open(&mut self, open: &OpenChannel, answer: &mut TerminalResponse) {
        let granted = open.buffer_size.min(self.buffer_limit);
        answer.bearer = Some(open.bearer.clone());
        answer.buffer_size = Some(granted);
        match self.connect(open).await {
            Ok((id, stream)) => {
                self.channel = Some(Channel::new(id, stream, granted));
                answer.channel_status.push(ChannelStatus::established(id));
                if granted < open.buffer_size {
                    answer.result = CatResult::of(GeneralResult::Modified);
                }
            }
            Err(result) => answer.result = result,
        }
    }

    async fn connect(&self, open: &OpenChannel) -> Result<(ChannelId, TcpStream), CatResult> {
        let transport = open
            .transport
            .ok_or(CatResult::of(GeneralResult::ValuesMissing))?;
        let address = open
            .destination
            .ok_or(CatResult::of(GeneralResult::ValuesMissing))?;
        if transport.protocol != TransportProtocol::TcpClientRemote {
            return Err(CatResult::bip(BipError::TransportNotAvailable));
        }
        if self.registration.is_none() {
            return Err(CatResult {
                general: GeneralResult::TerminalUnable,
                additional: vec![NO_SERVICE],
            });
        }
        let id = ChannelId::new(CHANNEL).map_err(|_| CatResult::bip(BipError::NoChannel))?;
        if self.channel.is_some() {
            return Err(CatResult::bip(BipError::NoChannel));
        }
        let target = self
            .settings
            .destination
            .of(SocketAddr::new(address, transport.port));
        match timeout(CONNECT_LIMIT, connect(self.settings.source, target)).await {
            Ok(Ok(stream)) => {
                // One TLS flight is several small writes; waiting for acknowledgements would stall it.
                let _ = stream.set_nodelay(true);
                Ok((id, stream))
            }
            Ok(Err(_)) | Err(_) => Err(CatResult::bip(BipError::RemoteUnreachable)),
        }
    }

    fn close(&mut self, id: ChannelId, answer: &mut TerminalResponse) {
        match &self.channel {
            Some(channel) if channel.id == id => self.channel = None,
            Some(_) => answer.result = CatResult::bip(BipError::InvalidChannel),
            None => answer.result = CatResult::bip(BipError::ChannelClosed),
        }
    }

    async fn send(&mut self, send: &SendData, traffic: &mut Traffic, answer: &mut TerminalResponse) {
        self.transfer_delay().await;
        let channel = match self.channel_with(send.channel) {
            Ok(channel) => channel,
            Err(result) => {
                answer.result = result;
                return;
            }
        };
        if !channel.store(&send.data) {
            answer.result = CatResult::bip(BipError::BufferNotAvailable);
        } else if send.immediate && !channel.flush(traffic).await {
            answer.result = CatResult::bip(BipError::ChannelClosed);
        } else {
            answer.channel_data_length = Some(LENGTH_255_OR_MORE);
        }
    }

    async fn receive(
        &mut self,
        id: ChannelId,
        requested: u8,
        traffic: &mut Traffic,
        answer: &mut TerminalResponse,
    ) {
        self.transfer_delay().await;
        let channel = match self.channel_with(id) {
            Ok(channel) => channel,
            Err(result) => {
                answer.result = result;
                return;
            }
        };
        channel.fill(traffic);
        let data = channel.take(usize::from(requested).min(MAX_RECEIVE_DATA_BYTES));
        if data.len() < usize::from(requested) && channel.waiting() == 0 {
            answer.result = CatResult::of(GeneralResult::MissingInformation);
        }
        answer.channel_data = Some(data);
        answer.channel_data_length = Some(channel.waiting());
    }

    fn channel_with(&mut self, id: ChannelId) -> Result<&mut Channel, CatResult> {
        match &mut self.channel {
            Some(channel) if channel.id == id => Ok(channel),
            Some(_) => Err(CatResult::bip(BipError::InvalidChannel)),
            None => Err(CatResult::bip(BipError::ChannelClosed)),
        }
    }

    fn channel_status(&self) -> Option<ChannelStatus> {
        let channel = self.channel.as_ref()?;
        Some(if channel.is_up() {
            ChannelStatus::established(channel.id)
        } else {
            ChannelStatus::dropped(channel.id)
        })
    }

    /// Waits for the planned delay of one transfer over the air.
    async fn transfer_delay(&mut self) {
        if !self.delays.is_empty() {
            tokio::time::sleep(self.delays[self.transfers % self.delays.len()]).await;
            self.transfers += 1;
        }
    }

    /// Returns the next envelope that is due, in the order: location status, data available, channel status, timers.
    pub(super) fn next_envelope(&mut self, traffic: &mut Traffic) -> Option<Envelope> {
        if std::mem::take(&mut self.location_event_due) && self.subscribed.contains(&CatEvent::LocationStatus)
        {
            return Some(self.location_status());
        }
        if let Some(channel) = &mut self.channel {
            channel.fill(traffic);
            if channel.take_data_event() && self.subscribed.contains(&CatEvent::DataAvailable) {
                let status = ChannelStatus {
                    established: channel.is_up(),
                    ..ChannelStatus::established(channel.id)
                };
                return Some(Envelope::DataAvailable {
                    status,
                    waiting: channel.waiting(),
                });
            }
            if channel.take_drop_event() && self.subscribed.contains(&CatEvent::ChannelStatus) {
                return Some(Envelope::ChannelStatus(ChannelStatus::dropped(channel.id)));
            }
        }
        let now = Instant::now();
        let expired = self
            .timers
            .iter()
            .find(|(_, (at, _))| *at <= now)
            .map(|(timer, (_, value))| (*timer, *value));
        expired.map(|(timer, value)| {
            self.timers.remove(&timer);
            Envelope::TimerExpiration { timer, value }
        })
    }

    fn location_status(&self) -> Envelope {
        match self.registration {
            Some(registration) => {
                let mut location = registration.plmn.encode();
                location.extend_from_slice(&registration.area.to_be_bytes());
                // Cell identity of E-UTRAN: four bytes, the last half-byte filled (TS 31.111 §8.19).
                location.extend_from_slice(&[0x00, 0x00, 0x01, 0x0F]);
                Envelope::LocationStatus {
                    service: LocationService::Normal,
                    location: Some(location),
                }
            }
            None => Envelope::LocationStatus {
                service: LocationService::Limited,
                location: None,
            },
        }
    }

    /// Waits until an envelope may be due.
    pub(super) async fn envelope_due(&self) {
        let data = async {
            match &self.channel {
                Some(channel) => channel.readable().await,
                None => std::future::pending().await,
            }
        };
        let timer = async {
            match self.timers.values().map(|(at, _)| *at).min() {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = data => {}
            () = timer => {}
        }
    }
}

/// Connects, from `source` if the module has an address of its own.
async fn connect(source: Option<IpAddr>, target: SocketAddr) -> io::Result<TcpStream> {
    let Some(source) = source else {
        return TcpStream::connect(target).await;
    };
    let socket = match source {
        IpAddr::V4(_) => TcpSocket::new_v4(),
        IpAddr::V6(_) => TcpSocket::new_v6(),
    }?;
    socket.bind((source, 0).into())?;
    socket.connect(target).await
}

#[cfg(test)]
mod tests;
