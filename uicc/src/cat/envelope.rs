//! Envelopes: messages that the terminal sends on its own initiative (TS 102 223 §7; SMS-PP download in
//! TS 31.111 §7.1.1).
//!
//! It must never decide whether the card subscribed to an event.

use core::fmt;

use super::objects::{Objects, put_devices, put_plain, put_required};
use super::{ChannelStatus, Device, Event, TimerId, TimerValue, tag};
use crate::byte_enum::byte_enum;
use crate::tlv::ber::{self, Tlv};
use crate::{Error, Result};

byte_enum! {
    /// Location status, TS 102 223 §8.27.
    pub enum LocationService {
        /// Normal service.
        Normal = 0x00,
        /// Limited service.
        Limited = 0x01,
        /// No service.
        None = 0x02,
    }
}

/// The data field of ENVELOPE.
#[derive(Clone, PartialEq, Eq)]
pub enum Envelope {
    /// Event download, data available.
    DataAvailable {
        /// Status of the channel.
        status: ChannelStatus,
        /// Bytes in the receive buffer, `FF` for 255 or more.
        waiting: u8,
    },
    /// Event download, channel status: a link came up or was lost.
    ChannelStatus(ChannelStatus),
    /// Event download, location status.
    LocationStatus {
        /// Present service.
        service: LocationService,
        /// Location information (network, area, cell), with normal service.
        location: Option<Vec<u8>>,
    },
    /// Event download of another event: the objects after the event list, as they are.
    OtherEvent {
        /// The event.
        event: Event,
        /// Device identities and all that follows.
        objects: Vec<u8>,
    },
    /// A timer expired.
    TimerExpiration {
        /// The expired timer.
        timer: TimerId,
        /// How long it ran.
        value: TimerValue,
    },
    /// A short message for the card.
    SmsPpDownload {
        /// Service centre address: length-less, type of number first (TS 102 223 §8.1).
        service_centre: Option<Vec<u8>>,
        /// The SMS-DELIVER TPDU.
        tpdu: Vec<u8>,
    },
    /// An envelope with another BER tag: its content as it is.
    Other {
        /// BER tag of one byte.
        tag: u8,
        /// Content of the envelope.
        content: Vec<u8>,
    },
}

impl Envelope {
    /// Parses the data field of ENVELOPE.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let tlv = Tlv::parse(bytes)?;
        let objects = || Objects::read(tlv.reader());
        match tlv.tag.get() {
            tag::EVENT_DOWNLOAD => read_event(&tlv, &objects()?),
            tag::TIMER_EXPIRATION => {
                let objects = objects()?;
                objects.comprehend(&[tag::DEVICE_IDENTITIES, tag::TIMER_ID, tag::TIMER_VALUE])?;
                Ok(Self::TimerExpiration {
                    timer: TimerId::read(objects.need(tag::TIMER_ID, "a timer identifier")?)?,
                    value: TimerValue::read(objects.need(tag::TIMER_VALUE, "a timer value")?)?,
                })
            }
            tag::SMS_PP_DOWNLOAD => {
                let objects = objects()?;
                objects.comprehend(&[tag::DEVICE_IDENTITIES, tag::ADDRESS, tag::SMS_TPDU])?;
                Ok(Self::SmsPpDownload {
                    service_centre: objects.find(tag::ADDRESS).map(|object| object.value.to_vec()),
                    tpdu: objects.need(tag::SMS_TPDU, "an SMS TPDU")?.value.to_vec(),
                })
            }
            other => match u8::try_from(other) {
                Ok(tag) => Ok(Self::Other {
                    tag,
                    content: tlv.value.to_vec(),
                }),
                Err(_) => Err(Error::new(0, "an envelope tag of one byte")),
            },
        }
    }

    /// The data field of ENVELOPE.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let (tag, content) = match self {
            Self::DataAvailable { status, waiting } => (tag::EVENT_DOWNLOAD, {
                let mut out = event_head(Event::DataAvailable);
                put_required(&mut out, tag::CHANNEL_STATUS, &status.value());
                put_required(&mut out, tag::CHANNEL_DATA_LENGTH, &[*waiting]);
                out
            }),
            Self::ChannelStatus(status) => (tag::EVENT_DOWNLOAD, {
                let mut out = event_head(Event::ChannelStatus);
                put_required(&mut out, tag::CHANNEL_STATUS, &status.value());
                out
            }),
            Self::LocationStatus { service, location } => (tag::EVENT_DOWNLOAD, {
                let mut out = event_head(Event::LocationStatus);
                put_required(&mut out, tag::LOCATION_STATUS, &[service.byte()]);
                if let Some(location) = location {
                    put_required(&mut out, tag::LOCATION_INFORMATION, location);
                }
                out
            }),
            Self::OtherEvent { event, objects } => (tag::EVENT_DOWNLOAD, {
                let mut out = Vec::new();
                put_required(&mut out, tag::EVENT_LIST, &[event.byte()]);
                out.extend_from_slice(objects);
                out
            }),
            Self::TimerExpiration { timer, value } => (tag::TIMER_EXPIRATION, {
                let mut out = Vec::new();
                put_devices(&mut out, Device::Terminal, Device::Uicc);
                put_required(&mut out, tag::TIMER_ID, &[timer.get()]);
                put_required(&mut out, tag::TIMER_VALUE, &value.encode());
                out
            }),
            Self::SmsPpDownload { service_centre, tpdu } => (tag::SMS_PP_DOWNLOAD, {
                let mut out = Vec::new();
                put_devices(&mut out, Device::Network, Device::Uicc);
                if let Some(address) = service_centre {
                    put_plain(&mut out, tag::ADDRESS, address);
                }
                put_required(&mut out, tag::SMS_TPDU, tpdu);
                out
            }),
            Self::Other { tag, content } => (u16::from(*tag), content.clone()),
        };
        let mut out = Vec::new();
        ber::put(&mut out, tag, &content);
        out
    }
}

