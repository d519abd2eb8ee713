//! Terminal profile: the facilities of the terminal, one bit each (TS 102 223 §5.2).
//!
//! A card must never open a channel on a terminal whose profile lacks it.

use crate::{Error, Result};

/// Facilities that matter for remote administration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Facility {
    /// Profile download itself.
    ProfileDownload,
    /// SMS-PP data download.
    SmsPpDownload,
    /// Timer expiration.
    TimerExpiration,
    /// POLL INTERVAL.
    PollInterval,
    /// REFRESH.
    Refresh,
    /// PROVIDE LOCAL INFORMATION: location and IMEI.
    ProvideLocalInformation,
    /// SET UP EVENT LIST.
    SetUpEventList,
    /// Event: location status.
    EventLocationStatus,
    /// Event: data available.
    EventDataAvailable,
    /// Event: channel status.
    EventChannelStatus,
    /// TIMER MANAGEMENT: start and stop.
    TimerStartStop,
    /// TIMER MANAGEMENT: current value.
    TimerCurrentValue,
    /// OPEN CHANNEL (class e).
    OpenChannel,
    /// CLOSE CHANNEL (class e).
    CloseChannel,
    /// RECEIVE DATA (class e).
    ReceiveData,
    /// SEND DATA (class e).
    SendData,
    /// GET CHANNEL STATUS (class e).
    GetChannelStatus,
    /// Packet bearer: GPRS and its successors.
    BearerPacket,
    /// TCP, card is client, peer remote.
    TcpClientRemote,
    /// UDP, card is client, peer remote.
    UdpClientRemote,
    /// E-UTRAN bearer.
    BearerEUtran,
}

impl Facility {
    /// What TLS over a TCP channel takes: without one of these an admin agent cannot work.
    pub const BIP_TCP: [Self; 9] = [
        Self::SetUpEventList,
        Self::EventDataAvailable,
        Self::EventChannelStatus,
        Self::OpenChannel,
        Self::CloseChannel,
        Self::ReceiveData,
        Self::SendData,
        Self::BearerPacket,
        Self::TcpClientRemote,
    ];

    /// Byte (from 0) and bit mask.
    const fn place(self) -> (usize, u8) {
        match self {
            Self::ProfileDownload => (0, 0x01),
            Self::SmsPpDownload => (0, 0x02),
            Self::TimerExpiration => (0, 0x20),
            Self::PollInterval => (2, 0x20),
            Self::Refresh => (2, 0x80),
            Self::ProvideLocalInformation => (3, 0x40),
            Self::SetUpEventList => (4, 0x01),
            Self::EventLocationStatus => (4, 0x10),
            Self::EventDataAvailable => (5, 0x04),
            Self::EventChannelStatus => (5, 0x08),
            Self::TimerStartStop => (7, 0x01),
            Self::TimerCurrentValue => (7, 0x02),
            Self::OpenChannel => (11, 0x01),
            Self::CloseChannel => (11, 0x02),
            Self::ReceiveData => (11, 0x04),
            Self::SendData => (11, 0x08),
            Self::GetChannelStatus => (11, 0x10),
            Self::BearerPacket => (12, 0x02),
            Self::TcpClientRemote => (16, 0x01),
            Self::UdpClientRemote => (16, 0x02),
            Self::BearerEUtran => (16, 0x40),
        }
    }
}

/// The data field of TERMINAL PROFILE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalProfile(Vec<u8>);

impl TerminalProfile {
    /// Most bytes of a profile: one data field.
    pub const MAX_BYTES: usize = 255;
    /// Byte of which the top three bits count the channels.
    const CHANNELS_AT: usize = 12;

    /// A profile with these facilities and this number of channels, 0 to 7.
    pub fn with(facilities: &[Facility], channels: u8) -> Result<Self> {
        if channels > super::ChannelId::MAX {
            return Err(Error::new(Self::CHANNELS_AT, "at most 7 channels"));
        }
        let mut bytes = vec![0; Self::CHANNELS_AT + 1];
        bytes[Self::CHANNELS_AT] = channels << 5;
        for (at, mask) in facilities.iter().map(|facility| facility.place()) {
            if bytes.len() <= at {
                bytes.resize(at + 1, 0);
            }
            bytes[at] |= mask;
        }
        Ok(Self(bytes))
    }

    /// Parses the data field of TERMINAL PROFILE: 1 to 255 bytes.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        match bytes.len() {
            1..=Self::MAX_BYTES => Ok(Self(bytes.to_vec())),
            length => Err(Error::new(
                length.min(Self::MAX_BYTES),
                "a terminal profile of 1 to 255 bytes",
            )),
        }
    }

    /// The data field of TERMINAL PROFILE.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        self.0.clone()
    }

    /// The terminal has this facility.
    #[must_use]
    pub fn supports(&self, facility: Facility) -> bool {
        let (at, mask) = facility.place();
        self.0.get(at).is_some_and(|byte| byte & mask != 0)
    }

    /// How many channels the terminal supports.
    #[must_use]
    pub fn channels(&self) -> u8 {
        self.0.get(Self::CHANNELS_AT).map_or(0, |byte| byte >> 5)
    }

    /// Everything that TLS over a TCP channel takes, and at least one channel.
    #[must_use]
    pub fn supports_bip_tcp(&self) -> bool {
        self.channels() > 0 && Facility::BIP_TCP.iter().all(|&facility| self.supports(facility))
    }
}
