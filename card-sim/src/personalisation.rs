//! Personalisation of a chip before delivery: identifiers, keys, the address of its server, and its behaviour.
//!
//! It must never show a key or a whole identifier in `Debug` output.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use uicc::cat::Apn;
use uicc::ident::{Aid, Eid};
use uicc::scp81::PskIdentity;
use zeroize::Zeroizing;

/// Default test allowance, in bytes of channel data.
pub const DEFAULT_ALLOWANCE_BYTES: u64 = 5 * 1024 * 1024;
/// Most bytes of a PSK identity that the agent keeps (RFC 4279 §5.3 asks for 128).
pub const MAX_PSK_IDENTITY_BYTES: usize = 128;
/// Bytes of a key, PSK and DEK alike.
pub const KEY_BYTES: usize = 16;
/// Subscriber key of every temporary number. It protects nothing: such a number exists in a [`crate::VirtualNetwork`]
/// alone.
pub const SEED_K: [u8; KEY_BYTES] = [0x5E; KEY_BYTES];
/// OPc of every temporary number.
pub const SEED_OPC: [u8; KEY_BYTES] = [0xED; KEY_BYTES];

/// Identifier of a chip in logs and events: its EID, shown masked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChipId(pub Eid);

impl fmt::Display for ChipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.masked())
    }
}

impl fmt::Debug for ChipId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChipId({self})")
    }
}

/// Cipher suite the chip offers; it offers exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Suite {
    /// TLS 1.2, `TLS_PSK_WITH_AES_128_CBC_SHA256` (00AE).
    #[default]
    Tls12CbcSha256,
    /// TLS 1.2, `TLS_PSK_WITH_AES_128_GCM_SHA256` (00A8).
    Tls12GcmSha256,
    /// TLS 1.3, `TLS_AES_128_GCM_SHA256` with the key as external PSK.
    Tls13GcmSha256,
}

/// Longest record the chip asks for (RFC 6066 §4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxFragment {
    /// 512 bytes.
    Bytes512,
    /// 1024 bytes.
    Bytes1024,
    /// 2048 bytes.
    Bytes2048,
    /// 4096 bytes.
    Bytes4096,
}

/// Cipher suite and record length that the chip offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TlsChoice {
    /// The only suite offered.
    pub suite: Suite,
    /// The fragment length asked for, if any.
    pub max_fragment: Option<MaxFragment>,
}

impl TlsChoice {
    const FRAGMENTS: usize = 5;
    /// Number of different choices.
    pub const COUNT: usize = 3 * Self::FRAGMENTS;

    /// A number below [`Self::COUNT`], different for every choice.
    #[must_use]
    pub const fn index(self) -> usize {
        let fragment = match self.max_fragment {
            None => 0,
            Some(MaxFragment::Bytes512) => 1,
            Some(MaxFragment::Bytes1024) => 2,
            Some(MaxFragment::Bytes2048) => 3,
            Some(MaxFragment::Bytes4096) => 4,
        };
        self.suite as usize * Self::FRAGMENTS + fragment
    }
}

/// Framing of the bodies that the agent sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BodyCoding {
    /// `Transfer-Encoding: chunked`, as SGP.02 demands.
    #[default]
    Chunked,
    /// `Content-Length`.
    ContentLength,
}

/// Directory that is selected when a command session of the RFM application begins (TS 102 226 §7.2, §7.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RfmStart {
    /// ADF.USIM: the application manages the USIM.
    #[default]
    Usim,
    /// The MF: the application manages the shared file system.
    Mf,
}

/// When the chip issues a REFRESH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// Only when a script orders it by an immediate action.
    Ordered,
    /// After every session that changed a file, with this qualifier (TS 102 223 §8.6), unless a script
    /// ordered another one.
    Automatic(u8),
}

/// Retries after an interrupted session (Amendment B §3.8.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most retries in one power-up.
    pub attempts: u8,
    /// Time before each retry, in whole seconds, at most 23:59:59. Zero: at once.
    pub wait: Duration,
}

