//! Objects about channels: identity, bearer, transport, address, access point name, status
//! (TS 102 223 §8.52 to §8.61, §8.70).
//!
//! It must never resolve a name or open anything.

use core::fmt;
use core::net::IpAddr;
use core::str::FromStr;

use crate::byte_enum::byte_enum;
use crate::reader::Reader;
use crate::tlv::comprehension::Object;
use crate::{Error, Result};

/// A channel between card and network, 1 to 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelId(u8);

impl ChannelId {
    /// Most channels a terminal can offer.
    pub const MAX: u8 = 7;

    /// Channel `number`, 1 to 7.
    pub const fn new(number: u8) -> Result<Self> {
        match number {
            1..=Self::MAX => Ok(Self(number)),
            _ => Err(Error::new(0, "a channel number of 1 to 7")),
        }
    }

    /// The number, 1 to 7.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// Bearer description, TS 102 223 §8.52.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    /// Bearer type.
    pub kind: u8,
    /// Parameters of that type.
    pub parameters: Vec<u8>,
}

impl Bearer {
    /// `02`: GPRS, UTRAN packet service, E-UTRAN.
    pub const PACKET: u8 = 0x02;
    /// `03`: whatever the terminal uses by default; no parameters.
    pub const DEFAULT: u8 = 0x03;
    /// `0B`: E-UTRAN, mapped UTRAN packet service.
    pub const E_UTRAN: u8 = 0x0B;

    /// The default bearer.
    #[must_use]
    pub const fn default_bearer() -> Self {
        Self {
            kind: Self::DEFAULT,
            parameters: Vec::new(),
        }
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        let mut reader = object.reader();
        let kind = reader.u8("a bearer type")?;
        Ok(Self {
            kind,
            parameters: reader.rest().to_vec(),
        })
    }

    pub(super) fn value(&self) -> Vec<u8> {
        let mut value = vec![self.kind];
        value.extend_from_slice(&self.parameters);
        value
    }
}

byte_enum! {
    /// Transport protocol of a channel, TS 102 223 §8.59.
    pub enum TransportProtocol {
        /// UDP, the card is client, the peer remote.
        UdpClientRemote = 0x01,
        /// TCP, the card is client, the peer remote.
        TcpClientRemote = 0x02,
        /// TCP, the card is server.
        TcpServer = 0x03,
        /// UDP, the card is client, the peer local.
        UdpClientLocal = 0x04,
        /// TCP, the card is client, the peer local.
        TcpClientLocal = 0x05,
    }
}

/// UICC/terminal interface transport level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport {
    /// Protocol and role.
    pub protocol: TransportProtocol,
    /// The peer's port (the own one for a server).
    pub port: u16,
}

impl Transport {
    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        let [protocol, high, low] = object.array("a transport level of three bytes")?;
        Ok(Self {
            protocol: TransportProtocol::from_byte(protocol),
            port: u16::from_be_bytes([high, low]),
        })
    }

    pub(super) fn value(self) -> [u8; 3] {
        let [high, low] = self.port.to_be_bytes();
        [self.protocol.byte(), high, low]
    }
}

const IPV4: u8 = 0x21;
const IPV6: u8 = 0x57;

/// Other address, TS 102 223 §8.58. `None` is the empty object: the terminal picks one (local address).
pub(super) fn read_address(object: &Object<'_>) -> Result<Option<IpAddr>> {
    let mut reader = object.reader();
    if reader.is_empty() {
        return Ok(None);
    }
    let address = match reader.u8("an address type")? {
        IPV4 => IpAddr::from(reader.array::<4>("an IPv4 address")?),
        IPV6 => IpAddr::from(reader.array::<16>("an IPv6 address")?),
        _ => {
            return Err(Error::new(
                object.offset,
                "an address type: 21 (IPv4) or 57 (IPv6)",
            ));
        }
    };
    reader.finish("the end of the address")?;
    Ok(Some(address))
}

pub(super) fn address_value(address: Option<IpAddr>) -> Vec<u8> {
    match address {
        None => Vec::new(),
        Some(IpAddr::V4(v4)) => [&[IPV4][..], &v4.octets()].concat(),
        Some(IpAddr::V6(v6)) => [&[IPV6][..], &v6.octets()].concat(),
    }
}

/// Access point name: labels with their lengths on the wire, dots in text (TS 23.003 §9.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Apn(String);

impl Apn {
    /// Most bytes of an APN on the wire.
    pub const MAX_BYTES: usize = 100;
    /// Most characters of one label.
    const MAX_LABEL: usize = 63;

    /// The name in text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The APN of the value of a network access name object.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Self::read(Reader::new(bytes))
    }

    pub(super) fn read(mut reader: Reader<'_>) -> Result<Self> {
        let start = reader.offset();
        if !(1..=Self::MAX_BYTES).contains(&reader.len()) {
            return Err(reader.error("an access point name of 1 to 100 bytes"));
        }
        let mut labels = Vec::new();
        while !reader.is_empty() {
            let length = reader.u8("a label length")?;
            let label = reader.take(usize::from(length), "as many characters as the label length says")?;
            labels.push(String::from_utf8_lossy(label).into_owned());
        }
        labels
            .join(".")
            .parse()
            .map_err(|error: Error| error.shifted(start))
    }

    /// The value of a network access name object.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let labels = self.0.split('.');
        // from_str() keeps every label within 63 characters.
        labels
            .flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat())
            .collect()
    }
}

impl FromStr for Apn {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let mut at = 0;
        for label in name.split('.') {
            let fine = |byte: u8| byte.is_ascii_graphic() && byte != b'.';
            if !(1..=Self::MAX_LABEL).contains(&label.len()) || !label.bytes().all(fine) {
                return Err(Error::new(at, "a label of 1 to 63 visible ASCII characters"));
            }
            at += label.len() + 1;
        }
        if at > Self::MAX_BYTES {
            return Err(Error::new(
                Self::MAX_BYTES,
                "an access point name of at most 100 bytes",
            ));
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Debug for Apn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apn({})", self.0)
    }
}

byte_enum! {
    /// Second byte of a channel status.
    pub enum ChannelInfo {
        /// No further information.
        None = 0x00,
        /// The link was dropped.
        LinkDropped = 0x05,
    }
}

/// Channel status of a client-mode channel, TS 102 223 §8.56.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelStatus {
    /// The channel; `None` (0) when there is no channel.
    pub channel: Option<ChannelId>,
    /// The link, or the packet data context, is established.
    pub established: bool,
    /// Further information.
    pub info: ChannelInfo,
}

impl ChannelStatus {
    const ESTABLISHED: u8 = 0x80;

    /// An established link.
    #[must_use]
    pub const fn established(channel: ChannelId) -> Self {
        Self {
            channel: Some(channel),
            established: true,
            info: ChannelInfo::None,
        }
    }

    /// A link that was dropped.
    #[must_use]
    pub const fn dropped(channel: ChannelId) -> Self {
        Self {
            channel: Some(channel),
            established: false,
            info: ChannelInfo::LinkDropped,
        }
    }

    pub(super) fn read(object: &Object<'_>) -> Result<Self> {
        let [first, info] = object.array("a channel status of two bytes")?;
        Ok(Self {
            channel: ChannelId::new(first & 0x07).ok(),
            established: first & Self::ESTABLISHED != 0,
            info: ChannelInfo::from_byte(info),
        })
    }

    pub(super) fn value(self) -> [u8; 2] {
        let established = if self.established { Self::ESTABLISHED } else { 0 };
        [
            established | self.channel.map_or(0, ChannelId::get),
            self.info.byte(),
        ]
    }
}
