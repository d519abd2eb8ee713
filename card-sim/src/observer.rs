//! What an embedder can watch: everything a chip and its module say to each other and to the world.
//!
//! An event must never carry key material, nor a whole identifier, nor file contents.

use std::fmt;

use uicc::apdu::StatusWord;

use crate::network::{Registration, Rejection};
use crate::personalisation::ChipId;

/// Receives the events of many chips, from many threads.
pub trait Observer: Send + Sync {
    /// Something happened at `chip`. Called in the order of happening for each chip; must not block.
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
    /// A script was run whose results nobody wants.
    NoResultWanted,
    /// The terminal opened no channel: its result byte.
    NoChannel(u8),
    /// The link broke, or the server hung up before it was finished.
    LinkLost,
    /// The server answered this HTTP status.
    Refused(u16),
    /// TLS failed; the chip does not try again by itself.
    Security(String),
    /// The server's answer is not what the protocol allows.
    Malformed(String),
    /// Nothing happened for too long.
    Inactive,
    /// The chip lost power.
    PowerLost,
}

impl SessionEnd {
    /// A chip tries again by itself: not after an orderly end, a refusal or a security failure
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

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The chip was started.
    Started(Reset),
    /// The chip asked the terminal for something.
    Proactive {
        /// In words.
        meaning: String,
        /// As fetched.
        bytes: Vec<u8>,
    },
    /// The terminal answered a proactive command.
    TerminalResponse {
        /// In words.
        meaning: String,
    },
    /// The terminal told the chip something.
    Envelope {
        /// In words.
        meaning: String,
    },
    /// The module tried to attach.
    Attach {
        /// IMSI, masked.
        imsi: String,
        /// What the network said.
        result: Result<Registration, Rejection>,
    },
    /// The chip and its server agreed on keys.
    TlsEstablished {
        /// `TLSv1.2` or `TLSv1.3`.
        version: &'static str,
        /// Suite, by its IANA name.
        suite: &'static str,
    },
    /// The agent posted.
    Request {
        /// Path and query.
        uri: String,
        /// It resumes a broken session.
        resume: bool,
        /// `X-Admin-Script-Status`, if it is there.
        script_status: Option<&'static str>,
        /// Bytes of the body.
        body_bytes: usize,
    },
    /// The server answered.
    Answer {
        /// HTTP status.
        status: u16,
        /// Bytes of the body.
        body_bytes: usize,
        /// Where to post next.
        next_uri: Option<String>,
    },
    /// The RFM application ran a C-APDU.
    Apdu {
        /// In words, without file contents.
        meaning: String,
        /// What it answered.
        status: StatusWord,
    },
    /// An administration session is over.
    SessionEnded(SessionEnd),
    /// The chip asked for REFRESH with this qualifier and the module does it.
    Refresh {
        /// TS 102 223 §8.6.
        qualifier: u8,
    },
    /// The test allowance is used up: no channel is opened.
    AllowanceExhausted,
    /// The chip put its temporary IMSI back.
    IdentityRestored,
    /// A planned fault came true.
    Fault(String),
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started(Reset::PowerUp) => f.write_str("power up"),
            Self::Started(Reset::Refresh) => f.write_str("UICC reset"),
            Self::Proactive { meaning, .. } => write!(f, "proactive command: {meaning}"),
            Self::TerminalResponse { meaning } => write!(f, "terminal response: {meaning}"),
            Self::Envelope { meaning } => write!(f, "envelope: {meaning}"),
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
            Self::Apdu { meaning, status } => write!(f, "{meaning} → {status}"),
            Self::SessionEnded(end) => write!(f, "session: {end}"),
            Self::Refresh { qualifier } => write!(f, "REFRESH {qualifier:02X}"),
            Self::AllowanceExhausted => f.write_str("test allowance exhausted"),
            Self::IdentityRestored => f.write_str("temporary IMSI restored"),
            Self::Fault(what) => write!(f, "fault: {what}"),
        }
    }
}