/// A secret of [`KEY_BYTES`] bytes; wiped when dropped.
pub type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Personalisation of one chip. Build it with [`Personalisation::builder`].
#[derive(Clone)]
pub struct Personalisation {
    /// EID of the chip.
    pub eid: Eid,
    /// ICCID the chip is delivered with, 18 to 20 hexadecimal digits.
    pub iccid: String,
    /// Temporary (seed) IMSI, 14 or 15 digits.
    pub imsi: String,
    /// Temporary number, digits with country code.
    pub msisdn: String,
    /// Short message service centre, digits with country code.
    pub smsc: Option<String>,
    /// PSK identity as it goes over the wire.
    pub psk_identity: Vec<u8>,
    /// Pre-shared key.
    pub psk: Key,
    /// Data encryption key, which wraps key material.
    pub dek: Key,
    /// Version of the key set of PSK and DEK.
    pub key_version: u8,
    /// `Host` header.
    pub host: String,
    /// URI of the first POST.
    pub uri: String,
    /// `X-Admin-From` header.
    pub agent_id: String,
    /// Test allowance in bytes of channel data.
    pub allowance: u64,
    /// Access point name that OPEN CHANNEL asks for; empty: none.
    pub apn: String,
    /// Destination that OPEN CHANNEL names.
    pub gateway: SocketAddr,
    /// Buffer that OPEN CHANNEL asks for, in bytes.
    pub buffer_bytes: u16,
    /// Suite and fragment length.
    pub tls: TlsChoice,
    /// How bodies are sent.
    pub body_coding: BodyCoding,
    /// Whether the agent can join a response head that arrives in several TLS records. Some chips cannot.
    pub joins_heads: bool,
    /// Whether the agent accepts a NewSessionTicket, which it does not use. Some chips fail on one.
    pub takes_tickets: bool,
    /// AID of the RFM application.
    pub rfm_aid: Aid,
    /// AID of the security domain that owns the PSK.
    pub domain_aid: Aid,
    /// Start directory of the RFM application.
    pub rfm_start: RfmStart,
    /// Whether the issuer may update EF_ICCID over the air.
    pub iccid_writable: bool,
    /// When the chip issues a REFRESH.
    pub refresh: RefreshPolicy,
    /// Retries after an interrupted session.
    pub retry: RetryPolicy,
    /// Inactivity time-out of a session, in whole seconds.
    pub inactivity: Duration,
    /// Number of refused channel requests after which the temporary IMSI is restored. `None`: never.
    pub fallback_after: Option<u8>,
}

impl fmt::Debug for Personalisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Personalisation")
            .field("eid", &self.eid)
            .field("iccid", &uicc::masked(&self.iccid))
            .field("imsi", &uicc::masked(&self.imsi))
            .field("gateway", &self.gateway)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

/// A value that a chip cannot be personalised with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{field}: expected {expected}")]
pub struct PersonalisationError {
    /// Name of the value.
    pub field: &'static str,
    /// Which values are possible.
    pub expected: &'static str,
}

/// Builds a [`Personalisation`]; every value but the EID and the keys has a default.
#[derive(Clone)]
pub struct Builder(Personalisation);

