//! The trigger: a short message that makes a card open an administration session (Amendment B §3.7,
//! table 3-3). The same objects, stored in a security domain, are its defaults (§3.8).
//!
//! Whatever is absent the card takes from its stored parameters: a trigger must never fill in a default.

use core::fmt;

use super::value;
use crate::cat::{RawObject, TimerValue};
use crate::reader::Reader;
use crate::tlv::ber::{self, Tlv};
use crate::tlv::comprehension;
use crate::{Error, Result};

mod tag {
    pub(super) const TRIGGER: u16 = 0x81;
    pub(super) const SESSION: u16 = 0x83;
    pub(super) const CONNECTION: u16 = 0x84;
    pub(super) const SECURITY: u16 = 0x85;
    pub(super) const EXTENDED_SECURITY: u16 = 0xA5;
    pub(super) const RETRY: u16 = 0x86;
    pub(super) const HTTP: u16 = 0x89;
    pub(super) const HOST: u16 = 0x8A;
    pub(super) const AGENT_ID: u16 = 0x8B;
    pub(super) const URI: u16 = 0x8C;
    pub(super) const DNS: u16 = 0xB3;
    pub(super) const FQDN: u16 = 0xD6;
    pub(super) const DNS_CONNECTION: u16 = 0xFA;
}

/// Which key the card uses.
#[derive(Clone, PartialEq, Eq)]
pub enum SecurityParameters {
    /// Tag `85`: PSK identity, key, and perhaps the hash.
    Psk(PskParameters),
    /// Tag `A5`: the extended form, as it is.
    Extended(Vec<u8>),
}

/// Content of tag `85`.
#[derive(Clone, PartialEq, Eq)]
pub struct PskParameters {
    identity: Vec<u8>,
    /// Key version number, `40` to `4F`.
    pub key_version: u8,
    /// Key identifier.
    pub key_id: u8,
    /// SHA type, if given.
    pub sha_type: Option<u8>,
}

impl PskParameters {
    /// Most bytes of an identity: its length is one byte.
    pub const MAX_IDENTITY_BYTES: usize = 255;

    /// A key by its version and number, under this PSK identity.
    pub fn new(identity: impl Into<Vec<u8>>, key_version: u8, key_id: u8) -> Result<Self> {
        let identity = identity.into();
        if identity.len() > Self::MAX_IDENTITY_BYTES {
            return Err(Error::new(
                Self::MAX_IDENTITY_BYTES,
                "a PSK identity of at most 255 bytes",
            ));
        }
        Ok(Self {
            identity,
            key_version,
            key_id,
            sha_type: None,
        })
    }

    /// The identity that the TLS client sends.
    #[must_use]
    pub fn identity(&self) -> &[u8] {
        &self.identity
    }

    fn read(tlv: &Tlv<'_>) -> Result<Self> {
        let mut reader = tlv.reader();
        let length = reader.u8("the length of the PSK identity")?;
        let identity = reader
            .take(usize::from(length), "a PSK identity of the announced length")?
            .to_vec();
        let at = reader.offset();
        if reader.u8("the length of the key reference")? != 2 {
            return Err(Error::new(at, "02, the length of key version and key identifier"));
        }
        let [key_version, key_id] = reader.array("key version and key identifier")?;
        let sha_type = reader.peek();
        if sha_type.is_some() {
            reader.u8("a SHA type")?;
        }
        reader.finish("the end after the SHA type")?;
        Ok(Self {
            identity,
            key_version,
            key_id,
            sha_type,
        })
    }

    fn value(&self) -> Vec<u8> {
        // new() and read() keep the length within one byte.
        let mut value = vec![self.identity.len() as u8];
        value.extend_from_slice(&self.identity);
        value.extend([2, self.key_version, self.key_id]);
        value.extend(self.sha_type);
        value
    }
}

impl fmt::Debug for SecurityParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Psk(psk) => psk.fmt(f),
            Self::Extended(bytes) => write!(f, "Extended({} bytes)", bytes.len()),
        }
    }
}

impl fmt::Debug for PskParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An identity holds the EID.
        write!(
            f,
            "PskParameters(key {:02X}/{:02X})",
            self.key_version, self.key_id
        )
    }
}

/// Tag `86`: retries when no session can be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often it tries again.
    pub attempts: u16,
    /// How long it waits in between.
    pub delay: TimerValue,
    /// Where it reports that it gave up: objects as they are.
    pub failure_report: Option<Vec<u8>>,
}

impl RetryPolicy {
    const TIMER: [u8; 2] = [0x25, 0x03];

    fn read(tlv: &Tlv<'_>) -> Result<Self> {
        let mut reader = tlv.reader();
        let attempts = reader.u16("a retry counter of two bytes")?;
        let at = reader.offset();
        let [tag, length] = reader.array("25 03, a timer value")?;
        if [tag & 0x7F, length] != Self::TIMER {
            return Err(Error::new(at, "25 03, a timer value"));
        }
        let at = reader.offset();
        let delay = reader.take(3, "hours, minutes and seconds")?;
        let delay = TimerValue::parse(delay).map_err(|error| error.shifted(at))?;
        let report = reader.rest();
        let failure_report = (!report.is_empty()).then(|| report.to_vec());
        Ok(Self {
            attempts,
            delay,
            failure_report,
        })
    }

    fn value(&self) -> Vec<u8> {
        let mut value = self.attempts.to_be_bytes().to_vec();
        value.extend(Self::TIMER);
        value.extend(self.delay.encode());
        value.extend_from_slice(self.failure_report.as_deref().unwrap_or_default());
        value
    }
}

/// Tag `89`: values of the headers of the card's POST.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HttpParameters {
    /// `Host`.
    pub host: Option<String>,
    /// `X-Admin-From`.
    pub agent_id: Option<String>,
    /// Request URI.
    pub uri: Option<String>,
}

