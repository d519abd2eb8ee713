//! The objects that every toolkit message has, and how messages find theirs.
//!
//! It must never let an unknown object pass that was marked comprehension required.

use core::fmt;

use super::{ChannelId, tag};
use crate::byte_enum::byte_enum;
use crate::reader::Reader;
use crate::tlv::comprehension::{self, Object};
use crate::{Error, Result};

/// A party of a toolkit message, TS 102 223 §8.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Device {
    /// `02`: the display.
    Display,
    /// `21..=27`: a channel.
    Channel(ChannelId),
    /// `81`: the card.
    Uicc,
    /// `82`: the terminal.
    Terminal,
    /// `83`: the network.
    Network,
    /// Another device.
    Other(u8),
}

impl Device {
    /// The device of a byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        match byte {
            0x02 => Self::Display,
            0x21..=0x27 => match ChannelId::new(byte & 0x07) {
                Ok(channel) => Self::Channel(channel),
                Err(_) => Self::Other(byte),
            },
            0x81 => Self::Uicc,
            0x82 => Self::Terminal,
            0x83 => Self::Network,
            other => Self::Other(other),
        }
    }

    /// The byte on the wire.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Display => 0x02,
            Self::Channel(channel) => 0x20 | channel.get(),
            Self::Uicc => 0x81,
            Self::Terminal => 0x82,
            Self::Network => 0x83,
            Self::Other(other) => other,
        }
    }
}

byte_enum! {
    /// An event of SET UP EVENT LIST, TS 102 223 §8.25.
    pub enum Event {
        /// Mobile terminated call.
        MtCall = 0x00,
        /// Call connected.
        CallConnected = 0x01,
        /// Call disconnected.
        CallDisconnected = 0x02,
        /// The terminal's service or location changed.
        LocationStatus = 0x03,
        /// User activity.
        UserActivity = 0x04,
        /// Idle screen available.
        IdleScreen = 0x05,
        /// Card reader status.
        CardReaderStatus = 0x06,
        /// Language selection.
        LanguageSelection = 0x07,
        /// Browser termination.
        BrowserTermination = 0x08,
        /// The receive buffer of a channel is no longer empty.
        DataAvailable = 0x09,
        /// A channel's link changed.
        ChannelStatus = 0x0A,
        /// The access technology changed.
        AccessTechnologyChange = 0x0B,
        /// Display parameters changed.
        DisplayParameters = 0x0C,
        /// Local connection.
        LocalConnection = 0x0D,
        /// Network search mode changed.
        NetworkSearchMode = 0x0E,
        /// Browsing status.
        BrowsingStatus = 0x0F,
        /// Frames information changed.
        FramesInformation = 0x10,
        /// The network rejected an attach or update.
        NetworkRejection = 0x12,
    }
}

/// An object this crate carries without looking inside.
#[derive(Clone, PartialEq, Eq)]
pub struct RawObject {
    /// Tag without the comprehension-required bit.
    pub tag: u16,
    /// Comprehension required.
    pub required: bool,
    /// Value.
    pub value: Vec<u8>,
}

impl fmt::Debug for RawObject {
    /// Without the value: it may be an IMEI or a location.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RawObject({:02X}, {} bytes)", self.tag, self.value.len())
    }
}

impl From<&Object<'_>> for RawObject {
    fn from(object: &Object<'_>) -> Self {
        Self {
            tag: object.tag,
            required: object.required,
            value: object.value.to_vec(),
        }
    }
}

/// The objects of one message.
pub(super) struct Objects<'a> {
    all: Vec<Object<'a>>,
    /// Where they begin, for errors about a missing one.
    start: usize,
}

impl<'a> Objects<'a> {
    pub(super) fn read(reader: Reader<'a>) -> Result<Self> {
        Ok(Self {
            start: reader.offset(),
            all: comprehension::read_all(reader)?,
        })
    }

    pub(super) fn all(&self) -> &[Object<'a>] {
        &self.all
    }

    pub(super) fn find(&self, tag: u16) -> Option<&Object<'a>> {
        self.all.iter().find(|object| object.tag == tag)
    }

    pub(super) fn need(&self, tag: u16, expected: &'static str) -> Result<&Object<'a>> {
        self.find(tag).ok_or(Error::new(self.start, expected))
    }

    pub(super) fn details(&self) -> Result<[u8; 3]> {
        self.need(tag::COMMAND_DETAILS, "command details")?
            .array("command details of three bytes")
    }

    /// Source and destination.
    pub(super) fn devices(&self) -> Result<(Device, Device)> {
        let object = self.need(tag::DEVICE_IDENTITIES, "device identities")?;
        let [source, destination] = object.array("device identities of two bytes")?;
        Ok((Device::from_byte(source), Device::from_byte(destination)))
    }

    /// Every comprehension-required object must be among `known` (TS 102 223 §6.10).
    pub(super) fn comprehend(&self, known: &[u16]) -> Result<()> {
        match self
            .all
            .iter()
            .find(|object| object.required && !known.contains(&object.tag))
        {
            Some(object) => Err(Error::new(
                object.offset,
                "no unknown object marked comprehension required",
            )),
            None => Ok(()),
        }
    }
}

/// Appends an object with the comprehension-required bit.
pub(super) fn put_required(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    comprehension::put(out, tag, true, value);
}

/// Appends an object without the comprehension-required bit.
pub(super) fn put_plain(out: &mut Vec<u8>, tag: u16, value: &[u8]) {
    comprehension::put(out, tag, false, value);
}

pub(super) fn put_devices(out: &mut Vec<u8>, source: Device, destination: Device) {
    put_required(out, tag::DEVICE_IDENTITIES, &[source.byte(), destination.byte()]);
}

pub(super) fn put_raw(out: &mut Vec<u8>, objects: &[RawObject]) {
    for object in objects {
        comprehension::put(out, object.tag, object.required, &object.value);
    }
}