/// One setter per field, each replacing the default. `into` takes whatever converts into the field's type.
macro_rules! setters {
    (into: $($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {
        impl Builder {
            $($(#[$doc])* #[must_use]
            pub fn $name(mut self, value: impl Into<$type>) -> Self {
                self.0.$name = value.into();
                self
            })+
        }
    };
    (exact: $($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {
        impl Builder {
            $($(#[$doc])* #[must_use]
            pub fn $name(mut self, value: $type) -> Self {
                self.0.$name = value;
                self
            })+
        }
    };
}

setters! {
    into:
    /// ICCID, 18 to 20 hexadecimal digits.
    iccid: String,
    /// Temporary IMSI, 14 or 15 digits.
    imsi: String,
    /// Temporary number with country code, no `+`.
    msisdn: String,
    /// Service centre with country code, no `+`.
    smsc: Option<String>,
    /// PSK identity, at most [`MAX_PSK_IDENTITY_BYTES`] bytes, without NUL.
    psk_identity: Vec<u8>,
    /// `Host` header.
    host: String,
    /// First URI.
    uri: String,
    /// `X-Admin-From` header.
    agent_id: String,
    /// Access point name.
    apn: String,
}

setters! {
    exact:
    /// Key version.
    key_version: u8,
    /// Test allowance in bytes.
    allowance: u64,
    /// Destination of OPEN CHANNEL.
    gateway: SocketAddr,
    /// Channel buffer in bytes.
    buffer_bytes: u16,
    /// Suite and fragment length.
    tls: TlsChoice,
    /// Coding of bodies.
    body_coding: BodyCoding,
    /// Whether response heads over several TLS records are joined.
    joins_heads: bool,
    /// Whether session tickets are accepted.
    takes_tickets: bool,
    /// AID of the RFM application.
    rfm_aid: Aid,
    /// AID of the security domain that owns the PSK.
    domain_aid: Aid,
    /// Start directory of the RFM application.
    rfm_start: RfmStart,
    /// Whether EF_ICCID may be changed over the air.
    iccid_writable: bool,
    /// When the chip issues a REFRESH.
    refresh: RefreshPolicy,
    /// Retries after an interrupted session.
    retry: RetryPolicy,
    /// Inactivity time-out.
    inactivity: Duration,
    /// Number of refused channel requests after which the temporary IMSI is restored.
    fallback_after: Option<u8>,
}

impl Builder {
    /// Checks every value.
    ///
    /// # Errors
    /// [`PersonalisationError`] with the first value that cannot be put into a chip.
    pub fn build(self) -> Result<Personalisation, PersonalisationError> {
        let card = self.0;
        let hex = |text: &str| text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let digits = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
        let visible = |text: &str| text.bytes().all(|byte| matches!(byte, 0x21..=0x7E));
        check(
            (18..=20).contains(&card.iccid.len()) && hex(&card.iccid),
            "iccid",
            "18 to 20 hexadecimal digits",
        )?;
        check(
            (14..=15).contains(&card.imsi.len()) && digits(&card.imsi),
            "imsi",
            "14 or 15 digits",
        )?;
        check(
            (1..=20).contains(&card.msisdn.len()) && digits(&card.msisdn),
            "msisdn",
            "1 to 20 digits",
        )?;
        let smsc_fits = card
            .smsc
            .as_deref()
            .is_none_or(|smsc| (1..=20).contains(&smsc.len()) && digits(smsc));
        check(smsc_fits, "smsc", "1 to 20 digits")?;
        let identity = &card.psk_identity;
        let identity_fits = (1..=MAX_PSK_IDENTITY_BYTES).contains(&identity.len()) && !identity.contains(&0);
        check(identity_fits, "psk_identity", "1 to 128 bytes, none of them NUL")?;
        check(
            visible(&card.host) && !card.host.is_empty(),
            "host",
            "a host without blanks",
        )?;
        check(
            visible(&card.uri) && card.uri.starts_with('/'),
            "uri",
            "a path without blanks",
        )?;
        check(visible(&card.agent_id), "agent_id", "a value without blanks")?;
        let apn_fits = card.apn.is_empty() || card.apn.parse::<Apn>().is_ok();
        check(
            apn_fits,
            "apn",
            "labels of 1 to 63 visible characters, or nothing",
        )?;
        check(card.buffer_bytes >= 256, "buffer_bytes", "at least 256")?;
        Ok(card)
    }
}

fn check(holds: bool, field: &'static str, expected: &'static str) -> Result<(), PersonalisationError> {
    if holds {
        Ok(())
    } else {
        Err(PersonalisationError { field, expected })
    }
}

impl Personalisation {
    /// Starts with the defaults of a seed card of the enterprise standard.
    #[must_use]
    pub fn builder(eid: Eid, psk: [u8; KEY_BYTES], dek: [u8; KEY_BYTES]) -> Builder {
        let rfm_aid: [u8; 9] = [0xA0, 0x00, 0x00, 0x05, 0x59, 0x10, 0x10, 0x00, 0x01];
        // ISD-R, as in SGP.02 annex H.
        let domain_aid: [u8; 16] = [
            0xA0, 0, 0, 0x05, 0x59, 0x10, 0x10, 0xFF, 0xFF, 0xFF, 0xFF, 0x89, 0, 0, 0x01, 0,
        ];
        let domain_aid = Aid::parse(&domain_aid).expect("16 bytes are an AID");
        Builder(Self {
            iccid: "89860000000000000000".to_owned(),
            imsi: "460001000000000".to_owned(),
            msisdn: "861440000000000".to_owned(),
            smsc: None,
            psk_identity: psk_identity(eid, domain_aid.clone(), 0x40),
            psk: Zeroizing::new(psk),
            dek: Zeroizing::new(dek),
            key_version: 0x40,
            host: "ota.invalid".to_owned(),
            uri: "/adminagent".to_owned(),
            agent_id: format!("//se-id/eid/{eid};//aa-id/aid/A000000559/1010FFFFFFFF8900000100"),
            allowance: DEFAULT_ALLOWANCE_BYTES,
            apn: "cmiot".to_owned(),
            gateway: SocketAddr::from((Ipv4Addr::LOCALHOST, 8443)),
            buffer_bytes: 1500,
            tls: TlsChoice {
                suite: Suite::default(),
                max_fragment: None,
            },
            body_coding: BodyCoding::default(),
            joins_heads: false,
            takes_tickets: false,
            rfm_aid: Aid::parse(&rfm_aid).expect("9 bytes are an AID"),
            domain_aid,
            rfm_start: RfmStart::default(),
            iccid_writable: true,
            refresh: RefreshPolicy::Ordered,
            retry: RetryPolicy {
                attempts: 2,
                wait: Duration::ZERO,
            },
            inactivity: Duration::from_secs(60),
            fallback_after: None,
            eid,
        })
    }

    /// Identifier of the chip in logs and events.
    #[must_use]
    pub const fn id(&self) -> ChipId {
        ChipId(self.eid)
    }
}

/// Encodes the PSK identity in the layout of SGP.02 table 4; the PSK is the first key of its set.
#[must_use]
pub fn psk_identity(eid: Eid, domain: Aid, key_version: u8) -> Vec<u8> {
    PskIdentity {
        eid,
        aid: domain,
        key_id: 0x01,
        key_version,
    }
    .encode()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builder() -> Builder {
        Personalisation::builder(
            "89086030202200000022000000000090".parse().unwrap(),
            [1; 16],
            [2; 16],
        )
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let refused = |builder: Builder| builder.build().map(drop).unwrap_err().field;
        assert_eq!(refused(builder().iccid("8986")), "iccid");
        assert_eq!(refused(builder().imsi("46000A")), "imsi");
        assert_eq!(refused(builder().msisdn("")), "msisdn");
        assert_eq!(refused(builder().psk_identity(b"a\0b".to_vec())), "psk_identity");
        assert_eq!(refused(builder().uri("/a b")), "uri");
        assert_eq!(refused(builder().agent_id("x\r\nEvil: 1")), "agent_id");
    }

    #[test]
    fn debug_output_shows_no_key_and_no_whole_identifier() {
        let shown = format!("{:?}", builder().imsi("460001357924680").build().unwrap());
        assert!(
            !shown.contains("460001357924680") && !shown.contains("psk"),
            "{shown}"
        );
    }
}