impl fmt::Debug for HttpParameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The agent identifier usually holds the EID.
        let Self { host, agent_id, uri } = self;
        write!(
            f,
            "HttpParameters({host:?}, agent {}, {uri:?})",
            agent_id.is_some()
        )
    }
}

impl HttpParameters {
    fn read(tlv: &Tlv<'_>) -> Result<Self> {
        let mut http = Self::default();
        for item in tlv.children() {
            let item = item?;
            let text = value(item.value)
                .map_err(|error| error.shifted(item.offset))?
                .to_owned();
            match item.tag.get() {
                tag::HOST => http.host = Some(text),
                tag::AGENT_ID => http.agent_id = Some(text),
                tag::URI => http.uri = Some(text),
                _ => return Err(Error::new(item.offset, "tag 8A, 8B or 8C in the HTTP parameters")),
            }
        }
        Ok(http)
    }

    fn value(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let fields = [
            (tag::HOST, &self.host),
            (tag::AGENT_ID, &self.agent_id),
            (tag::URI, &self.uri),
        ];
        for (tag, text) in fields {
            if let Some(text) = text {
                ber::put(&mut out, tag, text.as_bytes());
            }
        }
        out
    }
}

/// Tag `81`: the trigger itself, as the secured data of a short message to the security domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trigger {
    /// Tag `84`: objects of OPEN CHANNEL, see [`crate::cat::OpenChannel::connection_objects`].
    pub connection: Option<Vec<RawObject>>,
    /// Tag `85` or `A5`.
    pub security: Option<SecurityParameters>,
    /// Tag `86`.
    pub retry: Option<RetryPolicy>,
    /// Tag `89`.
    pub http: Option<HttpParameters>,
    /// Tag `D6` in `B3`: the server's name in DNS QNAME form.
    pub fqdn: Option<Vec<u8>>,
    /// Tag `FA` in `B3`: objects of the channel to the DNS server.
    pub dns_connection: Option<Vec<RawObject>>,
}

impl Trigger {
    /// Parses `81 …`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let tlv = Tlv::parse(bytes)?;
        if tlv.tag.get() != tag::TRIGGER {
            return Err(Error::new(0, "81, session triggering parameters"));
        }
        let mut trigger = Self::default();
        for item in tlv.children() {
            let item = item?;
            match item.tag.get() {
                tag::SESSION => trigger.read_session(&item)?,
                tag::DNS => trigger.read_dns(&item)?,
                _ => {
                    return Err(Error::new(
                        item.offset,
                        "tag 83 or B3 in the triggering parameters",
                    ));
                }
            }
        }
        Ok(trigger)
    }

    fn read_session(&mut self, tlv: &Tlv<'_>) -> Result<()> {
        for item in tlv.children() {
            let item = item?;
            match item.tag.get() {
                tag::CONNECTION => self.connection = Some(read_objects(item.reader())?),
                tag::SECURITY => self.security = Some(SecurityParameters::Psk(PskParameters::read(&item)?)),
                tag::EXTENDED_SECURITY => {
                    self.security = Some(SecurityParameters::Extended(item.value.to_vec()));
                }
                tag::RETRY => self.retry = Some(RetryPolicy::read(&item)?),
                tag::HTTP => self.http = Some(HttpParameters::read(&item)?),
                _ => {
                    return Err(Error::new(
                        item.offset,
                        "tag 84, 85, A5, 86 or 89 in the session parameters",
                    ));
                }
            }
        }
        Ok(())
    }

    fn read_dns(&mut self, tlv: &Tlv<'_>) -> Result<()> {
        for item in tlv.children() {
            let item = item?;
            match item.tag.get() {
                tag::FQDN => self.fqdn = Some(item.value.to_vec()),
                tag::DNS_CONNECTION => self.dns_connection = Some(read_objects(item.reader())?),
                _ => return Err(Error::new(item.offset, "tag D6 or FA in the DNS parameters")),
            }
        }
        Ok(())
    }

    /// The trigger as bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut session = Vec::new();
        if let Some(objects) = &self.connection {
            ber::put(&mut session, tag::CONNECTION, &put_objects(objects));
        }
        match &self.security {
            Some(SecurityParameters::Psk(psk)) => ber::put(&mut session, tag::SECURITY, &psk.value()),
            Some(SecurityParameters::Extended(bytes)) => {
                ber::put(&mut session, tag::EXTENDED_SECURITY, bytes);
            }
            None => {}
        }
        if let Some(retry) = &self.retry {
            ber::put(&mut session, tag::RETRY, &retry.value());
        }
        if let Some(http) = &self.http {
            ber::put(&mut session, tag::HTTP, &http.value());
        }
        let mut dns = Vec::new();
        if let Some(fqdn) = &self.fqdn {
            ber::put(&mut dns, tag::FQDN, fqdn);
        }
        if let Some(objects) = &self.dns_connection {
            ber::put(&mut dns, tag::DNS_CONNECTION, &put_objects(objects));
        }
        let mut content = Vec::new();
        for (tag, part) in [(tag::SESSION, session), (tag::DNS, dns)] {
            if !part.is_empty() {
                ber::put(&mut content, tag, &part);
            }
        }
        let mut out = Vec::new();
        ber::put(&mut out, tag::TRIGGER, &content);
        out
    }
}

fn read_objects(reader: Reader<'_>) -> Result<Vec<RawObject>> {
    Ok(comprehension::read_all(reader)?
        .iter()
        .map(RawObject::from)
        .collect())
}

fn put_objects(objects: &[RawObject]) -> Vec<u8> {
    let mut out = Vec::new();
    for object in objects {
        comprehension::put(&mut out, object.tag, object.required, &object.value);
    }
    out
}
