//! Events of a module and its chip: APDUs, toolkit messages, HTTP exchanges, attaches, faults.
//!
//! An event must never carry key material, nor a whole identifier, nor file contents.

use std::fmt;

use uicc::apdu::StatusWord;

use crate::network::{Registration, Rejection};
use crate::personalisation::ChipId;

/// Receives the events of many chips, from many threads.
pub trait Observer: Send + Sync {
    /// Receives an event of `chip`, in the order in which they happened at each chip. Must not block.
    fn event(&self, chip: &ChipId, event: &Event);
}

/// How the chip was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reset {
    /// The device was switched on.
    PowerUp,
    /// The module reset the chip, as REFRESH asked it to.
    Refresh,
}

/// How an administration session ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// The server answered 204 and named no next URI.
    Finished,
    /// A script was run and the server named no URI for its results.
    NoResultWanted,
    /// The terminal opened no channel; its general result.
    NoChannel(u8),
    /// The link dropped, or the server closed the connection before the session was finished.
    LinkLost,
    /// The server answered with this HTTP status.
    Refused(u16),
    /// TLS failed, for this reason; the chip does not try again by itself.
    Security(String),
    /// The server's answer breaks the protocol, in this way.
    Malformed(String),
    /// No bytes passed for longer than the inactivity time-out.
    Inactive,
    /// The chip lost power.
    PowerLost,
}

impl SessionEnd {
    /// Tells whether the chip retries by itself: not after an orderly end, a refusal or a security failure
    /// (Amendment B §3.5).
    #[must_use]
    pub const fn retries(&self) -> bool {
        match self {
            Self::NoChannel(_) | Self::LinkLost | Self::Inactive => true,
            Self::Refused(status) => *status >= 500,
            _ => false,
        }
    }
}

impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("finished"),
            Self::NoResultWanted => f.write_str("finished, no result wanted"),
            Self::NoChannel(result) => write!(f, "no channel (terminal result {result:02X})"),
            Self::LinkLost => f.write_str("link lost"),
            Self::Refused(status) => write!(f, "refused with HTTP {status}"),
            Self::Security(why) => write!(f, "TLS failed: {why}"),
            Self::Malformed(why) => write!(f, "malformed answer: {why}"),
            Self::Inactive => f.write_str("inactive for too long"),
            Self::PowerLost => f.write_str("power lost"),
        }
    }
}

/// One event of a module or its chip.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The chip was powered up or reset.
    Started(Reset),
    /// The module fetched a proactive command.
    Proactive {
        /// The command in text.
        description: String,
        /// The command as fetched.
        bytes: Vec<u8>,
    },
    /// The module sends a TERMINAL RESPONSE.
    TerminalResponse {
        /// The response in text.
        description: String,
    },
    /// The module sends an ENVELOPE.
    Envelope {
        /// The envelope in text.
        description: String,
    },
    /// The module attached, or was refused.
    Attach {
        /// IMSI, masked.
        imsi: String,
        /// The registration, or the cause of the rejection.
        result: Result<Registration, Rejection>,
    },
    /// The TLS handshake between chip and server is finished.
    TlsEstablished {
        /// `TLSv1.2` or `TLSv1.3`.
        version: &'static str,
        /// Suite, by its IANA name.
        suite: &'static str,
    },
    /// The admin agent sends a POST.
    Request {
        /// Path and query.
        uri: String,
        /// Whether it resumes an interrupted session.
        resume: bool,
        /// `X-Admin-Script-Status`, if it is there.
        script_status: Option<&'static str>,
        /// Bytes of the body.
        body_bytes: usize,
    },
    /// The server answered the POST.
    Answer {
        /// HTTP status.
        status: u16,
        /// Bytes of the body.
        body_bytes: usize,
        /// URI of the next POST.
        next_uri: Option<String>,
    },
    /// The RFM application ran a C-APDU.
    Apdu {
        /// The command in text, without file contents.
        description: String,
        /// Status word of the response.
        status: StatusWord,
    },
    /// An administration session is over.
    SessionEnded(SessionEnd),
    /// The module carries out a REFRESH.
    Refresh {
        /// Qualifier of the command (TS 102 223 §8.6).
        qualifier: u8,
    },
    /// The test allowance is used up: no channel is opened.
    AllowanceExhausted,
    /// The chip restored its temporary IMSI.
    IdentityRestored,
    /// A planned fault occurred.
    Fault(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(Reset::PowerUp) => f.write_str("power up"),
            Self::Started(Reset::Refresh) => f.write_str("UICC reset"),
            Self::Proactive { description, .. } => write!(f, "proactive command: {description}"),
            Self::TerminalResponse { description } => write!(f, "terminal response: {description}"),
            Self::Envelope { description } => write!(f, "envelope: {description}"),
            Self::Attach { imsi, result: Ok(_) } => write!(f, "attached as IMSI {imsi}"),
            Self::Attach {
                imsi,
                result: Err(why),
            } => {
                write!(f, "attach as IMSI {imsi} refused, cause {}", why.cause)
            }
            Self::TlsEstablished { version, suite } => write!(f, "{version} established, {suite}"),
            Self::Request {
                uri,
                resume,
                script_status,
                body_bytes,
            } => {
                let resume = if *resume { ", resuming" } else { "" };
                let status = script_status
                    .map(|status| format!(", script {status}"))
                    .unwrap_or_default();
                write!(f, "POST {uri}{resume}{status}, {body_bytes} bytes")
            }
            Self::Answer {
                status,
                body_bytes,
                next_uri,
            } => {
                let next = next_uri
                    .as_ref()
                    .map(|uri| format!(", next {uri}"))
                    .unwrap_or_default();
                write!(f, "HTTP {status}, {body_bytes} bytes{next}")
            }
            Self::Apdu { description, status } => write!(f, "{description} → {status}"),
            Self::SessionEnded(end) => write!(f, "session: {end}"),
            Self::Refresh { qualifier } => write!(f, "REFRESH {qualifier:02X}"),
            Self::AllowanceExhausted => f.write_str("test allowance exhausted"),
            Self::IdentityRestored => f.write_str("temporary IMSI restored"),
            Self::Fault(what) => write!(f, "fault: {what}"),
        }
    }
}