fn event_head(event: Event) -> Vec<u8> {
    let mut out = Vec::new();
    put_required(&mut out, tag::EVENT_LIST, &[event.byte()]);
    put_devices(&mut out, Device::Terminal, Device::Uicc);
    out
}

fn read_event(tlv: &Tlv<'_>, objects: &Objects<'_>) -> Result<Envelope> {
    let list = objects.need(tag::EVENT_LIST, "an event list")?;
    let event = Event::from_byte(list.byte("exactly one event")?);
    let status = || ChannelStatus::read(objects.need(tag::CHANNEL_STATUS, "a channel status")?);
    Ok(match event {
        Event::DataAvailable => {
            let waiting = objects.need(tag::CHANNEL_DATA_LENGTH, "a channel data length")?;
            Envelope::DataAvailable {
                status: status()?,
                waiting: waiting.byte("a channel data length of one byte")?,
            }
        }
        Event::ChannelStatus => Envelope::ChannelStatus(status()?),
        Event::LocationStatus => {
            let service = objects.need(tag::LOCATION_STATUS, "a location status")?;
            Envelope::LocationStatus {
                service: LocationService::from_byte(service.byte("a location status of one byte")?),
                location: objects
                    .find(tag::LOCATION_INFORMATION)
                    .map(|object| object.value.to_vec()),
            }
        }
        event => {
            let after = list.offset + list.value.len() - tlv.offset;
            Envelope::OtherEvent {
                event,
                objects: tlv.value.get(after..).unwrap_or_default().to_vec(),
            }
        }
    })
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DataAvailable { status, waiting } => {
                write!(f, "DataAvailable({status:?}, {waiting} waiting)")
            }
            Self::ChannelStatus(status) => write!(f, "ChannelStatus({status:?})"),
            Self::LocationStatus { service, .. } => write!(f, "LocationStatus({service:?})"),
            Self::OtherEvent { event, .. } => write!(f, "OtherEvent({event:?})"),
            Self::TimerExpiration { timer, value } => write!(f, "TimerExpiration({timer:?}, {value:?})"),
            Self::SmsPpDownload { tpdu, .. } => write!(f, "SmsPpDownload({} bytes)", tpdu.len()),
            Self::Other { tag, content } => write!(f, "Other({tag:02X}, {} bytes)", content.len()),
        }
    }
}
